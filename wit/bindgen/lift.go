package main

import (
	"fmt"
	"strings"

	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/wit"
)

// mode says who a lifted byte list belongs to.
type mode bool

const (
	view  mode = false // guest memory itself, for the length of the call
	owned mode = true  // a copy
)

// lift gives an expression for the value of type t at a place.
func (f *file) lift(t wit.Type, p place, m mode) string {
	switch t := canon(t).(type) {
	case wit.Primitive:
		return f.liftPrimitive(t, p)
	case *wit.List:
		ptr, n := p.get("U32"), p.second().get("U32")
		if isBytes(t) {
			if m == owned {
				return fmt.Sprintf("c.CopyBytes(%s, %s)", ptr, n)
			}
			return fmt.Sprintf("c.LiftBytes(%s, %s)", ptr, n)
		}
		return fmt.Sprintf("%s(c, %s, %s)", f.listLoader(t, m), ptr, n)
	case *wit.Own:
		return fmt.Sprintf("c.LiftOwn(%s, %s).(%s)", f.identity(t.Resource.Def), p.get("U32"), f.goType(t))
	case *wit.Borrow:
		return fmt.Sprintf("c.LiftBorrow(%s, %s).(%s)", f.identity(t.Resource.Def), p.get("U32"), f.goType(t))
	case *wit.Ref:
		switch body := t.Def.Body.(type) {
		case *wit.Enum:
			return fmt.Sprintf("%s(%s)", f.enumLifter(t, body), discriminant(layout(t), p))
		case *wit.Flags:
			return f.liftFlags(t, body, p)
		}
	}
	return fmt.Sprintf("%s(c, %s)", f.lifter(t, p.memory, m), p.arg())
}

func (f *file) liftPrimitive(t wit.Primitive, p place) string {
	narrow := func(kind, goType string) string { return goType + "(" + p.get(kind) + ")" }
	switch t {
	case wit.Bool:
		return p.get("U8") + " != 0"
	case wit.Char:
		return f.charLifter() + "(" + p.get("U32") + ")"
	case wit.String:
		return fmt.Sprintf("c.LiftString(%s, %s)", p.get("U32"), p.second().get("U32"))
	case wit.S8:
		return narrow("U8", "int8")
	case wit.S16:
		return narrow("U16", "int16")
	case wit.S32:
		return narrow("U32", "int32")
	case wit.S64:
		return narrow("U64", "int64")
	case wit.U8, wit.U16:
		if !p.memory {
			return narrow("U32", goPrimitives[t])
		}
	}
	return p.get(strings.ToUpper(t.String()))
}

func (f *file) liftFlags(t *wit.Ref, fl *wit.Flags, p place) string {
	bits := flagBits(fl)
	mask := ""
	if len(fl.Flags) < bits {
		mask = fmt.Sprintf(" & %#x", uint64(1)<<len(fl.Flags)-1)
	}
	if bits == 64 {
		return fmt.Sprintf("(%s(%s) | %s(%s)<<32)%s", f.goType(t), p.get("U32"), f.goType(t), p.second().get("U32"), mask)
	}
	return fmt.Sprintf("%s(%s)%s", f.goType(t), p.get(fmt.Sprintf("U%d", bits)), mask)
}

// discriminant gives an expression of type uint32 for the case of a value.
func discriminant(l *abi.Type, p place) string {
	if p.memory && l.DiscSize < 4 {
		return fmt.Sprintf("uint32(%s)", p.get(fmt.Sprintf("U%d", 8*l.DiscSize)))
	}
	return p.get("U32")
}

// helper gives the name, as seen from this file, of a function for a type,
// and has its text written if it is new. The functions of named types live in
// the package of the type and are exported, so that all share them.
func (f *file) helper(verb string, t wit.Type, suffix string, write func(v *file, name string)) string {
	home := f.pkg
	var name string
	if ref, ok := t.(*wit.Ref); ok {
		home = f.owner(ref.Def)
		name = verb + exported(ref.Def.Name) + suffix
	} else {
		name = strings.ToLower(verb[:1]) + verb[1:]
		if t != nil {
			name += home.values.mangle(t)
		}
		name += suffix
	}
	if _, ok := home.helpers[name]; !ok {
		home.take(name, "the function "+name, home.iface.Pos)
		home.helpers[name] = "" // taken, until the text is there
		scratch := &file{gen: f.gen, pkg: home, imports: home.values.imports}
		write(scratch, name)
		home.helpers[name] = scratch.body.String()
	}
	return f.qualify(home, name)
}

// lifter names the function that lifts a record, variant, tuple, option or
// result, from memory or from core values.
func (f *file) lifter(t wit.Type, memory bool, m mode) string {
	t = canon(t)
	suffix := ""
	if m == owned && holdsBytes(t) {
		suffix = "Owned"
	} else {
		m = view
	}
	verb, source := "Lift", "from the core values at the head of st"
	if memory {
		verb, source = "Load", "from guest memory at the address at"
	}
	return f.helper(verb, t, suffix, func(v *file, name string) {
		where := "st []component.Raw"
		if memory {
			where = "at uint32"
		}
		v.use(componentPath)
		v.sentence("%s lifts %s %s.%s", name, v.describe(t), source, ownership(t, m))
		v.printf("func %s(c *component.Call, %s) (v %s) {\n", name, where, v.goType(t))
		v.liftParts(t, parameter(memory), m)
		v.printf("return v\n}\n")
	})
}

func ownership(t wit.Type, m mode) string {
	switch {
	case !holdsBytes(t):
		return ""
	case m == owned:
		return " Its byte lists are copies."
	}
	return " Its byte lists are views of guest memory."
}

// sentence writes the comment of a function that moves values.
func (v *file) sentence(format string, args ...any) {
	v.printf("%s", comment(wrap(fmt.Sprintf(format, args...))))
}

// describe names a type in a comment.
func (v *file) describe(t wit.Type) string {
	if _, named := t.(*wit.Ref); named {
		return "the type " + wit.FormatType(t)
	}
	return wit.FormatType(t)
}

// liftParts writes the body that fills v.
func (v *file) liftParts(t wit.Type, p place, m mode) {
	l := layout(t)
	switch t := t.(type) {
	case *wit.Tuple:
		at := p
		for i, e := range t.Types {
			v.printf("v.F%d = %s\n", i, v.lift(e, v.field(l, i, p, &at), m))
		}
	case *wit.Option:
		v.checkCase(l, p, "option")
		v.printf("if d == 1 {\nv.Set = true\nv.V = %s\n}\n", v.lift(t.Elem, payload(l, p), m))
	case *wit.Result:
		v.checkCase(l, p, "result")
		v.printf("if d == 1 {\nv.IsErr = true\n")
		if t.Err != nil {
			v.printf("v.Err = %s\n", v.lift(t.Err, payload(l, p), m))
		}
		if t.OK != nil {
			v.printf("} else {\nv.OK = %s\n", v.lift(t.OK, payload(l, p), m))
		}
		v.printf("}\n")
	case *wit.Ref:
		switch body := t.Def.Body.(type) {
		case *wit.Record:
			at := p
			for i, field := range body.Fields {
				v.printf("v.%s = %s\n", exported(field.Name), v.lift(field.Type, v.field(l, i, p, &at), m))
			}
		case *wit.Variant:
			v.checkCase(l, p, t.Def.Name)
			name := exported(t.Def.Name)
			v.printf("v.Case = %sCase(d)\n", name)
			v.eachPayload(t, body, func(c wit.Case) {
				v.printf("v.%s = %s\n", exported(c.Name), v.lift(c.Type, payload(l, p), m))
			})
		}
	}
}

// eachPayload writes a switch over the cases that have one.
func (v *file) eachPayload(t *wit.Ref, body *wit.Variant, write func(wit.Case)) {
	open := false
	for _, c := range body.Cases {
		if c.Type == nil {
			continue
		}
		if !open {
			v.printf("switch v.Case {\n")
			open = true
		}
		v.printf("case %s%s:\n", exported(t.Def.Name), exported(c.Name))
		write(c)
	}
	if open {
		v.printf("}\n")
	}
}

// field gives the place of a field: its offset in memory, or the core values
// after those of the fields before it, of which next keeps count.
func (v *file) field(l *abi.Type, i int, whole place, next *place) place {
	if whole.memory {
		return whole.plus(l.Fields[i].Offset)
	}
	at := *next
	*next = next.plus(uint32(l.Fields[i].Type.FlatCount))
	return at
}

// payload gives the place of the payload of a variant.
func payload(l *abi.Type, p place) place {
	if p.memory {
		return p.plus(l.PayloadOffset)
	}
	return p.plus(1)
}

// checkCase writes a read of the discriminant into d.
func (v *file) checkCase(l *abi.Type, p place, of string) {
	v.printf("d := %s(%s, %d, %q)\n", v.caseChecker(), discriminant(l, p), len(l.Cases)+len(l.Names), of)
}

func (f *file) caseChecker() string {
	return f.helper("CheckCase", nil, "", func(v *file, name string) {
		v.sentence("%s traps unless d is one of the n discriminants of the type called of.", name)
		v.printf("func %s(d, n uint32, of string) uint32 {\nif d >= n {\n", name)
		v.printf("%s.Throw(abi.TrapBadDiscriminant, \"invalid variant discriminant: %%s has no case %%d\", of, d)\n}\n", v.use(abiPath))
		v.printf("return d\n}\n")
	})
}

func (f *file) charLifter() string {
	return f.helper("CheckChar", nil, "", func(v *file, name string) {
		v.printf("// %s traps unless code is a Unicode scalar value.\n", name)
		v.printf("func %s(code uint32) rune {\nif code > 0x10ffff || code-0xd800 < 0x800 {\n", name)
		v.printf("%s.Throw(abi.TrapBadChar, \"invalid char: %%#x is no Unicode scalar value\", code)\n}\n", v.use(abiPath))
		v.printf("return rune(code)\n}\n")
	})
}

func (f *file) enumLifter(t *wit.Ref, body *wit.Enum) string {
	return f.helper("Lift", t, "", func(v *file, name string) {
		v.sentence("%s lifts %s from its discriminant.", name, v.describe(t))
		v.printf("func %s(d uint32) %s {\n", name, exported(t.Def.Name))
		v.printf("return %s(%s(d, %d, %q))\n}\n", exported(t.Def.Name), v.caseChecker(), len(body.Cases), t.Def.Name)
	})
}

// listLoader names the function that lifts a list of anything but bytes. Where
// pointer and length come from makes no difference to it.
func (f *file) listLoader(t *wit.List, m mode) string {
	suffix := ""
	if m == owned && holdsBytes(t) {
		suffix = "Owned"
	} else {
		m = view
	}
	return f.helper("Load", t, suffix, func(v *file, name string) {
		l := layout(t.Elem)
		v.use(componentPath)
		v.sentence("%s lifts %s from the n elements at ptr.%s", name, v.describe(t), ownership(t, m))
		v.printf("func %s(c *component.Call, ptr, n uint32) %s {\n", name, v.goType(t))
		v.printf("list := component.MakeList[%s](c, ptr, n, %d, %d)\nfor i := range list {\n", v.goType(t.Elem), l.Size, l.Align)
		v.printf("at := ptr + uint32(i)*%d\nlist[i] = %s\n}\nreturn list\n}\n", l.Size, v.lift(t.Elem, parameter(true), m))
	})
}
