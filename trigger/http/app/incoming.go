package app

import (
	"context"
	"errors"
	"net/http"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host/wasihttp"
	httptrigger "github.com/minispin/minispin/trigger/http"
	"github.com/minispin/minispin/trigger/http/spinheader"
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
	err := s.http.Serve(w, &wasihttp.Request{
		Request: r.Request, Scheme: r.Scheme, Authority: r.Authority, PathWithQuery: r.PathWithQuery,
		Headers: headers,
		Late:    func(err error) { r.ReportLate(failure(err)) },
	}, func(ctx context.Context, handle wasihttp.Handle) error {
		defer s.close()
		return x.pool.Run(ctx, s, func(in *component.Instance, h *handler) error {
			return handle(in, h.incoming)
		})
	})
	switch {
	case errors.Is(err, wasihttp.ErrNoResponse):
		return &httptrigger.Failure{Kind: httptrigger.KindNoResponse, Err: err}
	case is[*wasihttp.HandlerError](err):
		return &httptrigger.Failure{Kind: httptrigger.KindGuestError, Err: err}
	}
	f := failure(err)
	if x, ok := errors.AsType[*httptrigger.Failure](f); ok && x.Kind == httptrigger.KindInternal && is[*wasihttp.IncompleteError](err) {
		x.Kind = httptrigger.KindGuestError // it broke its own promise
	}
	return f
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
