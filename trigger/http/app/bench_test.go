package app

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/instancepool"
	"github.com/minispin/minispin/manifest"
)

// memoryResponse is a response writer without a socket. It can be told what that of
// a server can: to be told so and refuse would cost an error each time.
type memoryResponse struct {
	header http.Header
	status int
	body   []byte
}

func (w *memoryResponse) Header() http.Header { return w.header }

func (w *memoryResponse) WriteHeader(status int) { w.status = status }

func (w *memoryResponse) Write(p []byte) (int, error) {
	w.body = append(w.body, p...)
	return len(p), nil
}

func (w *memoryResponse) Flush() {}

func (w *memoryResponse) SetReadDeadline(time.Time) error { return nil }

func (w *memoryResponse) SetWriteDeadline(time.Time) error { return nil }

func (w *memoryResponse) EnableFullDuplex() error { return nil }

// BenchmarkRequest is one whole reference exchange through the handler, routing
// and fields included, without a socket.
func BenchmarkRequest(b *testing.B) {
	for _, strategy := range []instancepool.Strategy{instancepool.PreInstance, instancepool.Pooled, instancepool.Reset, instancepool.Reuse} {
		for _, g := range []guest{
			{id: "wasi-http", source: "rust-wasi-http"},
			{id: "inbound-http", source: "rust-inbound-http"},
			{id: "wagi", source: "rust-wagi", executor: "wagi"},
		} {
			if strategy == instancepool.Reuse && g.executor != "" {
				continue
			}
			b.Run(string(strategy)+"/"+g.id, func(b *testing.B) {
				if err := component.ResetSupported(); strategy == instancepool.Reset && err != nil {
					b.Skip(err)
				}
				benchmarkRequest(b, strategy, g)
			})
		}
	}
}

func benchmarkRequest(b *testing.B, strategy instancepool.Strategy, g guest) {
	m, err := manifest.Parse([]byte(application(b, g)), "spin.toml", b.TempDir(), manifest.Options{Supports: Supports})
	if err != nil {
		b.Fatal(err)
	}
	a, err := Load(context.Background(), m, Options{Strategy: string(strategy), CacheDir: cacheDir})
	if err != nil {
		b.Fatal(err)
	}
	defer a.Close()
	w := &memoryResponse{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		r, err := http.NewRequest("POST", "http://localhost/foo?a=b", strings.NewReader("hello, world!"))
		if err != nil {
			b.Fatal(err)
		}
		r.RequestURI, r.RemoteAddr = "/foo?a=b", "127.0.0.1:1"
		r.Header.Set("What", "up")
		clear(w.header)
		w.status, w.body = 0, w.body[:0]
		a.ServeHTTP(w, r)
		if got := strings.TrimSpace(string(w.body)); w.status != 200 || got != "hola, mundo!" || w.header.Get("Content-Type") != "text/plain" {
			b.Fatalf("got %d %v %q", w.status, w.header, got)
		}
	}
}
