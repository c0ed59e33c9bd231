package binary

import (
	"testing"

	"github.com/bytecodealliance/wasmtime-go/v39"
	"github.com/google/go-cmp/cmp"
)

// skeletonText has, in a nested component, a module with all that a skeleton
// drops and keeps.
const skeletonText = `(component
  (@custom "left-out" "some bytes that move what follows")
  (import "log" (func $log (param "n" u32)))
  (core module $first (func (export "f") (result i32) (i32.const 1)))
  (component $inner
    (core module $m
      (type (func (param i32) (result i32)))
      (type (func (param i32) (result i32)))
      (import "" "log" (func $log (param i32)))
      (import "" "memory" (memory 1))
      (global $g (export "g") (mut i32) (i32.const 7))
      (table (export "t") 2 funcref)
      (func $a (export "a") (param i32) (result i32) (call $log (i32.const 1)) (local.get 0))
      (func $b (export "b") (type 0) (call $hidden) (local.get 0))
      (func $c (export "c") (type 1) (local.get 0))
      (func $hidden (data.drop 0))
      (func (export "two") (param i64 f32))
      (func $start)
      (export "log" (func $log))
      (export "memory" (memory 0))
      (start $start)
      (elem (i32.const 0) $a $hidden)
      (data "passive")
      (data (i32.const 0) "active")))
  (type $after (func)))`

func skeletonOf(t *testing.T, text string) (from, to *Component, s *Skeleton) {
	t.Helper()
	b := assemble(t, text)
	s, err := NewSkeleton(b)
	if err != nil {
		t.Fatal(err)
	}
	if from, err = Decode(b, Limits{}); err != nil {
		t.Fatal(err)
	}
	if to, err = Decode(s.Bytes, Limits{}); err != nil {
		t.Fatalf("the skeleton: %v", err)
	}
	return from, to, s
}

func TestSkeleton(t *testing.T) {
	from, to, s := skeletonOf(t, skeletonText)
	compareSkeleton(t, s, from, to)
	inner := to.Defs[3].(*NestedComponent).Component
	m, err := DecodeModule(inner.Defs[0].(*CoreModule).Bytes, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	// The imported one; one for a, b and c; one for two.
	if len(m.Funcs) != 3 {
		t.Errorf("%d functions are kept, want 3", len(m.Funcs))
	}
	for _, c := range m.Sections {
		switch c.ID {
		case CoreSectionData, CoreSectionDataCount, CoreSectionElement, CoreSectionStart, CoreSectionCustom:
			t.Errorf("the %s is kept", c.ID)
		}
	}
	if len(to.Customs) > 0 {
		t.Error("custom sections are kept")
	}
}

func TestSkeletonOfTestdata(t *testing.T) {
	for name, b := range textComponents(t) {
		s, err := NewSkeleton(b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		from, err := Decode(b, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		to, err := Decode(s.Bytes, Limits{})
		if err != nil {
			t.Errorf("skeleton of %s: %v", name, err)
			continue
		}
		compareSkeleton(t, s, from, to)
	}
}

// A module whose globals name functions keeps the indices of all of them.
func TestSkeletonKeepsReferences(t *testing.T) {
	_, to, _ := skeletonOf(t, `(component (core module
		(func $a (result i64) unreachable)
		(func $b (export "b") (result i32) unreachable)
		(func $c (param f32))
		(global (export "g") funcref (ref.func $c))))`)
	b := to.Defs[0].(*CoreModule).Bytes
	validModule(t, b)
	m, err := DecodeModule(b, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if e := m.Export("b"); len(m.Funcs) != 3 || e.Index != 1 {
		t.Errorf("%d functions, b is number %d; want 3 and 1", len(m.Funcs), e.Index)
	}
}

// What the decoder cannot read is left to the engine.
func TestSkeletonLeavesBadModules(t *testing.T) {
	bad := append([]byte(nil), modulePreamble...)
	bad = append(bad, byte(CoreSectionExport), 1, 200)
	if got := moduleSkeleton(bad); string(got) != string(bad) {
		t.Errorf("% x became % x", bad, got)
	}
}

func TestSkeletonOfTruncated(t *testing.T) {
	b := assemble(t, skeletonText)
	for _, n := range []int{0, 4, 9, len(b) - 1} {
		if _, err := NewSkeleton(b[:n]); err == nil {
			t.Errorf("%d of %d bytes: no error", n, len(b))
		}
	}
}

// compareSkeleton compares what is to be alike in a component and its skeleton.
func compareSkeleton(t *testing.T, s *Skeleton, from, to *Component) {
	t.Helper()
	if len(from.Defs) != len(to.Defs) {
		t.Fatalf("%d definitions of %d", len(to.Defs), len(from.Defs))
	}
	for i, d := range from.Defs {
		switch d := d.(type) {
		case *NestedComponent:
			compareSkeleton(t, s, d.Component, to.Defs[i].(*NestedComponent).Component)
		case *CoreModule:
			got := to.Defs[i].(*CoreModule)
			if _, ok := s.Origin(got.Pos() + 8); ok {
				t.Error("an offset in a core module has an origin")
			}
			compareModules(t, d.Bytes, got.Bytes)
		default:
			if at, ok := s.Origin(to.Defs[i].Pos()); !ok || at != d.Pos() {
				t.Errorf("%T: %#x is said to come from %#x, %v; want %#x", d, to.Defs[i].Pos(), at, ok, d.Pos())
			}
		}
	}
}

func compareModules(t *testing.T, from, to []byte) {
	t.Helper()
	validModule(t, to)
	type export struct {
		Name string
		Sort Sort
		Type CoreExternType
		Func *CoreFuncType
	}
	seen := func(b []byte) (imports []CoreImport, exports []export) {
		m, err := DecodeModule(b, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range m.Exports {
			x := export{e.Name, e.Sort, e.Type, nil}
			if e.Sort == SortCoreFunc {
				x.Type, x.Func = CoreExternType{}, m.FuncType(e.Type.Func)
			}
			exports = append(exports, x)
		}
		return m.Imports, exports
	}
	wantImports, wantExports := seen(from)
	gotImports, gotExports := seen(to)
	if diff := cmp.Diff(wantImports, gotImports); diff != "" {
		t.Errorf("imports (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(wantExports, gotExports); diff != "" {
		t.Errorf("exports (-want +got):\n%s", diff)
	}
}

func validModule(t *testing.T, b []byte) {
	t.Helper()
	if err := wasmtime.ModuleValidate(wasmtime.NewEngine(), b); err != nil {
		t.Errorf("the skeleton of a module is not valid: %v", err)
	}
}
