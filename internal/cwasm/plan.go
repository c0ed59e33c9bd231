package cwasm

import (
	"errors"
	"fmt"
	"sync/atomic"
)

// HostFunc is a function guests call. The parameters arrive in st and the
// results are put into the same slice from its start; it has as many values
// as the larger of the two lists. mem is the memory named in [HostImport], nil
// when none is named or none has been fetched yet. Both are valid during the
// call only, and mem only until guest code runs again.
//
// An error becomes a trap of the guest and is found by errors.Is and errors.As
// in the error of the call that entered the guest. A panic is treated alike,
// as a [*PanicError]. The function must not end its goroutine by
// runtime.Goexit: there is C code on the stack.
type HostFunc func(s *Store, st []Raw, mem []byte) error

// HostImport is one host function as a plan offers it to modules.
type HostImport struct {
	Type    FuncType
	Func    HostFunc
	MemSlot int // slot of the memory to hand over, -1 for none
}

// ImportKind says where an import comes from.
type ImportKind uint8

// The two sources of imports.
const (
	FromHost ImportKind = iota // Import.Host is an index into PlanConfig.Hosts
	FromSlot                   // Import.Slot is a slot an earlier step fetched
)

// Import binds one import of a module.
type Import struct {
	Kind ImportKind
	Host int
	Slot int
}

// Fetch puts an export of a step's instance into a slot.
type Fetch struct {
	Export string
	Slot   int
}

// Step makes one core instance.
type Step struct {
	Module  *Module
	Imports []Import // in the order of Module.Imports
	Fetch   []Fetch
}

// PlanConfig is everything a [Plan] is made from.
type PlanConfig struct {
	Engine *Engine
	Steps  []Step // in order of instantiation
	Hosts  []HostImport
	Slots  int // number of slots; each is fetched at most once

	// State names all state, for stores that can be reset. Nil: they cannot.
	State *StateSlots
}

// Plan is a linked graph of core instances, ready to be instantiated any
// number of times. It is immutable and safe for concurrent use.
type Plan struct {
	hosts []HostImport
	slots []slot
	steps []string // what each step is, for errors
	c     *planMemory

	resettable *Reset // nil when no state was named
	snapshot   snapshot

	refs   atomic.Int64 // one for the plan until Close, one for each store
	closed atomic.Bool
}

// slot is what is known beforehand of the export a slot will hold.
type slot struct {
	fetched   bool
	step      int
	typ       ExternType
	arity     int
	isRealloc bool // a function of the shape of the canonical ABI's realloc
}

// maxSlots bounds the C memory of each store.
const maxSlots = 1 << 20

var reallocType = FuncType{Params: []ValKind{I32, I32, I32, I32}, Results: []ValKind{I32}}

// NewPlan checks that every import is met by something of its type and binds
// what can be bound without a store. An import that cannot be met is a
// [*LinkError]; all of them are reported, joined. Limits of imported memories
// and tables are compared only when a store is made, because they depend on
// how far these have grown.
func NewPlan(c PlanConfig) (*Plan, error) {
	if c.Engine == nil {
		return nil, errors.New("make plan: no engine")
	}
	if c.Slots < 0 || c.Slots > maxSlots {
		return nil, fmt.Errorf("make plan: %d slots", c.Slots)
	}
	p := &Plan{hosts: c.Hosts, slots: make([]slot, c.Slots)}
	if err := p.check(c); err != nil {
		return nil, fmt.Errorf("make plan: %w", err)
	}
	if err := p.checkState(c); err != nil {
		return nil, fmt.Errorf("make plan: %w", err)
	}
	if c.State != nil {
		p.resettable = c.Engine.config.Reset
	}
	mem, err := newPlanMemory(c, p)
	if err != nil {
		return nil, fmt.Errorf("make plan: %w", err)
	}
	p.c = mem
	p.refs.Store(1)
	opened(p)
	return p, nil
}

// Close gives the plan up. Its memory goes when its last store is closed.
// Closing twice does nothing.
func (p *Plan) Close() {
	if p.closed.Swap(true) {
		return
	}
	closed(p)
	p.unref()
}

func (p *Plan) unref() {
	if p.refs.Add(-1) == 0 {
		p.snapshot.free()
		p.c.free()
	}
}

// ref keeps the plan's memory for a store. It fails once the plan is closed.
func (p *Plan) ref() bool {
	for {
		n := p.refs.Load()
		if n == 0 || p.closed.Load() {
			return false
		}
		if p.refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// SlotType returns the type of what the slot holds once its step has run, and
// false when no step fetches it.
func (p *Plan) SlotType(slot int) (ExternType, bool) {
	if slot < 0 || slot >= len(p.slots) || !p.slots[slot].fetched {
		return ExternType{}, false
	}
	return p.slots[slot].typ, true
}

// check fills p.slots and compares every import with its source.
func (p *Plan) check(c PlanConfig) error {
	var errs []error
	for i, step := range c.Steps {
		if step.Module == nil {
			return fmt.Errorf("step %d has no module", i)
		}
		if step.Module.engine != c.Engine {
			return fmt.Errorf("step %d: module belongs to another engine", i)
		}
		imports := step.Module.Imports()
		if len(imports) != len(step.Imports) {
			return fmt.Errorf("step %d: module has %d imports, %d are given", i, len(imports), len(step.Imports))
		}
		for n, imp := range imports {
			if reason := p.mismatch(imp.ExternType, step.Imports[n]); reason != "" {
				errs = append(errs, &LinkError{Step: i, Module: imp.Module, Name: imp.Name, Reason: reason})
			}
		}
		if err := p.fetch(i, step); err != nil {
			return err
		}
		p.steps = append(p.steps, fmt.Sprintf("step %d", i))
	}
	for i, h := range c.Hosts {
		if h.Func == nil {
			return fmt.Errorf("host function %d is nil", i)
		}
		if !h.Type.known() {
			return fmt.Errorf("host function %d has the impossible type %v", i, h.Type)
		}
		if h.MemSlot < -1 || h.MemSlot >= len(p.slots) {
			return fmt.Errorf("host function %d: no slot %d", i, h.MemSlot)
		}
		if h.MemSlot >= 0 && p.slots[h.MemSlot].fetched && p.slots[h.MemSlot].typ.Kind != ExternMemory {
			return fmt.Errorf("host function %d: slot %d holds a %v, not a memory", i, h.MemSlot, p.slots[h.MemSlot].typ.Kind)
		}
	}
	return errors.Join(errs...)
}

func (p *Plan) fetch(i int, step Step) error {
	for _, f := range step.Fetch {
		if f.Slot < 0 || f.Slot >= len(p.slots) {
			return fmt.Errorf("step %d: export %q: no slot %d", i, f.Export, f.Slot)
		}
		s := &p.slots[f.Slot]
		if s.fetched {
			return fmt.Errorf("step %d: export %q: slot %d is taken by step %d", i, f.Export, f.Slot, s.step)
		}
		found := false
		for _, e := range step.Module.Exports() {
			if e.Name == f.Export {
				*s = slot{fetched: true, step: i, typ: e.ExternType}
				found = true
				break
			}
		}
		if !found {
			return fmt.Errorf("step %d: module has no export %q", i, f.Export)
		}
		if s.typ.Kind == ExternFunc {
			s.arity = s.typ.Func.Arity()
			s.isRealloc = s.typ.Func.Equal(reallocType)
		}
	}
	return nil
}

// mismatch says why from cannot stand for an import of type want, or nothing.
func (p *Plan) mismatch(want ExternType, from Import) string {
	var have ExternType
	switch from.Kind {
	case FromHost:
		if from.Host < 0 || from.Host >= len(p.hosts) {
			return fmt.Sprintf("there is no host function %d", from.Host)
		}
		have = ExternType{Kind: ExternFunc, Func: &p.hosts[from.Host].Type}
	case FromSlot:
		if from.Slot < 0 || from.Slot >= len(p.slots) {
			return fmt.Sprintf("there is no slot %d", from.Slot)
		}
		if !p.slots[from.Slot].fetched {
			return fmt.Sprintf("slot %d is not filled by an earlier step", from.Slot)
		}
		have = p.slots[from.Slot].typ
	default:
		return fmt.Sprintf("unknown import kind %d", from.Kind)
	}
	if have.Kind != want.Kind {
		return fmt.Sprintf("a %v is wanted, a %v is given", want.Kind, have.Kind)
	}
	switch want.Kind {
	case ExternFunc:
		if !want.Func.Equal(*have.Func) {
			return fmt.Sprintf("the function type %v is wanted, %v is given", want.Func, have.Func)
		}
	case ExternGlobal:
		if *want.Global != *have.Global {
			return "the global's type differs"
		}
	case ExternTable:
		if want.Table.Elem != have.Table.Elem {
			return fmt.Sprintf("a table of %v is wanted, one of %v is given", want.Table.Elem, have.Table.Elem)
		}
	}
	return ""
}
