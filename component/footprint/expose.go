package footprint

import (
	"encoding/binary"
	"fmt"

	wasm "github.com/minispin/minispin/component/binary"
)

// Expose returns the module's bytes with an export added for every memory that
// the module defines, and every global and table that it defines and changes,
// which had none; and it notes the names in m. When nothing has to be added the
// bytes are those given to Scan.
//
// The names collide with none that the module has, and none is empty: what is
// exported as "" only gets a second name. Code, and so behaviour, stay the same;
// offsets of sections after the exports move.
func (m *Module) Expose() []byte {
	if m.Added() == nil {
		return m.wasm
	}
	return m.withExports(m.added, m.count)
}

// Added returns the exports that Expose adds, in the binary format; nil when there
// are none. It notes their names in m. Together with the module they say all of what
// Expose returns. Once it was called, m is not written to any more.
func (m *Module) Added() []byte {
	if !m.named {
		m.named = true
		m.name()
	}
	return m.added
}

// name gives names to what Expose exports.
func (m *Module) name() {
	taken := make(map[string]bool, len(m.exports))
	for _, e := range m.exports {
		taken[e.Name] = true
	}
	add := func(name *string, what string, kind byte, index uint32) {
		if *name != "" {
			return
		}
		free := fmt.Sprintf("minispin:%s:%d", what, index)
		for taken[free] {
			free += "'"
		}
		*name = free
		m.added = binary.AppendUvarint(m.added, uint64(len(free)))
		m.added = append(m.added, free...)
		m.added = append(m.added, kind)
		m.added = binary.AppendUvarint(m.added, uint64(index))
		m.count++
	}
	for i := range m.Memories {
		add(&m.Memories[i].Export, "memory", exportMemory, m.Memories[i].Index)
	}
	for i := range m.Globals {
		if g := &m.Globals[i]; g.Import < 0 && g.Set != nil {
			add(&g.Export, "global", exportGlobal, g.Index)
		}
	}
	for i := range m.Tables {
		if t := &m.Tables[i]; t.Import < 0 && t.Change != nil {
			add(&t.Export, "table", exportTable, t.Index)
		}
	}
}

// The kinds of exports. WebAssembly, section Export Section of the binary
// format.
const (
	exportTable  = 1
	exportMemory = 2
	exportGlobal = 3
)

// withExports builds the module anew with n encoded exports added.
func (m *Module) withExports(added []byte, n uint64) []byte {
	body := binary.AppendUvarint(nil, uint64(len(m.exports))+n)
	from, to := m.exportSection()
	if old := m.section(wasm.CoreSectionExport); old != nil {
		_, size := binary.Uvarint(old.Data) // decoded before: well-formed
		body = append(body, old.Data[size:]...)
	}
	body = append(body, added...)
	out := make([]byte, 0, len(m.wasm)+len(body)+16)
	out = append(out, m.wasm[:from]...)
	out = append(out, byte(wasm.CoreSectionExport))
	out = binary.AppendUvarint(out, uint64(len(body)))
	out = append(out, body...)
	return append(out, m.wasm[to:]...)
}

func (m *Module) section(id wasm.CoreSectionID) *wasm.CoreSection {
	for i := range m.sections {
		if m.sections[i].ID == id {
			return &m.sections[i]
		}
	}
	return nil
}

// exportSection gives the range of bytes that the export section takes; an
// empty one, where it belongs, when there is none.
func (m *Module) exportSection() (from, to int) {
	if s := m.section(wasm.CoreSectionExport); s != nil {
		return s.Start, s.Offset + len(s.Data)
	}
	for _, s := range m.sections {
		switch s.ID {
		case wasm.CoreSectionStart, wasm.CoreSectionElement, wasm.CoreSectionDataCount,
			wasm.CoreSectionCode, wasm.CoreSectionData:
			return s.Start, s.Start
		}
	}
	return len(m.wasm), len(m.wasm)
}
