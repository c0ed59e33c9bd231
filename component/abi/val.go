package abi

import (
	"fmt"
	"math"
	"unsafe"
)

// A Val is a component-level value that is not known until run time: what
// dynamic callers pass and get. It carries no type. Values of records, tuples,
// variants and flags are positional, fields and cases being numbered as in the
// [Type] they are lifted or lowered by.
//
// A Val is immutable; copies share what lies behind them. Accessors return the
// zero value when the Val is of another kind, as [Val.Kind] tells.
type Val struct {
	kind Kind
	elem Kind // of a list of scalars held as a Go slice; else KindInvalid
	// bits is a scalar; the case of a variant, enum, option or result; flags;
	// or the length of what ref points to.
	bits uint64
	// ref is nil; a pointer to the first byte of a string, or to the first
	// element of a slice, of bits elements; a pointer to the payload of a case; or
	// the representation of a resource. Pointers rather than strings and slices
	// because those do not fit in an interface without an allocation.
	ref any
}

// Scalar is a Go type that represents elements of a list of scalars in bulk.
type Scalar interface {
	bool | int8 | uint8 | int16 | uint16 | int32 | uint32 | int64 | uint64 | float32 | float64
}

// BoolVal returns a bool.
func BoolVal(v bool) Val {
	if v {
		return Val{kind: KindBool, bits: 1}
	}
	return Val{kind: KindBool}
}

// S8Val returns an s8.
func S8Val(v int8) Val { return Val{kind: KindS8, bits: uint64(int64(v))} }

// U8Val returns a u8.
func U8Val(v uint8) Val { return Val{kind: KindU8, bits: uint64(v)} }

// S16Val returns an s16.
func S16Val(v int16) Val { return Val{kind: KindS16, bits: uint64(int64(v))} }

// U16Val returns a u16.
func U16Val(v uint16) Val { return Val{kind: KindU16, bits: uint64(v)} }

// S32Val returns an s32.
func S32Val(v int32) Val { return Val{kind: KindS32, bits: uint64(int64(v))} }

// U32Val returns a u32.
func U32Val(v uint32) Val { return Val{kind: KindU32, bits: uint64(v)} }

// S64Val returns an s64.
func S64Val(v int64) Val { return Val{kind: KindS64, bits: uint64(v)} }

// U64Val returns a u64.
func U64Val(v uint64) Val { return Val{kind: KindU64, bits: v} }

// F32Val returns an f32. All NaNs are one value.
func F32Val(v float32) Val { return Val{kind: KindF32, bits: uint64(canonical32(math.Float32bits(v)))} }

// F64Val returns an f64. All NaNs are one value.
func F64Val(v float64) Val { return Val{kind: KindF64, bits: canonical64(math.Float64bits(v))} }

// CharVal returns a char. Lowering it traps if v is no Unicode scalar value.
func CharVal(v rune) Val { return Val{kind: KindChar, bits: uint64(uint32(v))} }

// StringVal returns a string.
func StringVal(s string) Val {
	if s == "" {
		return Val{kind: KindString}
	}
	return Val{kind: KindString, bits: uint64(len(s)), ref: unsafe.StringData(s)}
}

// BytesVal returns a list<u8> that shares b, which must not change any more.
func BytesVal(b []byte) Val { return ScalarsVal(b) }

// ScalarsVal returns a list of scalars that shares s, which must not change any
// more.
func ScalarsVal[T Scalar](s []T) Val { return scalars(scalarKind[T](), s) }

// CharsVal returns a list<char> that shares s, which must not change any more.
func CharsVal(s []rune) Val { return scalars(KindChar, s) }

func scalars[T Scalar](elem Kind, s []T) Val {
	v := Val{kind: KindList, elem: elem}
	if len(s) > 0 {
		v.bits, v.ref = uint64(len(s)), unsafe.SliceData(s)
	}
	return v
}

// ListVal returns a list, of fixed length or not, that shares elems.
func ListVal(elems ...Val) Val { return several(KindList, elems) }

// RecordVal returns a record of fields in the order of its type.
func RecordVal(fields ...Val) Val { return several(KindRecord, fields) }

// TupleVal returns a tuple.
func TupleVal(elems ...Val) Val { return several(KindTuple, elems) }

func several(k Kind, vs []Val) Val {
	if len(vs) == 0 {
		return Val{kind: k}
	}
	return Val{kind: k, bits: uint64(len(vs)), ref: unsafe.SliceData(vs)}
}

// CaseVal returns the case of a variant, numbered from 0, that has no payload.
func CaseVal(index uint32) Val { return Val{kind: KindVariant, bits: uint64(index)} }

// PayloadVal returns the case of a variant, numbered from 0, with its payload.
func PayloadVal(index uint32, payload Val) Val { return choice(KindVariant, index, &payload) }

// EnumVal returns the label of an enum, numbered from 0.
func EnumVal(index uint32) Val { return Val{kind: KindEnum, bits: uint64(index)} }

// NoneVal returns the empty option.
func NoneVal() Val { return Val{kind: KindOption} }

// SomeVal returns an option with a value.
func SomeVal(v Val) Val { return choice(KindOption, 1, &v) }

// OkVal returns the ok case of a result; ok is nil when it has no payload.
func OkVal(ok *Val) Val { return choice(KindResult, 0, ok) }

// ErrVal returns the error case of a result; err is nil when it has no payload.
func ErrVal(err *Val) Val { return choice(KindResult, 1, err) }

func choice(k Kind, index uint32, payload *Val) Val {
	v := Val{kind: k, bits: uint64(index)}
	if payload != nil {
		v.ref = payload
	}
	return v
}

// FlagsVal returns flags, the label numbered i being set if bit i%64 of word
// i/64 is. Missing words are zero.
func FlagsVal(words ...uint64) Val {
	switch len(words) {
	case 0:
		return Val{kind: KindFlags}
	case 1:
		return Val{kind: KindFlags, bits: words[0]}
	}
	return Val{kind: KindFlags, bits: uint64(len(words)), ref: unsafe.SliceData(words)}
}

// OwnVal returns an owned handle to the resource that rep represents.
func OwnVal(rep any) Val { return Val{kind: KindOwn, ref: rep} }

// BorrowVal returns a borrow handle to the resource that rep represents.
func BorrowVal(rep any) Val { return Val{kind: KindBorrow, ref: rep} }

// asyncVal returns a stream, future or error context.
func asyncVal(k Kind, v any) Val { return Val{kind: k, ref: v} }

// Kind returns the kind of type v is a value of; KindInvalid for the zero Val.
// A list of fixed length is of KindList.
func (v Val) Kind() Kind { return v.kind }

// Bool returns the value of a bool.
func (v Val) Bool() bool { return v.kind == KindBool && v.bits != 0 }

// Int returns the value of a signed or unsigned integer of up to 64 bits, or of
// a char; values of u64 above the range of int64 wrap.
func (v Val) Int() int64 { return int64(v.Uint()) }

// Uint returns the value of an integer of up to 64 bits or of a char; negative
// values wrap.
func (v Val) Uint() uint64 {
	if v.kind >= KindS8 && v.kind <= KindU64 || v.kind == KindChar {
		return v.bits
	}
	return 0
}

// Float returns the value of an f32 or f64.
func (v Val) Float() float64 {
	switch v.kind {
	case KindF32:
		return float64(math.Float32frombits(uint32(v.bits)))
	case KindF64:
		return math.Float64frombits(v.bits)
	}
	return 0
}

// Char returns the value of a char.
func (v Val) Char() rune {
	if v.kind == KindChar {
		return rune(v.bits)
	}
	return 0
}

// Str returns the value of a string.
func (v Val) Str() string {
	if p, ok := v.ref.(*byte); ok && v.kind == KindString {
		return unsafe.String(p, v.bits)
	}
	return ""
}

// Bytes returns the value of a list<u8>, which must not be written to.
func (v Val) Bytes() []byte { return Scalars[byte](v) }

// Scalars returns the elements of a list of scalars of type T without copying
// them; they must not be written to. The elements of a list<char> are int32.
// Lists made with [ListVal] give nil.
func Scalars[T Scalar](v Val) []T {
	if p, ok := v.ref.(*T); ok && v.kind == KindList {
		return unsafe.Slice(p, v.bits)
	}
	return nil
}

// Len returns the number of elements of a list, record or tuple.
func (v Val) Len() int {
	switch v.kind {
	case KindList, KindRecord, KindTuple:
		return int(v.bits)
	}
	return 0
}

// Elems returns the elements of a list, record or tuple. They are shared, and
// must not be written to, except that for a list of scalars they are made anew:
// prefer [Scalars] there.
func (v Val) Elems() []Val {
	switch v.kind {
	case KindList, KindRecord, KindTuple:
		if p, ok := v.ref.(*Val); ok {
			return unsafe.Slice(p, v.bits)
		}
		if v.ref != nil {
			return v.boxed()
		}
	}
	return nil
}

// Case returns the index of the case of a variant, enum, option or result.
func (v Val) Case() uint32 {
	switch v.kind {
	case KindVariant, KindEnum, KindOption, KindResult:
		return uint32(v.bits)
	}
	return 0
}

// Payload returns the payload of a case of a variant, option or result, and
// whether it has one.
func (v Val) Payload() (Val, bool) {
	switch v.kind {
	case KindVariant, KindOption, KindResult:
		if p, ok := v.ref.(*Val); ok {
			return *p, true
		}
	}
	return Val{}, false
}

// Flag reports whether the label numbered i is set.
func (v Val) Flag(i int) bool {
	return v.kind == KindFlags && v.flagWord(i/64)>>(i%64)&1 != 0
}

// flagWord returns the i-th 64 flags.
func (v Val) flagWord(i int) uint64 {
	if p, ok := v.ref.(*uint64); ok {
		if words := unsafe.Slice(p, v.bits); i < len(words) {
			return words[i]
		}
		return 0
	}
	if i == 0 {
		return v.bits
	}
	return 0
}

// Rep returns the representation behind a handle, or what stands for a stream,
// future or error context.
func (v Val) Rep() any {
	switch v.kind {
	case KindOwn, KindBorrow, KindStream, KindFuture, KindErrorContext:
		return v.ref
	}
	return nil
}

// Equal reports whether v and w are the same value, of the same kind all the way
// down. All NaNs are equal, representations are compared with ==, and a list of
// scalars equals one made of the same Vals.
func (v Val) Equal(w Val) bool {
	if v.kind != w.kind {
		return false
	}
	switch v.kind {
	case KindString:
		return v.Str() == w.Str()
	case KindList, KindRecord, KindTuple:
		if v.bits != w.bits {
			return false
		}
		ve, we := v.Elems(), w.Elems()
		for i := range ve {
			if !ve[i].Equal(we[i]) {
				return false
			}
		}
		return true
	case KindVariant, KindOption, KindResult:
		p, ok := v.Payload()
		q, has := w.Payload()
		return v.bits == w.bits && ok == has && p.Equal(q)
	case KindFlags:
		n := max(v.flagWords(), w.flagWords())
		for i := range n {
			if v.flagWord(i) != w.flagWord(i) {
				return false
			}
		}
		return true
	case KindOwn, KindBorrow, KindStream, KindFuture, KindErrorContext:
		return v.ref == w.ref
	}
	return v.bits == w.bits
}

func (v Val) flagWords() int {
	if v.ref != nil {
		return int(v.bits)
	}
	return 1
}

// String returns v for messages and logs, in the manner of WIT: names of
// fields, cases and labels are not known to a Val, so their numbers stand there.
func (v Val) String() string {
	switch v.kind {
	case KindInvalid:
		return "invalid"
	case KindBool:
		return fmt.Sprint(v.Bool())
	case KindS8, KindS16, KindS32, KindS64:
		return fmt.Sprint(v.Int())
	case KindU8, KindU16, KindU32, KindU64:
		return fmt.Sprint(v.Uint())
	case KindF32:
		return fmt.Sprint(float32(v.Float()))
	case KindF64:
		return fmt.Sprint(v.Float())
	case KindChar:
		return fmt.Sprintf("%q", v.Char())
	case KindString:
		return fmt.Sprintf("%q", v.Str())
	case KindList:
		return fmt.Sprint(v.Elems())
	case KindRecord, KindTuple:
		return fmt.Sprintf("%s%v", v.kind, v.Elems())
	case KindFlags:
		return fmt.Sprintf("flags(%#x)", v.flagWord(0))
	case KindVariant, KindEnum, KindOption, KindResult:
		if p, ok := v.Payload(); ok {
			return fmt.Sprintf("%s.%d(%v)", v.kind, v.bits, p)
		}
		return fmt.Sprintf("%s.%d", v.kind, v.bits)
	}
	return fmt.Sprintf("%s(%v)", v.kind, v.ref)
}
