package wit

// Set is a closed collection of packages: every reference in it ends in it.
type Set struct {
	Packages []*Package // in the order of their ids
}

// Package finds a package by its id, such as "wasi:io@0.2.6". It gives nil if
// the set has no such package.
func (s *Set) Package(id string) *Package {
	for _, p := range s.Packages {
		if p.ID() == id {
			return p
		}
	}
	return nil
}

// Interface finds an interface by its id, such as "wasi:io/streams@0.2.6". It
// gives nil if the set has no such interface.
func (s *Set) Interface(id string) *Interface {
	for _, p := range s.Packages {
		for _, i := range p.Interfaces {
			if i.ID() == id {
				return i
			}
		}
	}
	return nil
}

// World finds a world by its id, such as "wasi:cli/command@0.2.6". It gives
// nil if the set has no such world.
func (s *Set) World(id string) *World {
	for _, p := range s.Packages {
		for _, w := range p.Worlds {
			if w.ID() == id {
				return w
			}
		}
	}
	return nil
}

// Package is one WIT package, put together from all files of its folder.
type Package struct {
	Pos        Pos
	Docs       string
	Namespace  string // the part before the colon
	Name       string
	Version    string // a semantic version, or empty
	Interfaces []*Interface
	Worlds     []*World
}

// ID gives the full name of the package, with its version if it has one.
func (p *Package) ID() string { return versioned(p.Namespace+":"+p.Name, p.Version) }

func (p *Package) member(name string) string {
	return versioned(p.Namespace+":"+p.Name+"/"+name, p.Version)
}

func versioned(name, version string) string {
	if version == "" {
		return name
	}
	return name + "@" + version
}

// Gate holds the annotations of a definition (WIT.md, section Feature Gates).
// They are recorded and have no effect: nothing is hidden by a gate.
type Gate struct {
	Since      string // the version of @since, or empty
	Unstable   string // the feature of @unstable, or empty
	Deprecated string // the version of @deprecated, or empty
}

// Interface is a named set of types and functions.
type Interface struct {
	Pos     Pos
	Docs    string
	Gate    Gate
	Package *Package
	World   *World // for an interface written inside a world; else nil
	Name    string
	Uses    []*Use
	Types   []*TypeDef
	Funcs   []*Func // the free functions; those of a resource are in its Body

	scope scope
}

// ID gives the name by which components import and export the interface. An
// interface written inside a world is known by its plain name only.
func (i *Interface) ID() string {
	if i.World != nil {
		return i.Name
	}
	return i.Package.member(i.Name)
}

// Type finds a type by the name it has in the interface, whether it is defined
// there or used from another one. It gives nil if there is none.
func (i *Interface) Type(name string) *TypeDef {
	if e, ok := i.scope.find(name); ok && e.name == name {
		return e.def
	}
	return nil
}

// World says what a component imports and exports.
type World struct {
	Pos      Pos
	Docs     string
	Gate     Gate
	Package  *Package
	Name     string
	Uses     []*Use
	Types    []*TypeDef
	Imports  []*WorldItem
	Exports  []*WorldItem
	Includes []*Include

	scope                  scope
	allImports, allExports []*WorldItem
}

// ID gives the full name of the world.
func (w *World) ID() string { return w.Package.member(w.Name) }

// WorldItem is one import or export of a world: an interface or a function,
// never both.
type WorldItem struct {
	Pos  Pos
	Docs string
	Gate Gate
	// Name is what the component calls the item: an interface's id, or the
	// plain name of a function or of an interface written in place.
	Name      string
	Interface *Interface
	Func      *Func

	path *path // of an interface named by path, until it is resolved
}

// Include takes another world's imports and exports over.
type Include struct {
	Pos     Pos
	World   *World
	Renames []Rename

	path *path
}

// Rename gives the plain name From of another place the name To here.
type Rename struct {
	Pos  Pos
	From string
	To   string // equal to From where the text has no "as"
}

// Use makes types of another interface known here.
type Use struct {
	Pos   Pos
	Docs  string
	Gate  Gate
	From  *Interface
	Names []Rename

	path *path
}

// TypeDef is a type with a name of its own.
type TypeDef struct {
	Pos  Pos
	Docs string
	Gate Gate
	Name string
	// Interface or World is the place of the definition; the other is nil.
	Interface *Interface
	World     *World
	// Body is a *Record, *Variant, *Enum, *Flags or *Resource, or any other
	// type if the definition is an alias of it.
	Body Type
}

// Target follows aliases to the definition that says what the type is. It
// gives d itself unless d is an alias of another named type.
func (d *TypeDef) Target() *TypeDef {
	for {
		switch ref, ok := d.Body.(*Ref); {
		case !ok || ref.Def == nil:
			return d
		default:
			d = ref.Def
		}
	}
}

// FuncKind says how a function is tied to a resource.
type FuncKind uint8

// The kinds of functions.
const (
	Free        FuncKind = iota // tied to no resource
	Method                      // called on a borrowed handle
	Static                      // in a resource's name space, without a handle
	Constructor                 // gives a new handle
)

// Func is a function of an interface, a resource or a world.
type Func struct {
	Pos      Pos
	Docs     string
	Gate     Gate
	Kind     FuncKind
	Resource *TypeDef // nil if Free
	Name     string   // empty for a Constructor
	Async    bool
	Params   []Param // a Method's own handle is not among them
	// Result is nil if the function gives nothing. A Constructor always gives
	// an own handle of its resource, by itself or in a result.
	Result Type
}

// Canonical gives the name the function has in a component, such as
// "[method]input-stream.read".
func (f *Func) Canonical() string {
	switch f.Kind {
	case Method:
		return "[method]" + f.Resource.Name + "." + f.Name
	case Static:
		return "[static]" + f.Resource.Name + "." + f.Name
	case Constructor:
		return "[constructor]" + f.Resource.Name
	default:
		return f.Name
	}
}

// Param is a named parameter.
type Param struct {
	Pos  Pos
	Name string
	Type Type
}
