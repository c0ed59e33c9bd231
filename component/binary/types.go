package binary

import "fmt"

// TypeDef appends a type to the index space of types.
//
// Binary.md, section Type Definitions.
type TypeDef struct {
	At
	Type DefType
}

// Adds implements Def.
func (*TypeDef) Adds() (Sort, int) { return SortType, 1 }

// PrimType is a primitive value type. Its number is the byte that stands for it
// in the binary format.
type PrimType uint8

// The primitive value types.
const (
	Bool         PrimType = 0x7f
	S8           PrimType = 0x7e
	U8           PrimType = 0x7d
	S16          PrimType = 0x7c
	U16          PrimType = 0x7b
	S32          PrimType = 0x7a
	U32          PrimType = 0x79
	S64          PrimType = 0x78
	U64          PrimType = 0x77
	F32          PrimType = 0x76
	F64          PrimType = 0x75
	Char         PrimType = 0x74
	String       PrimType = 0x73
	ErrorContext PrimType = 0x64
)

// String gives the type as the text format spells it.
func (p PrimType) String() string {
	switch p {
	case Bool:
		return "bool"
	case S8:
		return "s8"
	case U8:
		return "u8"
	case S16:
		return "s16"
	case U16:
		return "u16"
	case S32:
		return "s32"
	case U32:
		return "u32"
	case S64:
		return "s64"
	case U64:
		return "u64"
	case F32:
		return "f32"
	case F64:
		return "f64"
	case Char:
		return "char"
	case String:
		return "string"
	case ErrorContext:
		return "error-context"
	}
	return fmt.Sprintf("primitive(%#x)", uint8(p))
}

// ValType is the type of a value: a primitive type, or a reference to a type
// defined earlier in the same scope.
type ValType struct {
	Prim  PrimType // 0 when the type is given by Index
	Index uint32   // index among the types; counts only when Prim is 0
}

// IsIndex reports whether the type is given by an index.
func (v ValType) IsIndex() bool { return v.Prim == 0 }

// DefType is what a type index can stand for. The concrete types are PrimDef,
// the pointers *RecordType, *VariantType, *ListType, *FixedListType,
// *TupleType, *FlagsType, *EnumType, *OptionType, *ResultType, *OwnType,
// *BorrowType, *StreamType, *FutureType and *MapType, which together are the
// types of values, and *FuncType, *ComponentType, *InstanceType and
// *ResourceType.
type DefType interface{ isDefType() }

// PrimDef gives a primitive type an index of its own.
type PrimDef struct{ Prim PrimType }

// RecordType is a sequence of one or more named fields.
type RecordType struct{ Fields []Field }

// Field is a field of a record or a parameter of a function.
type Field struct {
	Label string
	Type  ValType
}

// VariantType is a choice among one or more cases.
type VariantType struct{ Cases []Case }

// Case is a case of a variant.
type Case struct {
	Label string
	Type  *ValType // nil when the case has no payload
}

// ListType is a list of any length.
type ListType struct{ Elem ValType }

// FixedListType is a list of Len elements, at least one.
type FixedListType struct {
	Elem ValType
	Len  uint32
}

// TupleType is a sequence of one or more unnamed fields.
type TupleType struct{ Types []ValType }

// FlagsType is a set of named bits, at least one.
type FlagsType struct{ Labels []string }

// EnumType is a choice among one or more cases without payload.
type EnumType struct{ Labels []string }

// OptionType is a value that may be absent.
type OptionType struct{ Elem ValType }

// ResultType is success or failure, each with or without a payload.
type ResultType struct{ OK, Err *ValType }

// OwnType is an owning handle to a resource type.
type OwnType struct{ Resource uint32 }

// BorrowType is a handle to a resource type, lent for the time of a call.
type BorrowType struct{ Resource uint32 }

// StreamType is the readable end of a stream; Elem is nil when the elements
// carry no data.
type StreamType struct{ Elem *ValType }

// FutureType is the readable end of a future; Elem is nil when it carries no
// data.
type FutureType struct{ Elem *ValType }

// MapType is a list of pairs with distinct keys.
type MapType struct{ Key, Value ValType }

// FuncType is the type of a component function.
type FuncType struct {
	Async  bool // the function may block; the flag is a part of the type
	Params []Field
	Result *ValType // nil when there is none
}

// ComponentType is the type of a component: its imports and exports, and the
// types needed to tell theirs. It has index spaces of its own, which start
// empty. Its declarators are *CoreTypeDef, *TypeDef, *AliasExport, *AliasOuter,
// *Import and *ExportDecl.
type ComponentType struct{ Decls []Def }

// InstanceType is the type of an instance: its exports, and the types needed
// to tell theirs. It has index spaces of its own, which start empty. Its
// declarators are those of ComponentType without *Import.
type InstanceType struct{ Decls []Def }

// ResourceType is a resource type of this component's own.
type ResourceType struct {
	Rep  CoreValType // representation
	Dtor OptIndex    // destructor, an index among the core functions
}

func (PrimDef) isDefType()        {}
func (*RecordType) isDefType()    {}
func (*VariantType) isDefType()   {}
func (*ListType) isDefType()      {}
func (*FixedListType) isDefType() {}
func (*TupleType) isDefType()     {}
func (*FlagsType) isDefType()     {}
func (*EnumType) isDefType()      {}
func (*OptionType) isDefType()    {}
func (*ResultType) isDefType()    {}
func (*OwnType) isDefType()       {}
func (*BorrowType) isDefType()    {}
func (*StreamType) isDefType()    {}
func (*FutureType) isDefType()    {}
func (*MapType) isDefType()       {}
func (*FuncType) isDefType()      {}
func (*ComponentType) isDefType() {}
func (*InstanceType) isDefType()  {}
func (*ResourceType) isDefType()  {}
