package binary

// This file is what the decoder knows about the definitions it has passed: how
// long each index space is, and as much about types, instances and components
// as it takes to follow an alias to a type and to bound the type's size.

// scope holds the index spaces of a component, component type, instance type or
// core module type while it is being read.
type scope struct {
	outer *scope // nil for the outermost component
	depth int

	len [NumSorts]uint32

	coreTypes  []coreShape // one per core type
	types      []*shape    // one per type
	instances  []*shape
	components []*shape

	imports, exports nameSet           // all names so far
	exported         map[string]export // what the exports so far are

	// pending is the number of core types of a recursive group that is being
	// read. They can be referred to before they are in their index space.
	pending uint32
}

func newScope(outer *scope) *scope {
	s := &scope{outer: outer}
	if outer != nil {
		s.depth = outer.depth + 1
	}
	return s
}

// enclosing gives the scope n scopes outwards, or nil.
func (s *scope) enclosing(n uint32) *scope {
	for ; s != nil && n > 0; n-- {
		s = s.outer
	}
	return s
}

// coreShape is what kind of core type a core type index stands for.
type coreShape uint8

const (
	coreShapeFunc coreShape = iota
	coreShapeData           // structure or array
	coreShapeModule
)

// shapeKind is what kind of thing a type index, or an export, stands for.
type shapeKind uint8

const (
	shapeOther shapeKind = iota // an export whose type does not matter here: function, value or module
	shapeValue
	shapeFunc
	shapeResource
	shapeInstance
	shapeComponent
)

var shapeNames = [...]string{"something else", "value type", "function type", "resource type", "instance type", "component type"}

func (k shapeKind) String() string { return shapeNames[k] }

// shape is what matters of a type with all its references expanded. It is never
// changed once it is in an index space, so that aliases share it.
type shape struct {
	kind    shapeKind
	size    uint32 // number of nodes
	depth   uint32 // nesting of value types
	exports map[string]export
}

// export is one export of an instance or component.
type export struct {
	sort  Sort
	shape *shape // nil for sorts without shape
}

var (
	primShape     = &shape{kind: shapeValue, size: 1, depth: 1}
	resourceShape = &shape{kind: shapeResource, size: 1, depth: 1}
)

// add appends a definition to its index space. It is the only place where index
// spaces grow, and checks the limits on them.
func (d *decoder) add(def Def, sh *shape) {
	sort, n := def.Adds()
	s := d.scope
	limit := d.limits.Items
	switch sort {
	case SortCoreModule:
		limit = d.limits.Modules
	case SortComponent:
		limit = d.limits.Components
		s.components = append(s.components, sh)
	case SortInstance:
		s.instances = append(s.instances, sh)
		limit = d.limits.Instances
	case SortCoreInstance:
		limit = d.limits.Instances
	case SortValue:
		limit = d.limits.Values
	case SortType:
		s.types = append(s.types, sh)
	case SortCoreType:
		s.coreTypes = append(s.coreTypes, s.coreShapes(def)...)
	}
	have := uint64(s.len[sort])
	if sort == SortInstance || sort == SortCoreInstance {
		have = uint64(s.len[SortInstance]) + uint64(s.len[SortCoreInstance])
	}
	if have+uint64(n) > uint64(limit) {
		d.failAt(def.Pos(), "more than %d %ss", limit, sort)
		return
	}
	s.len[sort] += uint32(n)
}

// coreShapes gives the shapes of the core types that a definition appends.
func (s *scope) coreShapes(def Def) []coreShape {
	switch def := def.(type) {
	case *AliasOuter:
		return s.enclosing(def.Count).coreTypes[def.Index:][:1]
	case *CoreTypeDef:
		if def.Module != nil {
			return []coreShape{coreShapeModule}
		}
		shapes := make([]coreShape, len(def.Rec))
		for i, t := range def.Rec {
			if t.Func == nil {
				shapes[i] = coreShapeData
			}
		}
		return shapes
	}
	return nil
}

// export notes an export of the component or type being read.
func (d *decoder) export(offset int, name string, sort Sort, sh *shape) {
	d.unique(&d.scope.exports, offset, "export name", name)
	if d.scope.exported == nil {
		d.scope.exported = map[string]export{}
	}
	d.scope.exported[name] = export{sort, sh}
}

// item counts one more definition or declarator of the whole input.
func (d *decoder) item() {
	if d.items++; d.items > d.limits.Items {
		d.failAt(d.offset(), "more than %d definitions in all", d.limits.Items)
	}
}

// index reads an index into the index space of a sort.
func (d *decoder) index(sort Sort) uint32 {
	start := d.offset()
	i := d.u32(sort.String() + " index")
	d.checkIndex(d.scope, start, sort, i)
	return i
}

func (d *decoder) checkIndex(s *scope, offset int, sort Sort, i uint32) {
	if d.ok() && i >= s.len[sort] {
		d.failAt(offset, "%s index %d is out of bounds, there are %d so far", sort, i, s.len[sort])
	}
}

// typeIndex reads an index of a type that must be of the given kind.
func (d *decoder) typeIndex(kind shapeKind) (uint32, *shape) {
	start := d.offset()
	i := d.index(SortType)
	return i, d.typeShape(start, i, kind)
}

// typeShape gives the shape of a type, which must be of the given kind. After
// an error it gives some shape, never nil.
func (d *decoder) typeShape(offset int, i uint32, kind shapeKind) *shape {
	d.checkIndex(d.scope, offset, SortType, i)
	if !d.ok() {
		return primShape
	}
	sh := d.scope.types[i]
	if sh.kind != kind {
		d.failAt(offset, "%s expected, type index %d is of kind %s", kind, i, sh.kind)
	}
	return sh
}

// shapeOf gives the shape behind an index, or nil for sorts that have none.
func (s *scope) shapeOf(sort Sort, i uint32) *shape {
	var in []*shape
	switch sort {
	case SortType:
		in = s.types
	case SortInstance:
		in = s.instances
	case SortComponent:
		in = s.components
	}
	if uint64(i) < uint64(len(in)) {
		return in[i]
	}
	return nil
}

// aliased gives the shape of an export of an instance.
func (d *decoder) aliased(offset int, sort Sort, instance uint32, name string) *shape {
	if !d.ok() {
		return nil
	}
	e, ok := d.scope.instances[instance].exports[name]
	switch {
	case !ok:
		d.failAt(offset, "instance %d has no export named %q", instance, name)
	case e.sort != sort:
		d.failAt(offset, "export %q of instance %d is of sort %s, not %s", name, instance, e.sort, sort)
	}
	return e.shape
}

// measure sums up a type out of its parts and refuses one that is too large.
type measure struct {
	size, depth uint64
}

func (m *measure) add(sh *shape) {
	m.size += uint64(sh.size)
	m.depth = max(m.depth, uint64(sh.depth))
}

// shape makes a shape of what was measured. offset is where the type began.
func (d *decoder) shape(offset int, kind shapeKind, m measure) *shape {
	m.size++
	m.depth++
	switch {
	case m.size > uint64(d.limits.TypeSize):
		d.failAt(offset, "type has more than %d nodes when expanded", d.limits.TypeSize)
		return primShape
	case m.depth > uint64(d.limits.TypeDepth):
		d.failAt(offset, "type is nested deeper than %d when expanded", d.limits.TypeDepth)
		return primShape
	}
	return &shape{kind: kind, size: uint32(m.size), depth: uint32(m.depth)}
}

// nameSet finds names that are not unique in the sense of Explainer.md, section
// Name Uniqueness.
type nameSet map[string]string

// add adds a name and gives the earlier one that it conflicts with, if any.
func (s *nameSet) add(name string) (earlier string, conflict bool) {
	key := uniqueKey(name)
	if earlier, conflict = (*s)[key]; conflict {
		return earlier, true
	}
	if *s == nil {
		*s = nameSet{}
	}
	(*s)[key] = name
	return "", false
}

func (d *decoder) unique(s *nameSet, offset int, what, name string) {
	if !d.ok() {
		return
	}
	if earlier, conflict := s.add(name); conflict {
		if earlier == name {
			d.failAt(offset, "%s %q occurs twice", what, name)
		} else {
			d.failAt(offset, "%s %q conflicts with %q", what, name, earlier)
		}
	}
}

// uniqueLabels refuses labels that are not unique.
func (d *decoder) uniqueLabels(offset int, what string, n int, label func(int) string) {
	if n < 2 {
		return
	}
	set := make(nameSet, min(n, firstAlloc))
	for i := range n {
		d.unique(&set, offset, what, label(i))
	}
}

// enter refuses to open one more scope inside the current one when it would be
// nested too deep.
func (d *decoder) enter(offset int) {
	if d.scope.depth >= d.limits.Nesting {
		d.failAt(offset, "components and types are nested deeper than %d", d.limits.Nesting)
	}
}
