package component

import (
	"runtime/debug"

	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/internal/cwasm"
)

// lowered wraps a host function for one import of one component instance: it
// opens the Call, keeps the instance from calling out where it must not, and
// turns a trap panic into an error.
//
// CanonicalABI.md, section canon lower.
func lowered(fn HostFunc, ci int, opts canonOptions) cwasm.HostFunc {
	return func(s *cwasm.Store, st []cwasm.Raw, mem []byte) (err error) {
		in := s.Data.(*Instance)
		c := in.push(&in.cis[ci], &opts, mem)
		defer c.finish(&err)
		if !c.ci.mayLeave {
			c.Trapf("cannot leave component instance: a host function was called from realloc or post-return")
		}
		return fn(c, coreToRaw(st))
	}
}

// finish closes the record of a lowered import.
func (c *Call) finish(err *error) {
	if r := recover(); r != nil {
		*err = recovered(r)
		if len(c.taken) > 0 {
			c.dropTaken(err)
		}
	}
	c.inst.pop(c)
}

// PanicError is a Go panic in a host function: a bug of the host, which the
// guest sees as a trap.
type PanicError = cwasm.PanicError

// recovered makes an error of a recovered panic value.
func recovered(r any) error {
	switch r := r.(type) {
	case guestFault:
		return r.err
	case *abi.Trap:
		return r
	case *PanicError:
		return r
	}
	return &PanicError{Value: r, Stack: debug.Stack()}
}
