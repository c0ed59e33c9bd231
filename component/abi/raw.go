package abi

import "math"

// Raw is one core WebAssembly value as the engine passes it: sixteen
// little-endian bytes of which scalars use the first four or eight. Setters
// clear the bytes they do not use, and getters do not look at them, so that
// reading a value at a narrower or differently typed core type than the one it
// was written with does exactly what the Canonical ABI asks of joined variant
// payloads (CanonicalABI.md, sections Flat Lifting and Flat Lowering).
type Raw struct{ Lo, Hi uint64 }

// U32 returns the value as an i32.
func (r *Raw) U32() uint32 { return uint32(r.Lo) }

// SetU32 sets the value to an i32.
func (r *Raw) SetU32(v uint32) { r.Lo, r.Hi = uint64(v), 0 }

// U64 returns the value as an i64.
func (r *Raw) U64() uint64 { return r.Lo }

// SetU64 sets the value to an i64.
func (r *Raw) SetU64(v uint64) { r.Lo, r.Hi = v, 0 }

// F32 returns the value as an f32.
func (r *Raw) F32() float32 { return math.Float32frombits(uint32(r.Lo)) }

// SetF32 sets the value to an f32, whose bits are kept.
func (r *Raw) SetF32(v float32) { r.Lo, r.Hi = uint64(math.Float32bits(v)), 0 }

// F64 returns the value as an f64.
func (r *Raw) F64() float64 { return math.Float64frombits(r.Lo) }

// SetF64 sets the value to an f64, whose bits are kept.
func (r *Raw) SetF64(v float64) { r.Lo, r.Hi = math.Float64bits(v), 0 }
