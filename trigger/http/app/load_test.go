package app

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/minispin/minispin/guests"
	"github.com/minispin/minispin/instancepool"
	"github.com/minispin/minispin/internal/cwasm"
	"github.com/minispin/minispin/manifest"
)

// file writes a file for a guest's source.
func file(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// refused loads an application that cannot be, and returns the error. Nothing of
// it may be left.
func refused(t *testing.T, all ...guest) error {
	t.Helper()
	return notLoaded(t, parse(t, application(t, all...)))
}

func notLoaded(t *testing.T, m *manifest.App) error {
	t.Helper()
	open := len(cwasm.OpenObjects())
	a, err := Load(t.Context(), m, Options{Strategy: string(instancepool.PreInstance), CacheDir: cacheDir})
	if err == nil {
		a.Close()
		t.Fatal("the application is loaded")
	}
	if n := len(cwasm.OpenObjects()); n != open || cwasm.LiveStores() != 0 {
		t.Errorf("%d objects of the engine are left, %d stores", n-open, cwasm.LiveStores())
	}
	return err
}

const (
	command = `(component
		(core module $m (func (export "run") (result i32) (i32.const 0)))
		(core instance $m (instantiate $m))
		(func $run (result (result)) (canon lift (core func $m "run")))
		(instance $i (export "run" (func $run)))
		(export "wasi:cli/run@0.2.0" (instance $i)))`
	twoHandlers = `(component
		(core module $m (func (export "f")))
		(core instance $m (instantiate $m))
		(func $f (canon lift (core func $m "f")))
		(instance $i (export "handle" (func $f)))
		(export "wasi:http/incoming-handler@0.2.0" (instance $i))
		(export "fermyon:spin/inbound-http" (instance $i)))`
)

// handlerNamed is a component with one export.
func handlerNamed(name, function string) string {
	return strings.NewReplacer("NAME", name, "FUNCTION", function).Replace(`(component
		(core module $m (func (export "f")))
		(core instance $m (instantiate $m))
		(func $f (canon lift (core func $m "f")))
		(instance $i (export "FUNCTION" (func $f)))
		(export "NAME" (instance $i)))`)
}

func TestRefusedComponents(t *testing.T) {
	whole := guests.Wasm(t, "rust-wasi-http")
	for _, tt := range []struct {
		name     string
		file     string // its extension decides how it is read
		content  string
		executor string
		want     []string // parts of the error
	}{
		{"empty", "c.wasm", "", "", []string{"empty"}},
		{"short", "c.wasm", "\x00asm", "", []string{"too short"}},
		{"text with the wrong extension", "c.wasm", "(component)", "", []string{"not WebAssembly"}},
		{"unknown version", "c.wasm", "\x00asm\x7f\x00\x00\x00", "", []string{"version"}},
		{"truncated", "c.wasm", string(whole[:len(whole)/2]), "", nil},
		{"text that does not parse", "c.wat", "(component", "", []string{"c.wat"}},
		{"no exports", "c.wat", "(component)", "", []string{"exports no HTTP handler", "exports nothing"}},
		{"other exports", "c.wat", handlerNamed("test:host/other", "f"), "", []string{"exports no HTTP handler", "test:host/other"}},
		{"two handlers", "c.wat", twoHandlers, "", []string{"multiple", "fermyon:spin/inbound-http, wasi:http/incoming-handler@0.2.0"}},
		{"a handler of a draft", "c.wat", handlerNamed("wasi:http/incoming-handler@0.2.0-rc-2023-12-05", "handle"), "", []string{"a version that this host does not call", "rc-2023-12-05", "rc-2023-10-18 or @0.2.0-rc-2023-11-10"}},
		{"a handler of WASI 0.3", "c.wat", handlerNamed("wasi:http/handler@0.3.0", "handle"), "", []string{"a version that this host does not call", "0.3.0"}},
		{"a handler of another type", "c.wat", handlerNamed("fermyon:spin/inbound-http", "handle-request"), "", []string{"handle-request"}},
		{"a handler without its function", "c.wat", handlerNamed("wasi:http/incoming-handler@0.2.0", "other"), "", []string{"handle"}},
		{"a module that is nothing", "c.wat", "(module)", "", []string{"exports no HTTP handler"}},
		{"a program without its executor", "c.wat", `(module (func (export "_start")))`, "", []string{"_start", `executor = { type = "wagi" }`}},
		{"a command without its executor", "c.wat", handlerNamed("wasi:cli/run@0.2.3", "run"), "", []string{"wasi:cli/run@0.2.3", `executor = { type = "wagi" }`}},
		{"a command of a candidate without its executor", "c.wat", handlerNamed("wasi:cli/run@0.2.0-rc-2023-10-18", "run"), "", []string{"wasi:cli/run@0.2.0-rc-2023-10-18", `executor = { type = "wagi" }`}},
		{"a component that is no program", "c.wat", handlerNamed("test:host/other", "f"), "wagi", []string{"WAGI", "neither _start nor wasi:cli/run"}},
		{"an unknown import", "c.wat", `(component (import "test:host/nowhere" (instance (export "f" (func)))))`, "", []string{"test:host/nowhere"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := refused(t, guest{id: "faulty", source: file(t, tt.file, []byte(tt.content)), executor: tt.executor})
			for _, part := range append(tt.want, "component faulty") {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q is not in the error: %v", part, err)
				}
			}
		})
	}
}

// Every component that cannot be loaded is named at once, and those that can be
// are freed.
func TestAllRefusedComponentsAreNamed(t *testing.T) {
	gone := file(t, "gone.wasm", nil)
	m := parse(t, application(t,
		guest{id: "gone", source: gone, route: "/gone"},
		guest{id: "good", source: "rust-inbound-http", route: "/good"},
		guest{id: "empty", source: file(t, "empty.wasm", nil), route: "/empty"},
	))
	if err := os.Remove(gone); err != nil { // after the manifest was checked
		t.Fatal(err)
	}
	err := notLoaded(t, m)
	for _, part := range []string{"component gone", "gone.wasm", "component empty"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in the error: %v", part, err)
		}
	}
	if strings.Contains(err.Error(), "good") {
		t.Errorf("the good component is named: %v", err)
	}
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the missing file is not in the chain: %v", err)
	}
}

// Whatever a file holds, it is refused or served, and nothing else happens.
func TestRandomComponents(t *testing.T) {
	whole := guests.Wasm(t, "rust-inbound-http")
	random := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		b := slices.Clone(whole)
		for range 1 + random.IntN(8) {
			b[random.IntN(len(b))] = byte(random.Uint32())
		}
		if random.IntN(3) == 0 {
			b = b[:random.IntN(len(b))]
		}
		m := parse(t, application(t, guest{id: "random", source: file(t, "c.wasm", b), settings: `deadline = "1s"`}))
		a, err := Load(t.Context(), m, Options{Strategy: string(instancepool.PreInstance)})
		if err != nil {
			continue
		}
		func() {
			defer a.Close()
			defer func() { _ = recover() }() // how a response breaks off
			a.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "GET", "/", nil))
		}()
	}
	if n := cwasm.LiveStores(); n != 0 {
		t.Errorf("%d stores are left", n)
	}
}

func TestUnsupportedManifest(t *testing.T) {
	text := application(t, guest{id: "c", source: "rust-inbound-http", extra: `files = ["static"]`})
	_, err := Load(t.Context(), parse(t, text), Options{})
	refusal, ok := errors.AsType[*manifest.Error](err)
	if !ok || len(refusal.Diagnostics) != 1 || !strings.Contains(err.Error(), "files") {
		t.Errorf("got %v", err)
	}
}

func TestUnknownStrategy(t *testing.T) {
	_, err := Load(t.Context(), parse(t, application(t, guest{id: "c", source: "rust-inbound-http"})), Options{Strategy: "fast"})
	if err == nil || !strings.Contains(err.Error(), "component c") || !strings.Contains(err.Error(), "pooled") {
		t.Errorf("got %v", err)
	}
	_, err = Load(t.Context(), parse(t, application(t, guest{id: "c", source: "c-wagi", executor: "wagi"})), Options{Strategy: "reuse"})
	if err == nil || !strings.Contains(err.Error(), "reuse") {
		t.Errorf("a program under reuse: got %v", err)
	}
}

func TestLoadEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Load(ctx, parse(t, application(t, guest{id: "c", source: "rust-inbound-http"})), Options{Strategy: "pre-instance"})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// A component is compiled once, however many triggers and executors use it, and
// one that only triggers out of reach use not at all.
func TestSharedComponent(t *testing.T) {
	text := application(t, guest{id: "c", source: "rust-inbound-http", route: "/a"}, guest{id: "shadowed", source: file(t, "broken.wasm", []byte("junk")), route: "/b"})
	text = strings.Replace(text, `route = "/b"`, `route = "/a"`, 1) + `
[[trigger.http]]
route = "/c"
component = "c"
[[trigger.http]]
route = { private = true }
component = "c"
[[trigger.http]]
route = "/static"
static_response = { status_code = 201, headers = { a = "b" }, body = "as written" }
`
	compiled := map[string]int{}
	a, err := Load(t.Context(), parse(t, text), Options{Strategy: "pre-instance", Progress: func(component string, done, total int) {
		if done == total {
			compiled[component]++
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if want := map[string]int{"c": 1}; !maps.Equal(compiled, want) {
		t.Errorf("compiled %v, want %v", compiled, want)
	}
	for path, want := range map[string]int{"/a": 404, "/c": 404, "/b": 404, "/static": 201} {
		w := httptest.NewRecorder()
		a.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
		if w.Code != want || (path == "/b") != (w.Body.Len() == 0) {
			t.Errorf("%s: %d %q", path, w.Code, w.Body)
		}
	}
}

// A component may be a handler and a program at once.
func TestTwoExecutorsOfOneComponent(t *testing.T) {
	wat := strings.Replace(command, `(export "wasi:cli/run@0.2.0"`, `(func $f (canon lift (core func $m "run2")))
		(instance $other (export "f" (func $f)))
		(export "test:host/other" (instance $other))
		(export "wasi:cli/run@0.2.0"`, 1)
	wat = strings.Replace(wat, `(core module $m`, `(core module $m (func (export "run2"))`, 1)
	text := application(t, guest{id: "c", source: file(t, "c.wat", []byte(wat)), executor: "wagi", route: "/cgi"})
	a, err := Load(t.Context(), parse(t, text), Options{Strategy: "pre-instance"})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	w := httptest.NewRecorder()
	a.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/cgi", nil))
	if w.Code != 500 { // it prints nothing
		t.Errorf("the program: %d", w.Code)
	}

	// As a handler it is none, which keeps it from being loaded for either.
	_, err = Load(t.Context(), parse(t, text+"[[trigger.http]]\nroute = \"/http\"\ncomponent = \"c\"\n"), Options{Strategy: "pre-instance"})
	if err == nil || !strings.Contains(err.Error(), "exports no HTTP handler") {
		t.Errorf("got %v", err)
	}
}

func TestEnvironment(t *testing.T) {
	for _, tt := range []struct {
		base, over map[string]string
		want       [][2]string
	}{
		{nil, nil, [][2]string{}},
		{map[string]string{"b": "1", "a": "2"}, nil, [][2]string{{"a", "2"}, {"b", "1"}}},
		{nil, map[string]string{"a": "1"}, [][2]string{{"a", "1"}}},
		{map[string]string{"a": "1", "b": "2"}, map[string]string{"b": "3", "c": ""}, [][2]string{{"a", "1"}, {"b", "3"}, {"c", ""}}},
	} {
		if got := environment(tt.base, tt.over); !slices.Equal(got, tt.want) {
			t.Errorf("%v over %v: %q, want %q", tt.over, tt.base, got, tt.want)
		}
		if tt.base["c"] != "" || tt.base["b"] == "3" {
			t.Error("the manifest's own map was changed")
		}
	}
}
