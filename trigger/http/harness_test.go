package httptrigger

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// modes are the protocols every test of the handler runs over.
var modes = []string{"h1", "h2c"}

// site is an application being served, with a client for it.
type site struct {
	mode    string
	base    string
	addr    string
	handler *Handler
	client  *http.Client
	logs    *observer.ObservedLogs
}

// forEachMode runs test once for each protocol.
func forEachMode(t *testing.T, test func(t *testing.T, mode string)) {
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) { test(t, mode) })
	}
}

func newSite(t *testing.T, mode string, o Options, so ServerOptions, routes ...Route) *site {
	t.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	o.Log = zap.New(core)
	h, err := NewHandler(App{Name: "app", Version: "1.0", Routes: routes}, o)
	if err != nil {
		t.Fatal(err)
	}
	s := newServedSite(t, mode, h, so)
	s.handler, s.logs = h, logs
	return s
}

// newServedSite serves any handler.
func newServedSite(t *testing.T, mode string, h http.Handler, so ServerOptions) *site {
	t.Helper()
	ln, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := NewServer(h, so)
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()

	tr := &http.Transport{Protocols: new(http.Protocols), DisableCompression: true}
	if mode == "h2c" {
		tr.Protocols.SetUnencryptedHTTP2(true)
	} else {
		tr.Protocols.SetHTTP1(true)
	}
	t.Cleanup(func() {
		tr.CloseIdleConnections()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return &site{
		mode: mode, base: server.BaseURL(ln.Addr()), addr: ln.Addr().String(),
		client: &http.Client{
			Transport:     tr,
			Timeout:       20 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// exec is an Executor and a route for it.
func exec(pattern string, f func(w http.ResponseWriter, r *Request) error) Route {
	return Route{ID: "c", Pattern: pattern, Executor: ExecutorFunc(f)}
}

// do sends a request and reads the whole response.
func (s *site) do(t *testing.T, method, path, body string) (*http.Response, string, error) {
	t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, s.base+path, r)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	if want := map[string]int{"h1": 1, "h2c": 2}[s.mode]; resp.ProtoMajor != want {
		t.Errorf("the client speaks %s", resp.Proto)
	}
	b, err := io.ReadAll(resp.Body)
	return resp, string(b), err
}

// get is do for requests that must succeed.
func (s *site) get(t *testing.T, method, path string) (*http.Response, string) {
	t.Helper()
	resp, body, err := s.do(t, method, path, "")
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return resp, body
}

// failures waits for n log lines at or above level, and fails the test if there
// are more.
func (s *site) failures(t *testing.T, level zapcore.Level, n int) []observer.LoggedEntry {
	t.Helper()
	var lines []observer.LoggedEntry
	eventually(t, "log lines", func() bool {
		lines = s.logs.Filter(func(e observer.LoggedEntry) bool {
			return e.Level >= level && strings.Contains(e.Message, "failed")
		}).All()
		return len(lines) >= n
	})
	if len(lines) != n {
		t.Fatalf("%d log lines, want %d: %v", len(lines), n, lines)
	}
	return lines
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("timed out waiting for %s", what)
		}
	}
}

// raw sends bytes on a new connection and returns everything that comes back.
func (s *site) raw(t *testing.T, request string) string {
	t.Helper()
	conn := s.dial(t)
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(conn)
	if err != nil && !errors.Is(err, io.EOF) && len(b) == 0 && !isReset(err) {
		t.Fatal(err)
	}
	return string(b)
}

func isReset(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && !op.Timeout()
}

func (s *site) dial(t *testing.T) net.Conn {
	t.Helper()
	var d net.Dialer
	conn, err := d.DialContext(t.Context(), "tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// statuses returns the status codes of the responses in the order they came.
func statuses(t *testing.T, stream string) (codes []int) {
	t.Helper()
	r := bufio.NewReader(strings.NewReader(stream))
	for {
		if _, err := r.Peek(1); err != nil {
			return codes
		}
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatalf("%v in %q", err, stream)
		}
		codes = append(codes, resp.StatusCode)
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Fatal(err)
		}
	}
}

// waitDone returns the error of ctx once it has ended.
func waitDone(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(15 * time.Second):
		return errors.New("the context of the request never ended")
	}
}
