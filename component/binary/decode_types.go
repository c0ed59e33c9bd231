package binary

// This file reads the component-level types. Binary.md, section Type
// Definitions. Each function that makes a type gives its shape as well.

// The leading bytes of types.
const (
	typeRecord    = 0x72
	typeVariant   = 0x71
	typeList      = 0x70
	typeTuple     = 0x6f
	typeFlags     = 0x6e
	typeEnum      = 0x6d
	typeOption    = 0x6b
	typeResult    = 0x6a
	typeOwn       = 0x69
	typeBorrow    = 0x68
	typeFixedList = 0x67
	typeStream    = 0x66
	typeFuture    = 0x65
	typeMap       = 0x63
	typeFuncAsync = 0x43
	typeInstance  = 0x42
	typeComponent = 0x41
	typeFunc      = 0x40
	typeResource  = 0x3f
)

func isPrim(c byte) bool {
	return c >= byte(String) && c <= byte(Bool) || c == byte(ErrorContext)
}

func (d *decoder) notePrim(c byte) {
	if c == byte(ErrorContext) {
		d.newer(FormErrorContext)
	}
}

// typeDef reads a type definition or a type declarator.
func (d *decoder) typeDef(in place) (Def, *shape) {
	def := &TypeDef{At: At(d.offset())}
	var sh *shape
	def.Type, sh = d.defType(in)
	return def, sh
}

func (d *decoder) defType(in place) (DefType, *shape) {
	start := d.offset()
	c := d.byte("type")
	switch {
	case !d.ok():
		return nil, nil
	case isPrim(c):
		d.notePrim(c)
		return PrimDef{PrimType(c)}, primShape
	}
	switch c {
	case typeFunc, typeFuncAsync:
		return d.funcType(start, c == typeFuncAsync)
	case typeComponent:
		decls, sh := d.decls(start, shapeComponent)
		return &ComponentType{decls}, sh
	case typeInstance:
		decls, sh := d.decls(start, shapeInstance)
		return &InstanceType{decls}, sh
	case typeResource:
		if in != inComponent {
			d.failAt(start, "resource types cannot be defined in a component or instance type")
		}
		return d.resourceType(), resourceShape
	}
	return d.valueType(start, c)
}

// valueType reads a value type other than a primitive one, after its first
// byte.
func (d *decoder) valueType(start int, c byte) (DefType, *shape) {
	var m measure
	var t DefType
	valType := func() ValType {
		v, sh := d.valType()
		m.add(sh)
		return v
	}
	optional := func() *ValType { return d.optValType(&m) }
	field := func() Field { return Field{d.label("label"), valType()} }

	switch c {
	case typeRecord:
		r := &RecordType{vec(d.reader, "fields", d.limits.Fields, field)}
		d.notEmpty(start, len(r.Fields), "field")
		d.uniqueLabels(start, "field", len(r.Fields), func(i int) string { return r.Fields[i].Label })
		t = r
	case typeVariant:
		v := &VariantType{vec(d.reader, "cases", d.limits.Fields, func() Case {
			c := Case{d.label("case"), optional()}
			d.expect(0, "end of case")
			m.size++
			return c
		})}
		d.notEmpty(start, len(v.Cases), "case")
		d.uniqueLabels(start, "case", len(v.Cases), func(i int) string { return v.Cases[i].Label })
		t = v
	case typeFlags:
		f := &FlagsType{d.labelList(start, "flag", d.limits.Flags)}
		m.size = uint64(len(f.Labels))
		t = f
	case typeEnum:
		e := &EnumType{d.labelList(start, "case", d.limits.Fields)}
		m.size = uint64(len(e.Labels))
		t = e
	case typeTuple:
		u := &TupleType{vec(d.reader, "types", d.limits.Fields, valType)}
		d.notEmpty(start, len(u.Types), "type")
		t = u
	case typeList:
		t = &ListType{valType()}
	case typeFixedList:
		d.newer(FormFixedList)
		l := &FixedListType{Elem: valType(), Len: d.u32("list length")}
		if d.ok() && l.Len == 0 {
			d.failAt(start, "a fixed-length list must have at least one element")
		}
		t = l
	case typeOption:
		t = &OptionType{valType()}
	case typeResult:
		t = &ResultType{optional(), optional()}
	case typeOwn:
		i, sh := d.typeIndex(shapeResource)
		m.add(sh)
		t = &OwnType{i}
	case typeBorrow:
		i, sh := d.typeIndex(shapeResource)
		m.add(sh)
		t = &BorrowType{i}
	case typeStream:
		d.newer(FormStream)
		t = &StreamType{optional()}
	case typeFuture:
		d.newer(FormFuture)
		t = &FutureType{optional()}
	case typeMap:
		d.newer(FormMap)
		t = &MapType{valType(), valType()}
	default:
		d.badByte(c, "type")
		return nil, nil
	}
	return t, d.shape(start, shapeValue, m)
}

func (d *decoder) notEmpty(start, n int, what string) {
	if n == 0 && d.ok() {
		d.failAt(start, "at least one %s expected", what)
	}
}

func (d *decoder) labelList(start int, what string, limit int) []string {
	l := vec(d.reader, what+"s", limit, func() string { return d.label(what) })
	d.notEmpty(start, len(l), what)
	d.uniqueLabels(start, what, len(l), func(i int) string { return l[i] })
	return l
}

// label reads a name in kebab case.
func (d *decoder) label(what string) string {
	start := d.offset()
	s := d.name(what)
	if d.ok() {
		k := checkKebab(s)
		if k == notKebab {
			d.failAt(start, "%s %q is not in kebab case", what, s)
		}
		if k == kebabDigit {
			d.newer(FormDigitWord)
		}
	}
	return s
}

// valType reads the type of a value. Indices are not negative and primitive
// types are negative as signed numbers, so that the first byte tells.
func (d *decoder) valType() (ValType, *shape) {
	start := d.offset()
	c, ok := d.peek()
	if ok && isPrim(c) {
		d.byte("value type")
		d.notePrim(c)
		return ValType{Prim: PrimType(c)}, primShape
	}
	i := d.signed(33, "value type")
	if d.ok() && i < 0 {
		d.failAt(start, "value type expected, found byte %#02x", c)
	}
	return ValType{Index: uint32(i)}, d.typeShape(start, uint32(i), shapeValue)
}

func (d *decoder) optValType(m *measure) *ValType {
	if !d.flag("optional type") {
		return nil
	}
	v, sh := d.valType()
	m.add(sh)
	return &v
}

func (d *decoder) funcType(start int, async bool) (DefType, *shape) {
	if async {
		d.newer(FormAsyncFunc)
	}
	var m measure
	f := &FuncType{Async: async}
	f.Params = vec(d.reader, "parameters", d.limits.Params, func() Field {
		p := Field{Label: d.label("parameter")}
		var sh *shape
		p.Type, sh = d.valType()
		m.add(sh)
		return p
	})
	d.uniqueLabels(start, "parameter", len(f.Params), func(i int) string { return f.Params[i].Label })
	f.Result = d.resultList(&m)
	return f, d.shape(start, shapeFunc, m)
}

// resultList reads the result of a function, "resultlist" in Binary.md.
func (d *decoder) resultList(m *measure) *ValType {
	switch c := d.byte("result"); c {
	case 0x00:
		v, sh := d.valType()
		m.add(sh)
		return &v
	case 0x01:
		d.expect(0x00, "number of results")
	default:
		d.badByte(c, "result list")
	}
	return nil
}

func (d *decoder) resourceType() *ResourceType {
	t := &ResourceType{Rep: d.coreValType()}
	if d.flag("destructor") {
		t.Dtor = OptIndex{d.index(SortCoreFunc), true}
	}
	return t
}

// decls reads the declarators of a component or instance type, which is a scope
// of its own.
func (d *decoder) decls(start int, kind shapeKind) ([]Def, *shape) {
	d.enter(start)
	n := &decoder{reader: d.reader, state: d.state, scope: newScope(d.scope), comp: d.comp}
	var m measure
	defs := vec(d.reader, "declarators", d.limits.Items, func() Def { return n.decl(kind, &m) })
	// The members of an instance are not nested in the sense of the limit on
	// value types.
	m.depth = 0
	sh := d.shape(start, kind, m)
	return defs, &shape{kind: sh.kind, size: sh.size, depth: sh.depth, exports: n.scope.exported}
}

// decl reads a declarator. The size of a component or instance type is that of
// what it imports and exports.
func (d *decoder) decl(kind shapeKind, m *measure) Def {
	var def Def
	var sh *shape
	d.item()
	switch c := d.byte("declarator"); c {
	case 0x00:
		def = d.coreTypeDef(inType)
	case 0x01:
		def, sh = d.typeDef(inType)
	case 0x02:
		def, sh = d.alias(inType)
	case 0x03:
		if kind != shapeComponent {
			d.badByte(c, "declarator of an instance type")
			return nil
		}
		def, sh = d.importDef()
		m.item(sh)
	case 0x04:
		def, sh = d.exportDecl()
		m.item(sh)
	default:
		d.badByte(c, "declarator")
	}
	if d.ok() {
		d.add(def, sh)
	}
	return def
}

// item adds an import or export, whose shape may be nil.
func (m *measure) item(sh *shape) {
	m.size++
	if sh != nil {
		m.add(sh)
	}
}
