package component

import (
	"errors"
	"fmt"

	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/component/binary"
)

// hostImport binds an import of the outermost component to what the host has.
// What is missing is noted and stood in for, so that one run finds everything.
func (s *scope) hostImport(imp *binary.Import) (item, error) {
	name, k := imp.Name.Name, s.k
	switch imp.Desc.Sort {
	case binary.SortInstance:
		t, ok := index(s.types, imp.Desc.Index)
		if !ok || t.instance == nil {
			return item{}, fmt.Errorf("type index %d is not an instance type", imp.Desc.Index)
		}
		iface := k.linker.lookup(name)
		in, err := k.bindInstance(t, iface, name)
		if err == nil && iface == nil && in.needsHost() {
			k.miss(name, "this host has no such interface")
		}
		return item{sort: binary.SortInstance, inst: in}, err
	case binary.SortFunc:
		t, ok := index(s.types, imp.Desc.Index)
		if !ok || t.fn == nil {
			return item{}, fmt.Errorf("type index %d is not a function type", imp.Desc.Index)
		}
		return item{sort: binary.SortFunc, fn: k.bindFunc(k.linker.lookup(""), name, name, t.fn)}, nil
	case binary.SortType:
		if imp.Desc.Bound == binary.BoundEq {
			return s.get(binary.SortType, imp.Desc.Index)
		}
		return item{sort: binary.SortType, typ: &typ{resource: k.bindResource(k.linker.lookup(""), name, name)}}, nil
	}
	k.miss(name, "the host cannot supply a %s", imp.Desc.Sort)
	return item{}, errors.New("cannot be supplied by a host")
}

// bindInstance runs the declarators of an instance type with a host interface
// standing for the instance; iface is nil when there is none.
func (k *linking) bindInstance(t *typ, iface *Interface, name string) (*instance, error) {
	s := &scope{k: k, parent: t.scope, exports: map[string]item{}}
	for _, d := range t.instance.Decls {
		e, ok := d.(*binary.ExportDecl)
		if !ok {
			if err := s.define(d); err != nil {
				return nil, at(d, err)
			}
			continue
		}
		en := e.Name.Name
		it := item{sort: e.Desc.Sort}
		switch e.Desc.Sort {
		case binary.SortFunc:
			ft, ok := index(s.types, e.Desc.Index)
			if !ok || ft.fn == nil {
				return nil, at(d, fmt.Errorf("export %q: type index %d is not a function type", en, e.Desc.Index))
			}
			it.fn = k.bindFunc(iface, en, name+"#"+en, ft.fn)
		case binary.SortType:
			if e.Desc.Bound == binary.BoundEq {
				var err error
				if it, err = s.get(binary.SortType, e.Desc.Index); err != nil {
					return nil, at(d, err)
				}
			} else {
				it.typ = &typ{resource: k.bindResource(iface, en, name+"#"+en), placeholder: iface == nil}
			}
		case binary.SortInstance:
			it2, ok := index(s.types, e.Desc.Index)
			if !ok || it2.instance == nil {
				return nil, at(d, fmt.Errorf("export %q: type index %d is not an instance type", en, e.Desc.Index))
			}
			k.miss(name+"#"+en, "a host interface has no instances inside")
			in, err := k.bindInstance(it2, nil, name+"#"+en)
			if err != nil {
				return nil, err
			}
			it.inst = in
		default:
			return nil, at(d, fmt.Errorf("export %q: a host interface cannot supply a %s", en, e.Desc.Sort))
		}
		s.exports[en] = it
		s.add(it)
	}
	return &instance{exports: s.exports}, nil
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

// bindFunc finds a host function and checks that its type is the imported one.
func (k *linking) bindFunc(iface *Interface, name, path string, want *abi.Func) *function {
	f := &function{name: path, typ: want, host: unlinked}
	if iface == nil {
		if path == name { // a function of the world: no interface was looked for
			k.miss(path, "this host has no such function")
		}
		return f
	}
	h := iface.funcs[name]
	if h == nil {
		k.miss(path, "%s of this host has no such function", iface.Name)
		return f
	}
	if err := abi.EqualFunc(want, h.Type, nil); err != nil {
		k.miss(path, "its type is not the host's: %v", err)
		return f
	}
	f.host = h.Call
	return f
}

func (k *linking) bindResource(iface *Interface, name, path string) *abi.Resource {
	if iface != nil {
		if r := iface.resources[name]; r != nil {
			return r
		}
		k.miss(path, "%s of this host has no such resource", iface.Name)
	} else if path == name {
		k.miss(path, "this host has no such resource")
	}
	return &abi.Resource{Name: path}
}

// unlinked stands where a missing function would be; linking fails before it
// could run.
func unlinked(*Call, []Raw) error { return errors.New("the import was not linked") }
