package binary

import "bytes"

// The section ids of core modules.
const (
	moduleCustom    = 0
	moduleType      = 1
	moduleImport    = 2
	moduleFunc      = 3
	moduleTable     = 4
	moduleMemory    = 5
	moduleGlobal    = 6
	moduleExport    = 7
	moduleStart     = 8
	moduleElement   = 9
	moduleCode      = 10
	moduleData      = 11
	moduleDataCount = 12
	moduleTag       = 13
)

// moduleOrder gives each section id of a core module its place in the order in
// which sections must stand; it is not the order of the ids.
var moduleOrder = [...]uint8{
	moduleType: 1, moduleImport: 2, moduleFunc: 3, moduleTable: 4,
	moduleMemory: 5, moduleTag: 6, moduleGlobal: 7, moduleExport: 8,
	moduleStart: 9, moduleElement: 10, moduleDataCount: 11, moduleCode: 12,
	moduleData: 13,
}

var moduleSectionNames = [...]string{
	"custom section", "type section", "import section", "function section",
	"table section", "memory section", "global section", "export section",
	"start section", "element section", "code section", "data section",
	"data count section", "tag section",
}

// section is a section of a core module.
type section struct {
	id     byte
	start  int // offset of the id
	offset int // offset of the body
	body   []byte
}

// eachSection reads the preamble of a core module and calls f for each section
// in order of appearance, until r has an error.
func eachSection(r *reader, f func(section)) {
	start := r.offset()
	p := r.take(preambleSize, "preamble of a core module")
	switch {
	case !r.ok():
		return
	case !bytes.HasPrefix(p, magic):
		r.failAt(start, "not WebAssembly: magic number expected")
	case !IsModule(p):
		r.failAt(start+len(magic), "version and layer of a core module expected")
	}
	var place uint8
	for r.ok() && r.left() > 0 {
		s := section{start: r.offset()}
		s.id = r.byte("section id")
		if int(s.id) >= len(moduleOrder) {
			r.failAt(s.start, "unknown section id %d", s.id)
			return
		}
		if p := moduleOrder[s.id]; s.id != moduleCustom {
			if p <= place {
				r.failAt(s.start, "%s out of order", moduleSectionNames[s.id])
				return
			}
			place = p
		}
		s.body = r.sized(moduleSectionNames[s.id])
		s.offset = r.offset() - len(s.body)
		if r.ok() {
			f(s)
		}
	}
}
