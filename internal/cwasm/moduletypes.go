package cwasm

// #include <stdlib.h>
// #include "moduletypes.h"
import "C"

import (
	"encoding/binary"
	"runtime"
	"unsafe"

	"github.com/bytecodealliance/wasmtime-go/v39"
)

// typesOf asks the engine what a module imports and exports.
func typesOf(m *wasmtime.Module) *Types {
	var list C.cwasm_bytes
	defer func() { C.free(unsafe.Pointer(list.data)) }()
	ptr := modulePtr(m)
	imported := C.cwasm_module_imports(ptr, &list)
	split := list.len
	exported := C.cwasm_module_exports(ptr, &list)
	runtime.KeepAlive(m)
	if !imported || !exported {
		panic("cwasm: out of memory")
	}
	all := unsafe.Slice((*byte)(unsafe.Pointer(list.data)), list.len)
	types := &Types{}
	r := &typeReader{b: all[:split:split], funcs: map[string]*FuncType{}}
	for len(r.b) > 0 {
		module, name := r.name(), r.name()
		types.Imports = append(types.Imports, ImportType{module, name, r.extern()})
	}
	r.b = all[split:]
	for len(r.b) > 0 {
		name := r.name()
		types.Exports = append(types.Exports, ExportType{name, r.extern()})
	}
	return types
}

// typeReader reads what the C side wrote. Functions of one type share it.
type typeReader struct {
	b     []byte
	funcs map[string]*FuncType
}

func (r *typeReader) take(n int) []byte {
	p := r.b[:n]
	r.b = r.b[n:]
	return p
}

func (r *typeReader) u32() int    { return int(binary.NativeEndian.Uint32(r.take(4))) }
func (r *typeReader) u64() uint64 { return binary.NativeEndian.Uint64(r.take(8)) }
func (r *typeReader) byte() byte  { return r.take(1)[0] }

func (r *typeReader) name() string { return string(r.take(r.u32())) }

func (r *typeReader) kinds() []ValKind {
	p := r.take(r.u32())
	if len(p) == 0 {
		return nil
	}
	kinds := make([]ValKind, len(p))
	for i, k := range p {
		kinds[i] = ValKind(k)
	}
	return kinds
}

func (r *typeReader) limits() (low uint64, has bool, high uint64) {
	return r.u64(), r.byte() != 0, r.u64()
}

func (r *typeReader) extern() ExternType {
	switch kind := ExternKind(r.byte()); kind {
	case ExternFunc:
		return ExternType{Kind: kind, Func: r.function()}
	case ExternGlobal:
		content := ValKind(r.byte())
		return ExternType{Kind: kind, Global: &GlobalType{Content: content, Mutable: r.byte() != 0}}
	case ExternTable:
		t := &TableType{Elem: ValKind(r.byte())}
		t.Min, t.HasMax, t.Max = r.limits()
		return ExternType{Kind: kind, Table: t}
	case ExternMemory:
		m := &MemoryType{}
		m.Min, m.HasMax, m.Max = r.limits()
		return ExternType{Kind: kind, Memory: m}
	default:
		// The engine is told to refuse modules with anything else.
		return ExternType{Kind: kind}
	}
}

func (r *typeReader) function() *FuncType {
	start := r.b
	params, results := r.skipKinds(), r.skipKinds()
	key := start[:params+results]
	if f := r.funcs[string(key)]; f != nil {
		return f
	}
	k := &typeReader{b: key}
	f := &FuncType{Params: k.kinds(), Results: k.kinds()}
	r.funcs[string(key)] = f
	return f
}

// skipKinds passes over a list of kinds and gives its length in bytes.
func (r *typeReader) skipKinds() int {
	n := r.u32()
	r.take(n)
	return 4 + n
}
