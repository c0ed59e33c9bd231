package app

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host"
	"github.com/minispin/minispin/instancepool"
)

// This file sends the same random sequences of HTTP requests to an application
// under every strategy that promises fresh state, and compares what clients get.
//
// A few sequences are tried every time. For many:
//
//	go test ./trigger/http/app -run TestTranscripts -rapid.checks=1000 -timeout 2h

// counting is a program that prints how many times it has run, by a global and by
// memory.
const counting = `(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (global $runs (mut i32) (i32.const 0))
  (data (i32.const 64) "content-type: text/plain\n\n")
  (func (export "_start")
    (global.set $runs (i32.add (global.get $runs) (i32.const 1)))
    (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))
    (i32.store8 (i32.const 90) (i32.add (i32.const 48) (global.get $runs)))
    (i32.store8 (i32.const 91) (i32.add (i32.const 48) (i32.load (i32.const 0))))
    (i32.store (i32.const 16) (i32.const 64))
    (i32.store (i32.const 20) (i32.const 28))
    (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24)))))`

// everyKind is an application of a component, a core module that is one and two
// programs, of which the last is counting.
func everyKind(t testing.TB) string {
	t.Helper()
	return application(t,
		guest{id: "wasi", source: "rust-wasi-http"},
		guest{id: "inbound", source: "rust-inbound-http", route: "/inbound/..."},
		guest{id: "wagi", source: "rust-wagi", route: "/cgi/...", executor: "wagi"},
		guest{id: "sdk", source: "rust-spin-sdk5", route: "/sdk/..."},
		guest{id: "counting", source: text(t, "counting", counting), route: "/counting", executor: "wagi"},
	)
}

// errand is one request of a client's.
type errand struct {
	method, path, body string
	leave              int // after so many bytes of the response; -1 for staying
}

// stays is an errand whose client waits for the whole response.
func stays(method, path, body string) errand { return errand{method, path, body, -1} }

// errands lists what clients may ask for. What answers with the time, an address
// or a random number is not in it.
var errands = slices.Concat(
	slices.Repeat([]errand{
		stays("GET", "/count", ""), stays("GET", "/counting", ""), stays("POST", "/foo?a=b", "hello, world!"),
	}, 4),
	[]errand{
		stays("GET", "/", ""), stays("HEAD", "/", ""), stays("GET", "/nowhere", ""), stays("GET", "/env", ""), stays("GET", "/log", ""),
		stays("GET", "/grow?mb=1", ""), stays("GET", "/grow?mb=20", ""), stays("GET", "/grow?mb=200", ""),
		stays("GET", "/trap", ""), stays("GET", "/trap-after-head", ""), stays("GET", "/no-response", ""), stays("GET", "/error", ""),
		stays("POST", "/bad-length", ""),
		stays("GET", "/stream?n=5&size=100", ""), stays("GET", "/sleep?ms=2", ""), stays("PUT", "/foo?c=d", "a wrong one"),
		stays("POST", "/echo", "short"), stays("POST", "/echo", strings.Repeat("0123456789abcdef", 1<<14)),
		stays("GET", "/inbound/", ""), stays("POST", "/inbound/foo?a=b", "hello, world!"), stays("POST", "/inbound/foo", "a wrong one"),
		stays("POST", "/inbound/x", strings.Repeat("x", 100_000)),
		stays("GET", "/cgi/", ""), stays("POST", "/cgi/foo?a=b", "hello, world!"), stays("POST", "/cgi/echo", strings.Repeat("echo", 1000)),
		stays("GET", "/cgi/status", ""), stays("GET", "/cgi/exit?3", ""), stays("GET", "/cgi/exit?0", ""), stays("GET", "/cgi/noheader", ""),
		stays("GET", "/cgi/x", ""),
		stays("GET", "/sdk", ""), stays("POST", "/sdk/foo?a=b", "hello, world!"), stays("PUT", "/sdk/foo?a=b", "a wrong one"), stays("GET", "/sdk/x", ""),
		{"GET", "/stream?n=1000000000&size=16", "", 100}, {"GET", "/stream?n=1000000000&size=100000", "", 1},
		{"GET", "/loop", "", 0}, {"GET", "/sleep?ms=60000", "", 0},
		{"POST", "/echo", strings.Repeat("0123456789abcdef", 1<<16), 5},
	})

// run sends a request and tells what came of it.
func (s *site) run(e errand) string {
	ctx, leave := context.WithCancel(context.Background())
	defer leave()
	if e.leave == 0 { // before the head, once the guest has had time to start
		go func() {
			<-s.started()
			leave()
		}()
	}
	resp, err := s.send(ctx, e.method, e.path, strings.NewReader(e.body), "what: up", "content-type: a/b")
	if err == nil {
		defer resp.Body.Close()
	}
	switch {
	case e.leave > 0 && err == nil:
		b := make([]byte, e.leave)
		if _, err = io.ReadFull(resp.Body, b); err == nil {
			return fmt.Sprintf("%d %q, and left", resp.StatusCode, b)
		}
	case ctx.Err() != nil:
		return "left"
	case err == nil:
		var b []byte
		if b, err = io.ReadAll(resp.Body); err == nil {
			return fmt.Sprintf("%d %s %q", resp.StatusCode, resp.Header.Get("Content-Type"), digest(b))
		}
		if e.path != "/bad-length" { // how much of it leaves is up to the server
			return fmt.Sprintf("%d %q, broken off", resp.StatusCode, digest(b))
		}
	}
	if e.path == "/bad-length" {
		return "broken off"
	}
	return "failed: " + err.Error()
}

// started is closed when some request is under way.
func (s *site) started() <-chan struct{} {
	c := make(chan struct{})
	go func() {
		defer close(c)
		for range 20_000 {
			if s.busy() {
				return
			}
		}
	}()
	return c
}

// digest shortens a long body for the transcript.
func digest(b []byte) string {
	if len(b) < 200 {
		return string(b)
	}
	sum := uint32(0)
	for _, c := range b {
		sum = sum*31 + uint32(c)
	}
	return fmt.Sprintf("%s… of %d bytes, sum %#x", b[:40], len(b), sum)
}

func (s *site) transcript(es []errand) (lines []string) {
	for _, e := range es {
		lines = append(lines, fmt.Sprintf("%s %s: %s", e.method, e.path, s.run(e)))
	}
	return lines
}

// fewChecks has rapid do n checks, unless the command line says how many.
func fewChecks(t *testing.T, n int) {
	t.Helper()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	if given {
		return
	}
	was := flag.Lookup("rapid.checks").Value.String()
	if err := flag.Set("rapid.checks", fmt.Sprint(n)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = flag.Set("rapid.checks", was) })
}

func TestTranscripts(t *testing.T) {
	fewChecks(t, 6)
	for _, protocol := range []string{"h1", "h2c"} {
		t.Run(protocol, func(t *testing.T) {
			// The one that keeps instances comes last, and so is closed first:
			// those of the others are counted when their turn is.
			strategies := []instancepool.Strategy{instancepool.PreInstance, instancepool.Cold, instancepool.Precompiled, instancepool.Pooled}
			if component.ResetSupported() == nil {
				strategies = append(strategies, instancepool.Reset)
			}
			sites := map[instancepool.Strategy]*site{}
			for _, s := range strategies {
				sites[s] = serve(t, mode{s, protocol}, everyKind(t))
			}
			rapid.Check(t, func(t *rapid.T) {
				const clients = 4
				all := rapid.SliceOfN(rapid.SliceOfN(rapid.SampledFrom(errands), 1, 12), clients, clients).Draw(t, "requests")
				var want [][]string
				for _, es := range all {
					want = append(want, sites[instancepool.PreInstance].transcript(es))
				}
				for _, s := range strategies {
					if s == instancepool.Cold { // it compiles for every request
						es := all[0][:min(len(all[0]), 2)]
						if diff := cmp.Diff(want[0][:len(es)], sites[s].transcript(es)); diff != "" {
							t.Fatalf("%s: %s", s, diff)
						}
						continue
					}
					if diff := cmp.Diff(want[0], sites[s].transcript(all[0])); diff != "" {
						t.Fatalf("%s, one client: %s", s, diff)
					}
					got := make([][]string, clients)
					var wg sync.WaitGroup
					for i, es := range all {
						wg.Go(func() { got[i] = sites[s].transcript(es) })
					}
					wg.Wait()
					if diff := cmp.Diff(want, got); diff != "" {
						t.Fatalf("%s, %d clients: %s", s, clients, diff)
					}
				}
			})
		})
	}
}

// TestTranscriptsTell: the transcripts would show it if requests were not kept
// apart, and what each errand is there for happens.
func TestTranscriptsTell(t *testing.T) {
	s := serve(t, mode{instancepool.PreInstance, "h1"}, everyKind(t))
	for _, e := range errands {
		if got := s.run(e); strings.Contains(got, "failed") {
			t.Errorf("%s %s: %s", e.method, e.path, got)
		}
	}
	for path, want := range map[string]string{
		"/count": `200 text/plain "1"`, "/counting": `200 text/plain "11"`, "/trap": `500  ""`,
		"/trap-after-head": `200 "so far, so good", broken off`, "/grow?mb=200": `507 text/plain "no 200 MiB to be had"`,
	} {
		if got := s.run(stays("GET", path, "")); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}

	reuse := func(all ...guest) (*App, error) {
		return load(t.Context(), parse(t, application(t, all...)), Options{Strategy: string(instancepool.Reuse), CacheDir: cacheDir}, host.Define)
	}
	a, err := reuse(guest{id: "wasi", source: "rust-wasi-http"})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	for i := range 3 {
		w := httptest.NewRecorder()
		a.ServeHTTP(w, httptest.NewRequest("GET", "/count", http.NoBody))
		if got, want := w.Body.Bytes(), fmt.Append(nil, i+1); !bytes.Equal(got, want) {
			t.Errorf("under reuse, request %d counts to %s", i+1, got)
		}
		// The instance is free a moment after the response is complete.
		if err := a.pools[0].Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if a, err := reuse(guest{id: "counting", source: text(t, "counting", counting), executor: "wagi"}); err == nil {
		a.Close()
		t.Error("a program can be kept from one request to the next")
	}
}
