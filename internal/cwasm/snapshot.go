package cwasm

// #cgo noescape cwasm_reset
// #cgo nocallback cwasm_reset
// #include <stdlib.h>
// #include "snapshot.h"
import "C"

import (
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

// This file puts stores back to the moment after they were started, which gives
// the next user the state of a fresh store without one being made.
//
// What a guest can change is all in its linear memories, mutable globals and
// tables, and in which segments it dropped; a plan is told the slots of the
// former three and the latter must not happen. Memories are the bulk of it.
// The plan keeps an image of each in a file in memory; every store maps it
// privately, so that the system itself keeps apart the pages a store has
// written, and tells which they are. Resetting copies back those and no others.

// Scan is a way to find out which pages a store has written.
type Scan int

// The ways to scan.
const (
	ScanAuto    Scan = C.CWASM_SCAN_AUTO    // the best there is
	ScanIoctl   Scan = C.CWASM_SCAN_IOCTL   // PAGEMAP_SCAN, since Linux 6.7
	ScanEntries Scan = C.CWASM_SCAN_ENTRIES // reading an entry for each page
)

// Bounds is a way to catch accesses beyond the size of a memory.
type Bounds int

// The ways to catch accesses out of bounds.
const (
	// BoundsCheck has compiled code compare every address with the memory's
	// size. Guests run slower, and memories shrink without a system call.
	BoundsCheck Bounds = C.CWASM_BOUNDS_CHECK
	// BoundsGuard makes pages beyond the size inaccessible, as other engines
	// do. Guests run at full speed; a memory that grew must be closed again at
	// the reset, at the price of some microseconds and of interrupting whatever
	// else of the process runs.
	BoundsGuard Bounds = C.CWASM_BOUNDS_GUARD
)

// Reset says how the stores of an engine are put back.
type Reset struct {
	// KeepResident is how many bytes of pages a store keeps of its own after a
	// reset; when it has written more, all are given back. Keeping them saves
	// the next user a page fault for each. Zero means DefaultKeepResident.
	KeepResident int64

	// Scan is the way to find written pages.
	Scan Scan

	// Bounds is the way to catch accesses out of bounds.
	Bounds Bounds
}

// DefaultKeepResident is the residency limit when [Reset] names none.
const DefaultKeepResident = 16 << 20

func (r Reset) withDefaults() Reset {
	if r.KeepResident == 0 {
		r.KeepResident = DefaultKeepResident
	}
	return r
}

func (r Reset) validate() error {
	if r.KeepResident < 0 {
		return fmt.Errorf("engine config: negative residency limit of %d bytes", r.KeepResident)
	}
	if r.Scan < ScanAuto || r.Scan > ScanEntries {
		return fmt.Errorf("engine config: unknown way %d to find written pages", r.Scan)
	}
	if r.Bounds != BoundsCheck && r.Bounds != BoundsGuard {
		return fmt.Errorf("engine config: unknown way %d to catch accesses out of bounds", r.Bounds)
	}
	if err := ResetSupported(r.Scan); err != nil {
		return fmt.Errorf("engine config: %w", err)
	}
	return nil
}

var probe sync.Mutex

// ResetSupported says what keeps this system from resetting stores, nil when
// nothing does. It tries what is needed: an anonymous file, and telling a
// written page from one that was only read.
func ResetSupported(scan Scan) error {
	probe.Lock()
	defer probe.Unlock()
	if missing := C.cwasm_reset_probe(C.int(scan)); missing != nil {
		return fmt.Errorf("stores cannot be reset on this system: %s", C.GoString(missing))
	}
	return nil
}

// StateSlots names the slots that hold everything the guests of a plan can
// change: every linear memory and every mutable global that a step defines, and
// every table that code can change.
type StateSlots struct {
	Memories, Globals, Tables []int
}

// checkState checks the slots named and the engine.
func (p *Plan) checkState(c PlanConfig) error {
	if c.State == nil {
		return nil
	}
	if c.Engine.config.Reset == nil {
		return errors.New("state: the engine's stores cannot be reset")
	}
	for _, l := range []struct {
		slots []int
		kind  ExternKind
	}{{c.State.Memories, ExternMemory}, {c.State.Globals, ExternGlobal}, {c.State.Tables, ExternTable}} {
		for _, slot := range l.slots {
			typ, ok := p.SlotType(slot)
			if !ok || typ.Kind != l.kind {
				return fmt.Errorf("state: slot %d holds no %v", slot, l.kind)
			}
			switch {
			case typ.Kind == ExternGlobal && !typ.Global.Mutable:
				return fmt.Errorf("state: the global in slot %d is immutable", slot)
			case typ.Kind == ExternGlobal && typ.Global.Content == ExternRef,
				typ.Kind == ExternTable && typ.Table.Elem != FuncRef:
				return fmt.Errorf("state: the %v in slot %d holds references that cannot be kept", l.kind, slot)
			}
		}
	}
	return nil
}

func (m *planMemory) state(s *StateSlots) {
	if s == nil {
		return
	}
	list := func(slots []int) (*C.uint32_t, C.uint32_t) {
		a := array[C.uint32_t](m, len(slots))
		for i, slot := range slots {
			a[i] = C.uint32_t(slot)
		}
		return unsafe.SliceData(a), C.uint32_t(len(a))
	}
	m.plan.state_memories, m.plan.state_memories_len = list(s.Memories)
	m.plan.state_globals, m.plan.state_globals_len = list(s.Globals)
	m.plan.state_tables, m.plan.state_tables_len = list(s.Tables)
}

// snapshot holds the images of a plan's memories, once there are any.
type snapshot struct {
	mu    sync.Mutex
	taken bool
	c     *C.cwasm_snapshot // in C memory: stores point to it
}

// of returns the plan's snapshot; the first caller's store is what it is of.
func (n *snapshot) of(s *Store) (*C.cwasm_snapshot, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.taken {
		return n.c, nil
	}
	c := (*C.cwasm_snapshot)(C.calloc(1, C.sizeof_cwasm_snapshot))
	if err := failedAt(C.cwasm_snapshot_take(s.cell, c)); err != nil {
		C.cwasm_snapshot_free(c)
		C.free(unsafe.Pointer(c))
		return nil, err
	}
	n.c, n.taken = c, true
	return c, nil
}

func (n *snapshot) free() {
	if n.c != nil {
		C.cwasm_snapshot_free(n.c)
		C.free(unsafe.Pointer(n.c))
		n.c = nil
	}
}

// ErrSnapshotDiffers is matched by the error of [Store.Snapshot] when the store
// is not what the plan's snapshot says.
var ErrSnapshotDiffers = errors.New("store differs from the snapshot of its plan")

func failedAt(f C.cwasm_failed_at) error {
	if f.what == nil {
		return nil
	}
	what := C.GoString(f.what)
	if f.error != 0 {
		return fmt.Errorf("%s: %w", what, syscall.Errno(f.error))
	}
	return errors.New(what)
}

// HostCallError is the error of a guest that called a host function in a store
// where none may be called yet.
type HostCallError struct {
	Host int // index into PlanConfig.Hosts
}

// Error says which host function was called.
func (e *HostCallError) Error() string {
	return fmt.Sprintf("host function %d was called before the snapshot", e.Host)
}

// Snapshot makes the present state of the store the one that [Store.Reset] puts
// it back to. Of all stores of a plan the first one's memories become the
// plan's snapshot, and the others' must be equal to them, which they are when
// all that ran in them is their start. A store fails here that is not, with
// [ErrSnapshotDiffers], and is then fit only for closing.
//
// From here on host functions may be called in a store that was made sealed.
func (s *Store) Snapshot() error {
	switch {
	case s.shut || !s.started:
		return fmt.Errorf("take snapshot: %w", s.misuse())
	case s.plan.resettable == nil:
		return errors.New("take snapshot: the plan names no state")
	case s.running > 0:
		return errors.New("take snapshot: the guest is running")
	case s.spoiled:
		return fmt.Errorf("take snapshot: %w", ErrSpoiled)
	case s.cell.state != nil:
		return errors.New("take snapshot: the store has one")
	}
	snap, err := s.plan.snapshot.of(s)
	if err != nil {
		return fmt.Errorf("take snapshot: %w", err)
	}
	if err := failedAt(C.cwasm_snapshot_adopt(s.cell, snap)); err != nil {
		s.spoiled = true
		var no syscall.Errno
		if errors.As(err, &no) {
			return fmt.Errorf("take snapshot: %w", err)
		}
		return fmt.Errorf("take snapshot: %w: %w", ErrSnapshotDiffers, err)
	}
	s.sealed = false
	return nil
}

// ErrSpoiled is matched by the error of resetting a store in which a call or an
// earlier reset failed.
var ErrSpoiled = errors.New("store is in no known state")

// Reset puts the store back to its snapshot: every memory with its size, every
// mutable global and every table that was named to the plan. The next call
// finds what a fresh store holds. Data is dropped and the deadline removed, and
// [Store.Renew] has to come before the next call.
//
// A store in which a call failed is not reset, and one whose reset failed is
// not either: it can only be closed.
func (s *Store) Reset() error {
	switch {
	case s.shut:
		return fmt.Errorf("reset store: %w", ErrClosed)
	case s.running > 0:
		return errors.New("reset store: the guest is running")
	case s.spoiled:
		return fmt.Errorf("reset store: %w", ErrSpoiled)
	case s.cell.state == nil:
		return errors.New("reset store: it has no snapshot")
	}
	s.Data = nil
	s.SetDeadline(time.Time{})
	r := s.plan.resettable
	if f := C.cwasm_reset(s.cell, C.uint64_t(r.KeepResident), C.int(r.Scan)); f.what != nil {
		s.spoiled = true
		return fmt.Errorf("reset store: %w", failedAt(f))
	}
	return nil
}

// Renew gives a store to its next user. What was cancelled before is not any
// more, and a [Canceler] from before cancels nothing.
func (s *Store) Renew(data any, deadline time.Time) {
	if s.shut {
		return
	}
	s.cell.generation++
	s.generation.Store(uint64(s.cell.generation))
	s.Data = data
	s.SetDeadline(deadline)
}

// State is a copy of all that the guests of a store can change. References to
// functions are numbers that mean something within one store.
type State struct {
	Memories [][]byte
	Globals  []Raw
	Tables   [][]uint64
}

// State copies what the plan was told of; it is for comparing stores in tests.
// It is empty for a store that has no snapshot.
func (s *Store) State() State {
	var st State
	if s.shut || s.cell.state == nil {
		return st
	}
	p := s.cell.plan
	for _, slot := range unsafe.Slice(p.state_memories, p.state_memories_len) {
		st.Memories = append(st.Memories, append([]byte{}, s.Memory(int(slot))...))
	}
	for i := range p.state_globals_len {
		var r Raw
		C.cwasm_state_global(s.cell, i, (*C.uint8_t)(unsafe.Pointer(&r)))
		st.Globals = append(st.Globals, r)
	}
	for i := range p.state_tables_len {
		table := make([]uint64, C.cwasm_state_table_size(s.cell, i))
		for at := range table {
			table[at] = uint64(C.cwasm_state_table_entry(s.cell, i, C.uint64_t(at)))
		}
		st.Tables = append(st.Tables, table)
	}
	return st
}

// Resident returns how many bytes of pages the store has of its own in its
// memories; what it shares with the plan's snapshot does not count. It is zero
// for a store without a snapshot.
func (s *Store) Resident() int64 {
	if s.shut || s.cell.state == nil {
		return 0
	}
	var n int64
	for i := range s.cell.plan.state_memories_len {
		n += int64(C.cwasm_state_owned(s.cell, i, C.int(s.plan.resettable.Scan)))
	}
	return n
}
