package inspect

import (
	"fmt"
	"slices"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/component/binary"
	"github.com/minispin/minispin/component/footprint"
	"github.com/minispin/minispin/wit"
)

// Options say what a component is held against.
type Options struct {
	// Linker has the host interfaces. It must not be nil, and is only read.
	Linker *component.Linker
	// Grant tells of an interface that the linker has what access to it depends
	// on, and whether all calls are refused. Nil: nothing does, and none are.
	Grant func(iface string) (note string, denied bool)
	// Composed tells of an import, by its full name, whether another component is
	// to meet it, and which. Nil: none is.
	Composed func(name string) (by string, ok bool)
}

// Kind says what a file is.
type Kind string

// The kinds.
const (
	KindComponent Kind = "component"
	KindModule    Kind = "module" // a core module, with or without component-type sections
)

// Report is what there is to say of a component. Offsets and sizes are in bytes.
type Report struct {
	Kind Kind `json:"kind"`
	Size int  `json:"size"`
	// World is the component's world as WIT text, and WIT the same followed by
	// the interfaces in it. Empty for a core module that describes no world.
	World string `json:"world"`
	WIT   string `json:"wit"`

	Imports []Import     `json:"imports"`
	Exports []string     `json:"exports"` // as in the binary: interfaces, functions, types
	Modules []CoreModule `json:"modules"`

	// Newer names the forms in it that this host may not run.
	Newer []string `json:"newer_forms,omitempty"`
	// NoReset says why instances cannot be put back to the state they began in.
	// Empty: as far as the code shows they can; that code run at instantiation
	// calls no host function shows only then.
	NoReset string `json:"no_reset,omitempty"`

	packages []*wit.Package
}

// CoreModule is a core module in a component, or the file itself.
type CoreModule struct {
	Name   string `json:"name,omitempty"` // by its name section
	Offset int    `json:"offset"`
	Size   int    `json:"size"`
	Start  bool   `json:"start,omitempty"` // it has a start function
}

// Links reports whether every import is met.
func (r *Report) Links() bool {
	return !slices.ContainsFunc(r.Imports, func(i Import) bool { return !i.Status.Links() })
}

// Inspect describes wasm, a component or a core module in the binary format. It
// fails when wasm cannot be decoded; that it is valid beyond its form is not
// looked at, see component.Engine.Validate.
//
// Binary.md for components, BuildTargets.md for core modules.
func Inspect(wasm []byte, opts Options) (*Report, error) {
	r := &Report{Size: len(wasm), Imports: []Import{}, Exports: []string{}}
	l := &links{opts: opts, types: map[*typ]*abi.Type{}, res: map[*typ]*abi.Resource{}}
	var imports, exports []item
	var module *binary.Module
	var err error
	switch {
	case binary.IsModule(wasm):
		r.Kind = KindModule
		if module, err = binary.DecodeModule(wasm, binary.Limits{}); err != nil {
			return nil, err
		}
		world, err := module.World(binary.Limits{})
		if err != nil {
			return nil, err
		}
		for _, s := range world.Sections {
			for _, f := range s.Component.NewerForms {
				r.newer(f)
			}
		}
		if imports, exports, err = runWorld(world); err != nil {
			return nil, err
		}
		imports = used(module, imports)
		r.module(wasm, 0)
	default:
		def, err := binary.Decode(wasm, binary.Limits{})
		if err != nil {
			return nil, err
		}
		r.Kind = KindComponent
		for _, f := range def.NewerForms {
			r.newer(f)
		}
		if imports, exports, err = runComponent(def); err != nil {
			return nil, err
		}
		r.modules(def)
	}
	if module == nil || len(imports)+len(exports) > 0 {
		if r.packages, err = write(imports, exports); err != nil {
			return nil, err
		}
		r.World, r.WIT = wit.Format(r.packages[0]), wit.FormatAll(r.packages[0], r.packages[1:]...)
	}
	if r.Imports, err = l.imports(imports); err != nil {
		return nil, err
	}
	for _, e := range exports {
		if !slices.Contains(r.Exports, e.name.Name) {
			r.Exports = append(r.Exports, e.name.Name)
		}
	}
	if module != nil {
		r.Imports = append(r.Imports, l.coreImports(module, r.Imports)...)
		if module.Export("_start") != nil {
			r.Exports = append(r.Exports, "_start")
		}
	}
	return r, nil
}

func (r *Report) newer(f binary.Form) {
	if !slices.Contains(r.Newer, string(f)) {
		r.Newer = append(r.Newer, string(f))
	}
}

// used leaves out of a world what the module does not import: a world lists all
// that its bindings were generated from. An interface of which nothing is imported
// stays for its types, which others may use, as idle.
func used(m *binary.Module, imports []item) []item {
	type name struct{ module, item string }
	has, modules := map[name]bool{}, map[string]bool{}
	for _, i := range m.Imports {
		has[name{i.Module, i.Name}], modules[i.Module] = true, true
	}
	var out []item
	for _, it := range imports {
		if it.fn != nil && !has[name{"$root", it.name.Name}] {
			continue
		}
		if it.inst != nil {
			in := &inst{}
			for _, e := range it.inst.items {
				if e.fn == nil || has[name{it.name.Name, e.name.Name}] {
					in.add(e)
				}
			}
			it.inst, it.idle = in, !modules[it.name.Name]
		}
		out = append(out, it)
	}
	return out
}

// modules lists the core modules of a component and of those nested in it.
func (r *Report) modules(c *binary.Component) {
	for _, d := range c.Defs {
		switch d := d.(type) {
		case *binary.CoreModule:
			r.module(d.Bytes, d.Pos())
		case *binary.NestedComponent:
			r.modules(d.Component)
		}
	}
}

func (r *Report) module(wasm []byte, offset int) {
	m := CoreModule{Offset: offset, Size: len(wasm)}
	if dm, err := binary.DecodeModule(wasm, binary.Limits{}); err == nil {
		m.Start = dm.Start.Present
		if c := binary.FindCustom(dm.Customs, "name"); c != nil {
			if names, err := c.Names(); err == nil {
				m.Name = names.Module
			}
		}
	}
	r.Modules = append(r.Modules, m)
	if r.NoReset == "" {
		if reason := noReset(wasm); reason != "" {
			r.NoReset = fmt.Sprintf("core module %d %s", len(r.Modules)-1, reason)
		}
	}
}

// noReset says what code of a core module does that cannot be undone.
func noReset(wasm []byte) string {
	f, err := footprint.Scan(wasm)
	if err != nil {
		return fmt.Sprintf("cannot be read: %v", err)
	}
	if f.Drops != nil {
		return fmt.Sprintf("drops segments, which do not come back (%s)", f.Drops)
	}
	for _, t := range f.Tables {
		if t.Grow != nil {
			return fmt.Sprintf("grows a table, which cannot be undone (%s)", t.Grow)
		}
	}
	return ""
}
