package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/wit"
)

// mirror writes a text component that imports an interface and exports it
// again: each exported function calls the import of the same name with the
// core values it was given, and gives back what it got. Whatever crosses it is
// lowered into the guest by one side of the bindings and lifted by the other.
func mirror(t testing.TB, i *wit.Interface) string {
	t.Helper()
	w := &watWriter{}
	w.linef("(component")
	w.linef("(import %q (instance $host", i.ID())
	for _, d := range i.Types {
		w.linef("(type $def-%s %s)", d.Name, w.body(d.Body))
		w.linef("(export %q (type $%s (eq $def-%s)))", d.Name, d.Name, d.Name)
	}
	for _, f := range i.Funcs {
		w.linef("(export %q (func %s))", f.Name, w.signature(f))
	}
	w.linef("))")
	for _, d := range i.Types {
		w.linef("(alias export $host %q (type $%s))", d.Name, d.Name)
	}
	w.linef("%s", allocator)

	var imports, bodies, lowered, lifted, exports strings.Builder
	const options = `(memory $mem) (realloc (func $libc "realloc"))`
	for _, f := range i.Funcs {
		typ := funcLayout(f)
		in, out := typ.CoreType(abi.CanonLift), typ.CoreType(abi.CanonLower)
		fmt.Fprintf(&imports, "(import \"host\" %q (func $%s %s))\n", f.Name, f.Name, out)
		fmt.Fprintf(&bodies, "(func (export %q) %s\n", f.Name, in)
		for n := range in.Params {
			fmt.Fprintf(&bodies, "  (local.get %d)\n", n)
		}
		if len(out.Params) > len(in.Params) {
			fmt.Fprintf(&bodies, "  (call $realloc (i32.const 0) (i32.const 0) (i32.const 8) (i32.const %d))\n", typ.Result.Size)
			fmt.Fprintf(&bodies, "  (global.set $area) (global.get $area) (call $%s) (global.get $area))\n", f.Name)
		} else {
			fmt.Fprintf(&bodies, "  (call $%s))\n", f.Name)
		}
		fmt.Fprintf(&lowered, "(core func $lower-%s (canon lower (func $host %q) %s))\n", f.Name, f.Name, options)
		fmt.Fprintf(&lifted, "(func $lift-%s %s (canon lift (core func $guest %q) %s))\n", f.Name, w.signature(f), f.Name, options)
		fmt.Fprintf(&exports, "(export %q (func $lift-%s))\n", f.Name, f.Name)
	}
	w.linef("%s(core instance $host", lowered.String())
	for _, f := range i.Funcs {
		w.linef("(export %q (func $lower-%s))", f.Name, f.Name)
	}
	w.linef(")\n(core module $Guest\n%s", imports.String())
	w.linef(`(import "libc" "realloc" (func $realloc (param i32 i32 i32 i32) (result i32)))`)
	w.linef("(global $area (mut i32) (i32.const 0))\n%s)", bodies.String())
	w.linef(`(core instance $guest (instantiate $Guest (with "host" (instance $host)) (with "libc" (instance $libc))))`)
	w.linef("%s(instance $out\n%s)\n(export %q (instance $out)))", lifted.String(), exports.String(), i.ID())
	return w.b.String()
}

// allocator is a memory and a realloc that never reuses anything. It starts
// high, so that an offset that is dropped is seen.
const allocator = `(core module $Libc
  (memory (export "memory") 2)
  (global $top (mut i32) (i32.const 65536))
  (func (export "realloc") (param $old i32) (param $oldsize i32) (param $align i32) (param $size i32) (result i32)
    (local $ptr i32)
    (local.set $ptr (i32.and
      (i32.add (global.get $top) (i32.sub (local.get $align) (i32.const 1)))
      (i32.sub (i32.const 0) (local.get $align))))
    (global.set $top (i32.add (local.get $ptr) (local.get $size)))
    (if (i32.gt_u (global.get $top) (i32.mul (memory.size) (i32.const 65536)))
      (then (drop (memory.grow (i32.const 16)))))
    (local.get $ptr)))
(core instance $libc (instantiate $Libc))
(alias core export $libc "memory" (core memory $mem))`

func funcLayout(f *wit.Func) *abi.Func {
	typ := &abi.Func{Result: maybeLayout(f.Result)}
	for _, a := range f.Params {
		typ.Params = append(typ.Params, abi.Field{Name: a.Name, Type: layout(a.Type)})
	}
	return typ
}

type watWriter struct {
	b strings.Builder
}

func (w *watWriter) linef(format string, args ...interface{}) {
	fmt.Fprintf(&w.b, format+"\n", args...)
}

func (w *watWriter) signature(f *wit.Func) string {
	var b strings.Builder
	for _, a := range f.Params {
		fmt.Fprintf(&b, "(param %q %s) ", a.Name, w.body(a.Type))
	}
	if f.Result != nil {
		fmt.Fprintf(&b, "(result %s)", w.body(f.Result))
	}
	return b.String()
}

// body gives the component text form of a type.
func (w *watWriter) body(t wit.Type) string {
	member := func(b *strings.Builder, kind string, c wit.Case) {
		fmt.Fprintf(b, " (%s %q", kind, c.Name)
		if c.Type != nil {
			b.WriteString(" " + w.body(c.Type))
		}
		b.WriteString(")")
	}
	var b strings.Builder
	switch t := t.(type) {
	case wit.Primitive:
		return t.String()
	case *wit.Ref:
		return "$" + t.Def.Name
	case *wit.List:
		return "(list " + w.body(t.Elem) + ")"
	case *wit.Option:
		return "(option " + w.body(t.Elem) + ")"
	case *wit.Tuple:
		b.WriteString("(tuple")
		for _, e := range t.Types {
			b.WriteString(" " + w.body(e))
		}
	case *wit.Result:
		b.WriteString("(result")
		if t.OK != nil {
			b.WriteString(" " + w.body(t.OK))
		}
		if t.Err != nil {
			b.WriteString(" (error " + w.body(t.Err) + ")")
		}
	case *wit.Record:
		b.WriteString("(record")
		for _, f := range t.Fields {
			member(&b, "field", wit.Case{Name: f.Name, Type: f.Type})
		}
	case *wit.Variant:
		b.WriteString("(variant")
		for _, c := range t.Cases {
			member(&b, "case", c)
		}
	case *wit.Enum:
		b.WriteString("(enum")
		for _, c := range t.Cases {
			fmt.Fprintf(&b, " %q", c.Name)
		}
	case *wit.Flags:
		b.WriteString("(flags")
		for _, c := range t.Flags {
			fmt.Fprintf(&b, " %q", c.Name)
		}
	default:
		panic(fmt.Sprintf("text of %T", t))
	}
	return b.String() + ")"
}
