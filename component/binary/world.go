package binary

import (
	"fmt"
	"strings"
)

// World is what a core module that has not been made into a component expects
// and offers in terms of the component model. Bindings generators leave it in
// custom sections whose names begin with "component-type", one for each time
// they ran; a linked module can have several, each with a world of its own, and
// the module's world is their union.
type World struct {
	Sections []*WorldSection // in order of appearance

	// Imports and Exports hold the items of all sections, each name once, in
	// order of first appearance.
	Imports, Exports []WorldItem

	importIndex, exportIndex map[string]int // by name, in Imports and Exports
}

// WorldSection is one section with its world.
type WorldSection struct {
	Section        string // name of the custom section
	Name           string // name of the world, usually namespace:package/world@version
	StringEncoding StringEncoding
	Producers      Producers

	// Type is the world as a component type. It stands inside Outer, which
	// stands in Component; outer aliases count from there.
	Type      *ComponentType
	Outer     *ComponentType
	Component *Component
}

// WorldItem is an import or export of a world.
type WorldItem struct {
	Name ExternName

	// Sources are the places that describe the item. Interfaces of one name
	// are one interface, of which each section may list a part; types of the
	// same name in it, resources above all, are one type.
	Sources []WorldSource
}

// WorldSource describes an item in terms of one section. The indices in Desc
// are those of the index spaces of Section.Type.
type WorldSource struct {
	Section *WorldSection
	Desc    ExternDesc
}

// Import gives the import with a name, or nil.
func (w *World) Import(name string) *WorldItem { return findItem(w.Imports, w.importIndex, name) }

// Export gives the export with a name, or nil.
func (w *World) Export(name string) *WorldItem { return findItem(w.Exports, w.exportIndex, name) }

func findItem(items []WorldItem, index map[string]int, name string) *WorldItem {
	if i, ok := index[name]; ok {
		return &items[i]
	}
	return nil
}

const (
	componentTypePrefix = "component-type"
	encodingSection     = "wit-component-encoding"

	// worldFormat is the format in which the section is a component that
	// carries its string encoding in a custom section.
	worldFormat = 0x04

	// worldFormatOld puts the string encoding and the name of a world before a
	// component which may describe a whole package.
	worldFormatOld = 0x03
)

// DecodeComponentTypes reads the world of a core module. A module without the
// sections has a world without sections. The result refers to parts of module,
// which must not be changed afterwards.
func DecodeComponentTypes(module []byte, limits Limits) (*World, error) {
	m, err := DecodeModule(module, limits)
	if err != nil {
		return nil, err
	}
	return m.World(limits)
}

// World reads the world of a core module, as DecodeComponentTypes does. The
// limits apply to each section on its own.
func (m *Module) World(limits Limits) (*World, error) {
	w := &World{importIndex: map[string]int{}, exportIndex: map[string]int{}}
	for i := range m.Customs {
		c := &m.Customs[i]
		if !strings.HasPrefix(c.Name, componentTypePrefix) {
			continue
		}
		s, err := c.world(limits)
		if err != nil {
			return nil, fmt.Errorf("custom section %q: %w", c.Name, err)
		}
		if err := w.merge(s); err != nil {
			return nil, fmt.Errorf("custom section %q: %w", c.Name, err)
		}
	}
	return w, nil
}

// world decodes a section.
func (c *Custom) world(limits Limits) (*WorldSection, error) {
	s := &WorldSection{Section: c.Name}
	r := c.reader()
	fail := func(format string, args ...any) (*WorldSection, error) {
		r.failAt(c.Offset, format, args...)
		return nil, r.err
	}
	wanted := ""
	old := false
	if format, _ := r.peek(); format == worldFormatOld {
		old = true
		r.byte("format")
		s.StringEncoding = r.encoding()
		wanted = r.name("world name")
	}
	if !r.ok() {
		return nil, r.err
	}
	var err error
	if s.Component, err = decodeAt(r.b[r.pos:], r.offset(), limits); err != nil {
		return nil, err
	}
	if p := FindCustom(s.Component.Customs, "producers"); p != nil {
		// A broken list of producers is no reason to refuse the world.
		s.Producers, _ = p.Producers()
	}
	if !old {
		e := FindCustom(s.Component.Customs, encodingSection)
		if e == nil {
			return fail("no custom section %q", encodingSection)
		}
		er := e.reader()
		er.expect(worldFormat, "format")
		s.StringEncoding = er.encoding()
		if r.finish(er); !r.ok() {
			return nil, r.err
		}
	}
	switch found := s.find(wanted); {
	case found > 1:
		return fail("more than one world")
	case found == 0 && wanted != "":
		return fail("no world named %q", wanted)
	case found == 0:
		return fail("no world")
	}
	return s, nil
}

func (r *reader) encoding() StringEncoding {
	c := r.byte("string encoding")
	if c > byte(Latin1UTF16) {
		r.badByte(c, "string encoding")
	}
	return StringEncoding(c)
}

// find looks for the world: the type of a component exported by a component
// type that the section's component exports. It sets the fields for the last
// one found and gives the number. If wanted is not empty, only worlds of that
// name count.
//
// WIT.md, section Package Format, says how worlds are written down.
func (s *WorldSection) find(wanted string) int {
	found := 0
	types := typeSpace(s.Component.Defs)
	for _, def := range s.Component.Defs {
		e, ok := def.(*Export)
		if !ok || e.Sort != SortType {
			continue
		}
		outer, ok := types[e.Index].(*ComponentType)
		if !ok {
			continue
		}
		inner := typeSpace(outer.Decls)
		for _, decl := range outer.Decls {
			x, ok := decl.(*ExportDecl)
			if !ok || x.Desc.Sort != SortComponent || wanted != "" && wanted != x.Name.Name && wanted != x.Name.Label() {
				continue
			}
			if world, ok := inner[x.Desc.Index].(*ComponentType); ok {
				found++
				s.Name, s.Outer, s.Type = x.Name.Name, outer, world
			}
		}
	}
	return found
}

// typeSpace rebuilds the index space of types as far as types are defined, not
// imported or aliased, in the same scope.
func typeSpace(defs []Def) []DefType {
	var types []DefType
	for _, def := range defs {
		if sort, _ := def.Adds(); sort != SortType {
			continue
		}
		var t DefType
		switch def := def.(type) {
		case *TypeDef:
			t = def.Type
		case *Export:
			t = types[def.Index]
		case *ExportDecl:
			if def.Desc.Bound == BoundEq {
				t = types[def.Desc.Index]
			}
		case *Import:
			if def.Desc.Bound == BoundEq {
				t = types[def.Desc.Index]
			}
		}
		types = append(types, t)
	}
	return types
}

// merge adds the items of a section.
func (w *World) merge(s *WorldSection) error {
	w.Sections = append(w.Sections, s)
	for _, decl := range s.Type.Decls {
		var err error
		switch decl := decl.(type) {
		case *Import:
			w.Imports, err = mergeItem(w.Imports, w.importIndex, decl.Name, WorldSource{s, decl.Desc})
		case *ExportDecl:
			w.Exports, err = mergeItem(w.Exports, w.exportIndex, decl.Name, WorldSource{s, decl.Desc})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func mergeItem(items []WorldItem, index map[string]int, name ExternName, src WorldSource) ([]WorldItem, error) {
	item := findItem(items, index, name.Name)
	if item == nil {
		index[name.Name] = len(items)
		return append(items, WorldItem{Name: name, Sources: []WorldSource{src}}), nil
	}
	first := item.Sources[0]
	switch {
	case first.Desc.Sort != src.Desc.Sort:
		return nil, fmt.Errorf("%q is of sort %s here and %s in section %q", name.Name, src.Desc.Sort, first.Desc.Sort, first.Section.Section)
	case first.Section.StringEncoding != src.Section.StringEncoding:
		return nil, fmt.Errorf("%q has string encoding %s here and %s in section %q",
			name.Name, src.Section.StringEncoding, first.Section.StringEncoding, first.Section.Section)
	}
	item.Sources = append(item.Sources, src)
	return items, nil
}
