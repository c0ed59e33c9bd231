package inspect

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/minispin/minispin/component/binary"
	"github.com/minispin/minispin/wit"
)

// This file puts imports and exports into the terms of WIT.
//
// WIT.md, section Package Format, whose way from WIT to binary this goes back.

// rootName is what the component's own package and world are called, which have
// no name in a binary.
const (
	rootPackage = "root:component"
	rootWorld   = "root"
)

// face is an interface, or the world itself, on its way to WIT.
type face struct {
	id    string
	wit   *wit.Interface // nil for the world
	world *wit.World     // nil for an interface
	names map[*typ]string
	taken map[string]bool
	defs  map[string]*wit.TypeDef
	funcs map[string]bool
	uses  map[*face]*wit.Use
}

// texts builds the packages.
type texts struct {
	world    *wit.World
	root     *face
	packages []*wit.Package
	faces    map[string]*face
	unsaid   []string // what WIT has no form for
	work     int
	err      error
}

var errTooMuchText = errors.New("its types unfold to too much text")

// maxText bounds how many types are written: definitions share their parts.
const maxText = 200_000

// write puts items into packages, the component's own one first.
func write(imports, exports []item) ([]*wit.Package, error) {
	ns, name, _ := strings.Cut(rootPackage, ":")
	p := &wit.Package{Namespace: ns, Name: name}
	w := &wit.World{Package: p, Name: rootWorld}
	p.Worlds = []*wit.World{w}
	x := &texts{world: w, packages: []*wit.Package{p}, faces: map[string]*face{}}
	x.root = newFace("")
	x.root.world = w
	// All names first: a type may be used before its home is written.
	for _, list := range [][]item{imports, exports} {
		for _, it := range list {
			x.settle(it)
		}
	}
	w.Imports = x.items(imports, false)
	w.Exports = x.items(exports, true)
	x.prune()
	if len(x.unsaid) > 0 {
		w.Docs = "WIT has no form for what follows, which the component has as well:\n" + strings.Join(x.unsaid, "\n")
	}
	return x.packages, x.err
}

// prune takes out the interfaces that neither the world nor anything in it refers
// to.
func (x *texts) prune() {
	needed := map[*wit.Interface]bool{}
	var need func(i *wit.Interface)
	need = func(i *wit.Interface) {
		if i == nil || needed[i] {
			return
		}
		needed[i] = true
		for _, u := range i.Uses {
			need(u.From)
		}
	}
	for _, list := range [][]*wit.WorldItem{x.world.Imports, x.world.Exports} {
		for _, it := range list {
			need(it.Interface)
		}
	}
	for _, u := range x.world.Uses {
		need(u.From)
	}
	for _, p := range x.packages[1:] {
		p.Interfaces = slices.DeleteFunc(p.Interfaces, func(i *wit.Interface) bool { return !needed[i] })
	}
	x.packages = slices.DeleteFunc(x.packages, func(p *wit.Package) bool { return len(p.Interfaces)+len(p.Worlds) == 0 })
}

func newFace(id string) *face {
	return &face{
		id: id, names: map[*typ]string{}, taken: map[string]bool{},
		defs: map[string]*wit.TypeDef{}, funcs: map[string]bool{}, uses: map[*face]*wit.Use{},
	}
}

// face gives the interface an import or export stands for. Both may name one.
func (x *texts) face(name binary.ExternName) *face {
	if f := x.faces[name.Name]; f != nil {
		return f
	}
	f := newFace(name.Name)
	x.faces[name.Name] = f
	id, ok := name.Interface()
	if !ok {
		f.wit = &wit.Interface{Name: name.Name, World: x.world, Package: x.packages[0]}
		return f
	}
	p := x.pkg(id)
	f.wit = &wit.Interface{Name: id.Interface, Package: p}
	p.Interfaces = append(p.Interfaces, f.wit)
	return f
}

func (x *texts) pkg(id binary.InterfaceName) *wit.Package {
	for _, p := range x.packages[1:] {
		if p.Namespace == id.Namespace && p.Name == id.Package && p.Version == id.Version {
			return p
		}
	}
	p := &wit.Package{Namespace: id.Namespace, Name: id.Package, Version: id.Version}
	x.packages = append(x.packages, p)
	return p
}

// settle gives the types of an item their homes.
func (x *texts) settle(it item) {
	switch {
	case it.sort == binary.SortType:
		x.root.claim(it)
	case it.inst != nil:
		f := x.face(it.name)
		for _, e := range it.inst.items {
			if e.sort == binary.SortType {
				f.claim(e)
			}
		}
	}
}

// claim makes the name of a type known in f, and f its home if it has none.
func (f *face) claim(it item) {
	if it.typ.home == nil {
		it.typ.home, it.typ.name = f, it.name.Name
	}
	if f.names[it.typ] == "" {
		f.names[it.typ] = it.name.Name
	}
	f.taken[it.name.Name] = true
}

// items writes imports or exports.
func (x *texts) items(list []item, exported bool) []*wit.WorldItem {
	var out []*wit.WorldItem
	seen := map[string]bool{}
	for _, it := range list {
		name := it.name.Name
		again := seen[name]
		seen[name] = true
		switch {
		case it.inst != nil:
			f := x.face(it.name)
			for _, e := range it.inst.items {
				x.member(f, e)
			}
			if it.idle {
				seen[name] = again
			} else if !again {
				out = append(out, &wit.WorldItem{Name: name, Interface: f.wit})
			}
		case it.fn != nil && it.name.Kind == binary.NameLabel:
			if fn := x.function(x.root, it); fn != nil && !again {
				out = append(out, &wit.WorldItem{Name: name, Func: fn})
			}
		case it.sort != binary.SortType && it.fn == nil:
			x.unsaid = append(x.unsaid, fmt.Sprintf("%s: %s", name, it.sort))
		default:
			if exported {
				x.unsaid = append(x.unsaid, fmt.Sprintf("%s: an exported %s", name, it.sort))
			}
			x.member(x.root, it)
		}
	}
	return out
}

// member writes a type or function of an interface, or of the world.
func (x *texts) member(f *face, it item) {
	name := it.name.Name
	switch {
	case it.sort == binary.SortType && f.imported(it.typ):
		x.use(f, it.typ, name)
	case it.sort == binary.SortType:
		if f.defs[name] == nil {
			x.typeDef(f, it)
		}
	case it.fn == nil:
		x.unsaid = append(x.unsaid, fmt.Sprintf("%s of %s: %s", name, f.id, it.sort))
	case it.name.Kind == binary.NameLabel:
		if fn := x.function(f, it); fn != nil && !f.funcs[name] {
			f.funcs[name] = true
			f.wit.Funcs = append(f.wit.Funcs, fn)
		}
	default:
		d := f.defs[it.name.Resource()]
		var r *wit.Resource
		if d != nil {
			r, _ = d.Body.(*wit.Resource)
		}
		if r == nil {
			x.unsaid = append(x.unsaid, fmt.Sprintf("%s: func", name))
			return
		}
		fn := x.function(f, it)
		if fn == nil {
			return
		}
		fn.Resource = d
		for _, have := range r.Funcs {
			if have.Canonical() == fn.Canonical() {
				return
			}
		}
		r.Funcs = append(r.Funcs, fn)
	}
}

// imported reports whether a type has its home elsewhere.
func (f *face) imported(t *typ) bool { return t.home != nil && t.home != f && t.home.world == nil }

// use makes a type of another interface known in f under a name.
func (x *texts) use(f *face, t *typ, name string) {
	u := f.uses[t.home]
	if u == nil {
		u = &wit.Use{From: t.home.wit}
		f.uses[t.home] = u
		if f.wit != nil {
			f.wit.Uses = append(f.wit.Uses, u)
		} else {
			f.world.Uses = append(f.world.Uses, u)
		}
	}
	for _, r := range u.Names {
		if r.To == name {
			return
		}
	}
	u.Names = append(u.Names, wit.Rename{From: t.name, To: name})
}

// typeDef writes the definition of a type that f names.
func (x *texts) typeDef(f *face, it item) {
	d := &wit.TypeDef{Name: it.name.Name, Interface: f.wit, World: f.world}
	f.defs[d.Name] = d
	if first := f.names[it.typ]; first != d.Name {
		d.Body = &wit.Ref{Name: first, Def: f.defs[first]}
	} else if isResource(it.typ) {
		d.Body = &wit.Resource{}
	} else {
		d.Body = x.body(f, it.typ)
	}
	if f.wit != nil {
		f.wit.Types = append(f.wit.Types, d)
	} else {
		f.world.Types = append(f.world.Types, d)
	}
}

func isResource(t *typ) bool {
	if t.def == nil {
		return true
	}
	_, ok := t.def.(*binary.ResourceType)
	return ok
}

// function writes a function's type; nil when it has none that can be written.
func (x *texts) function(f *face, it item) *wit.Func {
	ft, ok := it.fn.typ.def.(*binary.FuncType)
	if !ok {
		x.err = errors.Join(x.err, fmt.Errorf("%q: its type is not one of a function", it.name.Name))
		return nil
	}
	fn := &wit.Func{Name: it.name.Label(), Async: ft.Async}
	params := ft.Params
	switch it.name.Kind {
	case binary.NameConstructor:
		fn.Kind, fn.Name = wit.Constructor, ""
	case binary.NameStatic:
		fn.Kind = wit.Static
	case binary.NameMethod:
		if fn.Kind = wit.Method; len(params) > 0 {
			params = params[1:]
		}
	}
	s := it.fn.typ.scope
	for _, p := range params {
		fn.Params = append(fn.Params, wit.Param{Name: p.Label, Type: x.val(f, s, p.Type)})
	}
	if ft.Result != nil {
		fn.Result = x.val(f, s, *ft.Result)
	}
	return fn
}

// val writes a type where a value is declared.
func (x *texts) val(f *face, s *scope, v binary.ValType) wit.Type {
	if x.work++; x.work > maxText {
		x.err = errTooMuchText
		return wit.Bool
	}
	if !v.IsIndex() {
		return prims[v.Prim]
	}
	t, err := at(s.types, v.Index, "type")
	if err != nil {
		x.err = errors.Join(x.err, err)
		return wit.Bool
	}
	if ref := x.ref(f, t); ref != nil {
		return ref
	}
	return x.body(f, t)
}

func (x *texts) opt(f *face, s *scope, v *binary.ValType) wit.Type {
	if v == nil {
		return nil
	}
	return x.val(f, s, *v)
}

// ref names a type that has a name; nil when it has none.
func (x *texts) ref(f *face, t *typ) *wit.Ref {
	if name := f.names[t]; name != "" {
		if f.imported(t) {
			x.use(f, t, name)
		}
		return &wit.Ref{Name: name, Def: f.defs[name]}
	}
	if t.home == nil {
		return nil
	}
	// The component uses the type of another interface without naming it here,
	// which the binary format allows.
	name := t.name
	for n := 1; f.taken[name]; n++ {
		name = fmt.Sprintf("%s-x%d", t.name, n)
	}
	f.names[t], f.taken[name] = name, true
	if t.home != x.root {
		x.use(f, t, name)
	}
	return &wit.Ref{Name: name}
}

var prims = map[binary.PrimType]wit.Primitive{
	binary.Bool: wit.Bool, binary.S8: wit.S8, binary.U8: wit.U8, binary.S16: wit.S16,
	binary.U16: wit.U16, binary.S32: wit.S32, binary.U32: wit.U32, binary.S64: wit.S64,
	binary.U64: wit.U64, binary.F32: wit.F32, binary.F64: wit.F64, binary.Char: wit.Char,
	binary.String: wit.String, binary.ErrorContext: wit.ErrorContext,
}

// body writes what a type consists of.
func (x *texts) body(f *face, t *typ) wit.Type {
	s := t.scope
	switch d := t.def.(type) {
	case binary.PrimDef:
		return prims[d.Prim]
	case *binary.RecordType:
		r := &wit.Record{}
		for _, m := range d.Fields {
			r.Fields = append(r.Fields, wit.Field{Name: m.Label, Type: x.val(f, s, m.Type)})
		}
		return r
	case *binary.VariantType:
		r := &wit.Variant{}
		for _, c := range d.Cases {
			r.Cases = append(r.Cases, wit.Case{Name: c.Label, Type: x.opt(f, s, c.Type)})
		}
		return r
	case *binary.EnumType:
		return &wit.Enum{Cases: labels(d.Labels)}
	case *binary.FlagsType:
		return &wit.Flags{Flags: labels(d.Labels)}
	case *binary.ListType:
		return &wit.List{Elem: x.val(f, s, d.Elem)}
	case *binary.FixedListType:
		return &wit.List{Elem: x.val(f, s, d.Elem), Len: d.Len}
	case *binary.MapType: // as it is despecialized: WIT's own form is newer than the printer
		return &wit.List{Elem: &wit.Tuple{Types: []wit.Type{x.val(f, s, d.Key), x.val(f, s, d.Value)}}}
	case *binary.TupleType:
		r := &wit.Tuple{}
		for _, v := range d.Types {
			r.Types = append(r.Types, x.val(f, s, v))
		}
		return r
	case *binary.OptionType:
		return &wit.Option{Elem: x.val(f, s, d.Elem)}
	case *binary.ResultType:
		return &wit.Result{OK: x.opt(f, s, d.OK), Err: x.opt(f, s, d.Err)}
	case *binary.StreamType:
		return &wit.Stream{Elem: x.opt(f, s, d.Elem)}
	case *binary.FutureType:
		return &wit.Future{Elem: x.opt(f, s, d.Elem)}
	case *binary.OwnType:
		return &wit.Own{Resource: x.resource(f, s, d.Resource)}
	case *binary.BorrowType:
		return &wit.Borrow{Resource: x.resource(f, s, d.Resource)}
	}
	x.err = errors.Join(x.err, fmt.Errorf("a type that is none of a value (%T) stands where a value is declared", t.def))
	return wit.Bool
}

func (x *texts) resource(f *face, s *scope, i uint32) *wit.Ref {
	t, err := at(s.types, i, "type")
	if err != nil {
		x.err = errors.Join(x.err, err)
		return &wit.Ref{}
	}
	if ref := x.ref(f, t); ref != nil {
		return ref
	}
	return &wit.Ref{Name: "unnamed-resource"}
}

func labels(names []string) []wit.Case {
	cases := make([]wit.Case, len(names))
	for i, n := range names {
		cases[i].Name = n
	}
	return cases
}
