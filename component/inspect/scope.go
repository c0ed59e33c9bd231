package inspect

import (
	"fmt"

	"github.com/minispin/minispin/component/binary"
)

// This file runs definitions for their types. Every type index that stands for
// the same type leads to the same *typ, through aliases, imports and exports; so
// a type has one home, the first interface that gives it a name.
//
// Explainer.md, sections Index Spaces and Type Definitions.

// typ is a type with the scope that the indices in its definition refer to.
type typ struct {
	def   binary.DefType // nil for a resource type known by name only
	scope *scope
	home  *face  // the interface that names it, nil while there is none
	name  string // its name there
}

// fun is a component function by its type.
type fun struct{ typ *typ }

// inst is an instance by its exports, in their order.
type inst struct {
	items []item
	index map[string]int
}

func (in *inst) add(it item) {
	if in.index == nil {
		in.index = map[string]int{}
	}
	if _, ok := in.index[it.name.Name]; ok {
		return
	}
	in.index[it.name.Name] = len(in.items)
	in.items = append(in.items, it)
}

// closure is a component, or the type of one, with the scope around it.
type closure struct {
	defs  []binary.Def
	scope *scope
}

// item is one definition, by the name it is imported or exported with.
type item struct {
	name binary.ExternName
	sort binary.Sort
	typ  *typ
	fn   *fun
	inst *inst
	comp *closure
	idle bool // imported for its types only, see used
}

// scope holds the index spaces of the sorts that are not core.
type scope struct {
	run    *running
	parent *scope
	types  []*typ
	funcs  []*fun
	insts  []*inst
	comps  []*closure

	imports, exports inst
	args             map[string]item // of an instantiation; nil for the outermost
	inner            bool            // imports are arguments
}

// running bounds the work: a small component can unfold to a large one.
type running struct{ work int }

const maxWork = 1_000_000

func (r *running) spend(n int) error {
	if r.work += n; r.work > maxWork {
		return fmt.Errorf("it unfolds to more than %d definitions", maxWork)
	}
	return nil
}

func at[T any](space []T, i uint32, sort string) (T, error) {
	if uint64(i) >= uint64(len(space)) {
		var zero T
		return zero, fmt.Errorf("%s index %d is out of range", sort, i)
	}
	return space[i], nil
}

func (s *scope) add(it item) {
	switch it.sort {
	case binary.SortFunc:
		s.funcs = append(s.funcs, it.fn)
	case binary.SortType:
		s.types = append(s.types, it.typ)
	case binary.SortInstance:
		s.insts = append(s.insts, it.inst)
	case binary.SortComponent:
		s.comps = append(s.comps, it.comp)
	}
}

func (s *scope) get(sort binary.Sort, i uint32) (it item, err error) {
	it.sort = sort
	switch sort {
	case binary.SortFunc:
		it.fn, err = at(s.funcs, i, "function")
	case binary.SortType:
		it.typ, err = at(s.types, i, "type")
	case binary.SortInstance:
		it.inst, err = at(s.insts, i, "instance")
	case binary.SortComponent:
		it.comp, err = at(s.comps, i, "component")
	}
	return it, err // core sorts and values have no index space here
}

// define runs definitions in order.
func (s *scope) define(defs []binary.Def) error {
	for _, d := range defs {
		err := s.run.spend(1)
		if err == nil {
			err = s.one(d)
		}
		if err != nil {
			return fmt.Errorf("at byte %#x: %w", d.Pos(), err)
		}
	}
	return nil
}

func (s *scope) one(d binary.Def) error {
	switch d := d.(type) {
	case *binary.TypeDef:
		t := &typ{def: d.Type, scope: s}
		s.types = append(s.types, t)
	case *binary.CanonLift:
		t, err := at(s.types, d.Type, "type")
		if err != nil {
			return err
		}
		s.funcs = append(s.funcs, &fun{t})
	case *binary.NestedComponent:
		s.comps = append(s.comps, &closure{d.Defs, s})
	case *binary.Instantiate:
		return s.instantiate(d)
	case *binary.InlineExports:
		in := &inst{}
		for _, e := range d.Exports {
			it, err := s.get(e.Sort, e.Index)
			if err != nil {
				return err
			}
			it.name = e.Name
			in.add(it)
		}
		s.insts = append(s.insts, in)
		return s.run.spend(len(d.Exports))
	case *binary.AliasExport:
		in, err := at(s.insts, d.Instance, "instance")
		if err != nil {
			return err
		}
		n, ok := in.index[d.Name]
		if !ok || in.items[n].sort != d.Sort {
			return fmt.Errorf("the instance has no %s named %q", d.Sort, d.Name)
		}
		s.add(in.items[n])
	case *binary.AliasOuter:
		from := s
		for range d.Count {
			if from = from.parent; from == nil {
				return fmt.Errorf("an outer alias reaches %d scopes out, beyond the outermost", d.Count)
			}
		}
		it, err := from.get(d.Sort, d.Index)
		if err != nil {
			return err
		}
		s.add(it)
	case *binary.Import:
		return s.importItem(d)
	case *binary.Export:
		it, err := s.get(d.Sort, d.Index)
		if err != nil {
			return err
		}
		it.name = d.Name
		s.exports.add(it)
		s.add(it)
	case *binary.ExportDecl:
		it, err := s.extern(d.Name, d.Desc)
		if err != nil {
			return err
		}
		s.exports.add(it)
		s.add(it)
	}
	return nil // the rest are of core sorts, or values
}

func (s *scope) importItem(d *binary.Import) error {
	if s.inner {
		it, ok := s.args[d.Name.Name]
		if !ok || it.sort != d.Desc.Sort {
			return fmt.Errorf("no argument for the import %q of a nested component", d.Name.Name)
		}
		s.add(it)
		return nil
	}
	it, err := s.extern(d.Name, d.Desc)
	if err != nil {
		return err
	}
	s.imports.add(it)
	s.add(it)
	return nil
}

// extern makes the item that an import or an export declarator describes.
func (s *scope) extern(name binary.ExternName, desc binary.ExternDesc) (item, error) {
	it := item{name: name, sort: desc.Sort}
	if desc.Sort == binary.SortType && desc.Bound == binary.BoundSubResource {
		it.typ = &typ{}
		return it, nil
	}
	switch desc.Sort {
	case binary.SortType, binary.SortFunc, binary.SortInstance, binary.SortComponent:
	default:
		return it, nil
	}
	t, err := at(s.types, desc.Index, "type")
	if err != nil {
		return it, err
	}
	switch desc.Sort {
	case binary.SortType:
		it.typ = t
	case binary.SortFunc:
		it.fn = &fun{t}
	case binary.SortInstance:
		d, ok := t.def.(*binary.InstanceType)
		if !ok {
			return it, fmt.Errorf("%q: type index %d is not an instance type", name.Name, desc.Index)
		}
		in := &scope{run: s.run, parent: t.scope}
		err = in.define(d.Decls)
		it.inst = &in.exports
	case binary.SortComponent:
		d, ok := t.def.(*binary.ComponentType)
		if !ok {
			return it, fmt.Errorf("%q: type index %d is not a component type", name.Name, desc.Index)
		}
		it.comp = &closure{d.Decls, t.scope}
	}
	return it, err
}

func (s *scope) instantiate(d *binary.Instantiate) error {
	c, err := at(s.comps, d.Component, "component")
	if err != nil {
		return err
	}
	in := &scope{run: s.run, parent: c.scope, inner: true, args: map[string]item{}}
	for _, a := range d.Args {
		if in.args[a.Name], err = s.get(a.Sort, a.Index); err != nil {
			return err
		}
	}
	if err := in.define(c.defs); err != nil {
		return err
	}
	s.insts = append(s.insts, &in.exports)
	return s.run.spend(len(d.Args))
}

// runComponent gives what a component imports and exports.
func runComponent(c *binary.Component) (imports, exports []item, err error) {
	s := &scope{run: &running{}}
	err = s.define(c.Defs)
	return s.imports.items, s.exports.items, err
}

// runWorld gives what the worlds of a core module import and export, section by
// section: one interface may be in several.
func runWorld(w *binary.World) (imports, exports []item, err error) {
	r := &running{}
	for _, ws := range w.Sections {
		// Outer aliases count from the section's component.
		outer := &scope{run: r, parent: &scope{run: r}}
		s := &scope{run: r, parent: outer}
		if err := s.define(ws.Type.Decls); err != nil {
			return nil, nil, fmt.Errorf("world %s: %w", ws.Name, err)
		}
		imports = append(imports, s.imports.items...)
		exports = append(exports, s.exports.items...)
	}
	return imports, exports, nil
}
