package cwasm

import (
	"fmt"
	"slices"
	"strings"
)

// ValKind is the type of one core value. The numbers are the engine's own.
type ValKind uint8

// The core value types a module can use under the features this package
// enables.
const (
	I32       ValKind = 0
	I64       ValKind = 1
	F32       ValKind = 2
	F64       ValKind = 3
	V128      ValKind = 4
	ExternRef ValKind = 128
	FuncRef   ValKind = 129
)

// String returns the name the text format uses.
func (k ValKind) String() string {
	switch k {
	case I32:
		return "i32"
	case I64:
		return "i64"
	case F32:
		return "f32"
	case F64:
		return "f64"
	case V128:
		return "v128"
	case ExternRef:
		return "externref"
	case FuncRef:
		return "funcref"
	}
	return fmt.Sprintf("valkind(%d)", uint8(k))
}

// FuncType is the type of a core function.
type FuncType struct {
	Params, Results []ValKind
}

// Arity is the number of [Raw] values a call of the function needs: its
// parameters and its results share one array.
func (t FuncType) Arity() int { return max(len(t.Params), len(t.Results)) }

// Equal reports whether the two types are the same type.
func (t FuncType) Equal(u FuncType) bool {
	return slices.Equal(t.Params, u.Params) && slices.Equal(t.Results, u.Results)
}

// known reports whether every kind is one the engine can be told of; others
// make it abort the process.
func (t FuncType) known() bool {
	odd := func(k ValKind) bool { return k > V128 && k != ExternRef && k != FuncRef }
	return !slices.ContainsFunc(t.Params, odd) && !slices.ContainsFunc(t.Results, odd)
}

// String returns the type as the text format writes it.
func (t FuncType) String() string {
	var b strings.Builder
	b.WriteString("(func")
	list := func(word string, kinds []ValKind) {
		if len(kinds) == 0 {
			return
		}
		b.WriteString(" (" + word)
		for _, k := range kinds {
			b.WriteString(" " + k.String())
		}
		b.WriteString(")")
	}
	list("param", t.Params)
	list("result", t.Results)
	b.WriteString(")")
	return b.String()
}

// ExternKind says what an import or export is.
type ExternKind uint8

// The kinds of import and export.
const (
	ExternFunc ExternKind = iota
	ExternGlobal
	ExternTable
	ExternMemory
)

// String returns the name the text format uses.
func (k ExternKind) String() string {
	switch k {
	case ExternFunc:
		return "func"
	case ExternGlobal:
		return "global"
	case ExternTable:
		return "table"
	case ExternMemory:
		return "memory"
	}
	return fmt.Sprintf("externkind(%d)", uint8(k))
}

// MemoryType is the size of a linear memory in pages of 64 KiB.
type MemoryType struct {
	Min    uint64
	Max    uint64 // meaningful when HasMax is set
	HasMax bool
}

// TableType is the element type and size of a table, in elements.
type TableType struct {
	Elem   ValKind
	Min    uint64
	Max    uint64 // meaningful when HasMax is set
	HasMax bool
}

// GlobalType is the type of a global.
type GlobalType struct {
	Content ValKind
	Mutable bool
}

// ExternType is the type of an import or export. The pointer that belongs to
// Kind is set, the others are nil.
type ExternType struct {
	Kind   ExternKind
	Func   *FuncType
	Memory *MemoryType
	Table  *TableType
	Global *GlobalType
}

// ImportType describes one import of a module.
type ImportType struct {
	Module, Name string
	ExternType
}

// ExportType describes one export of a module.
type ExportType struct {
	Name string
	ExternType
}

// String returns the type as the text format writes it.
func (t ExternType) String() string {
	switch t.Kind {
	case ExternFunc:
		return t.Func.String()
	case ExternGlobal:
		if t.Global.Mutable {
			return fmt.Sprintf("(global (mut %s))", t.Global.Content)
		}
		return fmt.Sprintf("(global %s)", t.Global.Content)
	case ExternTable:
		return fmt.Sprintf("(table %s %s)", limits(t.Table.Min, t.Table.Max, t.Table.HasMax), t.Table.Elem)
	case ExternMemory:
		return fmt.Sprintf("(memory %s)", limits(t.Memory.Min, t.Memory.Max, t.Memory.HasMax))
	}
	return t.Kind.String()
}

func limits(low, high uint64, has bool) string {
	if has {
		return fmt.Sprintf("%d %d", low, high)
	}
	return fmt.Sprint(low)
}

// Matches reports whether something of type t can be imported as want: whether t
// is a subtype of want, as WebAssembly's section Import Matching has it for the
// types known here.
func (t ExternType) Matches(want ExternType) bool {
	if t.Kind != want.Kind {
		return false
	}
	within := func(low, high uint64, has bool, wantLow, wantHigh uint64, wantHas bool) bool {
		return low >= wantLow && (!wantHas || has && high <= wantHigh)
	}
	switch t.Kind {
	case ExternFunc:
		return t.Func.Equal(*want.Func)
	case ExternGlobal:
		return *t.Global == *want.Global
	case ExternTable:
		a, b := t.Table, want.Table
		return a.Elem == b.Elem && within(a.Min, a.Max, a.HasMax, b.Min, b.Max, b.HasMax)
	case ExternMemory:
		a, b := t.Memory, want.Memory
		return within(a.Min, a.Max, a.HasMax, b.Min, b.Max, b.HasMax)
	}
	return false
}
