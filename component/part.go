package component

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/component/binary"
	"github.com/minispin/minispin/internal/cwasm"
)

// A Part is one of the components that are linked into one InstancePre: each
// meets imports of others by its exports, and has what is left of its own
// imports met by a Linker of its own.
//
// Every part is instantiated once in each Instance, however many others use it.
// Package compose finds out which exports meet which imports.
type Part struct {
	// Name is what errors call the part.
	Name string
	// Component is compiled by the same Engine as those of all other parts.
	Component *Component
	// Linker has the host interfaces that this part may import. Parts may have
	// different ones; a resource type crosses between parts as the same type when
	// both linkers define it by the same ResourceType.
	Linker *Linker
	// Imports says of imports, by their full names, which export of another part
	// meets them. An import that is not in it is the Linker's to meet.
	Imports map[string]PartExport
	// View, when set, makes what host functions called by this part get from
	// Call.Host, of the value that the instance was given. It is called at every
	// Call.Host and should be cheap; what is to last for the instance belongs
	// into the value itself. WASI hosts find their configuration so, and two
	// parts may therefore find different ones.
	View func(host any) any
}

// PartExport is an export of a part.
type PartExport struct {
	Part *Part
	Name string // the export's full name
}

// LinkParts links main with the parts that it uses, and those that they use.
// The result is one plan: instances of it are made, called, reset and closed
// like those of a single component, and export what main exports. Parts are
// instantiated before those that use them.
//
// An import that neither a part nor a linker meets, and an export of another
// type than the import's, is listed in a *MissingImportsError, those of all
// parts together. Parts that use each other in a circle are an error.
//
// Nothing of the guests runs. The result must be closed before the components.
func LinkParts(main *Part) (*InstancePre, error) {
	k := newLinking(main)
	name := main.Component.name
	pre := &InstancePre{
		name: name, watch: &main.Component.engine.watch, initialize: -1,
		funcs:   map[string]*ExportFunc{},
		exports: map[string]map[string]*ExportFunc{},
		modules: map[string]*Component{},
		core:    map[string]int{},
	}
	err := k.runMain(pre, main)
	defer k.closeForwards()
	if len(k.missing) > 0 && (err == nil || errors.Is(err, errCannotSupply)) {
		return nil, &MissingImportsError{Component: name, Imports: k.missing}
	}
	if err == nil {
		err = k.finish(pre)
	}
	if err != nil {
		return nil, fmt.Errorf("component %s: link: %w", name, err)
	}
	return pre, nil
}

func newLinking(main *Part) *linking {
	return &linking{
		mainPart: main, main: main.Component, keepShims: main.Linker.keepShims,
		runs: map[*Part]*partRun{}, called: map[int]bool{},
	}
}

// partRun is the abstract run of one part.
type partRun struct {
	part    *Part
	done    bool
	ci      int             // the part's own component instance
	exports map[string]item // when it is done
	initial int             // slot of a core module's _initialize, or -1
	core    map[string]int  // slots of core exports that can be called
}

// runMain runs the main part and makes its exports callable.
func (k *linking) runMain(pre *InstancePre, main *Part) error {
	r, err := k.run(main)
	if err != nil {
		return err
	}
	pre.main, pre.initialize = r.ci, r.initial
	maps.Copy(pre.core, r.core)
	for name, it := range r.exports {
		if err := k.exportItem(pre, name, it); err != nil {
			return err
		}
	}
	return nil
}

// run runs a part, and before it the parts that it uses.
func (k *linking) run(p *Part) (*partRun, error) {
	if r := k.runs[p]; r != nil {
		if !r.done {
			return nil, errors.New("it uses itself, by way of others or at once")
		}
		return r, nil
	}
	if p.Component.engine != k.main.engine {
		return nil, fmt.Errorf("%s was compiled by another engine", p.Component.name)
	}
	r := &partRun{part: p, initial: -1, core: map[string]int{}}
	k.runs[p] = r
	for _, imp := range slices.Sorted(maps.Keys(p.Imports)) {
		from := p.Imports[imp]
		used, err := k.run(from.Part)
		if err != nil {
			return nil, fmt.Errorf("import %s, met by %s: %w", imp, from.Part.Name, err)
		}
		if _, ok := used.exports[from.Name]; !ok {
			return nil, fmt.Errorf("import %s: %s does not export %s", imp, from.Part.Name, from.Name)
		}
	}
	k.now = r
	k.components = append(k.components, p.Component)
	var err error
	if r.ci, err = k.newInstance(-1); err != nil {
		return nil, err
	}
	if p.Component.def == nil {
		err = k.linkModule(r)
	} else {
		err = k.linkComponent(r)
	}
	if err != nil {
		return nil, err
	}
	if p != k.mainPart && r.initial >= 0 {
		if err := k.starter(r.initial); err != nil {
			return nil, err
		}
	}
	r.done = true
	return r, nil
}

// partImport binds an import to an export of another part. ok is false when no
// part meets it.
func (s *scope) partImport(imp *binary.Import) (it item, ok bool, err error) {
	name, k := imp.Name.Name, s.k
	from, ok := k.now.part.Imports[name]
	if !ok {
		return item{}, false, nil
	}
	it = k.runs[from.Part].exports[from.Name]
	if it.sort != imp.Desc.Sort {
		k.miss(name, "the export %s of %s is of the sort %s, the import of the sort %s", from.Name, from.Part.Name, it.sort, imp.Desc.Sort)
		return item{}, true, errCannotSupply
	}
	title := fmt.Sprintf("the export %s of %s", from.Name, from.Part.Name)
	switch it.sort {
	case binary.SortInstance:
		t, ok := index(s.types, imp.Desc.Index)
		if !ok || t.instance == nil {
			return item{}, true, fmt.Errorf("type index %d is not an instance type", imp.Desc.Index)
		}
		in, err := k.bindInstance(t, &partBinder{k: k, have: it.inst, path: name + "#", title: title}, name)
		return item{sort: binary.SortInstance, inst: in}, true, err
	case binary.SortFunc:
		t, ok := index(s.types, imp.Desc.Index)
		if !ok || t.fn == nil {
			return item{}, true, fmt.Errorf("type index %d is not a function type", imp.Desc.Index)
		}
		b := &partBinder{k: k, have: &instance{exports: map[string]item{name: it}}, title: title}
		return item{sort: binary.SortFunc, fn: b.function(name, t.fn)}, true, nil
	case binary.SortCoreModule:
		t, err := s.importedModuleType(imp.Desc)
		if err != nil {
			return item{}, true, err
		}
		b := &partBinder{k: k, have: &instance{exports: map[string]item{name: it}}, title: title}
		return item{sort: binary.SortCoreModule, module: b.module(name, t)}, true, nil
	}
	return it, true, nil
}

// partBinder binds what an import declares to an instance that another part
// exports.
type partBinder struct {
	k           *linking
	have        *instance
	path, title string
}

func (b *partBinder) function(name string, want *abi.Func) *function {
	f := &function{name: b.path + name, typ: want, host: unlinked}
	it, ok := b.have.exports[name]
	if !ok || it.sort != binary.SortFunc {
		b.k.miss(b.path+name, "%s has no such function", b.title)
		return f
	}
	if err := abi.EqualFunc(want, it.fn.typ, sameOrMissing); err != nil {
		b.k.miss(b.path+name, "the type in %s is another: %v", b.title, err)
		return f
	}
	return it.fn
}

func (b *partBinder) resource(name string) *typ {
	if it, ok := b.have.exports[name]; ok && it.sort == binary.SortType && it.typ.resource != nil {
		return it.typ
	}
	b.k.miss(b.path+name, "%s has no such resource", b.title)
	return missingType(b.path + name)
}

func (b *partBinder) instance(name string) *instance {
	if it, ok := b.have.exports[name]; ok && it.sort == binary.SortInstance {
		return it.inst
	}
	b.k.miss(b.path+name, "%s has no such instance", b.title)
	return nil
}

func (b *partBinder) module(name string, want *moduleType) *cwasm.Module {
	it, ok := b.have.exports[name]
	if !ok || it.sort != binary.SortCoreModule {
		b.k.miss(b.path+name, "%s has no such core module", b.title)
		return b.k.missingModule(want)
	}
	if err := b.k.fits(it.module, want); err != nil {
		b.k.miss(b.path+name, "the core module of %s is of another type: %v", b.title, err)
		return b.k.missingModule(want)
	}
	return it.module
}

// starter plans a call of a function without parameters and results, for what a
// core module asks to have called before anything else of it.
func (k *linking) starter(slot int) error {
	m, err := k.compileHere([]byte("\x00asm\x01\x00\x00\x00" +
		"\x01\x04\x01\x60\x00\x00" + // type 0: (func)
		"\x02\x05\x01\x00\x00\x00\x00" + // import "" "" (func (type 0))
		"\x08\x01\x00")) // start 0
	if err != nil {
		return fmt.Errorf("call _initialize: %w", err)
	}
	k.steps = append(k.steps, cwasm.Step{Module: m, Imports: []cwasm.Import{{Kind: cwasm.FromSlot, Slot: slot}}})
	return nil
}
