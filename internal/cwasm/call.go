package cwasm

// #include "cwasm.h"
import "C"

import (
	"fmt"
	"unsafe"
)

// callable checks that the slot holds a function that n values are enough for.
func (s *Store) callable(slot, n int) error {
	if s.shut {
		return fmt.Errorf("call slot %d: %w", slot, ErrClosed)
	}
	if slot < 0 || slot >= len(s.plan.slots) {
		return fmt.Errorf("call slot %d: %w: the plan has %d slots", slot, ErrSlot, len(s.plan.slots))
	}
	if kind := s.slot(slot).kind; kind != C.WASMTIME_EXTERN_FUNC {
		return fmt.Errorf("call slot %d: %w: it holds no function", slot, ErrSlot)
	}
	if want := s.plan.slots[slot].arity; n < want {
		return fmt.Errorf("call slot %d: %w: %d values for a function that needs %d", slot, ErrSlot, n, want)
	}
	return nil
}

// Call calls the function in the slot with the parameters in st and puts its
// results there. st needs at least [FuncType.Arity] values.
func (s *Store) Call(slot int, st []Raw) error {
	if err := s.callable(slot, len(st)); err != nil {
		return err
	}
	n := s.plan.slots[slot].arity
	// The engine reads and writes the array at the two ends of the call, so
	// that one array serves calls nested inside host functions as well.
	spill := unsafe.Slice((*Raw)(unsafe.Pointer(s.cell.spill)), n)
	copy(spill, st)
	s.running++
	status := C.cwasm_call(s.cell, C.uint32_t(slot), s.cell.spill, C.uint32_t(n))
	s.running--
	if status != C.CWASM_OK {
		return s.failed(status)
	}
	copy(st, spill)
	return nil
}

// Args returns the store's own argument array, n values of what was left in
// it, for [Store.CallArgs] and [Store.CallMem]. n must not exceed the greatest
// arity of the plan's slots, or four. The array is overwritten by the next of
// those two calls, nested ones included, but not by Call and Realloc.
func (s *Store) Args(n int) []Raw {
	if s.shut {
		return nil
	}
	return unsafe.Slice((*Raw)(unsafe.Pointer(s.cell.args)), int(s.cell.plan.raw_len))[:n]
}

// CallArgs calls the function in the slot with the first n values of
// [Store.Args] and returns the same array holding the results.
func (s *Store) CallArgs(slot, n int) ([]Raw, error) {
	if err := s.callable(slot, n); err != nil {
		return nil, err
	}
	s.running++
	status := C.cwasm_call(s.cell, C.uint32_t(slot), s.cell.args, C.uint32_t(s.plan.slots[slot].arity))
	s.running--
	if status != C.CWASM_OK {
		return nil, s.failed(status)
	}
	return s.Args(n), nil
}

// CallMem is [Store.CallArgs] followed by [Store.Memory] of memSlot, in one
// crossing into C. The results are in [Store.Args].
func (s *Store) CallMem(slot, n, memSlot int) ([]byte, error) {
	if err := s.callable(slot, n); err != nil {
		return nil, err
	}
	if memSlot < 0 || memSlot >= len(s.plan.slots) {
		return nil, fmt.Errorf("call slot %d: %w: no memory slot %d", slot, ErrSlot, memSlot)
	}
	s.running++
	status := C.cwasm_call_mem(s.cell, C.uint32_t(slot), C.uint32_t(s.plan.slots[slot].arity), C.uint32_t(memSlot))
	s.running--
	if status != C.CWASM_OK {
		return nil, s.failed(status)
	}
	return s.view(), nil
}

// Realloc calls a function of the shape of the canonical ABI's realloc and
// returns its result, unchecked, and a fresh view of the memory, in one
// crossing into C. It leaves [Store.Args] alone.
// (CanonicalABI.md, section Canonical ABI Options.)
func (s *Store) Realloc(slot, memSlot int, oldPtr, oldSize, align, newSize uint32) (ptr uint32, mem []byte, err error) {
	if err := s.callable(slot, 4); err != nil {
		return 0, nil, err
	}
	if !s.plan.slots[slot].isRealloc {
		return 0, nil, fmt.Errorf("call slot %d: %w: it is no realloc function", slot, ErrSlot)
	}
	if memSlot < 0 || memSlot >= len(s.plan.slots) {
		return 0, nil, fmt.Errorf("call slot %d: %w: no memory slot %d", slot, ErrSlot, memSlot)
	}
	s.running++
	status := C.cwasm_realloc(s.cell, C.uint32_t(slot), C.uint32_t(memSlot),
		C.uint32_t(oldPtr), C.uint32_t(oldSize), C.uint32_t(align), C.uint32_t(newSize))
	s.running--
	if status != C.CWASM_OK {
		return 0, nil, s.failed(status)
	}
	return uint32(s.cell.word), s.view(), nil
}
