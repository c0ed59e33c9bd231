package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/instancepool"
	"github.com/minispin/minispin/manifest"
	httptrigger "github.com/minispin/minispin/trigger/http"
)

// sends is the component of these tests, with entries of allowed_outbound_hosts.
func sends(id, route string, hosts ...string) guest {
	return guest{id: id, source: "rust-outgoing", route: route, extra: allowing(hosts)}
}

// allowing is the line of a component that may reach some hosts.
func allowing(hosts []string) string {
	quoted := make([]string, len(hosts))
	for i, h := range hosts {
		quoted[i] = fmt.Sprintf("%q", h)
	}
	return "allowed_outbound_hosts = [" + strings.Join(quoted, ", ") + "]"
}

// upstream is a server that guests send requests to.
func upstream(t testing.TB, h http.HandlerFunc) *httptest.Server {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// forEachStrategy runs test for the strategies of servers, and for reuse, which
// has the same promises as far as one request goes.
func forEachStrategy(t *testing.T, test func(t *testing.T, m mode)) {
	for _, s := range append(served, instancepool.Reuse) {
		t.Run(string(s), func(t *testing.T) {
			if err := component.ResetSupported(); s == instancepool.Reset && err != nil {
				t.Skipf("the strategy reset: %v", err)
			}
			test(t, mode{s, "h1"})
		})
	}
}

func TestOutgoingRequests(t *testing.T) {
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprintf(w, "%s %s %q %s", r.Method, r.RequestURI, r.Header.Get("X-A"), body)
		_ = http.NewResponseController(w).Flush() // or there is a length, and no trailers
		w.Header().Set(http.TrailerPrefix+"X-T", "sum")
	})
	forEachStrategy(t, func(t *testing.T, m mode) {
		site := serve(t, m, application(t, sends("front", "/...", s.URL, "http://localhost:1")))
		a := site.expect(t, "GET", "/get", "", http.StatusAccepted, `GET /b?c "1" `, "to: "+s.URL+"/b?c", "x-a: 1")
		if got := a.Trailer.Get("X-T"); got != "sum" {
			t.Errorf("trailers %v", a.Trailer)
		}
		site.expect(t, "POST", "/pipe", "some body", http.StatusAccepted, `POST / "" some body`, "to: "+s.URL)
		site.expect(t, "GET", "/get", "", 502, "ErrorCode::ConnectionRefused", "to: http://localhost:1/")
		if lines := site.logs.FilterMessageSnippet("may not reach").All(); len(lines) != 0 {
			t.Errorf("reported: %v", lines)
		}
		for range 2 {
			site.expect(t, "GET", "/get", "", 502, "ErrorCode::HttpRequestDenied", "to: https://other.example/secret")
		}
		lines := site.logs.FilterMessageSnippet("may not reach").TakeAll()
		if len(lines) != 1 || lines[0].ContextMap()["to_allow_it"] != `allowed_outbound_hosts = ["https://other.example"]` ||
			lines[0].ContextMap()["component"] != "front" {
			t.Errorf("log lines %v", lines)
		}
		site.expect(t, "GET", "/get", "", 502, "ErrorCode::HttpRequestDenied", "to: /self")
		site.expect(t, "GET", "/get", "", 502, "ErrorCode::HttpRequestDenied", "to: http://front.spin.internal/")
		site.expect(t, "GET", "/ignore", "", 200, "sent", "to: "+s.URL)
	})
}

// TestChaining lets two components call each other, each streaming to the other
// and back at the same time, and sees who can be reached by which name.
func TestChaining(t *testing.T) {
	forEachStrategy(t, func(t *testing.T, m mode) {
		app := application(t,
			sends("front", "/front/...", "http://*.spin.internal"),
			sends("back", "/back/...", "http://front.spin.internal"),
			sends("hidden", "/hidden/...", "http://self"),
			sends("apart", "/apart/..."))
		app = strings.Replace(app, `route = "/hidden/..."`, "route = { private = true }", 1)
		site := serve(t, m, app)
		var want strings.Builder
		for i := range 10 {
			fmt.Fprintf(&want, "heard line %d\nanswered line %d\n", i, i)
		}
		site.expect(t, "GET", "/front/talk?n=10", "", 200, want.String(), "to: http://back.spin.internal/answer")
		site.expect(t, "GET", "/back/talk?n=10", "", 200, want.String(), "to: http://front.spin.internal:8080/answer")
		site.expect(t, "GET", "/front/talk?n=3", "", 200, strings.Join(strings.SplitAfter(want.String(), "\n")[:6], ""), "to: http://hidden.spin.internal/answer")
		big := strings.Repeat("0123456789abcdef", 1<<16)
		if a := site.do(t, "POST", "/front/pipe", big, "to: http://back.spin.internal/echo"); a.err != nil || a.StatusCode != 200 || a.body != big {
			t.Errorf("%d and %d bytes of %d, %v", a.StatusCode, len(a.body), len(big), a.err)
		}

		site.expect(t, "GET", "/hidden/answer", "", 404, "")
		site.expect(t, "GET", "/front/get", "", 502, "ErrorCode::DestinationNotFound", "to: http://nobody.spin.internal/")
		site.expect(t, "GET", "/back/get", "", 502, "ErrorCode::HttpRequestDenied", "to: http://hidden.spin.internal/")
		site.expect(t, "GET", "/apart/get", "", 502, "ErrorCode::HttpRequestDenied", "to: http://front.spin.internal/")
		site.expect(t, "GET", "/front/get", "", 404, "no such path", "to: http://back.spin.internal/nothing")
	})
}

// TestSelf asks the application itself. Whatever a client names as its host has
// no bearing on where that goes.
func TestSelf(t *testing.T) {
	forEachStrategy(t, func(t *testing.T, m mode) {
		trap := upstream(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "led astray") })
		app := application(t, sends("front", "/front/...", "http://self"), guest{id: "other", source: "rust-wasi-http", route: "/other/..."}) +
			"[[trigger.http]]\nroute = \"/static\"\nid = \"s\"\nstatic_response = { body = \"static\" }\n"
		site := serve(t, m, app)
		for _, to := range []string{"/static", "http://self.alt/static", "https://self.alt:9/static"} {
			site.expect(t, "GET", "/front/get", "", 200, "static", "to: "+to)
		}
		site.expect(t, "GET", "/front/get", "", 200, "hello", "to: /other/")
		site.expect(t, "GET", "/front/get", "", 404, "", "to: /nowhere")
		headers := site.do(t, "GET", "/front/get", "", "to: /other/headers", "x-a: b").body
		if !strings.Contains(headers, "spin-full-url: http://"+site.addr+"/other/headers") || !strings.Contains(headers, "x-a: b") {
			t.Errorf("the component saw %q", headers)
		}
		req, err := http.NewRequestWithContext(t.Context(), "GET", site.base+"/front/get", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = strings.TrimPrefix(trap.URL, "http://")
		req.Header.Set("To", "/static")
		res, err := site.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if body, _ := io.ReadAll(res.Body); string(body) != "static" {
			t.Errorf("with a foreign host: %q", body)
		}
	})
}

// TestSelfForever lets components call each other without end: each answers by
// passing the request on to where it came from.
func TestSelfForever(t *testing.T) {
	for _, to := range []string{"/front/loop", "http://front.spin.internal/loop"} {
		site := serve(t, mode{instancepool.Pooled, "h1"}, application(t, sends("front", "/front/...", "http://self", "http://front.spin.internal")))
		a := site.do(t, "GET", "/front/loop", "", "to: "+to)
		if a.StatusCode != 502 || !strings.Contains(a.body, "LoopDetected") {
			t.Errorf("%s: %d %q", to, a.StatusCode, a.body)
		}
	}
}

// TestWaitingEnds sees that a guest which waits for another server ends at its
// deadline, and when its client leaves, and that the server is told.
func TestWaitingEnds(t *testing.T) {
	gone := make(chan struct{}, 10)
	arrived := make(chan struct{}, 10)
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			_ = http.NewResponseController(w).Flush()
		}
		arrived <- struct{}{}
		<-r.Context().Done()
		gone <- struct{}{}
	})
	told := func(t *testing.T) {
		t.Helper()
		select {
		case <-gone:
		case <-time.After(10 * time.Second):
			t.Error("the other server was not told")
		}
	}
	forEachStrategy(t, func(t *testing.T, m mode) {
		front := sends("front", "/front/...", s.URL)
		back := sends("back", "/back/...", s.URL)
		front.settings = `deadline = "400ms"`
		site := serve(t, m, application(t, front, back))
		start := time.Now()
		a := site.do(t, "GET", "/front/get", "", "to: "+s.URL)
		if a.StatusCode != http.StatusGatewayTimeout {
			t.Errorf("%d %q", a.StatusCode, a.body)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("it took %v", took)
		}
		<-arrived
		told(t)
		site.expectFailure(t, "front", httptrigger.KindTimeout)
		for _, path := range []string{"/head", "/body"} {
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				<-arrived
				cancel()
			}()
			res, err := site.send(ctx, "GET", "/back/get", nil, "to: "+s.URL+path)
			if err == nil {
				_, err = io.ReadAll(res.Body)
				res.Body.Close()
			}
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", path, err)
			}
			told(t)
			site.noGuests(t)
			site.logs.TakeAll()
		}
		// The guest's own timeouts.
		site.expect(t, "GET", "/back/get", "", 502, "ErrorCode::ConnectionReadTimeout", "to: "+s.URL, "first-byte: 30")
		<-arrived
		told(t)
		site.expect(t, "GET", "/back/get", "", 200, "broken: Some(ErrorCode::ConnectionReadTimeout)", "to: "+s.URL+"/body", "between-bytes: 30")
		<-arrived
		told(t)
	})
}

// TestFanOut has 50 guests with ten requests each under way at the same time, and
// reports what that takes while all of them are.
func TestFanOut(t *testing.T) {
	const guests, each = 50, 10
	var busy, most atomic.Int64
	var peak footprint
	var all sync.WaitGroup
	all.Add(guests * each)
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		n := busy.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		all.Done()
		all.Wait() // until all of them are here
		if n == guests*each {
			peak = taken()
		}
		busy.Add(-1)
	})
	site := serve(t, mode{instancepool.Pooled, "h1"}, application(t, sends("front", "/...", s.URL)))
	site.expect(t, "GET", "/nothing", "", 404, "no such path")
	before := taken()
	var g sync.WaitGroup
	for range guests {
		g.Go(func() {
			res, err := site.send(t.Context(), "GET", fmt.Sprintf("/fan?n=%d", each), nil, "to: "+s.URL)
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close()
			body, _ := io.ReadAll(res.Body)
			if want := fmt.Sprintf("%d of %d", each, each); string(body) != want {
				t.Errorf("%q, want %q", body, want)
			}
		})
	}
	g.Wait()
	if most.Load() != guests*each {
		t.Errorf("%d requests were under way together", most.Load())
	}
	t.Logf("%d requests together; threads %d -> %d, descriptors %d -> %d, MiB resident %d -> %d (both ends of each connection are here)",
		most.Load(), before.threads, peak.threads, before.files, peak.files, before.resident>>20, peak.resident>>20)
	// A guest that waits has a thread; its requests have none.
	if grown := peak.threads - before.threads; grown > guests+20 {
		t.Errorf("%d threads more for %d guests", grown, guests)
	}
	if grown := peak.resident - before.resident; grown > 256<<20 {
		t.Errorf("%d MiB more", grown>>20)
	}
}

// footprint is what the process takes up. What cannot be known is -1.
type footprint struct{ threads, files, resident int }

func taken() footprint { return footprint{threadCount(), fileCount(), residentBytes()} }

func residentBytes() int {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return -1
	}
	var size, resident int
	if _, err := fmt.Sscan(string(b), &size, &resident); err != nil {
		return -1
	}
	return resident * os.Getpagesize()
}

func threadCount() int { return pprof.Lookup("threadcreate").Count() }

func fileCount() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return -1
	}
	return len(entries)
}

// TestBadHosts sees where an entry that is none is reported.
func TestBadHosts(t *testing.T) {
	text := application(t, sends("front", "/...", "https://fine.example", "fine.example"))
	_, err := Load(t.Context(), parse(t, text), Options{CacheDir: cacheDir})
	bad, ok := errors.AsType[*manifest.Error](err)
	if !ok || len(bad.Diagnostics) != 1 {
		t.Fatalf("%v", err)
	}
	d := bad.Diagnostics[0]
	if d.Line == 0 || d.Key != "component.front.allowed_outbound_hosts[1]" || !strings.Contains(d.Reason, "no scheme") || !strings.Contains(d.Hint, `"https://fine.example"`) {
		t.Errorf("%v", d)
	}
}

// TestHostsOfVariables takes hosts from variables.
func TestHostsOfVariables(t *testing.T) {
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "here") })
	app := application(t, sends("front", "/...", "http://{{ host }}", "{{ none }}")) +
		fmt.Sprintf("[variables]\nhost = { default = %q }\nnone = { default = \"\" }\n", strings.TrimPrefix(s.URL, "http://"))
	site := serve(t, mode{instancepool.Pooled, "h1"}, app)
	site.expect(t, "GET", "/get", "", 200, "here", "to: "+s.URL)

	app = strings.Replace(app, `none = { default = "" }`, `none = { default = "s3cret nonsense" }`, 1)
	_, err := Load(t.Context(), parse(t, app), Options{CacheDir: cacheDir})
	if err == nil || !strings.Contains(err.Error(), "does not resolve") || strings.Contains(err.Error(), "host \"s3cret") {
		t.Errorf("%v", err)
	}
}
