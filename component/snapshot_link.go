package component

import (
	"fmt"

	"github.com/minispin/minispin/component/binary"
	"github.com/minispin/minispin/component/footprint"
	"github.com/minispin/minispin/internal/cwasm"
)

// This file finds out, while a component is linked, what its instances can
// change, and whether all of that can be put back.

// maxResetElements bounds the tables that are put back element by element.
const maxResetElements = 4096

// footing is what is known of a compiled module's state.
type footing struct {
	module *footprint.Module
	err    error // why nothing is known
}

// scanned reads what a core module can change. When nothing can be said of it, the
// module will be compiled as it is.
func scanned(wasm []byte) footing {
	m, err := footprint.Scan(wasm)
	return footing{m, err}
}

// stateSlots gives everything that the planned instances can change a slot of
// the plan. The error is a *NotResettableError.
func (k *linking) stateSlots() (*cwasm.StateSlots, error) {
	state := &cwasm.StateSlots{}
	foots := make([]*footprint.Module, len(k.steps))
	for i, s := range k.steps {
		f, ok := k.footing(s.Module)
		if !ok {
			continue // written by the linker, without state
		}
		if f.err != nil {
			return nil, k.notResettable("%s cannot be read: %v", k.moduleName(i), f.err)
		}
		foots[i] = f.module
	}
	w := &stateWalk{k: k, foots: foots, exports: map[int]fetched{}, globals: map[owned]string{}, tables: map[owned]string{}}
	for i, s := range k.steps {
		for _, f := range s.Fetch {
			w.exports[f.Slot] = fetched{i, f.Export}
		}
	}
	for i, f := range foots {
		if f == nil {
			continue
		}
		if f.Drops != nil {
			return nil, k.notResettable("%s drops segments, which do not come back (%s)", k.moduleName(i), f.Drops)
		}
		for _, m := range f.Memories {
			state.Memories = append(state.Memories, k.fetch(i, m.Export))
		}
		for g := range f.Globals {
			if err := w.globalChange(i, &f.Globals[g]); err != nil {
				return nil, err
			}
		}
		for t := range f.Tables {
			if err := w.tableChange(i, &f.Tables[t]); err != nil {
				return nil, err
			}
		}
	}
	if err := w.globalSlots(state); err != nil {
		return nil, err
	}
	return state, w.tableSlots(state)
}

// stateWalk finds the globals and tables that code changes, wherever they are
// defined.
type stateWalk struct {
	k     *linking
	foots []*footprint.Module // by step

	exports map[int]fetched // what is in each slot

	// What changes, with who changes it and how.
	globals, tables map[owned]string
}

// owned names a global or table by the step that defines it and its index there.
type owned struct {
	step  int
	index uint32
}

// fetched is an export of a step.
type fetched struct {
	step   int
	export string
}

// source finds the earlier step and export that an import of a step is bound to.
func (w *stateWalk) source(step, imported int) (from int, export string, ok bool) {
	imp := w.k.steps[step].Imports[imported]
	if imp.Kind != cwasm.FromSlot || w.k.spend(1) != nil {
		return 0, "", false
	}
	f, ok := w.exports[imp.Slot]
	return f.step, f.export, ok && f.step < step && w.foots[f.step] != nil
}

// globalChange notes which global, of whatever step, a step's code sets.
func (w *stateWalk) globalChange(step int, g *footprint.Global) error {
	if g.Set == nil {
		return nil
	}
	by, change := w.k.moduleName(step), g.Set
	for g.Import >= 0 {
		from, export, ok := w.source(step, g.Import)
		if ok {
			step, g = from, w.foots[from].ExportedGlobal(export)
		}
		if !ok || g == nil {
			return w.k.notResettable("the global that %s changes (%s) cannot be found", by, change)
		}
	}
	w.globals[owned{step, g.Index}] = fmt.Sprintf("%s changes it by %s", by, change)
	return nil
}

// globalSlots gives the changed globals slots, in the order of the steps.
func (w *stateWalk) globalSlots(state *cwasm.StateSlots) error {
	for i, f := range w.foots {
		if f == nil {
			continue
		}
		for _, g := range f.Globals {
			by := w.globals[owned{i, g.Index}]
			switch {
			case by == "" || g.Import >= 0:
			case !restorable(g.Type):
				return w.k.notResettable("global %d of %s holds %s, and %s", g.Index, w.k.moduleName(i), g.Type, by)
			case g.Export == "":
				return w.k.notResettable("global %d of %s has no name, and %s", g.Index, w.k.moduleName(i), by)
			default:
				state.Globals = append(state.Globals, w.k.fetch(i, g.Export))
			}
		}
	}
	return nil
}

// tableChange notes which table, of whatever step, a step's code changes.
func (w *stateWalk) tableChange(step int, t *footprint.Table) error {
	if t.Change == nil {
		return nil
	}
	by, change := w.k.moduleName(step), t.Change
	if t.Grow != nil {
		return w.k.notResettable("%s grows a table, which cannot be undone (%s)", by, t.Grow)
	}
	for t.Import >= 0 {
		from, export, ok := w.source(step, t.Import)
		if ok {
			step, t = from, w.foots[from].ExportedTable(export)
		}
		if !ok || t == nil {
			return w.k.notResettable("the table that %s changes (%s) cannot be found", by, change)
		}
	}
	w.tables[owned{step, t.Index}] = fmt.Sprintf("%s changes it by %s", by, change)
	return nil
}

// tableSlots gives the changed tables slots, in the order of the steps.
func (w *stateWalk) tableSlots(state *cwasm.StateSlots) error {
	k, elements := w.k, uint64(0)
	for i, f := range w.foots {
		if f == nil {
			continue
		}
		for _, t := range f.Tables {
			by := w.tables[owned{i, t.Index}]
			if by == "" || t.Import >= 0 {
				continue
			}
			if !restorable(t.Elem) {
				return k.notResettable("table %d of %s holds %s, and %s", t.Index, k.moduleName(i), t.Elem, by)
			}
			if t.Export == "" {
				return k.notResettable("table %d of %s has no name, and %s", t.Index, k.moduleName(i), by)
			}
			if elements += tableSize(k.steps[i].Module, t.Export); elements > maxResetElements {
				return k.notResettable("more than %d elements of tables can change: table %d of %s, and %s", maxResetElements, t.Index, k.moduleName(i), by)
			}
			state.Tables = append(state.Tables, k.fetch(i, t.Export))
		}
	}
	return nil
}

func tableSize(m *cwasm.Module, export string) uint64 {
	for _, e := range m.Exports() {
		if e.Name == export && e.Kind == cwasm.ExternTable {
			return e.Table.Min
		}
	}
	return 0
}

// restorable reports whether values of a type can be kept and put back:
// numbers, vectors and references to functions.
func restorable(t binary.CoreValType) bool {
	return t.Kind != binary.CoreRef || (t.Nullable && t.Heap == binary.HeapFunc)
}

// fetch gives an export of a step a slot of its own.
func (k *linking) fetch(step int, export string) int {
	slot := k.slot()
	k.steps[step].Fetch = append(k.steps[step].Fetch, cwasm.Fetch{Export: export, Slot: slot})
	return slot
}

func (k *linking) notResettable(format string, args ...any) error {
	return &NotResettableError{Component: k.main.name, Reason: fmt.Sprintf(format, args...)}
}

// moduleName is what reasons call the module of a step.
func (k *linking) moduleName(step int) string {
	for _, c := range k.components {
		for i, m := range c.all {
			if m != k.steps[step].Module {
				continue
			}
			name := "the core module"
			if len(c.all) > 1 {
				name = fmt.Sprintf("core module %d", i)
			}
			if c != k.main {
				name += " of " + c.name
			}
			return name
		}
	}
	return "the core module"
}

// footing returns what is known of the state of a part's core module.
func (k *linking) footing(m *cwasm.Module) (footing, bool) {
	if s := k.source(m); s != nil {
		return s.foot, true
	}
	return footing{}, false
}

// nameHost notes what a host function is called, for reasons.
func (k *linking) nameHost(host int, name string) {
	if k.hostNames == nil {
		k.hostNames = map[int]string{}
	}
	if host >= 0 && k.hostNames[host] == "" {
		k.hostNames[host] = name
	}
}
