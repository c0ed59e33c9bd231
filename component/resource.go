package component

import (
	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/internal/cwasm"
)

// guestResource is what a resource type defined by a component carries: whose
// it is and how its values are destroyed.
type guestResource struct {
	owner int // component instance that defines the type
	dtor  int // slot of the destructor, or -1
}

func guestResourceOf(r *abi.Resource) *guestResource {
	g, _ := r.Data.(*guestResource)
	return g
}

// resourceNew is canon resource.new: a representation becomes an owned handle.
//
// CanonicalABI.md, section canon resource.new.
func resourceNew(rt *ResourceType) HostFunc {
	return func(c *Call, st []Raw) error {
		st[0].SetU32(c.ci.handles.AddOwn(rt, st[0].U32()))
		return nil
	}
}

// resourceRep is canon resource.rep: the representation behind a handle.
//
// CanonicalABI.md, section canon resource.rep.
func resourceRep(rt *ResourceType) HostFunc {
	return func(c *Call, st []Raw) error {
		st[0].SetU32(c.ci.handles.Rep(rt, st[0].U32()).(uint32))
		return nil
	}
}

// resourceDrop is canon resource.drop: the handle goes, and with an owned one
// its value.
//
// CanonicalABI.md, section canon resource.drop.
func resourceDrop(rt *ResourceType) HostFunc {
	return func(c *Call, st []Raw) error {
		rep, owned := c.ci.handles.Remove(rt, st[0].U32())
		if !owned {
			return nil
		}
		return c.inst.destroy(rt, rep, c.ci)
	}
}

// destroy ends an owned value: the host's drop function, or the destructor of
// the component that defines the type. from is the instance that drops it.
func (in *Instance) destroy(rt *ResourceType, rep any, from *componentInstance) error {
	g := guestResourceOf(rt)
	if g == nil {
		if rt.Drop != nil {
			rt.Drop(rep)
		}
		return nil
	}
	if g.dtor < 0 {
		return nil
	}
	owner := &in.cis[g.owner]
	if owner != from {
		if owner.running {
			return ErrCannotEnter
		}
		owner.running = true
		defer func() { owner.running = false }()
	}
	st := []cwasm.Raw{{}}
	st[0].SetU32(rep.(uint32))
	return in.store.Call(g.dtor, st)
}
