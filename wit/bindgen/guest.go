package main

import (
	"fmt"
	"strings"

	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/wit"
)

// emitGuest writes the typed caller of an interface that guests export.
func (p *pkg) emitGuest() {
	i := p.iface
	for _, d := range i.Types {
		if _, ok := d.Body.(*wit.Resource); ok {
			refuse(d.Pos, "%s is exported and defines the resource %s: resources of guests are not supported", i.ID(), d.Name)
		}
	}
	if len(i.Funcs) == 0 {
		return
	}
	f := p.newFile("guest.go")
	f.prime()
	component := f.use(componentPath)
	p.take("Guest", "the type Guest", i.Pos)
	p.take("NewGuest", "the function NewGuest", i.Pos)

	f.document(fmt.Sprintf("Guest calls the functions of %s that a component exports. It serves all instances of the component.", i.ID()), "")
	f.printf("type Guest struct {\n")
	for _, fn := range i.Funcs {
		f.printf("%s *%s.ExportFunc\n", field(fn), component)
	}
	f.printf("}\n")

	f.document("NewGuest finds the functions in what a component exports as instance, by default InterfaceName. It fails if one is missing or has another type.", "")
	f.printf("func NewGuest(pre *component.InstancePre, instance string) (*Guest, error) {\n")
	f.printf("if instance == \"\" {\ninstance = InterfaceName\n}\nvar g Guest\nvar err error\n")
	for _, fn := range i.Funcs {
		f.printf("if g.%s, err = pre.Export(instance, %q, %s); err != nil {\nreturn nil, err\n}\n", field(fn), fn.Canonical(), f.funcABI(fn))
	}
	f.printf("return &g, nil\n}\n")
	for _, fn := range i.Funcs {
		f.guestFunc(fn)
	}
}

// field gives the name of a function's field in Guest.
func field(fn *wit.Func) string {
	return "fn" + exported(fn.Name)
}

func (f *file) guestFunc(fn *wit.Func) {
	name := exported(fn.Name)
	ok, fail, fallible := payloads(fn)
	f.document(fmt.Sprintf("%s calls the function %s.", name, fn.Name), fn.Docs)
	if fallible {
		e := "value.Failed"
		if fail != nil {
			e = "of type " + f.errorType(fail)
		}
		f.printf("//\n%s", comment(wrap(fmt.Sprintf("A failure the guest reports is %s; any other error is a trap.", e))))
	}
	results := "(err error)"
	if ok != nil {
		results = "(v " + f.goType(ok) + ", err error)"
	}
	params := append([]string{"in *component.Instance"}, f.params(fn)...)
	f.printf("func (g *Guest) %s(%s) %s {\n", name, strings.Join(params, ", "), results)
	types, _, spilled := paramLayout(fn)
	st := "st"
	if len(types) == 0 && fn.Result == nil {
		st = "_"
	}
	f.printf("c, %s := in.Enter(g.%s)\ndefer c.Leave(&err)\n", st, field(fn))
	whole := parameter(spilled)
	if len(types) > 0 {
		l := tupleLayout(types)
		if spilled {
			f.printf("at := c.Alloc(%d, %d)\n", l.Size, l.Align)
		}
		next := whole
		for i, t := range types {
			f.lower(t, f.field(l, i, whole, &next), f.local(fn.Params[i].Name))
		}
		if spilled {
			f.printf("st[0].SetU32(at)\n")
		}
	}
	f.guestResult(fn)
	f.printf("}\n")
}

// guestResult writes the call and the lifting of its result. What it gives
// outlives the call, so nothing of it is a view.
func (f *file) guestResult(fn *wit.Func) {
	ok, fail, fallible := payloads(fn)
	if fn.Result == nil {
		f.printf("return c.Invoke()\n")
		return
	}
	v := "v, "
	if ok == nil {
		v = ""
	}
	f.printf("if err := c.Invoke(); err != nil {\nreturn %serr\n}\n", v)
	l := layout(fn.Result)
	whole := place{memory: l.FlatCount > abi.MaxFlatResults, address: "ret"}
	if whole.memory {
		f.printf("ret := st[0].U32()\nc.Mem().Check(ret, %d, %d)\n", l.Size, l.Align)
	}
	if !fallible {
		f.printf("return %s, nil\n", f.lift(ok, whole, owned))
		return
	}
	f.printf("if %s(%s, 2, \"result\") == 1 {\n", f.caseChecker(), discriminant(l, whole))
	switch {
	case fail == nil:
		f.printf("return %s%s.Failed\n}\n", v, f.use(valuePath))
	case f.isNamedError(fail):
		f.printf("return %s%s\n}\n", v, f.lift(fail, payload(l, whole), owned))
	default:
		f.printf("return %s%s{V: %s}\n}\n", v, f.errorType(fail), f.lift(fail, payload(l, whole), owned))
	}
	if ok == nil {
		f.printf("return nil\n")
		return
	}
	f.printf("return %s, nil\n", f.lift(ok, payload(l, whole), owned))
}
