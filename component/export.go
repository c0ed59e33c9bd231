package component

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/component/binary"
)

// ExportFunc is a function that a linked component exports, ready to be called
// in any Instance of the same InstancePre.
type ExportFunc struct {
	// Name is the function's name, with "interface#" before it when it is part
	// of an exported interface.
	Name string
	// Type is the function's component-level type.
	Type *abi.Func

	pre      *InstancePre // nil when only other component instances call it
	slot     int          // the core function
	opts     canonOptions
	ci       int
	entering []int // component instances that a call enters
	results  int   // flat core results
	params   int   // flat core parameters

	plan func() (*abi.Plan, error) // for calls with Vals, made when first asked
}

// newExportFunc makes the callable form of a lifted function for calls from the
// component instance caller, or from the host when it is -1.
func (k *linking) newExportFunc(name string, f *function, caller int) *ExportFunc {
	ct := f.typ.CoreType(abi.CanonLift)
	return &ExportFunc{
		Name: name, Type: f.typ,
		slot: f.lifted.slot, opts: f.lifted.opts, ci: f.lifted.ci,
		entering: k.entering(f.lifted.ci, caller),
		params:   len(ct.Params), results: len(ct.Results),
		plan: sync.OnceValues(func() (*abi.Plan, error) { return abi.Compile(f.typ) }),
	}
}

// Export finds an exported function: name in the exported instance called
// instance, failing that in one whose interface is on the same semver track, or
// a function of the world itself when instance is empty. want is the type the caller will lower and
// lift by; an export of another type is an error.
func (p *InstancePre) Export(instance, name string, want *abi.Func) (*ExportFunc, error) {
	f := p.lookupExport(instance, name)
	if f == nil {
		if instance == "" {
			return nil, fmt.Errorf("component %s does not export the function %s", p.name, name)
		}
		return nil, fmt.Errorf("component %s does not export %s of %s", p.name, name, instance)
	}
	if want != nil {
		if err := abi.EqualFunc(want, f.Type, sameOrImported); err != nil {
			return nil, fmt.Errorf("component %s: export %s has another type than expected: %w", p.name, f.Name, err)
		}
	}
	return f, nil
}

func (p *InstancePre) lookupExport(instance, name string) *ExportFunc {
	if instance == "" {
		return p.funcs[name]
	}
	if fs, ok := p.exports[instance]; ok {
		return fs[name]
	}
	for _, have := range slices.Sorted(maps.Keys(p.exports)) {
		if f := p.exports[have][name]; f != nil && binary.SameTrack(have, instance) {
			return f
		}
	}
	return nil
}

// ExportedModule finds an exported core module: name in the exported instance
// called instance, or of the world itself when that is empty. The result can be
// linked like any core module, and given to a Linker in an Interface, as long as the
// component that it is a part of is not closed; its own Close does nothing.
//
// Explainer.md, section Import and Export Definitions (core module).
func (p *InstancePre) ExportedModule(instance, name string) (*Component, error) {
	path := name
	if instance != "" {
		path = instance + "#" + name
	}
	m := p.modules[path]
	if m == nil {
		return nil, fmt.Errorf("component %s does not export a core module %s", p.name, path)
	}
	return m, nil
}

// Exports returns the names of the exported instances (interfaces), sorted. One
// inside of another is called by both names with "#" between.
func (p *InstancePre) Exports() []string {
	return slices.Sorted(maps.Keys(p.exports))
}

// sameOrImported lets a guest's own resource stand where the caller's bindings
// declare one of the same name: identity is checked by the handles.
func sameOrImported(a, b *abi.Resource) bool {
	return a == b || (guestResourceOf(b) != nil && lastName(a.Name) == lastName(b.Name))
}

// lastName cuts the interface off a resource type's name.
func lastName(s string) string { return s[strings.LastIndexAny(s, "/#")+1:] }

// Enter opens a call of f and returns its Call, to lower the parameters with,
// and the stack that takes the flattened parameters. The caller must defer
// Leave at once, then fill the stack and Invoke. f must be of the InstancePre
// that the instance was made from; Enter panics when it is not.
//
// A call that cannot be made fails with ErrCannotEnter, ErrPoisoned or
// ErrInstanceClosed when something is lowered or at Invoke, and has then taken
// nothing: owned values that were to be handed over are still the caller's.
//
// CanonicalABI.md, section canon lift.
func (in *Instance) Enter(f *ExportFunc) (*Call, []Raw) {
	if f.pre != in.pre {
		panic("component: " + f.Name + " is called in an instance of another component")
	}
	return in.open(f)
}

// open is Enter without its check.
func (in *Instance) open(f *ExportFunc) (*Call, []Raw) {
	n := max(f.params, f.results, 1)
	if in.closed {
		c := &Call{inst: in, opts: &noOptions, fn: f, stack: make([]Raw, n), ci: &componentInstance{}}
		return c, c.stack
	}
	c := in.push(&in.cis[f.ci], &f.opts, nil)
	c.fn = f
	if in.depth == 1 {
		// The outermost call uses the store's own array, which is not copied.
		c.stack = coreToRaw(in.store.Args(n))
	} else {
		if cap(c.own) < n {
			c.own = make([]Raw, n)
		}
		c.stack = c.own[:n]
	}
	if in.fault == nil && in.enter(f.entering) {
		c.entered = true
		c.borrows.Begin()
		c.scope = &c.borrows
	}
	return c, c.stack
}

// Invoke runs the guest function on the stack that Enter returned, which then
// holds the flattened results. Views of memory taken before are stale after.
//
// It fails with the *Trap of the guest, or of a host function it called, and with
// what Enter tells of when the call could not be made. The instance is poisoned by
// a trap.
//
// CanonicalABI.md, section canon lift.
func (c *Call) Invoke() error {
	if err := c.enterable(); err != nil {
		return err
	}
	c.mem = nil
	if err := c.run(); err != nil {
		return c.inst.failed(err)
	}
	c.scope = nil
	if n := c.borrows.Outstanding(); n > 0 {
		abi.Throw(abi.TrapBorrowsRemain, "borrow handles still remain at the end of the call: %s returned without dropping %d", c.fn.Name, n)
	}
	c.invoked, c.keeping = true, true
	if c.opts.postReturn >= 0 {
		c.results = append(c.results[:0], c.stack[:c.fn.results]...)
	}
	return nil
}

// run calls the core function, and reads its memory again in the same crossing
// where it can.
func (c *Call) run() (err error) {
	store, slot := c.inst.store, c.fn.slot
	switch {
	case c.inst.depth > 1:
		return store.Call(slot, rawToCore(c.stack))
	case c.opts.memory >= 0:
		c.mem, err = store.CallMem(slot, len(c.stack), c.opts.memory)
		return err
	}
	_, err = store.CallArgs(slot, len(c.stack))
	return err
}

// enterable says why the call cannot go on, if it cannot.
func (c *Call) enterable() error {
	if c.entered {
		return nil
	}
	err := c.inst.usable()
	if err == nil {
		err = ErrCannotEnter
	}
	return fmt.Errorf("%s: %w", c.fn.Name, err)
}

// Leave ends the call: it runs the guest's post-return function, and turns a
// trap on the way into *err. It must be deferred, with the address of the
// caller's error result. When there was a trap, the owned values that were lifted
// since Invoke are dropped, and what was made of the result is void.
//
// CanonicalABI.md, section canon lift (post_return).
func (c *Call) Leave(err *error) {
	in := c.inst
	switch r := recover(); {
	case r != nil && !c.entered:
		// Nothing of the guest ran: a host's mistake does it no harm.
		*err = recovered(r)
	case r != nil:
		*err = in.failed(recovered(r))
		c.dropTaken(err)
	case c.invoked && c.opts.postReturn >= 0:
		// Also when *err is a failure that the guest returned in good order.
		c.ci.mayLeave = false
		if perr := in.call(c.opts.postReturn, c.results); perr != nil {
			*err = perr
			c.dropTaken(err)
		}
		c.ci.mayLeave = true
	}
	if in.closed {
		return
	}
	if c.entered {
		in.leave(c.fn.entering)
	}
	c.entered, c.invoked = false, false
	in.pop(c)
	in.refresh()
}

// CoreFunc finds a function without parameters and results that a core module
// exports by name: _start. ok is false when there is none, or p is linked from
// a component.
func (p *InstancePre) CoreFunc(name string) (f *CoreExport, ok bool) {
	slot, ok := p.core[name]
	if !ok {
		return nil, false
	}
	return &CoreExport{pre: p, slot: slot, name: name}, true
}

// CoreExport is an exported core function.
type CoreExport struct {
	pre  *InstancePre
	slot int
	name string
}

// CallCore runs a core function with st as its parameters and results, of which it
// has to hold the longer. It fails as Invoke does. f must be of the InstancePre that
// the instance was made from; CallCore panics when it is not.
func (in *Instance) CallCore(f *CoreExport, st []Raw) error {
	if f.pre != in.pre {
		panic("component: " + f.name + " is called in an instance of another module")
	}
	if err := in.usable(); err != nil {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	entering := in.pre.entering(in.pre.main)
	if !in.enter(entering) {
		return fmt.Errorf("%s: %w", f.name, ErrCannotEnter)
	}
	defer in.leave(entering)
	return in.call(f.slot, st)
}
