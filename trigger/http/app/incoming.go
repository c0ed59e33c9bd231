package app

import (
	"context"
	"errors"
	"net/http"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host/wasihttp"
	httptrigger "github.com/minispin/minispin/trigger/http"
	"github.com/minispin/minispin/trigger/http/spinheader"
	"github.com/minispin/minispin/wit/bindings/wasi/http/types"
)

// incoming executes wasi:http's incoming-handler: bodies stream both ways, and
// the guest may go on working after its response.
type incoming struct{ *target }

// Execute implements httptrigger.Executor.
func (x *incoming) Execute(w http.ResponseWriter, r *httptrigger.Request) error {
	s := x.newState(r)
	var space [32]spinheader.Field
	fields := r.WASIFields(space[:0])
	headers := make([]wasihttp.Field, len(fields))
	for i, f := range fields {
		headers[i] = wasihttp.Field{Name: f.Name, Value: f.Value}
	}
	if r.Body != nil && r.Body != http.NoBody {
		s.body.ReadCloser = r.Body
		r.Body = &s.body
	}
	err := s.http.Serve(w, &wasihttp.Request{
		Request: r.Request, Scheme: r.Scheme, Authority: r.Authority, PathWithQuery: r.PathWithQuery,
		Headers: headers, Placement: &x.placement,
		Late: func(err error) { r.ReportLate(failure(err)) },
	}, func(ctx context.Context, handle wasihttp.Handle) error {
		defer s.close()
		return x.pool.Run(ctx, s, func(in *component.Instance, h *handler) error {
			return handle(in, h.incoming)
		})
	})
	return incomingFailure(err, s.body.broken.Load())
}

// incomingFailure says what kind of failure the outcome of an exchange is. broken
// says that the client has not sent its request to the end.
func incomingFailure(err error, broken bool) error {
	kind := httptrigger.KindInternal
	switch {
	case err == nil:
		return nil
	case errors.Is(err, wasihttp.ErrNoResponse):
		kind = httptrigger.KindNoResponse
	case is[*wasihttp.HandlerError](err):
		kind = httptrigger.KindGuestError
	case is[*wasihttp.IncompleteError](err):
		f, _ := errors.AsType[*httptrigger.Failure](failure(err))
		if f.Kind != httptrigger.KindInternal || is[*component.PanicError](err) {
			return f // a trap, the deadline, or a fault of the host
		}
		kind = httptrigger.KindGuestError // it broke its own promise
		if clientGone(err) {
			kind = httptrigger.KindClientGone
		}
	default:
		return failure(err)
	}
	if broken {
		kind = httptrigger.KindClientGone // whatever the guest makes of it, nobody is there
	}
	return &httptrigger.Failure{Kind: kind, Err: err}
}

// clientGone reports whether a response broke off because it could not be
// written. The error codes are those that package wasihttp gives to the errors of
// net/http; a guest that is to blame has another, or none.
func clientGone(err error) bool {
	code, ok := errors.AsType[types.ErrorCode](err)
	if !ok {
		return false
	}
	switch code.Case {
	case types.ErrorCodeConnectionTerminated, types.ErrorCodeConnectionWriteTimeout,
		types.ErrorCodeConnectionReadTimeout, types.ErrorCodeHTTPProtocolError:
		return true
	}
	return false
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
