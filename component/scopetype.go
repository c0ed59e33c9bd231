package component

import (
	"fmt"

	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/component/binary"
)

// This file turns the types of the binary format, which refer to one another by
// index, into the ABI's, which carry their layout and the identity of their
// resources.

func (s *scope) typeDef(d binary.DefType) (*typ, error) {
	switch d := d.(type) {
	case *binary.FuncType:
		f, err := s.funcType(d)
		return &typ{fn: f}, err
	case *binary.InstanceType:
		return &typ{instance: d, scope: s}, nil
	case *binary.ComponentType:
		return &typ{comp: d, scope: s}, nil
	case *binary.ResourceType:
		if s.ci < 0 {
			return nil, fmt.Errorf("a type defines a resource of its own")
		}
		g := &guestResource{owner: s.ci, dtor: -1}
		if d.Dtor.Present {
			it, err := s.coreGet(binary.SortCoreFunc, d.Dtor.Index)
			if err != nil {
				return nil, fmt.Errorf("resource destructor: %w", err)
			}
			if g.dtor, err = s.k.callable(it, dtorType, "a resource's destructor"); err != nil {
				return nil, err
			}
		}
		return &typ{resource: &abi.Resource{Name: fmt.Sprintf("resource %d of component instance %d", len(s.types), s.ci), Data: g}}, nil
	}
	v, err := s.valueType(d)
	if err != nil {
		return nil, err
	}
	if err := v.Err(); err != nil {
		return nil, err
	}
	return &typ{val: v}, nil
}

func (s *scope) funcType(d *binary.FuncType) (*abi.Func, error) {
	if d.Async {
		return nil, fmt.Errorf("async function types are not run by this host")
	}
	if err := s.k.spend(len(d.Params)); err != nil {
		return nil, err
	}
	f := &abi.Func{Params: make([]abi.Field, len(d.Params))}
	for i, p := range d.Params {
		t, err := s.val(p.Type)
		if err != nil {
			return nil, fmt.Errorf("parameter %q: %w", p.Label, err)
		}
		f.Params[i] = abi.Field{Name: p.Label, Type: t}
	}
	var err error
	if f.Result, err = s.optVal(d.Result); err != nil {
		return nil, fmt.Errorf("result: %w", err)
	}
	return f, f.Err()
}

var prims = map[binary.PrimType]*abi.Type{
	binary.Bool: abi.Bool, binary.S8: abi.S8, binary.U8: abi.U8, binary.S16: abi.S16,
	binary.U16: abi.U16, binary.S32: abi.S32, binary.U32: abi.U32, binary.S64: abi.S64,
	binary.U64: abi.U64, binary.F32: abi.F32, binary.F64: abi.F64, binary.Char: abi.Char,
	binary.String: abi.String,
}

// val resolves a value type.
func (s *scope) val(v binary.ValType) (*abi.Type, error) {
	if !v.IsIndex() {
		if t := prims[v.Prim]; t != nil {
			return t, nil
		}
		return nil, fmt.Errorf("the type %s is not run by this host", v.Prim)
	}
	t, ok := index(s.types, v.Index)
	if !ok {
		return nil, fmt.Errorf("type index %d is out of range", v.Index)
	}
	if t.val == nil {
		return nil, fmt.Errorf("type index %d is not the type of a value", v.Index)
	}
	return t.val, nil
}

func (s *scope) optVal(v *binary.ValType) (*abi.Type, error) {
	if v == nil {
		return nil, nil
	}
	return s.val(*v)
}

// vals resolves several value types.
func (s *scope) vals(vs []binary.ValType) ([]*abi.Type, error) {
	out := make([]*abi.Type, len(vs))
	for i, v := range vs {
		t, err := s.val(v)
		if err != nil {
			return nil, err
		}
		out[i] = t
	}
	return out, nil
}

func (s *scope) resource(i uint32) (*abi.Resource, error) {
	t, ok := index(s.types, i)
	if !ok || t.resource == nil {
		return nil, fmt.Errorf("type index %d is not a resource type", i)
	}
	return t.resource, nil
}

// members counts the parts that a type lists.
func members(d binary.DefType) int {
	switch d := d.(type) {
	case *binary.RecordType:
		return len(d.Fields)
	case *binary.VariantType:
		return len(d.Cases)
	case *binary.TupleType:
		return len(d.Types)
	case *binary.FlagsType:
		return len(d.Labels)
	case *binary.EnumType:
		return len(d.Labels)
	}
	return 0
}

// valueType resolves the definition of a value type.
func (s *scope) valueType(d binary.DefType) (*abi.Type, error) {
	if err := s.k.spend(members(d)); err != nil {
		return nil, err
	}
	switch d := d.(type) {
	case binary.PrimDef:
		return s.val(binary.ValType{Prim: d.Prim})
	case *binary.RecordType:
		fields := make([]abi.Field, len(d.Fields))
		for i, f := range d.Fields {
			t, err := s.val(f.Type)
			if err != nil {
				return nil, fmt.Errorf("field %q: %w", f.Label, err)
			}
			fields[i] = abi.Field{Name: f.Label, Type: t}
		}
		return abi.Record(fields...), nil
	case *binary.VariantType:
		cases := make([]abi.Case, len(d.Cases))
		for i, c := range d.Cases {
			t, err := s.optVal(c.Type)
			if err != nil {
				return nil, fmt.Errorf("case %q: %w", c.Label, err)
			}
			cases[i] = abi.Case{Name: c.Label, Type: t}
		}
		return abi.Variant(cases...), nil
	case *binary.ListType:
		t, err := s.val(d.Elem)
		if err != nil {
			return nil, err
		}
		return abi.List(t), nil
	case *binary.MapType:
		// CanonicalABI.md, section Despecialization: a map is a list of pairs,
		// and which of two pairs with one key counts is up to who reads it.
		pair, err := s.vals([]binary.ValType{d.Key, d.Value})
		if err != nil {
			return nil, err
		}
		return abi.List(abi.Tuple(pair...)), nil
	case *binary.FixedListType:
		t, err := s.val(d.Elem)
		if err != nil {
			return nil, err
		}
		return abi.FixedList(t, d.Len), nil
	case *binary.TupleType:
		ts, err := s.vals(d.Types)
		if err != nil {
			return nil, err
		}
		return abi.Tuple(ts...), nil
	case *binary.FlagsType:
		return abi.Flags(d.Labels...), nil
	case *binary.EnumType:
		return abi.Enum(d.Labels...), nil
	case *binary.OptionType:
		t, err := s.val(d.Elem)
		if err != nil {
			return nil, err
		}
		return abi.Option(t), nil
	case *binary.ResultType:
		ok, err := s.optVal(d.OK)
		if err != nil {
			return nil, err
		}
		bad, err := s.optVal(d.Err)
		if err != nil {
			return nil, err
		}
		return abi.Result(ok, bad), nil
	case *binary.OwnType:
		r, err := s.resource(d.Resource)
		if err != nil {
			return nil, err
		}
		return abi.Own(r), nil
	case *binary.BorrowType:
		r, err := s.resource(d.Resource)
		if err != nil {
			return nil, err
		}
		return abi.Borrow(r), nil
	}
	return nil, fmt.Errorf("a type (%T) that this host does not run", d)
}
