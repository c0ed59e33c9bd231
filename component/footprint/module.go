package footprint

import (
	"fmt"
	"slices"

	"github.com/minispin/minispin/component/binary"
)

// Module is what a core module's code can change, beside its operand stack.
type Module struct {
	Memories []Memory // those the module defines
	Globals  []Global // the mutable ones, imported ones first
	Tables   []Table  // its whole index space of tables, imported ones first

	// Drops is the first instruction that drops a passive segment, nil when
	// there is none. A dropped segment cannot be had back.
	Drops *Change

	// Grows is the first instruction that grows a memory, nil when there is
	// none.
	Grows *Change

	globals  map[uint32]int // where in Globals an index is
	wasm     []byte
	sections []binary.CoreSection
	exports  []binary.ModuleExport

	named bool   // by Added
	added []byte // the exports that Expose adds, encoded
	count uint64 // of those
}

// Change is an instruction that changes state.
type Change struct {
	Op   string // as the text format spells it
	Func uint32 // in the module's index space of functions
}

// String gives the instruction and its place, as "table.set in function 17".
func (c *Change) String() string { return fmt.Sprintf("%s in function %d", c.Op, c.Func) }

// Memory is a linear memory.
type Memory struct {
	Index  uint32 // in the module's index space of memories
	Export string // a name it is exported by; set by Expose when there was none
}

// Global is a mutable global with what the module's code does to it. Many that
// are declared mutable are never set.
type Global struct {
	Index  uint32 // in the module's index space of globals
	Type   binary.CoreValType
	Import int     // where among all the module's imports it stands, -1 when it is defined here
	Export string  // a name it is exported by; set by Expose when there was none and it is set
	Set    *Change // the first instruction that sets it, nil when there is none
}

// Table is a table with what the module's code may do to it. What active
// element segments do to it at instantiation is not counted.
type Table struct {
	Index  uint32 // in the module's index space of tables
	Elem   binary.CoreValType
	Import int     // where among all the module's imports it stands, -1 when it is defined here
	Export string  // a name it is exported by; set by Expose when there was none and it is changed
	Change *Change // the first instruction that changes it, nil when there is none
	Grow   *Change // the first instruction that grows it, nil when there is none
}

// Scan reads a core module. wasm must not be changed while the result is in
// use. It fails when the module is malformed or uses instructions that are not
// known here: then nothing can be said of it.
func Scan(wasm []byte) (*Module, error) {
	b, err := binary.DecodeModule(wasm, binary.Limits{})
	if err != nil {
		return nil, err
	}
	m := &Module{wasm: wasm, sections: b.Sections, exports: b.Exports, globals: map[uint32]int{}}
	tables, memories, globals, funcs := 0, 0, 0, uint32(0)
	for i, imp := range b.Imports {
		switch imp.Type.Sort {
		case binary.SortCoreFunc:
			funcs++
		case binary.SortCoreTable:
			m.Tables = append(m.Tables, Table{Index: uint32(tables), Elem: imp.Type.Value, Import: i})
			tables++
		case binary.SortCoreMemory:
			memories++
		case binary.SortCoreGlobal:
			m.global(imp.Type, globals, i)
			globals++
		}
	}
	for i := tables; i < len(b.Tables); i++ {
		m.Tables = append(m.Tables, Table{Index: uint32(i), Elem: b.Tables[i].Value, Import: -1})
	}
	for i := memories; i < len(b.Memories); i++ {
		m.Memories = append(m.Memories, Memory{Index: uint32(i)})
	}
	for i := globals; i < len(b.Globals); i++ {
		m.global(b.Globals[i], i, -1)
	}
	m.nameExports()
	for _, s := range b.Sections {
		if s.ID != binary.CoreSectionCode {
			continue
		}
		w := &walker{m: m, b: s.Data, base: s.Offset}
		if err := w.code(funcs); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// global adds a global when it is mutable.
func (m *Module) global(t binary.CoreExternType, index, imported int) {
	if t.Mutable {
		m.globals[uint32(index)] = len(m.Globals)
		m.Globals = append(m.Globals, Global{Index: uint32(index), Type: t.Value, Import: imported})
	}
}

// blank is a module of the same shape, in which the changes that a part of the code
// makes are noted.
func (m *Module) blank() *Module {
	return &Module{Globals: slices.Clone(m.Globals), Tables: slices.Clone(m.Tables), globals: m.globals}
}

// merge adds the changes that a later part of the code makes.
func (m *Module) merge(later *Module) {
	first := func(to **Change, c *Change) {
		if *to == nil {
			*to = c
		}
	}
	first(&m.Drops, later.Drops)
	first(&m.Grows, later.Grows)
	for i := range m.Globals {
		first(&m.Globals[i].Set, later.Globals[i].Set)
	}
	for i := range m.Tables {
		first(&m.Tables[i].Change, later.Tables[i].Change)
		first(&m.Tables[i].Grow, later.Tables[i].Grow)
	}
}

// nameExports notes the names that state is exported by already.
func (m *Module) nameExports() {
	type key struct {
		sort  binary.Sort
		index uint32
	}
	names := make(map[key]string, len(m.exports))
	for _, e := range m.exports {
		if k := (key{e.Sort, e.Index}); names[k] == "" {
			names[k] = e.Name
		}
	}
	for i := range m.Memories {
		m.Memories[i].Export = names[key{binary.SortCoreMemory, m.Memories[i].Index}]
	}
	for i := range m.Globals {
		m.Globals[i].Export = names[key{binary.SortCoreGlobal, m.Globals[i].Index}]
	}
	for i := range m.Tables {
		m.Tables[i].Export = names[key{binary.SortCoreTable, m.Tables[i].Index}]
	}
}

// ExportedGlobal returns the mutable global exported by a name, or nil.
func (m *Module) ExportedGlobal(name string) *Global {
	for _, e := range m.exports {
		if e.Name == name && e.Sort == binary.SortCoreGlobal {
			if i, ok := m.globals[e.Index]; ok {
				return &m.Globals[i]
			}
		}
	}
	return nil
}

// ExportedTable returns the table exported by a name, or nil.
func (m *Module) ExportedTable(name string) *Table {
	for _, e := range m.exports {
		if e.Name == name && e.Sort == binary.SortCoreTable {
			return &m.Tables[e.Index]
		}
	}
	return nil
}
