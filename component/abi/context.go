package abi

// Encoding is a string encoding a guest chooses in its canonical options.
type Encoding uint8

// The string encodings of canonical options.
const (
	UTF8 Encoding = iota
	UTF16
	// Latin1OrUTF16 is "latin1+utf16": either of the two, told apart by the top
	// bit of the length.
	Latin1OrUTF16
)

// String returns the encoding's name in the component text format.
func (e Encoding) String() string {
	switch e {
	case UTF8:
		return "utf8"
	case UTF16:
		return "utf16"
	case Latin1OrUTF16:
		return "latin1+utf16"
	}
	return "invalid"
}

// A Context is one guest's side of a call: what the specification calls a
// LiftLowerContext (CanonicalABI.md, section Lifting and Lowering Context). The
// runtime's call object implements it. Its methods report failure by panicking,
// with [Throw] or with a value of the runtime's own that the runtime recovers.
type Context interface {
	// Memory returns the guest's memory as it is now, nil if the function has
	// no memory option. This package asks again after every Realloc.
	Memory() []byte
	// Realloc calls the guest's realloc function. The result is not trusted:
	// it is checked for range and alignment here as well.
	Realloc(oldPtr, oldSize, align, newSize uint32) uint32
	// Encoding returns the guest's string encoding.
	Encoding() Encoding
	// LiftOwn takes an owned handle out of the guest's table and returns its
	// representation.
	LiftOwn(r *Resource, handle uint32) any
	// LiftBorrow returns the representation behind a handle, which counts as
	// lent until the call ends.
	LiftBorrow(r *Resource, handle uint32) any
	// LowerOwn adds an owned handle to the guest's table and returns its index.
	LowerOwn(r *Resource, rep any) uint32
	// LowerBorrow adds a borrow handle to the guest's table, or returns the
	// representation itself when the guest defines the resource.
	LowerBorrow(r *Resource, rep any) uint32
}

// An AsyncContext is a [Context] of a runtime that knows streams, futures and
// error contexts. Values of those types trap in any other context.
type AsyncContext interface {
	Context
	// LiftAsync takes the readable end of a stream or future out of the guest's
	// table, or looks an error context up, and returns what it stands for.
	LiftAsync(t *Type, handle uint32) any
	// LowerAsync adds to the guest's table what LiftAsync returned.
	LowerAsync(t *Type, v any) uint32
}

// Alloc calls the guest's realloc for a new block of size bytes and returns its
// address, which is checked: the guest's realloc may return anything. Views of
// the guest's memory taken before are stale after.
func Alloc(cx Context, size, align uint32) uint32 {
	return grow(cx, 0, 0, align, size)
}

// grow is Realloc with its result checked (CanonicalABI.md, section Storing).
func grow(cx Context, oldPtr, oldSize, align, newSize uint32) uint32 {
	ptr := cx.Realloc(oldPtr, oldSize, align, newSize)
	if ptr&(align-1) != 0 {
		Throw(TrapBadRealloc, "realloc return: result not aligned: unaligned pointer %#x, not a multiple of %d", ptr, align)
	}
	if mem := cx.Memory(); uint64(ptr)+uint64(newSize) > uint64(len(mem)) {
		Throw(TrapBadRealloc, "realloc return: beyond end of memory: %d bytes at %#x, memory has %d", newSize, ptr, len(mem))
	}
	return ptr
}
