package bench

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/minispin/minispin/wit/bindings/fermyon/spin1/httptypes"
	"github.com/minispin/minispin/wit/value"
)

// The reference exchange.
const (
	method      = http.MethodPost
	target      = "/foo?a=b"
	headerName  = "what"
	headerValue = "up"
	body        = "hello, world!"

	answerType = "text/plain"
	answerBody = "hola, mundo!"
)

// valueRequest makes the reference request as inbound-http takes it.
func valueRequest() httptypes.Request {
	return httptypes.Request{
		Method:  httptypes.MethodPost,
		URI:     target,
		Headers: httptypes.Headers{{F0: headerName, F1: headerValue}},
		Body:    value.Some([]byte(body)),
	}
}

// checkValue asserts an answer of inbound-http.
func checkValue(r *httptypes.Response) error {
	h := r.Headers.V
	if r.Status != http.StatusOK || len(h) != 1 || h[0].F0 != "content-type" || h[0].F1 != answerType ||
		!r.Body.Set || string(r.Body.V) != answerBody {
		return fmt.Errorf("the answer is wrong: status %d, headers %v, body %q", r.Status, h, r.Body.V)
	}
	return nil
}

// Request is a request to an application.
type Request struct {
	Method string
	Path   string // with the query; it begins with a slash
	Header http.Header
	Body   []byte
}

// reference is the reference request. Its header is named as a server would.
func reference() Request {
	return Request{
		Method: method, Path: target, Body: []byte(body),
		Header: http.Header{http.CanonicalHeaderKey(headerName): {headerValue}},
	}
}

// make makes what a server would make of the request once it had read it.
func (q *Request) make() (*http.Request, error) {
	u, err := url.ParseRequestURI(q.Path)
	if err != nil {
		return nil, err
	}
	r := &http.Request{
		Method: q.Method, URL: u, RequestURI: q.Path,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: q.Header.Clone(), Host: "localhost", RemoteAddr: "127.0.0.1:80",
		Body: http.NoBody,
	}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	if host := r.Header.Get("Host"); host != "" {
		r.Host = host
		r.Header.Del("Host")
	}
	if len(q.Body) > 0 {
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(q.Body)), int64(len(q.Body))
	}
	return r, nil
}

// answer is an http.ResponseWriter that keeps the response.
type answer struct {
	header http.Header
	status int
	body   []byte
	gate   *gate // where the handler is held as soon as it has answered; nil to go on
}

func newAnswer(g *gate) *answer { return &answer{header: http.Header{}, gate: g} }

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 && status >= 200 {
		a.status = status
	}
}

// Write implements http.ResponseWriter.
func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	a.body = append(a.body, p...)
	if g := a.gate; g != nil {
		a.gate = nil
		g.wait()
	}
	return len(p), nil
}

// Flush implements http.Flusher. There is nobody to send it to.
func (a *answer) Flush() {}

// check asserts the reference answer.
func (a *answer) check() error {
	if a.status != http.StatusOK || a.header.Get("Content-Type") != answerType || string(a.body) != answerBody {
		return fmt.Errorf("the answer is wrong: status %d, content-type %q, body %q", a.status, a.header.Get("Content-Type"), a.body)
	}
	return nil
}
