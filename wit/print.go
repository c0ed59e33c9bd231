package wit

import (
	"fmt"
	"strconv"
	"strings"
)

// Format gives the WIT text of a package in a fixed layout: interfaces before
// worlds, and in each the uses, the types and the functions. Loaded again, the
// text gives an equal package.
func Format(p *Package) string {
	w := &writer{pkg: p}
	w.docs(p.Docs)
	w.linef("package %s;", versioned(escape(p.Namespace)+":"+escape(p.Name), p.Version))
	w.members(false)
	return w.b.String()
}

// members writes the interfaces and worlds of the package, each after an empty
// line; the first is without one where a brace stands above it.
func (w *writer) members(afterBrace bool) {
	gap := func() {
		if !afterBrace {
			w.line("")
		}
		afterBrace = false
	}
	for _, i := range w.pkg.Interfaces {
		gap()
		w.head(i.Docs, i.Gate)
		w.linef("interface %s {", escape(i.Name))
		w.interfaceBody(i)
	}
	for _, x := range w.pkg.Worlds {
		gap()
		w.head(x.Docs, x.Gate)
		w.linef("world %s {", escape(x.Name))
		w.worldBody(x)
	}
}

// FormatAll gives the WIT text of a package as [Format] does, and after it that
// of others, nested in the same file (WIT.md, section Explicit Package
// Declaration).
func FormatAll(p *Package, nested ...*Package) string {
	var b strings.Builder
	b.WriteString(Format(p))
	for _, n := range nested {
		w := &writer{pkg: n}
		w.line("")
		w.docs(n.Docs)
		w.linef("package %s {", versioned(escape(n.Namespace)+":"+escape(n.Name), n.Version))
		w.indent++
		w.members(true)
		w.close()
		b.WriteString(w.b.String())
	}
	return b.String()
}

// FormatType gives the WIT text of a type as it stands where a value is
// declared: a definition is shown by its name.
func FormatType(t Type) string {
	switch t := t.(type) {
	case Primitive:
		return t.String()
	case *Ref:
		return escape(t.Name)
	case *List:
		if t.Len > 0 {
			return "list<" + FormatType(t.Elem) + ", " + strconv.FormatUint(uint64(t.Len), 10) + ">"
		}
		return "list<" + FormatType(t.Elem) + ">"
	case *Option:
		return "option<" + FormatType(t.Elem) + ">"
	case *Result:
		switch {
		case t.OK == nil && t.Err == nil:
			return "result"
		case t.OK == nil:
			return "result<_, " + FormatType(t.Err) + ">"
		case t.Err == nil:
			return "result<" + FormatType(t.OK) + ">"
		}
		return "result<" + FormatType(t.OK) + ", " + FormatType(t.Err) + ">"
	case *Tuple:
		parts := make([]string, len(t.Types))
		for i, e := range t.Types {
			parts[i] = FormatType(e)
		}
		return "tuple<" + strings.Join(parts, ", ") + ">"
	case *Own:
		return escape(t.Resource.Name)
	case *Borrow:
		return "borrow<" + escape(t.Resource.Name) + ">"
	case *Stream:
		return maybeElem("stream", t.Elem)
	case *Future:
		return maybeElem("future", t.Elem)
	}
	return fmt.Sprintf("%T", t)
}

func maybeElem(name string, elem Type) string {
	if elem == nil {
		return name
	}
	return name + "<" + FormatType(elem) + ">"
}

func escape(name string) string {
	if keywords[name] {
		return "%" + name
	}
	return name
}

type writer struct {
	b      strings.Builder
	pkg    *Package // paths into it are written short
	indent int
}

func (w *writer) line(s string) {
	if s != "" {
		for range w.indent {
			w.b.WriteString("  ")
		}
	}
	w.b.WriteString(s)
	w.b.WriteByte('\n')
}

func (w *writer) linef(format string, args ...any) { w.line(fmt.Sprintf(format, args...)) }

func (w *writer) docs(docs string) {
	if docs == "" {
		return
	}
	for line := range strings.SplitSeq(docs, "\n") {
		w.line(strings.TrimRight("/// "+line, " "))
	}
}

func (w *writer) head(docs string, g Gate) {
	w.docs(docs)
	if g.Since != "" {
		w.linef("@since(version = %s)", g.Since)
	}
	if g.Unstable != "" {
		w.linef("@unstable(feature = %s)", escape(g.Unstable))
	}
	if g.Deprecated != "" {
		w.linef("@deprecated(version = %s)", g.Deprecated)
	}
}

func (w *writer) close() {
	w.indent--
	w.line("}")
}

func (w *writer) interfaceBody(i *Interface) {
	w.indent++
	w.uses(i.Uses)
	for _, d := range i.Types {
		w.typeDef(d)
	}
	for _, f := range i.Funcs {
		w.head(f.Docs, f.Gate)
		w.linef("%s: %s;", escape(f.Name), funcType(f))
	}
	w.close()
}

func (w *writer) worldBody(x *World) {
	w.indent++
	for _, in := range x.Includes {
		path := w.path(in.World.Package, in.World.Name)
		if len(in.Renames) == 0 {
			w.linef("include %s;", path)
			continue
		}
		var names []string
		for _, r := range in.Renames {
			names = append(names, escape(r.From)+" as "+escape(r.To))
		}
		w.linef("include %s with { %s }", path, strings.Join(names, ", "))
	}
	w.uses(x.Uses)
	for _, d := range x.Types {
		w.typeDef(d)
	}
	for _, it := range x.Imports {
		w.worldItem("import", it)
	}
	for _, it := range x.Exports {
		w.worldItem("export", it)
	}
	w.close()
}

func (w *writer) worldItem(verb string, it *WorldItem) {
	w.head(it.Docs, it.Gate)
	switch {
	case it.Func != nil:
		w.linef("%s %s: %s;", verb, escape(it.Name), funcType(it.Func))
	case it.Interface.World != nil:
		w.linef("%s %s: interface {", verb, escape(it.Name))
		w.interfaceBody(it.Interface)
	default:
		w.linef("%s %s;", verb, w.path(it.Interface.Package, it.Interface.Name))
	}
}

func (w *writer) path(p *Package, name string) string {
	if p == w.pkg {
		return escape(name)
	}
	return versioned(escape(p.Namespace)+":"+escape(p.Name)+"/"+escape(name), p.Version)
}

func (w *writer) uses(uses []*Use) {
	for _, u := range uses {
		var names []string
		for _, n := range u.Names {
			if n.To == n.From {
				names = append(names, escape(n.From))
			} else {
				names = append(names, escape(n.From)+" as "+escape(n.To))
			}
		}
		w.head(u.Docs, u.Gate)
		w.linef("use %s.{%s};", w.path(u.From.Package, u.From.Name), strings.Join(names, ", "))
	}
}

func (w *writer) typeDef(d *TypeDef) {
	w.head(d.Docs, d.Gate)
	name := escape(d.Name)
	switch body := d.Body.(type) {
	case *Record:
		w.linef("record %s {", name)
		w.indent++
		for _, f := range body.Fields {
			w.docs(f.Docs)
			w.linef("%s: %s,", escape(f.Name), FormatType(f.Type))
		}
		w.close()
	case *Variant:
		w.linef("variant %s {", name)
		w.cases(body.Cases)
	case *Enum:
		w.linef("enum %s {", name)
		w.cases(body.Cases)
	case *Flags:
		w.linef("flags %s {", name)
		w.cases(body.Flags)
	case *Resource:
		if len(body.Funcs) == 0 {
			w.linef("resource %s;", name)
			return
		}
		w.linef("resource %s {", name)
		w.indent++
		for _, f := range body.Funcs {
			w.head(f.Docs, f.Gate)
			switch f.Kind {
			case Constructor:
				result := ""
				if _, fallible := f.Result.(*Result); fallible {
					result = " -> " + FormatType(f.Result)
				}
				w.linef("constructor(%s)%s;", params(f), result)
			case Static:
				w.linef("%s: static %s;", escape(f.Name), funcType(f))
			default:
				w.linef("%s: %s;", escape(f.Name), funcType(f))
			}
		}
		w.close()
	default:
		w.linef("type %s = %s;", name, FormatType(body))
	}
}

func (w *writer) cases(cases []Case) {
	w.indent++
	for _, c := range cases {
		w.docs(c.Docs)
		if c.Type == nil {
			w.linef("%s,", escape(c.Name))
		} else {
			w.linef("%s(%s),", escape(c.Name), FormatType(c.Type))
		}
	}
	w.close()
}

func params(f *Func) string {
	parts := make([]string, len(f.Params))
	for i, p := range f.Params {
		parts[i] = escape(p.Name) + ": " + FormatType(p.Type)
	}
	return strings.Join(parts, ", ")
}

func funcType(f *Func) string {
	s := "func(" + params(f) + ")"
	if f.Async {
		s = "async " + s
	}
	if f.Result != nil {
		s += " -> " + FormatType(f.Result)
	}
	return s
}
