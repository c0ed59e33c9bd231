package binary

// Module is what can be told of a core module without compiling it. The bodies
// of functions, the elements of tables and the data are left alone, and nothing
// beyond the form of the parts read here has been checked: a Module may still
// be refused by the engine.
type Module struct {
	Sections []CoreSection // all of them, in order of appearance
	Customs  []Custom
	Types    []CoreSubtype // the index space of types
	Imports  []CoreImport
	Exports  []ModuleExport

	// The index spaces of functions, tables, memories, globals and tags,
	// imported ones first.
	Funcs    []uint32 // the types of the functions, as indices in Types
	Tables   []CoreExternType
	Memories []CoreExternType
	Globals  []CoreExternType
	Tags     []CoreExternType

	Start OptIndex // the function called at instantiation

	refersFunc bool // a table or global begins as a reference to a function
}

// ModuleExport is an export of a core module.
type ModuleExport struct {
	Name  string
	Sort  Sort   // SortCoreFunc, SortCoreTable, SortCoreMemory, SortCoreGlobal or SortCoreTag
	Index uint32 // in the module's index space of that sort
	Type  CoreExternType
}

// Export gives the export with a name, or nil.
func (m *Module) Export(name string) *ModuleExport {
	for i := range m.Exports {
		if m.Exports[i].Name == name {
			return &m.Exports[i]
		}
	}
	return nil
}

// FuncType gives the type with an index in Types, or nil when it is not a
// function type.
func (m *Module) FuncType(index uint32) *CoreFuncType {
	if uint64(index) >= uint64(len(m.Types)) {
		return nil
	}
	return m.Types[index].Func
}

// moduleItems bounds types, functions, imports, exports, globals and tags of a
// core module each, as the JavaScript API of WebAssembly does.
const moduleItems = 1_000_000

// moduleStores bounds tables and memories of a core module each, likewise.
const moduleStores = 100

// DecodeModule reads a core module. The result refers to parts of b, which must
// not be changed afterwards. An error is an *Error.
func DecodeModule(b []byte, limits Limits) (*Module, error) {
	limits = limits.withDefaults()
	limits.Items = moduleItems
	r := &reader{b: b, context: "core module", limits: &limits}
	if len(b) > limits.Size {
		r.failAt(0, "%d bytes are more than the limit of %d", len(b), limits.Size)
		return nil, r.err
	}
	m := &Module{}
	st, sc, comp := &state{}, newScope(nil), &Component{}
	eachSection(r, func(s CoreSection) {
		m.Sections = append(m.Sections, s)
		w := &reader{b: s.Data, base: s.Offset, context: s.ID.String(), limits: &limits}
		d := &moduleDecoder{&decoder{reader: w, state: st, scope: sc, comp: comp}, m}
		if d.section(s.ID) {
			r.finish(w)
		}
	})
	if r.err != nil {
		return nil, r.err
	}
	m.refersFunc = st.refersFunc
	return m, nil
}

// moduleDecoder reads one section of a core module.
type moduleDecoder struct {
	*decoder
	m *Module
}

// section reads a section and reports whether it is one that is read to its
// end.
func (d *moduleDecoder) section(id CoreSectionID) bool {
	m := d.m
	switch id {
	case CoreSectionCustom:
		name := d.name("custom section name")
		m.Customs = append(m.Customs, Custom{Name: name, Offset: d.offset(), Data: d.take(d.left(), "data")})
	case CoreSectionType:
		for n := d.count("types", moduleItems); n > 0 && d.ok(); n-- {
			if def := d.coreTypeDef(inModuleType); d.ok() {
				d.add(def, nil)
				m.Types = append(m.Types, def.Rec...)
			}
		}
	case CoreSectionImport:
		m.Imports = vec(d.reader, "imports", moduleItems, func() CoreImport {
			i := d.coreImport()
			d.store(i.Type)
			return i
		})
	case CoreSectionFunc:
		for n := d.count("functions", moduleItems); n > 0 && d.ok(); n-- {
			m.Funcs = append(m.Funcs, d.coreTypeOf(coreShapeFunc, "function type"))
		}
	case CoreSectionTable:
		d.stores("tables", moduleStores, d.table)
	case CoreSectionMemory:
		d.stores("memories", moduleStores, d.coreMemoryType)
	case CoreSectionTag:
		d.stores("tags", moduleItems, d.coreTagType)
	case CoreSectionGlobal:
		d.stores("globals", moduleItems, func() CoreExternType {
			t := d.coreGlobalType()
			d.skipConstExpr()
			return t
		})
	case CoreSectionExport:
		m.Exports = vec(d.reader, "exports", moduleItems, d.export)
		d.uniqueStrings(d.base, "export", len(m.Exports), func(i int) string { return m.Exports[i].Name })
	case CoreSectionStart:
		start := d.offset()
		m.Start = OptIndex{d.u32("function index"), true}
		if d.ok() && uint64(m.Start.Index) >= uint64(len(m.Funcs)) {
			d.failAt(start, "start function %d is out of bounds, there are %d functions", m.Start.Index, len(m.Funcs))
		}
	default:
		return false
	}
	return true
}

// store appends an imported or defined item to its index space.
func (d *moduleDecoder) store(t CoreExternType) {
	m := d.m
	switch t.Sort {
	case SortCoreFunc:
		m.Funcs = append(m.Funcs, t.Func)
	case SortCoreTable:
		m.Tables = append(m.Tables, t)
	case SortCoreMemory:
		m.Memories = append(m.Memories, t)
	case SortCoreGlobal:
		m.Globals = append(m.Globals, t)
	case SortCoreTag:
		m.Tags = append(m.Tags, t)
	}
}

func (d *moduleDecoder) stores(what string, limit int, item func() CoreExternType) {
	for n := d.count(what, limit); n > 0 && d.ok(); n-- {
		if t := item(); d.ok() {
			d.store(t)
		}
	}
}

// table reads a table with or without the expression that fills it.
func (d *moduleDecoder) table() CoreExternType {
	if c, _ := d.peek(); c != 0x40 {
		return d.coreTableType()
	}
	d.byte("table")
	d.expect(0x00, "table with initial value")
	t := d.coreTableType()
	d.skipConstExpr()
	return t
}

func (d *moduleDecoder) export() ModuleExport {
	e := ModuleExport{Name: d.name("export name")}
	start := d.offset()
	e.Sort = d.coreExportSort()
	e.Index = d.u32("index")
	pick := func(items []CoreExternType) {
		if uint64(e.Index) < uint64(len(items)) {
			e.Type = items[e.Index]
		} else if d.ok() {
			d.failAt(start, "export %q: %s index %d is out of bounds, there are %d", e.Name, e.Sort, e.Index, len(items))
		}
	}
	switch e.Sort {
	case SortCoreFunc:
		if uint64(e.Index) < uint64(len(d.m.Funcs)) {
			e.Type = CoreExternType{Sort: SortCoreFunc, Func: d.m.Funcs[e.Index]}
		} else if d.ok() {
			d.failAt(start, "export %q: %s index %d is out of bounds, there are %d", e.Name, e.Sort, e.Index, len(d.m.Funcs))
		}
	case SortCoreTable:
		pick(d.m.Tables)
	case SortCoreMemory:
		pick(d.m.Memories)
	case SortCoreGlobal:
		pick(d.m.Globals)
	case SortCoreTag:
		pick(d.m.Tags)
	}
	return e
}

// The instructions that may stand in a constant expression.
const (
	opEnd       = 0x0b
	opGlobalGet = 0x23
	opI32Const  = 0x41
	opI64Const  = 0x42
	opF32Const  = 0x43
	opF64Const  = 0x44
	opI32Add    = 0x6a
	opI32Sub    = 0x6b
	opI32Mul    = 0x6c
	opI64Add    = 0x7c
	opI64Sub    = 0x7d
	opI64Mul    = 0x7e
	opRefNull   = 0xd0
	opRefFunc   = 0xd2
	opGC        = 0xfb
	opVector    = 0xfd

	gcStructNew        = 0x00
	gcStructNewDefault = 0x01
	gcArrayNew         = 0x06
	gcArrayNewDefault  = 0x07
	gcArrayNewFixed    = 0x08
	gcAnyConvert       = 0x1a
	gcExternConvert    = 0x1b
	gcRefI31           = 0x1c

	vectorConst = 0x0c
)

// skipConstExpr passes over a constant expression. There is no other way to
// find where it ends than to know the immediates of its instructions.
func (d *decoder) skipConstExpr() {
	for d.ok() {
		switch op := d.byte("constant expression"); op {
		case opEnd:
			return
		case opI32Add, opI32Sub, opI32Mul, opI64Add, opI64Sub, opI64Mul:
		case opI32Const:
			d.signed(32, "constant")
		case opI64Const:
			d.signed(64, "constant")
		case opF32Const:
			d.take(4, "constant")
		case opF64Const:
			d.take(8, "constant")
		case opGlobalGet:
			d.u32("global index")
		case opRefFunc:
			d.u32("function index")
			d.refersFunc = true
		case opRefNull:
			d.heapType()
		case opVector:
			if d.u32("vector instruction") != vectorConst {
				d.badByte(op, "constant instruction")
			}
			d.take(16, "constant")
		case opGC:
			switch d.u32("reference instruction") {
			case gcStructNew, gcStructNewDefault, gcArrayNew, gcArrayNewDefault:
				d.u32("type index")
			case gcArrayNewFixed:
				d.u32("type index")
				d.u32("number of elements")
			case gcAnyConvert, gcExternConvert, gcRefI31:
			default:
				d.badByte(op, "constant instruction")
			}
		default:
			d.badByte(op, "constant instruction")
		}
	}
}
