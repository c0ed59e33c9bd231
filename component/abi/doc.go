// Package abi implements the value half of the component model's Canonical
// ABI (CanonicalABI.md): the structural types of component functions, how
// their values lie in a 32-bit linear memory or on the core WebAssembly stack,
// and the lifting and lowering that moves values between those places and Go.
//
// It knows types and bytes. It must not know engines, components, instances or
// WASI: guest memory, realloc and the handle table of an instance are reached
// through the [Context] interface, which the runtime implements.
//
// The central idea is that a [Type] is its own compiled plan. A constructor
// such as [Record] computes everything the specification derives from a type
// (size, alignment, field offsets, flattened core types, whether values can be
// moved as plain bytes) once, from the already finished types below it, and a
// Type never changes afterwards. Lifting and lowering then only follow offsets.
// [Compile] adds what belongs to a whole function: which parameters and results
// spill to memory and through which pointer.
//
// Bad guest data ends a call as a trap. To keep the hot path free of error
// plumbing, lifting and lowering panic through [Throw] and the runtime turns
// the panic into an error where the call crosses the boundary, with [Catch].
package abi
