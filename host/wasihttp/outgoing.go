package wasihttp

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host/wasi/io"
	"github.com/minispin/minispin/wit/bindings/wasi/http/types"
	"github.com/minispin/minispin/wit/bindings/wasi/io/poll"
	"github.com/minispin/minispin/wit/value"
)

// Outgoing sends the requests of guests. It decides which are allowed.
type Outgoing interface {
	// Send sends r and returns the response once its head is there. It is called
	// on a goroutine of its own. The context of r ends when the guest does or no
	// longer wants the response; reading the body of the response must end with
	// it. An error becomes the guest's by way of [ErrorCode].
	//
	// The path is in r.URL.Opaque, as the guest wrote it. r.URL.Host is empty when
	// the guest named no authority: it means the application that it is part of. The body of r is written
	// by the guest while it is sent, and must be closed. Its trailers, if any, are
	// in r.Trailer once the body has ended.
	Send(r *http.Request, t Timeouts) (*http.Response, error)
}

// Starter is an Outgoing that can send some requests without waiting.
type Starter interface {
	Outgoing
	// Start sends r if nothing has to be waited for, and returns what waits for
	// the head of the response, as Send would return it. It returns nil if it has not sent r. What it
	// returns is called once, on any goroutine, or never; what was begun must end
	// with the context of r.
	Start(r *http.Request, t Timeouts) (receive func() (*http.Response, error))
}

// Handle implements outgoinghandler.Host. Everything that can go wrong with the
// request goes through the future, a denial, too.
func (h host) Handle(c *component.Call, request types.OutgoingRequest, options value.Option[types.RequestOptions]) (types.FutureIncomingResponse, error) {
	var t Timeouts
	if o, ok := options.Get(); ok {
		t = o.(*requestOptions).timeouts()
		o.Drop()
	}
	return h.x.send(c.Context(), request.(*outgoingRequest), t), nil
}

// send starts to send r, which is used up.
func (x *Ctx) send(ctx context.Context, r *outgoingRequest, t Timeouts) *futureResponse {
	f := &futureResponse{done: make(chan struct{}), cancel: func() {}}
	defer r.fields.Drop()
	if x.Outgoing == nil {
		f.fail(r, code(types.ErrorCodeHTTPRequestDenied))
		return f
	}
	req, err := r.build()
	if err != nil {
		f.fail(r, err)
		return f
	}
	ctx, f.cancel = context.WithCancel(ctx)
	req = req.WithContext(ctx)
	if o, ok := x.Outgoing.(Starter); ok && r.body == nil {
		if f.receive = o.Start(req, t); f.receive != nil {
			return f
		}
	}
	go f.await(func() (*http.Response, error) { return x.Outgoing.Send(req, t) })
	return f
}

// futureResponse is the resource future-incoming-response. As an event it is the
// arrival of the response.
type futureResponse struct {
	done   chan struct{} // closed when response or err is there
	cancel context.CancelFunc
	taken  bool
	// receive waits for the response of a request that was sent without a
	// goroutine. It is nil once it was called. A guest that waits calls it itself.
	receive func() (*http.Response, error)
	asked   bool // by a guest that did not wait

	mu       sync.Mutex
	response *http.Response
	err      error
	dropped  bool
}

var (
	_ types.FutureIncomingResponse = (*futureResponse)(nil)
	_ wasiio.Signaler              = (*futureResponse)(nil)
)

// fail makes the future one of a request that is not sent.
func (f *futureResponse) fail(r *outgoingRequest, err error) {
	f.err = err
	close(f.done)
	if r.body != nil {
		r.pipe.CloseRead(err)
	}
}

// await makes the future happen with what receive returns.
func (f *futureResponse) await(receive func() (*http.Response, error)) {
	defer close(f.done)
	defer func() {
		if v := recover(); v != nil {
			f.arrive(nil, fmt.Errorf("%w: panic while sending a request: %v", internal("the host failed"), v))
		}
	}()
	f.arrive(receive())
}

// Ready implements wasiio.Event.
func (f *futureResponse) Ready() bool {
	if receive := f.takeReceive(); receive != nil {
		go f.await(receive)
	}
	return wasiio.OnClose(f.done).Ready()
}

// Block implements wasiio.Event.
func (f *futureResponse) Block(ctx context.Context) error {
	if receive := f.takeReceive(); receive != nil {
		f.await(receive)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return nil
	}
	return wasiio.OnClose(f.done).Block(ctx)
}

// Signal implements wasiio.Signaler.
func (f *futureResponse) Signal() <-chan struct{} {
	f.Ready()
	return f.done
}

func (f *futureResponse) takeReceive() func() (*http.Response, error) {
	receive := f.receive
	f.receive = nil
	return receive
}

func (f *futureResponse) arrive(response *http.Response, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil && f.dropped {
		_ = response.Body.Close()
	}
	f.response, f.err = response, err
}

// Subscribe implements types.FutureIncomingResponse.
func (f *futureResponse) Subscribe(*component.Call) (poll.Pollable, error) {
	return wasiio.NewPollable(f, nil), nil
}

// Get implements types.FutureIncomingResponse.
func (f *futureResponse) Get(*component.Call) (value.Option[value.Result[value.Result[types.IncomingResponse, types.ErrorCode], value.Unit]], error) {
	type (
		result = value.Result[types.IncomingResponse, types.ErrorCode]
		once   = value.Result[result, value.Unit]
	)
	switch {
	case f.receive != nil && !f.asked:
		// It will most likely wait now, which needs no goroutine.
		f.asked = true
		return value.None[once](), nil
	case !f.Ready():
		return value.None[once](), nil
	}
	if f.taken {
		return value.Some(value.Err[result](value.Unit{})), nil
	}
	f.taken = true
	if f.err != nil {
		e := value.Err[types.IncomingResponse](ErrorCode(f.err))
		return value.Some(value.OK[result, value.Unit](e)), nil
	}
	r := value.OK[types.IncomingResponse, types.ErrorCode](newIncomingResponse(f.response, f.cancel))
	return value.Some(value.OK[result, value.Unit](r)), nil
}

// Drop implements types.FutureIncomingResponse. A response that was not taken is
// not wanted.
func (f *futureResponse) Drop() {
	if f.taken && f.err == nil {
		return // the response does the rest
	}
	f.cancel()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dropped = true
	if f.response != nil {
		_ = f.response.Body.Close()
	}
}

// incomingResponse is the resource incoming-response.
type incomingResponse struct {
	status   uint16
	fields   Fields
	body     incomingBody
	consumed bool
}

var _ types.IncomingResponse = (*incomingResponse)(nil)

func newIncomingResponse(r *http.Response, cancel context.CancelFunc) *incomingResponse {
	return &incomingResponse{
		status: uint16(r.StatusCode),
		fields: hostFields(FieldsOf(r.Header)),
		body: incomingBody{
			source: source{body: r.Body, trailer: func() http.Header { return r.Trailer }},
			release: func() {
				cancel()
				_ = r.Body.Close()
			},
		},
	}
}

// Status implements types.IncomingResponse.
func (r *incomingResponse) Status(*component.Call) (types.StatusCode, error) { return r.status, nil }

// Headers implements types.IncomingResponse.
func (r *incomingResponse) Headers(*component.Call) (types.Headers, error) {
	return r.fields.share(), nil
}

// Consume implements types.IncomingResponse.
func (r *incomingResponse) Consume(*component.Call) (types.IncomingBody, error) {
	if r.consumed {
		return nil, value.Failed
	}
	r.consumed = true
	return &r.body, nil
}

// Drop implements types.IncomingResponse. The body is given up unless the guest
// has it.
func (r *incomingResponse) Drop() {
	if !r.consumed {
		r.body.Drop()
	}
}
