package wit

import (
	"errors"
	"strings"
)

// scope maps the names of one interface or world. Names that differ in case
// only are the same name (WIT.md, section Identifiers), so keys are folded.
type scope map[string]entry

// entry is what a name stands for: a type, or for a function only its place,
// since nothing refers to functions by name.
type entry struct {
	pos  Pos
	name string
	def  *TypeDef
}

func (s scope) find(name string) (entry, bool) {
	e, ok := s[strings.ToLower(name)]
	return e, ok
}

func (s scope) put(name string, e entry) {
	e.name = name
	s[strings.ToLower(name)] = e
}

// resolver turns the names of a set into references. Mistakes are gathered, so
// that one run tells of all of them; what depends on a broken name stays
// silent.
type resolver struct {
	set     *Set
	members map[string]map[string]any // package id -> name -> *Interface or *World
	files   map[*file]*Package
	visits  map[any]visit
	bodies  map[*Type]bool // the places that are bodies of definitions
	errs    []error
}

type visit uint8

const (
	fresh visit = iota
	entered
	left
)

func (r *resolver) errorf(pos Pos, format string, args ...any) {
	r.errs = append(r.errs, errorAt(pos, format, args...))
}

// resolve runs in stages, each over the whole set, because each relies on the
// one before: names are declared; paths lead to interfaces and worlds; uses
// fill the scopes; references get their definitions; circles are found; and at
// last, when aliases can be followed safely, resources become handles.
func resolve(set *Set, files map[*file]*Package) error {
	r := &resolver{set: set, files: files, members: map[string]map[string]any{}, visits: map[any]visit{}, bodies: map[*Type]bool{}}
	stages := []func(){
		func() {
			for _, p := range set.Packages {
				r.declare(p)
			}
		},
		func() {
			r.everyInterface(func(i *Interface) { r.usePaths(i.Uses) })
			r.everyWorld(r.worldPaths)
		},
		func() {
			r.everyInterface(r.uses)
			r.everyWorld(func(w *World) { r.importTypes(w.Uses, w.scope) })
		},
		func() { r.everyType(r.ref) },
		func() {
			r.everyInterface(func(i *Interface) { r.finite(i.Types) })
			r.everyWorld(func(w *World) { r.finite(w.Types) })
			r.everyWorld(r.includes)
		},
		func() { r.everyType(r.handle) },
	}
	for _, stage := range stages {
		if stage(); len(r.errs) > 0 {
			return errors.Join(r.errs...)
		}
	}
	return nil
}

func (r *resolver) everyWorld(f func(*World)) {
	for _, p := range r.set.Packages {
		for _, w := range p.Worlds {
			f(w)
		}
	}
}

// everyInterface calls f for all interfaces of the set, those written inside
// worlds included.
func (r *resolver) everyInterface(f func(*Interface)) {
	for _, p := range r.set.Packages {
		for _, i := range p.Interfaces {
			f(i)
		}
		for _, w := range p.Worlds {
			for _, items := range [][]*WorldItem{w.Imports, w.Exports} {
				for _, it := range items {
					if it.Interface != nil && it.Interface.World != nil {
						f(it.Interface)
					}
				}
			}
		}
	}
}

// declare makes the scopes of a package's interfaces and worlds with what they
// define themselves, and refuses names given twice.
func (r *resolver) declare(p *Package) {
	names := scope{}
	members := map[string]any{}
	r.members[p.ID()] = members
	add := func(pos Pos, name string, member any) {
		if old, ok := names.find(name); ok {
			r.errorf(pos, "%s is already defined in package %s: see %s", name, p.ID(), old.pos)
		}
		names.put(name, entry{pos: pos})
		members[name] = member
	}
	for _, i := range p.Interfaces {
		i.Package = p
		add(i.Pos, i.Name, i)
		r.declareInterface(i)
	}
	for _, w := range p.Worlds {
		w.Package = p
		add(w.Pos, w.Name, w)
		w.scope = scope{}
		for _, d := range w.Types {
			d.World = w
		}
		r.declareTypes(w.Types, w.scope)
		imports, exports := scope{}, scope{}
		r.declareItems(p, w.Imports, imports)
		r.declareItems(p, w.Exports, exports)
		for _, it := range w.Imports {
			if it.Func != nil {
				r.declareName(w.scope, it.Pos, it.Name, nil)
			}
		}
	}
}

func (r *resolver) declareItems(p *Package, items []*WorldItem, names scope) {
	for _, it := range items {
		if it.path != nil {
			continue
		}
		r.declareName(names, it.Pos, it.Name, nil)
		if it.Interface != nil {
			it.Interface.Package = p
			r.declareInterface(it.Interface)
		}
	}
}

func (r *resolver) declareInterface(i *Interface) {
	i.scope = scope{}
	for _, d := range i.Types {
		d.Interface = i
	}
	r.declareTypes(i.Types, i.scope)
	for _, f := range i.Funcs {
		r.declareName(i.scope, f.Pos, f.Name, nil)
	}
}

func (r *resolver) declareTypes(defs []*TypeDef, names scope) {
	for _, d := range defs {
		r.declareName(names, d.Pos, d.Name, d)
		if res, ok := d.Body.(*Resource); ok {
			inner := scope{}
			made := false
			for _, f := range res.Funcs {
				if f.Kind != Constructor {
					r.declareName(inner, f.Pos, f.Name, nil)
					continue
				}
				if made {
					r.errorf(f.Pos, "resource %s has two constructors", d.Name)
				}
				made = true
			}
		}
	}
}

func (r *resolver) declareName(names scope, pos Pos, name string, def *TypeDef) {
	if old, ok := names.find(name); ok {
		r.errorf(pos, "name %s is already taken: see %s", name, old.pos)
		return
	}
	names.put(name, entry{pos: pos, def: def})
}

// lookup finds what a path names: an *Interface, a *World, or nil after an
// error has been noted.
func (r *resolver) lookup(at *path) any {
	pkg := r.files[at.file].ID()
	name := at.name
	switch {
	case at.namespace != "":
		pkg = at.packageID()
	default:
		for _, u := range at.file.aliases {
			if u.name == name && u.path != at {
				if u.path.namespace != "" {
					pkg = u.path.packageID()
				}
				name = u.path.name
				at = u.path
				break
			}
		}
	}
	members, ok := r.members[pkg]
	if !ok {
		r.errorf(at.pos, "package %s is not among the loaded ones%s", pkg, r.otherVersions(at))
		return nil
	}
	m, ok := members[name]
	if !ok {
		r.errorf(at.pos, "package %s has no interface or world named %s", pkg, name)
		return nil
	}
	return m
}

// otherVersions says which versions of a missing package are there.
func (r *resolver) otherVersions(at *path) string {
	var have []string
	for _, p := range r.set.Packages {
		if p.Namespace == at.namespace && p.Name == at.pkg {
			have = append(have, p.ID())
		}
	}
	if have == nil {
		return ""
	}
	return "; there is " + strings.Join(have, ", ")
}

func (r *resolver) lookupInterface(at *path) *Interface {
	switch m := r.lookup(at).(type) {
	case *Interface:
		return m
	case *World:
		r.errorf(at.pos, "%s is a world: expected an interface", at)
	}
	return nil
}

func (r *resolver) worldPaths(w *World) {
	r.usePaths(w.Uses)
	for _, items := range [][]*WorldItem{w.Imports, w.Exports} {
		seen := map[*Interface]bool{}
		for _, it := range items {
			if it.path == nil {
				continue
			}
			i := r.lookupInterface(it.path)
			if i == nil {
				continue
			}
			if seen[i] {
				r.errorf(it.Pos, "interface %s is named twice", i.ID())
			}
			seen[i] = true
			it.Interface, it.Name = i, i.ID()
		}
	}
	for _, in := range w.Includes {
		switch m := r.lookup(in.path).(type) {
		case *World:
			in.World = m
		case *Interface:
			r.errorf(in.Pos, "%s is an interface: expected a world", in.path)
		}
	}
}

func (r *resolver) usePaths(uses []*Use) {
	for _, u := range uses {
		u.From = r.lookupInterface(u.path)
	}
}

// uses brings the types an interface uses into its scope, those interfaces it
// uses first. Interfaces that use each other in a circle are an error.
func (r *resolver) uses(i *Interface) {
	if r.visits[i] == left {
		return
	}
	r.visits[i] = entered
	for _, u := range i.Uses {
		if r.visits[u.From] == entered {
			r.errorf(u.Pos, "interfaces use each other in a circle: %s leads back to %s", i.ID(), u.From.ID())
			continue
		}
		r.uses(u.From)
	}
	r.visits[i] = left
	r.importTypes(i.Uses, i.scope)
}

func (r *resolver) importTypes(uses []*Use, into scope) {
	for _, u := range uses {
		for _, n := range u.Names {
			e, ok := u.From.scope.find(n.From)
			if !ok || e.def == nil || e.name != n.From {
				r.errorf(n.Pos, "interface %s has no type named %s", u.From.ID(), n.From)
				continue
			}
			r.declareName(into, n.Pos, n.To, e.def)
		}
	}
}
