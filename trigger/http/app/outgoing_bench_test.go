//go:build unix

package app

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/instancepool"
)

// exchangeBytes is what the echoes of BenchmarkEcho send.
const exchangeBytes = 10 << 20

// nativeEcho is what the guests' /echo is measured against.
func nativeEcho(w http.ResponseWriter, r *http.Request) {
	_ = http.NewResponseController(w).EnableFullDuplex()
	_, _ = io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{r.Body}, make([]byte, 64<<10))
}

// nativeGet is what the guests' /get is measured against.
func nativeGet(tr *http.Transport) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		req, err := http.NewRequestWithContext(r.Context(), "GET", r.Header.Get("To"), nil)
		if err != nil {
			w.WriteHeader(400)
			return
		}
		res, err := tr.RoundTrip(req)
		if err != nil {
			w.WriteHeader(502)
			return
		}
		defer res.Body.Close()
		w.WriteHeader(res.StatusCode)
		_, _ = io.Copy(w, res.Body)
	}
}

// forEachServer runs run with a plain net/http handler and with the guest under
// each strategy of servers, each on a socket of its own.
func forEachServer(b *testing.B, native http.HandlerFunc, g guest, run func(b *testing.B, base string, client *http.Client)) {
	b.Run("native", func(b *testing.B) {
		s := httptest.NewServer(native)
		defer s.Close()
		defer reportCPU(b)()
		run(b, s.URL, s.Client())
	})
	for _, strategy := range []instancepool.Strategy{instancepool.Pooled, instancepool.Reset, instancepool.Reuse} {
		b.Run(string(strategy), func(b *testing.B) {
			if err := component.ResetSupported(); strategy == instancepool.Reset && err != nil {
				b.Skip(err)
			}
			site := serve(b, mode{strategy, "h1"}, application(b, g))
			defer reportCPU(b)()
			run(b, site.base, site.client)
		})
	}
}

// reportCPU reports the processor time of the process for each round, both ends
// included. Unlike the time that passes it says something on a busy machine.
func reportCPU(b *testing.B) func() {
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	return func() { b.ReportMetric(float64((used()-before).Nanoseconds())/float64(b.N), "cpu-ns/op") }
}

// BenchmarkEcho sends 10 MiB through a handler and back, over a socket.
func BenchmarkEcho(b *testing.B) {
	body := bytes.Repeat([]byte("0123456789abcdef"), exchangeBytes/16)
	forEachServer(b, nativeEcho, sends("front", "/..."), func(b *testing.B, base string, client *http.Client) {
		b.ReportAllocs()
		b.SetBytes(exchangeBytes)
		for b.Loop() {
			res, err := client.Post(base+"/echo", "", bytes.NewReader(body))
			if err != nil {
				b.Fatal(err)
			}
			n, err := io.Copy(io.Discard, res.Body)
			res.Body.Close()
			if err != nil || n != exchangeBytes {
				b.Fatal(n, err)
			}
		}
	})
}

// BenchmarkOutgoing is a request whose handler sends another one to a server, and
// gives its response of 13 bytes back.
func BenchmarkOutgoing(b *testing.B) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello, world!") }))
	defer s.Close()
	tr := &http.Transport{MaxIdleConnsPerHost: 64}
	defer tr.CloseIdleConnections()
	benchmarkGet(b, nativeGet(tr), sends("front", "/...", s.URL), s.URL)
}

// BenchmarkChaining is the same with a component for a server, which natively
// would be a function call.
func BenchmarkChaining(b *testing.B) {
	benchmarkGet(b, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(404); io.WriteString(w, "no such path") },
		sends("front", "/...", "http://front.spin.internal"), "http://front.spin.internal/x")
}

func benchmarkGet(b *testing.B, native http.HandlerFunc, g guest, to string) {
	forEachServer(b, native, g, func(b *testing.B, base string, client *http.Client) {
		b.ReportAllocs()
		for b.Loop() {
			req, err := http.NewRequest("GET", base+"/get", nil)
			if err != nil {
				b.Fatal(err)
			}
			req.Header.Set("To", to)
			res, err := client.Do(req)
			if err != nil {
				b.Fatal(err)
			}
			body, err := io.ReadAll(res.Body)
			res.Body.Close()
			if err != nil || len(body) < 12 {
				b.Fatal(fmt.Sprintf("%q", body), err)
			}
		}
	})
}
