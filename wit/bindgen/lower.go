package main

import (
	"fmt"
	"strings"

	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/wit"
)

// lower writes a statement that puts expr, an addressable value of type t, in
// a place.
func (f *file) lower(t wit.Type, p place, expr string) {
	switch t := canon(t).(type) {
	case wit.Primitive:
		f.lowerPrimitive(t, p, expr)
		return
	case *wit.List:
		f.printf("%s(c, %s, %s)\n", f.lowerer(t, p.memory), p.arg(), expr)
		return
	case *wit.Own:
		f.printf("%s\n", p.put("U32", fmt.Sprintf("c.LowerOwn(%s, %s)", f.identity(t.Resource.Def), expr)))
		return
	case *wit.Borrow:
		f.printf("%s\n", p.put("U32", fmt.Sprintf("c.LowerBorrow(%s, %s)", f.identity(t.Resource.Def), expr)))
		return
	case *wit.Ref:
		switch body := t.Def.Body.(type) {
		case *wit.Enum:
			f.printf("%s\n", p.put("U8", width(p, "uint8")+"("+expr+")"))
			return
		case *wit.Flags:
			bits := flagBits(body)
			if bits == 64 {
				f.printf("%s\n%s\n", p.put("U32", "uint32("+expr+")"), p.second().put("U32", "uint32("+expr+">>32)"))
			} else {
				f.printf("%s\n", p.put(fmt.Sprintf("U%d", bits), width(p, fmt.Sprintf("uint%d", bits))+"("+expr+")"))
			}
			return
		}
	}
	f.printf("%s(c, %s, &%s)\n", f.lowerer(t, p.memory), p.arg(), expr)
}

// width gives the Go type a narrow integer is put as: its own in memory, 32
// bits among core values.
func width(p place, goType string) string {
	if p.memory {
		return goType
	}
	return "uint32"
}

func (f *file) lowerPrimitive(t wit.Primitive, p place, expr string) {
	stmt := ""
	switch t {
	case wit.Bool:
		bit := f.helper("Bit", nil, "", func(v *file, name string) {
			v.printf("// %s gives the canonical form of a bool.\n", name)
			v.printf("func %s(b bool) uint8 {\nif b {\nreturn 1\n}\nreturn 0\n}\n", name)
		})
		if p.memory {
			stmt = p.put("U8", bit+"("+expr+")")
		} else {
			stmt = p.put("U8", "uint32("+bit+"("+expr+"))")
		}
	case wit.Char:
		stmt = p.put("U32", fmt.Sprintf("uint32(%s(uint32(%s)))", f.charLifter(), expr))
	case wit.String:
		f.printf("%s(c, %s, %s)\n", f.lowerer(t, p.memory), p.arg(), expr)
		return
	case wit.S8:
		if p.memory {
			stmt = p.put("U8", "uint8("+expr+")")
		} else {
			stmt = p.put("U8", "uint32(int32("+expr+"))")
		}
	case wit.S16:
		if p.memory {
			stmt = p.put("U16", "uint16("+expr+")")
		} else {
			stmt = p.put("U16", "uint32(int32("+expr+"))")
		}
	case wit.S32:
		stmt = p.put("U32", "uint32("+expr+")")
	case wit.S64:
		stmt = p.put("U64", "uint64("+expr+")")
	case wit.U8, wit.U16:
		if !p.memory {
			expr = "uint32(" + expr + ")"
		}
		stmt = p.put(strings.ToUpper(t.String()), expr)
	default:
		stmt = p.put(strings.ToUpper(t.String()), expr)
	}
	f.printf("%s\n", stmt)
}

// lowerer names the function that puts a value of more than one part in its
// place: a string, list, record, variant, tuple, option or result.
func (f *file) lowerer(t wit.Type, memory bool) string {
	t = canon(t)
	verb, target, where := "Lower", "to the core values at the head of st", "st []component.Raw"
	if memory {
		verb, target, where = "Store", "to guest memory at the address at", "at uint32"
	}
	return f.helper(verb, t, "", func(v *file, name string) {
		goType := v.goType(t)
		list, isList := t.(*wit.List)
		if !isList && t != wit.String {
			goType = "*" + goType
		}
		v.use(componentPath)
		v.sentence("%s lowers %s %s.", name, v.describe(t), target)
		v.printf("func %s(c *component.Call, %s, v %s) {\n", name, where, goType)
		p := parameter(memory)
		switch {
		case t == wit.String:
			v.printf("ptr, n := c.LowerString(v)\n")
		case isList && isBytes(t):
			v.printf("ptr, n := c.LowerBytes(v)\n")
		case isList:
			v.printf("ptr, n := %s(c, v)\n", v.listMaker(list))
		default:
			v.lowerParts(t, p)
			v.printf("}\n")
			return
		}
		v.printf("%s\n%s\n}\n", p.put("U32", "ptr"), p.second().put("U32", "n"))
	})
}

// lowerParts writes the body that puts the parts of v.
func (v *file) lowerParts(t wit.Type, p place) {
	l := layout(t)
	switch t := t.(type) {
	case *wit.Tuple:
		at := p
		for i, e := range t.Types {
			v.lower(e, v.field(l, i, p, &at), fmt.Sprintf("v.F%d", i))
		}
	case *wit.Option:
		v.clearPayload(l, p)
		v.printf("if !v.Set {\n%s\nreturn\n}\n%s\n", p.put("U8", "0"), p.put("U8", "1"))
		v.lower(t.Elem, payload(l, p), "v.V")
	case *wit.Result:
		v.clearPayload(l, p)
		v.printf("if v.IsErr {\n%s\n", p.put("U8", "1"))
		if t.Err != nil {
			v.lower(t.Err, payload(l, p), "v.Err")
		}
		v.printf("return\n}\n%s\n", p.put("U8", "0"))
		if t.OK != nil {
			v.lower(t.OK, payload(l, p), "v.OK")
		}
	case *wit.Ref:
		switch body := t.Def.Body.(type) {
		case *wit.Record:
			at := p
			for i, field := range body.Fields {
				v.lower(field.Type, v.field(l, i, p, &at), "v."+exported(field.Name))
			}
		case *wit.Variant:
			v.clearPayload(l, p)
			v.printf("%s\n", p.put("U8", width(p, "uint8")+"(v.Case)"))
			v.eachPayload(t, body, func(c wit.Case) {
				v.lower(c.Type, payload(l, p), "v."+exported(c.Name))
			})
		}
	}
}

// clearPayload zeroes the core values that the case at hand may leave alone.
func (v *file) clearPayload(l *abi.Type, p place) {
	if !p.memory && l.FlatCount > 1 {
		v.printf("clear(st[1:%d])\n", l.FlatCount)
	}
}

// listMaker names the function that puts a list of anything but bytes in new
// guest memory, of which it asks for one block.
func (f *file) listMaker(t *wit.List) string {
	return f.helper("New", t, "", func(v *file, name string) {
		l := layout(t.Elem)
		v.use(componentPath)
		v.sentence("%s lowers %s to a new block of guest memory.", name, v.describe(t))
		v.printf("func %s(c *component.Call, list %s) (ptr, n uint32) {\n", name, v.goType(t))
		v.printf("if uint64(len(list))*%d > %s.MaxListBytes {\n", l.Size, v.use(abiPath))
		v.printf("abi.Throw(abi.TrapTooLong, \"list of %%d elements is too long\", len(list))\n}\n")
		v.printf("n = uint32(len(list))\nptr = c.Alloc(n*%d, %d)\n", l.Size, l.Align)
		v.printf("for i := range list {\nat := ptr + uint32(i)*%d\n", l.Size)
		v.lower(t.Elem, parameter(true), "list[i]")
		v.printf("}\nreturn ptr, n\n}\n")
	})
}
