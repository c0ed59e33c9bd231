package spintest

import (
	"bytes"
	"cmp"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/minispin/minispin/host/outbound"
	"github.com/minispin/minispin/host/outgoing"
	"github.com/minispin/minispin/instancepool"
	"github.com/minispin/minispin/manifest"
	"github.com/minispin/minispin/trigger/http/app"
	"github.com/minispin/minispin/variables"
)

// Options say how a test wants its application. The zero value is a good one.
type Options struct {
	// Env are environment variables for all components, over the manifest's.
	Env map[string]string
	// Variables are values of the application's variables, over their defaults.
	Variables map[string]string
	// Strategy is how components are executed, over what the manifest says.
	// Empty means that instances are made on demand, which starts fastest.
	Strategy string
	// CacheDir is where compiled code is kept. Empty means minispin in the user's
	// cache directory.
	CacheDir string
	// Network lets components send requests to where their
	// allowed_outbound_hosts let them. Without it they reach the application
	// itself and nothing else.
	Network bool
	// Files say how components see their files. The zero value means copies that
	// they cannot change. Without a Dir, copies are made in one of the test's.
	Files app.Files
}

// App is an application under test: an http.Handler. It may be used by several
// goroutines at once, until the test that loaded it ends.
type App struct {
	app *app.App
	t   testing.TB

	mu     sync.Mutex
	ended  bool
	output bytes.Buffer
}

// Load loads the application at path: a manifest, a directory with a spin.toml, or
// a single .wasm or .wat file. What is wrong with it ends the test. The
// application is closed when the test and its subtests are over.
func Load(t testing.TB, path string, o Options) *App {
	t.Helper()
	m, err := manifest.Load(path, manifest.Options{Strategies: instancepool.Names(), Supports: app.Supports})
	if err != nil {
		t.Fatal(err)
	}
	a := &App{t: t}
	opts := app.Options{
		Strategy: cmp.Or(o.Strategy, string(instancepool.PreInstance)),
		Env:      o.Env, CacheDir: cmp.Or(o.CacheDir, cacheDir()),
		Log: a.logger(), Output: output{a}, Files: o.Files,
		Warn:      func(d manifest.Diagnostic) { a.log("Warning: " + d.String()) },
		Variables: []variables.Provider{variables.Static("spintest.Options", o.Variables)},
	}
	if opts.Files.Dir == "" {
		opts.Files.Dir = t.TempDir()
	}
	if !o.Network {
		everywhere, err := outbound.ParseNetworks([]string{"0.0.0.0/0", "::/0"})
		if err != nil {
			t.Fatal(err)
		}
		opts.Outgoing = outgoing.Options{Blocked: everywhere}
	}
	if a.app, err = app.Load(t.Context(), m, opts); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		a.app.Close()
		a.mu.Lock()
		a.ended = true // a test that is over has no log
		a.mu.Unlock()
	})
	return a
}

// cacheDir returns the usual directory for compiled code, "" if there is none.
func cacheDir() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "minispin")
}

// ServeHTTP answers a request as a server would.
func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.app.ServeHTTP(w, r) }

// Do answers a request, such as one that httptest.NewRequest made. The response's
// body is in memory and need not be closed. A response that the application breaks off
// fails the test.
func (a *App) Do(r *http.Request) *http.Response {
	a.t.Helper()
	w := httptest.NewRecorder()
	defer func() {
		switch v := recover(); v {
		case nil:
		case http.ErrAbortHandler:
			a.t.Errorf("%s %s: the response was broken off", r.Method, r.URL)
		default:
			panic(v)
		}
	}()
	a.ServeHTTP(w, r)
	return w.Result()
}

// Output returns what components have printed so far, standard output and
// standard error in the order in which they were written.
func (a *App) Output() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.output.String()
}

// log adds a line to the test's messages.
func (a *App) log(line string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.ended {
		a.t.Log(line)
	}
}

// logger returns the host's log, whose lines are the test's.
func (a *App) logger() *zap.Logger {
	enc := zap.NewDevelopmentEncoderConfig()
	enc.TimeKey = ""
	return zap.New(zapcore.NewCore(zapcore.NewConsoleEncoder(enc), logWriter{a}, zap.InfoLevel))
}

type logWriter struct{ app *App }

func (w logWriter) Write(p []byte) (int, error) {
	w.app.log(strings.TrimSuffix(string(p), "\n"))
	return len(p), nil
}

func (w logWriter) Sync() error { return nil }

// output takes what components print.
type output struct{ app *App }

// Writer implements app.Output.
func (o output) Writer(component, request string, stream app.Stream) io.Writer {
	return &printed{app: o.app, prefix: component + " " + stream.String() + ": "}
}

// printed is what one request prints on one stream.
type printed struct {
	app    *App
	prefix string
	mu     sync.Mutex
	text   bytes.Buffer // not shown yet
}

func (p *printed) Write(b []byte) (int, error) {
	p.app.mu.Lock()
	p.app.output.Write(b)
	p.app.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text.Write(b)
	return len(b), nil
}

// Close shows the text when the guest has ended.
func (p *printed) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for line := range strings.Lines(p.text.String()) {
		p.app.log(p.prefix + strings.TrimSuffix(line, "\n"))
	}
	p.text.Reset()
	return nil
}
