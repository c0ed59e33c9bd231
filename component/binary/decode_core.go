package binary

// place says where a definition or declarator stands, since not all forms are
// allowed everywhere.
type place uint8

const (
	inComponent  place = iota
	inType             // a component or instance type
	inModuleType       // a core module type, or the type section of a core module
)

// The leading bytes of core types.
const (
	coreTypeRec    = 0x4e
	coreTypeFinal  = 0x4f
	coreTypeSub    = 0x50
	coreTypeModule = 0x50 // in components, where a subtype is prefixed by zero
	coreTypeArray  = 0x5e
	coreTypeStruct = 0x5f
	coreTypeFunc   = 0x60
)

// coreTypeDef reads a core type. Binary.md, section Type Definitions,
// "core:type".
func (d *decoder) coreTypeDef(in place) *CoreTypeDef {
	def := &CoreTypeDef{At: At(d.offset())}
	c, _ := d.peek()
	switch {
	case c == coreTypeModule && in != inModuleType:
		d.byte("core type")
		def.Module = d.coreModuleType()
	case c == coreTypeRec:
		d.byte("core type")
		d.newer(FormCoreGC)
		n := d.count("core types in a group", d.limits.Items)
		d.scope.pending = uint32(n)
		for ; n > 0 && d.ok(); n-- {
			d.item()
			def.Rec = append(def.Rec, d.coreSubtype(inModuleType))
		}
		d.scope.pending = 0
	default:
		d.scope.pending = 1
		def.Rec = []CoreSubtype{d.coreSubtype(in)}
		d.scope.pending = 0
	}
	return def
}

func (d *decoder) coreSubtype(in place) CoreSubtype {
	t := CoreSubtype{Final: true}
	c := d.byte("core type")
	if c == 0 && in != inModuleType {
		d.expect(coreTypeSub, "core subtype")
		c = coreTypeSub
	}
	if c == coreTypeSub || c == coreTypeFinal {
		d.newer(FormCoreGC)
		t.Final = c == coreTypeFinal
		// More than one supertype is valid in no revision.
		t.Supertypes = vec(d.reader, "supertypes", 1, d.coreTypeIndex)
		c = d.byte("core type")
	}
	switch c {
	case coreTypeFunc:
		t.Func = &CoreFuncType{
			Params:  vec(d.reader, "parameters", d.limits.Params, d.coreValType),
			Results: vec(d.reader, "results", d.limits.Params, d.coreValType),
		}
	case coreTypeStruct:
		d.newer(FormCoreGC)
		t.Struct = &CoreStructType{Fields: vec(d.reader, "fields", d.limits.Fields, d.coreFieldType)}
	case coreTypeArray:
		d.newer(FormCoreGC)
		f := d.coreFieldType()
		t.Array = &f
	default:
		d.badByte(c, "core type")
	}
	return t
}

// coreTypeIndex reads an index of a core type, which may be of the group that
// is being read.
func (d *decoder) coreTypeIndex() uint32 {
	start := d.offset()
	i := d.u32("core type index")
	if uint64(i) >= uint64(d.scope.len[SortCoreType])+uint64(d.scope.pending) {
		d.checkIndex(d.scope, start, SortCoreType, i)
	}
	return i
}

// coreTypeOf reads an index of a core type that must be of the given shape.
func (d *decoder) coreTypeOf(sh coreShape, what string) uint32 {
	start := d.offset()
	i := d.index(SortCoreType)
	if d.ok() && d.scope.coreTypes[i] != sh {
		d.failAt(start, "core type %d is not a %s", i, what)
	}
	return i
}

func (d *decoder) coreFieldType() CoreFieldType {
	var f CoreFieldType
	switch c, _ := d.peek(); CoreKind(c) {
	case CoreI8, CoreI16:
		f.Type.Kind = CoreKind(d.byte("field type"))
	default:
		f.Type = d.coreValType()
	}
	f.Mutable = d.flag("mutability")
	return f
}

const (
	refNullPrefix = 0x63
	refPrefix     = 0x64
)

func (d *decoder) coreValType() CoreValType {
	switch c := d.byte("core value type"); c {
	case byte(CoreI32), byte(CoreI64), byte(CoreF32), byte(CoreF64), byte(CoreV128):
		return CoreValType{Kind: CoreKind(c)}
	case refPrefix, refNullPrefix:
		h := d.heapType()
		d.noteHeap(h)
		return CoreValType{Kind: CoreRef, Nullable: c == refNullPrefix, Heap: h}
	default:
		h := HeapType(c) - 0x80
		if !h.abstract() {
			d.badByte(c, "core value type")
		}
		d.noteHeap(h)
		return CoreValType{Kind: CoreRef, Nullable: true, Heap: h}
	}
}

// noteHeap notes references to what is newer. Wasmtime 39 knows references to
// functions and to things of the host, also with a precise type.
func (d *decoder) noteHeap(h HeapType) {
	switch {
	case h >= 0 || h == HeapFunc || h == HeapExtern || !d.ok():
	case h == HeapExn || h == HeapNoExn:
		d.newer(FormException)
	default:
		d.newer(FormCoreGC)
	}
}

func (h HeapType) abstract() bool { return h >= HeapExn && h <= HeapNoExn }

func (d *decoder) heapType() HeapType {
	start := d.offset()
	h := HeapType(d.signed(33, "heap type"))
	switch {
	case !d.ok() || h.abstract():
	case h < 0:
		d.failAt(start, "unknown heap type %d", h)
	case uint64(h) >= uint64(d.scope.len[SortCoreType])+uint64(d.scope.pending):
		d.checkIndex(d.scope, start, SortCoreType, uint32(h))
	}
	return h
}

// coreModuleType reads a core module type, which is a scope of its own.
func (d *decoder) coreModuleType() *CoreModuleType {
	d.enter(d.offset())
	t := &decoder{reader: d.reader, state: d.state, scope: newScope(d.scope), comp: d.comp}
	return &CoreModuleType{Decls: vec(d.reader, "declarators", d.limits.Items, t.coreModuleDecl)}
}

func (d *decoder) coreModuleDecl() CoreModuleDecl {
	var decl CoreModuleDecl
	d.item()
	switch c := d.byte("declarator"); c {
	case 0x00:
		i := d.coreImport()
		decl.Import = &i
	case 0x01:
		decl.Type = d.coreTypeDef(inModuleType)
		if d.ok() {
			d.add(decl.Type, nil)
		}
	case 0x02:
		decl.Alias = d.coreAlias()
		if d.ok() {
			d.add(decl.Alias, nil)
		}
	case 0x03:
		decl.Export = &CoreExportType{Name: d.name("export name"), Type: d.coreExternType()}
	default:
		d.badByte(c, "core module declarator")
	}
	return decl
}

// coreAlias reads an alias in a core module type, "core:alias".
func (d *decoder) coreAlias() *AliasOuter {
	a := &AliasOuter{At: At(d.offset()), Sort: SortCoreType}
	d.expect(0x10, "sort core type")
	d.expect(0x01, "outer alias")
	start := d.offset()
	d.outer(a)
	if d.ok() && d.scope.enclosing(a.Count).coreTypes[a.Index] == coreShapeModule {
		d.failAt(start, "core module type inside a core module type")
	}
	return a
}

// outer reads and checks the target of an outer alias.
func (d *decoder) outer(a *AliasOuter) {
	start := d.offset()
	a.Count = d.u32("outer alias count")
	target := d.scope.enclosing(a.Count)
	if d.ok() && target == nil {
		d.failAt(start, "outer alias count %d is out of bounds, there are %d enclosing scopes", a.Count, d.scope.depth)
	}
	start = d.offset()
	a.Index = d.u32(a.Sort.String() + " index")
	if d.ok() {
		d.checkIndex(target, start, a.Sort, a.Index)
	}
}

func (d *decoder) coreImport() CoreImport {
	return CoreImport{
		Module: d.name("import module name"),
		Name:   d.name("import name"),
		Type:   d.coreExternType(),
	}
}

// coreSorts maps the byte that stands for a core sort to the sort.
var coreSorts = map[byte]Sort{
	0x00: SortCoreFunc,
	0x01: SortCoreTable,
	0x02: SortCoreMemory,
	0x03: SortCoreGlobal,
	0x04: SortCoreTag,
	0x10: SortCoreType,
	0x11: SortCoreModule,
	0x12: SortCoreInstance,
}

// coreExternType reads the type of an import or export of a core module.
func (d *decoder) coreExternType() CoreExternType {
	c := d.byte("kind of import or export")
	t := CoreExternType{Sort: coreSorts[c]}
	switch c {
	case 0x00:
		t.Func = d.coreTypeOf(coreShapeFunc, "function type")
	case 0x01:
		t = d.coreTableType()
	case 0x02:
		t = d.coreMemoryType()
	case 0x03:
		t = d.coreGlobalType()
	case 0x04:
		t = d.coreTagType()
	default:
		d.badByte(c, "kind of import or export")
	}
	return t
}

func (d *decoder) coreTableType() CoreExternType {
	return CoreExternType{Sort: SortCoreTable, Value: d.coreValType(), Limits: d.coreLimits(tableLimits)}
}

func (d *decoder) coreMemoryType() CoreExternType {
	return CoreExternType{Sort: SortCoreMemory, Limits: d.coreLimits(memoryLimits)}
}

func (d *decoder) coreGlobalType() CoreExternType {
	return CoreExternType{Sort: SortCoreGlobal, Value: d.coreValType(), Mutable: d.flag("mutability")}
}

func (d *decoder) coreTagType() CoreExternType {
	d.newer(FormException)
	d.expect(0x00, "exception attribute")
	return CoreExternType{Sort: SortCoreTag, Func: d.coreTypeOf(coreShapeFunc, "function type")}
}

// The bits of the byte before limits, and which of them tables and memories
// know.
const (
	limitsMax      = 0x01
	limitsShared   = 0x02
	limits64       = 0x04
	limitsPageSize = 0x08

	tableLimits  = limitsMax | limitsShared | limits64
	memoryLimits = limitsMax | limitsShared | limits64 | limitsPageSize
)

func (d *decoder) coreLimits(known byte) CoreLimits {
	c := d.byte("limits")
	if c&^known != 0 {
		d.badByte(c, "limits flags")
	}
	l := CoreLimits{HasMax: c&limitsMax != 0, Shared: c&limitsShared != 0, Is64: c&limits64 != 0}
	number := func(what string) uint64 {
		if l.Is64 {
			return d.u64(what)
		}
		return uint64(d.u32(what))
	}
	l.Min = number("minimum size")
	if l.HasMax {
		l.Max = number("maximum size")
	}
	if known == memoryLimits {
		l.PageSizeLog2 = 16
		if c&limitsPageSize != 0 {
			start := d.offset()
			p := d.u32("page size")
			if p > 16 {
				d.failAt(start, "page size 2^%d is larger than 2^16", p)
			}
			l.PageSizeLog2 = uint8(p)
		}
	}
	return l
}
