package binary

// coreInstance reads a core instance. Binary.md, section Instance Definitions.
func (d *decoder) coreInstance() {
	at := At(d.offset())
	switch c := d.byte("core instance"); c {
	case 0x00:
		i := &CoreInstantiate{At: at, Module: d.index(SortCoreModule)}
		i.Args = vec(d.reader, "arguments", d.limits.Args, func() CoreArg {
			a := CoreArg{Name: d.name("argument name")}
			d.expect(0x12, "sort core instance")
			a.Instance = d.index(SortCoreInstance)
			return a
		})
		d.uniqueStrings(int(at), "argument", len(i.Args), func(n int) string { return i.Args[n].Name })
		d.define(i, nil)
	case 0x01:
		i := &CoreInlineExports{At: at}
		i.Exports = vec(d.reader, "exports", d.limits.Args, func() CoreExport {
			e := CoreExport{Name: d.name("export name")}
			e.Sort = d.coreExportSort()
			e.Index = d.index(e.Sort)
			return e
		})
		d.uniqueStrings(int(at), "export", len(i.Exports), func(n int) string { return i.Exports[n].Name })
		d.define(i, nil)
	default:
		d.badByte(c, "core instance")
	}
}

// coreExportSort reads the sort of something that a core module can export.
func (d *decoder) coreExportSort() Sort {
	c := d.byte("core sort")
	s, ok := coreSorts[c]
	if !ok || s > SortCoreTag {
		d.badByte(c, "sort of a core export")
		return SortCoreFunc
	}
	if s == SortCoreTag {
		d.newer(FormException)
	}
	return s
}

// instance reads an instance.
func (d *decoder) instance() {
	at := At(d.offset())
	switch c := d.byte("instance"); c {
	case 0x00:
		i := &Instantiate{At: at, Component: d.index(SortComponent)}
		i.Args = vec(d.reader, "arguments", d.limits.Args, func() Arg {
			a := Arg{Name: d.name("argument name")}
			a.Sort, a.Index = d.sortIndex()
			return a
		})
		d.uniqueStrings(int(at), "argument", len(i.Args), func(n int) string { return i.Args[n].Name })
		if d.ok() {
			c := d.scope.components[i.Component]
			d.define(i, &shape{kind: shapeInstance, size: c.size, depth: c.depth, exports: c.exports})
		}
	case 0x01:
		i := &InlineExports{At: at}
		sh := &shape{kind: shapeInstance, size: 1, depth: 1, exports: map[string]export{}}
		var names nameSet
		i.Exports = vec(d.reader, "exports", d.limits.Args, func() InlineExport {
			start := d.offset()
			e := InlineExport{Name: d.externName()}
			e.Sort, e.Index = d.sortIndex()
			d.unique(&names, start, "export name", e.Name.Name)
			sh.exports[e.Name.Name] = export{e.Sort, d.scope.shapeOf(e.Sort, e.Index)}
			return e
		})
		d.define(i, sh)
	default:
		d.badByte(c, "instance")
	}
}

// uniqueStrings refuses names that are equal byte for byte.
func (d *decoder) uniqueStrings(offset int, what string, n int, name func(int) string) {
	if n < 2 || !d.ok() {
		return
	}
	seen := make(map[string]struct{}, n)
	for i := range n {
		if _, twice := seen[name(i)]; twice {
			d.failAt(offset, "%s %q occurs twice", what, name(i))
			return
		}
		seen[name(i)] = struct{}{}
	}
}

// sort reads a sort of anything that a component can define. Binary.md, section
// Instance Definitions, "sort".
func (d *decoder) sort() Sort {
	switch c := d.byte("sort"); c {
	case 0x00:
		c = d.byte("core sort")
		s, ok := coreSorts[c]
		if !ok {
			d.badByte(c, "core sort")
		}
		return s
	case 0x01:
		return SortFunc
	case 0x02:
		d.newer(FormValue)
		return SortValue
	case 0x03:
		return SortType
	case 0x04:
		return SortComponent
	case 0x05:
		return SortInstance
	default:
		d.badByte(c, "sort")
	}
	return SortCoreFunc
}

// externSort reads a sort that a component can import or export, which leaves
// core modules of the core sorts.
func (d *decoder) externSort() Sort {
	start := d.offset()
	s := d.sort()
	if d.ok() && s.IsCore() && s != SortCoreModule {
		d.failAt(start, "a component can neither import nor export sort %s", s)
	}
	return s
}

// sortIndex reads a sort and an index into its index space.
func (d *decoder) sortIndex() (Sort, uint32) {
	s := d.externSort()
	return s, d.index(s)
}

// alias reads an alias definition or declarator. Binary.md, section Alias
// Definitions.
func (d *decoder) alias(in place) (Def, *shape) {
	at := At(d.offset())
	sort := d.sort()
	kindAt := d.offset()
	refuse := func(kind string) (Def, *shape) {
		d.failAt(int(at), "%s alias of sort %s is not allowed here", kind, sort)
		return nil, nil
	}
	kind := d.byte("alias kind")
	if !d.ok() {
		return nil, nil
	}
	switch kind {
	case 0x00:
		if sort.IsCore() && sort != SortCoreModule || in == inType && sort != SortType && sort != SortInstance {
			return refuse("export")
		}
		a := &AliasExport{At: at, Sort: sort, Instance: d.index(SortInstance), Name: d.name("export name")}
		return a, d.aliased(int(at), sort, a.Instance, a.Name)
	case 0x01:
		if sort > SortCoreTag || in == inType {
			return refuse("core export")
		}
		if sort == SortCoreTag {
			d.newer(FormException)
		}
		return &AliasCoreExport{At: at, Sort: sort, Instance: d.index(SortCoreInstance), Name: d.name("export name")}, nil
	case 0x02:
		switch sort {
		case SortType, SortCoreType:
		case SortCoreModule, SortComponent:
			if in == inType {
				return refuse("outer")
			}
		default:
			return refuse("outer")
		}
		a := &AliasOuter{At: at, Sort: sort}
		d.outer(a)
		if !d.ok() {
			return nil, nil
		}
		return a, d.scope.enclosing(a.Count).shapeOf(sort, a.Index)
	}
	d.failAt(kindAt, "alias kind expected, found byte %#02x", kind)
	return nil, nil
}

// importDef reads an import definition or declarator.
func (d *decoder) importDef() (Def, *shape) {
	i := &Import{At: At(d.offset())}
	i.Name = d.externName()
	d.unique(&d.scope.imports, int(i.At), "import name", i.Name.Name)
	var sh *shape
	i.Desc, sh = d.externDesc()
	d.checkName(int(i.At), i.Name, i.Desc.Sort)
	return i, sh
}

// exportDecl reads an export declarator.
func (d *decoder) exportDecl() (Def, *shape) {
	e := &ExportDecl{At: At(d.offset())}
	e.Name = d.externName()
	var sh *shape
	e.Desc, sh = d.externDesc()
	d.checkName(int(e.At), e.Name, e.Desc.Sort)
	d.export(int(e.At), e.Name.Name, e.Desc.Sort, sh)
	return e, sh
}

// exportDef reads an export definition.
func (d *decoder) exportDef() (Def, *shape) {
	e := &Export{At: At(d.offset())}
	e.Name = d.externName()
	e.Sort, e.Index = d.sortIndex()
	sh := d.scope.shapeOf(e.Sort, e.Index)
	start := d.offset()
	if d.flag("ascribed type") {
		desc, ascribed := d.externDesc()
		if d.ok() && desc.Sort != e.Sort {
			d.failAt(start, "sort %s is exported as sort %s", e.Sort, desc.Sort)
		}
		e.Desc, sh = &desc, ascribed
	}
	d.checkName(int(e.At), e.Name, e.Sort)
	d.export(int(e.At), e.Name.Name, e.Sort, sh)
	return e, sh
}

// externDesc reads the type of an import or export, "externtype" in Binary.md.
// The shape is that of what is imported or exported, or nil where it has none.
func (d *decoder) externDesc() (ExternDesc, *shape) {
	start := d.offset()
	x := ExternDesc{Sort: d.externSort()}
	if !d.ok() {
		return x, nil
	}
	var sh *shape
	switch x.Sort {
	case SortCoreModule:
		x.Index = d.coreTypeOf(coreShapeModule, "module type")
	case SortFunc:
		// A function has no shape in its index space, but counts in the size of
		// the type that exports it.
		x.Index, sh = d.typeIndex(shapeFunc)
	case SortComponent:
		x.Index, sh = d.typeIndex(shapeComponent)
	case SortInstance:
		x.Index, sh = d.typeIndex(shapeInstance)
	case SortType:
		switch c := d.byte("type bound"); c {
		case 0x00:
			x.Bound, x.Index = BoundEq, d.index(SortType)
			sh = d.scope.shapeOf(SortType, x.Index)
		case 0x01:
			x.Bound, sh = BoundSubResource, resourceShape
		default:
			d.badByte(c, "type bound")
		}
	case SortValue:
		d.newer(FormValue)
		switch c := d.byte("value bound"); c {
		case 0x00:
			x.Bound, x.Index = BoundEq, d.index(SortValue)
		case 0x01:
			x.Bound = BoundValType
			x.Type, sh = d.valType()
		default:
			d.badByte(c, "value bound")
		}
	default:
		d.failAt(start, "unexpected sort %s", x.Sort)
	}
	return x, sh
}

// externName reads the name of an import or export with its attributes.
// Binary.md, section Import and Export Definitions, "nameattributes".
func (d *decoder) externName() ExternName {
	c := d.byte("name")
	if c > 0x02 {
		d.badByte(c, "name")
		return ExternName{}
	}
	start := d.offset()
	s := d.name("name")
	if !d.ok() {
		return ExternName{}
	}
	n, forms, err := parseName(s)
	if err != nil {
		d.failAt(start, "%s", err)
		return n
	}
	for _, f := range forms {
		d.newer(f)
	}
	if c == 0x02 {
		d.newer(FormNameAttributes)
		n.Attrs = d.nameAttrs(n)
	}
	return n
}

func (d *decoder) nameAttrs(n ExternName) *NameAttrs {
	var seen [3]bool
	a := &NameAttrs{}
	for left := d.count("name attributes", len(seen)); left > 0 && d.ok(); left-- {
		start := d.offset()
		c := d.byte("name attribute")
		if int(c) >= len(seen) {
			d.badByte(c, "name attribute")
			break
		}
		if seen[c] {
			d.failAt(start, "name attribute %d is given twice", c)
		}
		seen[c] = true
		switch c {
		case 0x00:
			a.Implements = d.name("implements")
			if _, err := ParseInterfaceName(a.Implements); d.ok() && err != nil {
				d.failAt(start, "implements: %s", err)
			}
		case 0x01:
			a.VersionSuffix = d.name("version suffix")
			if d.ok() && !validSuffix(n.Name, a.VersionSuffix) {
				d.failAt(start, "version suffix %q does not complete the version of %q", a.VersionSuffix, n.Name)
			}
		case 0x02:
			a.ExternalID, a.HasExternalID = d.name("external id"), true
		}
	}
	return a
}

// checkName refuses a name on something that it cannot name.
func (d *decoder) checkName(offset int, n ExternName, sort Sort) {
	if !d.ok() {
		return
	}
	switch n.Kind {
	case NameConstructor, NameMethod, NameStatic:
		if sort != SortFunc {
			d.failAt(offset, "%q names a func only, and this is of sort %s", n.Name, sort)
		}
	}
	if n.Attrs != nil && n.Attrs.Implements != "" && (sort != SortInstance || n.Kind != NameLabel) {
		d.failAt(offset, "only an instance with a plain name can have an implements attribute, and %q is of sort %s", n.Name, sort)
	}
}
