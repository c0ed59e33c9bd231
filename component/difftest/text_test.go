package difftest

import (
	"fmt"
	"strings"

	"github.com/minispin/minispin/component/abi"
)

// typeText collects the definitions of types in the text format. Every type that
// is not primitive gets a name, for the format wants some of them named.
type typeText struct {
	decls strings.Builder
	n     int
}

// ref gives the text for t, after defining what it consists of.
func (x *typeText) ref(t *abi.Type) string {
	opt := func(open string, t *abi.Type, end string) string {
		if t == nil {
			return ""
		}
		return " " + open + x.ref(t) + end
	}
	var body string
	switch t.Kind {
	case abi.KindList:
		body = "(list " + x.ref(t.Elem) + ")"
	case abi.KindOption:
		body = "(option " + x.ref(t.Cases[1].Type) + ")"
	case abi.KindResult:
		body = "(result" + opt("", t.Cases[0].Type, "") + opt("(error ", t.Cases[1].Type, ")") + ")"
	case abi.KindRecord:
		for _, f := range t.Fields {
			body += fmt.Sprintf(" (field %q %s)", f.Name, x.ref(f.Type))
		}
		body = "(record" + body + ")"
	case abi.KindTuple:
		for _, f := range t.Fields {
			body += " " + x.ref(f.Type)
		}
		body = "(tuple" + body + ")"
	case abi.KindVariant:
		for _, c := range t.Cases {
			body += fmt.Sprintf(" (case %q%s)", c.Name, opt("", c.Type, ""))
		}
		body = "(variant" + body + ")"
	case abi.KindEnum, abi.KindFlags:
		for _, n := range t.Names {
			body += fmt.Sprintf(" %q", n)
		}
		body = "(" + t.Kind.String() + body + ")"
	default:
		return t.String()
	}
	x.n++
	fmt.Fprintf(&x.decls, "\n    (type $d%d %s) (export \"t%[1]d\" (type $t%[1]d (eq $d%[1]d)))", x.n, body)
	return fmt.Sprintf("$t%d", x.n)
}

// guest says what a generated component is made of. The type T of its world can
// be had in the text as %T.
type guest struct {
	typ      *abi.Type
	encoding string
	api      string // type of the imported function f
	run      string // type of the exported function run
	memory   string // items of the module that has the memory, memory and realloc among them
	imports  string // of the main module: f, when it is called
	main     string // items of the main module, "run" among them
}

func (g *guest) text() string {
	x := &typeText{}
	ref := x.ref(g.typ)
	alias := ""
	if name, ok := strings.CutPrefix(ref, "$"); ok {
		alias = fmt.Sprintf(`(alias export $api %q (type %s))`, name, ref)
	}
	text := fmt.Sprintf(`(component
  (import "host:test/api" (instance $api %s
    (export "f" (func %s))))
  %s
  (core module $mem %s)
  (core instance $mem (instantiate $mem))
  (core func $f (canon lower (func $api "f") (memory $mem "memory") (realloc (func $mem "realloc")) string-encoding=%s))
  (core module $m %s %s)
  (core instance $m (instantiate $m (with "host" (instance (export "f" (func $f))))))
  (func $run %s (canon lift (core func $m "run") (memory $mem "memory") (realloc (func $mem "realloc")) string-encoding=%[5]s))
  (export "run" (func $run)))`, x.decls.String(), g.api, alias, g.memory, g.encoding, g.imports, g.main, g.run)
	return strings.ReplaceAll(text, "%T", ref)
}

// allocator is a memory with an allocator that hands out what was not used yet.
const allocator = `(memory (export "memory") 4)
  (global $next (mut i32) (i32.const 4096))
  (func (export "realloc") (param $old i32) (param $was i32) (param $align i32) (param $size i32) (result i32)
    (local $p i32)
    (local.set $p (i32.and (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
      (i32.sub (i32.const 0) (local.get $align))))
    (global.set $next (i32.add (local.get $p) (local.get $size)))
    (memory.copy (local.get $p) (local.get $old)
      (select (local.get $was) (local.get $size) (i32.lt_u (local.get $was) (local.get $size))))
    (local.get $p))`

// echo is a component that hands what it is given on to f, and f's answer back.
func echo(t *abi.Type, encoding string) *guest {
	f := &abi.Func{Params: []abi.Field{{Name: "x", Type: t}}, Result: t}
	lift, lower := f.CoreType(abi.CanonLift), f.CoreType(abi.CanonLower)
	call := "(call $f"
	for i := range lift.Params {
		call += fmt.Sprintf(" (local.get %d)", i)
	}
	if len(lower.Params) > len(lift.Params) {
		call += " (i32.const 1024)) (i32.const 1024"
	}
	return &guest{
		typ: t, encoding: encoding, api: `(param "x" %T) (result %T)`, run: `(param "x" %T) (result %T)`, memory: allocator,
		imports: fmt.Sprintf(`(import "host" "f" (func $f %s))`, lower),
		main:    fmt.Sprintf(`(func (export "run") %s %s))`, lift, call),
	}
}

// fixed is a memory of one page with the given bytes at its start, and an
// allocator that always gives the same address.
func fixed(data []byte, address uint32) string {
	var b strings.Builder
	for _, c := range data {
		fmt.Fprintf(&b, `\%02x`, c)
	}
	return fmt.Sprintf(`(memory (export "memory") 1) (data (i32.const 0) "%s")
  (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const %d))`, b.String(), int32(address))
}

// constants is code that pushes core values of the given types and bits.
func constants(types []abi.CoreType, bits []uint64) string {
	var b strings.Builder
	for i, t := range types {
		switch t {
		case abi.I32:
			fmt.Fprintf(&b, " (i32.const %d)", int32(bits[i]))
		case abi.I64:
			fmt.Fprintf(&b, " (i64.const %d)", int64(bits[i]))
		case abi.F32Core:
			fmt.Fprintf(&b, " (f32.reinterpret_i32 (i32.const %d))", int32(bits[i]))
		case abi.F64Core:
			fmt.Fprintf(&b, " (f64.reinterpret_i64 (i64.const %d))", int64(bits[i]))
		}
	}
	return b.String()
}
