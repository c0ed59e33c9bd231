package component

import (
	"fmt"
	"strings"

	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/component/binary"
	"github.com/minispin/minispin/internal/cwasm"
)

// This file links a core module as it stands before it is made into a
// component. Its component-type sections give the types of its world; the names
// of its core imports and exports say which function of the world each is.
// BuildTargets.md of the component model describes these names.

// Names of core exports that belong to the convention and not to the world.
const (
	memoryExport     = "memory"
	reallocExport    = "cabi_realloc"
	initializeExport = "_initialize"
	startExport      = "_start"
	postReturnPrefix = "cabi_post_"

	resourceDropPrefix = "[resource-drop]"
	resourceNewPrefix  = "[resource-new]"
	resourceRepPrefix  = "[resource-rep]"
	exportPrefix       = "[export]"
	worldModule        = "$root"
)

// moduleLinking is the linking of one core module.
type moduleLinking struct {
	k    *linking
	step int
	ci   int
	core *coreInstance
	opts canonOptions

	// What the world's sections say, by the name of the interface, "" for the
	// world itself.
	imports map[string]map[string]moduleItem
	exports map[string]map[string]moduleItem
	missing map[string]string // of all the world's imports, reason by path
}

// moduleItem is an item of the world with the string encoding of its section.
type moduleItem struct {
	item
	encoding abi.Encoding
}

func (k *linking) linkModule(r *partRun) error {
	c := r.part.Component
	info := k.info(c.main)
	step := len(k.steps)
	k.steps = append(k.steps, cwasm.Step{Module: c.main})
	m := &moduleLinking{
		k: k, step: step, ci: r.ci,
		core:    &coreInstance{step: step, items: map[string]coreItem{}, exports: info.exports},
		imports: map[string]map[string]moduleItem{},
		exports: map[string]map[string]moduleItem{},
		missing: map[string]string{},
	}
	m.opts = canonOptions{memory: m.memory(), realloc: m.slot(reallocExport, reallocType), postReturn: -1}
	earlier := k.missing
	k.missing = nil
	for _, s := range c.world.Sections {
		if err := m.section(s); err != nil {
			return fmt.Errorf("world %s: %w", s.Name, err)
		}
	}
	for _, miss := range k.missing {
		m.missing[miss.Name] = miss.Reason
	}
	k.missing = earlier // a world lists more than the module uses
	imports := make([]cwasm.Import, len(info.imports))
	for i, imp := range info.imports {
		it, ok := m.bindImport(imp.Module, imp.Name)
		if ok {
			k.nameHost(it.host, imp.Module+"#"+imp.Name)
			imports[i] = it.asImport()
		}
	}
	k.steps[step].Imports = imports
	var err error
	if r.exports, err = m.bindExports(); err != nil {
		return err
	}
	r.initial = m.slot(initializeExport, actionType)
	if s := m.slot(startExport, actionType); s >= 0 {
		r.core[startExport] = s
	}
	return nil
}

// slot returns the slot of an exported function of the module, or -1 when there
// is none of that name and type.
func (m *moduleLinking) slot(name string, want cwasm.FuncType) int {
	if t, ok := m.core.exports[name]; !ok || !(coreItem{typ: t}).hasType(want) {
		return -1
	}
	it, err := m.k.coreExport(m.core, name)
	if err != nil {
		return -1
	}
	return it.slot
}

// memory returns the slot of the module's memory, or -1.
func (m *moduleLinking) memory() int {
	if m.core.exports[memoryExport].Memory == nil {
		return -1
	}
	it, err := m.k.coreExport(m.core, memoryExport)
	if err != nil {
		return -1
	}
	return it.slot
}

// section runs the types of one component-type section.
func (m *moduleLinking) section(ws *binary.WorldSection) error {
	if err := refuseForms(ws.Component); err != nil {
		return err
	}
	outermost := &scope{k: m.k, ci: -1, exports: map[string]item{}}
	middle := &scope{k: m.k, ci: -1, parent: outermost, exports: map[string]item{}}
	s := &scope{k: m.k, ci: -1, parent: middle, exports: map[string]item{}}
	enc := encodingOf(ws.StringEncoding)
	for _, d := range ws.Type.Decls {
		switch d := d.(type) {
		case *binary.Import:
			it, err := s.outerImport(d)
			if err != nil {
				return at(d, err)
			}
			s.add(it)
			m.record(m.imports, d.Name.Name, it, enc)
		case *binary.ExportDecl:
			it, err := m.export(s, d)
			if err != nil {
				return at(d, err)
			}
			s.add(it)
			m.record(m.exports, d.Name.Name, it, enc)
		default:
			if err := s.define(d); err != nil {
				return at(d, err)
			}
		}
	}
	return nil
}

// record files an item of the world under its interface.
func (m *moduleLinking) record(to map[string]map[string]moduleItem, name string, it item, enc abi.Encoding) {
	put := func(iface, name string, it item) {
		if to[iface] == nil {
			to[iface] = map[string]moduleItem{}
		}
		if _, ok := to[iface][name]; !ok {
			to[iface][name] = moduleItem{it, enc}
		}
	}
	if it.sort != binary.SortInstance {
		put("", name, it)
		return
	}
	for n, x := range it.inst.exports {
		put(name, n, x)
	}
}

// export runs an export of the world: functions are the module's, resources of
// its own making.
func (m *moduleLinking) export(s *scope, d *binary.ExportDecl) (item, error) {
	name := d.Name.Name
	if d.Desc.Sort != binary.SortInstance {
		return s.bindExport(d, &moduleBinder{m: m}, name)
	}
	t, ok := index(s.types, d.Desc.Index)
	if !ok || t.instance == nil {
		return item{}, fmt.Errorf("export %q: type index %d is not an instance type", name, d.Desc.Index)
	}
	in, err := m.k.bindInstance(t, &moduleBinder{m: m, prefix: name + "#", known: m.exports[name]}, name)
	return item{sort: binary.SortInstance, inst: in}, err
}

// moduleBinder binds what a world exports to the module's core exports.
type moduleBinder struct {
	m      *moduleLinking
	prefix string
	known  map[string]moduleItem // of an earlier section
}

func (b *moduleBinder) function(name string, t *abi.Func) *function {
	full := b.prefix + name
	ct := coreTypes(t.CoreType(abi.CanonLift))
	opts := b.m.opts
	opts.postReturn = b.m.slot(postReturnPrefix+full, cwasm.FuncType{Params: ct.Results})
	return &function{name: full, typ: t, lifted: &lifted{slot: b.m.slot(full, ct), opts: opts, ci: b.m.ci}}
}

func (b *moduleBinder) instance(name string) *instance {
	b.m.k.miss(b.prefix+name, "a core module exports no instances inside of others")
	return nil
}

func (b *moduleBinder) module(name string, want *moduleType) *cwasm.Module {
	b.m.k.miss(b.prefix+name, "a core module exports no core modules")
	return b.m.k.missingModule(want)
}

func (b *moduleBinder) resource(name string) *typ {
	if it, ok := b.known[name]; ok && it.sort == binary.SortType {
		return it.typ
	}
	return &typ{resource: &abi.Resource{
		Name: b.prefix + name,
		Data: &guestResource{owner: b.m.ci, dtor: b.m.slot(b.prefix+"[dtor]"+name, dtorType), named: true},
	}}
}

// bindImport finds what a core import stands for. When it is missing that is
// noted and ok is false.
func (m *moduleLinking) bindImport(module, name string) (coreItem, bool) {
	if c := m.k.now.part.Linker.core[module]; c != nil {
		for i := range c.Funcs {
			if f := &c.Funcs[i]; f.Name == name {
				return m.k.lowerHost(abi.CoreFunc{Params: f.Params, Results: f.Results}, f.Call, m.ci, m.opts), true
			}
		}
		m.k.miss(module+"#"+name, "%s of this host has no such function", module)
		return coreItem{}, false
	}
	iface, items := module, m.imports
	if in, ok := strings.CutPrefix(module, exportPrefix); ok {
		iface, items = in, m.exports
	}
	if iface == worldModule {
		iface = ""
	}
	for _, r := range []struct {
		prefix string
		what   builtin
	}{{resourceDropPrefix, resourceDrop}, {resourceNewPrefix, resourceNew}, {resourceRepPrefix, resourceRep}} {
		res, ok := strings.CutPrefix(name, r.prefix)
		if !ok {
			continue
		}
		it, ok := items[iface][res]
		if !ok || it.typ == nil || it.typ.resource == nil {
			return m.miss(iface, res)
		}
		if it.typ.placeholder {
			return m.miss(iface, res)
		}
		if g := guestResourceOf(it.typ.resource); r.what != resourceDrop && (g == nil || g.owner != m.ci) {
			m.k.miss(path(iface, name), "the module does not define the resource %s", res)
			return coreItem{}, false
		}
		return m.k.lowerBuiltin(r.what, it.typ.resource, m.ci), true
	}
	it, ok := items[iface][name]
	if !ok || it.fn == nil || !m.callable(it.fn) || m.isMissing(iface, name) {
		return m.miss(iface, name)
	}
	fn := it.fn.host
	if fn == nil {
		var err error
		if fn, err = m.k.guestToGuest(it.fn, m.ci); err != nil {
			m.k.miss(path(iface, name), "%v", err)
			return coreItem{}, false
		}
	}
	opts := m.opts
	opts.encoding = it.encoding
	return m.k.lowerHost(it.fn.typ.CoreType(abi.CanonLower), fn, m.ci, opts), true
}

// callable reports whether a function of the world can be imported: it is the
// host's or another part's, not one of the module itself.
func (m *moduleLinking) callable(f *function) bool {
	return f.host != nil || f.lifted.ci != m.ci
}

func path(iface, name string) string {
	if iface == "" {
		return name
	}
	return iface + "#" + name
}

func (m *moduleLinking) isMissing(iface, name string) bool {
	_, a := m.missing[iface]
	_, b := m.missing[path(iface, name)]
	return a || b
}

// miss notes a missing import: the interface or core module once, when all of it
// is missing.
func (m *moduleLinking) miss(iface, name string) (coreItem, bool) {
	if reason, ok := m.missing[iface]; ok {
		if reason != "" {
			m.k.miss(iface, "%s", reason)
			m.missing[iface] = ""
		}
		return coreItem{}, false
	}
	reason, ok := m.missing[path(iface, name)]
	switch {
	case ok:
		m.k.miss(path(iface, name), "%s", reason)
	case m.imports[iface] != nil || iface == "":
		m.k.miss(path(iface, name), "the module's component-type sections do not describe it")
	default:
		m.k.miss(iface, "the module's component-type sections do not describe it, and this host has no core module of that name")
		m.missing[iface] = "" // is in the list
	}
	return coreItem{}, false
}

// bindExports returns the world's exports. A function that the module does not
// have is left out; one of another type than the world's is an error.
func (m *moduleLinking) bindExports() (map[string]item, error) {
	exports := map[string]item{}
	for iface, items := range m.exports {
		bound := exports
		if iface != "" {
			bound = make(map[string]item, len(items))
		}
		functions := 0
		for name, it := range items {
			if it.sort == binary.SortFunc {
				if it.fn.lifted.slot < 0 {
					if have, ok := m.core.exports[it.fn.name]; ok {
						return nil, fmt.Errorf("the export %q is to be %s, with the core type %v, but it is a %v %v", it.fn.name,
							it.fn.typ, coreTypes(it.fn.typ.CoreType(abi.CanonLift)), have.Kind, have.Func)
					}
					continue
				}
				it.fn.lifted.opts.encoding = it.encoding
				functions++
			}
			bound[name] = it.item
		}
		if iface != "" && functions > 0 {
			exports[iface] = item{sort: binary.SortInstance, inst: &instance{exports: bound}}
		}
	}
	return exports, nil
}
