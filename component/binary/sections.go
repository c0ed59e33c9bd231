package binary

import (
	"bytes"
	"fmt"
)

// CoreSectionID tells the sections of a core module apart. Its number is the
// byte that stands for the section in the binary format.
type CoreSectionID uint8

// The sections of core modules.
const (
	CoreSectionCustom    CoreSectionID = 0
	CoreSectionType      CoreSectionID = 1
	CoreSectionImport    CoreSectionID = 2
	CoreSectionFunc      CoreSectionID = 3
	CoreSectionTable     CoreSectionID = 4
	CoreSectionMemory    CoreSectionID = 5
	CoreSectionGlobal    CoreSectionID = 6
	CoreSectionExport    CoreSectionID = 7
	CoreSectionStart     CoreSectionID = 8
	CoreSectionElement   CoreSectionID = 9
	CoreSectionCode      CoreSectionID = 10
	CoreSectionData      CoreSectionID = 11
	CoreSectionDataCount CoreSectionID = 12
	CoreSectionTag       CoreSectionID = 13
)

// coreSections gives each section its name and its place in the order in which
// sections must stand, which is not the order of the ids.
var coreSections = [...]struct {
	name  string
	place uint8
}{
	CoreSectionCustom:    {"custom section", 0},
	CoreSectionType:      {"type section", 1},
	CoreSectionImport:    {"import section", 2},
	CoreSectionFunc:      {"function section", 3},
	CoreSectionTable:     {"table section", 4},
	CoreSectionMemory:    {"memory section", 5},
	CoreSectionTag:       {"tag section", 6},
	CoreSectionGlobal:    {"global section", 7},
	CoreSectionExport:    {"export section", 8},
	CoreSectionStart:     {"start section", 9},
	CoreSectionElement:   {"element section", 10},
	CoreSectionDataCount: {"data count section", 11},
	CoreSectionCode:      {"code section", 12},
	CoreSectionData:      {"data section", 13},
}

// String gives the name of the section.
func (id CoreSectionID) String() string {
	if int(id) < len(coreSections) {
		return coreSections[id].name
	}
	return fmt.Sprintf("section %d", uint8(id))
}

// CoreSection is a section of a core module.
type CoreSection struct {
	ID     CoreSectionID
	Start  int    // offset of the section's id in the outermost input
	Offset int    // offset of Data in the outermost input
	Data   []byte // the body; a part of the input, not a copy
}

// eachSection reads the preamble of a core module and calls f for each section
// in order of appearance, until r has an error.
func eachSection(r *reader, f func(CoreSection)) {
	start := r.offset()
	p := r.take(preambleSize, "preamble of a core module")
	switch {
	case !r.ok():
		return
	case !bytes.HasPrefix(p, magic):
		r.failAt(start, "not WebAssembly: magic number expected")
	case IsComponent(p):
		r.failAt(start+len(magic), "this is a component, a core module is expected")
	case !IsModule(p):
		r.failAt(start+len(magic), "unknown version of the core module format")
	}
	var last uint8
	for r.ok() && r.left() > 0 {
		s := CoreSection{Start: r.offset()}
		s.ID = CoreSectionID(r.byte("section id"))
		if int(s.ID) >= len(coreSections) {
			r.failAt(s.Start, "unknown section id %d", s.ID)
			return
		}
		if place := coreSections[s.ID].place; s.ID != CoreSectionCustom {
			if place <= last {
				r.failAt(s.Start, "%s out of order", s.ID)
				return
			}
			last = place
		}
		s.Data = r.sized(s.ID.String())
		s.Offset = r.offset() - len(s.Data)
		if r.ok() {
			f(s)
		}
	}
}
