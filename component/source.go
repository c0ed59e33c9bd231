package component

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/minispin/minispin/component/binary"
	"github.com/minispin/minispin/component/fuse"
	"github.com/minispin/minispin/internal/cwasm"
)

// source is one of the distinct core modules of a component, as it is compiled,
// with what is known of it. Components made from each other share it.
type source struct {
	original []byte            // as it stands in the component
	sum      [sha256.Size]byte // of what is compiled, by which the cache knows it
	foot     footing
	known    sync.Once
	form     form
	types    *cwasm.Types // once it was loaded, and of a shim or fixup before
}

// form says what a core module is besides its code.
type form struct {
	starts bool // code runs when it is instantiated
	shim   int  // the number of functions of a shim; 0 for any other module
	fixup  int  // the number of functions of a fixup; 0 for any other module
}

// maxTie is how many bytes a module has at most that is looked at before it is
// compiled, in case it is a shim or a fixup.
const maxTie = 64 << 10

// newSource prepares a core module for an engine, which may put state back.
func newSource(original []byte, resets bool) *source {
	s := &source{original: original}
	if !resets {
		s.sum = sha256.Sum256(original)
		return s
	}
	var g sync.WaitGroup
	g.Go(func() { s.sum = sha256.Sum256(original) })
	s.foot = scanned(original)
	g.Wait()
	if s.foot.module == nil || s.foot.module.Added() == nil {
		return s
	}
	// What is compiled differs from the original by these exports only; making it
	// can wait until it is known that the cache does not have it.
	h := sha256.New()
	h.Write([]byte("a core module and the exports added to it\n"))
	h.Write(s.sum[:])
	h.Write(s.foot.module.Added())
	s.sum = [sha256.Size]byte(h.Sum(nil))
	return s
}

// wasm is the module as it is compiled: with names for all of its state, if that is
// to be put back.
func (s *source) wasm() []byte {
	if s.foot.module == nil {
		return s.original
	}
	return s.foot.module.Expose()
}

// prepare makes the sources of the core modules, of which there are fewer when
// some are the same, while verdict judges what the modules are in. In a component
// of an interpreted language they are many megabytes, and hashing them is most of
// what is left to do when the code is in the cache.
func (c *Component) prepare(modules []*binary.CoreModule, verdict func() error) error {
	each := make([]*source, len(modules))
	jobs := make([]int, len(modules))
	for i := range jobs {
		jobs[i] = i
	}
	largestFirst(jobs, func(i int) int { return len(modules[i].Bytes) })
	g := new(errgroup.Group)
	g.SetLimit(runtime.GOMAXPROCS(0))
	g.Go(verdict)
	for _, i := range jobs {
		g.Go(func() error {
			each[i] = newSource(modules[i].Bytes, c.engine.resets)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	c.of = make(map[*binary.CoreModule]*source, len(modules))
	distinct := make(map[[sha256.Size]byte]*source, len(modules))
	for i, m := range modules {
		s := each[i]
		if same := distinct[s.sum]; same != nil && bytes.Equal(same.original, s.original) {
			s = same
		} else {
			distinct[s.sum] = s
			c.sources = append(c.sources, s)
		}
		c.of[m] = s
	}
	return nil
}

// largestFirst puts jobs in order by their size: the last to begin should not be
// the one that takes longest.
func largestFirst(jobs []int, size func(job int) int) {
	slices.SortStableFunc(jobs, func(a, b int) int { return cmp.Compare(size(b), size(a)) })
}

// look finds out the module's form, once. A module that cannot be read could be
// anything.
func (s *source) look() *form {
	s.known.Do(func() {
		m, err := binary.DecodeModule(s.original, binary.Limits{})
		if err != nil {
			s.form.starts = true
			return
		}
		s.form.starts = m.Start.Present
		if n, ok := fuse.Shim(m); ok {
			s.form.shim = n
		} else if n, ok := fuse.Fixup(m); ok {
			s.form.fixup = n
		}
	})
	return &s.form
}

// isTie reports whether the module is there to tie others together and will
// probably be left out of what is instantiated.
func (s *source) isTie() bool {
	if len(s.original) > maxTie {
		return false
	}
	f := s.look()
	return f.shim > 0 || f.fixup > 0
}

// load compiles the module, or loads it from the cache.
func (s *source) load(e *Engine) (*cwasm.Module, error) {
	m, err := e.module(s.wasm, s.sum)
	switch {
	case err != nil:
		return nil, err
	case s.types == nil: // the first time, when no other component shares s yet
		s.types = m.Types()
	default:
		m.Describe(s.types)
	}
	return m, nil
}

// typesOf reads the types of a module's imports and exports; nil if it has some
// that the engine has to be asked about.
func typesOf(wasm []byte) *cwasm.Types {
	m, err := binary.DecodeModule(wasm, binary.Limits{})
	if err != nil {
		return nil
	}
	space := make([]*coreType, len(m.Types))
	for i := range m.Types {
		space[i] = &coreType{sub: &m.Types[i]}
	}
	types := &cwasm.Types{}
	for _, imp := range m.Imports {
		t, err := externOf(space, imp.Type)
		if err != nil {
			return nil
		}
		types.Imports = append(types.Imports, cwasm.ImportType{Module: imp.Module, Name: imp.Name, ExternType: t})
	}
	for _, exp := range m.Exports {
		t, err := externOf(space, exp.Type)
		if err != nil {
			return nil
		}
		types.Exports = append(types.Exports, cwasm.ExportType{Name: exp.Name, ExternType: t})
	}
	return types
}

// deferred is load, put off for modules that need not be compiled as long as no
// plan instantiates them. It is nil for other modules.
func (s *source) deferred(e *Engine) *cwasm.Module {
	if !s.isTie() {
		return nil
	}
	if s.types == nil {
		if s.types = typesOf(s.wasm()); s.types == nil {
			return nil
		}
	}
	return e.core.Deferred(s.types, func() (*cwasm.Module, error) { return e.module(s.wasm, s.sum) })
}

// compile makes a module of each source, or frees what it has made of them.
func (c *Component) compile(ctx context.Context, opts CompileOptions) error {
	made := make([]*cwasm.Module, len(c.sources))
	err := c.compileInto(ctx, made, opts)
	c.modules = make(map[*source]*cwasm.Module, len(c.sources))
	for i, m := range made {
		if m != nil {
			c.modules[c.sources[i]] = m
			c.all = append(c.all, m)
		}
	}
	if err != nil {
		c.Close()
		return fmt.Errorf("component %s: %w", c.name, err)
	}
	if c.def == nil {
		c.main = c.modules[c.sources[0]]
	}
	return nil
}

// compileInto puts the modules into made, in the order of their sources. When it
// fails some are there all the same.
func (c *Component) compileInto(ctx context.Context, made []*cwasm.Module, opts CompileOptions) error {
	var jobs []int
	for i, s := range c.sources {
		if made[i] = s.deferred(c.engine); made[i] == nil {
			jobs = append(jobs, i)
		}
	}
	var mu sync.Mutex
	done := 0
	run := func(ctx context.Context, i int) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		var err error
		if made[i], err = c.sources[i].load(c.engine); err == nil && opts.Progress != nil {
			mu.Lock()
			defer mu.Unlock()
			done++
			opts.Progress(done, len(jobs))
		}
		return err
	}
	if len(jobs) == 1 {
		return run(ctx, jobs[0]) // without the way to another thread and back
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	largestFirst(jobs, func(i int) int { return len(c.sources[i].original) })
	for _, i := range jobs {
		g.Go(func() error { return run(ctx, i) })
	}
	return g.Wait()
}

// Reload makes the component once more: what was found out of its definitions
// stays, and its core modules are loaded from the engine's cache, or compiled. c
// may have been closed. It fails when that does, or with the cause of ctx when
// that ends first. The caller must Close the result.
func (c *Component) Reload(ctx context.Context) (*Component, error) {
	again := &Component{name: c.name, engine: c.engine, def: c.def, world: c.world, sources: c.sources, of: c.of}
	if err := again.compile(ctx, CompileOptions{}); err != nil {
		return nil, err
	}
	return again, nil
}

// module returns what a core module was compiled to.
func (c *Component) module(m *binary.CoreModule) *cwasm.Module { return c.modules[c.of[m]] }
