package denied

import (
	"context"
	"slices"
	"testing"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host/files"
	"github.com/minispin/minispin/host/wasi/filesystem"
	"github.com/minispin/minispin/host/wasi/wasitest"
)

// asker is a guest that asks for its directories and for a store, and returns what
// it was told: the number of directories, then in the next byte the case of the
// error for the store, plus one.
const asker = `(component
  (import "wasi:filesystem/types@0.2.0" (instance $types (export "descriptor" (type (sub resource)))))
  (alias export $types "descriptor" (type $descriptor))
  (import "wasi:filesystem/preopens@0.2.0" (instance $preopens
    (alias outer 1 $descriptor (type $outer))
    (export "descriptor" (type $d (eq $outer)))
    (export "get-directories" (func (result (list (tuple (own $d) string)))))))
  (import "fermyon:spin/key-value@2.0.0" (instance $kv
    (export "store" (type $store (sub resource)))
    (type $error' (variant (case "store-table-full") (case "no-such-store") (case "access-denied") (case "other" string)))
    (export "error" (type $error (eq $error')))
    (export "[static]store.open" (func (param "label" string) (result (result (own $store) (error $error)))))))
  (core module $memory
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
  (core instance $memory (instantiate $memory))
  (core func $directories (canon lower (func $preopens "get-directories") (memory $memory "memory") (realloc (func $memory "realloc"))))
  (core func $open (canon lower (func $kv "[static]store.open") (memory $memory "memory") (realloc (func $memory "realloc"))))
  (core module $main
    (import "host" "directories" (func $directories (param i32)))
    (import "host" "open" (func $open (param i32 i32 i32)))
    (import "guest" "memory" (memory 1))
    (data (i32.const 0) "default")
    ;; told returns the case of the error at 128, plus one, or 0 for none.
    (func $told (result i32)
      (select
        (i32.add (i32.load8_u (i32.const 132)) (i32.const 1))
        (i32.const 0)
        (i32.load8_u (i32.const 128))))
    (func (export "ask") (result i32)
      (local $answer i32)
      (call $directories (i32.const 128))
      (local.set $answer (i32.load (i32.const 132)))
      (call $open (i32.const 0) (i32.const 7) (i32.const 128))
      (i32.or (local.get $answer) (i32.shl (call $told) (i32.const 8)))))
  (core instance $main (instantiate $main
    (with "guest" (instance $memory))
    (with "host" (instance
      (export "directories" (func $directories)) (export "open" (func $open))))))
  (func (export "ask") (result u32) (canon lift (core func $main "ask"))))`

// asked is a host value that keeps what it is told.
type asked struct{ calls []string }

func (a *asked) Denied(c *component.Call, iface, function string) {
	if c.Host() != any(a) {
		panic("the observer of another instance")
	}
	a.calls = append(a.calls, iface+"#"+function)
}

// TestGuest checks that denials reach a guest as values, and its Observer as
// calls. A host value that is no Observer is not needed either.
func TestGuest(t *testing.T) {
	l := component.NewLinker()
	if err := Define(l); err != nil {
		t.Fatal(err)
	}
	none := func(*component.Call) *files.Session { return &files.Session{} }
	if err := filesystem.Define(l, none); err != nil {
		t.Fatal(err)
	}
	pre := wasitest.Link(t, l, wasitest.Text(t, asker))
	f, err := pre.Export("", "ask", nil)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(host any) uint64 {
		in, err := pre.Instantiate(context.Background(), component.InstantiateOptions{Host: host})
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		got, err := in.CallVals(f)
		if err != nil {
			t.Fatal(err)
		}
		return got.Uint()
	}
	const want = 3 << 8 // access-denied, no directory
	var a asked
	for _, host := range []any{nil, &a} {
		if got := ask(host); got != want {
			t.Errorf("with the host value %T the guest was told %#x, want %#x", host, got, want)
		}
	}
	calls := []string{"fermyon:spin/key-value@2.0.0#[static]store.open"}
	if !slices.Equal(a.calls, calls) {
		t.Errorf("the observer was told of %q, want %q", a.calls, calls)
	}
}
