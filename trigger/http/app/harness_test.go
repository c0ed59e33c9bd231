package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/guests"
	"github.com/minispin/minispin/host"
	"github.com/minispin/minispin/instancepool"
	"github.com/minispin/minispin/internal/cwasm"
	"github.com/minispin/minispin/manifest"
	httptrigger "github.com/minispin/minispin/trigger/http"
)

// cacheDir holds the compiled code of all tests, each guest compiled once for
// every strategy.
var cacheDir string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

// testMain runs the tests, and fails the run when they left an instance, an
// object of the engine or a goroutine behind.
func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "minispin-app-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	cacheDir = filepath.Join(dir, "cache")
	if code := m.Run(); code != 0 {
		return code
	}
	if n := cwasm.LiveStores(); n > 0 {
		fmt.Fprintf(os.Stderr, "%d stores were not closed\n", n)
		return 1
	}
	for _, o := range cwasm.OpenObjects() {
		fmt.Fprintf(os.Stderr, "not closed: %s\n", o)
		return 1
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// mode is a strategy and a protocol, for which every test of requests runs.
type mode struct {
	strategy instancepool.Strategy
	protocol string // "h1" or "h2c"
}

// served are the strategies of servers that give every request a fresh instance.
// Those for measuring do the same with more work, and reuse promises less.
var served = []instancepool.Strategy{instancepool.PreInstance, instancepool.Pooled, instancepool.Reset}

// forEachMode runs test for each served strategy over each protocol.
func forEachMode(t *testing.T, test func(t *testing.T, m mode)) {
	for _, strategy := range served {
		if err := component.ResetSupported(); strategy == instancepool.Reset && err != nil {
			t.Run(string(strategy), func(t *testing.T) { t.Skipf("the strategy reset: %v", err) })
			continue
		}
		for _, protocol := range []string{"h1", "h2c"} {
			t.Run(string(strategy)+"/"+protocol, func(t *testing.T) { test(t, mode{strategy, protocol}) })
		}
	}
}

// forEachReuse is forEachMode with one of reuse.
func forEachReuse(t *testing.T, test func(t *testing.T, m mode)) {
	forEachMode(t, test)
	t.Run("reuse/h1", func(t *testing.T) { test(t, mode{instancepool.Reuse, "h1"}) })
}

// site is a loaded application on a socket, with a client for it.
type site struct {
	mode   mode
	app    *App
	server *httptrigger.Server
	base   string
	addr   string
	client *http.Client
	logs   *observer.ObservedLogs
	output *recorder
}

// guest is a component of a test's application.
type guest struct {
	id       string
	source   string // the name of a guest, or the path of a file
	route    string // "" for /...
	executor string // "" for http
	settings string // lines of its table tool.minispin
	extra    string // other lines of its table
}

// application writes a manifest for components.
func application(t testing.TB, all ...guest) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("spin_manifest_version = 2\n[application]\nname = \"test\"\nversion = \"1.2.3\"\n")
	for _, g := range all {
		path := g.source
		if !filepath.IsAbs(path) {
			path = guests.Path(t, g.source)
		}
		route, executor := g.route, g.executor
		if route == "" {
			route = "/..."
		}
		if executor == "" {
			executor = "http"
		}
		fmt.Fprintf(&b, "[[trigger.http]]\nroute = %q\ncomponent = %q\nexecutor = { type = %q }\n", route, g.id, executor)
		fmt.Fprintf(&b, "[component.%s]\nsource = %q\n%s\n", g.id, path, g.extra)
		if g.settings != "" {
			fmt.Fprintf(&b, "[component.%s.tool.minispin]\n%s\n", g.id, g.settings)
		}
	}
	return b.String()
}

// parse reads a manifest.
func parse(t testing.TB, text string) *manifest.App {
	t.Helper()
	m, err := manifest.Parse([]byte(text), "spin.toml", t.TempDir(), manifest.Options{Strategies: instancepool.Names(), Supports: Supports})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// serve loads an application and puts it on a socket until the test ends, when
// no guest may be left.
func serve(t testing.TB, m mode, manifestText string, more ...func(*component.Linker) error) *site {
	t.Helper()
	return serveApp(t, m, parse(t, manifestText), Options{}, more...)
}

// serveApp is serve with options; strategy, log, output and cache are the test's.
func serveApp(t testing.TB, m mode, of *manifest.App, o Options, more ...func(*component.Linker) error) *site {
	t.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	s := &site{mode: m, logs: logs, output: &recorder{}}
	define := func(l *component.Linker) error {
		for _, f := range append([]func(*component.Linker) error{host.Define}, more...) {
			if err := f(l); err != nil {
				return err
			}
		}
		return nil
	}
	o.Strategy, o.Log, o.Output, o.CacheDir = string(m.strategy), zap.New(core), s.output, cacheDir
	a, err := load(t.Context(), of, o, define)
	if err != nil {
		t.Fatal(err)
	}
	s.app = a
	t.Cleanup(a.Close)
	s.listen(t, a)
	return s
}

func (s *site) listen(t testing.TB, h http.Handler) {
	t.Helper()
	ln, err := httptrigger.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.server = httptrigger.NewServer(h, httptrigger.ServerOptions{})
	served := make(chan error, 1)
	go func() { served <- s.server.Serve(ln) }()
	s.base, s.addr = s.server.BaseURL(ln.Addr()), ln.Addr().String()

	tr := &http.Transport{Protocols: new(http.Protocols), DisableCompression: true, MaxIdleConnsPerHost: 100}
	tr.Protocols.SetHTTP1(s.mode.protocol != "h2c")
	tr.Protocols.SetUnencryptedHTTP2(s.mode.protocol == "h2c")
	s.client = &http.Client{
		Transport: tr, Timeout: 60 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.Cleanup(func() {
		tr.CloseIdleConnections()
		if err := s.server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
		s.noGuests(t)
	})
}

// busy reports whether a request is under way, for which a guest has or waits
// for an instance.
func (s *site) busy() bool {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	for _, p := range s.app.pools {
		if p.Wait(over) != nil {
			return true
		}
	}
	return false
}

// noGuests waits until no request is under way, and no instance left of any but
// those that the strategy keeps.
func (s *site) noGuests(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for _, p := range s.app.pools {
		if err := p.Wait(ctx); err != nil {
			t.Fatalf("waiting for requests to end: %v", err)
		}
	}
	if s.mode.strategy != instancepool.Reset && s.mode.strategy != instancepool.Reuse {
		eventually(t, "all instances to end", func() bool { return cwasm.LiveStores() == 0 })
	}
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("timed out waiting for %s", what)
		}
	}
}

// answer is a response, read to its end.
type answer struct {
	*http.Response
	body string
	err  error // of reading the body
}

// send sends a request. Fields are "name: value".
func (s *site) send(ctx context.Context, method, path string, body io.Reader, fields ...string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, s.base+path, body)
	if err != nil {
		return nil, err
	}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		req.Header.Add(name, value)
	}
	return s.client.Do(req)
}

// do sends a request and reads the response.
func (s *site) do(t testing.TB, method, path, body string, fields ...string) answer {
	t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	resp, err := s.send(t.Context(), method, path, r, fields...)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	if want := map[string]int{"h1": 1, "h2c": 2}[s.mode.protocol]; resp.ProtoMajor != want {
		t.Errorf("the client speaks %s", resp.Proto)
	}
	b, err := io.ReadAll(resp.Body)
	return answer{resp, string(b), err}
}

// expect sends a request that must be answered with a status and a body.
func (s *site) expect(t testing.TB, method, path, body string, status int, want string, fields ...string) answer {
	t.Helper()
	a := s.do(t, method, path, body, fields...)
	if a.err != nil {
		t.Errorf("%s %s: reading the response: %v", method, path, a.err)
	}
	if a.StatusCode != status || a.body != want {
		t.Errorf("%s %s: got %d %q, want %d %q", method, path, a.StatusCode, a.body, status, want)
	}
	return a
}

// seed is the reference exchange.
func (s *site) seed(t testing.TB, prefix, want string) {
	t.Helper()
	a := s.expect(t, "POST", prefix+"/foo?a=b", "hello, world!", 200, want, "what: up")
	if got := a.Header.Values("Content-Type"); len(got) != 1 || got[0] != "text/plain" {
		t.Errorf("content-type %q", got)
	}
}

// failure waits for the one log line of a failed request since the last call.
func (s *site) failure(t testing.TB) observer.LoggedEntry {
	t.Helper()
	failed := func() []observer.LoggedEntry {
		return s.logs.Filter(func(e observer.LoggedEntry) bool { return strings.Contains(e.Message, "failed") }).All()
	}
	eventually(t, "the log line of a failure", func() bool { return len(failed()) > 0 })
	s.noGuests(t) // a second line would come before the guest is gone
	lines := failed()
	s.logs.TakeAll()
	if len(lines) != 1 {
		t.Fatalf("%d log lines, want 1: %v", len(lines), lines)
	}
	if id, ok := lines[0].ContextMap()["request_id"].(string); !ok || id == "" {
		t.Errorf("the log line has no request id: %v", lines[0].ContextMap())
	}
	return lines[0]
}

// expectFailure checks the log line of a failure.
func (s *site) expectFailure(t testing.TB, component string, kind httptrigger.Kind) observer.LoggedEntry {
	t.Helper()
	e := s.failure(t)
	fields := e.ContextMap()
	if fields["component"] != component || fields["kind"] != kind.String() {
		t.Errorf("log line %q %v, want the component %s and the kind %s", e.Message, fields, component, kind)
	}
	level := zapcore.ErrorLevel
	switch kind {
	case httptrigger.KindClientGone:
		level = zapcore.DebugLevel
	case httptrigger.KindOverload:
		level = zapcore.WarnLevel
	}
	if e.Level != level {
		t.Errorf("log line at level %v, want %v", e.Level, level)
	}
	return e
}

// quiet fails the test if a failure was logged.
func (s *site) quiet(t testing.TB) {
	t.Helper()
	s.noGuests(t)
	for _, e := range s.logs.TakeAll() {
		if e.Level > zapcore.DebugLevel {
			t.Errorf("log line: %v %v", e.Message, e.ContextMap())
		}
	}
}

// recorder is an Output that keeps everything.
type recorder struct {
	mu     sync.Mutex
	lines  []string
	open   int
	closed int
}

func (r *recorder) Writer(component, request string, stream Stream) io.Writer {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open++
	return &recording{r: r, prefix: fmt.Sprintf("%s %v: ", component, stream), request: request}
}

// take returns what was printed, in the order of lines, once all writers are
// closed.
func (r *recorder) take(t testing.TB) []string {
	t.Helper()
	eventually(t, "the output to be closed", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.open == r.closed
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	lines := r.lines
	r.lines = nil
	return lines
}

type recording struct {
	r       *recorder
	prefix  string
	request string
	b       bytes.Buffer
}

func (w *recording) Write(p []byte) (int, error) {
	w.r.mu.Lock()
	defer w.r.mu.Unlock()
	return w.b.Write(p)
}

func (w *recording) Close() error {
	w.r.mu.Lock()
	defer w.r.mu.Unlock()
	if w.request == "" {
		return errors.New("a writer without a request id")
	}
	w.r.closed++
	for line := range strings.Lines(w.b.String()) {
		w.r.lines = append(w.r.lines, w.prefix+line)
	}
	return nil
}
