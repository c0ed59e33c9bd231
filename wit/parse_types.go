package wit

import (
	"math"
	"strconv"
)

// keywords are the words an identifier cannot be unless it is written with a
// percent sign (WIT.md, section Keywords).
var keywords = map[string]bool{
	"as": true, "async": true, "borrow": true, "constructor": true, "enum": true,
	"export": true, "flags": true, "from": true, "func": true, "future": true,
	"import": true, "include": true, "interface": true, "list": true, "option": true,
	"own": true, "package": true, "record": true, "resource": true, "result": true,
	"static": true, "stream": true, "tuple": true, "type": true, "use": true,
	"variant": true, "with": true, "world": true,
}

var primitives = map[string]Primitive{}

func init() {
	for i, name := range primitiveNames {
		primitives[name] = Primitive(i)
		keywords[name] = true
	}
}

func (p *parser) isTypeDef() bool {
	if p.tok.kind != ident {
		return false
	}
	switch p.tok.text {
	case "type", "record", "variant", "enum", "flags", "resource":
		return true
	}
	return false
}

// typeDef reads a definition that isTypeDef has announced.
func (p *parser) typeDef(docs string, gate Gate) *TypeDef {
	what := p.tok.text
	d := &TypeDef{Pos: p.pos(), Docs: docs, Gate: gate}
	p.next()
	d.Name = p.ident("the name of the " + what)
	switch what {
	case "type":
		p.want("=")
		d.Body = p.typ()
		p.want(";")
	case "record":
		d.Body = &Record{Fields: p.fields(d)}
	case "variant":
		d.Body = &Variant{Cases: p.cases(d, "case", true)}
	case "enum":
		d.Body = &Enum{Cases: p.cases(d, "case", false)}
	case "flags":
		d.Body = &Flags{Flags: p.cases(d, "flag", false)}
	case "resource":
		r := &Resource{}
		d.Body = r
		if p.accept(";") {
			break
		}
		p.want("{")
		for !p.accept("}") {
			r.Funcs = append(r.Funcs, p.resourceFunc(d))
		}
	}
	return d
}

func (p *parser) resourceFunc(d *TypeDef) *Func {
	f := &Func{Resource: d}
	f.Docs, f.Gate = p.item()
	f.Pos = p.pos()
	if p.accept("constructor") {
		f.Kind = Constructor
		f.Params = p.params()
		f.Result = &Ref{Pos: f.Pos, Name: d.Name, Def: d}
		if p.accept("->") {
			f.Result = p.typ()
		}
		p.want(";")
		return f
	}
	if !p.isIdent() {
		p.expected("constructor, the name of a function or }")
	}
	f.Name = p.ident("the name of a function")
	p.want(":")
	f.Kind = Method
	if p.accept("static") {
		f.Kind = Static
	}
	p.funcType(f)
	return f
}

func (p *parser) fields(d *TypeDef) []Field {
	var fields []Field
	seen := scope{}
	p.want("{")
	p.sequence("}", func() {
		f := Field{Pos: p.pos(), Docs: p.tok.docs}
		f.Name = p.ident("the name of a field")
		p.once(seen, f.Pos, "field", f.Name, d)
		p.want(":")
		f.Type = p.typ()
		fields = append(fields, f)
	})
	if len(fields) == 0 {
		panic(errorAt(d.Pos, "record %s has no fields: it needs at least one", d.Name))
	}
	return fields
}

// cases reads the body of a variant, whose cases may have payloads, or of an
// enum or flags, whose members have none.
func (p *parser) cases(d *TypeDef, noun string, payloads bool) []Case {
	var cases []Case
	seen := scope{}
	p.want("{")
	p.sequence("}", func() {
		c := Case{Pos: p.pos(), Docs: p.tok.docs}
		c.Name = p.ident("the name of a " + noun)
		p.once(seen, c.Pos, noun, c.Name, d)
		if payloads && p.accept("(") {
			c.Type = p.typ()
			p.want(")")
		}
		cases = append(cases, c)
	})
	if len(cases) == 0 {
		panic(errorAt(d.Pos, "%s has no %ss: it needs at least one", d.Name, noun))
	}
	return cases
}

func (p *parser) once(seen scope, pos Pos, noun, name string, d *TypeDef) {
	if old, ok := seen.find(name); ok {
		panic(errorAt(pos, "%s %s of %s is already there: see %s", noun, name, d.Name, old.pos))
	}
	seen.put(name, entry{pos: pos})
}

// typ reads a type in the place of a value's type.
func (p *parser) typ() Type {
	if p.depth++; p.depth > maxTypeDepth {
		p.failf("type is nested more than %d deep", maxTypeDepth)
	}
	defer func() { p.depth-- }()

	pos := p.pos()
	if p.tok.kind == ident {
		if prim, ok := primitives[p.tok.text]; ok {
			p.next()
			return prim
		}
	}
	switch {
	case p.accept("list"):
		return p.list()
	case p.accept("option"):
		p.want("<")
		t := &Option{Elem: p.typ()}
		p.want(">")
		return t
	case p.accept("result"):
		return p.result()
	case p.accept("tuple"):
		t := &Tuple{}
		p.want("<")
		p.sequence(">", func() { t.Types = append(t.Types, p.typ()) })
		if len(t.Types) == 0 {
			panic(errorAt(pos, "tuple has no types: it needs at least one"))
		}
		return t
	case p.accept("own"):
		return &Own{Resource: p.handle()}
	case p.accept("borrow"):
		return &Borrow{Resource: p.handle()}
	case p.accept("stream"):
		return &Stream{Elem: p.maybeElem()}
	case p.accept("future"):
		return &Future{Elem: p.maybeElem()}
	case p.isIdent():
		return &Ref{Pos: pos, Name: p.ident("a type")}
	}
	p.expected("a type")
	return nil
}

func (p *parser) list() Type {
	t := &List{}
	p.want("<")
	t.Elem = p.typ()
	if p.accept(",") {
		n, err := strconv.ParseUint(p.tok.text, 10, 32)
		if p.tok.kind != integer || err != nil || n == 0 {
			p.expected("the length of the list, 1 to " + strconv.Itoa(math.MaxUint32))
		}
		t.Len = uint32(n)
		p.next()
	}
	p.want(">")
	return t
}

func (p *parser) result() Type {
	t := &Result{}
	if !p.accept("<") {
		return t
	}
	if p.accept("_") {
		p.want(",")
		t.Err = p.typ()
	} else {
		t.OK = p.typ()
		if p.accept(",") {
			t.Err = p.typ()
		}
	}
	p.want(">")
	return t
}

func (p *parser) handle() *Ref {
	p.want("<")
	r := &Ref{Pos: p.pos(), Name: p.ident("the name of a resource")}
	p.want(">")
	return r
}

func (p *parser) maybeElem() Type {
	if !p.accept("<") {
		return nil
	}
	t := p.typ()
	p.want(">")
	return t
}
