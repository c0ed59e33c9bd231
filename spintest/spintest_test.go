package spintest

import (
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/minispin/minispin/guests"
	"github.com/minispin/minispin/host/files"
	"github.com/minispin/minispin/trigger/http/app"
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

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	text := fmt.Sprintf("spin_manifest_version = 2\n[application]\nname = \"fs\"\n[[trigger.http]]\nroute = \"/...\"\n"+
		"component = { source = %q, files = [\"a.txt\", \"none/*\"] }\n", guests.Path(t, "rust-files"))
	for name, content := range map[string]string{"spin.toml": text, "a.txt": "a file"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		access files.Access
		status int
		want   string // a.txt afterwards
	}{{files.ReadOnly, 403, "a file"}, {files.ReadWrite, 200, "written"}} {
		app, r := load(t, dir, Options{Files: app.Files{Access: tt.access}})
		if app == nil {
			t.Fatal(r.text())
		}
		if !strings.Contains(r.text(), `"none/*" matches no file`) {
			t.Errorf("told %q", r.text())
		}
		if resp := app.Do(httptest.NewRequest("PUT", "/a.txt", strings.NewReader("written"))); resp.StatusCode != tt.status {
			t.Errorf("PUT: %d", resp.StatusCode)
		}
		resp := app.Do(httptest.NewRequest("GET", "/a.txt", nil))
		if b, _ := io.ReadAll(resp.Body); string(b) != tt.want {
			t.Errorf("a.txt is %q", b)
		}
		for _, f := range r.cleanups {
			f()
		}
	}
	if b, _ := os.ReadFile(filepath.Join(dir, "a.txt")); string(b) != "a file" {
		t.Errorf("the original is %q", b)
	}
}
