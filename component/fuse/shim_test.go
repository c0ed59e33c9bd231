package fuse

import (
	"fmt"
	"strings"
	"testing"

	wasm "github.com/minispin/minispin/component/binary"
	"github.com/minispin/minispin/internal/cwasm"
)

// shimText is a shim of n functions, all of type (param i32 i64) (result i32).
func shimText(n int) string {
	var b strings.Builder
	b.WriteString("(module (type $t (func (param i32 i64) (result i32)))")
	for i := range n {
		fmt.Fprintf(&b, "(func (type $t) (local.get 0) (local.get 1) (i32.const %d) (call_indirect (type $t)))", i)
	}
	fmt.Fprintf(&b, "(table %d %d funcref)", n, n)
	for i := range n {
		fmt.Fprintf(&b, "(export \"%d\" (func %d))", i, i)
	}
	return b.String() + `(export "$imports" (table 0)))`
}

// fixupText is the fixup that goes with it.
func fixupText(n int) string {
	var b strings.Builder
	b.WriteString("(module (type $t (func (param i32 i64) (result i32)))")
	for i := range n {
		fmt.Fprintf(&b, "(import \"\" \"%d\" (func (type $t)))", i)
	}
	fmt.Fprintf(&b, "(import \"\" \"$imports\" (table %d %d funcref)) (elem (i32.const 0) func", n, n)
	for i := range n {
		fmt.Fprintf(&b, " %d", i)
	}
	return b.String() + "))"
}

func decode(t *testing.T, text string) *wasm.Module {
	t.Helper()
	b, err := cwasm.Wat(text)
	if err != nil {
		t.Fatal(err)
	}
	m, err := wasm.DecodeModule(b, wasm.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestExactForm(t *testing.T) {
	for _, n := range []int{1, 2, 63, 64, 127, 128, 200} { // where the numbers' encodings grow
		if got, ok := Shim(decode(t, shimText(n))); !ok || got != n {
			t.Errorf("Shim of %d = %d, %v", n, got, ok)
		}
		if got, ok := Fixup(decode(t, fixupText(n))); !ok || got != n {
			t.Errorf("Fixup of %d = %d, %v", n, got, ok)
		}
	}
	if _, ok := Shim(decode(t, fixupText(2))); ok {
		t.Error("a fixup is taken for a shim")
	}
	if _, ok := Fixup(decode(t, shimText(2))); ok {
		t.Error("a shim is taken for a fixup")
	}
	if _, ok := Fixup(decode(t, "(module)")); ok {
		t.Error("an empty module is a fixup")
	}
	if _, ok := Shim(decode(t, "(module)")); ok {
		t.Error("an empty module is a shim")
	}
}

// TestOtherForms changes one thing at a time.
func TestOtherForms(t *testing.T) {
	tests := []struct {
		name, old, new string
		fixup          bool
	}{
		{"another entry", "(i32.const 1)", "(i32.const 0)", false},
		{"arguments swapped", "(local.get 0) (local.get 1) (i32.const 1)", "(i32.const 7) (local.get 1) (i32.const 1)", false},
		{"more code", "(call_indirect (type $t)))", "(call_indirect (type $t)) nop)", false},
		{"a local", "(func (type $t) ", "(func (type $t) (local i32) ", false},
		{"larger table", "(table 2 2 funcref)", "(table 3 3 funcref)", false},
		{"growing table", "(table 2 2 funcref)", "(table 2 funcref)", false},
		{"other references", "(table 2 2 funcref)", "(table 2 2 funcref) (table 2 2 externref)", false},
		{"a memory", "(table 2 2 funcref)", "(memory 1) (table 2 2 funcref)", false},
		{"a start function", "(table 2 2 funcref)", "(func) (start 2) (table 2 2 funcref)", false},
		{"exports swapped", `(export "0" (func 0))(export "1" (func 1))`, `(export "0" (func 1))(export "1" (func 0))`, false},
		{"another name", `(export "1"`, `(export "01"`, false},
		{"table not exported", `(export "$imports" (table 0))`, "", false},
		{"order of entries", "func 0 1", "func 1 0", true},
		{"an entry left out", "func 0 1", "func 0", true},
		{"at another place", "(elem (i32.const 0)", "(elem (i32.const 1)", true},
		{"passive", "(elem (i32.const 0) func", "(elem func", true},
		{"an export", "(elem", `(export "x" (func 0)) (elem`, true},
		{"a start function", "(elem", `(func) (start 2) (elem`, true},
		{"another module name", `(import "" "1"`, `(import "x" "1"`, true},
		{"table of another size", "(table 2 2 funcref)", "(table 2 3 funcref)", true},
		{"a global", "(elem", `(global i32 (i32.const 0)) (elem`, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text, recognise := shimText(2), Shim
			if tt.fixup {
				text, recognise = fixupText(2), Fixup
			}
			if !strings.Contains(text, tt.old) {
				t.Fatalf("%q is not in %s", tt.old, text)
			}
			if _, ok := recognise(decode(t, strings.Replace(text, tt.old, tt.new, 1))); ok {
				t.Error("it is recognised")
			}
		})
	}
}
