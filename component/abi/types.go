package abi

import (
	"fmt"
	"strconv"
)

// Kind says which of the component model's value types a [Type] is.
type Kind uint8

// The kinds of value types. Tuples, enums, options and results keep their own
// kind, although the specification despecializes them into records and
// variants: their Go values and their WIT text differ.
const (
	KindInvalid Kind = iota
	KindBool
	KindS8
	KindU8
	KindS16
	KindU16
	KindS32
	KindU32
	KindS64
	KindU64
	KindF32
	KindF64
	KindChar
	KindString
	KindList
	KindFixedList
	KindRecord
	KindTuple
	KindVariant
	KindEnum
	KindOption
	KindResult
	KindFlags
	KindOwn
	KindBorrow
	KindErrorContext
	KindStream
	KindFuture
)

var kindNames = [...]string{
	KindInvalid: "invalid", KindBool: "bool", KindS8: "s8", KindU8: "u8",
	KindS16: "s16", KindU16: "u16", KindS32: "s32", KindU32: "u32",
	KindS64: "s64", KindU64: "u64", KindF32: "f32", KindF64: "f64",
	KindChar: "char", KindString: "string", KindList: "list",
	KindFixedList: "fixed-length list", KindRecord: "record",
	KindTuple: "tuple", KindVariant: "variant", KindEnum: "enum",
	KindOption: "option", KindResult: "result", KindFlags: "flags",
	KindOwn: "own", KindBorrow: "borrow", KindErrorContext: "error-context",
	KindStream: "stream", KindFuture: "future",
}

// String returns the WIT keyword of k.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "kind(" + strconv.Itoa(int(k)) + ")"
}

// A Type is a component-level value type together with its layout. Types are
// made by the constructors of this package, and are immutable and safe for
// concurrent use from then on; sharing one Type between several others is
// expected. Equality is structural and found with [Equal], never with ==.
type Type struct {
	Kind Kind

	// Fields are the fields of a record or tuple in order, with their offsets.
	// The fields of a tuple have no names.
	Fields []Field
	// Cases are the cases of a variant, option ("none", "some") or result
	// ("ok", "error") in order of their discriminants.
	Cases []Case
	// Names are the labels of an enum or flags in order.
	Names []string
	// Elem is the element of a list, fixed-length list, stream or future; it is
	// nil for a stream or future without payload.
	Elem *Type
	// Len is the length of a fixed-length list.
	Len uint32
	// Resource is the resource type of an own or borrow handle.
	Resource *Resource

	// Size and Align, in bytes, are the elem_size and alignment of the type in
	// a 32-bit memory.
	Size, Align uint32
	// FlatCount is the number of core values the type flattens to. Counts
	// above MaxFlatParams are reported as MaxFlatParams+1: such a value always
	// travels through memory.
	FlatCount int
	// Flat is the flattened type; nil when FlatCount exceeds MaxFlatParams.
	Flat []CoreType
	// DiscSize is the size in bytes of the discriminant of a variant, enum,
	// option or result, and PayloadOffset where the payload of its cases lies.
	DiscSize, PayloadOffset uint32

	// plain: every bit pattern of the memory image is a value of the type, no
	// byte of it is padding, and equal images mean equal values (save that NaNs
	// have many). Such values are moved as bytes.
	plain bool
	// pointers: lowering the type can call realloc.
	pointers bool
	// handles: the type contains own or borrow handles, or async ones.
	handles bool
	borrows bool
	// owns: values of the type contain own handles, to be lowered or dropped.
	owns bool
	// wideSize and wideAlign are what Size and Align would be in a 64-bit memory,
	// where validation measures types.
	wideSize, wideAlign uint32
	depth               int
	err                 error
}

// A Field is one named field of a record, one element of a tuple (without a
// name), or one parameter of a function.
type Field struct {
	Name string
	Type *Type
	// Offset is the field's distance in bytes from the start of the record. The
	// constructors set it; callers leave it zero.
	Offset uint32
}

// A Case is one alternative of a variant. Type is nil when it has no payload.
type Case struct {
	Name string
	Type *Type
}

// A Resource is a resource type. Its identity is its address: two resource
// types are the same only if they are the same *Resource.
type Resource struct {
	// Name is for messages and WIT text only.
	Name string
	// Drop is called with the representation of an owned handle of a resource
	// implemented by the host when the guest drops it, or when the table that
	// holds it is reset. Nil means nothing needs doing. It must not call back
	// into the table the handle came from.
	Drop func(rep any)
	// Data belongs to the runtime, which keeps there what it needs to know of
	// a resource type defined by a guest.
	Data any
}

// String returns the name of r.
func (r *Resource) String() string {
	if r == nil {
		return "resource"
	}
	return r.Name
}

// The primitive types.
var (
	Bool         = primitive(KindBool, 1, I32)
	S8           = primitive(KindS8, 1, I32)
	U8           = primitive(KindU8, 1, I32)
	S16          = primitive(KindS16, 2, I32)
	U16          = primitive(KindU16, 2, I32)
	S32          = primitive(KindS32, 4, I32)
	U32          = primitive(KindU32, 4, I32)
	S64          = primitive(KindS64, 8, I64)
	U64          = primitive(KindU64, 8, I64)
	F32          = primitive(KindF32, 4, F32Core)
	F64          = primitive(KindF64, 8, F64Core)
	Char         = primitive(KindChar, 4, I32)
	String       = pointerPair(KindString)
	ErrorContext = handle(KindErrorContext)
)

// List returns list<elem>.
func List(elem *Type) *Type {
	t := pointerPair(KindList)
	t.Elem = elem
	t.contain(elem)
	return t
}

// FixedList returns list<elem, n>, whose elements lie in place.
func FixedList(elem *Type, n uint32) *Type {
	t := &Type{Kind: KindFixedList, Elem: elem, Len: n}
	t.contain(elem)
	t.layoutFixedList()
	return t
}

// Record returns a record of the given fields; their offsets are computed.
func Record(fields ...Field) *Type {
	t := &Type{Kind: KindRecord, Fields: append([]Field(nil), fields...)}
	t.checkNames(len(fields), func(i int) string { return fields[i].Name })
	t.layoutFields()
	return t
}

// Tuple returns tuple<types...>.
func Tuple(types ...*Type) *Type {
	t := &Type{Kind: KindTuple, Fields: make([]Field, len(types))}
	for i, e := range types {
		t.Fields[i].Type = e
	}
	t.layoutFields()
	return t
}

// Variant returns a variant of the given cases.
func Variant(cases ...Case) *Type {
	t := &Type{Kind: KindVariant, Cases: append([]Case(nil), cases...)}
	t.checkNames(len(cases), func(i int) string { return cases[i].Name })
	t.layoutCases(len(cases))
	return t
}

// Enum returns an enum of the given labels.
func Enum(labels ...string) *Type {
	t := &Type{Kind: KindEnum, Names: append([]string(nil), labels...)}
	t.checkNames(len(labels), func(i int) string { return labels[i] })
	t.layoutCases(len(labels))
	return t
}

// Option returns option<some>.
func Option(some *Type) *Type {
	t := &Type{Kind: KindOption, Cases: []Case{{Name: "none"}, {Name: "some", Type: some}}}
	if some == nil {
		t.fail("option without a type")
	}
	t.layoutCases(2)
	return t
}

// Result returns result<ok, err>; either may be nil for no payload.
func Result(ok, err *Type) *Type {
	t := &Type{Kind: KindResult, Cases: []Case{{Name: "ok", Type: ok}, {Name: "error", Type: err}}}
	t.layoutCases(2)
	return t
}

// Flags returns flags with the given labels. More than 32 labels, which the
// current specification no longer admits, take one 32-bit word for every 32.
func Flags(labels ...string) *Type {
	t := &Type{Kind: KindFlags, Names: append([]string(nil), labels...)}
	t.checkNames(len(labels), func(i int) string { return labels[i] })
	t.layoutFlags()
	return t
}

// Own returns own<r>, a handle that transfers ownership.
func Own(r *Resource) *Type {
	t := handle(KindOwn)
	t.Resource = r
	t.owns = true
	return t
}

// Borrow returns borrow<r>, a handle lent for the duration of a call.
func Borrow(r *Resource) *Type {
	t := handle(KindBorrow)
	t.Resource = r
	t.borrows = true
	return t
}

// Stream returns stream<elem>; elem is nil for a stream without payload.
func Stream(elem *Type) *Type {
	t := handle(KindStream)
	t.Elem = elem
	t.containAsync(elem)
	return t
}

// Future returns future<elem>; elem is nil for a future without payload.
func Future(elem *Type) *Type {
	t := handle(KindFuture)
	t.Elem = elem
	t.containAsync(elem)
	return t
}

// Err reports why t cannot be used: a size over [MaxTypeSize], nesting over
// [MaxTypeDepth], a record without fields, a repeated name. A type that
// contains a faulty one is faulty as well, so that code which builds types from
// untrusted component definitions needs to ask only once, at the outermost
// type. The layout of a faulty type is meaningless.
func (t *Type) Err() error { return t.err }

// HasPointers reports whether values of the type own memory outside their own
// layout, so that lifting needs a memory and lowering needs realloc.
func (t *Type) HasPointers() bool { return t.pointers }

// HasHandles reports whether values of the type contain resource handles,
// streams, futures or error contexts.
func (t *Type) HasHandles() bool { return t.handles }

// HasBorrows reports whether values of the type contain borrow handles, which
// the results of functions must not.
func (t *Type) HasBorrows() bool { return t.borrows }

// Plain reports whether values of the type can be moved between memories as
// bytes: no bit pattern is invalid, no byte is padding, nothing points
// elsewhere.
func (t *Type) Plain() bool { return t.plain }

func (t *Type) fail(format string, args ...any) {
	if t.err == nil {
		t.err = fmt.Errorf("%s type: %w", t.Kind, fmt.Errorf(format, args...))
	}
}

// contain makes t inherit what is transitive over the types it is built from.
func (t *Type) contain(u *Type) {
	if u == nil {
		t.fail("component type missing")
		return
	}
	t.pointers = t.pointers || u.pointers
	t.handles = t.handles || u.handles
	t.borrows = t.borrows || u.borrows
	t.owns = t.owns || u.owns
	if t.depth < u.depth+1 {
		t.depth = u.depth + 1
	}
	if t.err == nil {
		t.err = u.err
	}
	if t.depth > MaxTypeDepth {
		t.fail("nested more than %d levels deep", MaxTypeDepth)
	}
}

// containAsync is contain for the payload of a stream or future, whose values
// are not part of the handle's own value.
func (t *Type) containAsync(u *Type) {
	if u == nil {
		return
	}
	if u.borrows {
		t.fail("payload contains borrow handles")
	}
	pointers, owns := t.pointers, t.owns
	t.contain(u)
	t.pointers, t.owns = pointers, owns
}

// checkNames refuses empty and repeated names. Case matters as little as it
// does to the component model: names are told apart by validation, which is
// stricter; this check only keeps values addressable by name.
func (t *Type) checkNames(n int, name func(int) string) {
	if n == 0 {
		t.fail("must not be empty")
		return
	}
	seen := make(map[string]struct{}, n)
	for i := range n {
		s := name(i)
		if s == "" {
			t.fail("name %d is empty", i)
		}
		if _, dup := seen[s]; dup {
			t.fail("name %q appears twice", s)
		}
		seen[s] = struct{}{}
	}
}
