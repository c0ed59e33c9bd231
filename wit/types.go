package wit

// Type is a type as written where a value is declared: a [Primitive], *[Ref],
// *[List], *[Option], *[Result], *[Tuple], *[Own], *[Borrow], *[Stream] or
// *[Future]; and, as the body of a [TypeDef] only, a *[Record], *[Variant],
// *[Enum], *[Flags] or *[Resource].
type Type interface{ isType() }

// Primitive is a type without parts.
type Primitive uint8

// The primitive types.
const (
	Bool Primitive = iota
	S8
	U8
	S16
	U16
	S32
	U32
	S64
	U64
	F32
	F64
	Char
	String
	ErrorContext
)

var primitiveNames = [...]string{
	"bool", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64",
	"f32", "f64", "char", "string", "error-context",
}

// String gives the keyword of the primitive.
func (p Primitive) String() string { return primitiveNames[p] }

// Ref is a use of a named type that is not a resource.
type Ref struct {
	Pos  Pos
	Name string   // as written
	Def  *TypeDef // what the name means; never nil in a loaded Set
}

// List is a sequence of values.
type List struct {
	Elem Type
	Len  uint32 // the fixed length of list<T, N>; 0 if it is open
}

// Option is a value that may be missing.
type Option struct{ Elem Type }

// Result is a success or a failure, either with or without a payload.
type Result struct {
	OK  Type // nil if there is no payload
	Err Type // nil if there is no payload
}

// Tuple is a record with numbered fields.
type Tuple struct{ Types []Type }

// Own is a handle that owns its resource. Resource.Def may be an alias: its
// Target is the resource.
type Own struct{ Resource *Ref }

// Borrow is a handle lent for the length of a call.
type Borrow struct{ Resource *Ref }

// Stream is the readable end of an asynchronous sequence.
type Stream struct{ Elem Type } // Elem is nil for a bare stream

// Future is the readable end of one asynchronous value.
type Future struct{ Elem Type } // Elem is nil for a bare future

// Record is a product of named fields, of which there is at least one.
type Record struct{ Fields []Field }

// Field is one field of a record.
type Field struct {
	Pos  Pos
	Docs string
	Name string
	Type Type
}

// Variant is a sum of named cases, of which there is at least one.
type Variant struct{ Cases []Case }

// Case is a case of a variant (Type may be nil there) or of an enum, or a bit
// of flags (Type is always nil in both).
type Case struct {
	Pos  Pos
	Docs string
	Name string
	Type Type
}

// Enum is a variant without payloads.
type Enum struct{ Cases []Case }

// Flags is a set of named bits.
type Flags struct{ Flags []Case }

// Resource is an abstract type known by handles.
type Resource struct{ Funcs []*Func }

func (Primitive) isType() {}
func (*Ref) isType()      {}
func (*List) isType()     {}
func (*Option) isType()   {}
func (*Result) isType()   {}
func (*Tuple) isType()    {}
func (*Own) isType()      {}
func (*Borrow) isType()   {}
func (*Stream) isType()   {}
func (*Future) isType()   {}
func (*Record) isType()   {}
func (*Variant) isType()  {}
func (*Enum) isType()     {}
func (*Flags) isType()    {}
func (*Resource) isType() {}
