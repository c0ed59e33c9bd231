package app

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/minispin/minispin/host/wasirc"
	httptrigger "github.com/minispin/minispin/trigger/http"
)

// TestReleaseCandidate serves a guest that names the interfaces of wasi:http by
// the later release candidate's version.
func TestReleaseCandidate(t *testing.T) {
	forEachMode(t, func(t *testing.T, m mode) {
		wat := strings.NewReplacer("START", "", "HANDLE", "(call $answer)", "@0.2.0", "@"+wasirc.Version20231110).Replace(incomingText)
		wat = strings.Replace(wat, `(import "test:host/fault" (instance $test (export "fault" (func))))`, `(component $fault (core module $m (func (export "f"))) (core instance $i (instantiate $m)) (func (export "fault") (canon lift (core func $i "f")))) (instance $test (instantiate $fault))`, 1)
		if strings.Count(wat, wasirc.Version20231110) != 2 {
			t.Fatal("the guest names other interfaces than it did")
		}
		s := serve(t, m, application(t, guest{id: "text", source: text(t, "text", wat)}))
		for range 2 {
			s.expect(t, "GET", "/", "", 200, "")
		}
		s.quiet(t)
	})
}

// TestFirstSDK serves a guest built with Spin's SDK of the earlier candidate.
func TestFirstSDK(t *testing.T) {
	forEachMode(t, func(t *testing.T, m mode) {
		server := upstream(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Method", r.Method)
			w.WriteHeader(http.StatusTeapot)
			io.WriteString(w, "from "+r.URL.Path)
		})
		s := serve(t, m, application(t, guest{
			id: "sdk2", source: "rust-spin-sdk2", extra: `allowed_outbound_hosts = ["` + server.URL + `", "http://127.0.0.1:1", "http://self"]`,
		}))
		for range 2 {
			s.seed(t, "", "hola, mundo!")
			s.expect(t, "GET", "/", "", 200, "hello from the Spin SDK 2")
			a := s.expect(t, "GET", "/get", "", 418, "from /there", "to: "+server.URL+"/there")
			if got := a.Header.Get("X-Method"); got != "GET" {
				t.Errorf("the upstream got the method %q", got)
			}
			s.expect(t, "GET", "/get", "", 200, "hello from the Spin SDK 2", "to: /")
		}
		s.quiet(t)
		for to, want := range map[string]string{
			"http://127.0.0.1:1/":    "connection-refused",
			"http://www.example.com": "HTTP-request-denied",
		} {
			a := s.do(t, "GET", "/get", "", "to: "+to)
			if a.StatusCode != 502 || !strings.Contains(a.body, want) {
				t.Errorf("%s: got %d %q, want 502 and %s", to, a.StatusCode, a.body, want)
			}
		}
	})
}

// candidates serves the guest of the earlier candidate.
func candidates(t *testing.T, m mode, hosts ...string) *site {
	t.Helper()
	return serve(t, m, application(t, guest{
		id: "candidate", source: "rust-candidate",
		extra: allowing(hosts) + "\n" + `environment = { NAME = "value" }`,
	}))
}

// TestCandidate calls what the earlier candidate does in another way.
func TestCandidate(t *testing.T) {
	forEachSocketMode(t, func(t *testing.T, m mode) {
		s := candidates(t, m)
		for range 2 {
			a := s.expect(t, "POST", "/forward", "hello, world!", 200, "hello, world! 13")
			if got := a.Header.Get("Kind"); got != "candidate" {
				t.Errorf("the field of the response is %q", got)
			}
			s.expect(t, "POST", "/forward", "", 200, " 0")
			s.expect(t, "POST", "/splice?5", "hello, world!", 200, "hello\x00")
			s.expect(t, "GET", "/request?a=b", "", 200, `Method::Get Some(Scheme::Http) Some("/request?a=b") true up`, "x-one: u", "x-one: p")
			s.expect(t, "GET", "/fields", "", 200, "b2 c4 c5; a1 b2 a3 c4 c5; 2")
			s.expect(t, "GET", "/clock", "", 200, "in time")
			s.expect(t, "GET", "/random", "", 200, "true true true true true")
			s.expect(t, "GET", "/cli", "", 200, `[("NAME", "value")] [] None false true true 0`)
			if lines := s.output.take(t); len(lines) != 2 {
				t.Errorf("printed %q", lines)
			}
		}
		s.quiet(t)
	})
}

func TestCandidateTrailers(t *testing.T) {
	forEachMode(t, func(t *testing.T, m mode) {
		s := candidates(t, m)
		s.expect(t, "POST", "/trailers", "no trailers", 200, "")
		req, err := http.NewRequestWithContext(t.Context(), "POST", s.base+"/trailers", io.MultiReader(strings.NewReader("body")))
		if err != nil {
			t.Fatal(err)
		}
		req.Trailer = http.Header{"X-After": {"all"}}
		resp, err := s.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if b, err := io.ReadAll(resp.Body); err != nil || string(b) != "x-after: all\n" {
			t.Errorf("got %q, %v", b, err)
		}
		if got := resp.Trailer.Get("X-After"); got != "all" {
			t.Errorf("the trailer that came back is %q", got)
		}
		s.quiet(t)
	})
}

// TestCandidateFailures has the guest fail in the ways of the candidate.
func TestCandidateFailures(t *testing.T) {
	forEachMode(t, func(t *testing.T, m mode) {
		s := candidates(t, m)
		for _, tt := range []struct {
			path string
			kind httptrigger.Kind
			want string // in the log line
		}{
			{"/error?url", httptrigger.KindGuestError, "invalid-url: as asked"},
			{"/error?timeout", httptrigger.KindGuestError, "timeout-error: as asked"},
			{"/error?protocol", httptrigger.KindGuestError, "protocol-error: as asked"},
			{"/error?other", httptrigger.KindGuestError, "unexpected-error: as asked"},
			{"/exit", httptrigger.KindTrap, "exited with code 1"},
			{"/bad-field", httptrigger.KindTrap, `fields.set of "a b"`},
			{"/bad-status", httptrigger.KindTrap, "the status 1 is invalid"},
		} {
			s.expect(t, "GET", tt.path, "", 500, "")
			line := s.expectFailure(t, "candidate", tt.kind)
			if got := fmt.Sprint(line.ContextMap()["error"]); !strings.Contains(got, tt.want) {
				t.Errorf("%s: the log says %q, want %q in it", tt.path, got, tt.want)
			}
		}
		s.expect(t, "GET", "/fields", "", 200, "b2 c4 c5; a1 b2 a3 c4 c5; 2")
	})
}

func TestCandidateOutgoing(t *testing.T) {
	forEachMode(t, func(t *testing.T, m mode) {
		hold := make(chan struct{})
		server := upstream(t, func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			if r.URL.Path == "/slow" {
				<-hold
			}
			w.Header().Set("Trailer", "X-After")
			fmt.Fprintf(w, "%s %s %s", r.Method, r.Header.Get("X-One"), b)
			w.Header().Set("X-After", "all")
		})
		t.Cleanup(func() { close(hold) })
		s := candidates(t, m, server.URL, "http://127.0.0.1:1")
		s.expect(t, "GET", "/get", "", 200, `200 POST 1 ping ["x-after"]`, "to: "+server.URL+"/there", "timeout: 10000")
		s.expect(t, "GET", "/get", "", 200, `200 POST 1 ping ["x-after"]`, "to: "+server.URL)
		for _, tt := range []struct{ to, want string }{
			{server.URL + "/slow", "Error::TimeoutError("},
			{"http://127.0.0.1:1/", "Error::UnexpectedError("},
			{"http://127.0.0.1:2/", "Error::UnexpectedError("},
			{"http://0x7f.1/", "Error::InvalidUrl("},
		} {
			a := s.do(t, "GET", "/get", "", "to: "+tt.to, "timeout: 50")
			if a.StatusCode != 200 || !strings.Contains(a.body, tt.want) {
				t.Errorf("%s: got %d %q, want %q in it", tt.to, a.StatusCode, a.body, tt.want)
			}
		}
	})
}

func TestCandidateSockets(t *testing.T) {
	forEachSocketMode(t, func(t *testing.T, m mode) {
		tcp, udp := tcpServer(t, answerPing), udpServer(t)
		s := candidates(t, m, fmt.Sprintf("tcp://127.0.0.1:%d", tcp), fmt.Sprintf("udp://127.0.0.1:%d", udp), "udp://127.0.0.1:0..1", "tcp://localhost:80")
		for range 2 {
			s.expect(t, "GET", fmt.Sprintf("/tcp?%d", tcp), "", 200, `pong [true, true, false, false] 9 Err("not-supported")`)
			s.expect(t, "GET", fmt.Sprintf("/udp?%d", udp), "", 200, "1 pong 1 pong invalid-state invalid-state invalid-state not-in-progress would-block invalid-state concurrency-conflict invalid-argument")
			s.expect(t, "GET", "/lookup?127.0.0.1", "", 200, "(127, 0, 0, 1) (127, 0, 0, 1) name-unresolvable")
		}
		s.expect(t, "GET", fmt.Sprintf("/tcp?%d", udp), "", 200, "start-connect: access-denied")
		s.expect(t, "GET", "/lookup?www.example.com", "", 200, "resolve-addresses: access-denied")
		s.expect(t, "GET", "/lookup?a/b", "", 200, "resolve-addresses: invalid-argument")
	})
}

// TestCandidateCommand runs programs that export the candidates' wasi:cli/run.
func TestCandidateCommand(t *testing.T) {
	for _, version := range wasirc.Versions() {
		t.Run(version, func(t *testing.T) {
			wat := strings.Replace(command, "wasi:cli/run@0.2.0", "wasi:cli/run@"+version, 1)
			s := serve(t, mode{"pooled", "h1"}, application(t, guest{id: "command", source: text(t, "command", wat), executor: "wagi"}))
			s.expect(t, "GET", "/", "", 500, "")
			line := s.expectFailure(t, "command", httptrigger.KindGuestError)
			if got := fmt.Sprint(line.ContextMap()["error"]); !strings.Contains(got, "output of the program: empty") {
				t.Errorf("the log says %q", got)
			}
		})
	}
}

// TestCandidateFiles reads a file with the functions of the earlier candidate.
func TestCandidateFiles(t *testing.T) {
	forEachStrategy(t, func(t *testing.T, m mode) {
		text := application(t, guest{id: "candidate", source: "rust-candidate", extra: `files = [{ source = "static", destination = "/" }]`})
		s := serveApp(t, m, withFiles(t, text, map[string]string{"static/a.txt": "hello", "static/b/c.txt": ""}), Options{Files: Files{Dir: t.TempDir()}})
		dropped := strings.TrimSuffix(strings.Repeat("unsupported ", 9), " ")
		for range 2 {
			s.expect(t, "GET", "/file?a.txt", "", 200, `/ 5 "hello" true "ello" ["a.txt", "b"] `+dropped)
			s.expect(t, "GET", "/file?d.txt", "", 200, "no-entry")
		}
		s.quiet(t)
	})
}
