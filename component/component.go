package component

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/minispin/minispin/component/binary"
	"github.com/minispin/minispin/internal/cwasm"
)

// Component is a decoded component, or a core module taken as one, with its
// core modules compiled. It may be linked any number of times.
type Component struct {
	name    string
	engine  *Engine
	def     *binary.Component // nil for a core module
	world   *binary.World     // of a core module
	main    *cwasm.Module     // of a core module
	sources []*source         // of the distinct core modules
	of      map[*binary.CoreModule]*source
	modules map[*source]*cwasm.Module
	all     []*cwasm.Module // those of sources
}

// CompileOptions adjust Compile.
type CompileOptions struct {
	// Progress, when set, is called as core modules are compiled, with how many
	// are done and how many there are. Calls do not overlap.
	Progress func(done, total int)
}

// Compile decodes wasm, a component or a core module in the binary format, has
// the engine validate it, and compiles its core modules, or loads them from the
// engine's cache. name is what errors call it. wasm must not be changed while the
// Component is in use.
//
// It fails when wasm is neither, when it is malformed or not valid, with the place
// in it, and with the cause of ctx when that ends first. The caller must Close the
// result.
//
// Binary.md, and BuildTargets.md for core modules.
func (e *Engine) Compile(ctx context.Context, name string, wasm []byte, opts CompileOptions) (*Component, error) {
	c := &Component{name: name, engine: e}
	var modules []*binary.CoreModule
	verdict := func() error { return nil } // on a module, its compiler's
	switch {
	case binary.IsComponent(wasm):
		def, err := binary.Decode(wasm, binary.Limits{})
		if err != nil {
			return nil, fmt.Errorf("component %s: %w", name, err)
		}
		c.def = def
		modules = coreModules(def, nil)
		verdict = func() error { return e.validate(def, wasm) }
	case binary.IsModule(wasm):
		world, err := binary.DecodeComponentTypes(wasm, binary.Limits{})
		if err != nil {
			return nil, fmt.Errorf("component %s: %w", name, err)
		}
		c.world = world
		modules = []*binary.CoreModule{{Bytes: wasm}}
	default:
		return nil, fmt.Errorf("component %s: %w", name, notWasm(wasm))
	}
	if err := c.prepare(modules, verdict); err != nil {
		return nil, fmt.Errorf("component %s: %w", name, err)
	}
	if err := c.compile(ctx, opts); err != nil {
		return nil, err
	}
	return c, nil
}

// notWasm says what is wrong with bytes that do not begin as WebAssembly does.
func notWasm(b []byte) error {
	switch {
	case len(b) == 0:
		return fmt.Errorf("the file is empty")
	case len(b) < 8:
		return fmt.Errorf("the file is %d bytes, too short for a WebAssembly header of 8", len(b))
	case string(b[:4]) != "\x00asm":
		return fmt.Errorf("not WebAssembly: the file begins with %q, not with \"\\x00asm\"", b[:4])
	}
	return fmt.Errorf("a WebAssembly version this host does not know: header % x", b[4:8])
}

// coreModules lists the core modules of a component and of those inside it.
func coreModules(c *binary.Component, list []*binary.CoreModule) []*binary.CoreModule {
	for _, d := range c.Defs {
		switch d := d.(type) {
		case *binary.CoreModule:
			list = append(list, d)
		case *binary.NestedComponent:
			list = coreModules(d.Component, list)
		}
	}
	return list
}

// module loads a core module that the cache knows by sum, or compiles what wasm
// returns.
func (e *Engine) module(wasm func() []byte, sum [sha256.Size]byte) (*cwasm.Module, error) {
	if e.cache != nil {
		if m := e.cache.load(e.core, sum); m != nil {
			return m, nil
		}
	}
	m, err := e.core.Compile(wasm())
	if err != nil {
		return nil, err
	}
	if e.cache != nil {
		// Not being able to keep the code costs the next start time, no more.
		_ = e.cache.store(m, sum)
	}
	return m, nil
}

// Name returns the name given to Compile.
func (c *Component) Name() string { return c.name }

// IsModule reports whether c was made from a core module.
func (c *Component) IsModule() bool { return c.def == nil }

// Imports returns the names of the functions, instances and core modules that c
// imports, each once, in the order they are declared. A core module's are those of
// its world, of which it may use a part.
func (c *Component) Imports() []string {
	var names []string
	add := func(name string, sort binary.Sort) {
		if crosses(sort) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if c.def == nil {
		for _, i := range c.world.Imports {
			add(i.Name.Name, i.Sources[0].Desc.Sort)
		}
		return names
	}
	for _, d := range c.def.Defs {
		if i, ok := d.(*binary.Import); ok {
			add(i.Name.Name, i.Desc.Sort)
		}
	}
	return names
}

// crosses reports whether definitions of a sort can be given by one component to
// another, or be had from the host.
func crosses(sort binary.Sort) bool {
	return sort == binary.SortInstance || sort == binary.SortFunc || sort == binary.SortCoreModule
}

// Exports returns the names of the functions, instances and core modules that c
// exports, in the order they are declared. A core module's are those of its world.
func (c *Component) Exports() []string {
	var names []string
	if c.def == nil {
		for _, e := range c.world.Exports {
			names = append(names, e.Name.Name)
		}
		return names
	}
	for _, d := range c.def.Defs {
		if e, ok := d.(*binary.Export); ok && crosses(e.Sort) {
			names = append(names, e.Name.Name)
		}
	}
	return names
}

// Close frees the compiled code. Everything linked from c must have been closed.
func (c *Component) Close() {
	for _, m := range c.all {
		m.Close()
	}
	c.all = nil
}
