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
	go f.send(x.Outgoing, req.WithContext(ctx), t)
	return f
}

// futureResponse is the resource future-incoming-response.
type futureResponse struct {
	done   chan struct{} // closed when response or err is there
	cancel context.CancelFunc
	taken  bool

	mu       sync.Mutex
	response *http.Response
	err      error
	dropped  bool
}

var _ types.FutureIncomingResponse = (*futureResponse)(nil)

// fail makes the future one of a request that is not sent.
func (f *futureResponse) fail(r *outgoingRequest, err error) {
	f.err = err
	close(f.done)
	if r.body != nil {
		r.pipe.CloseRead(err)
	}
}

func (f *futureResponse) send(o Outgoing, r *http.Request, t Timeouts) {
	defer close(f.done)
	defer func() {
		if v := recover(); v != nil {
			f.arrive(nil, fmt.Errorf("%w: panic while sending a request: %v", internal("the host failed"), v))
		}
	}()
	f.arrive(o.Send(r, t))
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
	return wasiio.NewPollable(wasiio.OnClose(f.done), nil), nil
}

// Get implements types.FutureIncomingResponse.
func (f *futureResponse) Get(*component.Call) (value.Option[value.Result[value.Result[types.IncomingResponse, types.ErrorCode], value.Unit]], error) {
	type (
		result = value.Result[types.IncomingResponse, types.ErrorCode]
		once   = value.Result[result, value.Unit]
	)
	select {
	case <-f.done:
	default:
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
