package component

import (
	"context"

	"github.com/minispin/minispin/component/abi"
)

// Raw is one core value as it crosses the boundary: 16 bytes, of which scalars
// use the low half.
type Raw = abi.Raw

// Memory is a view of a guest's linear memory. Its accessors check bounds and
// end the call with a trap when they are broken.
type Memory = abi.Memory

// HostFunc is a host function in flattened form, as canon lower gives it to a
// core module: st holds the flattened parameters and receives the flattened
// result in st[0]. A returned error traps the guest and is the error of the
// outermost call.
//
// CanonicalABI.md, section canon lower.
type HostFunc func(c *Call, st []Raw) error

// Call is one crossing of the component boundary, in either direction: a guest
// calling a host function, or the host calling a guest's export. It is the
// LiftLowerContext of the canonical ABI: the memory, allocator and string
// encoding of the guest's side, and the handles lent while the call lasts.
//
// Methods that read what a guest gave panic when it is not valid; the panic is
// recovered at the boundary and becomes a trap, so that code on top of them
// needs no error plumbing. A Call belongs to one goroutine and must not be kept
// after the call.
type Call struct {
	inst  *Instance
	ci    *componentInstance
	opts  *canonOptions
	mem   abi.Memory // nil: to be read when it is asked for
	lends []abi.Lend
	args  []abi.Val // of a DynamicFunc, while it runs

	lifted uint64 // bytes of host memory taken for lifted values

	keeping bool         // owned values that are lifted are noted in taken
	taken   []ownedValue // dropped when the call traps before it has let go of them
	handed  int          // owned values that were lowered, or were to be

	// Of calls into an export only:
	fn      *ExportFunc
	stack   []Raw      // the flattened parameters, then results
	own     []Raw      // backing of stack in a nested call
	results []Raw      // the flattened results, for post-return
	borrows abi.Scope  // borrowed handles handed to the guest
	scope   *abi.Scope // &borrows until the guest has returned, else nil
	entered bool       // the component instance was free to be entered
	invoked bool       // the guest function ran to its end
}

// canonOptions are the canonical options of one lifted or lowered function,
// resolved to slots of the core instantiation plan; a negative slot is absent.
type canonOptions struct {
	memory     int
	realloc    int
	postReturn int
	encoding   abi.Encoding
}

var noOptions = canonOptions{memory: -1, realloc: -1, postReturn: -1}

// Context returns the context of the running request: cancelled when the
// request is given up, with the deadline of the instance.
func (c *Call) Context() context.Context { return c.inst.ctx }

// Host returns the embedder's value for this instance, as given to Instantiate,
// or what the View of the calling Part makes of it.
func (c *Call) Host() any {
	if views := c.inst.pre.views; views != nil && views[c.ci.index] != nil {
		return views[c.ci.index](c.inst.host)
	}
	return c.inst.host
}

// Instance returns the instance this call enters or leaves.
func (c *Call) Instance() *Instance { return c.inst }

// Mem returns the guest's memory as it is now. The view must be fetched again
// after Alloc or any other call that may run guest code.
func (c *Call) Mem() Memory {
	if c.mem == nil {
		return c.readMemory()
	}
	return c.mem
}

// readMemory fetches the view of the guest's memory; it stays nil when the
// function has no memory.
func (c *Call) readMemory() Memory {
	if c.opts.memory >= 0 {
		c.mem = c.inst.store.Memory(c.opts.memory)
	}
	return c.mem
}

// Memory is Mem, for abi.Context.
func (c *Call) Memory() []byte { return c.Mem() }

// Encoding returns the string encoding of the guest's side.
func (c *Call) Encoding() abi.Encoding { return c.opts.encoding }

// Trapf ends the call with a trap that says what the guest did wrong.
func (c *Call) Trapf(format string, args ...any) {
	abi.Throw(abi.TrapOther, format, args...)
}

// Alloc calls the guest's realloc for size new bytes and returns their address,
// checked for alignment and range. Views of memory taken before are stale after.
//
// CanonicalABI.md, section Storing (the uses of realloc).
func (c *Call) Alloc(size, align uint32) uint32 { return c.Realloc(0, 0, align, size) }

// Realloc calls the guest's realloc and returns the address of the block,
// checked for alignment and range. While it runs the guest must not call out.
//
// CanonicalABI.md, section Storing (the uses of realloc).
func (c *Call) Realloc(oldPtr, oldSize, align, newSize uint32) uint32 {
	c.mustBeOpen()
	if c.opts.realloc < 0 || c.opts.memory < 0 {
		c.Trapf("a value needs memory, but the function has no realloc option")
	}
	in := c.inst
	mayLeave := c.ci.mayLeave
	c.ci.mayLeave = false
	ptr, mem, err := in.store.Realloc(c.opts.realloc, c.opts.memory, oldPtr, oldSize, align, newSize)
	c.ci.mayLeave = mayLeave
	if err != nil {
		panic(guestFault{err})
	}
	c.mem = mem
	if ptr&(align-1) != 0 {
		abi.Throw(abi.TrapBadRealloc, "realloc return: result not aligned: unaligned pointer %#x, not a multiple of %d", ptr, align)
	}
	if uint64(ptr)+uint64(newSize) > uint64(len(mem)) {
		abi.Throw(abi.TrapBadRealloc, "realloc return: beyond end of memory: %d bytes at %#x, memory has %d", newSize, ptr, len(mem))
	}
	return ptr
}

// LiftString returns a copy of the string at ptr with n code units, as UTF-8,
// which counts towards what may be lifted in this call. It traps when the string
// leaves memory or is not valid in the guest's encoding.
//
// CanonicalABI.md, section Loading (load_string).
func (c *Call) LiftString(ptr, n uint32) string {
	s := abi.LiftString(c, ptr, n)
	c.charge(uint64(len(s)))
	return s
}

// LiftBytes returns the list<u8> at ptr as a view of guest memory: valid until
// the call ends or guest code runs, and not to be written. It traps when the list
// leaves memory.
//
// CanonicalABI.md, section Loading (load_list).
func (c *Call) LiftBytes(ptr, n uint32) []byte {
	if n > abi.MaxListBytes {
		c.tooLong(uint64(n))
	}
	mem := c.Mem()
	mem.Check(ptr, uint64(n), 1)
	return mem[ptr : uint64(ptr)+uint64(n) : uint64(ptr)+uint64(n)]
}

// LowerString copies s into new guest memory and returns its address and its
// length in code units.
//
// CanonicalABI.md, section Storing (store_string).
func (c *Call) LowerString(s string) (ptr, n uint32) { return abi.LowerString(c, s) }

// LowerBytes copies b into new guest memory as a list<u8>, and returns its address
// and length.
//
// CanonicalABI.md, section Storing (store_list).
func (c *Call) LowerBytes(b []byte) (ptr, n uint32) {
	if uint64(len(b)) > abi.MaxListBytes {
		c.Trapf("a list of %d bytes is longer than guest memory can be", len(b))
	}
	n = uint32(len(b))
	ptr = c.Realloc(0, 0, 1, n)
	copy(c.mem[ptr:], b)
	return ptr, n
}

// CheckList traps unless n elements of elemSize bytes, aligned to align, lie in
// memory at ptr.
//
// CanonicalABI.md, section Loading (load_list).
func (c *Call) CheckList(ptr, n, elemSize, align uint32) {
	size := uint64(n) * uint64(elemSize)
	if size > abi.MaxListBytes {
		c.tooLong(size)
	}
	c.Mem().Check(ptr, size, align)
}

func (c *Call) tooLong(n uint64) {
	abi.Throw(abi.TrapTooLong, "list of %d bytes is too long", n)
}

// LiftOwn takes the handle h out of the caller's table and returns what it
// stands for. It traps when h is not an owned handle of type rt, or is lent.
//
// CanonicalABI.md, section Loading (lift_own).
func (c *Call) LiftOwn(rt *ResourceType, h uint32) any {
	rep := c.ci.handles.RemoveOwn(rt, h)
	if c.keeping {
		c.taken = append(c.taken, ownedValue{rt, rep})
	}
	return rep
}

// LiftBorrow looks up the handle h and returns what it stands for; an owned
// handle counts as lent until the call ends.
//
// CanonicalABI.md, section Loading (lift_borrow).
func (c *Call) LiftBorrow(rt *ResourceType, h uint32) any {
	rep, lend := c.ci.handles.Lend(rt, h)
	c.lends = append(c.lends, lend)
	return rep
}

// LowerOwn puts rep into the guest's table as an owned handle of type rt. When
// the table is full it traps, and rep is dropped as it would be at the end of
// the instance.
//
// CanonicalABI.md, section Storing (lower_own).
func (c *Call) LowerOwn(rt *ResourceType, rep any) uint32 {
	c.mustBeOpen()
	c.handed++
	added := false
	defer func() {
		if !added && rt.Drop != nil {
			rt.Drop(rep)
		}
	}()
	h := c.ci.handles.AddOwn(rt, rep)
	added = true
	return h
}

// mustBeOpen ends a call into an export that was not to be entered, before
// anything is lowered into the guest.
func (c *Call) mustBeOpen() {
	if c.fn != nil && !c.entered {
		panic(guestFault{c.enterable()})
	}
}

// LowerBorrow puts rep into the guest's table as a borrowed handle of type rt,
// which the guest has to drop before its call returns.
//
// CanonicalABI.md, section Storing (lower_borrow).
func (c *Call) LowerBorrow(rt *ResourceType, rep any) uint32 {
	if g := guestResourceOf(rt); g != nil && g.owner == c.ci.index {
		// The component that defines a resource type sees the representation.
		return rep.(uint32)
	}
	c.mustBeOpen()
	if c.scope == nil {
		c.Trapf("a borrowed %s cannot be returned", rt.Name)
	}
	return c.ci.handles.AddBorrow(rt, rep, c.scope)
}
