package binary

// Producers tells which tools made a module or component, field by field. The
// usual fields are "language", "processed-by" and "sdk".
type Producers []ProducerField

// ProducerField is one field of Producers.
type ProducerField struct {
	Name   string
	Values []Producer
}

// Producer is a tool and its version.
type Producer struct{ Name, Version string }

// Version gives the version of a tool in a field, and whether the tool is
// there.
func (p Producers) Version(field, tool string) (string, bool) {
	for _, f := range p {
		if f.Name != field {
			continue
		}
		for _, v := range f.Values {
			if v.Name == tool {
				return v.Version, true
			}
		}
	}
	return "", false
}

// FindCustom gives the first custom section with a name, or nil.
func FindCustom(customs []Custom, name string) *Custom {
	for i := range customs {
		if customs[i].Name == name {
			return &customs[i]
		}
	}
	return nil
}

// customItems bounds the vectors in custom sections.
const customItems = 1_000_000

func (c *Custom) reader() *reader {
	limits := Limits{}.withDefaults()
	return &reader{b: c.Data, base: c.Offset, context: "custom section " + c.Name, limits: &limits}
}

// Producers decodes the custom section "producers", which modules and
// components have in common. The format is a convention of the tools, and a
// section that does not follow it makes no module invalid.
func (c *Custom) Producers() (Producers, error) {
	r := c.reader()
	p := vec(r, "fields", customItems, func() ProducerField {
		return ProducerField{
			Name: r.name("field name"),
			Values: vec(r, "values", customItems, func() Producer {
				return Producer{r.name("tool"), r.name("version")}
			}),
		}
	})
	if r.err != nil {
		return nil, r.err
	}
	return p, nil
}

// Names are the names that the section "name" of a core module gives for
// debugging.
type Names struct {
	Module string
	Funcs  map[uint32]string
}

const (
	namesModule = 0
	namesFuncs  = 1
)

// Names decodes the custom section "name" of a core module. A section that is
// not well formed makes no module invalid.
func (c *Custom) Names() (Names, error) {
	r := c.reader()
	n := Names{Funcs: map[uint32]string{}}
	for r.ok() && r.left() > 0 {
		id := r.byte("subsection id")
		w := r.window(r.sized("subsection"), r.context)
		switch id {
		case namesModule:
			n.Module = w.name("module name")
		case namesFuncs:
			for left := w.count("function names", customItems); left > 0 && w.ok(); left-- {
				i := w.u32("function index")
				if name := w.name("function name"); w.ok() {
					n.Funcs[i] = name
				}
			}
		default:
			continue
		}
		r.finish(w)
	}
	if r.err != nil {
		return Names{}, r.err
	}
	return n, nil
}
