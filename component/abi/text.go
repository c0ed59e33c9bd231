package abi

import (
	"strconv"
	"strings"
)

// maxText bounds the text of a type: types share their parts, so that the text
// of a small hostile one can be exponentially long.
const maxText = 4096

// String returns the type as WIT text. Records, variants, enums and flags are
// written out in place. Text over 4 KiB is cut short with an ellipsis.
func (t *Type) String() string {
	var b strings.Builder
	t.writeText(&b)
	return clip(b.String())
}

// String returns the function's type as WIT text, as in
// "func(name: string) -> option<u32>".
func (f *Func) String() string {
	var b strings.Builder
	b.WriteString("func(")
	writeFields(&b, f.Params)
	b.WriteString(")")
	if f.Result != nil {
		b.WriteString(" -> ")
		f.Result.writeText(&b)
	}
	return clip(b.String())
}

func clip(s string) string {
	if len(s) > maxText {
		return strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	return s
}

func (t *Type) writeText(b *strings.Builder) {
	if b.Len() > maxText {
		return
	}
	if t == nil {
		b.WriteByte('_')
		return
	}
	switch t.Kind {
	case KindList:
		writeArgs(b, "list", t.Elem)
	case KindFixedList:
		b.WriteString("list<")
		t.Elem.writeText(b)
		b.WriteString(", " + strconv.FormatUint(uint64(t.Len), 10) + ">")
	case KindRecord:
		b.WriteString("record { ")
		writeFields(b, t.Fields)
		b.WriteString(" }")
	case KindTuple:
		elems := make([]*Type, len(t.Fields))
		for i, f := range t.Fields {
			elems[i] = f.Type
		}
		writeArgs(b, "tuple", elems...)
	case KindVariant:
		b.WriteString("variant { ")
		for i, c := range t.Cases {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(c.Name)
			if c.Type != nil {
				b.WriteByte('(')
				c.Type.writeText(b)
				b.WriteByte(')')
			}
		}
		b.WriteString(" }")
	case KindEnum, KindFlags:
		b.WriteString(t.Kind.String() + " { ")
		for i, n := range t.Names {
			if b.Len() > maxText {
				break
			}
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(n)
		}
		b.WriteString(" }")
	case KindOption:
		writeArgs(b, "option", t.Cases[1].Type)
	case KindResult:
		ok, err := t.Cases[0].Type, t.Cases[1].Type
		switch {
		case ok == nil && err == nil:
			b.WriteString("result")
		case err == nil:
			writeArgs(b, "result", ok)
		default:
			writeArgs(b, "result", ok, err)
		}
	case KindOwn, KindBorrow:
		b.WriteString(t.Kind.String() + "<" + t.Resource.String() + ">")
	case KindStream, KindFuture:
		if t.Elem == nil {
			b.WriteString(t.Kind.String())
		} else {
			writeArgs(b, t.Kind.String(), t.Elem)
		}
	default:
		b.WriteString(t.Kind.String())
	}
}

func writeArgs(b *strings.Builder, name string, args ...*Type) {
	b.WriteString(name + "<")
	for i, a := range args {
		if i > 0 {
			b.WriteString(", ")
		}
		a.writeText(b)
	}
	b.WriteByte('>')
}

func writeFields(b *strings.Builder, fields []Field) {
	for i, f := range fields {
		if b.Len() > maxText {
			return
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(f.Name + ": ")
		f.Type.writeText(b)
	}
}
