package app

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/zap"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/host"
	hostfiles "github.com/minispin/minispin/host/files"
	"github.com/minispin/minispin/host/wasi/sockets"
	"github.com/minispin/minispin/manifest"
	httptrigger "github.com/minispin/minispin/trigger/http"
)

// probe is a dependency that reports how much it is told of the environment, what
// comes of asking for a variable, and what of a request to URI: 0 for success,
// else 10 and the case of the error; last, how many directories it has.
const probe = `(component
  (import "test:host/report" (instance $host (export "report" (func (param "n" u32)))))
  (import "wasi:cli/environment@0.2.0" (instance $env
    (export "get-environment" (func (result (list (tuple string string)))))))
  (import "fermyon:spin/variables@2.0.0" (instance $vars
    (type $e (variant (case "invalid-name" string) (case "undefined" string) (case "provider" string) (case "other" string)))
    (export "error" (type $error (eq $e)))
    (export "get" (func (param "name" string) (result (result string (error $error)))))))
  (import "fermyon:spin/http-types" (instance $types
    (type $error' (enum "success" "destination-not-allowed" "invalid-url" "request-error" "runtime-error" "too-many-requests"))
    (export "http-error" (type $error (eq $error')))
    (type $method' (enum "get" "post" "put" "delete" "patch" "head" "options"))
    (export "method" (type $method (eq $method')))
    (type $request' (record (field "method" $method) (field "uri" string) (field "headers" (list (tuple string string)))
      (field "params" (list (tuple string string))) (field "body" (option (list u8)))))
    (export "request" (type $request (eq $request')))
    (type $response' (record (field "status" u16) (field "headers" (option (list (tuple string string)))) (field "body" (option (list u8)))))
    (export "response" (type $response (eq $response')))))
  (alias export $types "request" (type $request))
  (alias export $types "response" (type $response))
  (alias export $types "http-error" (type $http-error))
  (import "fermyon:spin/http" (instance $http
    (alias outer 1 $request (type $q')) (export "request" (type $q (eq $q')))
    (alias outer 1 $response (type $p')) (export "response" (type $p (eq $p')))
    (alias outer 1 $http-error (type $e')) (export "http-error" (type $e (eq $e')))
    (export "send-request" (func (param "req" $q) (result (result $p (error $e)))))))
  (import "wasi:filesystem/types@0.2.0" (instance $fs (export "descriptor" (type (sub resource)))))
  (alias export $fs "descriptor" (type $descriptor))
  (import "wasi:filesystem/preopens@0.2.0" (instance $preopens
    (alias outer 1 $descriptor (type $d')) (export "descriptor" (type $d (eq $d')))
    (export "get-directories" (func (result (list (tuple (own $d) string)))))))
  (core module $memory
    (memory (export "memory") 1)
    (global $free (mut i32) (i32.const 4096))
    (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
      (global.get $free)
      (global.set $free (i32.and (i32.add (i32.add (global.get $free) (local.get $size)) (i32.const 7)) (i32.const -8)))))
  (core instance $memory (instantiate $memory))
  (core func $report (canon lower (func $host "report")))
  (core func $env (canon lower (func $env "get-environment") (memory $memory "memory") (realloc (func $memory "realloc"))))
  (core func $get (canon lower (func $vars "get") (memory $memory "memory") (realloc (func $memory "realloc"))))
  (core func $send (canon lower (func $http "send-request") (memory $memory "memory") (realloc (func $memory "realloc"))))
  (core func $dirs (canon lower (func $preopens "get-directories") (memory $memory "memory") (realloc (func $memory "realloc"))))
  (core module $m
    (import "" "memory" (memory 1))
    (import "" "dirs" (func $dirs (param i32)))
    (import "" "send" (func $send (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
    (import "" "report" (func $report (param i32)))
    (import "" "env" (func $env (param i32)))
    (import "" "get" (func $get (param i32 i32 i32)))
    (data (i32.const 0) "x")
    (data (i32.const 256) "URI")
    (func (export "fault")
      (call $env (i32.const 64))
      (call $report (i32.load (i32.const 68)))
      (call $get (i32.const 0) (i32.const 1) (i32.const 80))
      (call $report (if (result i32) (i32.load8_u (i32.const 80))
        (then (i32.add (i32.const 10) (i32.load8_u (i32.const 84))))
        (else (i32.const 0))))
      (call $send (i32.const 0) (i32.const 256) (i32.const LENGTH) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
        (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 96))
      (call $report (if (result i32) (i32.load8_u (i32.const 96))
        (then (i32.add (i32.const 10) (i32.load8_u (i32.const 100))))
        (else (i32.const 0))))
      (call $dirs (i32.const 112))
      (call $report (i32.load (i32.const 116)))))
  (core instance $i (instantiate $m (with "" (instance
    (export "memory" (memory $memory "memory"))
    (export "report" (func $report)) (export "env" (func $env)) (export "get" (func $get))
    (export "send" (func $send)) (export "dirs" (func $dirs))))))
  (func $fault (canon lift (core func $i "fault")))
  (instance $probe (export "fault" (func $fault)))
  (export "test:dep/probe@1.2.0" (instance $probe))
  (export "other" (instance $probe)))`

// probing is the probe as a file, which sends its requests to uri.
func probing(t testing.TB, uri string) string {
	return text(t, "probe", strings.NewReplacer("URI", uri, "LENGTH", fmt.Sprint(len(uri))).Replace(probe))
}

// reports is the host of test:host/report.
type reports struct {
	mu   sync.Mutex
	seen []uint32
}

func (r *reports) define(l *component.Linker) error {
	return l.Define(&component.Interface{Name: "test:host/report", Funcs: []component.Func{{
		Name: "report", Type: &abi.Func{Params: []abi.Field{{Name: "n", Type: abi.U32}}},
		Call: func(_ *component.Call, st []component.Raw) error {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.seen = append(r.seen, st[0].U32())
			return nil
		},
	}}})
}

func (r *reports) take() []uint32 {
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := r.seen
	r.seen = nil
	return seen
}

// depending is a component that calls its import for every request.
func depending(t testing.TB) string {
	wat := strings.NewReplacer(
		`"test:host/fault"`, `"test:dep/probe@1.0.0"`, "START", "", "HANDLE", "(call $fault) (call $answer)",
	).Replace(incomingText)
	return text(t, "main", wat)
}

// TestDependencies: what a dependency sees of the component's configuration.
func TestDependencies(t *testing.T) {
	const none, undefined, denied = 0, 11, 11
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	main, dep := depending(t), probing(t, server.URL)
	for _, tt := range []struct {
		name, key, value, more string
		want                   []uint32
	}{
		{"nothing", "test:dep", `path = %q`, "", []uint32{none, undefined, denied, none}},
		{"false", "test:dep/probe", `path = %q, inherit_configuration = false`, "", []uint32{none, undefined, denied, none}},
		{"another set", "test:dep@1.0.0", `path = %q, inherit_configuration = ["ai_models", "key_value_stores"]`, "", []uint32{none, undefined, denied, none}},
		{"environment", "test:dep/probe@1.0.0", `path = %q, inherit_configuration = ["environment"]`, "", []uint32{2, undefined, denied, none}},
		{"variables", "test:dep", `path = %q, inherit_configuration = ["variables"]`, "", []uint32{none, 0, denied, none}},
		{"outgoing requests", "test:dep", `path = %q, inherit_configuration = ["allowed_outbound_hosts"]`, "", []uint32{none, undefined, 0, none}},
		{"files", "test:dep", `path = %q, inherit_configuration = ["files"]`, "", []uint32{none, undefined, denied, 1}},
		{"all", "test:dep", `path = %q, inherit_configuration = true`, "", []uint32{2, 0, 0, 1}},
		{"by the component", "test:dep", `path = %q`, "dependencies_inherit_configuration = true", []uint32{2, 0, 0, 1}},
		{"another export", "test:dep/probe", `path = %q, export = "other"`, "", []uint32{none, undefined, denied, none}},
		{"a component of the application", "test:dep", `component = "probe"`, "", []uint32{none, undefined, denied, none}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			forEachMode(t, func(t *testing.T, m mode) {
				if m.protocol != "h1" {
					t.Skip("dependencies know nothing of protocols")
				}
				value := tt.value
				if strings.Contains(value, "%q") {
					value = fmt.Sprintf(value, dep)
				}
				manifestText := application(t, guest{id: "main", source: main, extra: fmt.Sprintf(
					"environment = { A = \"1\", B = \"2\" }\nfiles = [{ source = \".\", destination = \"/\" }]\nvariables = { x = \"value\" }\nallowed_outbound_hosts = [\"http://127.0.0.1:*\"]\n%s\ndependencies = { %q = { %s } }",
					tt.more, tt.key, value)}) + fmt.Sprintf("[component.probe]\nsource = %q\n", dep)
				var r reports
				s := serve(t, m, manifestText, r.define)
				for range 3 {
					resp, err := s.client.Get(s.base + "/")
					if err != nil {
						t.Fatal(err)
					}
					resp.Body.Close()
					if resp.StatusCode != http.StatusOK {
						t.Fatalf("status %d", resp.StatusCode)
					}
					if got := r.take(); !slices.Equal(got, tt.want) {
						t.Errorf("the dependency reported %d, want %d", got, tt.want)
					}
				}
			})
		})
	}
}

// TestDependencyErrors: what is wrong is told with the dependency's key.
func TestDependencyErrors(t *testing.T) {
	main, dep := depending(t), probing(t, "http://example.com")
	for _, tt := range []struct {
		name, dependencies string
		want               []string
	}{
		{"none", "", []string{"component main: cannot link the import test:dep/probe@1.0.0"}},
		{"no file", `"test:dep" = { path = "nowhere.wasm" }`, []string{`component main: dependency "test:dep"`, "nowhere.wasm"}},
		{"unused", fmt.Sprintf(`"test:dep" = { path = %q }, "test:other" = { path = %[1]q }`, dep),
			[]string{`component main: dependency "test:other": main imports nothing of that name`}},
		{"no export", fmt.Sprintf(`"test:dep/probe" = { path = %q, export = "none" }`, dep),
			[]string{`component main: dependency "test:dep/probe": import test:dep/probe@1.0.0`, "does not export none"}},
		{"not WebAssembly", fmt.Sprintf(`"test:dep" = { path = %q }`, text(t, "bad", "(component")), []string{`component main: dependency "test:dep"`}},
		{"an import of its own", fmt.Sprintf(`"test:dep" = { path = %q }`, dep), []string{"test:host/report of " + dep}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := parse(t, application(t, guest{id: "main", source: main, extra: "dependencies = { " + tt.dependencies + " }"}))
			a, err := load(t.Context(), m, Options{Log: zap.NewNop(), CacheDir: cacheDir}, host.Define)
			if err == nil {
				a.Close()
				t.Fatal("it was loaded")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q, want one with %q", err, want)
				}
			}
		})
	}
}

// TestDependencyView fails when a view of what a component was granted is
// offered to the component and nothing is decided of its dependencies: what the
// view shows belongs to a set of configuration that they may or may not inherit.
func TestDependencyView(t *testing.T) {
	views, decided := reflect.TypeFor[*state](), reflect.TypeFor[*dependency]()
	for m := range views.Methods() {
		if _, ok := decided.MethodByName(m.Name); !ok {
			t.Errorf("dependency has no method %s: see newDependency", m.Name)
		}
	}
}

// TestInheritance: sets are told apart, and the names are the manifest's.
func TestInheritance(t *testing.T) {
	s := (&target{}).newState(&httptrigger.Request{Request: httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)})
	s.wasi.Network.Policy = anywhere{}
	s.wasi.Files.Mounts = []hostfiles.Mount{{Path: "/"}}
	for set, name := range capabilityNames {
		c := &manifest.Component{}
		d := &manifest.Dependency{Inherit: []string{name}}
		var inherit inheritance
		for i, n := range capabilityNames {
			inherit[i] = c.Inherits(d, n)
		}
		want := inheritance{}
		want[set] = true
		if inherit != want {
			t.Errorf("%s: inherits %v", name, inherit)
		}
		if got := s.newDependency(inherit).HTTP() == s.HTTP(); got != (set == allowedOutboundHosts) {
			t.Errorf("%s: outgoing requests shared: %v", name, got)
		}
		if got := s.newDependency(inherit).WASI().Network.Policy != nil; got != (set == allowedOutboundHosts) {
			t.Errorf("%s: network shared: %v", name, got)
		}
		if got := len(s.newDependency(inherit).WASI().Files.Mounts) > 0; got != (set == files) {
			t.Errorf("%s: files shared: %v", name, got)
		}
	}
}

// anywhere is a policy that allows everything.
type anywhere struct{ sockets.Policy }
