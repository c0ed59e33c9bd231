package binary

// Limits bounds what the decoder accepts. A field that is zero stands for its
// default, so that Limits{} is the usual choice. The defaults are those of
// Wasmtime's validator, which takes the ones for core WebAssembly from the
// JavaScript API of WebAssembly, wherever it has such a limit.
type Limits struct {
	// Size of the input in bytes. Default 1 GiB.
	Size int

	// Nesting of components, component types and instance types in each
	// other. Default 100.
	Nesting int

	// Items is the number of definitions and declarators in the whole input,
	// nested components included. It bounds the memory the decoder uses.
	// Default 500,000, where Wasmtime allows twice as many for each component.
	Items int

	// Modules, Components, Instances and Values bound how many of each one
	// component may define, import and alias; core instances count as instances.
	// Default 1,000 each.
	Modules, Components, Instances, Values int

	// Args is the number of arguments of one instantiation or of exports of
	// one inline instance. Default 100,000.
	Args int

	// Fields is the number of fields of a record or tuple or of cases of a
	// variant or enum. Default 10,000.
	Fields int

	// Flags is the number of labels of a flags type. Default 1,000.
	Flags int

	// Params is the number of parameters of a function, and of results of a
	// core function. Default 1,000.
	Params int

	// NameSize is the length of a name in bytes. Default 100,000.
	NameSize int

	// TypeSize is the number of nodes of a type when every reference in it is
	// expanded. Default 1,000,000.
	TypeSize int

	// TypeDepth is how deep the types of values may be nested in each other
	// when every reference is expanded. Default 100.
	TypeDepth int
}

func (l Limits) withDefaults() Limits {
	for _, f := range []struct {
		field *int
		def   int
	}{
		{&l.Size, 1 << 30},
		{&l.Nesting, 100},
		{&l.Items, 500_000},
		{&l.Modules, 1_000},
		{&l.Components, 1_000},
		{&l.Instances, 1_000},
		{&l.Values, 1_000},
		{&l.Args, 100_000},
		{&l.Fields, 10_000},
		{&l.Flags, 1_000},
		{&l.Params, 1_000},
		{&l.NameSize, 100_000},
		{&l.TypeSize, 1_000_000},
		{&l.TypeDepth, 100},
	} {
		if *f.field == 0 {
			*f.field = f.def
		}
	}
	return l
}
