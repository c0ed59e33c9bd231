package component

import (
	"fmt"

	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/component/binary"
	"github.com/minispin/minispin/internal/cwasm"
)

// This file runs the core half of a component's definitions: what instantiates
// modules, names their exports, and crosses to and from the component level.

// coreInstantiate plans the instantiation of a module.
func (s *scope) coreInstantiate(d *binary.CoreInstantiate) error {
	m, ok := index(s.coreModules, d.Module)
	if !ok {
		return fmt.Errorf("core module index %d is out of range", d.Module)
	}
	info := s.k.info(m)
	args := make(map[string]*coreInstance, len(d.Args))
	for _, a := range d.Args {
		ci, ok := index(s.coreInstances, a.Instance)
		if !ok {
			return fmt.Errorf("core instance index %d is out of range", a.Instance)
		}
		args[a.Name] = ci
	}
	step := cwasm.Step{Module: m, Imports: make([]cwasm.Import, len(info.imports))}
	for i, imp := range info.imports {
		ci := args[imp.Module]
		if ci == nil {
			return fmt.Errorf("a core module imports %q, which its instantiation does not supply", imp.Module)
		}
		it, err := s.k.coreExport(ci, imp.Name)
		if err != nil {
			return fmt.Errorf("core module import %q: %w", imp.Module, err)
		}
		step.Imports[i] = it.asImport()
	}
	s.k.steps = append(s.k.steps, step)
	s.coreInstances = append(s.coreInstances, &coreInstance{
		step: len(s.k.steps) - 1, items: map[string]coreItem{}, exports: info.exports,
	})
	return nil
}

func (it coreItem) asImport() cwasm.Import {
	if it.host >= 0 {
		return cwasm.Import{Kind: cwasm.FromHost, Host: it.host}
	}
	return cwasm.Import{Kind: cwasm.FromSlot, Slot: it.slot}
}

// coreExport finds an export of a core instance; one of an instantiated module
// gets a slot the first time it is asked for.
func (k *linking) coreExport(ci *coreInstance, name string) (coreItem, error) {
	if it, ok := ci.items[name]; ok {
		return it, nil
	}
	if ci.step < 0 {
		return coreItem{}, fmt.Errorf("the core instance has no export %q", name)
	}
	if _, ok := ci.exports[name]; !ok {
		return coreItem{}, fmt.Errorf("the core instance has no export %q", name)
	}
	it := coreItem{slot: k.slot(), host: -1}
	ci.items[name] = it
	st := &k.steps[ci.step]
	st.Fetch = append(st.Fetch, cwasm.Fetch{Export: name, Slot: it.slot})
	return it, nil
}

func (s *scope) coreInline(d *binary.CoreInlineExports) error {
	ci := &coreInstance{step: -1, items: make(map[string]coreItem, len(d.Exports))}
	for _, e := range d.Exports {
		it, err := s.coreGet(e.Sort, e.Index)
		if err != nil {
			return fmt.Errorf("export %q: %w", e.Name, err)
		}
		ci.items[e.Name] = it
	}
	s.coreInstances = append(s.coreInstances, ci)
	return nil
}

// coreGet reads an item from a core index space.
func (s *scope) coreGet(sort binary.Sort, i uint32) (coreItem, error) {
	space := s.coreSpace(sort)
	if space == nil {
		return coreItem{}, fmt.Errorf("a %s cannot stand here", sort)
	}
	it, ok := index(*space, i)
	if !ok {
		return coreItem{}, fmt.Errorf("%s index %d is out of range", sort, i)
	}
	return it, nil
}

func (s *scope) coreSpace(sort binary.Sort) *[]coreItem {
	switch sort {
	case binary.SortCoreFunc:
		return &s.coreFuncs
	case binary.SortCoreTable:
		return &s.coreTables
	case binary.SortCoreMemory:
		return &s.coreMemories
	case binary.SortCoreGlobal:
		return &s.coreGlobals
	}
	return nil
}

func (s *scope) aliasCore(d *binary.AliasCoreExport) error {
	ci, ok := index(s.coreInstances, d.Instance)
	if !ok {
		return fmt.Errorf("core instance index %d is out of range", d.Instance)
	}
	space := s.coreSpace(d.Sort)
	if space == nil {
		return fmt.Errorf("a %s cannot be aliased", d.Sort)
	}
	it, err := s.k.coreExport(ci, d.Name)
	if err != nil {
		return err
	}
	*space = append(*space, it)
	return nil
}

// options resolves canonical options to slots.
func (s *scope) options(o binary.CanonOptions) (canonOptions, error) {
	opts := noOptions
	opts.encoding = encodingOf(o.StringEncoding)
	if o.Async || o.GC || o.Callback.Present {
		return opts, fmt.Errorf("canonical options (async, callback, gc) that this host does not run")
	}
	for _, x := range []struct {
		from binary.OptIndex
		sort binary.Sort
		to   *int
		what string
	}{
		{o.Memory, binary.SortCoreMemory, &opts.memory, "memory"},
		{o.Realloc, binary.SortCoreFunc, &opts.realloc, "realloc"},
		{o.PostReturn, binary.SortCoreFunc, &opts.postReturn, "post-return"},
	} {
		if !x.from.Present {
			continue
		}
		it, err := s.coreGet(x.sort, x.from.Index)
		if err != nil {
			return opts, fmt.Errorf("option %s: %w", x.what, err)
		}
		if it.slot < 0 {
			return opts, fmt.Errorf("option %s: a lowered function cannot serve as one here", x.what)
		}
		*x.to = it.slot
	}
	return opts, nil
}

func encodingOf(e binary.StringEncoding) abi.Encoding {
	switch e {
	case binary.UTF16:
		return abi.UTF16
	case binary.Latin1UTF16:
		return abi.Latin1OrUTF16
	}
	return abi.UTF8
}

// lift makes a component function of a core one.
func (s *scope) lift(d *binary.CanonLift) error {
	core, err := s.coreGet(binary.SortCoreFunc, d.Core)
	if err != nil {
		return err
	}
	t, ok := index(s.types, d.Type)
	if !ok || t.fn == nil {
		return fmt.Errorf("type index %d is not a function type", d.Type)
	}
	opts, err := s.options(d.Options)
	if err != nil {
		return err
	}
	if core.slot < 0 {
		return fmt.Errorf("lifting a lowered function without a module between is not supported")
	}
	s.funcs = append(s.funcs, &function{typ: t.fn, lifted: &lifted{slot: core.slot, opts: opts, ci: s.ci}})
	return nil
}

// lower makes a core function of a component one.
func (s *scope) lower(d *binary.CanonLower) error {
	f, ok := index(s.funcs, d.Func)
	if !ok {
		return fmt.Errorf("func index %d is out of range", d.Func)
	}
	opts, err := s.options(d.Options)
	if err != nil {
		return err
	}
	fn := f.host
	if f.lifted != nil {
		if fn, err = guestToGuest(f); err != nil {
			return err
		}
	}
	s.coreFuncs = append(s.coreFuncs, s.k.lowerHost(f.typ.CoreType(abi.CanonLower), fn, s.ci, opts))
	return nil
}

// lowerHost adds a host function to the plan.
func (k *linking) lowerHost(ct abi.CoreFunc, fn HostFunc, ci int, opts canonOptions) coreItem {
	return coreItem{slot: -1, host: k.host(cwasm.HostImport{
		Type: coreTypes(ct), Func: lowered(fn, ci, opts), MemSlot: opts.memory,
	})}
}

func (s *scope) resourceBuiltin(ti uint32, ct abi.CoreFunc, make func(*ResourceType) HostFunc) error {
	t, ok := index(s.types, ti)
	if !ok || t.resource == nil {
		return fmt.Errorf("type index %d is not a resource type", ti)
	}
	s.coreFuncs = append(s.coreFuncs, s.k.lowerHost(ct, make(t.resource), s.ci, noOptions))
	return nil
}
