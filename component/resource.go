package component

import (
	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/internal/cwasm"
)

// guestResource is what a resource type defined by a component carries: whose
// it is and how its values are destroyed.
type guestResource struct {
	owner int  // component instance that defines the type
	dtor  int  // slot of the destructor, or -1
	named bool // the type goes by the name of an export
}

func guestResourceOf(r *abi.Resource) *guestResource {
	g, _ := r.Data.(*guestResource)
	return g
}

// builtin is one of the canonical built-ins for resources.
type builtin uint8

const (
	resourceNew builtin = iota
	resourceRep
	resourceDrop
)

// lowerBuiltin adds a built-in for a resource type, as component instance ci
// uses it, to the plan.
//
// CanonicalABI.md, sections canon resource.new, resource.drop, resource.rep.
func (k *linking) lowerBuiltin(b builtin, rt *ResourceType, ci int) coreItem {
	h := cwasm.HostImport{Type: coreTypes(abi.CoreFunc{Params: i32, Results: i32}), MemSlot: -1}
	switch b {
	case resourceNew:
		h.Func = lowered(func(c *Call, st []Raw) error {
			st[0].SetU32(c.ci.handles.AddOwn(rt, st[0].U32()))
			return nil
		}, ci, noOptions)
	case resourceRep:
		// The only one that a guest may use where it must not call out.
		h.Func = func(s *cwasm.Store, st []cwasm.Raw, _ []byte) (err error) {
			defer abi.Catch(&err)
			st[0].SetU32(s.Data.(*Instance).cis[ci].handles.Rep(rt, st[0].U32()).(uint32))
			return nil
		}
	case resourceDrop:
		h.Type.Results = nil
		entering := k.entering(ownerOf(rt, ci), ci)
		h.Func = lowered(func(c *Call, st []Raw) error {
			rep, owned := c.ci.handles.Remove(rt, st[0].U32())
			if !owned {
				return nil
			}
			return c.inst.destroy(rt, rep, entering)
		}, ci, noOptions)
	}
	return k.hostItem(h)
}

// ownerOf is the component instance that defines rt, or ci when the host does.
func ownerOf(rt *ResourceType, ci int) int {
	if g := guestResourceOf(rt); g != nil {
		return g.owner
	}
	return ci
}

// destroy ends an owned value: the host's drop function, or the destructor of
// the component that defines the type, which means to enter the given component
// instances.
func (in *Instance) destroy(rt *ResourceType, rep any, entering []int) error {
	g := guestResourceOf(rt)
	if g == nil {
		if rt.Drop != nil {
			rt.Drop(rep)
		}
		return nil
	}
	if !in.enter(entering) {
		return ErrCannotEnter
	}
	defer in.leave(entering)
	if g.dtor < 0 {
		return nil
	}
	var st [1]Raw
	st[0].SetU32(rep.(uint32))
	return in.call(g.dtor, st[:])
}

// DropOwned destroys a value that the host owns: rep is what LiftOwn returned
// for a handle of type rt, and has not been given back by LowerOwn. For a type
// that the component defines, its destructor runs, and a trap in there ends the
// instance as any other does. It must not be called for a type of the guest's
// after Close.
func (in *Instance) DropOwned(rt *ResourceType, rep any) error {
	g := guestResourceOf(rt)
	if g == nil {
		return in.destroy(rt, rep, nil)
	}
	if err := in.usable(); err != nil {
		return err
	}
	err := in.destroy(rt, rep, in.pre.entering(g.owner))
	in.refresh()
	return err
}

// entering lists the component instances that a call into callee enters: itself
// and its ancestors, without those that caller, -1 for the host, is inside of
// already. A child may so call back into the parent that wraps it.
//
// CanonicalABI.md, section Component Instance State (entering_set).
func (k *linking) entering(callee, caller int) []int {
	inside := map[int]bool{}
	for ; caller >= 0; caller = k.parents[caller] {
		inside[caller] = true
	}
	var list []int
	for ; callee >= 0; callee = k.parents[callee] {
		if !inside[callee] {
			list = append(list, callee)
		}
	}
	k.work += len(list) // the next to spend is told when it is too much
	return list
}

// entering lists what a call from the host into a component instance enters.
func (p *InstancePre) entering(ci int) []int { return p.hostEntering[ci] }

// enter marks component instances as running. It does nothing and reports false
// when one of them runs already.
func (in *Instance) enter(list []int) bool {
	for _, i := range list {
		if in.cis[i].running {
			return false
		}
	}
	for _, i := range list {
		in.cis[i].running = true
	}
	return true
}

func (in *Instance) leave(list []int) {
	for _, i := range list {
		in.cis[i].running = false
	}
}
