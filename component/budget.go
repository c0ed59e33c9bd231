package component

import (
	"bytes"
	"unsafe"

	"github.com/minispin/minispin/component/abi"
)

// This file bounds the host memory that generated bindings take for the values
// lifted in one call, as package abi does for values of unknown types. A guest
// may let all elements of a list point to the same bytes, which would otherwise
// make the host copy them as often as the list is long. The bound is
// abi.DefaultLiftLimit.

// charge notes n bytes of host memory taken for lifted values.
func (c *Call) charge(n uint64) {
	if n > abi.DefaultLiftLimit-c.lifted {
		abi.Throw(abi.TrapLiftLimit, "lifted values take too much host memory: more than %d bytes in one call", abi.DefaultLiftLimit)
	}
	c.lifted += n
}

// MakeList returns a list for the n elements of elemSize bytes, aligned to align,
// that guest memory has at ptr, and are to be lifted into it. It traps when they
// do not lie in memory, and when the values lifted in this call would take too
// much of the host's.
//
// CanonicalABI.md, section Loading (load_list).
func MakeList[T any](c *Call, ptr, n, elemSize, align uint32) []T {
	c.CheckList(ptr, n, elemSize, align)
	var elem T
	c.charge(uint64(n) * uint64(unsafe.Sizeof(elem)))
	return make([]T, n)
}

// CopyBytes returns a copy of the list<u8> at ptr, which counts towards what may
// be lifted in this call.
func (c *Call) CopyBytes(ptr, n uint32) []byte {
	view := c.LiftBytes(ptr, n)
	c.charge(uint64(n))
	return bytes.Clone(view)
}
