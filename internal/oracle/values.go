package oracle

// #include <stdlib.h>
// #include "component39.h"
import "C"

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/minispin/minispin/component/abi"
)

// The kinds of values, in the order of the C API, from 0.
var kinds = []abi.Kind{
	abi.KindBool, abi.KindS8, abi.KindU8, abi.KindS16, abi.KindU16, abi.KindS32, abi.KindU32,
	abi.KindS64, abi.KindU64, abi.KindF32, abi.KindF64, abi.KindChar, abi.KindString, abi.KindList,
	abi.KindRecord, abi.KindTuple, abi.KindVariant, abi.KindEnum, abi.KindOption, abi.KindResult, abi.KindFlags,
}

// of reads a value's union as one of its members.
func of[T any](v *C.wasmtime_component_val_t) *T { return (*T)(unsafe.Pointer(&v.of)) }

func setName(n *C.wasm_name_t, s string) {
	C.wasm_byte_vec_new(n, C.size_t(len(s)), (*C.char)(unsafe.Pointer(unsafe.StringData(s))))
}

// lower makes v of type t a value of the C API.
func lower(t *abi.Type, v abi.Val, out *C.wasmtime_component_val_t) {
	out.kind = C.uint8_t(slices.Index(kinds, t.Kind))
	switch t.Kind {
	case abi.KindBool:
		*of[bool](out) = v.Bool()
	case abi.KindF32:
		*of[float32](out) = float32(v.Float())
	case abi.KindF64:
		*of[float64](out) = v.Float()
	case abi.KindChar:
		*of[uint32](out) = uint32(v.Char())
	case abi.KindString:
		setName(of[C.wasm_name_t](out), v.Str())
	case abi.KindList:
		l := of[C.wasmtime_component_vallist_t](out)
		C.wasmtime_component_vallist_new_uninit(l, C.size_t(v.Len()))
		data := unsafe.Slice(l.data, v.Len())
		for i, e := range v.Elems() {
			lower(t.Elem, e, &data[i])
		}
	case abi.KindTuple:
		l := of[C.wasmtime_component_valtuple_t](out)
		C.wasmtime_component_valtuple_new_uninit(l, C.size_t(len(t.Fields)))
		data := unsafe.Slice(l.data, len(t.Fields))
		for i, e := range v.Elems() {
			lower(t.Fields[i].Type, e, &data[i])
		}
	case abi.KindRecord:
		l := of[C.wasmtime_component_valrecord_t](out)
		C.wasmtime_component_valrecord_new_uninit(l, C.size_t(len(t.Fields)))
		data := unsafe.Slice(l.data, len(t.Fields))
		for i, e := range v.Elems() {
			setName(&data[i].name, t.Fields[i].Name)
			lower(t.Fields[i].Type, e, &data[i].val)
		}
	case abi.KindVariant:
		x := of[C.wasmtime_component_valvariant_t](out)
		setName(&x.discriminant, t.Cases[v.Case()].Name)
		x.val = payload(t, v)
	case abi.KindOption:
		*of[*C.wasmtime_component_val_t](out) = payload(t, v)
	case abi.KindResult:
		x := of[C.wasmtime_component_valresult_t](out)
		x.is_ok = v.Case() == 0
		x.val = payload(t, v)
	case abi.KindEnum:
		setName(of[C.wasm_name_t](out), t.Names[v.Case()])
	case abi.KindFlags:
		var set []string
		for i, n := range t.Names {
			if v.Flag(i) {
				set = append(set, n)
			}
		}
		l := of[C.wasmtime_component_valflags_t](out)
		C.wasmtime_component_valflags_new_uninit(l, C.size_t(len(set)))
		data := unsafe.Slice(l.data, len(set))
		for i, n := range set {
			setName(&data[i], n)
		}
	default: // an integer, of which C reads as many bytes as it has
		*of[uint64](out) = v.Uint()
	}
}

func payload(t *abi.Type, v abi.Val) *C.wasmtime_component_val_t {
	p, ok := v.Payload()
	if !ok {
		return nil
	}
	tmp := cVals(1)
	defer C.free(unsafe.Pointer(&tmp[0]))
	lower(t.Cases[v.Case()].Type, p, &tmp[0])
	return C.wasmtime_component_val_new(&tmp[0])
}

// lift makes a value of the C API, of type t, one of ours. One of another type
// panics: the oracle does not keep to its interface then.
func lift(t *abi.Type, v *C.wasmtime_component_val_t) abi.Val {
	if int(v.kind) >= len(kinds) || kinds[v.kind] != t.Kind {
		panic(fmt.Sprintf("a value of kind %d for the type %s", v.kind, t))
	}
	vals := func(size C.size_t, data *C.wasmtime_component_val_t, typ func(i int) *abi.Type) []abi.Val {
		out := make([]abi.Val, size)
		for i := range out {
			out[i] = lift(typ(i), &unsafe.Slice(data, size)[i])
		}
		return out
	}
	switch t.Kind {
	case abi.KindBool:
		return abi.BoolVal(*of[bool](v))
	case abi.KindS8:
		return abi.S8Val(*of[int8](v))
	case abi.KindU8:
		return abi.U8Val(*of[uint8](v))
	case abi.KindS16:
		return abi.S16Val(*of[int16](v))
	case abi.KindU16:
		return abi.U16Val(*of[uint16](v))
	case abi.KindS32:
		return abi.S32Val(*of[int32](v))
	case abi.KindU32:
		return abi.U32Val(*of[uint32](v))
	case abi.KindS64:
		return abi.S64Val(*of[int64](v))
	case abi.KindU64:
		return abi.U64Val(*of[uint64](v))
	case abi.KindF32:
		return abi.F32Val(*of[float32](v))
	case abi.KindF64:
		return abi.F64Val(*of[float64](v))
	case abi.KindChar:
		return abi.CharVal(rune(*of[uint32](v)))
	case abi.KindString:
		return abi.StringVal(text(*of[C.wasm_name_t](v)))
	case abi.KindList:
		l := of[C.wasmtime_component_vallist_t](v)
		return abi.ListVal(vals(l.size, l.data, func(int) *abi.Type { return t.Elem })...)
	case abi.KindTuple:
		l := of[C.wasmtime_component_valtuple_t](v)
		return abi.TupleVal(vals(l.size, l.data, func(i int) *abi.Type { return t.Fields[i].Type })...)
	case abi.KindRecord:
		l := of[C.wasmtime_component_valrecord_t](v)
		out := make([]abi.Val, l.size)
		for i := range out {
			e := &unsafe.Slice(l.data, l.size)[i]
			if text(e.name) != t.Fields[i].Name {
				panic(fmt.Sprintf("field %d is %q, in the type %s", i, text(e.name), t))
			}
			out[i] = lift(t.Fields[i].Type, &e.val)
		}
		return abi.RecordVal(out...)
	case abi.KindVariant:
		x := of[C.wasmtime_component_valvariant_t](v)
		name := text(x.discriminant)
		i := slices.IndexFunc(t.Cases, func(c abi.Case) bool { return c.Name == name })
		if x.val == nil {
			return abi.CaseVal(uint32(i))
		}
		return abi.PayloadVal(uint32(i), lift(t.Cases[i].Type, x.val))
	case abi.KindOption:
		p := *of[*C.wasmtime_component_val_t](v)
		if p == nil {
			return abi.NoneVal()
		}
		return abi.SomeVal(lift(t.Cases[1].Type, p))
	case abi.KindResult:
		x := of[C.wasmtime_component_valresult_t](v)
		make, i := abi.OkVal, 0
		if !x.is_ok {
			make, i = abi.ErrVal, 1
		}
		if x.val == nil {
			return make(nil)
		}
		p := lift(t.Cases[i].Type, x.val)
		return make(&p)
	case abi.KindEnum:
		return abi.EnumVal(uint32(slices.Index(t.Names, text(*of[C.wasm_name_t](v)))))
	case abi.KindFlags:
		l := of[C.wasmtime_component_valflags_t](v)
		var word uint64
		for _, n := range unsafe.Slice(l.data, l.size) {
			word |= 1 << slices.Index(t.Names, text(n))
		}
		return abi.FlagsVal(word)
	}
	panic(t.Kind)
}
