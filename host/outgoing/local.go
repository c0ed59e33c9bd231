package outgoing

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/minispin/minispin/wit/bindings/wasi/http/types"
	"github.com/minispin/minispin/wit/value"
)

// local is the way to the application itself, or to one of its components. What
// the guest called the host of its request has no bearing on where it goes
// besides that.
type local struct {
	app       Application
	origin    Origin
	component string // "" for the application itself
}

// depthKey is the key of a context's value: how many local requests led to it.
type depthKey struct{}

// RoundTrip implements http.RoundTripper.
func (l local) RoundTrip(r *http.Request) (*http.Response, error) {
	if l.app == nil {
		return nil, fmt.Errorf("%w: there is no application", code(types.ErrorCodeDestinationNotFound))
	}
	depth, _ := r.Context().Value(depthKey{}).(int)
	if depth == MaxDepth {
		return nil, fmt.Errorf("%w: %d requests of the application to itself follow from one another", code(types.ErrorCodeLoopDetected), depth)
	}
	w := &localWriter{header: http.Header{}, head: make(chan struct{}), bodyless: r.Method == http.MethodHead, request: r.Body}
	w.reader, w.writer = io.Pipe()
	in := l.incoming(r, context.WithValue(r.Context(), depthKey{}, depth+1))
	go w.serve(l, in)
	select {
	case <-w.head:
	case <-r.Context().Done():
		err := context.Cause(r.Context())
		_ = w.reader.CloseWithError(err)
		return nil, err
	}
	if w.response == nil {
		return nil, w.err
	}
	return w.response, nil
}

// incoming returns r as a server would have read it. It is of HTTP/2, which does
// not tie the two bodies together.
func (l local) incoming(r *http.Request, ctx context.Context) *http.Request {
	in := (&http.Request{
		Method: r.Method, URL: r.URL, RequestURI: r.URL.RequestURI(),
		Proto: "HTTP/2.0", ProtoMajor: 2,
		Header: r.Header, Body: r.Body, ContentLength: r.ContentLength, Trailer: r.Trailer,
		Host: r.Host, RemoteAddr: "127.0.0.1:0",
	}).WithContext(ctx)
	for _, name := range connectionFields {
		delete(in.Header, name)
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	if l.component == "" {
		in.Host = l.origin.Authority
		if in.Host == "" {
			in.Host = "localhost"
		}
		if l.origin.Scheme == "https" {
			in.TLS = &tls.ConnectionState{}
		}
	}
	return in
}

// localWriter is the http.ResponseWriter of a local request. It passes the head
// on when it is written, and each write of the body when the caller reads.
type localWriter struct {
	header   http.Header
	bodyless bool
	request  io.Closer
	reader   *io.PipeReader
	writer   *io.PipeWriter

	once     sync.Once
	head     chan struct{} // closed when response or err is there
	response *http.Response
	err      error
}

// serve lets the application answer.
func (w *localWriter) serve(l local, r *http.Request) {
	var err error
	defer func() {
		switch v := recover(); {
		case v == nil:
		case v == http.ErrAbortHandler:
			err = fmt.Errorf("%w: the component broke off its response", code(types.ErrorCodeHTTPResponseIncomplete))
		default:
			err = fmt.Errorf("%w: panic: %v", types.ErrorCode{Case: types.ErrorCodeInternalError, InternalError: value.Some("the host failed")}, v)
		}
		w.finish(err)
		_ = r.Body.Close()
	}()
	if l.component == "" {
		l.app.ServeHTTP(w, r)
		return
	}
	if err = l.app.ServeComponent(w, r, l.component); err != nil {
		err = fmt.Errorf("%w: %w", code(types.ErrorCodeDestinationNotFound), err)
	}
}

// finish ends the response, or the request that has none.
func (w *localWriter) finish(err error) {
	if err == nil {
		w.WriteHeader(http.StatusOK)
	}
	w.once.Do(func() {
		w.err = err
		close(w.head)
	})
	if w.response != nil {
		for key, values := range w.header {
			if name, ok := strings.CutPrefix(key, http.TrailerPrefix); ok {
				w.response.Trailer[name] = values
			}
		}
	}
	_ = w.writer.CloseWithError(err)
}

// Header implements http.ResponseWriter.
func (w *localWriter) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter. Informational responses are for
// nobody.
func (w *localWriter) WriteHeader(status int) {
	if status < 200 {
		return
	}
	w.once.Do(func() {
		h := make(http.Header, len(w.header))
		for key, values := range w.header {
			if len(values) > 0 && !strings.HasPrefix(key, http.TrailerPrefix) {
				h[key] = append([]string(nil), values...)
			}
		}
		if status == http.StatusNoContent || status == http.StatusNotModified {
			w.bodyless = true
		}
		w.response = &http.Response{
			StatusCode: status, Proto: "HTTP/2.0", ProtoMajor: 2, Header: h, Trailer: http.Header{},
			ContentLength: -1, Body: w.reader,
		}
		close(w.head)
	})
}

// Write implements io.Writer. It waits until the caller has taken all of p, or
// gives the response up.
func (w *localWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.bodyless {
		return len(p), nil
	}
	n, err := w.writer.Write(p)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		err = fmt.Errorf("%w: %w", code(types.ErrorCodeConnectionTerminated), err)
	}
	return n, err
}

// FlushError sends the head. Everything else has been sent.
func (w *localWriter) FlushError() error {
	w.WriteHeader(http.StatusOK)
	return nil
}

// EnableFullDuplex implements what http.ResponseController asks for.
func (w *localWriter) EnableFullDuplex() error { return nil }

// SetReadDeadline ends reads of the request's body if the deadline has passed.
// Others are not kept: the caller is on this machine and has a deadline itself.
func (w *localWriter) SetReadDeadline(end time.Time) error {
	if passed(end) && w.request != nil {
		_ = w.request.Close()
	}
	return nil
}

// SetWriteDeadline ends writes of the response if the deadline has passed.
func (w *localWriter) SetWriteDeadline(end time.Time) error {
	if passed(end) {
		_ = w.reader.CloseWithError(os.ErrDeadlineExceeded)
	}
	return nil
}

func passed(end time.Time) bool { return !end.IsZero() && !end.After(time.Now()) }
