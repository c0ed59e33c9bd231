package component

import (
	"errors"
	"fmt"

	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/component/binary"
	"github.com/minispin/minispin/internal/cwasm"
)

// scope holds the index spaces of one component instance, or of one component
// or instance type, while its definitions are run.
//
// Explainer.md, section Index Spaces.
type scope struct {
	k      *linking
	parent *scope
	ci     int // component instance, for handle tables; -1 in a type

	coreFuncs     []coreItem
	coreTables    []coreItem
	coreMemories  []coreItem
	coreGlobals   []coreItem
	coreModules   []*cwasm.Module
	coreInstances []*coreInstance
	coreTypes     []*coreType
	funcs         []*function
	types         []*typ
	components    []*closure
	instances     []*instance

	exports map[string]item
}

// coreItem is a core function, table, memory or global with its type: a slot of
// the plan, or a host function. The unused one is negative.
type coreItem struct {
	slot, host int
	typ        cwasm.ExternType
}

// coreInstance is an instantiated module, by step, or a bundle of items.
type coreInstance struct {
	step    int // -1 for a bundle
	items   map[string]coreItem
	exports map[string]cwasm.ExternType // of the module
}

// function is a component function: the host's, or a guest's lifted one.
type function struct {
	name   string
	typ    *abi.Func
	host   HostFunc
	lifted *lifted
}

type lifted struct {
	slot int
	opts canonOptions
	ci   int
}

// typ is what a type index stands for; one of the pointers is set.
type typ struct {
	val      *abi.Type
	fn       *abi.Func
	resource *abi.Resource
	instance *binary.InstanceType // with scope
	comp     *binary.ComponentType
	scope    *scope

	placeholder bool // a resource that nobody implements
}

// closure is a component with the scope its outer aliases refer to.
type closure struct {
	def   *binary.Component
	scope *scope
}

type instance struct{ exports map[string]item }

// item is one definition of any sort, as it is imported, exported or aliased.
type item struct {
	sort   binary.Sort
	fn     *function
	typ    *typ
	inst   *instance
	comp   *closure
	module *cwasm.Module
}

// enter opens the scope of a new component instance. outer is the scope that
// its outer aliases reach, parent the component instance that makes it.
func (k *linking) enter(outer *scope, parent int) (*scope, error) {
	ci, err := k.newInstance(parent)
	if err != nil {
		return nil, err
	}
	return &scope{k: k, parent: outer, ci: ci, exports: map[string]item{}}, nil
}

// newInstance numbers a component instance of the part that is run.
func (k *linking) newInstance(parent int) (int, error) {
	if len(k.parents) == maxComponentInstances {
		return 0, fmt.Errorf("it consists of more than %d component instances", maxComponentInstances)
	}
	k.parents = append(k.parents, parent)
	k.views = append(k.views, k.now.part.View)
	return len(k.parents) - 1, nil
}

// add appends an item to the index space of its sort.
func (s *scope) add(it item) {
	switch it.sort {
	case binary.SortFunc:
		s.funcs = append(s.funcs, it.fn)
	case binary.SortType:
		s.types = append(s.types, it.typ)
	case binary.SortInstance:
		s.instances = append(s.instances, it.inst)
	case binary.SortComponent:
		s.components = append(s.components, it.comp)
	case binary.SortCoreModule:
		s.coreModules = append(s.coreModules, it.module)
	}
}

// get reads an item from the index space of a sort.
func (s *scope) get(sort binary.Sort, i uint32) (item, error) {
	it := item{sort: sort}
	var ok bool
	switch sort {
	case binary.SortFunc:
		it.fn, ok = index(s.funcs, i)
	case binary.SortType:
		it.typ, ok = index(s.types, i)
	case binary.SortInstance:
		it.inst, ok = index(s.instances, i)
	case binary.SortComponent:
		it.comp, ok = index(s.components, i)
	case binary.SortCoreModule:
		it.module, ok = index(s.coreModules, i)
	default:
		return it, fmt.Errorf("a %s cannot stand here", sort)
	}
	if !ok {
		return it, fmt.Errorf("%s index %d is out of range", sort, i)
	}
	return it, nil
}

func index[T any](space []T, i uint32) (T, bool) {
	if uint64(i) >= uint64(len(space)) {
		var zero T
		return zero, false
	}
	return space[i], true
}

// define runs one definition.
func (s *scope) define(d binary.Def) error {
	if err := s.k.spend(1); err != nil {
		return err
	}
	switch d := d.(type) {
	case *binary.CoreModule:
		s.coreModules = append(s.coreModules, s.k.now.part.Component.module(d))
		return nil
	case *binary.CoreInstantiate:
		return s.coreInstantiate(d)
	case *binary.CoreInlineExports:
		return s.coreInline(d)
	case *binary.CoreTypeDef:
		s.coreTypes = appendCoreTypes(s.coreTypes, d, s)
		return nil
	case *binary.NestedComponent:
		s.components = append(s.components, &closure{def: d.Component, scope: s})
		return nil
	case *binary.Instantiate:
		return s.instantiate(d)
	case *binary.InlineExports:
		return s.inline(d)
	case *binary.AliasExport:
		return s.aliasExport(d)
	case *binary.AliasCoreExport:
		return s.aliasCore(d)
	case *binary.AliasOuter:
		return s.aliasOuter(d)
	case *binary.TypeDef:
		t, err := s.typeDef(d.Type)
		if err != nil {
			return err
		}
		s.types = append(s.types, t)
		return nil
	case *binary.CanonLift:
		return s.lift(d)
	case *binary.CanonLower:
		return s.lower(d)
	case *binary.CanonResourceNew:
		return s.resourceBuiltin(d.Resource, resourceNew)
	case *binary.CanonResourceRep:
		return s.resourceBuiltin(d.Resource, resourceRep)
	case *binary.CanonResourceDrop:
		return s.resourceBuiltin(d.Resource, resourceDrop)
	case *binary.CanonBuiltin:
		return fmt.Errorf("the built-in %s is not run by this host", d.Kind)
	case *binary.Export:
		it, err := s.get(d.Sort, d.Index)
		if err != nil {
			return fmt.Errorf("export %q: %w", d.Name.Name, err)
		}
		nameResource(it, d.Name.Name)
		s.exports[d.Name.Name] = it
		s.add(it)
		return nil
	case *binary.Start:
		return errors.New("it has a start function of its own, an experimental feature of components that this host does not run; start functions of its core modules are")
	case *binary.Value:
		return errors.New("it has component values, an experimental feature of components that this host does not run")
	}
	return fmt.Errorf("a definition (%T) that this host does not know", d)
}

var i32 = []abi.CoreType{abi.I32}

// nameResource calls a resource type of the component by the name it is first
// exported under.
func nameResource(it item, name string) {
	if it.sort != binary.SortType || it.typ.resource == nil {
		return
	}
	if g := guestResourceOf(it.typ.resource); g != nil && !g.named {
		it.typ.resource.Name, g.named = name, true
	}
}

// instantiate runs a nested component with its arguments.
func (s *scope) instantiate(d *binary.Instantiate) error {
	c, ok := index(s.components, d.Component)
	if !ok {
		return fmt.Errorf("component index %d is out of range", d.Component)
	}
	if err := s.k.spend(len(d.Args)); err != nil {
		return err
	}
	args := make(map[string]item, len(d.Args))
	for _, a := range d.Args {
		it, err := s.get(a.Sort, a.Index)
		if err != nil {
			return fmt.Errorf("argument %q: %w", a.Name, err)
		}
		args[a.Name] = it
	}
	inner, err := s.k.enter(c.scope, s.ci)
	if err != nil {
		return err
	}
	for _, def := range c.def.Defs {
		if imp, ok := def.(*binary.Import); ok {
			it, ok := args[imp.Name.Name]
			if !ok {
				return at(def, fmt.Errorf("no argument for the import %q of a nested component", imp.Name.Name))
			}
			if it.sort != imp.Desc.Sort {
				return at(def, fmt.Errorf("the import %q of a nested component is a %s, its argument a %s", imp.Name.Name, imp.Desc.Sort, it.sort))
			}
			inner.add(it)
			continue
		}
		if err := inner.define(def); err != nil {
			return at(def, err)
		}
	}
	s.instances = append(s.instances, &instance{exports: inner.exports})
	return nil
}

func (s *scope) inline(d *binary.InlineExports) error {
	if err := s.k.spend(len(d.Exports)); err != nil {
		return err
	}
	in := &instance{exports: make(map[string]item, len(d.Exports))}
	for _, e := range d.Exports {
		it, err := s.get(e.Sort, e.Index)
		if err != nil {
			return fmt.Errorf("export %q: %w", e.Name.Name, err)
		}
		in.exports[e.Name.Name] = it
	}
	s.instances = append(s.instances, in)
	return nil
}

func (s *scope) aliasExport(d *binary.AliasExport) error {
	in, ok := index(s.instances, d.Instance)
	if !ok {
		return fmt.Errorf("instance index %d is out of range", d.Instance)
	}
	it, ok := in.exports[d.Name]
	if !ok || it.sort != d.Sort {
		return fmt.Errorf("the instance has no %s named %q", d.Sort, d.Name)
	}
	s.add(it)
	return nil
}

func (s *scope) aliasOuter(d *binary.AliasOuter) error {
	from := s
	for range d.Count {
		if from = from.parent; from == nil {
			return fmt.Errorf("an outer alias reaches %d scopes out, beyond the outermost", d.Count)
		}
	}
	if d.Sort == binary.SortCoreType {
		t, ok := index(from.coreTypes, d.Index)
		if !ok {
			return fmt.Errorf("outer alias: core type index %d is out of range", d.Index)
		}
		s.coreTypes = append(s.coreTypes, t)
		return nil
	}
	it, err := from.get(d.Sort, d.Index)
	if err != nil {
		return fmt.Errorf("outer alias: %w", err)
	}
	s.add(it)
	return nil
}
