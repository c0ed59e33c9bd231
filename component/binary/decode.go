package binary

import (
	"bytes"
	"slices"
)

// magic is how every module and component begins.
var magic = []byte{0x00, 'a', 's', 'm'}

const (
	preambleSize     = 8
	componentVersion = 0x0d
	componentLayer   = 1
)

// The version and the layer have two bytes each.
var (
	modulePreamble    = append(slices.Clone(magic), 1, 0, 0, 0)
	componentPreamble = append(slices.Clone(magic), componentVersion, 0, componentLayer, 0)
)

// IsModule reports whether b begins as a core module of the known version does.
func IsModule(b []byte) bool { return bytes.HasPrefix(b, modulePreamble) }

// IsComponent reports whether b begins as a component of the known version
// does.
func IsComponent(b []byte) bool { return bytes.HasPrefix(b, componentPreamble) }

// decoder reads one component or type. Several share a state.
type decoder struct {
	*reader
	*state
	scope *scope
	comp  *Component
}

// state belongs to one call of Decode.
type state struct {
	items      int
	refersFunc bool // a constant expression names a function
}

// Decode decodes a component. The result refers to parts of b, which must not
// be changed afterwards.
//
// An error is an *Error. A component that is accepted is well formed, and its
// indices, aliases, names and the kinds of its types have been checked; it may
// still break other rules of validation.
//
// Binary.md, section Component Definitions.
func Decode(b []byte, limits Limits) (*Component, error) {
	return decodeAt(b, 0, limits)
}

// decodeAt decodes a component that begins at an offset of the outermost input.
func decodeAt(b []byte, base int, limits Limits) (*Component, error) {
	limits = limits.withDefaults()
	r := &reader{b: b, base: base, context: "component", limits: &limits}
	if len(b) > limits.Size {
		r.failAt(base, "%d bytes are more than the limit of %d", len(b), limits.Size)
		return nil, r.err
	}
	d := &decoder{reader: r, state: &state{}, scope: newScope(nil), comp: &Component{Offset: base, Size: len(b)}}
	d.component()
	if r.err != nil {
		return nil, r.err
	}
	return d.comp, nil
}

// The section ids of components. Binary.md, section Component Definitions.
const (
	sectionCustom       = 0
	sectionCoreModule   = 1
	sectionCoreInstance = 2
	sectionCoreType     = 3
	sectionComponent    = 4
	sectionInstance     = 5
	sectionAlias        = 6
	sectionType         = 7
	sectionCanon        = 8
	sectionStart        = 9
	sectionImport       = 10
	sectionExport       = 11
	sectionValue        = 12
)

var sectionNames = [...]string{
	"custom section", "core module section", "core instance section",
	"core type section", "component section", "instance section",
	"alias section", "type section", "canon section", "start section",
	"import section", "export section", "value section",
}

// component reads a component to the end of the window.
func (d *decoder) component() {
	d.preamble()
	for d.ok() && d.left() > 0 {
		id := d.byte("section id")
		if int(id) >= len(sectionNames) {
			d.failAt(d.offset()-1, "unknown section id %d", id)
			return
		}
		name := sectionNames[id]
		body := d.sized(name)
		if !d.ok() {
			return
		}
		s := &decoder{reader: d.window(body, name), state: d.state, scope: d.scope, comp: d.comp}
		s.section(id)
		d.finish(s.reader)
	}
}

// preamble reads what tells a component from a core module.
func (d *decoder) preamble() {
	start := d.offset()
	if p := d.take(len(magic), "magic number"); d.ok() && !bytes.Equal(p, magic) {
		d.failAt(start, "not WebAssembly: magic number expected")
	}
	v := d.take(4, "version and layer")
	switch {
	case !d.ok():
	case IsModule(d.b):
		d.failAt(start+4, "this is a core module, a component is expected")
	case v[2] != componentLayer || v[3] != 0:
		d.failAt(start+6, "unknown layer %d", int(v[2])|int(v[3])<<8)
	case v[0] != componentVersion || v[1] != 0:
		d.failAt(start+4, "unknown version %#x of the component format, only %#x is known", int(v[0])|int(v[1])<<8, componentVersion)
	}
}

func (d *decoder) section(id byte) {
	switch id {
	case sectionCustom:
		name := d.name("custom section name")
		d.item()
		d.comp.Customs = append(d.comp.Customs, Custom{Name: name, Offset: d.offset(), Data: d.take(d.left(), "data")})
	case sectionCoreModule:
		d.define(d.coreModule(), nil)
	case sectionCoreInstance:
		d.each("core instances", d.coreInstance)
	case sectionCoreType:
		d.each("core types", func() { d.define(d.coreTypeDef(inComponent), nil) })
	case sectionComponent:
		d.nested()
	case sectionInstance:
		d.each("instances", d.instance)
	case sectionAlias:
		d.each("aliases", func() { d.define(d.alias(inComponent)) })
	case sectionType:
		d.each("types", func() { d.define(d.typeDef(inComponent)) })
	case sectionCanon:
		d.each("canonical definitions", func() { d.define(d.canon(), nil) })
	case sectionStart:
		d.define(d.start(), nil)
	case sectionImport:
		d.each("imports", func() { d.define(d.importDef()) })
	case sectionExport:
		d.each("exports", func() { d.define(d.exportDef()) })
	case sectionValue:
		d.each("values", func() { d.define(d.value(), nil) })
	}
}

// each reads a vector of definitions.
func (d *decoder) each(what string, def func()) {
	for n := d.count(what, d.limits.Items); n > 0 && d.ok(); n-- {
		def()
	}
}

// define appends a definition, whose shape is given for sorts that have one, to
// the component and to its index space.
func (d *decoder) define(def Def, sh *shape) {
	d.item()
	if !d.ok() {
		return
	}
	d.add(def, sh)
	d.comp.Defs = append(d.comp.Defs, def)
}

// newer notes that a newer form was met.
func (d *decoder) newer(f Form) {
	if !slices.Contains(d.comp.NewerForms, f) {
		d.comp.NewerForms = append(d.comp.NewerForms, f)
	}
}

// coreModule reads a core module, of which only the division into sections is
// looked at.
func (d *decoder) coreModule() Def {
	at := At(d.offset())
	b := d.take(d.left(), "core module")
	w := d.window(b, "core module")
	eachSection(w, func(s CoreSection) {
		if s.ID == CoreSectionTag {
			d.newer(FormException)
		}
	})
	d.finish(w)
	return &CoreModule{At: at, Bytes: b}
}

// nested reads a component inside this one.
func (d *decoder) nested() {
	d.enter(d.offset())
	b := d.take(d.left(), "component")
	if !d.ok() {
		return
	}
	offset := d.offset() - len(b)
	n := &decoder{
		reader: d.window(b, "component"),
		state:  d.state,
		scope:  newScope(d.scope),
		comp:   &Component{Offset: offset, Size: len(b)},
	}
	n.component()
	d.finish(n.reader)
	for _, f := range n.comp.NewerForms {
		d.newer(f)
	}
	d.define(&NestedComponent{At: At(offset), Component: n.comp}, &shape{kind: shapeComponent, size: 1, depth: 1, exports: n.scope.exported})
}

// start reads a start definition. Binary.md, section Start Definitions.
func (d *decoder) start() Def {
	s := &Start{At: At(d.offset())}
	d.newer(FormStart)
	s.Func = d.index(SortFunc)
	s.Args = vec(d.reader, "arguments", d.limits.Values, func() uint32 { return d.index(SortValue) })
	s.Results = d.u32("number of results")
	return s
}

// value reads a value definition. Binary.md, section Value Definitions.
func (d *decoder) value() Def {
	v := &Value{At: At(d.offset())}
	d.newer(FormValue)
	v.Type, _ = d.valType()
	v.Data = d.sized("value")
	return v
}
