package component

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/minispin/minispin/component/abi"
)

// encoded is the text of a component in the form that encoders give it. main is
// more text for the main module, between stands between it and the fixup, and
// fixup is what the shim's table receives.
func encoded(main, between, fixup string) string {
	return fmt.Sprintf(`(component
  (import "host:test/api" (instance $api
    (export "f" (func (param "x" string) (result string)))
    (export "g" (func (param "x" u32) (result u32)))))
  (core module $shim
    (type $t0 (func (param i32 i32 i32)))
    (type $t1 (func (param i32) (result i32)))
    (func (type $t0) (local.get 0) (local.get 1) (local.get 2) (i32.const 0) (call_indirect (type $t0)))
    (func (type $t1) (local.get 0) (i32.const 1) (call_indirect (type $t1)))
    (table 2 2 funcref)
    (export "0" (func 0)) (export "1" (func 1)) (export "$imports" (table 0)))
  (core module $main
    (import "api" "f" (func $f (param i32 i32 i32)))
    (import "api" "g" (func $g (param i32) (result i32)))
    %s
    (func (export "f") (param i32 i32) (result i32)
      (call $f (local.get 0) (local.get 1) (i32.const 8)) (i32.const 8))
    (func (export "g") (param i32) (result i32) (call $g (local.get 0)))
    %s)
  (core module $fixup
    (type $t0 (func (param i32 i32 i32)))
    (type $t1 (func (param i32) (result i32)))
    (import "" "0" (func (type $t0)))
    (import "" "1" (func (type $t1)))
    (import "" "$imports" (table 2 2 funcref))
    (elem (i32.const 0) func 0 1))
  (core instance $shim (instantiate $shim))
  (core instance $main (instantiate $main (with "api" (instance
    (export "f" (func $shim "0")) (export "g" (func $shim "1"))))))
  (core func $f (canon lower (func $api "f") (memory $main "memory") (realloc (func $main "realloc"))))
  (core func $g (canon lower (func $api "g")))
  %s
  (core instance (instantiate $fixup (with "" (instance
    (export "$imports" (table $shim "$imports")) %s))))
  (func (export "f") (param "x" string) (result string)
    (canon lift (core func $main "f") (memory $main "memory") (realloc (func $main "realloc"))))
  (func (export "g") (param "x" u32) (result u32) (canon lift (core func $main "g"))))`, allocator, main, between, fixup)
}

const bothEntries = `(export "0" (func $f)) (export "1" (func $g))`

func elideHost(t testing.TB, seen *[]string) *Linker {
	return hostAPI(t,
		dynamic(t, "f", stringFunc, func(_ *Call, args []abi.Val) (abi.Val, error) {
			*seen = append(*seen, "f "+args[0].Str())
			return abi.StringVal(args[0].Str() + "!"), nil
		}),
		dynamic(t, "g", &abi.Func{Params: []abi.Field{{Name: "x", Type: abi.U32}}, Result: abi.U32},
			func(c *Call, args []abi.Val) (abi.Val, error) {
				*seen = append(*seen, fmt.Sprint("g ", args[0].Uint()))
				if args[0].Uint() == 13 {
					c.Trapf("unlucky")
				}
				return abi.U32Val(uint32(args[0].Uint()) * 2), nil
			}))
}

// transcript instantiates a component and tells all that can be observed of it.
func transcript(t *testing.T, pre *InstancePre, seen *[]string) string {
	t.Helper()
	var b strings.Builder
	*seen = nil
	in, err := pre.Instantiate(context.Background(), InstantiateOptions{})
	if err != nil {
		// The number of a step is not the guest's business.
		_, reason, _ := strings.Cut(err.Error(), "instantiate step")
		return fmt.Sprintf("instantiate: %v, host %q", strings.TrimLeft(reason, " 0123456789"), *seen)
	}
	defer in.Close()
	for _, call := range []struct {
		name string
		arg  abi.Val
	}{{"f", abi.StringVal("a ☃")}, {"g", abi.U32Val(21)}, {"g", abi.U32Val(13)}, {"g", abi.U32Val(1)}} {
		v, err := in.CallVals(export(t, pre, "", call.name), call.arg)
		fmt.Fprintf(&b, "%s = %v, %v\n", call.name, v, err)
	}
	fmt.Fprintf(&b, "host %q", *seen)
	return b.String()
}

// TestElide links components with and without their shim: what can be observed
// is the same, and the shim goes exactly where it may.
func TestElide(t *testing.T) {
	e := engine(t)
	adapter := `
	  (core module $adapter
	    (import "main" "memory" (memory 1))
	    (func (export "g") (param i32) (result i32) (i32.add (local.get 0) (i32.load8_u (i32.const 0)))))
	  (core instance $adapter (instantiate $adapter (with "main" (instance $main))))`
	early := `(core module $early (func (export "g") (param i32) (result i32) (i32.const 99)))
	  (core instance $early (instantiate $early))`
	tests := []struct {
		name  string
		text  string
		steps int // without the shim, where it can go
	}{
		{"plain", encoded("", "", bothEntries), 1},
		{"silent module between", encoded("", adapter, bothEntries), 2},
		{"start function that does not call", encoded("(func $s) (start $s)", "", bothEntries), 3},
		{"start function that calls too early", encoded("(func $s (drop (call $g (i32.const 1)))) (start $s)", "", bothEntries), 3},
		{"entry made later", encoded("", adapter, `(export "0" (func $f)) (export "1" (func $adapter "g"))`), 4},
		{"entries of the shim's own", encoded("", "", `(export "0" (func $f)) (export "1" (func $shim "1"))`), 3},
		{"entry made earlier", strings.Replace(encoded("", "", `(export "0" (func $f)) (export "1" (func $early "g"))`),
			"(core instance $shim", early+"(core instance $shim", 1), 2},
		{"table used by another", encoded("", `(core module $spy (import "" "$imports" (table 2 2 funcref)))
			(core instance (instantiate $spy (with "" (instance (export "$imports" (table $shim "$imports"))))))`, bothEntries), 4},
		{"lifted directly", strings.TrimSuffix(encoded("", "", bothEntries), ")") +
			`(func (export "direct") (param "x" u32) (result u32) (canon lift (core func $shim "1"))))`, 3},
		{"not of the form", strings.Replace(encoded("", "", bothEntries), "(local.get 0) (i32.const 1) (call_indirect", "(local.get 0) nop (i32.const 1) (call_indirect", 1), 3},
		{"two of a kind", twice(), 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var seen []string
			with, without := elideHost(t, &seen), elideHost(t, &seen)
			with.keepShims = true
			kept := buildText(t, e, with, "encoded", tt.text)
			elided := buildText(t, e, without, "encoded", tt.text)
			if got := elided.steps; got != tt.steps {
				t.Errorf("%d core instances, want %d (of %d)", got, tt.steps, kept.steps)
			}
			if a, b := transcript(t, kept, &seen), transcript(t, elided, &seen); a != b {
				t.Errorf("with the shim:\n%s\nwithout:\n%s", a, b)
			}
		})
	}
}

// twice nests two encoded components; the outer one re-exports the second's.
func twice() string {
	inner := strings.Replace(encoded("", "", bothEntries), "(component", "(component $Inner", 1)
	return `(component
	  (import "host:test/api" (instance $api
	    (export "f" (func (param "x" string) (result string)))
	    (export "g" (func (param "x" u32) (result u32)))))
	  ` + inner + `
	  (instance $a (instantiate $Inner (with "host:test/api" (instance $api))))
	  (instance $b (instantiate $Inner (with "host:test/api" (instance $a))))
	  (export "f" (func $b "f"))
	  (export "g" (func $b "g")))`
}
