package binary

import "fmt"

// CoreTypeDef appends to the index space of core types: either one group of
// core types that may refer to each other, or one core module type.
//
// Binary.md, section Type Definitions, "core:type".
type CoreTypeDef struct {
	At
	Rec    []CoreSubtype   // usually one; each has an index of its own
	Module *CoreModuleType // nil when Rec counts
}

// Adds implements Def.
func (c *CoreTypeDef) Adds() (Sort, int) {
	if c.Module != nil {
		return SortCoreType, 1
	}
	return SortCoreType, len(c.Rec)
}

// CoreSubtype is a core type with its place in the subtype hierarchy. Exactly
// one of Func, Struct and Array is set.
type CoreSubtype struct {
	Final      bool     // no type may name it as its supertype
	Supertypes []uint32 // indices among the core types
	Func       *CoreFuncType
	Struct     *CoreStructType
	Array      *CoreFieldType
}

// CoreFuncType is the type of a core function.
type CoreFuncType struct{ Params, Results []CoreValType }

// CoreStructType is the type of a garbage-collected structure.
type CoreStructType struct{ Fields []CoreFieldType }

// CoreFieldType is the type of a field of a structure or of the elements of an
// array.
type CoreFieldType struct {
	Type    CoreValType // also CoreI8 and CoreI16
	Mutable bool
}

// CoreKind is the kind of a core value type. The number is the byte that
// stands for it in the binary format.
type CoreKind uint8

// The kinds of core value types.
const (
	CoreI32  CoreKind = 0x7f
	CoreI64  CoreKind = 0x7e
	CoreF32  CoreKind = 0x7d
	CoreF64  CoreKind = 0x7c
	CoreV128 CoreKind = 0x7b
	CoreI8   CoreKind = 0x78 // in fields only
	CoreI16  CoreKind = 0x77 // in fields only
	CoreRef  CoreKind = 0x64 // a reference; Heap and Nullable count
)

// CoreValType is a core value type.
type CoreValType struct {
	Kind     CoreKind
	Nullable bool
	Heap     HeapType
}

// HeapType is what a reference refers to: an index among the core types when
// it is not negative, else one of the abstract heap types, whose numbers are
// those of the binary format.
type HeapType int64

// The abstract heap types.
const (
	HeapNoExn    HeapType = -0x0c
	HeapNoFunc   HeapType = -0x0d
	HeapNoExtern HeapType = -0x0e
	HeapNone     HeapType = -0x0f
	HeapFunc     HeapType = -0x10
	HeapExtern   HeapType = -0x11
	HeapAny      HeapType = -0x12
	HeapEq       HeapType = -0x13
	HeapI31      HeapType = -0x14
	HeapStruct   HeapType = -0x15
	HeapArray    HeapType = -0x16
	HeapExn      HeapType = -0x17
)

// String gives the type as the text format spells it, with numbers for heap
// types.
func (t CoreValType) String() string {
	switch t.Kind {
	case CoreI32:
		return "i32"
	case CoreI64:
		return "i64"
	case CoreF32:
		return "f32"
	case CoreF64:
		return "f64"
	case CoreV128:
		return "v128"
	case CoreI8:
		return "i8"
	case CoreI16:
		return "i16"
	case CoreRef:
		switch {
		case t.Nullable && t.Heap == HeapFunc:
			return "funcref"
		case t.Nullable && t.Heap == HeapExtern:
			return "externref"
		case t.Nullable:
			return fmt.Sprintf("(ref null %d)", t.Heap)
		}
		return fmt.Sprintf("(ref %d)", t.Heap)
	}
	return fmt.Sprintf("valtype(%#x)", uint8(t.Kind))
}

// CoreModuleType is the type of a core module. It has an index space of core
// types of its own, which starts empty and to which its CoreTypeDef and
// AliasOuter declarators append.
type CoreModuleType struct{ Decls []CoreModuleDecl }

// CoreModuleDecl is a declarator of a core module type. Exactly one of its
// fields is set.
type CoreModuleDecl struct {
	Import *CoreImport
	Export *CoreExportType
	Type   *CoreTypeDef
	Alias  *AliasOuter // always of SortCoreType
}

// CoreImport is an import of a core module.
type CoreImport struct {
	Module, Name string
	Type         CoreExternType
}

// CoreExportType is an export of a core module with its type.
type CoreExportType struct {
	Name string
	Type CoreExternType
}

// CoreExternType is the type of an import or export of a core module. Which of
// the fields count depends on Sort:
//
//   - SortCoreFunc, SortCoreTag: Func is the index of a core function type
//   - SortCoreTable: Value is the type of the elements, Limits their number
//   - SortCoreMemory: Limits is the number of pages
//   - SortCoreGlobal: Value and Mutable
type CoreExternType struct {
	Sort    Sort
	Func    uint32
	Value   CoreValType
	Mutable bool
	Limits  CoreLimits
}

// CoreLimits is the size range of a table, in elements, or memory, in pages.
type CoreLimits struct {
	Min, Max     uint64 // Max counts only when HasMax
	HasMax       bool
	Shared       bool
	Is64         bool  // indexed by i64
	PageSizeLog2 uint8 // 16 unless the custom-page-sizes proposal is used; 0 for tables
}
