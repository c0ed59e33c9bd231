package cwasm

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestImportAndExportTypes(t *testing.T) {
	m := compile(t, onDemand, `(module
		(import "a" "f" (func (param i32 i64 f32 f64 v128 externref funcref) (result f64 i32)))
		(import "a" "g" (global (mut i64)))
		(import "b" "t" (table 2 10 externref))
		(import "" "" (memory 3))
		(memory (export "mem") 1 7)
		(func (export "run"))
		(table (export "tab") 5 funcref)
		(global (export "glob") f32 (f32.const 1)))`)
	imports := []ImportType{
		{"a", "f", ExternType{Kind: ExternFunc, Func: &FuncType{[]ValKind{I32, I64, F32, F64, V128, ExternRef, FuncRef}, []ValKind{F64, I32}}}},
		{"a", "g", ExternType{Kind: ExternGlobal, Global: &GlobalType{I64, true}}},
		{"b", "t", ExternType{Kind: ExternTable, Table: &TableType{ExternRef, 2, 10, true}}},
		{"", "", ExternType{Kind: ExternMemory, Memory: &MemoryType{Min: 3}}},
	}
	exports := []ExportType{
		{"mem", ExternType{Kind: ExternMemory, Memory: &MemoryType{1, 7, true}}},
		{"run", ExternType{Kind: ExternFunc, Func: &FuncType{}}},
		{"tab", ExternType{Kind: ExternTable, Table: &TableType{Elem: FuncRef, Min: 5}}},
		{"glob", ExternType{Kind: ExternGlobal, Global: &GlobalType{F32, false}}},
	}
	ignoreMax := func(e *ExternType) {
		if e.Table != nil && !e.Table.HasMax {
			e.Table.Max = 0
		}
		if e.Memory != nil && !e.Memory.HasMax {
			e.Memory.Max = 0
		}
	}
	for i := range m.Imports() {
		got := m.Imports()[i]
		ignoreMax(&got.ExternType)
		if !reflect.DeepEqual(got, imports[i]) {
			t.Errorf("import %d: got %+v, want %+v", i, got, imports[i])
		}
	}
	for i := range m.Exports() {
		got := m.Exports()[i]
		ignoreMax(&got.ExternType)
		if !reflect.DeepEqual(got, exports[i]) {
			t.Errorf("export %d: got %+v, want %+v", i, got, exports[i])
		}
	}
	if len(m.Imports()) != len(imports) || len(m.Exports()) != len(exports) {
		t.Errorf("%d imports, %d exports", len(m.Imports()), len(m.Exports()))
	}
	want := "(func (param i32 i64 f32 f64 v128 externref funcref) (result f64 i32))"
	if got := m.Imports()[0].Func.String(); got != want {
		t.Errorf("type prints as %s", got)
	}
}

// Features that are off are refused when compiling, whatever the engine's
// defaults are; those that are on compile.
func TestFeatures(t *testing.T) {
	tests := []struct {
		name, wat string
		on        bool
	}{
		{"bulk memory", `(module (memory 1) (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 0))))`, true},
		{"multi-value", `(module (func (result i32 i32) (i32.const 1) (i32.const 2)))`, true},
		{"multi-memory", `(module (memory 1) (memory 1))`, true},
		{"simd", `(module (func (result v128) (v128.const i32x4 0 0 0 0)))`, true},
		{"tail call", `(module (func $f (return_call $f)))`, true},
		{"reference types", `(module (table 1 externref) (func (result externref) (ref.null extern)))`, true},
		{"extended const", `(module (global i32 (i32.add (i32.const 1) (i32.const 2))))`, true},
		{"memory64", `(module (memory i64 1))`, false},
		{"table64", `(module (table i64 1 funcref))`, false},
		{"threads", `(module (memory 1 1 shared))`, false},
		{"exceptions", `(module (tag) (func (throw 0)))`, false},
		{"gc", `(module (type (struct)))`, false},
		{"typed references", `(module (type $f (func)) (import "" "" (func (param (ref null $f)))))`, false},
		{"anyref", `(module (import "" "" (func (param anyref))))`, false},
		{"custom page sizes", `(module (memory 1 (pagesize 1)))`, false},
		{"wide arithmetic", `(module (func (param i64 i64 i64 i64) (result i64 i64)
			(i64.add128 (local.get 0) (local.get 1) (local.get 2) (local.get 3))))`, false},
		{"stack switching", `(module (type $f (func)) (type $c (cont $f)))`, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wasm, err := Wat(tt.wat)
			if err != nil {
				t.Fatal(err)
			}
			m, err := onDemand.Compile(wasm)
			if err == nil {
				m.Close()
			}
			if (err == nil) != tt.on {
				t.Errorf("compiling gives %v; the feature should be on: %v", err, tt.on)
			}
		})
	}
}

func TestSerialize(t *testing.T) {
	m := compile(t, onDemand, `(module (func (export "f") (result i32) (i32.const 42)))`)
	code, err := m.Serialize()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "code.cwasm")
	if err := os.WriteFile(file, code, 0o600); err != nil {
		t.Fatal(err)
	}
	load := map[string]func() (*Module, error){
		"bytes": func() (*Module, error) { return onDemand.Deserialize(code) },
		"file":  func() (*Module, error) { return onDemand.DeserializeFile(file) },
	}
	for name, load := range load {
		t.Run(name, func(t *testing.T) {
			m, err := load()
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			p := plan(t, PlanConfig{Engine: onDemand, Slots: 1, Steps: []Step{{Module: m, Fetch: []Fetch{{"f", 0}}}}})
			s := instantiate(t, p, StoreOptions{})
			st := raw(0)
			if err := s.Call(0, st); err != nil || st[0].U32() != 42 {
				t.Errorf("got %v, %v", st, err)
			}
		})
	}
	for name, bad := range map[string][]byte{"empty": nil, "text": []byte("no code at all"), "cut off": code[:len(code)/2]} {
		if m, err := onDemand.Deserialize(bad); err == nil {
			m.Close()
			t.Errorf("%s: no error", name)
		}
	}
	if m, err := onDemand.DeserializeFile(file + ".not"); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("missing file: %v %v", m, err)
	}
	m.Close()
	if _, err := m.Serialize(); !errors.Is(err, ErrClosed) {
		t.Errorf("Serialize after Close: %v", err)
	}
}

func TestCompileErrors(t *testing.T) {
	for name, wasm := range map[string][]byte{
		"empty":     nil,
		"text":      []byte("(module)"),
		"component": {0, 'a', 's', 'm', 0x0d, 0, 1, 0},
		"cut off":   {0, 'a', 's', 'm', 1, 0, 0, 0, 1, 200},
	} {
		if m, err := onDemand.Compile(wasm); err == nil {
			m.Close()
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := Wat("(module (func (result i32)"); err == nil {
		t.Error("Wat takes broken text")
	}
	if wasm, err := Wat("(component)"); err != nil || !bytes.HasPrefix(wasm, []byte{0, 'a', 's', 'm', 0x0d}) {
		t.Errorf("Wat of a component: %x, %v", wasm, err)
	}
}

func TestFingerprint(t *testing.T) {
	configs := []Config{{}, {MaxWasmStack: 256 << 10}, {MaxWasmStack: 1 << 20}}
	seen := map[string]int{}
	for i, c := range configs {
		e, err := NewEngine(c)
		if err != nil {
			t.Fatal(err)
		}
		again, err := NewEngine(c)
		if err != nil {
			t.Fatal(err)
		}
		if e.Fingerprint() != again.Fingerprint() {
			t.Errorf("config %d: two engines differ", i)
		}
		if other, ok := seen[e.Fingerprint()]; ok {
			t.Errorf("configs %d and %d have one fingerprint", i, other)
		}
		seen[e.Fingerprint()] = i
		e.Close()
		again.Close()
	}
}

// Code does not depend on the allocator, so that a component compiled for one is
// not compiled again for the other.
func TestCodeIsSharedByAllocators(t *testing.T) {
	wasm, err := Wat(`(module (memory 1) (func (export "f") (result i32) (i32.load (i32.const 0))))`)
	if err != nil {
		t.Fatal(err)
	}
	var fingerprint, code string
	for _, c := range []Config{{}, {Pooling: &Pooling{Instances: 2}}, {Pooling: &Pooling{Instances: 2, MaxMemoryBytes: 4 << 30}}} {
		e, err := NewEngine(c)
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		m, err := e.Compile(wasm)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		b, err := m.Serialize()
		if err != nil {
			t.Fatal(err)
		}
		if code == "" {
			code, fingerprint = string(b), e.Fingerprint()
		}
		if string(b) != code || e.Fingerprint() != fingerprint {
			t.Errorf("%+v: the code or its fingerprint is another", c)
		}
	}
}

func TestConfigErrors(t *testing.T) {
	for _, c := range []Config{
		{MaxWasmStack: -1},
		{MaxWasmStack: 100},
		{MaxWasmStack: 64 << 20},
		{Pooling: &Pooling{MaxMemoryBytes: 5 << 30}},
		{Pooling: &Pooling{TableElements: 1 << 33}},
		{Pooling: &Pooling{Memories: 1 << 20}},
	} {
		if e, err := NewEngine(c); err == nil {
			e.Close()
			t.Errorf("%+v: no error", c)
		}
	}
}

func TestClosedEngine(t *testing.T) {
	e, err := NewEngine(Config{})
	if err != nil {
		t.Fatal(err)
	}
	before := runtime.NumGoroutine()
	e.StartTicker(time.Millisecond, nil)
	e.StartTicker(time.Millisecond, nil)
	if n := runtime.NumGoroutine(); n > before+1 {
		t.Errorf("%d tickers", n-before)
	}
	p := single(t, e, `(module (func (export "f")))`)
	s := instantiate(t, p, StoreOptions{})
	e.Close()
	e.Close()
	e.StartTicker(time.Millisecond, nil)
	if n := runtime.NumGoroutine(); n > before {
		t.Errorf("the ticker outlives the engine")
	}
	if _, err := e.Compile([]byte{0, 'a', 's', 'm', 1, 0, 0, 0}); !errors.Is(err, ErrClosed) {
		t.Errorf("Compile: %v", err)
	}
	if _, err := NewPlan(PlanConfig{Engine: e}); !errors.Is(err, ErrClosed) {
		t.Errorf("NewPlan: %v", err)
	}
	if err := s.Call(0, nil); err != nil {
		t.Errorf("a store does not outlive its engine: %v", err)
	}
	if s, err := p.Instantiate(StoreOptions{}); err != nil {
		t.Errorf("a plan does not outlive its engine: %v", err)
	} else {
		s.Close()
	}
}

func TestValidateComponent(t *testing.T) {
	tests := []struct {
		name, wat string
		valid     bool
	}{
		{"empty", `(component)`, true},
		{"types", `(component (type $r (record (field "a" u32))) (import "f" (func (param "x" $r))))`, false},
		{"exported types", `(component (import "i" (instance (export "r" (type (sub resource))))))`, true},
		{"lift", `(component (core module $m (func (export "f") (result i32) unreachable))
			(core instance $i (instantiate $m))
			(func (export "f") (result u32) (canon lift (core func $i "f"))))`, true},
		{"lift of another type", `(component (core module $m (func (export "f") (result i64) unreachable))
			(core instance $i (instantiate $m))
			(func (export "f") (result u32) (canon lift (core func $i "f"))))`, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wasm, err := Wat(tt.wat)
			if err != nil {
				t.Fatal(err)
			}
			if err := onDemand.ValidateComponent(wasm); (err == nil) != tt.valid {
				t.Errorf("got %v, the component is valid: %v", err, tt.valid)
			}
		})
	}
	for name, wasm := range map[string][]byte{"empty": nil, "module": {0, 'a', 's', 'm', 1, 0, 0, 0}} {
		if err := onDemand.ValidateComponent(wasm); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// The engine's messages have several lines, and its own backtrace when the
// environment asks Rust for one.
func TestCompileErrorIsOneLine(t *testing.T) {
	t.Setenv("RUST_BACKTRACE", "1")
	_, err := onDemand.Compile([]byte("\x00asm\x01\x00\x00\x00\x0b\x01"))
	if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "at offset") {
		t.Errorf("got %q", err)
	}
}
