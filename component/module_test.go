package component

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/internal/cwasm"
)

// customSection encodes a custom section.
func customSection(name string, data []byte) []byte {
	body := append(binary.AppendUvarint(nil, uint64(len(name))), name...)
	body = append(body, data...)
	return append(binary.AppendUvarint([]byte{0}, uint64(len(body))), body...)
}

// withWorlds assembles a core module and adds component-type sections as
// bindings generators leave them: world is the text of a component type, the
// encoding that of its strings.
func withWorlds(t testing.TB, module string, worlds ...[2]string) []byte {
	t.Helper()
	b, err := cwasm.Wat(module)
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range worlds {
		text := fmt.Sprintf(`(component (type (component
			(type (component %s))
			(export "example:test/world%d" (component (type 0)))))
			(export "world%[2]d" (type 0)))`, w[0], i)
		section, err := cwasm.Wat(text)
		if err != nil {
			t.Fatal(err)
		}
		encoding := byte(slices.Index([]string{"utf8", "utf16", "latin1+utf16"}, w[1]))
		section = append(section, customSection("wit-component-encoding", []byte{4, encoding})...)
		b = append(b, customSection(fmt.Sprintf("component-type:%d", i), section)...)
	}
	return b
}

// cabiAllocator is allocator under the names that the convention asks for.
var cabiAllocator = strings.Replace(allocator, `"realloc"`, `"cabi_realloc"`, 1)

var thingModule = `(module
  (import "$root" "log" (func $log (param i32 i32)))
  (import "example:test/res" "[constructor]r" (func $new-r (param i32) (result i32)))
  (import "example:test/res" "[method]r.get" (func $get-r (param i32) (result i32)))
  (import "example:test/res" "[resource-drop]r" (func $drop-r (param i32)))
  (import "[export]example:test/things" "[resource-new]thing" (func $new (param i32) (result i32)))
  (import "[export]example:test/things" "[resource-rep]thing" (func $rep (param i32) (result i32)))
  (import "[export]example:test/things" "[resource-drop]thing" (func $drop (param i32)))
  (global $posts (mut i32) (i32.const 0))
  (global $ready (mut i32) (i32.const 0))
  (data (i32.const 100) "dropped")` + cabiAllocator + `
  (func (export "_initialize") (global.set $ready (i32.const 1)))
  (func (export "greet") (param i32 i32) (result i32)
    (if (i32.eqz (global.get $ready)) (then unreachable))
    (i32.store (i32.const 16) (local.get 0))
    (i32.store (i32.const 20) (local.get 1))
    (call $log (local.get 0) (local.get 1))
    (i32.const 16))
  (func (export "cabi_post_greet") (param i32)
    (global.set $posts (i32.add (global.get $posts) (i32.const 1))))
  (func (export "posts") (result i32) (global.get $posts))
  (func (export "use") (param i32) (result i32)
    (local $h i32)
    (local.set $h (call $new-r (local.get 0)))
    (local.set 0 (call $get-r (local.get $h)))
    (call $drop-r (local.get $h))
    (local.get 0))
  (func (export "example:test/things#[constructor]thing") (param i32) (result i32) (call $new (local.get 0)))
  (func (export "example:test/things#[method]thing.get") (param i32) (result i32) (local.get 0))
  (func (export "example:test/things#eat") (param i32) (result i32)
    (local $v i32)
    (local.set $v (call $rep (local.get 0)))
    (call $drop (local.get 0))
    (local.get $v))
  (func (export "example:test/things#[dtor]thing") (param i32)
    (call $log (i32.const 100) (i32.const 7))))`

const thingWorld = `
  (import "log" (func (param "m" string)))
  (import "unused:by/module" (instance (export "f" (func))))
  (import "example:test/res" (instance
    (export "r" (type $r (sub resource)))
    (export "[constructor]r" (func (param "v" u32) (result (own $r))))
    (export "[method]r.get" (func (param "self" (borrow $r)) (result u32)))))
  (export "greet" (func (param "n" string) (result string)))
  (export "posts" (func (result u32)))
  (export "use" (func (param "v" u32) (result u32)))
  (export "not-there" (func))
  (export "example:test/things" (instance
    (export "thing" (type $t (sub resource)))
    (export "[constructor]thing" (func (param "v" u32) (result (own $t))))
    (export "[method]thing.get" (func (param "self" (borrow $t)) (result u32)))
    (export "eat" (func (param "x" (own $t)) (result u32)))))`

// moduleHost is the host of thingWorld.
type moduleHost struct {
	counters
	logged []string
}

func (h *moduleHost) linker(t testing.TB) *Linker {
	l := h.counters.linker(t)
	res := *l.lookup("host:test/res")
	res.Name = "example:test/res"
	logText := dynamic(t, "log", &abi.Func{Params: []abi.Field{{Name: "m", Type: abi.String}}},
		func(_ *Call, args []abi.Val) (abi.Val, error) {
			h.logged = append(h.logged, args[0].Str())
			return abi.Val{}, nil
		})
	for _, i := range []*Interface{&res, {Funcs: []Func{logText}}} {
		if err := l.Define(i); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

func linkBytes(t testing.TB, e *Engine, l *Linker, wasm []byte) (*InstancePre, error) {
	t.Helper()
	c, err := e.Compile(context.Background(), "module", wasm, CompileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	pre, err := l.Link(c)
	if err == nil {
		t.Cleanup(pre.Close)
	}
	return pre, err
}

func TestModule(t *testing.T) {
	h := &moduleHost{}
	e := engine(t)
	pre, err := linkBytes(t, e, h.linker(t), withWorlds(t, thingModule, [2]string{thingWorld, "utf8"}))
	if err != nil {
		t.Fatal(err)
	}
	if got := pre.Exports(); !slices.Equal(got, []string{"example:test/things"}) {
		t.Errorf("exports %v", got)
	}
	if _, err := pre.Export("", "not-there", nil); err == nil {
		t.Error("an export of the world that the module lacks was found")
	}
	in := instantiate(t, pre, InstantiateOptions{})
	v, err := in.CallVals(export(t, pre, "", "greet"), abi.StringVal("hello ☃"))
	if err != nil || v.Str() != "hello ☃" {
		t.Errorf("greet = %v, %v", v, err)
	}
	c := caller{t: t, in: in}
	if n := c.must("posts"); n != 1 {
		t.Errorf("cabi_post_greet ran %d times", n)
	}
	if n := c.must("use", 17); n != 17 {
		t.Errorf("use = %d", n)
	}
	h.checkDrops(t)

	// The module's own resource type, as the caller's bindings would declare it.
	thing := &ResourceType{Name: "thing"}
	ctor, err := pre.Export("example:test/things", "[constructor]thing",
		&abi.Func{Params: []abi.Field{{Name: "v", Type: abi.U32}}, Result: abi.Own(thing)})
	if err != nil {
		t.Fatal(err)
	}
	own, err := in.CallVals(ctor, abi.U32Val(23))
	if err != nil {
		t.Fatal(err)
	}
	got, err := in.CallVals(export(t, pre, "example:test/things", "[method]thing.get"), abi.BorrowVal(own.Rep()))
	if err != nil || got.Uint() != 23 {
		t.Errorf("get = %v, %v", got, err)
	}
	got, err = in.CallVals(export(t, pre, "example:test/things", "eat"), abi.OwnVal(own.Rep()))
	if err != nil || got.Uint() != 23 {
		t.Errorf("eat = %v, %v", got, err)
	}
	if want := []string{"hello ☃", "dropped"}; !slices.Equal(h.logged, want) {
		t.Errorf("logged %q, want %q", h.logged, want)
	}
}

// TestModuleOfSeveralWorlds: a module linked from crates has their sections; each
// gives the encoding of its own functions, and a resource both name is one.
func TestModuleOfSeveralWorlds(t *testing.T) {
	h := &moduleHost{}
	const second = `(export "wide" (func (param "n" string) (result string)))`
	const third = `
	  (import "example:test/res" (instance
	    (export "r" (type $r (sub resource)))
	    (export "[method]r.get" (func (param "self" (borrow $r)) (result u32)))))`
	module := strings.TrimSuffix(thingModule, ")") + `
	  (func (export "wide") (param i32 i32) (result i32)
	    (i32.store (i32.const 16) (local.get 0))
	    (i32.store (i32.const 20) (local.get 1))
	    (i32.const 16)))`
	pre, err := linkBytes(t, engine(t), h.linker(t), withWorlds(t, module, [2]string{thingWorld, "utf8"}, [2]string{second, "utf16"}, [2]string{third, "utf8"}))
	if err != nil {
		t.Fatal(err)
	}
	in := instantiate(t, pre, InstantiateOptions{})
	for _, name := range []string{"greet", "wide"} {
		if v, err := in.CallVals(export(t, pre, "", name), abi.StringVal("é☃")); err != nil || v.Str() != "é☃" {
			t.Errorf("%s = %v, %v", name, v, err)
		}
	}
	if n := (caller{t: t, in: in}).must("use", 17); n != 17 {
		t.Errorf("use = %d", n)
	}
}

func TestModuleLinkErrors(t *testing.T) {
	e := engine(t)
	tests := []struct {
		name, module, world, want string
	}{
		{"undescribed import", `(module (import "env" "abort" (func)))`, "",
			"import env: the module's component-type sections do not describe it"},
		{"missing function", `(module (import "$root" "gone" (func)))`, `(import "gone" (func))`, "gone: this host has no such function"},
		{"missing interface once", `(module (import "a:b/c" "f" (func)) (import "a:b/c" "g" (func)))`,
			`(import "a:b/c" (instance (export "f" (func)) (export "g" (func))))`, "cannot link the import a:b/c: this host has no such interface"},
		{"another type", `(module (import "$root" "log" (func (param i32))))`, `(import "log" (func (param "m" u32)))`, "its type is not the host's"},
		{"core type of an import", `(module (import "$root" "log" (func (param i64 i32))))`, `(import "log" (func (param "m" string)))`, "function type"},
		{"core type of an export", `(module (func (export "f") (param funcref)))`, `(export "f" (func (param "x" u64)))`, `the export "f" is to be func(x: u64)`},
		{"resource-new of the host's", `(module (import "example:test/res" "[resource-new]r" (func (param i32) (result i32))))`,
			`(import "example:test/res" (instance (export "r" (type (sub resource)))))`, "does not define the resource r"},
		{"resource nobody has", `(module (import "example:test/res" "[resource-drop]q" (func (param i32))))`,
			`(import "example:test/res" (instance (export "q" (type (sub resource)))))`, "has no such resource"},
		{"its own export as an import", `(module (import "$root" "f" (func)) (func (export "f")))`, `(export "f" (func))`, "f: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := &moduleHost{}
			_, err := linkBytes(t, e, h.linker(t), withWorlds(t, tt.module, [2]string{tt.world, "utf8"}))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q in it", err, tt.want)
			}
		})
	}
}

// TestCommandModule: a core module without a world runs through a CoreInterface.
func TestCommandModule(t *testing.T) {
	e := engine(t)
	stop := errors.New("exit")
	var wrote string
	l := NewLinker()
	err := l.DefineCore(&CoreInterface{Module: "sys", Funcs: []CoreFunc{
		{Name: "write", Params: []abi.CoreType{abi.I32, abi.I32}, Results: i32, Call: func(c *Call, st []Raw) error {
			wrote += string(c.LiftBytes(st[0].U32(), st[1].U32()))
			st[0].SetU32(0)
			return nil
		}},
		{Name: "exit", Call: func(*Call, []Raw) error { return stop }},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.DefineCore(&CoreInterface{Module: "sys"}); err == nil {
		t.Error("a core module name was defined twice")
	}
	pre := buildText(t, e, l, "command", `(module
	  (import "sys" "write" (func $write (param i32 i32) (result i32)))
	  (import "sys" "exit" (func $exit))
	  (memory (export "memory") 1)
	  (data (i32.const 8) "hello")
	  (func (export "_start") (drop (call $write (i32.const 8) (i32.const 5))) (call $exit)))`)
	in := instantiate(t, pre, InstantiateOptions{})
	start, ok := pre.CoreFunc("_start")
	if !ok {
		t.Fatal("no _start")
	}
	if err := in.CallCore(start, nil); !errors.Is(err, stop) || wrote != "hello" {
		t.Errorf("%v, wrote %q", err, wrote)
	}
	if err := in.CallCore(start, nil); !errors.Is(err, ErrPoisoned) {
		t.Errorf("after the trap: %v", err)
	}
	if _, ok := pre.CoreFunc("memory"); ok {
		t.Error("a memory passes for a function")
	}
	// A _start that takes references is none.
	odd := buildText(t, e, l, "odd", `(module (func (export "_start") (param funcref)) (func (export "_initialize") (param i32)))`)
	if _, ok := odd.CoreFunc("_start"); ok || odd.initialize >= 0 {
		t.Error("functions of other types pass for _start and _initialize")
	}
	_, err = linkBytes(t, e, l, withWorlds(t, `(module (import "sys" "read" (func)))`))
	if err == nil || !strings.Contains(err.Error(), "sys#read: sys of this host has no such function") {
		t.Errorf("%v", err)
	}
}

// TestModuleMissingImports: all that a real module's host lacks, in one error.
func TestModuleMissingImports(t *testing.T) {
	wasm, err := os.ReadFile("../guests/bin/rust-spin-sdk5.wasm")
	if err != nil {
		t.Fatal(err)
	}
	_, err = linkBytes(t, engine(t), NewLinker(), wasm)
	var missing *MissingImportsError
	if !errors.As(err, &missing) {
		t.Fatalf("%v, want a *MissingImportsError", err)
	}
	golden(t, "missing-module.txt", err.Error())
}
