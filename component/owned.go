package component

import (
	"errors"

	"github.com/minispin/minispin/component/abi"
)

// This file accounts for owned values of the host's resource types while they
// change hands. One that was taken out of a guest's table and has not arrived
// anywhere is dropped when the call traps in between, and so is one that was to be
// put into a table that the lowering did not get to: all are dropped once. Values
// of guests' types have their destructors in the instance, which a trap has ended.
//
// CanonicalABI.md, sections Loading (lift_own) and Storing (lower_own).

// ownedValue is an owned value of the host's.
type ownedValue struct {
	rt  *ResourceType
	rep any
}

// dropOwned drops values; when a drop panics, the others are dropped before the
// panic goes on.
func dropOwned(list []ownedValue) {
	for i, o := range list {
		if o.rt.Drop == nil {
			continue
		}
		done := false
		defer func() {
			if !done {
				dropOwned(list[i+1:])
			}
		}()
		o.rt.Drop(o.rep)
		done = true
	}
}

// BeginArgs begins the lifting of arguments by a host function. Until EndArgs, a
// trap drops the owned values that LiftOwn has returned, which are the host
// function's own from then on. Generated bindings call both where an argument can
// trap after an owned one was lifted, and DynamicFunc does.
func (c *Call) BeginArgs() { c.keeping = true }

// EndArgs ends what BeginArgs began.
func (c *Call) EndArgs() {
	c.keeping = false
	c.letGo()
}

// letGo forgets what was taken: it is in somebody's hands.
func (c *Call) letGo() {
	clear(c.taken)
	c.taken = c.taken[:0]
}

// dropTaken drops what was taken by a call that has trapped with *err. A panic in
// a drop joins it.
func (c *Call) dropTaken(err *error) {
	defer func() {
		if r := recover(); r != nil {
			*err = errors.Join(*err, recovered(r))
		}
		c.letGo()
	}()
	dropOwned(c.taken)
}

// lowerOwning runs lower, which lowers values with owned handles among them. When
// it traps, those it has not come to are dropped; each has to visit the values in
// the order of lowering.
func (c *Call) lowerOwning(lower func(), each func(visit func(*abi.Resource, any))) {
	c.handed = 0
	done := false
	defer func() {
		if done {
			return
		}
		var rest []ownedValue
		n := 0
		each(func(rt *abi.Resource, rep any) {
			if n++; n > c.handed {
				rest = append(rest, ownedValue{rt, rep})
			}
		})
		dropOwned(rest)
	}()
	lower()
	done = true
}
