package main

import (
	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/wit"
)

// canon strips aliases: it gives a *wit.Ref for records, variants, enums and
// flags, and the plain form of every other type.
func canon(t wit.Type) wit.Type {
	ref, ok := t.(*wit.Ref)
	if !ok {
		return t
	}
	d := ref.Def.Target()
	switch d.Body.(type) {
	case *wit.Record, *wit.Variant, *wit.Enum, *wit.Flags:
		return &wit.Ref{Name: d.Name, Def: d}
	}
	return canon(d.Body)
}

func isBytes(t wit.Type) bool {
	list, ok := canon(t).(*wit.List)
	return ok && list.Len == 0 && canon(list.Elem) == wit.U8
}

// holdsBytes tells whether a lifted value can hold a view of guest memory.
func holdsBytes(t wit.Type) bool {
	return some(t, func(t wit.Type) bool { return isBytes(t) })
}

// some tells whether t, or any type it is built from, is as asked for. Payloads
// of handles are no parts.
func some(t wit.Type, is func(wit.Type) bool) bool {
	if t == nil {
		return false
	}
	t = canon(t)
	if is(t) {
		return true
	}
	for _, part := range parts(t) {
		if some(part, is) {
			return true
		}
	}
	return false
}

// parts gives the types a canonical type is directly built from.
func parts(t wit.Type) []wit.Type {
	switch t := t.(type) {
	case *wit.List:
		return []wit.Type{t.Elem}
	case *wit.Option:
		return []wit.Type{t.Elem}
	case *wit.Result:
		return []wit.Type{t.OK, t.Err}
	case *wit.Tuple:
		return t.Types
	case *wit.Ref:
		var ts []wit.Type
		switch body := t.Def.Body.(type) {
		case *wit.Record:
			for _, f := range body.Fields {
				ts = append(ts, f.Type)
			}
		case *wit.Variant:
			for _, c := range body.Cases {
				ts = append(ts, c.Type)
			}
		}
		return ts
	}
	return nil
}

var primitiveTypes = map[wit.Primitive]*abi.Type{
	wit.Bool: abi.Bool, wit.S8: abi.S8, wit.U8: abi.U8, wit.S16: abi.S16, wit.U16: abi.U16,
	wit.S32: abi.S32, wit.U32: abi.U32, wit.S64: abi.S64, wit.U64: abi.U64,
	wit.F32: abi.F32, wit.F64: abi.F64, wit.Char: abi.Char, wit.String: abi.String,
}

// anyResource stands for every resource: handles are all laid out alike.
var anyResource = &abi.Resource{Name: "resource"}

// layout gives the size, alignment and flat form of a type.
func layout(t wit.Type) *abi.Type {
	switch t := canon(t).(type) {
	case wit.Primitive:
		return primitiveTypes[t]
	case *wit.List:
		return abi.List(layout(t.Elem))
	case *wit.Option:
		return abi.Option(layout(t.Elem))
	case *wit.Result:
		return abi.Result(maybeLayout(t.OK), maybeLayout(t.Err))
	case *wit.Tuple:
		return tupleLayout(t.Types)
	case *wit.Own, *wit.Borrow:
		return abi.Own(anyResource)
	case *wit.Ref:
		switch body := t.Def.Body.(type) {
		case *wit.Record:
			fields := make([]abi.Field, len(body.Fields))
			for i, f := range body.Fields {
				fields[i] = abi.Field{Name: f.Name, Type: layout(f.Type)}
			}
			return abi.Record(fields...)
		case *wit.Variant:
			cases := make([]abi.Case, len(body.Cases))
			for i, c := range body.Cases {
				cases[i] = abi.Case{Name: c.Name, Type: maybeLayout(c.Type)}
			}
			return abi.Variant(cases...)
		case *wit.Enum:
			return abi.Enum(caseNames(body.Cases)...)
		case *wit.Flags:
			return abi.Flags(caseNames(body.Flags)...)
		}
	}
	panic("layout of a type that was not checked")
}

func maybeLayout(t wit.Type) *abi.Type {
	if t == nil {
		return nil
	}
	return layout(t)
}

func tupleLayout(types []wit.Type) *abi.Type {
	ts := make([]*abi.Type, len(types))
	for i, t := range types {
		ts[i] = layout(t)
	}
	return abi.Tuple(ts...)
}

func caseNames(cases []wit.Case) []string {
	names := make([]string, len(cases))
	for i, c := range cases {
		names[i] = c.Name
	}
	return names
}
