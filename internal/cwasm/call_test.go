package cwasm

import (
	"bytes"
	"errors"
	"math"
	"testing"
)

func raw(v ...uint64) []Raw {
	st := make([]Raw, len(v))
	for i := range v {
		st[i].Lo = v[i]
	}
	return st
}

func TestCallTypes(t *testing.T) {
	p := single(t, onDemand, `(module
		(func (export "i32") (param i32 i32) (result i32) (i32.sub (local.get 0) (local.get 1)))
		(func (export "i64") (param i64 i64) (result i64) (i64.mul (local.get 0) (local.get 1)))
		(func (export "f32") (param f32 f32) (result f32) (f32.div (local.get 0) (local.get 1)))
		(func (export "f64") (param f64 f64) (result f64) (f64.add (local.get 0) (local.get 1)))
		(func (export "swap") (param i32 i64) (result i64 i32) (local.get 1) (local.get 0))
		(func (export "more") (param i32) (result i32 i32 i32) (local.get 0) (i32.const 7) (i32.const 8))
		(func (export "none"))
		(func (export "v128") (param v128) (result v128) (i64x2.add (local.get 0) (local.get 0))))`)
	s := instantiate(t, p, StoreOptions{})
	call := func(slot int, st []Raw) []Raw {
		t.Helper()
		if err := s.Call(slot, st); err != nil {
			t.Fatal(err)
		}
		return st
	}
	if got := int32(call(0, raw(3, 5))[0].U32()); got != -2 {
		t.Errorf("i32: got %d", got)
	}
	if got := call(1, raw(1<<40, 3))[0].U64(); got != 3<<40 {
		t.Errorf("i64: got %d", got)
	}
	st := make([]Raw, 2)
	st[0].SetF32(1)
	st[1].SetF32(3)
	if got := call(2, st)[0].F32(); got != float32(1)/3 {
		t.Errorf("f32: got %v", got)
	}
	st[0].SetF64(math.MaxFloat64)
	st[1].SetF64(math.Inf(-1))
	if got := call(3, st)[0].F64(); got != math.Inf(-1) {
		t.Errorf("f64: got %v", got)
	}
	if got := call(4, raw(1, 1<<33)); got[0].U64() != 1<<33 || got[1].U32() != 1 {
		t.Errorf("swap: got %v", got)
	}
	if got := call(5, raw(6, 0, 0)); got[0].U32() != 6 || got[1].U32() != 7 || got[2].U32() != 8 {
		t.Errorf("more: got %v", got)
	}
	call(6, nil)
	if got := call(7, []Raw{{1, 2}}); got[0] != (Raw{2, 4}) {
		t.Errorf("v128: got %v", got)
	}

	args := s.Args(2)
	args[0].SetU32(9)
	args[1].SetU32(4)
	got, err := s.CallArgs(0, 2)
	if err != nil || got[0].U32() != 5 {
		t.Errorf("CallArgs: got %v, %v", got, err)
	}
}

func TestCallMisuse(t *testing.T) {
	p := single(t, onDemand, `(module
		(memory (export "mem") 1)
		(func (export "f") (param i32) (result i32 i32) (local.get 0) (local.get 0)))`)
	s := instantiate(t, p, StoreOptions{})
	for _, slot := range []int{-1, 0, 2, 1 << 40} {
		if err := s.Call(slot, make([]Raw, 4)); !errors.Is(err, ErrSlot) {
			t.Errorf("Call of slot %d: got %v, want ErrSlot", slot, err)
		}
	}
	if err := s.Call(1, make([]Raw, 1)); !errors.Is(err, ErrSlot) {
		t.Errorf("Call with too few values: got %v, want ErrSlot", err)
	}
	if _, err := s.CallArgs(1, 1); !errors.Is(err, ErrSlot) {
		t.Errorf("CallArgs with too few values: got %v, want ErrSlot", err)
	}
	if _, err := s.CallMem(1, 2, 9); !errors.Is(err, ErrSlot) {
		t.Errorf("CallMem of a bad memory: got %v, want ErrSlot", err)
	}
	if _, _, err := s.Realloc(1, 0, 0, 0, 1, 1); !errors.Is(err, ErrSlot) {
		t.Errorf("Realloc of another function: got %v, want ErrSlot", err)
	}
	s.Close()
	if err := s.Call(1, make([]Raw, 2)); !errors.Is(err, ErrClosed) {
		t.Errorf("Call after Close: got %v, want ErrClosed", err)
	}
	if s.Memory(0) != nil || s.HasSlot(0) || s.Args(1) != nil {
		t.Error("a closed store still answers")
	}
}

func TestMemoryIsReadAgainAfterGrowth(t *testing.T) {
	for name, e := range map[string]*Engine{"on-demand": onDemand, "pooling": pooling} {
		t.Run(name, func(t *testing.T) {
			p := single(t, e, `(module
				(memory (export "mem") 1 100)
				(func (export "realloc") (param i32 i32 i32 i32) (result i32)
					(drop (memory.grow (local.get 3)))
					(i32.store8 (i32.const 65540) (i32.const 42))
					(i32.const 65540)))`)
			s := instantiate(t, p, StoreOptions{})
			mem := s.Memory(0)
			if len(mem) != 1<<16 {
				t.Fatalf("memory has %d bytes", len(mem))
			}
			mem[3] = 1
			ptr, mem, err := s.Realloc(1, 0, 0, 0, 1, 1)
			if err != nil {
				t.Fatal(err)
			}
			if len(mem) != 2<<16 || ptr != 65540 || mem[ptr] != 42 || mem[3] != 1 {
				t.Errorf("after growth: %d bytes, ptr %d, bytes %d %d", len(mem), ptr, mem[ptr], mem[3])
			}
			s.Args(4)[3].SetU32(2)
			mem, err = s.CallMem(1, 4, 0)
			if err != nil || len(mem) != 4<<16 {
				t.Errorf("CallMem: %d bytes, %v", len(mem), err)
			}
			if !bytes.Equal(mem, s.Memory(0)) {
				t.Error("Memory and CallMem differ")
			}
		})
	}
}

func TestSlots(t *testing.T) {
	p := single(t, onDemand, `(module
		(memory (export "mem") 1 2) (table (export "tab") 3 funcref)
		(global (export "glob") (mut i64) (i64.const 1)) (func (export "f") (param f32)))`)
	s := instantiate(t, p, StoreOptions{})
	for i, want := range []ExternKind{ExternMemory, ExternTable, ExternGlobal, ExternFunc} {
		typ, ok := p.SlotType(i)
		if !ok || typ.Kind != want || !s.HasSlot(i) {
			t.Errorf("slot %d: %v %v %v, want a %v", i, typ.Kind, ok, s.HasSlot(i), want)
		}
	}
	if _, ok := p.SlotType(4); ok || s.HasSlot(4) || s.HasSlot(-1) {
		t.Error("a slot that does not exist is there")
	}
	if s.Memory(3) != nil || s.Memory(99) != nil {
		t.Error("a slot that holds no memory gives one")
	}
}
