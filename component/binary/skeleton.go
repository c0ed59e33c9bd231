package binary

import (
	"encoding/binary"
	"slices"
	"sort"
)

// A Skeleton is a component that an engine's validator judges as it does another
// one, and that takes next to no time to compile: everything of the component
// level is as it was, but core modules are cut down to what can be seen from
// outside. They keep their types, imports and exports, and lose all other
// functions, what the functions do, elements, data and custom sections. Faults in
// what is left out are found when the modules themselves are compiled.
type Skeleton struct {
	Bytes []byte
	spans []span // of what was copied, in order
}

// span says that size bytes at an offset of the skeleton, at, are those at an
// offset of the original, from.
type span struct{ at, from, size int }

// NewSkeleton makes the skeleton of the component b, which must have been
// accepted by [Decode].
func NewSkeleton(b []byte) (*Skeleton, error) {
	limits := Limits{}.withDefaults()
	s := &Skeleton{}
	if err := s.component(&reader{b: b, context: "component", limits: &limits}, 0); err != nil {
		return nil, err
	}
	return s, nil
}

// Origin gives the offset in the original that an offset in s stands for, as in
// the validator's messages. ok is false where there is none, as in core modules.
func (s *Skeleton) Origin(offset int) (origin int, ok bool) {
	i := sort.Search(len(s.spans), func(i int) bool { return s.spans[i].at > offset }) - 1
	if i < 0 || offset >= s.spans[i].at+s.spans[i].size {
		return 0, false
	}
	return offset - s.spans[i].at + s.spans[i].from, true
}

// component appends the skeleton of the component in r.
func (s *Skeleton) component(r *reader, depth int) error {
	if depth > r.limits.Nesting {
		r.failAt(r.offset(), "nested more than %d levels deep", r.limits.Nesting)
	}
	s.copy(r.take(preambleSize, "preamble of a component"), r.offset()-preambleSize)
	for r.ok() && r.left() > 0 {
		id := r.byte("section id")
		body := r.sized("section")
		if !r.ok() {
			break
		}
		switch id {
		case sectionCustom:
		case sectionCoreModule:
			s.Bytes = appendSection(s.Bytes, id, moduleSkeleton(body))
		case sectionComponent:
			inner := &Skeleton{}
			if err := inner.component(r.window(body, "component"), depth+1); err != nil {
				return err
			}
			s.embed(inner)
		default:
			s.head(id, len(body))
			s.copy(body, r.offset()-len(body))
		}
	}
	if r.err != nil {
		return r.err
	}
	return nil
}

// copy appends bytes that stand at an offset of the original.
func (s *Skeleton) copy(b []byte, from int) {
	s.spans = append(s.spans, span{at: len(s.Bytes), from: from, size: len(b)})
	s.Bytes = append(s.Bytes, b...)
}

func (s *Skeleton) head(id byte, size int) {
	s.Bytes = append(s.Bytes, id)
	s.Bytes = binary.AppendUvarint(s.Bytes, uint64(size))
}

// embed appends a section with a nested component, whose size is not known
// before it is made.
func (s *Skeleton) embed(inner *Skeleton) {
	s.head(sectionComponent, len(inner.Bytes))
	for _, p := range inner.spans {
		p.at += len(s.Bytes)
		s.spans = append(s.spans, p)
	}
	s.Bytes = append(s.Bytes, inner.Bytes...)
}

func appendSection(out []byte, id byte, body []byte) []byte {
	out = append(out, id)
	out = binary.AppendUvarint(out, uint64(len(body)))
	return append(out, body...)
}

// moduleSkeleton cuts down a core module. One that cannot be read is returned as
// it is, for the engine to say what is wrong with it.
func moduleSkeleton(b []byte) []byte {
	m, err := DecodeModule(b, Limits{})
	if err != nil {
		return b
	}
	f := keptFuncs(m)
	out := slices.Clone(modulePreamble)
	for _, s := range m.Sections {
		body := s.Data
		switch s.ID {
		case CoreSectionType, CoreSectionImport, CoreSectionTable, CoreSectionMemory,
			CoreSectionTag, CoreSectionGlobal:
		case CoreSectionFunc:
			body = f.section()
		case CoreSectionExport:
			body = f.exports(m)
		case CoreSectionCode:
			body = f.bodies()
		default:
			continue
		}
		out = appendSection(out, byte(s.ID), body)
	}
	return out
}

// funcs are the functions that a skeleton of a module defines.
type funcs struct {
	imported int
	types    []uint32          // of those that are defined, in order
	place    map[uint32]uint32 // index of one of each type
	all      bool              // all functions are kept, with their indices
}

// keptFuncs chooses one function for each type that an exported function has,
// since the time that compiling takes goes by their number. A module that names
// functions where tables and globals begin keeps them all: a name is an index.
func keptFuncs(m *Module) *funcs {
	f := &funcs{place: map[uint32]uint32{}, all: m.refersFunc}
	for _, i := range m.Imports {
		if i.Type.Sort == SortCoreFunc {
			f.imported++
		}
	}
	if f.all {
		f.types = m.Funcs[f.imported:]
		return f
	}
	seen := map[string]uint32{} // by signature
	for _, e := range m.Exports {
		if e.Sort != SortCoreFunc || int(e.Index) < f.imported {
			continue
		}
		t := m.Funcs[e.Index]
		if _, ok := f.place[t]; ok {
			continue
		}
		key := signature(m, t)
		if like, ok := seen[key]; ok && key != "" {
			f.place[t] = like
			continue
		}
		f.place[t] = uint32(f.imported + len(f.types))
		seen[key] = f.place[t]
		f.types = append(f.types, t)
	}
	return f
}

// signature tells types of functions apart by the numbers that they take and
// return: modules may define one type many times. It is empty for all others.
func signature(m *Module, t uint32) string {
	ft := m.FuncType(t)
	if ft == nil || !m.Types[t].Final || len(m.Types[t].Supertypes) > 0 {
		return ""
	}
	key := make([]byte, 0, len(ft.Params)+1+len(ft.Results))
	for _, v := range ft.Params {
		key = append(key, byte(v.Kind))
	}
	key = append(key, 0)
	for _, v := range ft.Results {
		key = append(key, byte(v.Kind))
	}
	if slices.Contains(key, byte(CoreRef)) {
		return ""
	}
	return string(key)
}

func (f *funcs) section() []byte {
	out := binary.AppendUvarint(nil, uint64(len(f.types)))
	for _, t := range f.types {
		out = binary.AppendUvarint(out, uint64(t))
	}
	return out
}

// exports are those of m, in order, with functions of the same types.
func (f *funcs) exports(m *Module) []byte {
	out := binary.AppendUvarint(nil, uint64(len(m.Exports)))
	for _, e := range m.Exports {
		out = binary.AppendUvarint(out, uint64(len(e.Name)))
		out = append(out, e.Name...)
		i := e.Index
		if e.Sort == SortCoreFunc && int(i) >= f.imported && !f.all {
			i = f.place[m.Funcs[i]]
		}
		out = append(out, byte(e.Sort)) // core sorts are numbered as kinds of exports
		out = binary.AppendUvarint(out, uint64(i))
	}
	return out
}

// trap is the body of a function: no locals, unreachable, end.
var trap = []byte{3, 0, 0x00, opEnd}

func (f *funcs) bodies() []byte {
	out := binary.AppendUvarint(nil, uint64(len(f.types)))
	for range f.types {
		out = append(out, trap...)
	}
	return out
}
