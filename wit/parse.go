package wit

import (
	"fmt"
	"strings"
)

// file is what one WIT file says, before names are resolved.
type file struct {
	name    string
	pkg     *Package // only id, docs and position; nil without a declaration
	aliases []*topUse
	ifaces  []*Interface
	worlds  []*World
}

// topUse is a use at the top of a file: it gives an interface or a world a
// name in this file.
type topUse struct {
	pos  Pos
	path *path
	name string
}

// path is the way an interface or a world is named in the text.
type path struct {
	pos       Pos
	file      *file
	namespace string // empty for a plain name
	pkg       string
	name      string
	version   string
}

func (p *path) String() string {
	if p.namespace == "" {
		return p.name
	}
	return versioned(p.namespace+":"+p.pkg+"/"+p.name, p.version)
}

func (p *path) packageID() string { return versioned(p.namespace+":"+p.pkg, p.version) }

// parser reads one file by recursive descent. The first mistake ends it: it
// panics with an *Error, which parseFile recovers.
type parser struct {
	lex   lexer
	file  *file
	tok   token // the next token
	lines []int // offsets at which lines begin
	depth int   // nesting of the type being read
}

// maxTypeDepth bounds the nesting of types, so that no text can exhaust the
// stack of those who walk them.
const maxTypeDepth = 100

func parseFile(name, src string) (f *file, err error) {
	p := &parser{lex: lexer{src}, file: &file{name: name}, lines: []int{0}}
	for i := range len(src) {
		if src[i] == '\n' {
			p.lines = append(p.lines, i+1)
		}
	}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *Error:
			f, err = nil, r
		default:
			panic(r)
		}
	}()
	p.tok = p.lex.scan(0)
	p.parse()
	return p.file, nil
}

func (p *parser) parse() {
	if p.is("package") {
		p.packageDecl()
	}
	for p.tok.kind != eof {
		docs, gate := p.item()
		switch pos := p.pos(); {
		case p.accept("use"):
			p.topLevelUse(pos)
		case p.accept("interface"):
			i := &Interface{Pos: pos, Docs: docs, Gate: gate, Name: p.ident("the name of the interface")}
			p.interfaceBody(i)
			p.file.ifaces = append(p.file.ifaces, i)
		case p.accept("world"):
			w := &World{Pos: pos, Docs: docs, Gate: gate, Name: p.ident("the name of the world")}
			p.worldBody(w)
			p.file.worlds = append(p.file.worlds, w)
		case p.is("package"):
			p.failf("a package is declared once, at the head of the file; nested packages are not supported")
		default:
			p.expected("use, interface or world")
		}
	}
}

func (p *parser) packageDecl() {
	pkg := &Package{Pos: p.pos(), Docs: p.tok.docs}
	p.next()
	pkg.Namespace = p.ident("the namespace of the package")
	p.want(":")
	pkg.Name = p.ident("the name of the package")
	if p.is(":") || p.is("/") {
		p.failf("nested namespaces and packages are not supported")
	}
	if p.accept("@") {
		pkg.Version = p.version()
	}
	if p.is("{") {
		p.failf("nested packages are not supported")
	}
	p.want(";")
	p.file.pkg = pkg
}

func (p *parser) topLevelUse(pos Pos) {
	u := &topUse{pos: pos, path: p.path()}
	u.name = u.path.name
	if p.accept("as") {
		u.name = p.ident("the name to use it by")
	}
	p.want(";")
	p.file.aliases = append(p.file.aliases, u)
}

// path reads a use-path (WIT.md, section Use).
func (p *parser) path() *path {
	at := &path{pos: p.pos(), file: p.file}
	at.name = p.ident("the name of an interface or world")
	if !p.accept(":") {
		return at
	}
	at.namespace = at.name
	at.pkg = p.ident("the name of a package")
	p.want("/")
	at.name = p.ident("the name of an interface or world")
	if p.accept("@") {
		at.version = p.version()
	}
	return at
}

func (p *parser) interfaceBody(i *Interface) {
	p.want("{")
	for !p.accept("}") {
		docs, gate := p.item()
		switch pos := p.pos(); {
		case p.accept("use"):
			i.Uses = append(i.Uses, p.use(pos, docs, gate))
		case p.isTypeDef():
			i.Types = append(i.Types, p.typeDef(docs, gate))
		case p.isIdent():
			f := &Func{Pos: pos, Docs: docs, Gate: gate, Name: p.ident("the name of a function")}
			p.want(":")
			p.funcType(f)
			i.Funcs = append(i.Funcs, f)
		default:
			p.expected("a use, a type, a function or }")
		}
	}
}

func (p *parser) worldBody(w *World) {
	p.want("{")
	for !p.accept("}") {
		docs, gate := p.item()
		switch pos := p.pos(); {
		case p.accept("import"):
			w.Imports = append(w.Imports, p.worldItem(w, pos, docs, gate))
		case p.accept("export"):
			w.Exports = append(w.Exports, p.worldItem(w, pos, docs, gate))
		case p.accept("include"):
			w.Includes = append(w.Includes, p.include(pos))
		case p.accept("use"):
			w.Uses = append(w.Uses, p.use(pos, docs, gate))
		case p.isTypeDef():
			w.Types = append(w.Types, p.typeDef(docs, gate))
		default:
			p.expected("import, export, include, a use, a type or }")
		}
	}
}

// worldItem reads what follows import or export: "name: func", "name:
// interface" or a path. Only the token after the first colon tells "name:
// func(...)" from "ns:pkg/name".
func (p *parser) worldItem(w *World, pos Pos, docs string, gate Gate) *WorldItem {
	it := &WorldItem{Pos: pos, Docs: docs, Gate: gate}
	start := p.tok
	name := p.ident("the name of an import or export")
	if p.accept(":") {
		switch {
		case p.is("func") || p.is("async"):
			it.Name = name
			it.Func = &Func{Pos: pos, Docs: docs, Gate: gate, Name: name}
			p.funcType(it.Func)
			return it
		case p.accept("interface"):
			it.Name = name
			it.Interface = &Interface{Pos: pos, Docs: docs, Gate: gate, World: w, Name: name}
			p.interfaceBody(it.Interface)
			return it
		}
	}
	p.tok = start
	it.path = p.path()
	p.want(";")
	return it
}

func (p *parser) include(pos Pos) *Include {
	in := &Include{Pos: pos, path: p.path()}
	if p.accept("with") {
		p.want("{")
		p.sequence("}", func() {
			r := Rename{Pos: p.pos(), From: p.ident("the name to replace")}
			if !p.accept("as") {
				p.expected("as")
			}
			r.To = p.ident("the new name")
			in.Renames = append(in.Renames, r)
		})
		p.accept(";")
		return in
	}
	p.want(";")
	return in
}

func (p *parser) use(pos Pos, docs string, gate Gate) *Use {
	u := &Use{Pos: pos, Docs: docs, Gate: gate, path: p.path()}
	p.want(".")
	p.want("{")
	p.sequence("}", func() {
		n := Rename{Pos: p.pos(), From: p.ident("the name of a type")}
		n.To = n.From
		if p.accept("as") {
			n.To = p.ident("the name to use it by")
		}
		u.Names = append(u.Names, n)
	})
	p.want(";")
	return u
}

// funcType reads from "func" or "async" to the semicolon.
func (p *parser) funcType(f *Func) {
	f.Async = p.accept("async")
	if !p.accept("func") {
		p.expected("func")
	}
	f.Params = p.params()
	if p.accept("->") {
		f.Result = p.typ()
	}
	p.want(";")
}

func (p *parser) params() []Param {
	var params []Param
	p.want("(")
	p.sequence(")", func() {
		a := Param{Pos: p.pos(), Name: p.ident("the name of a parameter")}
		p.want(":")
		a.Type = p.typ()
		params = append(params, a)
	})
	return params
}

// item reads the annotations before an item, and gives the doc comment in
// front of the whole.
func (p *parser) item() (docs string, gate Gate) {
	docs = p.tok.docs
	for p.accept("@") {
		switch pos, name := p.pos(), p.ident("the name of an annotation"); name {
		case "since":
			gate.Since = p.annotation("version")
		case "deprecated":
			gate.Deprecated = p.annotation("version")
		case "unstable":
			gate.Unstable = p.annotation("feature")
		default:
			panic(errorAt(pos, "unknown annotation @%s: expected @since, @unstable or @deprecated", name))
		}
		if p.tok.docs != "" {
			docs = strings.TrimPrefix(docs+"\n"+p.tok.docs, "\n")
		}
	}
	return docs, gate
}

func (p *parser) annotation(key string) (value string) {
	p.want("(")
	if !p.accept(key) {
		p.expected(key + " = …")
	}
	p.want("=")
	if key == "version" {
		value = p.version()
	} else {
		value = p.ident("the name of a feature")
	}
	p.want(")")
	return value
}

// version reads the semantic version that begins at the next token, whatever
// that token is.
func (p *parser) version() string {
	start := p.tok.start
	end := p.lex.version(start)
	if end == start {
		p.expected("a version such as 1.2.3")
	}
	p.tok = p.lex.scan(end)
	return p.lex.src[start:end]
}

// sequence reads elements parted by commas, a last comma allowed, up to the
// closing token.
func (p *parser) sequence(closing string, element func()) {
	for !p.accept(closing) {
		element()
		if !p.is(closing) && !p.accept(",") {
			p.expected("',' or " + quote(closing))
		}
	}
}

func (p *parser) next() { p.tok = p.lex.scan(p.tok.end) }

// is tells whether the next token is the given keyword or mark.
func (p *parser) is(text string) bool {
	return p.tok.text == text && (p.tok.kind == ident || p.tok.kind == punct || p.tok.kind == arrow)
}

func (p *parser) accept(text string) bool {
	if !p.is(text) {
		return false
	}
	p.next()
	return true
}

func (p *parser) want(text string) {
	if !p.accept(text) {
		p.expected(quote(text))
	}
}

func (p *parser) isIdent() bool {
	return p.tok.kind == escaped || p.tok.kind == ident && !keywords[p.tok.text]
}

func (p *parser) ident(what string) string {
	if !p.isIdent() {
		if p.tok.kind == ident {
			p.failf("expected %s, but %s is a keyword: write %%%s to use it as a name", what, p.tok.text, p.tok.text)
		}
		p.expected(what)
	}
	name := p.tok.text
	p.next()
	return name
}

func (p *parser) pos() Pos { return p.posAt(p.tok.start) }

func (p *parser) posAt(off int) Pos {
	// Positions are asked for in ascending order nearly always, yet a file is
	// small: a search over its lines is quick enough.
	lo, hi := 0, len(p.lines)
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; p.lines[mid] <= off {
			lo = mid
		} else {
			hi = mid
		}
	}
	return Pos{File: p.file.name, Line: lo + 1, Col: off - p.lines[lo] + 1}
}

func (p *parser) expected(what string) {
	switch p.tok.kind {
	case invalid:
		p.failf("%s", p.tok.text)
	case eof:
		p.failf("expected %s, found the end of the file", what)
	}
	p.failf("expected %s, found %s", what, quote(p.lex.src[p.tok.start:p.tok.end]))
}

func (p *parser) failf(format string, args ...any) {
	panic(errorAt(p.pos(), format, args...))
}

func quote(s string) string { return fmt.Sprintf("'%s'", s) }
