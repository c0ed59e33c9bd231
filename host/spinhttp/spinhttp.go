// Package spinhttp is the host of fermyon:spin/http, with which guests of Spin 1
// send HTTP requests.
//
// It is a simpler face of what package wasihttp offers: the same sender, found
// through the same view of the instance, decides what is allowed and sends. The
// package itself knows no network. Its one idea is that nothing streams: the
// whole request comes in as a value, the whole response goes out as one.
package spinhttp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host/wasihttp"
	spin1http "github.com/minispin/minispin/wit/bindings/fermyon/spin1/http"
	"github.com/minispin/minispin/wit/bindings/fermyon/spin1/httptypes"
	"github.com/minispin/minispin/wit/bindings/wasi/http/types"
	"github.com/minispin/minispin/wit/value"
)

// MaxBody is the longest body of a response, in bytes. A longer one is a
// runtime-error.
const MaxBody = 128 << 20

// Define adds fermyon:spin/http to l. The host value of every instance linked by
// it must be a wasihttp.View.
func Define(l *component.Linker) error {
	if err := l.Define(spin1http.Bind(func(*component.Call) spin1http.Host { return host{} })); err != nil {
		return fmt.Errorf("fermyon:spin/http: %w", err)
	}
	return nil
}

type host struct{}

// SendRequest implements spin1http.Host.
func (host) SendRequest(c *component.Call, req httptypes.Request) (httptypes.Response, error) {
	v, ok := c.Host().(wasihttp.View)
	if !ok {
		c.Trapf("the instance has no HTTP context: its host value is a %T", c.Host())
	}
	out := v.HTTP().Outgoing
	if out == nil {
		return httptypes.Response{}, httptypes.HTTPErrorDestinationNotAllowed
	}
	r, err := request(&req)
	if err != nil {
		return httptypes.Response{}, httptypes.HTTPErrorInvalidURL
	}
	res, err := out.Send(r.WithContext(c.Context()), wasihttp.Timeouts{})
	if err != nil {
		return httptypes.Response{}, errorOf(err)
	}
	defer res.Body.Close()
	return response(res, MaxBody)
}

var methods = [...]string{
	httptypes.MethodGet: "GET", httptypes.MethodPost: "POST", httptypes.MethodPut: "PUT", httptypes.MethodDelete: "DELETE",
	httptypes.MethodPatch: "PATCH", httptypes.MethodHead: "HEAD", httptypes.MethodOptions: "OPTIONS",
}

var errURL = errors.New("no URL of HTTP and no path")

// request returns the request for an Outgoing. A URI that is a path is one of the
// application itself. Fields that are malformed are left out, as the interface
// has no error for them.
func request(req *httptypes.Request) (*http.Request, error) {
	u, err := url.Parse(req.URI)
	if err != nil || u.Opaque != "" || (u.Scheme == "") != (u.Host == "") || u.Host == "" && !strings.HasPrefix(req.URI, "/") {
		return nil, errURL
	}
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	if strings.HasPrefix(path, "//") {
		return nil, errURL // it would be read as an authority
	}
	r := &http.Request{
		Method: methods[req.Method], Host: u.Host,
		URL:   &url.URL{Scheme: u.Scheme, Host: u.Host, Opaque: path, RawQuery: u.RawQuery, ForceQuery: u.ForceQuery},
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: make(http.Header, len(req.Headers)), Body: http.NoBody,
	}
	for _, f := range req.Headers {
		if wasihttp.ValidField(f.F0, f.F1) && !strings.EqualFold(f.F0, "content-length") {
			r.Header.Add(f.F0, f.F1)
		}
	}
	if body, ok := req.Body.Get(); ok && len(body) > 0 {
		// It may still be on its way when the guest has the response.
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(slices.Clone(body))), int64(len(body))
	}
	return r, nil
}

// response reads the response, with a body of at most limit bytes.
func response(res *http.Response, limit int64) (httptypes.Response, error) {
	out := httptypes.Response{Status: uint16(res.StatusCode)}
	var headers httptypes.Headers
	for _, f := range wasihttp.FieldsOf(res.Header) {
		headers = append(headers, value.Tuple2[string, string]{F0: f.Name, F1: strings.ToValidUTF8(f.Value, "\uFFFD")})
	}
	out.Headers = value.Some(headers)
	if res.ContentLength > limit {
		return httptypes.Response{}, httptypes.HTTPErrorRuntimeError
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
	switch {
	case err != nil:
		return httptypes.Response{}, errorOf(err)
	case int64(len(body)) > limit:
		return httptypes.Response{}, httptypes.HTTPErrorRuntimeError
	}
	out.Body = value.Some(body)
	return out, nil
}

// errorOf returns the case for an error of sending.
func errorOf(err error) httptypes.HTTPError {
	switch wasihttp.ErrorCode(err).Case {
	case types.ErrorCodeHTTPRequestDenied, types.ErrorCodeDestinationIPProhibited:
		return httptypes.HTTPErrorDestinationNotAllowed
	case types.ErrorCodeHTTPRequestURIInvalid:
		return httptypes.HTTPErrorInvalidURL
	case types.ErrorCodeConnectionLimitReached:
		return httptypes.HTTPErrorTooManyRequests
	}
	return httptypes.HTTPErrorRequestError
}
