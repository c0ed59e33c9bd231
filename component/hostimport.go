package component

import (
	"errors"
	"fmt"
	"slices"

	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/component/binary"
	"github.com/minispin/minispin/internal/cwasm"
)

// outerImport binds an import of a part to another part's export or, where none
// is to meet it, to what the host has.
func (s *scope) outerImport(imp *binary.Import) (item, error) {
	if it, ok, err := s.partImport(imp); ok {
		return it, err
	}
	return s.hostImport(imp)
}

// hostImport binds an import of a part to what its linker has. What is missing
// is noted and stood in for, so that one run finds everything.
func (s *scope) hostImport(imp *binary.Import) (item, error) {
	name, k := imp.Name.Name, s.k
	switch imp.Desc.Sort {
	case binary.SortInstance:
		t, ok := index(s.types, imp.Desc.Index)
		if !ok || t.instance == nil {
			return item{}, fmt.Errorf("type index %d is not an instance type", imp.Desc.Index)
		}
		iface := k.now.part.Linker.lookup(name)
		in, err := k.bindInstance(t, &hostBinder{k: k, iface: iface, path: name + "#"}, name)
		if err == nil && iface == nil && in.needsHost() {
			k.miss(name, "this host has no such interface")
		}
		return item{sort: binary.SortInstance, inst: in}, err
	case binary.SortFunc:
		t, ok := index(s.types, imp.Desc.Index)
		if !ok || t.fn == nil {
			return item{}, fmt.Errorf("type index %d is not a function type", imp.Desc.Index)
		}
		return item{sort: binary.SortFunc, fn: k.worldBinder().function(name, t.fn)}, nil
	case binary.SortType:
		if imp.Desc.Bound == binary.BoundEq {
			return s.get(binary.SortType, imp.Desc.Index)
		}
		return item{sort: binary.SortType, typ: k.worldBinder().resource(name)}, nil
	case binary.SortCoreModule:
		t, err := s.importedModuleType(imp.Desc)
		if err != nil {
			return item{}, err
		}
		return item{sort: binary.SortCoreModule, module: k.worldBinder().module(name, t)}, nil
	}
	k.miss(name, "the host cannot supply a %s", imp.Desc.Sort)
	return item{}, errCannotSupply
}

// errCannotSupply ends linking at an import of a sort that nothing can stand in
// for.
var errCannotSupply = errors.New("cannot be supplied by a host")

// worldBinder binds what a world imports outside of any interface.
func (k *linking) worldBinder() *hostBinder {
	iface := k.now.part.Linker.lookup("")
	if iface == nil {
		iface = &Interface{}
	}
	return &hostBinder{k: k, iface: iface}
}

// A binder says what the functions and resources are that an instance type only
// declares.
type binder interface {
	// function returns the function of a name and type.
	function(name string, t *abi.Func) *function
	// resource returns the resource type of a name.
	resource(name string) *typ
	// instance returns the instance of a name inside; nil when there is none.
	instance(name string) *instance
	// module returns the core module of a name and type.
	module(name string, t *moduleType) *cwasm.Module
}

// bindInstance runs the declarators of an instance type, t, with what b has.
// name is what the instance is called in the list of missing imports.
func (k *linking) bindInstance(t *typ, b binder, name string) (*instance, error) {
	s := &scope{k: k, parent: t.scope, ci: -1, exports: map[string]item{}}
	for _, d := range t.instance.Decls {
		e, ok := d.(*binary.ExportDecl)
		if !ok {
			if err := s.define(d); err != nil {
				return nil, at(d, err)
			}
			continue
		}
		if err := k.spend(1); err != nil {
			return nil, err
		}
		it, err := s.bindExport(e, b, name)
		if err != nil {
			return nil, at(d, fmt.Errorf("export %q: %w", e.Name.Name, err))
		}
		s.exports[e.Name.Name] = it
		s.add(it)
	}
	return &instance{exports: s.exports}, nil
}

// bindExport runs one export declarator of an instance or component type.
func (s *scope) bindExport(e *binary.ExportDecl, b binder, name string) (item, error) {
	en := e.Name.Name
	it := item{sort: e.Desc.Sort}
	switch e.Desc.Sort {
	case binary.SortFunc:
		ft, ok := index(s.types, e.Desc.Index)
		if !ok || ft.fn == nil {
			return it, fmt.Errorf("type index %d is not a function type", e.Desc.Index)
		}
		it.fn = b.function(en, ft.fn)
	case binary.SortType:
		if e.Desc.Bound == binary.BoundEq {
			return s.get(binary.SortType, e.Desc.Index)
		}
		it.typ = b.resource(en)
	case binary.SortInstance:
		inner, ok := index(s.types, e.Desc.Index)
		if !ok || inner.instance == nil {
			return it, fmt.Errorf("type index %d is not an instance type", e.Desc.Index)
		}
		var within binder = &hostBinder{k: s.k, path: name + "#" + en + "#"}
		if have := b.instance(en); have != nil {
			within = &partBinder{k: s.k, have: have, path: name + "#" + en + "#", title: name + "#" + en}
		}
		var err error
		it.inst, err = s.k.bindInstance(inner, within, name+"#"+en)
		return it, err
	case binary.SortCoreModule:
		t, err := s.importedModuleType(e.Desc)
		if err != nil {
			return it, err
		}
		it.module = b.module(en, t)
	default:
		return it, fmt.Errorf("a host interface cannot supply a %s", e.Desc.Sort)
	}
	return it, nil
}

// needsHost reports whether somebody has to implement the instance: one that
// holds nothing but the names of types needs nobody.
func (in *instance) needsHost() bool {
	for _, it := range in.exports {
		if it.sort != binary.SortType || it.typ.placeholder {
			return true
		}
	}
	return false
}

// hostBinder binds to a host interface. What the interface lacks is missing;
// without an interface it is up to the caller to say so.
type hostBinder struct {
	k     *linking
	iface *Interface // nil: there is none
	path  string     // of the interface, with the separator
}

func (b *hostBinder) function(name string, want *abi.Func) *function {
	f := &function{name: b.path + name, typ: want, host: unlinked}
	if b.iface == nil {
		return f
	}
	h := b.iface.funcs[name]
	if h == nil {
		b.k.miss(b.path+name, "%s has no such function", b.title())
		return f
	}
	if err := abi.EqualFunc(want, h.Type, sameOrMissing); err != nil {
		b.k.miss(b.path+name, "its type is not the host's: %v", err)
		return f
	}
	f.host = h.Call
	return f
}

func (b *hostBinder) resource(name string) *typ {
	if b.iface != nil {
		if r := b.iface.resources[name]; r != nil {
			return &typ{resource: r}
		}
		b.k.miss(b.path+name, "%s has no such resource", b.title())
	}
	return missingType(b.path + name)
}

func (b *hostBinder) instance(name string) *instance {
	b.k.miss(b.path+name, "a host interface has no instances inside")
	return nil
}

func (b *hostBinder) module(name string, want *moduleType) *cwasm.Module {
	if b.iface == nil {
		return b.k.missingModule(want)
	}
	c := b.iface.modules[name]
	if c == nil {
		b.k.miss(b.path+name, "%s has no such core module", b.title())
		return b.k.missingModule(want)
	}
	if c.engine != b.k.main.engine {
		b.k.miss(b.path+name, "the core module %s was compiled by another engine", c.name)
		return b.k.missingModule(want)
	}
	if err := b.k.fits(c.main, want); err != nil {
		b.k.miss(b.path+name, "the core module %s is of another type: %v", c.name, err)
		return b.k.missingModule(want)
	}
	if !slices.Contains(b.k.components, c) {
		b.k.components = append(b.k.components, c)
	}
	return c.main
}

// missingType stands in for a resource type.
func missingType(name string) *typ {
	return &typ{resource: &abi.Resource{Name: name, Data: missingResource{}}, placeholder: true}
}

// missingResource marks a resource type that nobody implements.
type missingResource struct{}

// sameOrMissing keeps functions that only mention a missing resource out of the
// list of what is missing: the resource is in it.
func sameOrMissing(want, have *abi.Resource) bool {
	_, missing := want.Data.(missingResource)
	return missing || want == have
}

func (b *hostBinder) title() string {
	if b.iface.Name == "" {
		return "this host"
	}
	return b.iface.Name + " of this host"
}

// unlinked stands where a missing function would be; linking fails before it
// could run.
func unlinked(*Call, []Raw) error { return errors.New("the import was not linked") }
