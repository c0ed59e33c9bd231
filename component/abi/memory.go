package abi

import (
	"encoding/binary"
	"math"
)

// Memory is a view of a guest's linear memory. Its methods read and write
// little-endian scalars at any offset and trap when they leave the memory. They
// do not check alignment: the Canonical ABI asks for that once per string, list
// or spilled record ([Memory.Check]) and not once per scalar.
//
// A view is stale, and must not be touched, once guest code has run: the memory
// may have grown and moved.
type Memory []byte

// Check traps unless size bytes at ptr lie in memory and ptr is a multiple of
// align, which is a power of two. The sum cannot wrap.
func (m Memory) Check(ptr uint32, size uint64, align uint32) {
	if ptr&(align-1) != 0 {
		unaligned(ptr, align)
	}
	if size > uint64(len(m)) || uint64(ptr) > uint64(len(m))-size {
		Throw(TrapOutOfBounds, "pointer out of bounds of memory: %d bytes at %#x, memory has %d", size, ptr, len(m))
	}
}

func unaligned(ptr, align uint32) {
	Throw(TrapUnaligned, "unaligned pointer: %#x is not a multiple of %d", ptr, align)
}

// at returns the n bytes at off.
func (m Memory) at(off, n uint32) []byte {
	end := uint64(off) + uint64(n)
	if end > uint64(len(m)) {
		m.outOfBounds(off, n)
	}
	return m[off:end]
}

func (m Memory) outOfBounds(off, n uint32) {
	Throw(TrapOutOfBounds, "pointer out of bounds of memory: %d bytes at %#x, memory has %d", n, off, len(m))
}

// U8 returns the byte at off.
func (m Memory) U8(off uint32) uint8 { return m.at(off, 1)[0] }

// U16 returns the 16-bit integer at off.
func (m Memory) U16(off uint32) uint16 { return binary.LittleEndian.Uint16(m.at(off, 2)) }

// U32 returns the 32-bit integer at off.
func (m Memory) U32(off uint32) uint32 { return binary.LittleEndian.Uint32(m.at(off, 4)) }

// U64 returns the 64-bit integer at off.
func (m Memory) U64(off uint32) uint64 { return binary.LittleEndian.Uint64(m.at(off, 8)) }

// F32 returns the 32-bit float at off, its bits unchanged.
func (m Memory) F32(off uint32) float32 { return math.Float32frombits(m.U32(off)) }

// F64 returns the 64-bit float at off, its bits unchanged.
func (m Memory) F64(off uint32) float64 { return math.Float64frombits(m.U64(off)) }

// PutU8 stores a byte at off.
func (m Memory) PutU8(off uint32, v uint8) { m.at(off, 1)[0] = v }

// PutU16 stores a 16-bit integer at off.
func (m Memory) PutU16(off uint32, v uint16) { binary.LittleEndian.PutUint16(m.at(off, 2), v) }

// PutU32 stores a 32-bit integer at off.
func (m Memory) PutU32(off uint32, v uint32) { binary.LittleEndian.PutUint32(m.at(off, 4), v) }

// PutU64 stores a 64-bit integer at off.
func (m Memory) PutU64(off uint32, v uint64) { binary.LittleEndian.PutUint64(m.at(off, 8), v) }

// PutF32 stores the bits of a 32-bit float at off.
func (m Memory) PutF32(off uint32, v float32) { m.PutU32(off, math.Float32bits(v)) }

// PutF64 stores the bits of a 64-bit float at off.
func (m Memory) PutF64(off uint32, v float64) { m.PutU64(off, math.Float64bits(v)) }
