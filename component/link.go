package component

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/component/binary"
	"github.com/minispin/minispin/internal/cwasm"
)

// Link binds c's imports to the linker's interfaces and plans instantiation.
// Every import that no interface meets is listed in one *MissingImportsError.
//
// Nothing of the guest runs. The result must be closed before c.
//
// Explainer.md, sections Instance Definitions and Import and Export Definitions.
func (l *Linker) Link(c *Component) (*InstancePre, error) {
	return LinkParts(&Part{Name: c.name, Component: c, Linker: l})
}

// finish makes the plan of what the run of all parts left.
func (k *linking) finish(pre *InstancePre) error {
	for _, fs := range pre.exports {
		for _, f := range fs {
			f.pre = pre
		}
	}
	for _, f := range pre.funcs {
		f.pre = pre
	}
	k.elide()
	pre.steps = len(k.steps)
	pre.instances = len(k.parents)
	pre.hostEntering = make([][]int, len(k.parents))
	for i := range k.parents {
		pre.hostEntering[i] = k.entering(i, -1)
	}
	if slices.ContainsFunc(k.views, func(v func(any) any) bool { return v != nil }) {
		pre.views = k.views
	}
	var err error
	config := cwasm.PlanConfig{Engine: k.main.engine.core, Hosts: k.hosts}
	if k.main.engine.resets {
		if config.State, err = k.stateSlots(); err != nil {
			config.State = nil
			pre.notResettable.Store(err.(*NotResettableError))
		}
	} else {
		pre.notResettable.Store(&NotResettableError{k.main.name, "its engine makes instances of another kind"})
	}
	pre.hostNames = k.hostNames
	config.Steps, config.Slots = k.steps, k.slots
	pre.plan, err = cwasm.NewPlan(config)
	return err
}

// linking is the state of one abstract run of a component's definitions.
type linking struct {
	mainPart   *Part
	main       *Component         // the main part's
	components []*Component       // of all parts, in the order they are run
	runs       map[*Part]*partRun // of each part met so far
	now        *partRun           // the one that is under way

	keepShims bool
	steps     []cwasm.Step
	hosts     []cwasm.HostImport
	hostNames map[int]string
	slots     int
	parents   []int           // of each component instance entered: who made it, or -1
	views     []func(any) any // of each component instance: its part's
	work      int             // what was unfolded so far, bounded against hostile nesting
	missing   []MissingImport
	infos     map[*cwasm.Module]*moduleInfo
	forwards  []*cwasm.Module // made here
	exported  map[*cwasm.Module]*Component
	called    map[int]bool // slots of functions that are called from here
	origins   map[*cwasm.Module]*source
}

// Bounds on what linking unfolds: a component may instantiate a nested one many
// times over, and that one another.
const (
	maxComponentInstances = 1_000
	maxLinkWork           = 1_000_000
)

// spend counts n units of work: a definition run, an argument or import bound.
func (k *linking) spend(n int) error {
	if k.work += n; k.work > maxLinkWork {
		return fmt.Errorf("it unfolds to more than %d definitions, imports and arguments", maxLinkWork)
	}
	return nil
}

// moduleInfo is what linking needs to know of a compiled module.
type moduleInfo struct {
	imports []cwasm.ImportType
	exports map[string]cwasm.ExternType
}

func (k *linking) info(m *cwasm.Module) *moduleInfo {
	if i := k.infos[m]; i != nil {
		return i
	}
	i := &moduleInfo{imports: m.Imports(), exports: map[string]cwasm.ExternType{}}
	for _, e := range m.Exports() {
		i.exports[e.Name] = e.ExternType
	}
	if k.infos == nil {
		k.infos = map[*cwasm.Module]*moduleInfo{}
	}
	k.infos[m] = i
	return i
}

func (k *linking) host(h cwasm.HostImport) int {
	k.hosts = append(k.hosts, h)
	return len(k.hosts) - 1
}

func (k *linking) slot() int {
	k.slots++
	return k.slots - 1
}

func (k *linking) miss(name, format string, args ...any) {
	m := MissingImport{Name: name, Reason: fmt.Sprintf(format, args...)}
	if k.now != nil && k.now.part != k.mainPart {
		m.Part = k.now.part.Name
	}
	k.missing = append(k.missing, m)
}

// linkComponent runs a part's outermost component with its imports in hand.
func (k *linking) linkComponent(r *partRun) error {
	def := r.part.Component.def
	if err := refuseForms(def); err != nil {
		return err
	}
	s := &scope{k: k, ci: r.ci, exports: map[string]item{}}
	for _, d := range def.Defs {
		imp, ok := d.(*binary.Import)
		if !ok {
			if err := s.define(d); err != nil {
				return at(d, err)
			}
			continue
		}
		it, err := s.outerImport(imp)
		if err != nil {
			return at(d, fmt.Errorf("import %q: %w", imp.Name.Name, err))
		}
		s.add(it)
	}
	r.exports = s.exports
	return nil
}

// exportItem makes what the main part exports callable from the host, and its
// core modules something to give to others.
func (k *linking) exportItem(pre *InstancePre, name string, it item) error {
	switch it.sort {
	case binary.SortFunc:
		if f := k.export(name, it.fn); f != nil {
			pre.funcs[name] = f
		}
	case binary.SortCoreModule:
		m, err := k.exportModule(name, it.module)
		if err != nil {
			return err
		}
		pre.modules[name] = m
	case binary.SortInstance:
		return k.exportInstance(pre, name, it.inst)
	}
	return nil
}

// exportInstance is exportItem for what an exported instance has inside.
func (k *linking) exportInstance(pre *InstancePre, name string, in *instance) error {
	// Names add up on the way in, which a small component can make a long one.
	if err := k.spend(len(in.exports) * (1 + len(name)/64)); err != nil {
		return err
	}
	fs := map[string]*ExportFunc{}
	pre.exports[name] = fs
	for inner, it := range in.exports {
		if it.sort == binary.SortFunc {
			if f := k.export(name+"#"+inner, it.fn); f != nil {
				fs[inner] = f
			}
			continue
		}
		if err := k.exportItem(pre, name+"#"+inner, it); err != nil {
			return err
		}
	}
	return nil
}

// export makes the callable form of a lifted function; a host function passed
// through has none.
func (k *linking) export(name string, f *function) *ExportFunc {
	if f.lifted == nil {
		return nil
	}
	return k.newExportFunc(name, f, -1)
}

// refuseForms refuses what the runtime cannot run yet, in words that help.
func refuseForms(c *binary.Component) error {
	var async, experimental, other []string
	for _, f := range c.NewerForms {
		switch f {
		case binary.FormAsyncFunc, binary.FormStream, binary.FormFuture, binary.FormErrorContext,
			binary.FormAsyncOption, binary.FormAsyncBuiltin:
			async = append(async, string(f))
		case binary.FormValue, binary.FormStart:
			experimental = append(experimental, string(f))
		case binary.FormThreadBuiltin, binary.FormGC, binary.FormException:
			other = append(other, string(f))
		}
	}
	if len(async) > 0 {
		return fmt.Errorf("it uses the component model's async half (%s), as WASI 0.3 does, which this host does not run; the newest SDKs that do without it are Rust 5.2 and Python 3.4",
			strings.Join(async, ", "))
	}
	if len(experimental) > 0 {
		return fmt.Errorf("it uses forms that are experimental in the component model, and that this host does not run: %s",
			strings.Join(experimental, ", "))
	}
	if len(other) > 0 {
		return fmt.Errorf("it uses forms that this host does not run: %s", strings.Join(other, ", "))
	}
	return nil
}

func at(d binary.Def, err error) error {
	var o *offsetError
	if errors.As(err, &o) {
		return err
	}
	return &offsetError{offset: d.Pos(), err: err}
}

// offsetError places an error at a definition.
type offsetError struct {
	offset int
	err    error
}

func (e *offsetError) Error() string { return fmt.Sprintf("at byte %#x: %v", e.offset, e.err) }
func (e *offsetError) Unwrap() error { return e.err }

// coreTypes converts a core function type to the engine's terms.
func coreTypes(ct abi.CoreFunc) cwasm.FuncType {
	conv := func(ts []abi.CoreType) []cwasm.ValKind {
		out := make([]cwasm.ValKind, len(ts))
		for i, t := range ts {
			switch t {
			case abi.I32:
				out[i] = cwasm.I32
			case abi.I64:
				out[i] = cwasm.I64
			case abi.F32Core:
				out[i] = cwasm.F32
			case abi.F64Core:
				out[i] = cwasm.F64
			}
		}
		return out
	}
	return cwasm.FuncType{Params: conv(ct.Params), Results: conv(ct.Results)}
}
