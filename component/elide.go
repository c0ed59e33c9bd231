package component

import (
	"slices"
	"strconv"

	"github.com/minispin/minispin/component/fuse"
	"github.com/minispin/minispin/internal/cwasm"
)

// This file leaves the shim and fixup that component encoders add out of the
// plan: imports bound to the shim are bound to what the fixup would have put
// into its table. A typical component is then one core instance instead of
// three, and one that is linked ahead of time, which costs a fraction.
//
// Nothing that a guest could observe may change. Before the fixup runs, calling
// the shim would trap; so no code may run between the two. The table must be
// theirs alone, the shim's functions must be used as imports only, and all that
// the table receives must be there when the importing module is instantiated.

// eliding is one run over the steps of a plan.
type eliding struct {
	k       *linking
	fills   map[int]int // slot: the step that fills it
	users   map[int]int // slot: how many imports it serves
	first   map[int]int // slot: the first step that imports it
	shims   map[int]int // step that is a shim: its functions
	starts  []int       // by step: how many before it run code when instantiated
	dropped []bool      // steps to leave out
	to      map[int]cwasm.Import
}

// elide takes the pairs of shim and fixup that allow it out of the steps.
func (k *linking) elide() {
	if k.keepShims {
		return
	}
	e := &eliding{k: k, shims: map[int]int{}}
	for i, step := range k.steps {
		if len(step.Imports) > 0 || len(step.Fetch) == 0 {
			continue
		}
		if s := k.source(step.Module); s != nil {
			if n := s.look().shim; n > 0 {
				e.shims[i] = n
			}
		}
	}
	if len(e.shims) == 0 {
		return
	}
	e.index()
	for shim := range k.steps {
		if n, ok := e.shims[shim]; ok {
			e.pair(shim, n)
		}
	}
	e.rewrite()
}

// index fills the tables of who fills and who imports which slot.
func (e *eliding) index() {
	e.fills, e.users, e.first = map[int]int{}, map[int]int{}, map[int]int{}
	e.to = map[int]cwasm.Import{}
	e.dropped = make([]bool, len(e.k.steps))
	e.starts = make([]int, len(e.k.steps)+1)
	for i, step := range e.k.steps {
		e.starts[i+1] = e.starts[i]
		if s := e.k.source(step.Module); s == nil || s.look().starts {
			e.starts[i+1]++
		}
		for _, f := range step.Fetch {
			e.fills[f.Slot] = i
		}
		for _, imp := range step.Imports {
			if imp.Kind != cwasm.FromSlot {
				continue
			}
			if e.users[imp.Slot]++; e.users[imp.Slot] == 1 {
				e.first[imp.Slot] = i
			}
		}
	}
}

// pair drops the shim and its fixup, if it has one and may go.
func (e *eliding) pair(shim, n int) {
	table := -1
	slots := map[int]int{} // of the shim's functions, to their number
	for _, f := range e.k.steps[shim].Fetch {
		if e.k.called[f.Slot] {
			return
		}
		if f.Export == fuse.TableName {
			table = f.Slot
			continue
		}
		number, err := strconv.Atoi(f.Export)
		if err != nil {
			return
		}
		slots[f.Slot] = number
	}
	if table < 0 || e.users[table] != 1 {
		return
	}
	fixup := e.first[table]
	if !e.isFixup(fixup, n) || e.starts[shim+1] != e.starts[fixup] {
		return
	}
	step := e.k.steps[fixup]
	wants, gives := e.k.info(e.k.steps[shim].Module).exports, e.k.info(step.Module).imports
	for slot, number := range slots {
		if !wants[strconv.Itoa(number)].Func.Equal(*gives[number].Func) || !e.available(slot, step.Imports[number]) {
			return
		}
	}
	for slot, number := range slots {
		e.to[slot] = step.Imports[number]
	}
	e.dropped[shim], e.dropped[fixup] = true, true
}

// isFixup reports whether a step instantiates a fixup of n functions, and does
// nothing else.
func (e *eliding) isFixup(i, n int) bool {
	step := e.k.steps[i]
	s := e.k.source(step.Module)
	return s != nil && len(step.Fetch) == 0 && s.look().fixup == n
}

// available reports whether target can be imported instead of slot: it exists
// before the first step to import slot, and comes from no shim, for that one may
// be about to go as well.
func (e *eliding) available(slot int, target cwasm.Import) bool {
	if target.Kind == cwasm.FromHost {
		return true
	}
	filled := e.fills[target.Slot]
	if _, shim := e.shims[filled]; shim {
		return false
	}
	return e.users[slot] == 0 || filled < e.first[slot]
}

// rewrite binds the imports anew and takes the dropped steps out.
func (e *eliding) rewrite() {
	for _, step := range e.k.steps {
		for n, imp := range step.Imports {
			if imp.Kind != cwasm.FromSlot {
				continue
			}
			if target, ok := e.to[imp.Slot]; ok {
				step.Imports[n] = target
			}
		}
	}
	i := 0
	e.k.steps = slices.DeleteFunc(e.k.steps, func(cwasm.Step) bool {
		i++
		return e.dropped[i-1]
	})
}

// source returns what the module that a step instantiates was compiled from; nil
// when it was made at link time.
func (k *linking) source(m *cwasm.Module) *source {
	if s, ok := k.origins[m]; ok {
		return s
	}
	if k.origins == nil {
		k.origins = map[*cwasm.Module]*source{}
	}
	for _, c := range k.components {
		for s, compiled := range c.modules {
			k.origins[compiled] = s
		}
	}
	s := k.origins[m]
	k.origins[m] = s // nil is an answer too
	return s
}
