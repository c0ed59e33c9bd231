package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/wit"
)

// emitHost writes what the host implements and how it is bound.
func (p *pkg) emitHost() {
	f := p.newFile("host.go")
	f.prime()
	component := f.use(componentPath)
	for _, d := range p.iface.Types {
		if r, ok := d.Body.(*wit.Resource); ok {
			f.resource(d, r)
		}
	}
	p.about = hostRules(p.iface)
	free := f.hostInterface()
	param := "host func(*" + component + ".Call) Host"
	about := "Bind gives the interface with the host's implementation of it, for a linker. For each call of one of its functions, host gives the Host that serves it."
	if !free {
		param = ""
		about = "Bind gives the interface for a linker. It has no functions but those of its resources, so that nothing but their values serves it."
	}
	if len(allFuncs(p.iface)) == 0 {
		about = "Bind gives the interface for a linker. It has no functions."
	}
	p.take("Bind", "the function Bind", p.iface.Pos)
	f.document(about, "")
	f.printf("func Bind(%s) *%s.Interface {\nreturn &component.Interface{\nName: InterfaceName,\n", param, component)
	f.bindResources()
	if funcs := allFuncs(p.iface); len(funcs) > 0 {
		f.printf("Funcs: []component.Func{\n")
		for _, fn := range funcs {
			f.printf("{\nName: %q,\nType: %s,\n", fn.Canonical(), f.funcABI(fn))
			if fn.Kind == wit.Method {
				f.printf("Call: %s,\n},\n", wrapper(fn))
			} else {
				f.printf("Call: func(c *component.Call, st []component.Raw) error { return %s(host(c), c, st) },\n},\n", wrapper(fn))
			}
		}
		f.printf("},\n")
	}
	f.printf("}\n}\n")
	for _, fn := range allFuncs(p.iface) {
		f.hostFunc(fn)
	}
}

// hostRules gives the rules that the functions the host implements have in
// common.
func hostRules(i *wit.Interface) string {
	var fallible, bytes bool
	for _, fn := range allFuncs(i) {
		if _, ok := canonResult(fn); ok {
			fallible = true
		}
		for _, a := range fn.Params {
			bytes = bytes || holdsBytes(a.Type)
		}
	}
	rules := ""
	if fallible {
		rules = "A function whose WIT type has a result fails with an error of exactly the type that result has, not wrapped; any other error of any function is a trap. "
	} else if len(allFuncs(i)) > 0 {
		rules = "An error of any function is a trap. "
	}
	if bytes {
		rules += "Byte lists the host is given are views of guest memory, which it must not change, nor keep when the function returns."
	}
	return rules
}

// prime notes all imports of the signatures before names of parameters are
// chosen, which must not hide them.
func (f *file) prime() {
	for _, fn := range allFuncs(f.pkg.iface) {
		for _, a := range fn.Params {
			f.goType(a.Type)
		}
		if fn.Result != nil {
			f.results(fn)
		}
	}
}

// bindResources writes the resource types a component can name in the
// interface: its own, and those it uses from others.
func (f *file) bindResources() {
	names := []string{}
	for _, u := range f.pkg.iface.Uses {
		for _, n := range u.Names {
			names = append(names, n.To)
		}
	}
	for _, d := range f.pkg.iface.Types {
		names = append(names, d.Name)
	}
	open := false
	for _, name := range names {
		d := f.pkg.iface.Type(name)
		if _, ok := d.Target().Body.(*wit.Resource); !ok {
			continue
		}
		if !open {
			f.printf("Resources: []component.NamedResource{\n")
			open = true
		}
		f.printf("{Name: %q, Type: %s},\n", name, f.identity(d))
	}
	if open {
		f.printf("},\n")
	}
}

// resource writes the Go interface of a resource's values.
func (f *file) resource(d *wit.TypeDef, r *wit.Resource) {
	name := exported(d.Name)
	f.document(fmt.Sprintf("%s is a value of the resource type %s.", name, d.Name), d.Docs)
	f.printf("type %s interface {\n", name)
	seen := map[string]string{"Drop": "the destructor"}
	for _, fn := range r.Funcs {
		if fn.Kind != wit.Method {
			continue
		}
		goName := exported(fn.Name)
		f.distinct(seen, goName, fn.Name, d, fn.Pos)
		f.method(goName, fn, fmt.Sprintf("%s is the method %s.", goName, fn.Name))
	}
	f.printf("// Drop is called once, when the owned handle goes: by the guest, or at the\n// end of its instance.\n")
	f.printf("Drop()\n}\n")
}

// hostInterface writes the Go interface of what needs no value to be called
// on. It gives false if the WIT interface has no such functions.
func (f *file) hostInterface() bool {
	seen := map[string]string{}
	for _, fn := range allFuncs(f.pkg.iface) {
		if fn.Kind == wit.Method {
			continue
		}
		if len(seen) == 0 {
			f.pkg.take("Host", "the interface Host", f.pkg.iface.Pos)
			f.document(fmt.Sprintf("Host is what a host implements of %s, besides its resources.", f.pkg.iface.ID()), "")
			f.printf("type Host interface {\n")
		}
		goName := hostName(fn)
		if old, ok := seen[goName]; ok {
			refuse(fn.Pos, "%s and %s would both be called %s in Go", old, fn.Canonical(), goName)
		}
		seen[goName] = fn.Canonical()
		what := "function " + fn.Name
		switch fn.Kind {
		case wit.Constructor:
			what = "constructor of " + fn.Resource.Name
		case wit.Static:
			what = "static function " + fn.Name + " of " + fn.Resource.Name
		}
		f.method(goName, fn, fmt.Sprintf("%s is the %s.", goName, what))
	}
	if len(seen) == 0 {
		return false
	}
	f.printf("}\n")
	return true
}

// hostName gives the name of a function in the Host interface, or in that of
// its resource.
func hostName(fn *wit.Func) string {
	switch fn.Kind {
	case wit.Constructor:
		return "New" + exported(fn.Resource.Name)
	case wit.Static:
		return exported(fn.Resource.Name) + exported(fn.Name)
	}
	return exported(fn.Name)
}

// wrapper gives the name of the function the guest calls.
func wrapper(fn *wit.Func) string {
	if fn.Kind == wit.Method {
		return "call" + exported(fn.Resource.Name) + exported(fn.Name)
	}
	return "call" + hostName(fn)
}

func (f *file) method(goName string, fn *wit.Func, sentence string) {
	f.printf("%s", comment(wrap(sentence)))
	if fn.Docs != "" {
		f.printf("//\n%s", comment(fn.Docs))
	}
	params := []string{"c *" + f.use(componentPath) + ".Call"}
	params = append(params, f.params(fn)...)
	f.printf("%s(%s) %s\n\n", goName, strings.Join(params, ", "), f.results(fn))
}

func (f *file) params(fn *wit.Func) []string {
	var params []string
	seen := map[string]string{}
	for _, a := range fn.Params {
		name := f.local(a.Name)
		if old, ok := seen[name]; ok {
			refuse(a.Pos, "parameters %s and %s would both be called %s in Go", old, a.Name, name)
		}
		seen[name] = a.Name
		params = append(params, name+" "+f.goType(a.Type))
	}
	return params
}

// payloads gives the types a function gives when it succeeds and when it
// fails. fallible is false if the function cannot fail in WIT's own terms.
func payloads(fn *wit.Func) (ok, err wit.Type, fallible bool) {
	if r, is := canonResult(fn); is {
		return r.OK, r.Err, true
	}
	return fn.Result, nil, false
}

func (f *file) results(fn *wit.Func) string {
	ok, _, _ := payloads(fn)
	if ok == nil {
		return "error"
	}
	return "(" + f.goType(ok) + ", error)"
}

// paramLayout gives the parameters' types, a method's own handle included, and
// whether they are too many to be core values.
func paramLayout(fn *wit.Func) (types []wit.Type, flat uint32, spilled bool) {
	if fn.Kind == wit.Method {
		types = append(types, &wit.Borrow{Resource: &wit.Ref{Name: fn.Resource.Name, Def: fn.Resource}})
	}
	for _, a := range fn.Params {
		types = append(types, a.Type)
	}
	for _, t := range types {
		flat += uint32(layout(t).FlatCount)
	}
	return types, flat, flat > abi.MaxFlatParams
}

// ownsEarly reports whether something of the types is lifted after an owned handle,
// and could trap while nobody else has that yet.
func ownsEarly(types []wit.Type) bool {
	if len(types) == 0 {
		return false
	}
	last := len(types) - 1
	for _, t := range types[:last] {
		if owns(t) {
			return true
		}
	}
	var inside func(t wit.Type) bool
	inside = func(t wit.Type) bool {
		switch t := canon(t).(type) {
		case *wit.List:
			return owns(t.Elem)
		case *wit.Tuple:
			return ownsEarly(t.Types)
		case *wit.Option:
			return inside(t.Elem)
		case *wit.Result:
			return t.OK != nil && inside(t.OK) || t.Err != nil && inside(t.Err)
		case *wit.Ref:
			switch body := t.Def.Body.(type) {
			case *wit.Record:
				return ownsEarly(fieldTypes(body))
			case *wit.Variant:
				return slices.ContainsFunc(body.Cases, func(c wit.Case) bool { return c.Type != nil && inside(c.Type) })
			}
		}
		return false
	}
	return inside(types[last])
}

// owns reports whether a type has owned handles in it.
func owns(t wit.Type) bool {
	switch t := canon(t).(type) {
	case *wit.Own:
		return true
	case *wit.List:
		return owns(t.Elem)
	case *wit.Tuple:
		return slices.ContainsFunc(t.Types, owns)
	case *wit.Option:
		return owns(t.Elem)
	case *wit.Result:
		return t.OK != nil && owns(t.OK) || t.Err != nil && owns(t.Err)
	case *wit.Ref:
		switch body := t.Def.Body.(type) {
		case *wit.Record:
			return slices.ContainsFunc(fieldTypes(body), owns)
		case *wit.Variant:
			return slices.ContainsFunc(body.Cases, func(c wit.Case) bool { return c.Type != nil && owns(c.Type) })
		}
	}
	return false
}

func fieldTypes(r *wit.Record) []wit.Type {
	types := make([]wit.Type, len(r.Fields))
	for i, f := range r.Fields {
		types[i] = f.Type
	}
	return types
}

// hostFunc writes the function that a guest's call of fn arrives at.
func (f *file) hostFunc(fn *wit.Func) {
	name := wrapper(fn)
	f.pkg.take(name, "the call of "+fn.Canonical(), fn.Pos)
	first := ""
	if fn.Kind != wit.Method {
		first = "host Host, "
	}
	f.printf("\nfunc %s(%sc *component.Call, st []component.Raw) error {\n", name, first)

	types, flat, spilled := paramLayout(fn)
	whole := parameter(spilled)
	var l *abi.Type
	if len(types) > 0 {
		l = tupleLayout(types)
	}
	if spilled {
		f.printf("at := st[0].U32()\nc.Mem().Check(at, %d, %d)\n", l.Size, l.Align)
		flat = 1
	}
	keeps := ownsEarly(types)
	if keeps {
		f.printf("c.BeginArgs()\n")
	}
	args := []string{"c"}
	receiver := "host"
	next := whole
	for i, t := range types {
		expr := f.lift(t, f.field(l, i, whole, &next), view)
		switch {
		case fn.Kind == wit.Method && i == 0:
			receiver = "self"
			f.printf("self := %s\n", expr)
			continue
		case fn.Kind == wit.Method:
			i--
		}
		arg := f.local(fn.Params[i].Name)
		args = append(args, arg)
		f.printf("%s := %s\n", arg, expr)
	}
	if keeps {
		f.printf("c.EndArgs()\n")
	}
	call := fmt.Sprintf("%s.%s(%s)", receiver, hostName(fn), strings.Join(args, ", "))
	f.hostResult(fn, call, flat)
	f.printf("}\n")
}

// hostResult writes the call and the lowering of its result. The pointer to
// the place of a result that is no single core value comes after the other
// parameters.
func (f *file) hostResult(fn *wit.Func, call string, params uint32) {
	if fn.Result == nil {
		f.printf("return %s\n", call)
		return
	}
	l := layout(fn.Result)
	whole := place{memory: l.FlatCount > abi.MaxFlatResults, address: "ret"}
	check := ""
	if whole.memory {
		f.printf("ret := st[%d].U32()\n", params)
		check = fmt.Sprintf("c.Mem().Check(ret, %d, %d)\n", l.Size, l.Align)
	}
	ok, fail, fallible := payloads(fn)
	v := "v, "
	if ok == nil {
		v = ""
	}
	f.printf("%serr := %s\nif err != nil {\n", v, call)
	if !fallible {
		f.printf("return err\n}\n%s", check)
		f.lower(ok, whole, "v")
		f.printf("return nil\n")
		return
	}
	if fail == nil {
		f.printf("if err != %s.Failed {\nreturn err\n}\n", f.use(valuePath))
	} else {
		f.printf("e, ok := err.(%s)\nif !ok {\nreturn err\n}\n", f.errorType(fail))
	}
	f.printf("%s%s\n", check, whole.put("U8", "1"))
	if fail != nil {
		e := "e"
		if !f.isNamedError(fail) {
			e = "e.V"
		}
		f.lower(fail, payload(l, whole), e)
	}
	f.printf("return nil\n}\n%s%s\n", check, whole.put("U8", "0"))
	if ok != nil {
		f.lower(ok, payload(l, whole), "v")
	}
	f.printf("return nil\n")
}

// isNamedError tells whether the Go type of an error payload is an error by
// itself.
func (f *file) isNamedError(t wit.Type) bool {
	ref, ok := canon(t).(*wit.Ref)
	return ok && f.gen.errors[ref.Def]
}

// errorType gives the Go type of the error that stands for an error payload.
func (f *file) errorType(t wit.Type) string {
	if f.isNamedError(t) {
		return f.goType(t)
	}
	return fmt.Sprintf("%s.Error[%s]", f.use(valuePath), f.goType(t))
}
