package cwasm

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func nothing(*Store, []Raw, []byte) error { return nil }

func TestStartFunctionCallsHost(t *testing.T) {
	var seen []string
	host := HostImport{Type: FuncType{Params: []ValKind{I32}}, MemSlot: 0,
		Func: func(s *Store, st []Raw, mem []byte) error {
			seen = append(seen, fmt.Sprintf("%v %d %d %v %v", s.Data, st[0].U32(), len(mem), s.HasSlot(0), s.HasSlot(1)))
			return nil
		}}
	memory := compile(t, onDemand, `(module (memory (export "mem") 2))`)
	starter := compile(t, onDemand, `(module (import "h" "note" (func $note (param i32)))
		(func $s (call $note (i32.const 11))) (start $s) (func (export "f")))`)
	p := plan(t, PlanConfig{Engine: onDemand, Slots: 2, Hosts: []HostImport{host}, Steps: []Step{
		{Module: starter, Imports: []Import{{Kind: FromHost}}},
		{Module: memory, Fetch: []Fetch{{"mem", 0}}},
		{Module: starter, Imports: []Import{{Kind: FromHost}}, Fetch: []Fetch{{"f", 1}}},
	}})
	instantiate(t, p, StoreOptions{Data: "data"})
	want := []string{"data 11 0 false false", "data 11 131072 true false"}
	if fmt.Sprint(seen) != fmt.Sprint(want) {
		t.Errorf("start saw %q, want %q", seen, want)
	}
}

func TestStartFunctionFails(t *testing.T) {
	ok := compile(t, onDemand, `(module)`)
	trap := compile(t, onDemand, `(module (func $s unreachable) (start $s))`)
	loop := compile(t, onDemand, `(module (func $s (loop (br 0))) (start $s))`)

	p := plan(t, PlanConfig{Engine: onDemand, Steps: []Step{{Module: ok}, {Module: trap}}})
	_, err := p.Instantiate(StoreOptions{})
	var tr *Trap
	if !errors.As(err, &tr) || tr.Code != TrapUnreachable || !strings.Contains(err.Error(), "step 1") {
		t.Errorf("trap in start: %v", err)
	}

	p = plan(t, PlanConfig{Engine: onDemand, Steps: []Step{{Module: loop}}})
	_, err = p.Instantiate(StoreOptions{Deadline: time.Now().Add(10 * time.Millisecond)})
	if !errors.Is(err, ErrDeadline) {
		t.Errorf("loop in start: %v", err)
	}
	_, err = p.Instantiate(StoreOptions{Deadline: time.Now().Add(-10 * time.Millisecond)})
	if !errors.Is(err, ErrDeadline) {
		t.Errorf("start past the deadline: %v", err)
	}
	s, err := p.NewStore(StoreOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	time.AfterFunc(10*time.Millisecond, s.Cancel)
	if err := s.Start(); !errors.Is(err, ErrCanceled) {
		t.Errorf("cancelled start: %v", err)
	}
	if err := s.Start(); err == nil {
		t.Error("a store can be started twice")
	}
}

// shim, main and fixup: the shape that componentized modules have, where main
// calls through a table that fixup fills with host functions.
const (
	shimWat = `(module
		(table (export "$imports") 1 1 funcref)
		(func (export "0") (param i32) (result i32) (call_indirect (param i32) (result i32) (local.get 0) (i32.const 0))))`
	mainWat = `(module
		(import "h" "direct" (func $direct (param i32) (result i32)))
		(import "h" "viatable" (func $viatable (param i32) (result i32)))
		(memory (export "mem") 1)
		(func (export "run") (param i32) (result i32)
			(i32.store8 (i32.const 0) (i32.const 99))
			(i32.add (call $direct (local.get 0)) (call $viatable (local.get 0)))))`
	fixupWat = `(module
		(import "" "0" (func $f (param i32) (result i32)))
		(import "" "$imports" (table 1 1 funcref))
		(elem (i32.const 0) func $f))`
)

func TestSharedTableAndMemory(t *testing.T) {
	for name, e := range map[string]*Engine{"on-demand": onDemand, "pooling": pooling} {
		t.Run(name, func(t *testing.T) {
			typ := FuncType{[]ValKind{I32}, []ValKind{I32}}
			var lengths []int
			host := func(factor uint32) HostImport {
				return HostImport{Type: typ, MemSlot: 2, Func: func(_ *Store, st []Raw, mem []byte) error {
					lengths = append(lengths, len(mem))
					if mem[0] != 99 {
						t.Errorf("memory byte %d", mem[0])
					}
					st[0].SetU32(st[0].U32() * factor)
					return nil
				}}
			}
			peek := compile(t, e, `(module (import "m" "mem" (memory 1)) (func (export "peek") (result i32) (i32.load8_u (i32.const 0))))`)
			p := plan(t, PlanConfig{Engine: e, Slots: 5, Hosts: []HostImport{host(10), host(100)}, Steps: []Step{
				{Module: compile(t, e, shimWat), Fetch: []Fetch{{"$imports", 0}, {"0", 1}}},
				{Module: compile(t, e, mainWat), Imports: []Import{{Kind: FromHost, Host: 0}, {Kind: FromSlot, Slot: 1}},
					Fetch: []Fetch{{"mem", 2}, {"run", 3}}},
				{Module: compile(t, e, fixupWat), Imports: []Import{{Kind: FromHost, Host: 1}, {Kind: FromSlot, Slot: 0}}},
				{Module: peek, Imports: []Import{{Kind: FromSlot, Slot: 2}}, Fetch: []Fetch{{"peek", 4}}},
			}})
			s := instantiate(t, p, StoreOptions{})
			st := raw(3)
			if err := s.Call(3, st); err != nil || st[0].U32() != 330 {
				t.Errorf("run: %v, %v; want 330", st, err)
			}
			if fmt.Sprint(lengths) != "[65536 65536]" {
				t.Errorf("memory views of %v bytes", lengths)
			}
			if err := s.Call(4, st); err != nil || st[0].U32() != 99 {
				t.Errorf("peek: %v, %v; want 99", st, err)
			}
		})
	}
}

// The engine's linker knows imports by name; two of one name that are bound
// differently must still be told apart.
func TestDuplicateImportNames(t *testing.T) {
	typ := FuncType{Results: []ValKind{I32}}
	give := func(v uint32) HostImport {
		return HostImport{Type: typ, MemSlot: -1, Func: func(_ *Store, st []Raw, _ []byte) error { st[0].SetU32(v); return nil }}
	}
	wat := `(module (import "a" "b" (func $x (result i32))) (import "a" "b" (func $y (result i32)))
		(func (export "f") (result i32) (i32.sub (call $x) (call $y))))`
	for _, tt := range []struct {
		second int
		want   int32
	}{{0, 0}, {1, 7 - 30}} {
		p := plan(t, PlanConfig{Engine: onDemand, Slots: 1, Hosts: []HostImport{give(7), give(30)}, Steps: []Step{{
			Module: compile(t, onDemand, wat), Imports: []Import{{Host: 0}, {Host: tt.second}}, Fetch: []Fetch{{"f", 0}},
		}}})
		s := instantiate(t, p, StoreOptions{})
		st := raw(0)
		if err := s.Call(0, st); err != nil || int32(st[0].U32()) != tt.want {
			t.Errorf("second import bound to %d: %v, %v; want %d", tt.second, st, err, tt.want)
		}
	}
}

func TestLinkErrors(t *testing.T) {
	e := onDemand
	host := HostImport{Type: FuncType{Params: []ValKind{I64}}, Func: nothing, MemSlot: -1}
	needs := compile(t, e, `(module (import "a" "f" (func (param i32))) (import "a" "m" (memory 1)))`)
	gives := compile(t, e, `(module (memory (export "m") 1) (func (export "f") (param i32))
		(global (export "g") i32 (i32.const 0)) (table (export "t") 1 externref))`)
	globals := compile(t, e, `(module (import "a" "g" (global (mut i32))) (import "a" "t" (table 1 funcref)))`)
	all := []Fetch{{"m", 0}, {"f", 1}, {"g", 2}, {"t", 3}}
	tests := []struct {
		name  string
		steps []Step
		want  []string
	}{
		{"types", []Step{{Module: needs, Imports: []Import{{Host: 0}, {Host: 0}}}},
			[]string{`"a" "f"`, "(func (param i32)) is wanted", "(func (param i64)) is given", `"a" "m"`, "a memory is wanted, a func is given"}},
		{"indexes", []Step{{Module: needs, Imports: []Import{{Host: 4}, {Kind: FromSlot, Slot: 40}}}},
			[]string{"no host function 4", "no slot 40"}},
		{"order", []Step{{Module: needs, Imports: []Import{{Kind: FromSlot, Slot: 1}, {Kind: FromSlot, Slot: 0}}}, {Module: gives, Fetch: all}},
			[]string{"slot 1 is not filled by an earlier step"}},
		{"kinds", []Step{{Module: gives, Fetch: all}, {Module: globals, Imports: []Import{{Kind: FromSlot, Slot: 2}, {Kind: FromSlot, Slot: 3}}}},
			[]string{"link step 1", "global's type differs", "table of funcref is wanted, one of externref is given"}},
		{"count", []Step{{Module: needs}}, []string{"2 imports, 0 are given"}},
		{"export", []Step{{Module: gives, Fetch: []Fetch{{"x", 0}}}}, []string{`no export "x"`}},
		{"slot", []Step{{Module: gives, Fetch: []Fetch{{"f", 9}}}}, []string{"no slot 9"}},
		{"slot twice", []Step{{Module: gives, Fetch: []Fetch{{"f", 0}, {"m", 0}}}}, []string{"slot 0 is taken by step 0"}},
		{"module", []Step{{}}, []string{"step 0 has no module"}},
		{"engine", []Step{{Module: compile(t, pooling, `(module)`)}}, []string{"another engine"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := NewPlan(PlanConfig{Engine: e, Steps: tt.steps, Hosts: []HostImport{host}, Slots: 4})
			if err == nil {
				p.Close()
				t.Fatal("no error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
		})
	}

	if _, err := NewPlan(PlanConfig{Engine: e, Hosts: []HostImport{{Func: nothing, MemSlot: 1}}}); err == nil {
		t.Error("a host function's memory slot may be out of range")
	}
	if _, err := NewPlan(PlanConfig{Engine: e, Hosts: []HostImport{{MemSlot: -1}}}); err == nil {
		t.Error("a host function may be nil")
	}
	if _, err := NewPlan(PlanConfig{Engine: e, Hosts: []HostImport{{MemSlot: -1, Func: nothing, Type: FuncType{Results: []ValKind{9}}}}}); err == nil {
		t.Error("a host function may have an unknown type")
	}
	if _, err := NewPlan(PlanConfig{Engine: e, Slots: -1}); err == nil {
		t.Error("there may be fewer than no slots")
	}
	if _, err := NewPlan(PlanConfig{}); err == nil {
		t.Error("a plan needs no engine")
	}
	p, err := NewPlan(PlanConfig{Engine: e, Steps: []Step{{Module: gives, Fetch: all}}, Slots: 4,
		Hosts: []HostImport{{Func: nothing, MemSlot: 1}}})
	if err == nil {
		p.Close()
		t.Error("a host function's memory slot may hold a function")
	}
}

// Limits of memories depend on growth, so the engine compares them when a
// store is made; its words must come through.
func TestMemoryTooSmallForImport(t *testing.T) {
	p := plan(t, PlanConfig{Engine: onDemand, Slots: 1, Steps: []Step{
		{Module: compile(t, onDemand, `(module (memory (export "m") 1))`), Fetch: []Fetch{{"m", 0}}},
		{Module: compile(t, onDemand, `(module (import "a" "m" (memory 2)))`), Imports: []Import{{Kind: FromSlot}}},
	}})
	_, err := p.Instantiate(StoreOptions{})
	if err == nil || !strings.Contains(err.Error(), "step 1") || !strings.Contains(err.Error(), "memory") {
		t.Errorf("got %v", err)
	}
}
