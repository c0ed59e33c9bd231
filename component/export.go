package component

import (
	"fmt"
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

	slot    int // the core function
	opts    canonOptions
	ci      int
	results int // flat core results
	params  int // flat core parameters

	plan func() (*abi.Plan, error) // for calls with Vals, made when first asked
}

func newExportFunc(name string, f *function) *ExportFunc {
	ct := f.typ.CoreType(abi.CanonLift)
	return &ExportFunc{
		Name: name, Type: f.typ,
		slot: f.lifted.slot, opts: f.lifted.opts, ci: f.lifted.ci,
		params: len(ct.Params), results: len(ct.Results),
		plan: sync.OnceValues(func() (*abi.Plan, error) { return abi.Compile(f.typ) }),
	}
}

// Export finds an exported function: name in the exported instance whose
// interface is on the same semver track as instance, or a function of the world
// itself when instance is empty. want is the type the caller will lower and
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
	for have, fs := range p.exports {
		if binary.SameTrack(have, instance) {
			return fs[name]
		}
	}
	return nil
}

// Exports returns the names of the exported instances (interfaces), in no
// order, and whether the component exports functions of its own.
func (p *InstancePre) Exports() []string {
	names := make([]string, 0, len(p.exports))
	for n := range p.exports {
		names = append(names, n)
	}
	return names
}

// sameOrImported lets a guest's own resource stand where the caller's bindings
// declare one of the same name: identity is checked by the handles.
func sameOrImported(a, b *abi.Resource) bool {
	return a == b || (guestResourceOf(b) != nil && lastName(a.Name) == lastName(b.Name))
}

func lastName(s string) string { return s[strings.LastIndexByte(s, '/')+1:] }

// Enter opens a call of f and returns its Call, to lower the parameters with,
// and the stack that takes the flattened parameters. The caller must defer
// Leave at once, then fill the stack and Invoke.
//
// CanonicalABI.md, section canon lift.
func (in *Instance) Enter(f *ExportFunc) (*Call, []Raw) {
	ci := &in.cis[f.ci]
	c := in.push(ci, &f.opts, nil)
	c.fn = f
	n := max(f.params, f.results, 1)
	if cap(c.stack) < n {
		c.stack = make([]Raw, n)
	}
	c.stack = c.stack[:n]
	c.entered = false
	if in.fault == nil && !ci.running {
		ci.running, c.entered = true, true
		c.borrows.Begin()
		c.scope = &c.borrows
		if f.opts.memory >= 0 {
			c.mem = in.store.Memory(f.opts.memory)
		}
	}
	return c, c.stack
}

// Invoke runs the guest function on the stack that Enter returned, which then
// holds the flattened results. Views of memory taken before are stale after.
func (c *Call) Invoke() error {
	in := c.inst
	if err := c.enterable(); err != nil {
		return err
	}
	if err := in.call(c.fn.slot, c.stack); err != nil {
		return err
	}
	if c.opts.memory >= 0 {
		c.mem = in.store.Memory(c.opts.memory)
	}
	c.scope = nil
	if n := c.borrows.Outstanding(); n > 0 {
		c.Trapf("%s returned without dropping %d borrowed handles", c.fn.Name, n)
	}
	c.invoked = true
	if c.opts.postReturn >= 0 {
		c.results = append(c.results[:0], c.stack[:c.fn.results]...)
	}
	return nil
}

// enterable says why the call cannot go on, if it cannot.
func (c *Call) enterable() error {
	switch {
	case c.entered:
		return nil
	case c.inst.fault != nil:
		return fmt.Errorf("%s: %w", c.fn.Name, ErrPoisoned)
	}
	return fmt.Errorf("%s: %w", c.fn.Name, ErrCannotEnter)
}

// Leave ends the call: it runs the guest's post-return function, and turns a
// trap on the way into *err. It must be deferred, with the address of the
// caller's error result.
func (c *Call) Leave(err *error) {
	in := c.inst
	if r := recover(); r != nil {
		*err = in.failed(recovered(r))
	} else if c.invoked && c.opts.postReturn >= 0 {
		// Also when *err is a failure that the guest returned in good order.
		c.ci.mayLeave = false
		if perr := in.call(c.opts.postReturn, c.results); perr != nil {
			*err = perr
		}
		c.ci.mayLeave = true
	}
	if c.entered {
		c.ci.running = false
	}
	c.entered, c.invoked = false, false
	in.pop(c)
	in.refresh()
}

// CoreFunc finds a core function that a core module exports by name, such as
// _start; ok is false when there is none, or p is linked from a component.
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

// CallCore runs a core function with st as its parameters and results.
func (in *Instance) CallCore(f *CoreExport, st []Raw) error {
	if in.fault != nil {
		return fmt.Errorf("%s: %w", f.name, ErrPoisoned)
	}
	return in.call(f.slot, st)
}
