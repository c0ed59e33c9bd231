package httptrigger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap/zapcore"
)

// trapError is an error with a backtrace, as an engine makes it.
type trapError struct{ frames []string }

func (*trapError) Error() string         { return "wasm trap: secret engine text" }
func (e *trapError) Backtrace() []string { return e.frames }

func TestFailuresBeforeTheHead(t *testing.T) {
	tests := []struct {
		name   string
		err    error
		status int
		header http.Header
		level  zapcore.Level
		kind   string
	}{
		{"trap", &Failure{Kind: KindTrap, Err: &trapError{[]string{"f", "g"}}}, 500, nil, zapcore.ErrorLevel, "trap"},
		{"wrapped trap", fmt.Errorf("calling: %w", &Failure{Kind: KindTrap, Err: &trapError{[]string{"f", "g"}}}), 500, nil, zapcore.ErrorLevel, "trap"},
		{"guest error", &Failure{Kind: KindGuestError, Err: errors.New("connection-refused")}, 500, nil, zapcore.ErrorLevel, "guest-error"},
		{"no response", &Failure{Kind: KindNoResponse}, 500, nil, zapcore.ErrorLevel, "no-response"},
		{"internal", &Failure{Kind: KindInternal, Err: errors.New("boom")}, 500, nil, zapcore.ErrorLevel, "internal"},
		{"plain error", errors.New("boom"), 500, nil, zapcore.ErrorLevel, "internal"},
		{"timeout", &Failure{Kind: KindTimeout, Err: context.DeadlineExceeded}, 504, nil, zapcore.ErrorLevel, "timeout"},
		{"overload", &Failure{Kind: KindOverload, Err: errors.New("full")}, 503, http.Header{"Retry-After": {"1"}}, zapcore.WarnLevel, "overload"},
		{"own status", &Failure{Kind: KindGuestError, Err: errors.New("boom"), Status: 502}, 502, nil, zapcore.ErrorLevel, "guest-error"},
		{"own message", &Failure{Kind: KindGuestError, Err: errors.New("boom"), Message: "<p>why"}, 500, nil, zapcore.ErrorLevel, "guest-error"},
		{"nonsensical status", &Failure{Kind: KindTimeout, Err: errors.New("boom"), Status: 99}, 504, nil, zapcore.ErrorLevel, "timeout"},
		{"overload for long", &Failure{Kind: KindOverload, RetryAfter: 2*time.Second + 1}, 503, http.Header{"Retry-After": {"3"}}, zapcore.WarnLevel, "overload"},
	}
	forEachMode(t, func(t *testing.T, mode string) {
		for _, c := range tests {
			t.Run(c.name, func(t *testing.T) {
				s := newSite(t, mode, Options{}, ServerOptions{}, exec("/x/:y", func(w http.ResponseWriter, r *Request) error {
					// None of this may reach the client.
					w.Header().Set("X-Guest", "secret")
					w.Header().Set("Content-Length", "5")
					w.WriteHeader(201)
					return c.err
				}))
				resp, body := s.get(t, "GET", "/x/secret?token=secret")
				delete(resp.Header, "Date")
				f, _ := errors.AsType[*Failure](c.err)
				message := ""
				if f != nil {
					message = f.Message
				}
				want := http.Header{"Content-Length": {strconv.Itoa(len(message))}}
				for k, v := range c.header {
					want[k] = v
				}
				if d := cmp.Diff(want, resp.Header); d != "" {
					t.Errorf("headers (-want +got):\n%s", d)
				}
				if resp.StatusCode != c.status || body != message {
					t.Errorf("%d %q", resp.StatusCode, body)
				}
				line := s.failures(t, zapcore.DebugLevel, 1)[0]
				m := line.ContextMap()
				if line.Level != c.level || m["kind"] != c.kind || m["component"] != "c" || m["route"] != "/x/:y" || m["method"] != "GET" {
					t.Errorf("log line %s %v", line.Level, m)
				}
				if id, _ := m["request_id"].(string); !strings.HasPrefix(id, processID) {
					t.Errorf("request id %v", m["request_id"])
				}
				if strings.Contains(c.name, "trap") {
					if d := cmp.Diff([]any{"f", "g"}, m["backtrace"]); d != "" {
						t.Errorf("backtrace (-want +got):\n%s", d)
					}
					if !strings.Contains(m["error"].(string), "engine text") {
						t.Errorf("error %v", m["error"])
					}
				} else if _, ok := m["backtrace"]; ok {
					t.Error("a backtrace out of nowhere")
				}
			})
		}
	})
}

func TestFailureAfterTheHead(t *testing.T) {
	for _, c := range []struct {
		name  string
		write func(w http.ResponseWriter) error
		body  string
	}{
		{"flushed head", func(w http.ResponseWriter) error { return http.NewResponseController(w).Flush() }, ""},
		{"flushed body", func(w http.ResponseWriter) error {
			if _, err := io.WriteString(w, "half"); err != nil {
				return err
			}
			return http.NewResponseController(w).Flush()
		}, "half"},
		{"counted body", func(w http.ResponseWriter) error {
			w.Header().Set("Content-Length", "10")
			if _, err := io.WriteString(w, "half"); err != nil {
				return err
			}
			return http.NewResponseController(w).Flush()
		}, "half"},
		{"unflushed body", func(w http.ResponseWriter) error {
			_, err := io.WriteString(w, "half")
			return err
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			forEachMode(t, func(t *testing.T, mode string) {
				proceed := make(chan struct{})
				s := newSite(t, mode, Options{}, ServerOptions{}, exec("/...", func(w http.ResponseWriter, r *Request) error {
					if err := c.write(w); err != nil {
						return err
					}
					if strings.HasPrefix(c.name, "un") {
						return &Failure{Kind: KindTrap, Err: errors.New("boom")}
					}
					<-proceed
					return &Failure{Kind: KindTrap, Err: errors.New("boom")}
				}))
				req, err := http.NewRequestWithContext(t.Context(), "GET", s.base+"/", nil)
				if err != nil {
					t.Fatal(err)
				}
				resp, err := s.client.Do(req)
				close(proceed)
				if err == nil {
					var body []byte
					body, err = io.ReadAll(resp.Body)
					resp.Body.Close()
					if resp.StatusCode != 200 || string(body) != c.body {
						t.Errorf("%d %q", resp.StatusCode, body)
					}
				} else if !strings.HasPrefix(c.name, "un") {
					t.Errorf("the head did not arrive: %v", err)
				}
				if err == nil {
					t.Error("the client takes the response for complete")
				}
				line := s.failures(t, zapcore.InfoLevel, 1)[0]
				if line.ContextMap()["kind"] != "trap" || !strings.Contains(line.Message, "middle") {
					t.Errorf("log line %v", line)
				}
			})
		})
	}
}

func TestPanic(t *testing.T) {
	forEachMode(t, func(t *testing.T, mode string) {
		s := newSite(t, mode, Options{}, ServerOptions{}, exec("/...", func(w http.ResponseWriter, r *Request) error {
			if r.Path == "/late" {
				w.(http.Flusher).Flush()
			}
			panic("secret")
		}))
		resp, body := s.get(t, "GET", "/early")
		if resp.StatusCode != 500 || body != "" {
			t.Errorf("%d %q", resp.StatusCode, body)
		}
		line := s.failures(t, zapcore.ErrorLevel, 1)[0].ContextMap()
		if line["kind"] != "internal" || !strings.Contains(fmt.Sprint(line["stack"]), "failure_test.go") {
			t.Errorf("log line %v", line)
		}
		if _, _, err := s.do(t, "GET", "/late", ""); err == nil {
			t.Error("the client takes the response for complete")
		}
		s.failures(t, zapcore.ErrorLevel, 2)
	})
}

func TestInvalidStatusIsAFailure(t *testing.T) {
	forEachMode(t, func(t *testing.T, mode string) {
		for _, status := range []int{0, 99, 101, 1000, -1} {
			s := newSite(t, mode, Options{}, ServerOptions{}, exec("/...", func(w http.ResponseWriter, r *Request) error {
				w.WriteHeader(status)
				return nil
			}))
			if resp, _ := s.get(t, "GET", "/"); resp.StatusCode != 500 {
				t.Errorf("status %d gives %d", status, resp.StatusCode)
			}
			s.failures(t, zapcore.ErrorLevel, 1)
		}
	})
}

func TestTimeout(t *testing.T) {
	forEachMode(t, func(t *testing.T, mode string) {
		route := func(pattern string, f ExecutorFunc) Route {
			return Route{ID: "c", Pattern: pattern, Executor: f, Timeout: 100 * time.Millisecond}
		}
		s := newSite(t, mode, Options{StallTimeout: -1}, ServerOptions{},
			route("/wait", func(w http.ResponseWriter, r *Request) error { return waitDone(r.Context()) }),
			route("/trap", func(w http.ResponseWriter, r *Request) error {
				return fmt.Errorf("interrupted: %w", waitDone(r.Context()))
			}),
			route("/read", func(w http.ResponseWriter, r *Request) error {
				_, err := io.ReadAll(r.Body)
				return err
			}),
			route("/hint", func(w http.ResponseWriter, r *Request) error {
				w.WriteHeader(http.StatusEarlyHints)
				return waitDone(r.Context())
			}),
			route("/late", func(w http.ResponseWriter, r *Request) error {
				w.(http.Flusher).Flush()
				return waitDone(r.Context())
			}),
			route("/flood", func(w http.ResponseWriter, r *Request) error {
				for {
					if _, err := w.Write(make([]byte, 1<<20)); err != nil {
						return err
					}
				}
			}),
		)
		n := 0
		for _, path := range []string{"/wait", "/trap", "/read", "/hint"} {
			body, w := io.Pipe()
			req, err := http.NewRequestWithContext(t.Context(), "POST", s.base+path, body)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := s.client.Do(req)
			w.Close()
			n++
			if err != nil {
				t.Errorf("%s: %v", path, err)
				continue
			}
			b, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if resp.StatusCode != 504 || len(b) > 0 || err != nil {
				t.Errorf("%s: %d %q %v", path, resp.StatusCode, b, err)
			}
			if kind := s.failures(t, zapcore.ErrorLevel, n)[n-1].ContextMap()["kind"]; kind != "timeout" {
				t.Errorf("%s: kind %v", path, kind)
			}
		}

		if _, _, err := s.do(t, "GET", "/late", ""); err == nil {
			t.Error("/late: the client takes the response for complete")
		}
		n++
		s.failures(t, zapcore.ErrorLevel, n)

		// A client that does not read cannot hold a guest beyond its deadline.
		req, err := http.NewRequestWithContext(t.Context(), "GET", s.base+"/flood", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := s.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		n++
		if kind := s.failures(t, zapcore.ErrorLevel, n)[n-1].ContextMap()["kind"]; kind != "timeout" {
			t.Errorf("/flood: kind %v", kind)
		}
		resp.Body.Close()
	})
}

func TestReportLate(t *testing.T) {
	forEachMode(t, func(t *testing.T, mode string) {
		proceed, done := make(chan struct{}), make(chan struct{})
		s := newSite(t, mode, Options{}, ServerOptions{}, exec("/...", func(w http.ResponseWriter, r *Request) error {
			go func() {
				defer close(done)
				<-proceed
				r.ReportLate(&Failure{Kind: KindTrap, Err: &trapError{[]string{"f"}}})
			}()
			_, err := io.WriteString(w, "whole")
			return err
		}))
		resp, body := s.get(t, "GET", "/")
		close(proceed)
		<-done
		if resp.StatusCode != 200 || body != "whole" {
			t.Errorf("%d %q", resp.StatusCode, body)
		}
		line := s.failures(t, zapcore.ErrorLevel, 1)[0]
		if line.ContextMap()["kind"] != "trap" || !strings.Contains(line.Message, "complete") {
			t.Errorf("log line %v", line)
		}
	})
}

func TestClassify(t *testing.T) {
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	late, cancel := context.WithDeadline(context.Background(), time.Now().Add(-time.Second))
	defer cancel()
	fine := context.Background()
	boom := errors.New("boom")
	tests := []struct {
		name       string
		ctx        context.Context
		err, write error
		want       Kind
	}{
		{"plain", fine, boom, nil, KindInternal},
		{"canceled", canceled, boom, nil, KindClientGone},
		{"late", late, boom, nil, KindTimeout},
		{"late and unwritable", late, boom, boom, KindTimeout},
		{"unwritable", fine, boom, boom, KindClientGone},
		{"stalled", fine, fmt.Errorf("read: %w", os.ErrDeadlineExceeded), nil, KindClientGone},
		{"aborted", fine, http.ErrAbortHandler, nil, KindClientGone},
		{"a trap is a trap", canceled, &Failure{Kind: KindTrap}, boom, KindTrap},
	}
	for _, c := range tests {
		if got := classify(c.ctx, c.err, c.write).Kind; got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestFailureText(t *testing.T) {
	tests := map[string]*Failure{
		"trap: boom":  {Kind: KindTrap, Err: errors.New("boom")},
		"no-response": {Kind: KindNoResponse},
		"kind(200)":   {Kind: 200},
	}
	for want, f := range tests {
		if f.Error() != want {
			t.Errorf("%q, want %q", f.Error(), want)
		}
	}
}
