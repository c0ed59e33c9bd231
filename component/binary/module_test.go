package binary

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const moduleText = `(module $demo
  (type $t (func (param i32 i64) (result f32)))
  (import "env" "log" (func (param i32)))
  (import "env" "table" (table 1 10 funcref))
  (import "env" "base" (global $base i32))
  (import "env" "memory" (memory 2))
  (table $init 4 funcref (ref.null func))
  (global $a (mut i64) (i64.const -9000000000000000000))
  (global $b i32 (i32.add (global.get $base) (i32.const 8)))
  (global $c v128 (v128.const i64x2 1 2))
  (global $d f64 (f64.const 1))
  (global $e funcref (ref.func $f))
  (func $f (type $t) unreachable)
  (func $start)
  (start $start)
  (export "f" (func $f))
  (export "a" (global $a))
  (export "d" (global $d))
  (export "memory" (memory 0))
  (export "init" (table $init))
  (elem declare func $f)
  (data (i32.const 0) "hello"))`

func TestDecodeModule(t *testing.T) {
	b := assemble(t, moduleText)
	m, err := DecodeModule(b, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	i32, i64, f64 := CoreValType{Kind: CoreI32}, CoreValType{Kind: CoreI64}, CoreValType{Kind: CoreF64}
	funcref := CoreValType{Kind: CoreRef, Nullable: true, Heap: HeapFunc}
	memory := CoreExternType{Sort: SortCoreMemory, Limits: CoreLimits{Min: 2, PageSizeLog2: 16}}

	wantImports := []CoreImport{
		{"env", "log", CoreExternType{Sort: SortCoreFunc, Func: 1}},
		{"env", "table", CoreExternType{Sort: SortCoreTable, Value: funcref, Limits: CoreLimits{Min: 1, Max: 10, HasMax: true}}},
		{"env", "base", CoreExternType{Sort: SortCoreGlobal, Value: i32}},
		{"env", "memory", memory},
	}
	if diff := cmp.Diff(wantImports, m.Imports); diff != "" {
		t.Errorf("imports (-want +got):\n%s", diff)
	}
	wantExports := []ModuleExport{
		{"f", SortCoreFunc, 1, CoreExternType{Sort: SortCoreFunc, Func: 0}},
		{"a", SortCoreGlobal, 1, CoreExternType{Sort: SortCoreGlobal, Value: i64, Mutable: true}},
		{"d", SortCoreGlobal, 4, CoreExternType{Sort: SortCoreGlobal, Value: f64}},
		{"memory", SortCoreMemory, 0, memory},
		{"init", SortCoreTable, 1, CoreExternType{Sort: SortCoreTable, Value: funcref, Limits: CoreLimits{Min: 4}}},
	}
	if diff := cmp.Diff(wantExports, m.Exports); diff != "" {
		t.Errorf("exports (-want +got):\n%s", diff)
	}
	if e := m.Export("d"); e == nil || e.Index != 4 {
		t.Errorf("export d: %+v", e)
	}
	if e := m.Export("e"); e != nil {
		t.Errorf("export e: %+v, there is none", e)
	}
	wantFunc := &CoreFuncType{Params: []CoreValType{i32, i64}, Results: []CoreValType{{Kind: CoreF32}}}
	if diff := cmp.Diff(wantFunc, m.FuncType(m.Export("f").Type.Func)); diff != "" {
		t.Errorf("type of f (-want +got):\n%s", diff)
	}
	if m.FuncType(99) != nil {
		t.Error("a type index that is out of bounds has a type")
	}
	if len(m.Globals) != 6 {
		t.Errorf("%d globals, want 6", len(m.Globals))
	}
	if m.Start != (OptIndex{2, true}) {
		t.Errorf("start %+v, want function 2", m.Start)
	}

	// Put together, the sections are the module.
	again := slices.Clone(b[:preambleSize])
	for _, s := range m.Sections {
		if s.Start != len(again) {
			t.Errorf("%s begins at %#x, want %#x", s.ID, s.Start, len(again))
		}
		again = append(again, sec(int(s.ID), s.Data)...)
	}
	if diff := cmp.Diff(b, again); diff != "" {
		t.Errorf("sections put together (-want +got):\n%s", diff)
	}

	n, err := FindCustom(m.Customs, "name").Names()
	if err != nil || n.Module != "demo" || n.Funcs[1] != "f" || n.Funcs[2] != "start" {
		t.Errorf("names %+v, %v", n, err)
	}
	for i := range b {
		if _, err := DecodeModule(b[:i:i], Limits{}); err != nil {
			checkError(t, b[:i], err)
		}
	}
}

func TestDecodeModuleRefuses(t *testing.T) {
	types := sec(1, 1, 0x60, 0, 0)
	tests := []struct {
		name string
		b    []byte
		err  string
	}{
		{"component", comp(), "this is a component"},
		{"version", []byte("\x00asm\x02\x00\x00\x00"), "unknown version"},
		{"magic", []byte("\x00ASM\x01\x00\x00\x00"), "magic number"},
		{"section id", cat(coreStart, sec(14)), "unknown section id 14"},
		{"order", cat(coreStart, sec(3, 0), types), "type section out of order"},
		{"section twice", cat(coreStart, types, types), "type section out of order"},
		{"function type ahead", cat(coreStart, sec(3, 1, 0)), "core type index 0 is out of bounds"},
		{"export ahead", cat(coreStart, sec(7, 1, str("f"), 0, 0)), "core func index 0 is out of bounds, there are 0"},
		{"memory export ahead", cat(coreStart, sec(7, 1, str("m"), 2, 0)), "core memory index 0 is out of bounds, there are 0"},
		{"export twice", cat(coreStart, types, sec(3, 1, 0), sec(7, 2, str("f"), 0, 0, str("f"), 0, 0)), `export "f" occurs twice`},
		{"export sort", cat(coreStart, sec(7, 1, str("f"), 9, 0)), "sort of a core export"},
		{"start", cat(coreStart, sec(8, 0)), "start function 0 is out of bounds"},
		{"expression", cat(coreStart, sec(6, 1, 0x7f, 0, 0x20, 0, 0x0b)), "constant instruction expected"},
		{"expression without end", cat(coreStart, sec(6, 1, 0x7f, 0, 0x41, 0)), "unexpected end"},
		{"mutability", cat(coreStart, sec(6, 1, 0x7f, 2, 0x41, 0, 0x0b)), "mutability flag"},
		{"limits", cat(coreStart, sec(5, 1, 0x10, 0)), "limits flags"},
		{"left over", cat(coreStart, sec(5, 0, 0)), "1 bytes left over"},
		{"module type", cat(coreStart, sec(1, 1, 0x50, 0, 0x50, 0)), "core type expected"},
	}
	for _, tt := range tests {
		_, err := DecodeModule(tt.b, Limits{})
		if err == nil {
			t.Errorf("%s: accepted", tt.name)
			continue
		}
		checkError(t, tt.b, err)
		if !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.err)
		}
	}
}

func TestRecursiveTypes(t *testing.T) {
	b := assemble(t, `(module
      (rec
        (type $a (struct (field (mut i8)) (field (ref null $b))))
        (type $b (sub (array i16))))
      (type $c (sub final $b (array i16)))
      (type $d (func (param (ref $a) anyref) (result (ref null exn)))))`)
	m, err := DecodeModule(b, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	want := []CoreSubtype{
		{Final: true, Struct: &CoreStructType{[]CoreFieldType{
			{CoreValType{Kind: CoreI8}, true},
			{CoreValType{CoreRef, true, 1}, false},
		}}},
		{Array: &CoreFieldType{CoreValType{Kind: CoreI16}, false}},
		{Final: true, Supertypes: []uint32{1}, Array: &CoreFieldType{CoreValType{Kind: CoreI16}, false}},
		{Final: true, Func: &CoreFuncType{
			[]CoreValType{{CoreRef, false, 0}, {CoreRef, true, HeapAny}},
			[]CoreValType{{CoreRef, true, HeapExn}},
		}},
	}
	if diff := cmp.Diff(want, m.Types); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestProducers(t *testing.T) {
	c := &Custom{Name: "producers", Offset: 50, Data: cat(2,
		str("language"), 1, str("Rust"), str(""),
		str("processed-by"), 2, str("rustc"), str("1.90.0"), str("wit-bindgen-rust"), str("0.24.0"))}
	p, err := c.Producers()
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := p.Version("processed-by", "wit-bindgen-rust"); !ok || v != "0.24.0" {
		t.Errorf("wit-bindgen-rust: %q, %t", v, ok)
	}
	if _, ok := p.Version("sdk", "rustc"); ok {
		t.Error("rustc is no sdk")
	}
	c.Data = c.Data[:20]
	if _, err := c.Producers(); err == nil || !strings.Contains(err.Error(), "custom section producers") {
		t.Errorf("cut short: %v", err)
	}
}

func TestNamesRefuses(t *testing.T) {
	for name, data := range map[string][]byte{
		"cut short":     sec(1, 2, 0, str("a")),
		"left over":     sec(0, str("a"), 0),
		"past the end":  {0, 9, 1},
		"invalid UTF-8": sec(0, 1, 0xff),
	} {
		if n, err := (&Custom{Name: "name", Data: data}).Names(); err == nil {
			t.Errorf("%s: accepted as %+v", name, n)
		}
	}
	n, err := (&Custom{Name: "name", Data: sec(7, "anything")}).Names()
	if err != nil {
		t.Errorf("unknown subsection: %+v, %v", n, err)
	}
}

// guestFiles gives the prebuilt guests of this repository and what a folder
// named by MINISPIN_WASM holds besides.
func guestFiles(tb testing.TB) []string {
	tb.Helper()
	files, _ := filepath.Glob(filepath.Join("..", "..", "guests", "bin", "*.wasm"))
	if dir := os.Getenv("MINISPIN_WASM"); dir != "" {
		more, _ := filepath.Glob(filepath.Join(dir, "*.wasm"))
		files = append(files, more...)
	}
	if len(files) == 0 {
		tb.Skip("no guests in guests/bin")
	}
	return files
}

func TestGuests(t *testing.T) {
	for _, file := range guestFiles(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if IsComponent(b) {
				c, err := Decode(b, Limits{})
				if err != nil {
					t.Fatal(err)
				}
				checkTree(t, b, c)
				checkModules(t, c)
				return
			}
			m, err := DecodeModule(b, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			w, err := m.World(Limits{})
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range w.Sections {
				t.Logf("section %q: world %s, %s, producers %v", s.Section, s.Name, s.StringEncoding, s.Producers)
			}
			for _, i := range w.Imports {
				t.Logf("import %s: %s, %d sources", i.Name, i.Sources[0].Desc.Sort, len(i.Sources))
			}
			for _, e := range w.Exports {
				t.Logf("export %s: %s, %d sources", e.Name, e.Sources[0].Desc.Sort, len(e.Sources))
			}
		})
	}
}

// checkModules decodes every core module of a component.
func checkModules(t *testing.T, c *Component) {
	t.Helper()
	for _, def := range c.Defs {
		switch def := def.(type) {
		case *CoreModule:
			if _, err := DecodeModule(def.Bytes, Limits{}); err != nil {
				t.Errorf("core module at %#x: %v", def.At, err)
			}
		case *NestedComponent:
			checkModules(t, def.Component)
		}
	}
}

func TestConstantExpressions(t *testing.T) {
	b := assemble(t, `(module
      (type $pair (struct (field i32 i32)))
      (type $row (array i32))
      (global i32 (i32.mul (i32.sub (i32.const 7) (i32.const -1)) (i32.const 3)))
      (global i64 (i64.mul (i64.add (i64.const 7) (i64.const 1)) (i64.sub (i64.const 1) (i64.const 2))))
      (global f32 (f32.const 1))
      (global (ref $pair) (struct.new $pair (i32.const 1) (i32.const 2)))
      (global (ref $pair) (struct.new_default $pair))
      (global (ref $row) (array.new $row (i32.const 0) (i32.const 3)))
      (global (ref $row) (array.new_default $row (i32.const 3)))
      (global (ref $row) (array.new_fixed $row 2 (i32.const 1) (i32.const 2)))
      (global (ref i31) (ref.i31 (i32.const 1)))
      (global externref (extern.convert_any (ref.null any)))
      (global anyref (any.convert_extern (ref.null extern)))
      (global (ref null $row) (ref.null $row))
      (global (mut i32) (i32.const 42)))`)
	m, err := DecodeModule(b, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if last := m.Globals[len(m.Globals)-1]; len(m.Globals) != 13 || !last.Mutable || last.Value.Kind != CoreI32 {
		t.Errorf("%d globals, the last is %+v", len(m.Globals), last)
	}
	for name, expr := range map[string][]byte{
		"vector addition":    {0xfd, 0x6e},
		"struct.get":         {0xfb, 0x02, 0, 0},
		"unknown heap type":  {0xd0, 0x40},
		"heap type ahead":    {0xd0, 0x05},
		"cut short constant": {0x44, 0, 0},
	} {
		if _, err := DecodeModule(cat(coreStart, sec(6, 1, 0x7f, 0, expr, 0x0b)), Limits{}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
