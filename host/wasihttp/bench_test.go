package wasihttp

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/minispin/minispin/component"
)

// discardWriter is a response that goes nowhere.
type discardWriter struct {
	header http.Header
	status int
	n      int
}

func (w *discardWriter) Header() http.Header         { return w.header }
func (w *discardWriter) WriteHeader(status int)      { w.status = status }
func (w *discardWriter) Write(p []byte) (int, error) { w.n += len(p); return len(p), nil }

// BenchmarkServe measures one whole request without a socket: making the
// instance, the guest's work, and the response.
func BenchmarkServe(b *testing.B) {
	for _, bench := range []struct{ name, method, path, body string }{
		{"hello", "GET", "/", ""},
		{"reference", "POST", "/foo?a=b", "hello, world!"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			pre, guest := guestOf(b)
			r := httptest.NewRequest(bench.method, bench.path, nil)
			headers := []Field{{"accept", "*/*"}, {"user-agent", "bench"}, {"what", "up"}}
			b.ReportAllocs()
			for b.Loop() {
				w := discardWriter{header: http.Header{}}
				if bench.body != "" {
					r.Body = io.NopCloser(strings.NewReader(bench.body))
				}
				s := &state{}
				err := s.http.Serve(&w, &Request{
					Request: r, Scheme: "http", Authority: "example.com", PathWithQuery: bench.path, Headers: headers,
				}, func(ctx context.Context, handle Handle) error {
					in, err := pre.Instantiate(ctx, component.InstantiateOptions{Host: s})
					if err != nil {
						return err
					}
					defer in.Close()
					return handle(in, guest)
				})
				if err != nil || w.status != 200 {
					b.Fatal(w.status, err)
				}
			}
		})
	}
}
