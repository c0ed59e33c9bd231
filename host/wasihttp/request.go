package wasihttp

import (
	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/wit/bindings/wasi/http/types"
	"github.com/minispin/minispin/wit/value"
)

// incomingRequest is the resource incoming-request.
type incomingRequest struct {
	method        string
	scheme        string
	authority     string
	pathWithQuery string
	fields        Fields
	body          incomingBody
	consumed      bool
}

var _ types.IncomingRequest = (*incomingRequest)(nil)

// Method implements types.IncomingRequest.
func (r *incomingRequest) Method(*component.Call) (types.Method, error) {
	return methodOf(r.method), nil
}

// PathWithQuery implements types.IncomingRequest.
func (r *incomingRequest) PathWithQuery(*component.Call) (value.Option[string], error) {
	return optional(r.pathWithQuery), nil
}

// Scheme implements types.IncomingRequest.
func (r *incomingRequest) Scheme(*component.Call) (value.Option[types.Scheme], error) {
	if r.scheme == "" {
		return value.None[types.Scheme](), nil
	}
	return value.Some(schemeOf(r.scheme)), nil
}

// Authority implements types.IncomingRequest.
func (r *incomingRequest) Authority(*component.Call) (value.Option[string], error) {
	return optional(r.authority), nil
}

// Headers implements types.IncomingRequest.
func (r *incomingRequest) Headers(*component.Call) (types.Headers, error) {
	return r.fields.share(), nil
}

// Consume implements types.IncomingRequest.
func (r *incomingRequest) Consume(*component.Call) (types.IncomingBody, error) {
	if r.consumed {
		return nil, value.Failed
	}
	r.consumed = true
	return &r.body, nil
}

// Drop implements types.IncomingRequest.
func (r *incomingRequest) Drop() {}

func optional(s string) value.Option[string] {
	if s == "" {
		return value.None[string]()
	}
	return value.Some(s)
}

// methodNames are the methods with a case of their own.
var methodNames = [...]string{
	types.MethodGet: "GET", types.MethodHead: "HEAD", types.MethodPost: "POST", types.MethodPut: "PUT",
	types.MethodDelete: "DELETE", types.MethodConnect: "CONNECT", types.MethodOptions: "OPTIONS",
	types.MethodTrace: "TRACE", types.MethodPatch: "PATCH",
}

// methodOf returns the variant for a method, which is case-sensitive (RFC 9110,
// section 9.1).
func methodOf(name string) types.Method {
	for c, have := range methodNames {
		if name == have {
			return types.Method{Case: types.MethodCase(c)}
		}
	}
	return types.Method{Case: types.MethodOther, Other: name}
}

func methodName(m types.Method) string {
	if m.Case == types.MethodOther {
		return m.Other
	}
	return methodNames[m.Case]
}

func schemeOf(name string) types.Scheme {
	switch name {
	case "http":
		return types.Scheme{Case: types.SchemeHTTP}
	case "https":
		return types.Scheme{Case: types.SchemeHTTPS}
	}
	return types.Scheme{Case: types.SchemeOther, Other: name}
}

func schemeName(s types.Scheme) string {
	switch s.Case {
	case types.SchemeHTTP:
		return "http"
	case types.SchemeHTTPS:
		return "https"
	}
	return s.Other
}
