package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	httptrigger "github.com/minispin/minispin/trigger/http"
)

// brokenOff checks that a response ended before its end.
func (a answer) brokenOff(t *testing.T, want string) {
	t.Helper()
	if a.StatusCode != 200 || a.body != want || a.err == nil {
		t.Errorf("got %d %q %v, want 200 %q and an error", a.StatusCode, a.body, a.err, want)
	}
}

func TestFaultyGuest(t *testing.T) {
	forEachMode(t, func(t *testing.T, m mode) {
		s := serve(t, m, application(t, guest{id: "wasi", source: "rust-wasi-http"}))

		s.expect(t, "GET", "/trap", "", 500, "")
		line := s.expectFailure(t, "wasi", httptrigger.KindTrap)
		if frames, ok := line.ContextMap()["backtrace"].([]any); !ok || len(frames) == 0 {
			t.Errorf("no backtrace: %v", line.ContextMap())
		}

		s.do(t, "GET", "/trap-after-head", "").brokenOff(t, "so far, so good")
		line = s.expectFailure(t, "wasi", httptrigger.KindTrap)
		if frames, ok := line.ContextMap()["backtrace"].([]any); !ok || len(frames) == 0 {
			t.Errorf("no backtrace: %v", line.ContextMap())
		}

		s.expect(t, "GET", "/no-response", "", 500, "")
		s.expectFailure(t, "wasi", httptrigger.KindNoResponse)

		s.expect(t, "GET", "/error", "", 500, "")
		if line := s.expectFailure(t, "wasi", httptrigger.KindGuestError); !strings.Contains(fmt.Sprint(line.ContextMap()["error"]), "as asked") {
			t.Errorf("log line %v", line.ContextMap())
		}

		// What was announced must not be sent as if it were whole. (A GET would be
		// sent again by the client.)
		if resp, err := s.send(t.Context(), "POST", "/bad-length", nil); err == nil {
			b, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if resp.StatusCode == 200 && err == nil {
				t.Errorf("a short body is sent as whole: %q", b)
			}
		}
		s.expectFailure(t, "wasi", httptrigger.KindGuestError)

		s.expect(t, "GET", "/", "", 200, "hello")
		s.quiet(t)
	})
}

func TestDeadline(t *testing.T) {
	const deadline = 300 * time.Millisecond
	forEachMode(t, func(t *testing.T, m mode) {
		s := serve(t, m, application(t,
			guest{id: "wasi", source: "rust-wasi-http", settings: `deadline = "300ms"`},
			guest{id: "other", source: "rust-wasi-http", route: "/other/..."},
		))
		for _, path := range []string{"/loop", "/sleep?ms=60000", "/poll?a=60000"} {
			start := time.Now()
			done := make(chan struct{})
			go func() {
				defer close(done)
				s.expect(t, "GET", path, "", http.StatusGatewayTimeout, "")
			}()
			others := 0
			for wait := true; wait; {
				select {
				case <-done:
					wait = false
				default:
					s.expect(t, "GET", "/other", "", 200, "hello")
					others++
				}
			}
			if took := time.Since(start); took < deadline || took > deadline+2*time.Second {
				t.Errorf("%s: answered after %v", path, took)
			}
			if others < 5 {
				t.Errorf("%s: only %d other requests were answered meanwhile", path, others)
			}
			s.expectFailure(t, "wasi", httptrigger.KindTimeout)
		}
		// The head of this response has left.
		a := s.do(t, "GET", "/stream?n=1000000000&size=1", "")
		if a.StatusCode != 200 || a.err == nil || !strings.HasPrefix(a.body, "abc") {
			t.Errorf("got %d, %d bytes, %v", a.StatusCode, len(a.body), a.err)
		}
		s.expectFailure(t, "wasi", httptrigger.KindTimeout)
	})
}

// Code that runs at instantiation has no more time than any other.
func TestFaultsAtInstantiation(t *testing.T) {
	forEachMode(t, func(t *testing.T, m mode) {
		s := serveText(t, m, textGuest{start: endless, handle: "(call $answer)"}, `deadline = "100ms"`)
		s.expect(t, "GET", "/", "", http.StatusGatewayTimeout, "")
		s.expectFailure(t, "text", httptrigger.KindTimeout)

		s = serveText(t, m, textGuest{start: "(unreachable)", handle: "(call $answer)"}, "")
		s.expect(t, "GET", "/", "", 500, "")
		s.expectFailure(t, "text", httptrigger.KindTrap)
	})
}

func TestHostPanic(t *testing.T) {
	forEachMode(t, func(t *testing.T, m mode) {
		s := serveText(t, m, textGuest{handle: "(call $fault) (call $answer)", fault: func() { panic("a bug of the host's") }}, "")
		for range 3 {
			s.expect(t, "GET", "/", "", 500, "")
			line := s.expectFailure(t, "text", httptrigger.KindInternal)
			if !strings.Contains(fmt.Sprint(line.ContextMap()["error"]), "a bug of the host's") {
				t.Errorf("log line %v", line.ContextMap())
			}
		}
	})
}

// What goes wrong after the response is logged and does the client no harm.
func TestTrapAfterResponse(t *testing.T) {
	forEachMode(t, func(t *testing.T, m mode) {
		s := serveText(t, m, textGuest{handle: "(call $answer) (unreachable)"}, "")
		s.expect(t, "GET", "/", "", 200, "")
		if line := s.expectFailure(t, "text", httptrigger.KindTrap); !strings.Contains(line.Message, "after its response") {
			t.Errorf("log line %q", line.Message)
		}

		s = serveText(t, m, textGuest{handle: "(call $answer) " + endless}, `deadline = "100ms"`)
		s.expect(t, "GET", "/", "", 200, "")
		if line := s.expectFailure(t, "text", httptrigger.KindTimeout); !strings.Contains(line.Message, "after its response") {
			t.Errorf("log line %q", line.Message)
		}
	})
}

// leave sends a request, leaves when the function says so, and expects the
// guest to be gone at once and the log to hold nothing worth a line.
func (s *site) leave(t *testing.T, method, path string, body *feed, when func(resp *http.Response)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	responded := make(chan *http.Response, 1)
	go func() {
		var resp *http.Response
		var err error
		if body == nil {
			resp, err = s.send(ctx, method, path, nil)
		} else {
			resp, err = s.send(ctx, method, path, body)
		}
		if err != nil {
			resp = nil
		}
		responded <- resp
	}()
	eventually(t, "the guest to start", s.busy)
	if when == nil {
		time.Sleep(20 * time.Millisecond)
		cancel()
		if resp := <-responded; resp != nil {
			resp.Body.Close()
		}
	} else {
		resp := <-responded
		if resp == nil {
			t.Fatalf("%s: no response", path)
		}
		when(resp)
		cancel()
		resp.Body.Close()
	}
	if body != nil {
		body.close()
	}
	left := time.Now()
	eventually(t, path+": the guest to be ended", func() bool { return !s.busy() })
	if took := time.Since(left); took > 500*time.Millisecond {
		t.Errorf("%s: the guest was ended %v after its client left", path, took)
	}
	s.expectFailure(t, "wasi", httptrigger.KindClientGone)
}

func TestClientLeaves(t *testing.T) {
	forEachMode(t, func(t *testing.T, m mode) {
		s := serve(t, m, application(t,
			guest{id: "wasi", source: "rust-wasi-http"},
			guest{id: "wagi", source: "rust-wagi", route: "/cgi/...", executor: "wagi"},
		))
		read := func(n int) func(*http.Response) {
			return func(resp *http.Response) {
				b := make([]byte, n)
				for n > 0 {
					m, err := resp.Body.Read(b)
					if err != nil {
						t.Fatal(err)
					}
					n -= m
				}
			}
		}
		s.expect(t, "GET", "/", "", 200, "hello")
		before := goleak.IgnoreCurrent()
		files := openFiles()
		s.leave(t, "GET", "/loop", nil, nil)
		s.leave(t, "GET", "/sleep?ms=60000", nil, nil)
		s.leave(t, "GET", "/stream?n=1000000000&size=16", nil, read(100))
		s.leave(t, "GET", "/stream?n=1000000000&size=100000", nil, read(1))
		s.leave(t, "POST", "/echo", newFeed("first"), read(5))
		// While the client takes nothing, a write of the guest's blocks.
		s.leave(t, "GET", "/stream?n=1000000000&size=1000000", nil, func(*http.Response) { time.Sleep(300 * time.Millisecond) })
		s.expect(t, "GET", "/", "", 200, "hello")
		s.quiet(t)
		s.client.CloseIdleConnections()
		if m.protocol == "h1" { // the one connection of h2c lasts as long as the client
			if err := goleak.Find(before); err != nil {
				t.Error(err)
			}
		}
		eventually(t, "files to be closed", func() bool { return openFiles() <= files })
	})
}

// One request runs, one waits and a third is turned away. A client that leaves
// while its request waits gives up its place.
func TestQueue(t *testing.T) {
	forEachMode(t, func(t *testing.T, m mode) {
		s := serve(t, m, application(t, guest{id: "wasi", source: "rust-wasi-http", settings: "max_instances = 1\nqueue = 1"}))
		type result struct {
			client     int
			status     int
			retryAfter string
			err        error
		}
		results := make(chan result, 3)
		var leave [3]context.CancelFunc
		start := func(client int, path string) {
			var ctx context.Context
			ctx, leave[client] = context.WithCancel(t.Context())
			go func() {
				resp, err := s.send(ctx, "GET", path, nil)
				r := result{client: client, err: err}
				if err == nil {
					resp.Body.Close()
					r.status, r.retryAfter = resp.StatusCode, resp.Header.Get("Retry-After")
				}
				results <- r
			}()
		}
		start(0, "/sleep?ms=60000")
		eventually(t, "the first request to run", s.busy)
		start(1, "/")
		start(2, "/")
		away := <-results
		if away.client == 0 || away.status != http.StatusServiceUnavailable || away.retryAfter != "1" {
			t.Fatalf("the first to be answered: %+v", away)
		}
		logged := func(kind httptrigger.Kind) func() bool {
			return func() bool { return s.logs.FilterField(kindField(kind)).Len() == 1 }
		}
		eventually(t, "the log line of the refusal", logged(httptrigger.KindOverload))

		waiter := 3 - away.client
		leave[waiter]()
		if r := <-results; r.client != waiter || !errors.Is(r.err, context.Canceled) {
			t.Fatalf("the waiting client: %+v", r)
		}
		eventually(t, "the waiting request to end", logged(httptrigger.KindClientGone))
		start(1, "/") // in the place that is free now
		time.Sleep(20 * time.Millisecond)
		leave[0]()
		for range 2 {
			if r := <-results; r.client == 1 && r.status != 200 {
				t.Errorf("the request that waited: %+v", r)
			}
		}
		for _, f := range leave {
			f()
		}
	})
}

// The slots of the pooling allocator belong to all components together: that
// one has taken them all makes another wait, and not fail.
func TestSharedSlots(t *testing.T) {
	s := serve(t, mode{"pooled", "h1"}, application(t,
		guest{id: "one", source: "rust-wasi-http", route: "/one/...", settings: "max_instances = 1000"},
		guest{id: "two", source: "rust-wasi-http", route: "/two/...", settings: "max_instances = 1000"},
	))
	for _, p := range s.app.pools {
		if p.Strategy() != "pooled" {
			t.Fatalf("strategy %s", p.Strategy())
		}
	}
	var clients sync.WaitGroup
	statuses := make(chan int, 1100)
	for i := range cap(statuses) {
		clients.Go(func() {
			resp, err := s.send(t.Context(), "GET", []string{"/one", "/two"}[i%2]+"/sleep?ms=300", nil)
			if err != nil {
				t.Error(err)
				return
			}
			resp.Body.Close()
			statuses <- resp.StatusCode
		})
	}
	clients.Wait()
	close(statuses)
	for status := range statuses {
		if status != 200 {
			t.Fatalf("a request got %d: %v", status, s.logs.All())
		}
	}
	s.quiet(t)
}

func TestBodyTooLarge(t *testing.T) {
	forEachMode(t, func(t *testing.T, m mode) {
		s := serve(t, m, application(t,
			guest{id: "inbound", source: "rust-inbound-http", route: "/inbound/...", settings: `memory_limit = "4MiB"`},
			guest{id: "wagi", source: "rust-wagi", route: "/cgi/...", executor: "wagi"},
			guest{id: "wasi", source: "rust-wasi-http"},
		))
		five, big := strings.Repeat("x", 5<<20), strings.Repeat("x", maxWholeBody+1)
		s.expect(t, "POST", "/inbound/x", five[:1<<20], 404, "no such path")
		s.quiet(t)
		for path, body := range map[string]string{"/inbound/x": five, "/cgi/echo": big} {
			s.tooLarge(t, path, strings.NewReader(body))
			s.tooLarge(t, path, struct{ *strings.Reader }{strings.NewReader(body)}) // of unknown length
		}
		s.quiet(t)
		s.expect(t, "POST", "/nowhere", five, 404, "no such path") // no limit where bodies stream
	})
}

// A body that fits the limit may still be more than the guest can allocate.
func TestBodyBeyondGuestMemory(t *testing.T) {
	forEachMode(t, func(t *testing.T, m mode) {
		s := serve(t, m, application(t, guest{id: "inbound", source: "rust-inbound-http", settings: `memory_limit = "4MiB"`}))
		s.expect(t, "POST", "/x", strings.Repeat("x", 4<<20), 500, "")
		s.expectFailure(t, "inbound", httptrigger.KindTrap)
	})
}

func TestTrapStorm(t *testing.T) {
	for _, m := range []mode{{"pre-instance", "h1"}, {"pooled", "h2c"}} {
		t.Run(string(m.strategy)+"/"+m.protocol, func(t *testing.T) {
			s := serve(t, m, application(t, guest{id: "wasi", source: "rust-wasi-http"}))
			s.expect(t, "GET", "/", "", 200, "hello")
			s.client.CloseIdleConnections()
			eventually(t, "the connection to end", func() bool { return goleak.Find(goleak.IgnoreCurrent()) == nil })
			before, files := goleak.IgnoreCurrent(), openFiles()
			const storm = 1000
			var clients sync.WaitGroup
			for range 10 {
				clients.Go(func() {
					for range storm / 10 {
						s.expect(t, "GET", "/trap", "", 500, "")
					}
				})
			}
			clients.Wait()
			s.noGuests(t)
			if n := s.logs.FilterField(kindField(httptrigger.KindTrap)).Len(); n != storm {
				t.Errorf("%d log lines, want %d", n, storm)
			}
			s.expect(t, "GET", "/count", "", 200, "1")
			s.client.CloseIdleConnections()
			if m.protocol == "h1" {
				if err := goleak.Find(before); err != nil {
					t.Error(err)
				}
				eventually(t, "files to be closed", func() bool { return openFiles() <= files })
			}
		})
	}
}

// openFiles returns the number of open file descriptors, 0 where there is no
// way to tell.
func openFiles() int {
	if runtime.GOOS != "linux" {
		return 0
	}
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}
