package abi

import (
	"encoding/binary"
	"math"
	"unsafe"
)

// This file holds what concerns scalars alone: the one form of NaN, the checks
// of chars, and lists of scalars, which move between guest memory and Go slices
// in bulk. The only assumption about the machine is its byte order, and machines
// of the other one swap.

const (
	canonicalNaN32 = 0x7fc00000
	canonicalNaN64 = 0x7ff8000000000000
)

// canonical32 returns the bits of an f32 with NaNs replaced by the canonical one
// (CanonicalABI.md, section Loading).
func canonical32(b uint32) uint32 {
	if b&0x7fffffff > 0x7f800000 {
		return canonicalNaN32
	}
	return b
}

// canonical64 is canonical32 for f64.
func canonical64(b uint64) uint64 {
	if b&0x7fffffffffffffff > 0x7ff0000000000000 {
		return canonicalNaN64
	}
	return b
}

// checkChar traps unless c is a Unicode scalar value.
func checkChar(c uint32) {
	if c >= 0x110000 || c >= 0xd800 && c <= 0xdfff {
		Throw(TrapBadChar, "invalid `char` bit pattern: %#x", c)
	}
}

var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// bytesOf returns the memory of s.
func bytesOf[T Scalar](s []T) []byte {
	var zero T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(zero)))
}

// toNative turns little-endian elements of size bytes into the machine's own, or
// back, in place.
func toNative(b []byte, size int) {
	if !littleEndian {
		swap(b, size)
	}
}

// swap reverses the bytes of each element of size bytes in b.
func swap(b []byte, size int) {
	for ; len(b) >= size; b = b[size:] {
		for i, j := 0, size-1; i < j; i, j = i+1, j-1 {
			b[i], b[j] = b[j], b[i]
		}
	}
}

// loadSlice copies the n elements that src holds.
func loadSlice[T Scalar](src []byte, n uint32) []T {
	s := make([]T, n)
	b := bytesOf(s)
	copy(b, src)
	if n > 0 {
		toNative(b, len(b)/int(n))
	}
	return s
}

// storeSlice copies s to dst.
func storeSlice[T Scalar](dst []byte, s []T) {
	b := bytesOf(s)
	n := copy(dst, b)
	if len(s) > 0 {
		toNative(dst[:n], n/len(s))
	}
}

func scalarKind[T Scalar]() Kind {
	var zero T
	switch any(zero).(type) {
	case bool:
		return KindBool
	case int8:
		return KindS8
	case uint8:
		return KindU8
	case int16:
		return KindS16
	case uint16:
		return KindU16
	case int32:
		return KindS32
	case uint32:
		return KindU32
	case int64:
		return KindS64
	case uint64:
		return KindU64
	case float32:
		return KindF32
	}
	return KindF64
}

// isScalar reports whether lists of k are held as Go slices.
func isScalar(k Kind) bool { return k >= KindBool && k <= KindChar }

// loadScalars lifts n scalars of kind elem, which lie in src, into a Go slice.
// It is called for scalars only.
func loadScalars(elem Kind, src []byte, n uint32) Val {
	switch elem {
	case KindBool:
		// The bytes are not copied as they are: a Go bool must be 0 or 1.
		s := make([]bool, n)
		for i := range s {
			s[i] = src[i] != 0
		}
		return scalars(elem, s)
	case KindS8:
		return scalars(elem, loadSlice[int8](src, n))
	case KindU8:
		return scalars(elem, loadSlice[uint8](src, n))
	case KindS16:
		return scalars(elem, loadSlice[int16](src, n))
	case KindU16:
		return scalars(elem, loadSlice[uint16](src, n))
	case KindS32:
		return scalars(elem, loadSlice[int32](src, n))
	case KindU32:
		return scalars(elem, loadSlice[uint32](src, n))
	case KindS64:
		return scalars(elem, loadSlice[int64](src, n))
	case KindU64:
		return scalars(elem, loadSlice[uint64](src, n))
	case KindF32:
		s := loadSlice[float32](src, n)
		for i, f := range s {
			if f != f {
				s[i] = math.Float32frombits(canonicalNaN32)
			}
		}
		return scalars(elem, s)
	case KindF64:
		s := loadSlice[float64](src, n)
		for i, f := range s {
			if f != f {
				s[i] = math.Float64frombits(canonicalNaN64)
			}
		}
		return scalars(elem, s)
	}
	s := loadSlice[int32](src, n)
	for _, c := range s {
		checkChar(uint32(c))
	}
	return scalars(elem, s)
}

// storeScalars lowers a list that is held as a Go slice to dst.
func storeScalars(dst []byte, v Val) {
	switch v.elem {
	case KindBool:
		storeSlice(dst, Scalars[bool](v))
	case KindS8:
		storeSlice(dst, Scalars[int8](v))
	case KindU8:
		storeSlice(dst, Scalars[uint8](v))
	case KindS16:
		storeSlice(dst, Scalars[int16](v))
	case KindU16:
		storeSlice(dst, Scalars[uint16](v))
	case KindS32:
		storeSlice(dst, Scalars[int32](v))
	case KindU32:
		storeSlice(dst, Scalars[uint32](v))
	case KindS64:
		storeSlice(dst, Scalars[int64](v))
	case KindU64:
		storeSlice(dst, Scalars[uint64](v))
	case KindF32:
		storeSlice(dst, Scalars[float32](v))
	case KindF64:
		storeSlice(dst, Scalars[float64](v))
	case KindChar:
		s := Scalars[int32](v)
		for _, c := range s {
			checkChar(uint32(c))
		}
		storeSlice(dst, s)
	}
}

// boxed returns the elements of a list of scalars one by one.
func (v Val) boxed() []Val {
	switch v.elem {
	case KindBool:
		return boxes(v, BoolVal)
	case KindS8:
		return boxes(v, S8Val)
	case KindU8:
		return boxes(v, U8Val)
	case KindS16:
		return boxes(v, S16Val)
	case KindU16:
		return boxes(v, U16Val)
	case KindS32:
		return boxes(v, S32Val)
	case KindU32:
		return boxes(v, U32Val)
	case KindS64:
		return boxes(v, S64Val)
	case KindU64:
		return boxes(v, U64Val)
	case KindF32:
		return boxes(v, F32Val)
	case KindF64:
		return boxes(v, F64Val)
	case KindChar:
		return boxes(v, CharVal)
	}
	return nil
}

func boxes[T Scalar](v Val, box func(T) Val) []Val {
	s := Scalars[T](v)
	out := make([]Val, len(s))
	for i, e := range s {
		out[i] = box(e)
	}
	return out
}
