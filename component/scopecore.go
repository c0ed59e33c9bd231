package component

import (
	"errors"
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
	if err := s.k.spend(len(info.imports) + len(d.Args)); err != nil {
		return err
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
	typ, ok := ci.exports[name]
	if !ok {
		return coreItem{}, fmt.Errorf("the core instance has no export %q", name)
	}
	it := coreItem{slot: k.slot(), host: -1, typ: typ}
	ci.items[name] = it
	st := &k.steps[ci.step]
	st.Fetch = append(st.Fetch, cwasm.Fetch{Export: name, Slot: it.slot})
	return it, nil
}

func (s *scope) coreInline(d *binary.CoreInlineExports) error {
	if err := s.k.spend(len(d.Exports)); err != nil {
		return err
	}
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
	if want := externKinds[d.Sort]; it.typ.Kind != want {
		return fmt.Errorf("the export %q of the core instance is a %v, not a %v", d.Name, it.typ.Kind, want)
	}
	*space = append(*space, it)
	return nil
}

var externKinds = map[binary.Sort]cwasm.ExternKind{
	binary.SortCoreFunc:   cwasm.ExternFunc,
	binary.SortCoreTable:  cwasm.ExternTable,
	binary.SortCoreMemory: cwasm.ExternMemory,
	binary.SortCoreGlobal: cwasm.ExternGlobal,
}

// hasType reports whether the item is a function of the given type. Functions
// are called without a check by the engine, so that every one which is to be
// called from here has to be checked when it is linked: a reference among its
// parameters would let the caller's bits be taken for an address.
func (it coreItem) hasType(want cwasm.FuncType) bool {
	return it.typ.Kind == cwasm.ExternFunc && it.typ.Func.Equal(want)
}

// callable gives the slot of a core function that is to be called with the type
// want; what names its role for errors.
func (k *linking) callable(it coreItem, want cwasm.FuncType, what string) (int, error) {
	if !it.hasType(want) {
		return -1, fmt.Errorf("%s must have the core type %v, it has %v", what, want, it.typ.Func)
	}
	if it.slot >= 0 {
		k.called[it.slot] = true
		return it.slot, nil
	}
	return k.forward(it)
}

var (
	reallocType = coreTypes(abi.CoreFunc{Params: []abi.CoreType{abi.I32, abi.I32, abi.I32, abi.I32}, Results: i32})
	dtorType    = coreTypes(abi.CoreFunc{Params: i32})
	actionType  = cwasm.FuncType{} // neither parameters nor results
)

// options resolves canonical options to slots. post is the type that a
// post-return function must have.
func (s *scope) options(o binary.CanonOptions, post cwasm.FuncType) (canonOptions, error) {
	opts := noOptions
	opts.encoding = encodingOf(o.StringEncoding)
	if o.Async || o.GC || o.Callback.Present {
		return opts, fmt.Errorf("canonical options (async, callback, gc) that this host does not run")
	}
	if o.Memory.Present {
		it, err := s.coreGet(binary.SortCoreMemory, o.Memory.Index)
		if err != nil {
			return opts, fmt.Errorf("option memory: %w", err)
		}
		opts.memory = it.slot
	}
	for _, x := range []struct {
		from binary.OptIndex
		typ  cwasm.FuncType
		to   *int
		what string
	}{
		{o.Realloc, reallocType, &opts.realloc, "a realloc function"},
		{o.PostReturn, post, &opts.postReturn, "the post-return function"},
	} {
		if !x.from.Present {
			continue
		}
		it, err := s.coreGet(binary.SortCoreFunc, x.from.Index)
		if err != nil {
			return opts, fmt.Errorf("%s: %w", x.what, err)
		}
		if *x.to, err = s.k.callable(it, x.typ, x.what); err != nil {
			return opts, err
		}
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
	ct := coreTypes(t.fn.CoreType(abi.CanonLift))
	opts, err := s.options(d.Options, cwasm.FuncType{Params: ct.Results})
	if err != nil {
		return err
	}
	slot, err := s.k.callable(core, ct, "the lifted function")
	if err != nil {
		return fmt.Errorf("lift to %s: %w", t.fn, err)
	}
	s.funcs = append(s.funcs, &function{typ: t.fn, lifted: &lifted{slot: slot, opts: opts, ci: s.ci}})
	return nil
}

// lower makes a core function of a component one.
func (s *scope) lower(d *binary.CanonLower) error {
	f, ok := index(s.funcs, d.Func)
	if !ok {
		return fmt.Errorf("func index %d is out of range", d.Func)
	}
	if d.Options.PostReturn.Present {
		return errors.New("a lowered function cannot have a post-return option")
	}
	opts, err := s.options(d.Options, actionType)
	if err != nil {
		return err
	}
	fn := f.host
	if f.lifted != nil {
		if fn, err = s.k.guestToGuest(f, s.ci); err != nil {
			return err
		}
	}
	it := s.k.lowerHost(f.typ.CoreType(abi.CanonLower), fn, s.ci, opts)
	if f.lifted == nil {
		s.k.nameHost(it.host, f.name)
	} else {
		s.k.nameHost(it.host, "another component's "+f.name)
	}
	s.coreFuncs = append(s.coreFuncs, it)
	return nil
}

// lowerHost adds a host function to the plan.
func (k *linking) lowerHost(ct abi.CoreFunc, fn HostFunc, ci int, opts canonOptions) coreItem {
	return k.hostItem(cwasm.HostImport{Type: coreTypes(ct), Func: lowered(fn, ci, opts), MemSlot: opts.memory})
}

func (k *linking) hostItem(h cwasm.HostImport) coreItem {
	return coreItem{slot: -1, host: k.host(h), typ: cwasm.ExternType{Kind: cwasm.ExternFunc, Func: &h.Type}}
}

func (s *scope) resourceBuiltin(ti uint32, b builtin) error {
	t, ok := index(s.types, ti)
	if !ok || t.resource == nil {
		return fmt.Errorf("type index %d is not a resource type", ti)
	}
	if g := guestResourceOf(t.resource); b != resourceDrop && (g == nil || g.owner != s.ci) {
		return fmt.Errorf("type index %d is not a resource type that this component defines", ti)
	}
	s.coreFuncs = append(s.coreFuncs, s.k.lowerBuiltin(b, t.resource, s.ci))
	return nil
}
