package spintest

import (
	"fmt"
	"io"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// recorder is a test whose failures can be looked at.
type recorder struct {
	testing.TB
	mu       sync.Mutex
	log      []string
	cleanups []func()
}

func (r *recorder) Helper() {}

func (r *recorder) Log(args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log = append(r.log, fmt.Sprint(args...))
}

func (r *recorder) Errorf(format string, args ...any) { r.Log(fmt.Sprintf(format, args...)) }

func (r *recorder) Fatal(args ...any) {
	r.Log(args...)
	runtime.Goexit()
}

func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }

func (r *recorder) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.log, "\n")
}

func load(t *testing.T, path string, o Options) (app *App, r *recorder) {
	r = &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		app = Load(r, path, o)
	}()
	<-done
	return app, r
}

func TestWhatDoesNotLoadEndsTheTest(t *testing.T) {
	for path, want := range map[string]string{
		"testdata/none":    "no such file",
		"spintest_test.go": "not valid TOML",
	} {
		app, r := load(t, path, Options{})
		if app != nil || !strings.Contains(r.text(), want) {
			t.Errorf("%s: %q", path, r.text())
		}
	}
	app, r := load(t, "testdata/greeting", Options{Strategy: "none"})
	if app != nil || !strings.Contains(r.text(), "none") {
		t.Errorf("a strategy that does not exist: %q", r.text())
	}
}

func TestLogIsTheTests(t *testing.T) {
	app, r := load(t, "testdata/greeting", Options{Env: map[string]string{"NAME": "test"}})
	if app == nil {
		t.Fatal(r.text())
	}
	app.Do(httptest.NewRequest("GET", "/hello", nil))
	if !strings.Contains(r.text(), "greeting stderr: greeting somebody") {
		t.Errorf("output: %q", r.text())
	}
	resp := app.Do(httptest.NewRequest("GET", "/wasi/env", nil))
	if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "NAME=test\n" {
		t.Errorf("environment: %q, %v", body, err)
	}
	if resp := app.Do(httptest.NewRequest("GET", "/wasi/trap", nil)); resp.StatusCode != 500 || !strings.Contains(r.text(), "request failed") {
		t.Errorf("a trap: %d, %q", resp.StatusCode, r.text())
	}
	for _, f := range r.cleanups {
		f()
	}
	lines := r.text()
	if resp := app.Do(httptest.NewRequest("GET", "/wasi/env", nil)); resp.StatusCode != 503 {
		t.Errorf("after the end: %d", resp.StatusCode)
	}
	if r.text() != lines {
		t.Error("a test that is over is written to")
	}
}
