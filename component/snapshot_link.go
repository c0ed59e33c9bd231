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

// exposed reads a core module and gives all that it can change a name. When
// nothing can be said of the module it stays as it is.
func exposed(wasm []byte) ([]byte, footing) {
	m, err := footprint.Scan(wasm)
	if err != nil {
		return wasm, footing{err: err}
	}
	return m.Expose(), footing{module: m}
}

// stateSlots gives everything that the planned instances can change a slot of
// the plan. The error is a *NotResettableError.
func (k *linking) stateSlots() (*cwasm.StateSlots, error) {
	state := &cwasm.StateSlots{}
	foots := make([]*footprint.Module, len(k.steps))
	for i, s := range k.steps {
		f, ok := k.component.footings[s.Module]
		if !ok {
			continue // a forwarder, which has no state
		}
		if f.err != nil {
			return nil, k.notResettable("%s cannot be read: %v", k.moduleName(i), f.err)
		}
		foots[i] = f.module
	}
	changed := map[tableOf]string{}
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
		for _, g := range f.Globals {
			if !restorable(g.Type) {
				return nil, k.notResettable("%s has a mutable global of type %s (global %d)", k.moduleName(i), g.Type, g.Index)
			}
			state.Globals = append(state.Globals, k.fetch(i, g.Export))
		}
		for t := range f.Tables {
			if err := k.tableChange(foots, i, &f.Tables[t], changed); err != nil {
				return nil, err
			}
		}
	}
	return state, k.tableSlots(foots, changed, state)
}

// tableOf names a table by the step that defines it.
type tableOf struct {
	step  int
	index uint32
}

// tableChange notes which table, of whatever step, a step's code changes.
func (k *linking) tableChange(foots []*footprint.Module, step int, t *footprint.Table, changed map[tableOf]string) error {
	if t.Change == nil {
		return nil
	}
	if t.Grow != nil {
		return k.notResettable("%s grows a table, which cannot be undone (%s)", k.moduleName(step), t.Grow)
	}
	by := fmt.Sprintf("%s changes it by %s", k.moduleName(step), t.Change)
	for t.Import >= 0 {
		from := k.steps[step].Imports[t.Import]
		source := -1
		for j := range step {
			for _, f := range k.steps[j].Fetch {
				if from.Kind == cwasm.FromSlot && f.Slot == from.Slot && foots[j] != nil {
					source, t = j, foots[j].ExportedTable(f.Export)
				}
			}
		}
		if source < 0 || t == nil {
			return k.notResettable("the table that %s changes (%s) cannot be found", k.moduleName(step), t.Change)
		}
		step = source
	}
	at := tableOf{step, t.Index}
	if changed[at] == "" {
		changed[at] = by
	}
	return nil
}

// tableSlots gives the changed tables slots, in the order of the steps.
func (k *linking) tableSlots(foots []*footprint.Module, changed map[tableOf]string, state *cwasm.StateSlots) error {
	elements := uint64(0)
	for i, f := range foots {
		if f == nil {
			continue
		}
		for _, t := range f.Tables {
			by := changed[tableOf{i, t.Index}]
			if by == "" {
				continue
			}
			if !restorable(t.Elem) {
				return k.notResettable("table %d of %s holds %s, and %s", t.Index, k.moduleName(i), t.Elem, by)
			}
			if t.Export == "" {
				return k.notResettable("table %d of %s has no name, and %s", t.Index, k.moduleName(i), by)
			}
			slot := k.fetch(i, t.Export)
			state.Tables = append(state.Tables, slot)
			if elements += k.component.tableSize(k.steps[i].Module, t.Export); elements > maxResetElements {
				return k.notResettable("more than %d elements of tables can change: table %d of %s, and %s", maxResetElements, t.Index, k.moduleName(i), by)
			}
		}
	}
	return nil
}

func (c *Component) tableSize(m *cwasm.Module, export string) uint64 {
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
	return &NotResettableError{Component: k.component.name, Reason: fmt.Sprintf(format, args...)}
}

// moduleName is what reasons call the module of a step.
func (k *linking) moduleName(step int) string {
	for i, m := range k.component.all {
		if m == k.steps[step].Module && len(k.component.all) > 1 {
			return fmt.Sprintf("core module %d", i)
		}
	}
	return "the core module"
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
