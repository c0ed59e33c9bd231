package app

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/minispin/minispin/component"
	httptrigger "github.com/minispin/minispin/trigger/http"
	"github.com/minispin/minispin/trigger/http/spinheader"
	"github.com/minispin/minispin/wit/bindings/fermyon/spin1/httptypes"
	"github.com/minispin/minispin/wit/value"
)

// inbound executes Spin's own inbound-http: the request goes in whole, as a
// value, and the response comes out whole.
type inbound struct{ *target }

var inboundMethods = map[string]httptypes.Method{
	http.MethodGet: httptypes.MethodGet, http.MethodPost: httptypes.MethodPost,
	http.MethodPut: httptypes.MethodPut, http.MethodDelete: httptypes.MethodDelete,
	http.MethodPatch: httptypes.MethodPatch, http.MethodHead: httptypes.MethodHead,
	http.MethodOptions: httptypes.MethodOptions,
}

// Execute implements httptrigger.Executor.
func (x *inbound) Execute(w http.ResponseWriter, r *httptrigger.Request) error {
	method, ok := inboundMethods[r.Method]
	if !ok {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return nil
	}
	body, release, err := x.bodies.wholeBody(r, x.maxBody)
	defer release()
	if errors.Is(err, errBodyTooLarge) {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return nil
	}
	if err != nil {
		return err
	}
	var space [32]spinheader.Field
	fields := r.InboundFields(space[:0])
	req := httptypes.Request{Method: method, URI: r.PathWithQuery, Headers: make(httptypes.Headers, len(fields))}
	for i, f := range fields {
		if !utf8.ValidString(f.Value) {
			return &httptrigger.Failure{Kind: httptrigger.KindInternal, Err: fmt.Errorf("the request header %s is not valid UTF-8, which inbound-http cannot take", f.Name)}
		}
		req.Headers[i] = value.Tuple2[string, string]{F0: f.Name, F1: f.Value}
	}
	if len(body) > 0 {
		req.Body = value.Some(body)
	}
	s := x.newState(r)
	defer s.close()
	var resp httptypes.Response
	err = x.pool.Run(r.Context(), s, func(in *component.Instance, h *handler) error {
		resp, err = h.inbound.HandleRequest(in, req)
		return err
	})
	if err != nil {
		return failure(err)
	}
	return writeInbound(w, r, &resp)
}

// writeInbound sends the guest's response.
func writeInbound(w http.ResponseWriter, r *httptrigger.Request, resp *httptypes.Response) error {
	if resp.Status < 200 || resp.Status > 599 {
		return &httptrigger.Failure{Kind: httptrigger.KindGuestError, Err: fmt.Errorf("the guest answered with the status %d, which is not one of a final response", resp.Status)}
	}
	h := w.Header()
	for _, f := range resp.Headers.V {
		if !spinheader.ValidName(f.F0) || !spinheader.ValidValue(f.F1) {
			return &httptrigger.Failure{Kind: httptrigger.KindGuestError, Err: fmt.Errorf("the guest answered with a header %q that is not valid", f.F0)}
		}
		if ofConnection(f.F0) {
			continue
		}
		h.Set(f.F0, f.F1)
	}
	return writeWhole(w, r, int(resp.Status), resp.Body.V)
}

// ofConnection reports whether a header field speaks of the connection to the
// client, which is the host's. A guest that sets one does no harm by it: what it
// answered is sent all the same.
func ofConnection(name string) bool {
	name = strings.ToLower(name)
	return spinheader.Hidden(name) || name == "te" || name == "trailer"
}
