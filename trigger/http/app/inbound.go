package app

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"unicode/utf8"

	"github.com/minispin/minispin/component"
	httptrigger "github.com/minispin/minispin/trigger/http"
	"github.com/minispin/minispin/trigger/http/spinheader"
	"github.com/minispin/minispin/wit/bindings/fermyon/spin1/httptypes"
	"github.com/minispin/minispin/wit/value"
)

// maxInboundBody bounds a request body for Spin's inbound-http, which takes it
// whole: it has to fit into the guest's memory beside a copy in the host's.
const maxInboundBody = 128 << 20

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
	body, err := wholeBody(r, maxInboundBody)
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
	var resp httptypes.Response
	err = x.pool.Run(r.Context(), x.newState(r), func(in *component.Instance, h *handler) error {
		resp, err = h.inbound.HandleRequest(in, req)
		return err
	})
	if err != nil {
		return failure(err)
	}
	return writeInbound(w, &resp)
}

// writeInbound sends the guest's response.
func writeInbound(w http.ResponseWriter, resp *httptypes.Response) error {
	if resp.Status < 200 || resp.Status > 599 {
		return &httptrigger.Failure{Kind: httptrigger.KindGuestError, Err: fmt.Errorf("the guest answered with the status %d, which is not one of a final response", resp.Status)}
	}
	h := w.Header()
	for _, f := range resp.Headers.V {
		if !spinheader.ValidName(f.F0) || !spinheader.ValidValue(f.F1) {
			return &httptrigger.Failure{Kind: httptrigger.KindGuestError, Err: fmt.Errorf("the guest answered with a header %q that is not valid", f.F0)}
		}
		h.Set(f.F0, f.F1)
	}
	return writeWhole(w, int(resp.Status), resp.Body.V)
}

// writeWhole sends a response whose headers are set and whose body is known.
func writeWhole(w http.ResponseWriter, status int, body []byte) error {
	if h := w.Header(); status != http.StatusNoContent && status != http.StatusNotModified && (len(body) > 0 || h.Get("Content-Length") == "") {
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(status)
	if len(body) == 0 {
		return nil
	}
	_, err := w.Write(body)
	return err
}

var errBodyTooLarge = errors.New("the request body is too large")

// wholeBody reads the request body, of at most limit bytes.
func wholeBody(r *httptrigger.Request, limit int64) ([]byte, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	if r.ContentLength > limit {
		return nil, errBodyTooLarge
	}
	if r.ContentLength > 0 {
		body := make([]byte, r.ContentLength)
		if _, err := io.ReadFull(r.Body, body); err != nil {
			return nil, fmt.Errorf("reading the request body: %w", err)
		}
		return body, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err != nil {
		return nil, fmt.Errorf("reading the request body: %w", err)
	}
	if int64(len(body)) > limit {
		return nil, errBodyTooLarge
	}
	return body, nil
}
