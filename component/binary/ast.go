package binary

import "fmt"

// Component is one decoded component, outermost or nested.
//
// Binary.md, section Component Definitions.
type Component struct {
	// Defs holds the definitions of all sections in order of appearance. The
	// index spaces are made by walking it and asking each Def what it Adds.
	Defs []Def

	// Customs holds the custom sections of this component itself, not those
	// of nested components or core modules, in order of appearance.
	Customs []Custom

	// Offset and Size say where the component's bytes, preamble included, lie
	// in the outermost input.
	Offset, Size int

	// NewerForms names the forms met in this component, or in anything nested
	// in it, that the validator of Wasmtime 39 does not know or has switched
	// off. When there are any, that validator's refusal proves nothing. Each
	// is listed once, in order of first appearance.
	NewerForms []Form
}

// Custom is a custom section. Its data is a part of the input, not a copy.
type Custom struct {
	Name   string
	Data   []byte
	Offset int // of Data in the outermost input
}

// A Sort names one of the index spaces of a component. The core sorts come
// first; IsCore tells them apart.
//
// Explainer.md, section Index Spaces.
type Sort uint8

// The sorts. The numbers are ours: the binary format needs two bytes to name a
// core sort inside a component.
const (
	SortCoreFunc Sort = iota
	SortCoreTable
	SortCoreMemory
	SortCoreGlobal
	SortCoreTag
	SortCoreType
	SortCoreModule
	SortCoreInstance
	SortFunc
	SortValue
	SortType
	SortComponent
	SortInstance

	// NumSorts is the number of sorts, for arrays indexed by Sort.
	NumSorts
)

var sortNames = [NumSorts]string{
	"core func", "core table", "core memory", "core global", "core tag",
	"core type", "core module", "core instance",
	"func", "value", "type", "component", "instance",
}

// String gives the sort as the text format spells it.
func (s Sort) String() string {
	if s < NumSorts {
		return sortNames[s]
	}
	return fmt.Sprintf("sort(%d)", uint8(s))
}

// IsCore reports whether s is a sort of core WebAssembly.
func (s Sort) IsCore() bool { return s <= SortCoreInstance }

// Def is one definition of a component, or one declarator of a component or
// instance type. The concrete types are all in this package:
//
//   - *CoreModule, *CoreInstantiate, *CoreInlineExports, *CoreTypeDef
//   - *NestedComponent, *Instantiate, *InlineExports
//   - *AliasExport, *AliasCoreExport, *AliasOuter
//   - *TypeDef
//   - *CanonLift, *CanonLower, *CanonResourceNew, *CanonResourceDrop,
//     *CanonResourceRep, *CanonBuiltin
//   - *Start, *Value, *Import, *Export
//   - *ExportDecl, in component and instance types only
type Def interface {
	// Pos is the byte offset of the definition in the outermost input.
	Pos() int

	// Adds tells which index space the definition appends to and how many
	// entries it appends. The number is 1, except for a group of recursive
	// core types and for a start definition, which may add any number.
	Adds() (Sort, int)

	isDef()
}

// At is the byte offset of a definition in the outermost input.
type At int

// Pos returns the offset.
func (a At) Pos() int { return int(a) }

func (At) isDef() {}

// CoreModule is a core module held in the component. Its index space is
// SortCoreModule.
type CoreModule struct {
	At
	Bytes []byte // the whole module with its preamble; a part of the input, not a copy
}

// Adds implements Def.
func (*CoreModule) Adds() (Sort, int) { return SortCoreModule, 1 }

// CoreInstantiate makes a core instance by instantiating a core module.
//
// Binary.md, section Instance Definitions.
type CoreInstantiate struct {
	At
	Module uint32 // index among the core modules
	Args   []CoreArg
}

// CoreArg supplies the imports of a core module that have Name as their first
// name with the exports of a core instance.
type CoreArg struct {
	Name     string
	Instance uint32 // index among the core instances
}

// Adds implements Def.
func (*CoreInstantiate) Adds() (Sort, int) { return SortCoreInstance, 1 }

// CoreInlineExports makes a core instance out of definitions that exist
// already.
type CoreInlineExports struct {
	At
	Exports []CoreExport
}

// CoreExport is one entry of CoreInlineExports.
type CoreExport struct {
	Name  string
	Sort  Sort // a core sort
	Index uint32
}

// Adds implements Def.
func (*CoreInlineExports) Adds() (Sort, int) { return SortCoreInstance, 1 }

// NestedComponent is a component defined inside another one.
type NestedComponent struct {
	At
	*Component
}

// Adds implements Def.
func (*NestedComponent) Adds() (Sort, int) { return SortComponent, 1 }

// Instantiate makes an instance by instantiating a component.
type Instantiate struct {
	At
	Component uint32 // index among the components
	Args      []Arg
}

// Arg supplies the import called Name of a component.
type Arg struct {
	Name  string
	Sort  Sort
	Index uint32
}

// Adds implements Def.
func (*Instantiate) Adds() (Sort, int) { return SortInstance, 1 }

// InlineExports makes an instance out of definitions that exist already.
type InlineExports struct {
	At
	Exports []InlineExport
}

// InlineExport is one entry of InlineExports.
type InlineExport struct {
	Name  ExternName
	Sort  Sort
	Index uint32
}

// Adds implements Def.
func (*InlineExports) Adds() (Sort, int) { return SortInstance, 1 }

// AliasExport brings an export of an instance into the index space of its sort.
//
// Binary.md, section Alias Definitions.
type AliasExport struct {
	At
	Sort     Sort   // any sort that a component can export
	Instance uint32 // index among the instances
	Name     string
}

// Adds implements Def.
func (a *AliasExport) Adds() (Sort, int) { return a.Sort, 1 }

// AliasCoreExport brings an export of a core instance into the index space of
// its sort.
type AliasCoreExport struct {
	At
	Sort     Sort   // a core sort
	Instance uint32 // index among the core instances
	Name     string
}

// Adds implements Def.
func (a *AliasCoreExport) Adds() (Sort, int) { return a.Sort, 1 }

// AliasOuter brings a definition of an enclosing scope into this one. Scopes
// are components, component types, instance types and core module types.
type AliasOuter struct {
	At
	Sort  Sort   // SortCoreModule, SortCoreType, SortType or SortComponent
	Count uint32 // how many scopes outwards; 0 is the current one
	Index uint32 // index in that scope, as long as the scope was at this point
}

// Adds implements Def.
func (a *AliasOuter) Adds() (Sort, int) { return a.Sort, 1 }

// Start calls a function when the component is instantiated.
//
// Binary.md, section Start Definitions.
type Start struct {
	At
	Func    uint32   // index among the functions
	Args    []uint32 // indices among the values
	Results uint32   // number of values the function yields
}

// Adds implements Def.
func (s *Start) Adds() (Sort, int) { return SortValue, int(s.Results) }

// Value is a constant. Its encoding depends on its type and is left undecoded.
//
// Binary.md, section Value Definitions.
type Value struct {
	At
	Type ValType
	Data []byte // a part of the input, not a copy
}

// Adds implements Def.
func (*Value) Adds() (Sort, int) { return SortValue, 1 }

// Import is an import of a component, or the import declarator of a component
// type.
//
// Binary.md, section Import and Export Definitions.
type Import struct {
	At
	Name ExternName
	Desc ExternDesc
}

// Adds implements Def.
func (i *Import) Adds() (Sort, int) { return i.Desc.Sort, 1 }

// Export is an export of a component. It also appends the exported definition,
// under the type it is exported with, to the index space of its sort.
type Export struct {
	At
	Name  ExternName
	Sort  Sort
	Index uint32
	Desc  *ExternDesc // the ascribed type; nil when it is the definition's own
}

// Adds implements Def.
func (e *Export) Adds() (Sort, int) { return e.Sort, 1 }

// ExportDecl is the export declarator of a component or instance type. It
// appends to the index space of its sort within that type.
type ExportDecl struct {
	At
	Name ExternName
	Desc ExternDesc
}

// Adds implements Def.
func (e *ExportDecl) Adds() (Sort, int) { return e.Desc.Sort, 1 }

// ExternDesc is the type of an import or export, "externtype" in Binary.md.
// Which of the fields count depends on Sort:
//
//   - SortCoreModule: Index is a core type, which is a module type
//   - SortFunc, SortComponent, SortInstance: Index is a type
//   - SortType: Bound is BoundEq, and Index is a type, or BoundSubResource
//   - SortValue: Bound is BoundEq, and Index is a value, or BoundValType, and
//     Type is the value's type
type ExternDesc struct {
	Sort  Sort
	Bound Bound
	Index uint32
	Type  ValType
}

// Bound says how an ExternDesc of a type or value restricts it.
type Bound uint8

// The bounds, "typebound" and "valuebound" in Binary.md.
const (
	BoundNone        Bound = iota // for all sorts but types and values
	BoundEq                       // exactly the type or value with the index
	BoundSubResource              // a fresh abstract resource type
	BoundValType                  // a value of the type
)

// OptIndex is an index that may be absent. The zero value is absent.
type OptIndex struct {
	Index   uint32
	Present bool
}
