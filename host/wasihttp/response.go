package wasihttp

import (
	"fmt"
	"net/http"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/wit/bindings/wasi/http/types"
	"github.com/minispin/minispin/wit/value"
)

func some[T any](v T) value.Option[T] { return value.Some(v) }

// outgoingResponse is the resource outgoing-response.
type outgoingResponse struct {
	ctx    *Ctx
	status uint16
	fields *Fields
	body   *outgoingBody // once it was taken
	held   heldBody      // what is written before the response is given
}

var _ types.OutgoingResponse = (*outgoingResponse)(nil)

// NewOutgoingResponse implements types.Host.
func (h host) NewOutgoingResponse(_ *component.Call, headers types.Headers) (types.OutgoingResponse, error) {
	fields := headers.(*Fields)
	fields.frozen = true
	return &outgoingResponse{ctx: h.x, status: http.StatusOK, fields: fields}, nil
}

// StatusCode implements types.OutgoingResponse.
func (r *outgoingResponse) StatusCode(*component.Call) (types.StatusCode, error) {
	return r.status, nil
}

// SetStatusCode implements types.OutgoingResponse. It fails for what is no
// status, and for those of informational responses, which answer nothing.
func (r *outgoingResponse) SetStatusCode(_ *component.Call, status types.StatusCode) error {
	if status < 200 || status > 999 {
		return value.Failed
	}
	r.status = status
	return nil
}

// Headers implements types.OutgoingResponse.
func (r *outgoingResponse) Headers(*component.Call) (types.Headers, error) {
	return r.fields.share(), nil
}

// Body implements types.OutgoingResponse. It fails when the body was taken, and
// when content-length is no number.
func (r *outgoingResponse) Body(*component.Call) (types.OutgoingBody, error) {
	if r.body != nil {
		return nil, value.Failed
	}
	length, declared, err := r.fields.contentLength()
	if err != nil {
		return nil, value.Failed
	}
	b := &outgoingBody{ctx: r.ctx, response: r, declared: declared, length: length, dst: &r.held}
	if err := b.open(); err != nil {
		return nil, err
	}
	r.body = b
	return b, nil
}

// Drop implements types.OutgoingResponse.
func (r *outgoingResponse) Drop() { r.fields.Drop() }

// lengthCounts reports whether the body has to be as long as was announced: a
// response without one may announce what another request would get.
func (r *outgoingResponse) lengthCounts() bool {
	return !r.ctx.exchange.head && r.status != http.StatusNoContent && r.status != http.StatusNotModified
}

// responseOutparam is the resource response-outparam.
type responseOutparam struct{ exchange *exchange }

var _ types.ResponseOutparam = (*responseOutparam)(nil)

// Drop implements types.ResponseOutparam.
func (p *responseOutparam) Drop() { p.exchange.conclude(ErrNoResponse) }

// ResponseOutparamSet implements types.Host.
func (h host) ResponseOutparamSet(c *component.Call, param types.ResponseOutparam, response value.Result[types.OutgoingResponse, types.ErrorCode]) error {
	e := param.(*responseOutparam).exchange
	if response.IsErr {
		e.conclude(&HandlerError{response.Err})
		return nil
	}
	r := response.OK.(*outgoingResponse)
	e.conn.enter(c.Context())
	e.respond(r)
	if r.body != nil {
		if err := r.held.moveTo(c.Context(), r.body, e); err != nil && c.Context().Err() != nil {
			return fmt.Errorf("response-outparam.set: %w", err)
		}
	}
	return nil
}
