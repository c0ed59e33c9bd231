package wasirc_test

import (
	"testing"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/host/wasirc"
	"github.com/minispin/minispin/wit"
)

// TestEveryFunctionOfTheCandidate holds the earlier candidate against its WIT, as
// the guests have it: each function must be there, and of that type.
func TestEveryFunctionOfTheCandidate(t *testing.T) {
	set, err := wit.Load("../../guests/wit/candidate")
	if err != nil {
		t.Fatal(err)
	}
	x := &types{t: t, l: linker(t)}
	functions := 0
	for _, p := range set.Packages {
		if p.Version != wasirc.Version20231018 {
			continue
		}
		for _, i := range p.Interfaces {
			funcs := i.Funcs
			for _, d := range i.Types {
				if r, ok := d.Body.(*wit.Resource); ok {
					funcs = append(funcs, r.Funcs...)
				}
			}
			if i.Name == "incoming-handler" {
				continue // the guest's
			}
			have := x.l.Interface(i.ID())
			if have == nil {
				t.Errorf("%s is not defined", i.ID())
				continue
			}
			for _, f := range funcs {
				functions++
				if err := x.check(have, f); err != "" {
					t.Errorf("%s %s: %s", i.ID(), f.Canonical(), err)
				}
			}
		}
	}
	if functions < 150 {
		t.Errorf("only %d functions were looked at", functions)
	}
}

// types makes types of the runtime out of those of WIT.
type types struct {
	t *testing.T
	l *component.Linker
}

func (x *types) check(have *component.Interface, f *wit.Func) string {
	want := &abi.Func{}
	if f.Kind == wit.Method {
		want.Params = append(want.Params, abi.Field{Name: "self", Type: abi.Borrow(x.resource(f.Resource))})
	}
	for _, p := range f.Params {
		want.Params = append(want.Params, abi.Field{Name: p.Name, Type: x.typ(p.Type)})
	}
	if f.Result != nil {
		want.Result = x.typ(f.Result)
	}
	for _, h := range have.Funcs {
		if h.Name != f.Canonical() {
			continue
		}
		if err := abi.EqualFunc(want, h.Type, func(a, b *abi.Resource) bool { return a == b }); err != nil {
			return err.Error()
		}
		return ""
	}
	return "not defined"
}

func (x *types) resource(d *wit.TypeDef) *abi.Resource {
	d = d.Target()
	for _, r := range x.l.Interface(d.Interface.ID()).Resources {
		if r.Name == d.Name {
			return r.Type
		}
	}
	x.t.Errorf("%s has no resource %s", d.Interface.ID(), d.Name)
	return nil
}

var primitives = map[wit.Primitive]*abi.Type{
	wit.Bool: abi.Bool, wit.U8: abi.U8, wit.U16: abi.U16, wit.U32: abi.U32, wit.U64: abi.U64, wit.String: abi.String,
}

func (x *types) typ(t wit.Type) *abi.Type {
	switch t := t.(type) {
	case nil:
		return nil
	case wit.Primitive:
		return primitives[t]
	case *wit.Ref:
		return x.typ(t.Def.Target().Body)
	case *wit.Own:
		return abi.Own(x.resource(t.Resource.Def))
	case *wit.Borrow:
		return abi.Borrow(x.resource(t.Resource.Def))
	case *wit.List:
		return abi.List(x.typ(t.Elem))
	case *wit.Option:
		return abi.Option(x.typ(t.Elem))
	case *wit.Result:
		return abi.Result(x.typ(t.OK), x.typ(t.Err))
	case *wit.Tuple:
		var list []*abi.Type
		for _, e := range t.Types {
			list = append(list, x.typ(e))
		}
		return abi.Tuple(list...)
	case *wit.Record:
		var fields []abi.Field
		for _, f := range t.Fields {
			fields = append(fields, abi.Field{Name: f.Name, Type: x.typ(f.Type)})
		}
		return abi.Record(fields...)
	case *wit.Variant:
		var cases []abi.Case
		for _, c := range t.Cases {
			cases = append(cases, abi.Case{Name: c.Name, Type: x.typ(c.Type)})
		}
		return abi.Variant(cases...)
	case *wit.Enum:
		return abi.Enum(labels(t.Cases)...)
	case *wit.Flags:
		return abi.Flags(labels(t.Flags)...)
	}
	x.t.Fatalf("the candidate has a %T", t)
	return nil
}

func labels(cases []wit.Case) (list []string) {
	for _, c := range cases {
		list = append(list, c.Name)
	}
	return list
}
