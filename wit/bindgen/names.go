package main

import (
	"fmt"
	"go/token"
	"go/types"
	"path"
	"strings"

	"github.com/minispin/minispin/wit"
)

// initialisms are words that Go writes in one case.
var initialisms = map[string]bool{
	"abi": true, "api": true, "cpu": true, "db": true, "dns": true, "http": true,
	"https": true, "id": true, "io": true, "ip": true, "json": true, "llm": true,
	"sql": true, "tcp": true, "tls": true, "ttl": true, "udp": true, "uri": true,
	"url": true, "utf8": true, "uuid": true,
}

// exported gives the Go form of a WIT name for use outside its package.
func exported(name string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(name, "-") {
		if initialisms[word] {
			b.WriteString(strings.ToUpper(word))
			continue
		}
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

// reserved are the names the generated functions use themselves.
var reserved = map[string]bool{
	"abi": true, "at": true, "c": true, "component": true, "e": true, "err": true,
	"g": true, "host": true, "in": true, "ok": true, "ret": true, "self": true,
	"st": true, "v": true, "value": true,
}

// local gives the Go form of the name of a parameter.
func (f *file) local(name string) string {
	first, rest, _ := strings.Cut(name, "-")
	s := strings.ToLower(first)
	if rest != "" {
		s += exported(rest)
	}
	switch {
	case s == "len":
		return "length"
	case s == "type":
		return "typ"
	case reserved[s] || token.IsKeyword(s) || types.Universe.Lookup(s) != nil || f.isImport(s):
		return s + "Arg"
	}
	return s
}

// packageName gives the name of the Go package of an interface: its own name
// without dashes, unless Go has taken that.
func packageName(i *wit.Interface) string {
	name := strings.ToLower(strings.ReplaceAll(i.Name, "-", ""))
	if token.IsKeyword(name) || types.Universe.Lookup(name) != nil || reserved[name] {
		return strings.ReplaceAll(i.Package.Name, "-", "") + name
	}
	return name
}

// packageDir gives the folder of the Go package of an interface, below the
// root of all. Versions that can be used side by side must not share one: a
// major version above zero and the mark of a draft become part of the name.
func (g *generator) packageDir(i *wit.Interface) string {
	p := i.Package
	if dir, ok := g.dirs[p.ID()]; ok {
		return path.Join(dir, packageName(i))
	}
	version, mark, _ := strings.Cut(p.Version, "-")
	major, _, _ := strings.Cut(version, ".")
	name := strings.ReplaceAll(p.Name, "-", "")
	if mark != "" {
		name += strings.NewReplacer("-", "", ".", "").Replace(mark)
	} else if major != "0" {
		name += major
	}
	return path.Join(p.Namespace, name, packageName(i))
}

// mangle gives a name for a type that has none, for use in the names of
// functions.
func (f *file) mangle(t wit.Type) string {
	switch t := canon(t).(type) {
	case wit.Primitive:
		return exported(t.String())
	case *wit.List:
		if isBytes(t) {
			return "Bytes"
		}
		return "List" + f.mangle(t.Elem)
	case *wit.Option:
		return "Option" + f.mangle(t.Elem)
	case *wit.Result:
		s := "Result"
		for _, part := range []wit.Type{t.OK, t.Err} {
			if part == nil {
				s += "Unit"
			} else {
				s += f.mangle(part)
			}
		}
		return s
	case *wit.Tuple:
		s := fmt.Sprintf("Tuple%d", len(t.Types))
		for _, e := range t.Types {
			s += f.mangle(e)
		}
		return s
	case *wit.Own:
		return "Own" + f.mangleDef(t.Resource.Def)
	case *wit.Borrow:
		return "Borrow" + f.mangleDef(t.Resource.Def)
	case *wit.Ref:
		return f.mangleDef(t.Def)
	}
	panic(fmt.Sprintf("mangle of %T", t))
}

// mangleDef tells types of equal names in different interfaces apart.
func (f *file) mangleDef(d *wit.TypeDef) string {
	d = d.Target()
	if d.Interface == f.pkg.iface {
		return exported(d.Name)
	}
	return exported(d.Interface.Package.Name) + exported(d.Interface.Name) + exported(d.Name)
}
