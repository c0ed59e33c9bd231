package wasihttp

import (
	"context"
	"errors"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/wit/bindings/wasi/http/incominghandler"
)

// Request is a request for a guest.
type Request struct {
	// Request gives the method, the body with its trailers, the protocol, and the
	// context, which ends when the client leaves or the time for the request is
	// up. Guests are shown nothing else of it.
	*http.Request

	Scheme        string // "http" or "https"
	Authority     string // host and port, as the client named them; "" for none
	PathWithQuery string // as it was sent
	// Headers are what the guest is shown, in their order. They are not checked
	// and must not be changed any more.
	Headers []Field

	// Placement, shared by the requests for one handler, lets Serve call start on
	// its own goroutine when that does no harm. Nil gives every guest a goroutine.
	Placement *Placement

	// Late is told of a failure of the guest after the outcome was decided, such as
	// a trap of a guest that had completed its response. It is called on the
	// goroutine of start, before or after Serve has returned. It may be nil.
	Late func(error)
}

// Handle calls the guest's handler for the request being served. in must have
// been instantiated with a View of the serving Ctx.
type Handle func(in *component.Instance, guest *incominghandler.Guest) error

// Serve answers r with a guest. start, which Serve calls on a goroutine of its
// own unless the Placement says otherwise, has to make an instance with the
// context it is given, call handle once with it, end the instance and return the
// error of any of this.
//
// Serve returns when the outcome is decided: when the guest has completed the
// response, failed to, or the context of r has ended. The guest may go on working
// then, without the client, until start returns; its context ends with that of r
// only as long as the response is incomplete. w and the body of r are not used
// once Serve has returned. It must be called once for a Ctx.
//
// The response goes straight to w, which decides when bytes leave; it is flushed
// no later than a millisecond after the guest has written, and at once before the
// guest waits for more of the request's body. A nil error means that the response
// is complete and lacks only the flush that follows when the server's handler
// returns. Of the errors
//
//   - an [*IncompleteError] says that the response broke off after the guest had
//     set its head; if any of it has left w, the connection must be aborted.
//     A head and bytes that the guest flushed have left;
//   - [ErrNoResponse] and a [*HandlerError] say that the guest gave no response;
//   - the cause of the context of r says that it ended first;
//   - anything else is the error of start, such as a trap of the guest.
//
// As long as w has sent nothing it can be used for another answer, with its
// header map cleared.
func (x *Ctx) Serve(w http.ResponseWriter, r *Request, start func(ctx context.Context, handle Handle) error) error {
	e := &x.exchange
	e.w, e.done = w, make(chan struct{})
	e.http1 = r.ProtoMajor == 1 && r.ProtoMinor >= 1
	e.head = r.Method == http.MethodHead
	e.conn.rc = *http.NewResponseController(w)
	e.outparam.exchange = e
	e.request = incomingRequest{
		method: r.Method, scheme: r.Scheme, authority: r.Authority, pathWithQuery: r.PathWithQuery,
		fields: hostFields(r.Headers),
	}
	source := &e.request.body.source
	source.gate, source.trailer = e, func() http.Header { return r.Trailer }
	if r.Body == nil || r.Body == http.NoBody {
		source.end(nil)
	} else {
		source.body, e.conn.body = r.Body, r.Body
		if r.ProtoMajor == 1 {
			// Otherwise the first byte of the response would end the request. What
			// cannot do it, such as a recorder in a test, does not have to.
			_ = e.conn.rc.EnableFullDuplex()
		}
	}

	ctx, cancel := context.WithCancelCause(context.WithoutCancel(r.Context()))
	e.giveUp = cancel
	if e.here = r.Placement.here(); e.here {
		x.runHere(ctx, r, start)
	} else {
		go x.run(ctx, r, start)
		select {
		case <-e.done:
		case <-r.Context().Done():
			e.depart(r.Context())
		}
	}
	interrupted := e.conn.close(drainTime)
	reusable := r.ProtoMajor != 1 || source.finished() || expectsContinue(r.Request) && !source.touched ||
		!interrupted && e.conn.drain(source.body)
	if e.outcome == nil {
		e.complete(reusable)
	}
	return e.outcome
}

// expectsContinue reports whether the client waits for a sign before it sends the
// body. Reading is that sign, so that a body nobody wants is left to net/http.
func expectsContinue(r *http.Request) bool { return r.Header.Get("Expect") != "" }

// depart gives the response up, as nobody waits for it any more.
func (e *exchange) depart(ctx context.Context) {
	cause := context.Cause(ctx)
	if first := e.conn.cause(); first != nil {
		cause = first
	}
	e.giveUp(cause)
	e.conn.close(0)
	e.conclude(cause)
}

// runHere runs the guest on the caller's goroutine.
func (x *Ctx) runHere(ctx context.Context, r *Request, start func(context.Context, Handle) error) {
	e := &x.exchange
	departed := make(chan struct{})
	stop := context.AfterFunc(r.Context(), func() {
		defer close(departed)
		if !e.decided() {
			e.depart(r.Context())
		}
	})
	x.run(ctx, r, start)
	if !stop() {
		<-departed
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.armed = time.Time{} // the rest is Serve's to send
}

var errNoReturn = errors.New("the goroutine of the guest was ended before it returned")

// run runs the guest, on its goroutine.
func (x *Ctx) run(ctx context.Context, r *Request, start func(context.Context, Handle) error) {
	e := &x.exchange
	told := false // of the guest's own error
	err := errNoReturn
	defer func() {
		if v := recover(); v != nil {
			// On a goroutine without a caller it would end the process.
			err = &component.PanicError{Value: v, Stack: debug.Stack()}
		}
		gone := ctx.Err() != nil
		e.giveUp(nil)
		if err == nil && !gone {
			r.Placement.returned(e.sinceOver())
		}
		switch {
		case err == nil:
			e.conclude(ErrNoResponse)
		case e.conclude(err) || told || gone || r.Late == nil:
		default:
			r.Late(err)
		}
	}()
	if !e.here {
		growStack(0)
	}
	err = start(ctx, func(in *component.Instance, guest *incominghandler.Guest) error {
		err := guest.Handle(in, &e.request, &e.outparam)
		e.conn.leave()
		told = e.conclude(e.outcomeOf(err))
		return err
	})
}

// growStack makes room for the calls of a guest and back, in one step and while
// there is next to nothing to move. A new goroutine would otherwise grow its
// stack several times on the way, each time with all of its frames.
//
//go:noinline
func growStack(i byte) byte {
	var space [12 << 10]byte
	return space[i]
}

// outcomeOf says what the guest's return means, if nothing is decided yet.
func (e *exchange) outcomeOf(err error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.over, e.response == nil && err == nil:
		return ErrNoResponse
	case e.response == nil:
		return err
	case err == nil:
		return &IncompleteError{errUnfinished}
	}
	return &IncompleteError{err}
}
