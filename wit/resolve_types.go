package wit

// everyType calls f for each place that holds a type, with the scope its names
// are to be looked up in. Parts come before the whole; places that hold no
// type (nil) are left out.
func (r *resolver) everyType(f func(*Type, scope)) {
	r.everyInterface(func(i *Interface) {
		walkDefs(i.Types, i.scope, f)
		for _, fn := range i.Funcs {
			walkFunc(fn, i.scope, f)
		}
	})
	r.everyWorld(func(w *World) {
		walkDefs(w.Types, w.scope, f)
		for _, items := range [][]*WorldItem{w.Imports, w.Exports} {
			for _, it := range items {
				if it.Func != nil {
					walkFunc(it.Func, w.scope, f)
				}
			}
		}
	})
}

func walkDefs(defs []*TypeDef, names scope, f func(*Type, scope)) {
	for _, d := range defs {
		walkType(&d.Body, names, f)
		if res, ok := d.Body.(*Resource); ok {
			for _, fn := range res.Funcs {
				walkFunc(fn, names, f)
			}
		}
	}
}

func walkFunc(fn *Func, names scope, f func(*Type, scope)) {
	for i := range fn.Params {
		walkType(&fn.Params[i].Type, names, f)
	}
	walkType(&fn.Result, names, f)
}

func walkType(t *Type, names scope, f func(*Type, scope)) {
	switch v := (*t).(type) {
	case nil:
		return
	case *List:
		walkType(&v.Elem, names, f)
	case *Option:
		walkType(&v.Elem, names, f)
	case *Result:
		walkType(&v.OK, names, f)
		walkType(&v.Err, names, f)
	case *Tuple:
		for i := range v.Types {
			walkType(&v.Types[i], names, f)
		}
	case *Stream:
		walkType(&v.Elem, names, f)
	case *Future:
		walkType(&v.Elem, names, f)
	case *Record:
		for i := range v.Fields {
			walkType(&v.Fields[i].Type, names, f)
		}
	case *Variant:
		for i := range v.Cases {
			walkType(&v.Cases[i].Type, names, f)
		}
	}
	f(t, names)
}

// ref gives the references in one place their definitions.
func (r *resolver) ref(t *Type, names scope) {
	ref := reference(*t)
	if ref == nil || ref.Def != nil {
		return
	}
	e, ok := names.find(ref.Name)
	switch {
	case !ok:
		r.errorf(ref.Pos, "type %s is not defined", ref.Name)
	case e.def == nil:
		r.errorf(ref.Pos, "%s is a function: expected a type", ref.Name)
	case e.name != ref.Name:
		r.errorf(ref.Pos, "type %s is not defined; there is %s, and case matters", ref.Name, e.name)
	default:
		ref.Def = e.def
	}
}

func reference(t Type) *Ref {
	switch t := t.(type) {
	case *Ref:
		return t
	case *Own:
		return t.Resource
	case *Borrow:
		return t.Resource
	}
	return nil
}

// handle makes the name of a resource in the place of a type an own handle
// (WIT.md, section Handles), and refuses handles to anything else.
func (r *resolver) handle(t *Type, names scope) {
	ref := reference(*t)
	if ref == nil {
		return
	}
	_, isResource := ref.Def.Target().Body.(*Resource)
	plain, ok := (*t).(*Ref)
	switch {
	case !ok && !isResource:
		r.errorf(ref.Pos, "%s is not a resource: only resources have handles", ref.Name)
	case ok && isResource && !r.isAlias(t):
		*t = &Own{Resource: plain}
	}
}

// isAlias tells whether the place is the body of a definition, where the name
// of a resource gives it another name instead of making a handle.
func (r *resolver) isAlias(t *Type) bool {
	return r.bodies[t]
}

// finite finds definitions that contain themselves. A list or an option of
// the type itself is no way out: WIT has no recursive types.
func (r *resolver) finite(defs []*TypeDef) {
	for _, d := range defs {
		r.visitDef(d)
	}
}

func (r *resolver) visitDef(d *TypeDef) {
	if r.visits[d] != fresh {
		return
	}
	r.visits[d] = entered
	r.bodies[&d.Body] = true
	walkType(&d.Body, nil, func(t *Type, _ scope) {
		ref, ok := (*t).(*Ref)
		if !ok {
			return
		}
		if r.visits[ref.Def] == entered {
			r.errorf(ref.Pos, "type %s contains itself", ref.Name)
			return
		}
		r.visitDef(ref.Def)
	})
	r.visits[d] = left
}
