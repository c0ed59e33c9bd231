package cwasm

// #cgo noescape cwasm_memory
// #cgo nocallback cwasm_memory
// #include "snapshot.h"
import "C"

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"
	"unsafe"
)

// Limits bounds what one store may allocate. A zero field takes the default
// given here, a negative one is no limit. A guest that asks for more gets the
// failure that WebAssembly defines (memory.grow answers -1); a module that
// starts out larger cannot be instantiated.
type Limits struct {
	MemoryBytes   int64 // of each linear memory; 4 GiB
	TableElements int64 // of each table; 100,000
	Instances     int64 // core instances; 10,000
	Tables        int64 // 10,000
	Memories      int64 // 10,000
}

const (
	defaultTableElements = 100_000
	defaultCount         = 10_000
)

// StoreOptions is what differs between the stores of a plan.
type StoreOptions struct {
	Data     any // the owner's value, found as Store.Data by host functions
	Limits   Limits
	Deadline time.Time // when running guest code is interrupted; zero for never

	// Sealed makes every call of a host function fail with a [*HostCallError]
	// until [Store.Snapshot]: what a guest learns from its host must not become
	// part of a snapshot.
	Sealed bool
}

// Store holds one set of instances of a plan, with all their state. It belongs
// to one goroutine at a time, except for [Store.Cancel].
type Store struct {
	// Data is the value from StoreOptions. The owner may change it.
	Data any

	plan       *Plan
	cell       *C.cwasm_cell
	generation atomic.Uint64
	running    int // calls into the guest under way
	started    bool
	shut       bool
	sealed     bool  // host functions may not be called yet
	spoiled    bool  // a call or a reset failed
	hostErr    error // of the host function that made the present trap
}

// ErrSlot is matched by the error of a call that names a slot which holds no
// function, or with a wrong number of values.
var ErrSlot = errors.New("slot cannot be called so")

// Instantiate makes a store and all instances of the plan in it, running their
// start functions. The error of a step that traps is a [*Trap], that of one
// the engine refuses an [*EngineError].
func (p *Plan) Instantiate(opts StoreOptions) (*Store, error) {
	s, err := p.NewStore(opts)
	if err != nil {
		return nil, err
	}
	if err := s.Start(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// NewStore makes a store without instances, for a caller that wants to be able
// to [Store.Cancel] start functions. [Store.Start] makes the instances.
func (p *Plan) NewStore(opts StoreOptions) (*Store, error) {
	if !p.ref() {
		return nil, fmt.Errorf("make store: plan: %w", ErrClosed)
	}
	s := &Store{Data: opts.Data, plan: p, sealed: opts.Sealed}
	if err := acquire(s); err != nil {
		p.unref()
		return nil, fmt.Errorf("make store: %w", err)
	}
	c := s.cell
	if C.cwasm_reserve(c, p.c.plan) != 0 {
		release(s)
		p.unref()
		return nil, errors.New("make store: out of memory")
	}
	l := opts.Limits
	c.max_memory = limit(l.MemoryBytes, -1)
	c.max_table = limit(l.TableElements, defaultTableElements)
	c.max_instances = limit(l.Instances, defaultCount)
	c.max_tables = limit(l.Tables, defaultCount)
	c.max_memories = limit(l.Memories, defaultCount)
	s.SetDeadline(opts.Deadline)
	opened(s)
	return s, nil
}

func limit(v, def int64) C.int64_t {
	if v == 0 {
		return C.int64_t(def)
	}
	return C.int64_t(v)
}

// Start makes the instances of a store from [Plan.NewStore]. After an error
// the store is fit only for closing.
func (s *Store) Start() error {
	if s.shut || s.started {
		return fmt.Errorf("start store: %w", s.misuse())
	}
	s.started = true
	s.running++
	status := C.cwasm_instantiate(s.cell)
	s.running--
	if status == C.CWASM_OK {
		return nil
	}
	err := s.failed(status)
	if status == C.CWASM_INTERRUPTED {
		return fmt.Errorf("instantiate: %w", err)
	}
	return fmt.Errorf("instantiate step %d: %w", s.cell.failed_step, err)
}

func (s *Store) misuse() error {
	if s.shut {
		return ErrClosed
	}
	if s.started {
		return errors.New("already started")
	}
	return errors.New("not started")
}

// Close drops the instances and all their state. It must not be called by a
// host function of the store. Closing twice does nothing.
func (s *Store) Close() {
	if s.shut {
		return
	}
	if s.running > 0 {
		panic("cwasm: Store.Close while its guest is running")
	}
	s.shut = true
	C.cwasm_state_free(s.cell)
	C.cwasm_close(s.cell)
	release(s)
	s.plan.unref()
	closed(s)
}

// Cancel makes the store's guest end with [ErrCanceled]: running code within a
// tick of its engine, later calls at once. It may be called from any goroutine
// at any time, also after Close, when it does nothing.
func (s *Store) Cancel() { s.Canceler().Cancel() }

// Canceler returns what cancels the store's present use. It may be called from
// any goroutine.
func (s *Store) Canceler() Canceler { return Canceler{s.cell, s.generation.Load()} }

// Canceler cancels one use of a store: after [Store.Renew], and after Close, it
// does nothing. It is safe for concurrent use.
type Canceler struct {
	cell       *C.cwasm_cell
	generation uint64
}

// Cancel makes the guest end with [ErrCanceled].
func (c Canceler) Cancel() {
	// The cell may belong to a later store or a later use of the same by now.
	// Its generation is greater then, and a greater one is never overwritten.
	word := (*uint64)(unsafe.Pointer(&c.cell.cancelled))
	for {
		old := atomic.LoadUint64(word)
		if old >= c.generation || atomic.CompareAndSwapUint64(word, old, c.generation) {
			return
		}
	}
}

// SetDeadline moves the time at which the guest is interrupted with
// [ErrDeadline]; the zero time removes it. It takes effect within a tick.
func (s *Store) SetDeadline(t time.Time) {
	if s.shut {
		return
	}
	var at uint64
	if !t.IsZero() {
		at = hostTime(t)
	}
	atomic.StoreUint64((*uint64)(unsafe.Pointer(&s.cell.deadline)), at)
}

// HasSlot reports whether the slot is filled. In a store whose start functions
// still run, the slots of later steps are not.
func (s *Store) HasSlot(slot int) bool {
	return !s.shut && slot >= 0 && slot < len(s.plan.slots) && s.slot(slot).kind != C.CWASM_EMPTY_SLOT
}

// slot returns the C value of a slot, whose index has been checked.
func (s *Store) slot(i int) *C.wasmtime_extern_t {
	return &unsafe.Slice(s.cell.slots, len(s.plan.slots))[i]
}

// Memory returns the memory in the slot, nil when the slot holds none. The
// view is valid until guest code runs.
func (s *Store) Memory(slot int) []byte {
	if s.shut || slot < 0 || slot >= len(s.plan.slots) {
		return nil
	}
	C.cwasm_memory(s.cell, C.uint32_t(slot))
	return s.view()
}

// view is the memory that the last C call read the bounds of.
func (s *Store) view() []byte {
	return unsafe.Slice((*byte)(s.cell.mem), int(s.cell.mem_len))
}

var closedStore = &Store{shut: true}

// ClosedStore returns a store that is closed: it stands where a reference to
// one that has gone on to another use would be. Cancel must not be called on
// it.
func ClosedStore() *Store { return closedStore }

// Running reports whether a call into the guest is under way.
func (s *Store) Running() bool { return s.running > 0 }
