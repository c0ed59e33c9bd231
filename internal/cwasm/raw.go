package cwasm

import "math"

// Raw is one core WebAssembly value as the engine stores it: sixteen bytes
// whose meaning the function's type gives. Numbers occupy the low bytes of
// Lo; a v128 uses both words. It has the layout of the engine's own raw value
// so that a slice of Raw can be the engine's array.
type Raw struct{ Lo, Hi uint64 }

// U32 returns the value as an i32.
func (r Raw) U32() uint32 { return uint32(r.Lo) }

// SetU32 makes the value an i32.
func (r *Raw) SetU32(v uint32) { r.Lo = uint64(v) }

// U64 returns the value as an i64.
func (r Raw) U64() uint64 { return r.Lo }

// SetU64 makes the value an i64.
func (r *Raw) SetU64(v uint64) { r.Lo = v }

// F32 returns the value as an f32.
func (r Raw) F32() float32 { return math.Float32frombits(uint32(r.Lo)) }

// SetF32 makes the value an f32.
func (r *Raw) SetF32(v float32) { r.Lo = uint64(math.Float32bits(v)) }

// F64 returns the value as an f64.
func (r Raw) F64() float64 { return math.Float64frombits(r.Lo) }

// SetF64 makes the value an f64.
func (r *Raw) SetF64(v float64) { r.Lo = math.Float64bits(v) }
