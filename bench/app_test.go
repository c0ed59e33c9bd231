package bench

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minispin/minispin/guests"
	"github.com/minispin/minispin/instancepool"
	"github.com/minispin/minispin/manifest"
	"github.com/minispin/minispin/trigger/http/app"
)

// helloApp loads the application of the committed guests.
func helloApp(t *testing.T) *manifest.App {
	t.Helper()
	path := filepath.Join(filepath.Dir(guests.Path(t, "rust-wasi-http")), "..", "hello", "spin.toml")
	m, err := manifest.Load(path, manifest.Options{Strategies: instancepool.Names(), Supports: app.Supports})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// narrowApp is helloApp without the component that takes every path.
func narrowApp(t *testing.T) *manifest.App {
	t.Helper()
	m := helloApp(t)
	m.Triggers = m.Triggers[1:]
	return m
}

func run(t *testing.T, m *manifest.App, q Request, strategies ...string) (*Report, error) {
	t.Helper()
	rows, err := AppRows(m, q, Given{Env: map[string]string{"GREETING": "from the test"}}, Choice{Strategies: strategies})
	if err != nil {
		return nil, err
	}
	return Run(context.Background(), rows, Options{Runs: 1, Time: time.Millisecond, CacheDir: cacheDir})
}

func TestApp(t *testing.T) {
	for _, q := range []Request{
		{Method: "GET", Path: "/"},
		{Method: "POST", Path: "/foo?a=b", Header: http.Header{"What": {"up"}}, Body: []byte(body)},
		{Method: "POST", Path: "/echo", Body: make([]byte, 1<<16)},
		{Method: "GET", Path: "/cgi/env", Header: http.Header{"Host": {"example.com"}}},
	} {
		rep, err := run(t, helloApp(t), q, "pooled", "pre-instance")
		if err != nil {
			t.Errorf("%s %s: %v", q.Method, q.Path, err)
			continue
		}
		if len(rep.Rows) != 2 || rep.Rows[0].Name() != "hello/pooled" || rep.Rows[0].Note != "" || rep.Rows[0].Time.Median <= 0 {
			t.Errorf("%s %s: %+v", q.Method, q.Path, rep.Rows)
		}
	}
	rep, err := run(t, helloApp(t), Request{Method: "GET", Path: "/nowhere"}, "pre-instance")
	if err != nil || rep.Rows[0].Note != "the answer is 404 Not Found" {
		t.Errorf("a path that is not there: %+v, %v", rep, err)
	}
}

// TestAppByAllStrategies: those that the application cannot have are listed.
func TestAppByAllStrategies(t *testing.T) {
	rep, err := run(t, narrowApp(t), Request{Method: "GET", Path: "/sdk/"})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(rep.Rows) + len(rep.Skipped); n != len(instancepool.Strategies()) {
		t.Errorf("%d rows of %d", n, len(instancepool.Strategies()))
	}
	found := false
	for _, s := range rep.Skipped {
		found = found || s.Name == "hello/reuse" && strings.Contains(s.Reason, "cannot have the strategy reuse")
	}
	if !found {
		t.Errorf("skipped: %+v", rep.Skipped)
	}
}

func TestAppThatFails(t *testing.T) {
	for _, test := range []struct {
		name       string
		m          *manifest.App
		q          Request
		strategies []string
		want       []string
	}{
		{"trap", helloApp(t), Request{Method: "GET", Path: "/trap"}, nil, []string{
			"hello/cold: under the strategy cold: the application answers GET /trap with 500: wasm trap: ", "unreachable",
			"give a request that succeeds with --path, --method, --header and --body", "minispin up",
		}},
		{"no response", helloApp(t), Request{Method: "GET", Path: "/no-response"}, []string{"pooled"}, []string{"with 500: "}},
		{"broken off", helloApp(t), Request{Method: "GET", Path: "/trap-after-head"}, []string{"pooled"}, []string{"the response broke off: "}},
		{"no route", narrowApp(t), Request{Method: "GET", Path: "/nowhere"}, []string{"pooled"}, []string{
			"no route of the application takes /nowhere", "--path for one of /foo, /cgi/..., /sdk/...",
		}},
		{"strategy", helloApp(t), Request{Method: "GET", Path: "/"}, []string{"reuse"}, []string{"hello/reuse: ", "cannot have the strategy reuse"}},
		{"unknown strategy", helloApp(t), Request{Method: "GET", Path: "/"}, []string{"warm"}, []string{`unknown strategy "warm"`}},
		{"path", helloApp(t), Request{Method: "GET", Path: "x"}, []string{"pooled"}, []string{`"x" does not begin with a slash`}},
		{"bad path", helloApp(t), Request{Method: "GET", Path: "/\x00"}, []string{"pooled"}, []string{"invalid control character"}},
	} {
		_, err := run(t, test.m, test.q, test.strategies...)
		for _, want := range test.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v\nwant %q in it", test.name, err, want)
			}
		}
	}
}

// TestWhatAFailingGuestPrints: it may well say why it fails.
func TestWhatAFailingGuestPrints(t *testing.T) {
	const unlucky = `(module
	  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
	  (memory (export "memory") 1)
	  (data (i32.const 0) "\08\00\00\00\0c\00\00\00out of luck\0a")
	  (func (export "_start")
	    (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 100)))
	    unreachable))`
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "guest.wat"), []byte(unlucky), 0o600); err != nil {
		t.Fatal(err)
	}
	const text = `spin_manifest_version = 2
[application]
name = "unlucky"
[[trigger.http]]
route = "/..."
component = "unlucky"
executor = { type = "wagi" }
[component.unlucky]
source = "guest.wat"
`
	m, err := manifest.Parse([]byte(text), "spin.toml", dir, manifest.Options{Supports: app.Supports})
	if err != nil {
		t.Fatal(err)
	}
	_, err = run(t, m, Request{Method: "GET", Path: "/"}, "pre-instance")
	if err == nil || !strings.Contains(err.Error(), "with 500: wasm trap: ") || !strings.Contains(err.Error(), "\nThe guest printed:\nout of luck\n") {
		t.Errorf("got %v", err)
	}
}

// TestAppThatChangesItsMind: an application that answers otherwise later on is
// not measured to the end. This one does so by what it keeps between requests.
func TestAppThatChangesItsMind(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "fickle.wat"), []byte(fickle), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := manifest.Load(filepath.Join(dir, "fickle.wat"), manifest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if rep, err := run(t, m, Request{Method: "GET", Path: "/"}, "pre-instance"); err != nil || len(rep.Rows) != 1 {
		t.Errorf("in fresh instances: %+v, %v", rep, err)
	}
	_, err = run(t, m, Request{Method: "GET", Path: "/"}, "reuse")
	if want := "fickle/reuse: GET / is answered with 201, and was with 200 at first"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// fickle answers its first request with 200, the next ones with 201 and so on.
const fickle = `(component
  (core module $m
    (memory (export "memory") 1)
    (global $at (mut i32) (i32.const 1024))
    (global $status (mut i32) (i32.const 199))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local i32)
      (local.set 4 (global.get $at))
      (global.set $at (i32.and (i32.add (i32.add (global.get $at) (local.get 3)) (i32.const 7)) (i32.const -8)))
      (local.get 4))
    (func (export "handle") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
      (global.set $at (i32.const 1024))
      (global.set $status (i32.add (global.get $status) (i32.const 1)))
      (i32.store16 (i32.const 0) (global.get $status))
      (i32.const 0)))
  (core instance $i (instantiate $m))
  (import "fermyon:spin/http-types" (instance $types
    (type $m (enum "get" "post" "put" "delete" "patch" "head" "options"))
    (export "method" (type $method (eq $m)))
    (type $fields (list (tuple string string)))
    (type $body (option (list u8)))
    (type $q (record (field "method" $method) (field "uri" string) (field "headers" $fields) (field "params" $fields) (field "body" $body)))
    (export "request" (type $request (eq $q)))
    (type $r (record (field "status" u16) (field "headers" (option $fields)) (field "body" $body)))
    (export "response" (type $response (eq $r)))))
  (alias export $types "request" (type $request))
  (alias export $types "response" (type $response))
  (func $f (param "req" $request) (result $response)
    (canon lift (core func $i "handle") (memory $i "memory") (realloc (func $i "realloc"))))
  (instance $e (export "handle-request" (func $f)))
  (export "fermyon:spin/inbound-http" (instance $e)))`
