package fuse

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strconv"

	wasm "github.com/minispin/minispin/component/binary"
)

// This file recognises the pair of modules by which component encoders break a
// cycle. A core module's imports are lowered with the module's own memory, which
// is not there before the module is instantiated. So the encoder instantiates a
// shim first, whose functions only call through a table; gives those to the
// module; lowers the imports with its memory; and instantiates a fixup, which
// puts the lowered functions into the shim's table.

// TableName is what the shim's table is exported and the fixup's imported as.
const TableName = "$imports"

// Shim reports whether m is a shim, and if so how many functions it has: they
// are exported under the numbers from 0, and number i does nothing but call
// entry i of the exported table with its own parameters.
func Shim(m *wasm.Module) (n int, ok bool) {
	n = len(m.Funcs)
	if n == 0 || len(m.Exports) != n+1 || !onlySections(m, wasm.CoreSectionType, wasm.CoreSectionFunc,
		wasm.CoreSectionTable, wasm.CoreSectionExport, wasm.CoreSectionCode) {
		return 0, false
	}
	if len(m.Tables) != 1 || !isTable(m.Tables[0], n) {
		return 0, false
	}
	for i, e := range m.Exports[:n] {
		if e.Sort != wasm.SortCoreFunc || e.Index != uint32(i) || e.Name != strconv.Itoa(i) {
			return 0, false
		}
	}
	if t := m.Exports[n]; t.Sort != wasm.SortCoreTable || t.Name != TableName {
		return 0, false
	}
	code := binary.AppendUvarint(nil, uint64(n))
	for i, typ := range m.Funcs {
		ft := m.FuncType(typ)
		if ft == nil {
			return 0, false
		}
		body := []byte{0} // no locals
		for p := range ft.Params {
			body = append(body, 0x20) // local.get
			body = binary.AppendUvarint(body, uint64(p))
		}
		body = append(body, 0x41) // i32.const
		body = appendSigned(body, i)
		body = append(body, 0x11) // call_indirect
		body = binary.AppendUvarint(body, uint64(typ))
		body = append(body, 0, 0x0b) // table 0, end
		code = binary.AppendUvarint(code, uint64(len(body)))
		code = append(code, body...)
	}
	return n, bytes.Equal(section(m, wasm.CoreSectionCode), code)
}

// Fixup reports whether m is a fixup, and if so how many functions it puts into
// the table: the imports under the numbers from 0, each at its number.
func Fixup(m *wasm.Module) (n int, ok bool) {
	n = len(m.Imports) - 1
	if n < 1 || len(m.Funcs) != n || len(m.Tables) != 1 || !isTable(m.Tables[0], n) ||
		!onlySections(m, wasm.CoreSectionType, wasm.CoreSectionImport, wasm.CoreSectionElement) {
		return 0, false
	}
	for i, imp := range m.Imports[:n] {
		if imp.Module != "" || imp.Type.Sort != wasm.SortCoreFunc || imp.Name != strconv.Itoa(i) {
			return 0, false
		}
	}
	if t := m.Imports[n]; t.Module != "" || t.Type.Sort != wasm.SortCoreTable || t.Name != TableName {
		return 0, false
	}
	elems := []byte{1, 0, 0x41, 0, 0x0b} // one active segment of table 0, at 0
	elems = binary.AppendUvarint(elems, uint64(n))
	for i := range n {
		elems = binary.AppendUvarint(elems, uint64(i))
	}
	return n, bytes.Equal(section(m, wasm.CoreSectionElement), elems)
}

// onlySections reports whether m has each of the given sections, and no others
// but custom ones, which mean nothing to execution.
func onlySections(m *wasm.Module, want ...wasm.CoreSectionID) bool {
	seen := 0
	for _, s := range m.Sections {
		if s.ID == wasm.CoreSectionCustom {
			continue
		}
		if !slices.Contains(want, s.ID) {
			return false
		}
		seen++
	}
	return seen == len(want)
}

func section(m *wasm.Module, id wasm.CoreSectionID) []byte {
	for _, s := range m.Sections {
		if s.ID == id {
			return s.Data
		}
	}
	return nil
}

// isTable reports whether t is a table of exactly n function references.
func isTable(t wasm.CoreExternType, n int) bool {
	l := t.Limits
	return t.Value.Kind == wasm.CoreRef && t.Value.Heap == wasm.HeapFunc && t.Value.Nullable &&
		l.Min == uint64(n) && l.HasMax && l.Max == uint64(n) && !l.Shared && !l.Is64
}

// appendSigned encodes a number that is not negative in signed LEB128.
func appendSigned(b []byte, n int) []byte {
	for ; n >= 0x40; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}
