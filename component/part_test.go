package component

import (
	"context"
	"testing"

	"github.com/minispin/minispin/component/abi"
)

// TestPartModules: core modules with component-type sections are parts like
// others, on either side. The used one's _initialize runs before its functions.
func TestPartModules(t *testing.T) {
	h := &moduleHost{}
	e := engine(t)
	user := withWorlds(t, `(module
	  (import "example:test/things" "[constructor]thing" (func $new (param i32) (result i32)))
	  (import "example:test/things" "[method]thing.get" (func $get (param i32) (result i32)))
	  (import "example:test/things" "[resource-drop]thing" (func $drop (param i32)))
	  (import "$root" "greet" (func $greet (param i32 i32 i32)))
	  (data (i32.const 8) "hello")`+cabiAllocator+`
	  (func (export "run") (result i32)
	    (local $t i32)
	    (local.set $t (call $new (i32.const 12)))
	    (call $get (local.get $t))
	    (call $drop (local.get $t)))
	  (func (export "say") (result i32)
	    (call $greet (i32.const 8) (i32.const 5) (i32.const 16))
	    (i32.const 16)))`, [2]string{`
	  (import "greet" (func (param "n" string) (result string)))
	  (import "example:test/things" (instance
	    (export "thing" (type $t (sub resource)))
	    (export "[constructor]thing" (func (param "v" u32) (result (own $t))))
	    (export "[method]thing.get" (func (param "self" (borrow $t)) (result u32)))))
	  (export "run" (func (result u32)))
	  (export "say" (func (result string)))`, "utf8"})
	compile := func(name string, wasm []byte) *Component {
		c, err := e.Compile(context.Background(), name, wasm, CompileOptions{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		return c
	}
	used := &Part{
		Name: "used", Linker: h.linker(t),
		Component: compile("used", withWorlds(t, thingModule, [2]string{thingWorld, "utf8"})),
	}
	main := &Part{
		Name: "main", Linker: NewLinker(), Component: compile("main", user),
		Imports: map[string]PartExport{
			"greet":               {used, "greet"},
			"example:test/things": {used, "example:test/things"},
		},
	}
	pre, err := LinkParts(main)
	if err != nil {
		t.Fatal(err)
	}
	defer pre.Close()
	in, err := pre.Instantiate(context.Background(), InstantiateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	for _, tt := range []struct {
		name string
		want abi.Val
	}{{"run", abi.U32Val(12)}, {"say", abi.StringVal("hello")}} {
		f, err := pre.Export("", tt.name, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := in.CallVals(f)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if !got.Equal(tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	if len(h.logged) != 2 || h.logged[0] != "dropped" || h.logged[1] != "hello" {
		t.Errorf("the used part told its host %q", h.logged)
	}
}
