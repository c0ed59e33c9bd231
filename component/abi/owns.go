package abi

// This file finds the owned handles in values, for runtimes that have to say what
// became of each when a call ends in the middle.

// OwnsParams reports whether the parameters have own handles in them.
func (p *Plan) OwnsParams() bool { return p.params != nil && p.params.owns }

// OwnsResult reports whether the result has own handles in it.
func (p *Plan) OwnsResult() bool { return p.Func.Result != nil && p.Func.Result.owns }

// EachOwn calls visit for the owned handles in v, in the order in which a lowering
// of v as the type t takes them (CanonicalABI.md, section Storing). Where v does
// not fit t, nothing more is visited.
func EachOwn(t *Type, v Val, visit func(r *Resource, rep any)) {
	eachOwn(t, v, visit)
}

func eachOwn(t *Type, v Val, visit func(r *Resource, rep any)) bool {
	switch t.Kind {
	case KindOwn:
		if v.kind != KindOwn {
			return false
		}
		visit(t.Resource, v.ref)
	case KindList, KindFixedList:
		if v.kind != KindList {
			return false
		}
		if !t.Elem.handles {
			return true
		}
		for _, e := range v.Elems() {
			if !eachOwn(t.Elem, e, visit) {
				return false
			}
		}
	case KindRecord, KindTuple:
		elems := v.Elems()
		if v.kind != t.Kind || len(elems) != len(t.Fields) {
			return false
		}
		for i, e := range elems {
			if !eachOwn(t.Fields[i].Type, e, visit) {
				return false
			}
		}
	case KindVariant, KindOption, KindResult:
		if v.kind != t.Kind || int(v.bits) >= len(t.Cases) {
			return false
		}
		if u := t.Cases[v.bits].Type; u != nil {
			p, ok := v.Payload()
			return ok && eachOwn(u, p, visit)
		}
	}
	return true
}
