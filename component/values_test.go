package component

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/minispin/minispin/component/abi"
)

// This file sends values of every type through a guest and a host function and
// back. The guest only passes on what it is given, so that what comes back has
// been lowered, lifted, lowered and lifted again.

// allocator is the text of a core module's memory and bump allocator. It moves
// nothing and frees nothing; it zeroes nothing either, so that bytes the host
// fails to write are seen.
const allocator = `
  (memory (export "memory") 2)
  (global $next (mut i32) (i32.const 4096))
  (func $realloc (export "realloc") (param $old i32) (param $osz i32) (param $align i32) (param $new i32) (result i32)
    (local $p i32)
    (local.set $p (i32.and
      (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
      (i32.sub (i32.const 0) (local.get $align))))
    (global.set $next (i32.add (local.get $p) (local.get $new)))
    (block $fits
      (loop $grow
        (br_if $fits (i32.le_u (global.get $next) (i32.mul (memory.size) (i32.const 65536))))
        (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable))
        (br $grow)))
    (memory.copy (local.get $p) (local.get $old)
      (select (local.get $osz) (local.get $new) (i32.lt_u (local.get $osz) (local.get $new))))
    (local.get $p))
`

// watType writes t in place, as the text format takes it.
func watType(t *abi.Type) string {
	var b strings.Builder
	opt := func(open string, t *abi.Type, end string) {
		if t != nil {
			fmt.Fprintf(&b, " %s%s%s", open, watType(t), end)
		}
	}
	switch t.Kind {
	case abi.KindList:
		return "(list " + watType(t.Elem) + ")"
	case abi.KindFixedList:
		return fmt.Sprintf("(list %s %d)", watType(t.Elem), t.Len)
	case abi.KindOption:
		return "(option " + watType(t.Cases[1].Type) + ")"
	case abi.KindResult:
		b.WriteString("(result")
		opt("", t.Cases[0].Type, "")
		opt("(error ", t.Cases[1].Type, ")")
	case abi.KindRecord:
		b.WriteString("(record")
		for _, f := range t.Fields {
			fmt.Fprintf(&b, " (field %q %s)", f.Name, watType(f.Type))
		}
	case abi.KindTuple:
		b.WriteString("(tuple")
		for _, f := range t.Fields {
			b.WriteString(" " + watType(f.Type))
		}
	case abi.KindVariant:
		b.WriteString("(variant")
		for _, c := range t.Cases {
			fmt.Fprintf(&b, " (case %q", c.Name)
			opt("", c.Type, "")
			b.WriteString(")")
		}
	case abi.KindEnum, abi.KindFlags:
		b.WriteString("(" + t.Kind.String())
		for _, n := range t.Names {
			fmt.Fprintf(&b, " %q", n)
		}
	default:
		return t.String()
	}
	return b.String() + ")"
}

func watFunc(f *abi.Func) string {
	var b strings.Builder
	for _, p := range f.Params {
		fmt.Fprintf(&b, " (param %q %s)", p.Name, watType(p.Type))
	}
	if f.Result != nil {
		fmt.Fprintf(&b, " (result %s)", watType(f.Result))
	}
	return b.String()
}

// passThrough is the text of a component that imports host:test/api with a
// function f and exports f, both of type t.
func passThrough(t *abi.Func, encoding string) string {
	lift, lower := t.CoreType(abi.CanonLift), t.CoreType(abi.CanonLower)
	var args strings.Builder
	for i := range lift.Params {
		fmt.Fprintf(&args, " (local.get %d)", i)
	}
	call := "(call $f" + args.String() + ")"
	if len(lower.Params) > len(lift.Params) {
		call = "(call $f" + args.String() + " (i32.const 1024)) (i32.const 1024)"
	}
	return fmt.Sprintf(`(component
  (import "host:test/api" (instance $api (export "f" (func%[1]s))))
  (core module $mem %[2]s)
  (core instance $mem (instantiate $mem))
  (core func $f (canon lower (func $api "f")
    (memory $mem "memory") (realloc (func $mem "realloc")) string-encoding=%[3]s))
  (core module $m
    (import "host" "f" (func $f %[4]s))
    (global $posts (mut i32) (i32.const 0))
    (func (export "f") %[5]s %[6]s)
    (func (export "post") %[7]s (global.set $posts (i32.add (global.get $posts) (i32.const 1))))
    (func (export "posts") (result i32) (global.get $posts)))
  (core instance $m (instantiate $m (with "host" (instance (export "f" (func $f))))))
  (func (export "f")%[1]s (canon lift (core func $m "f")
    (memory $mem "memory") (realloc (func $mem "realloc")) (post-return (func $m "post")) string-encoding=%[3]s))
  (func (export "posts") (result u32) (canon lift (core func $m "posts"))))`,
		watFunc(t), allocator, encoding, lower, lift, call, abi.CoreFunc{Params: lift.Results})
}

func hostAPI(t testing.TB, funcs ...Func) *Linker {
	t.Helper()
	l := NewLinker()
	if err := l.Define(&Interface{Name: "host:test/api", Funcs: funcs}); err != nil {
		t.Fatal(err)
	}
	return l
}

func dynamic(t testing.TB, name string, ft *abi.Func, fn func(c *Call, args []abi.Val) (abi.Val, error)) Func {
	t.Helper()
	f, err := DynamicFunc(name, ft, fn)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func instantiate(t testing.TB, pre *InstancePre, opts InstantiateOptions) *Instance {
	t.Helper()
	in, err := pre.Instantiate(context.Background(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(in.Close)
	return in
}

func export(t testing.TB, pre *InstancePre, instance, name string) *ExportFunc {
	t.Helper()
	f, err := pre.Export(instance, name, nil)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func ptr(v abi.Val) *abi.Val { return &v }

func labels(n int) []string {
	l := make([]string, n)
	for i := range l {
		l[i] = fmt.Sprintf("l%d", i)
	}
	return l
}

func fields(n int, t *abi.Type) []abi.Field {
	l := make([]abi.Field, n)
	for i := range l {
		l[i] = abi.Field{Name: fmt.Sprintf("f%d", i), Type: t}
	}
	return l
}

func repeat(n int, v abi.Val) []abi.Val {
	l := make([]abi.Val, n)
	for i := range l {
		l[i] = v
	}
	return l
}

func TestValues(t *testing.T) {
	point := abi.Record(abi.Field{Name: "x", Type: abi.S8}, abi.Field{Name: "y", Type: abi.F64}, abi.Field{Name: "name", Type: abi.String})
	joined := abi.Variant(
		abi.Case{Name: "nothing"}, abi.Case{Name: "small", Type: abi.U8}, abi.Case{Name: "large", Type: abi.U64},
		abi.Case{Name: "single", Type: abi.F32}, abi.Case{Name: "double", Type: abi.F64}, abi.Case{Name: "text", Type: abi.String},
		abi.Case{Name: "pair", Type: abi.Tuple(abi.F32, abi.S64)})
	aPoint := abi.RecordVal(abi.S8Val(-5), abi.F64Val(2.5), abi.StringVal("naïve ☃ 𝄞"))
	tests := []struct {
		name string
		typ  *abi.Type
		vals []abi.Val
	}{
		{"bool", abi.Bool, []abi.Val{abi.BoolVal(true), abi.BoolVal(false)}},
		{"s8", abi.S8, []abi.Val{abi.S8Val(math.MinInt8), abi.S8Val(math.MaxInt8)}},
		{"u8", abi.U8, []abi.Val{abi.U8Val(0), abi.U8Val(math.MaxUint8)}},
		{"s16", abi.S16, []abi.Val{abi.S16Val(math.MinInt16), abi.S16Val(math.MaxInt16)}},
		{"u16", abi.U16, []abi.Val{abi.U16Val(math.MaxUint16)}},
		{"s32", abi.S32, []abi.Val{abi.S32Val(math.MinInt32)}},
		{"u32", abi.U32, []abi.Val{abi.U32Val(math.MaxUint32)}},
		{"s64", abi.S64, []abi.Val{abi.S64Val(math.MinInt64)}},
		{"u64", abi.U64, []abi.Val{abi.U64Val(math.MaxUint64)}},
		{"f32", abi.F32, []abi.Val{abi.F32Val(-1.5), abi.F32Val(float32(math.Inf(1))), abi.F32Val(float32(math.NaN()))}},
		{"f64", abi.F64, []abi.Val{abi.F64Val(math.SmallestNonzeroFloat64), abi.F64Val(math.NaN())}},
		{"char", abi.Char, []abi.Val{abi.CharVal('a'), abi.CharVal(0x10ffff), abi.CharVal(0xd7ff)}},
		{"string", abi.String, []abi.Val{abi.StringVal(""), abi.StringVal("ascii"), abi.StringVal("latiné"),
			abi.StringVal("☃"), abi.StringVal("𝄞 beyond"), abi.StringVal(strings.Repeat("é☃", 50_000))}},
		{"bytes", abi.List(abi.U8), []abi.Val{abi.BytesVal(nil), abi.BytesVal([]byte{0, 255, 7}), abi.BytesVal(make([]byte, 300_000))}},
		{"list of scalars", abi.List(abi.U64), []abi.Val{abi.ScalarsVal([]uint64{1, math.MaxUint64})}},
		{"list of chars", abi.List(abi.Char), []abi.Val{abi.CharsVal([]rune("a☃"))}},
		{"list of strings", abi.List(abi.String), []abi.Val{abi.ListVal(abi.StringVal("a"), abi.StringVal(""), abi.StringVal("☃"))}},
		{"list of lists", abi.List(abi.List(abi.U16)), []abi.Val{abi.ListVal(abi.ScalarsVal([]uint16{1}), abi.ScalarsVal([]uint16{}))}},
		{"fixed list", abi.FixedList(abi.U16, 3), []abi.Val{abi.ScalarsVal([]uint16{1, 0, math.MaxUint16})}},
		{"fixed list of one", abi.FixedList(abi.F64, 1), []abi.Val{abi.ScalarsVal([]float64{-0.5})}},
		{"fixed list of strings", abi.FixedList(abi.String, 3), []abi.Val{abi.ListVal(abi.StringVal("é"), abi.StringVal(""), abi.StringVal("☃"))}},
		{"spilled fixed list", abi.FixedList(abi.U8, 17), []abi.Val{abi.BytesVal([]byte("seventeen letters"))}},
		{"list of fixed lists", abi.List(abi.FixedList(abi.Bool, 2)), []abi.Val{
			abi.ListVal(abi.ScalarsVal([]bool{true, false}), abi.ScalarsVal([]bool{false, true}))}},
		{"variant of fixed lists", abi.Result(abi.FixedList(abi.S64, 2), abi.FixedList(abi.String, 1)), []abi.Val{
			abi.OkVal(ptr(abi.ScalarsVal([]int64{-1, 1 << 50}))), abi.ErrVal(ptr(abi.ListVal(abi.StringVal("☃"))))}},
		{"record", point, []abi.Val{aPoint}},
		{"list of records", abi.List(point), []abi.Val{abi.ListVal(aPoint, aPoint), abi.ListVal()}},
		{"tuple", abi.Tuple(abi.U8, abi.U64, abi.Bool), []abi.Val{abi.TupleVal(abi.U8Val(1), abi.U64Val(1<<63), abi.BoolVal(true))}},
		{"variant of joined types", joined, []abi.Val{abi.CaseVal(0), abi.PayloadVal(1, abi.U8Val(200)), abi.PayloadVal(2, abi.U64Val(1<<60)),
			abi.PayloadVal(3, abi.F32Val(-0.5)), abi.PayloadVal(4, abi.F64Val(1e300)), abi.PayloadVal(5, abi.StringVal("s☃")),
			abi.PayloadVal(6, abi.TupleVal(abi.F32Val(7), abi.S64Val(-9)))}},
		{"list of variants", abi.List(joined), []abi.Val{abi.ListVal(abi.CaseVal(0), abi.PayloadVal(5, abi.StringVal("s")), abi.PayloadVal(3, abi.F32Val(1)))}},
		{"enum", abi.Enum("a", "b", "c"), []abi.Val{abi.EnumVal(0), abi.EnumVal(2)}},
		{"enum of 300", abi.Enum(labels(300)...), []abi.Val{abi.EnumVal(299)}},
		{"option", abi.Option(abi.String), []abi.Val{abi.NoneVal(), abi.SomeVal(abi.StringVal("x"))}},
		{"option of option", abi.Option(abi.Option(abi.U8)), []abi.Val{abi.NoneVal(), abi.SomeVal(abi.NoneVal()), abi.SomeVal(abi.SomeVal(abi.U8Val(3)))}},
		{"result", abi.Result(abi.U32, abi.String), []abi.Val{abi.OkVal(ptr(abi.U32Val(5))), abi.ErrVal(ptr(abi.StringVal("no")))}},
		{"bare result", abi.Result(nil, nil), []abi.Val{abi.OkVal(nil), abi.ErrVal(nil)}},
		{"result of ok", abi.Result(abi.F64, nil), []abi.Val{abi.OkVal(ptr(abi.F64Val(1))), abi.ErrVal(nil)}},
		{"flags of 3", abi.Flags("r", "w", "x"), []abi.Val{abi.FlagsVal(0), abi.FlagsVal(5)}},
		{"flags of 16", abi.Flags(labels(16)...), []abi.Val{abi.FlagsVal(0xffff)}},
		{"flags of 32", abi.Flags(labels(32)...), []abi.Val{abi.FlagsVal(0x80000001)}},
		{"16 flat values", abi.Record(fields(16, abi.U32)...), []abi.Val{abi.RecordVal(repeat(16, abi.U32Val(9))...)}},
		{"spilled record", abi.Record(fields(17, abi.U64)...), []abi.Val{abi.RecordVal(repeat(17, abi.U64Val(1<<40))...)}},
		{"spilled strings", abi.Record(fields(12, abi.String)...), []abi.Val{abi.RecordVal(repeat(12, abi.StringVal("é☃"))...)}},
	}
	e := unvalidated(t)
	for _, tt := range tests {
		encodings := []string{"utf8"}
		if tt.typ.HasPointers() {
			encodings = append(encodings, "utf16", "latin1+utf16")
		}
		for _, enc := range encodings {
			t.Run(tt.name+"/"+enc, func(t *testing.T) {
				ft := &abi.Func{Params: []abi.Field{{Name: "x", Type: tt.typ}}, Result: tt.typ}
				var seen abi.Val
				l := hostAPI(t, dynamic(t, "f", ft, func(_ *Call, args []abi.Val) (abi.Val, error) {
					seen = args[0]
					return args[0], nil
				}))
				pre := buildText(t, e, l, "values", passThrough(ft, enc))
				in := instantiate(t, pre, InstantiateOptions{})
				f := export(t, pre, "", "f")
				for _, v := range tt.vals {
					got, err := in.CallVals(f, v)
					if err != nil {
						t.Fatalf("f(%v): %v", v, err)
					}
					if !seen.Equal(v) {
						t.Errorf("the host saw %.100v, want %.100v", seen, v)
					}
					if !got.Equal(v) {
						t.Errorf("f(%.100v) = %.100v", v, got)
					}
				}
				posts, err := in.CallVals(export(t, pre, "", "posts"))
				if err != nil || posts.Uint() != uint64(len(tt.vals)) {
					t.Errorf("post-return ran %v times, %v; want %d", posts, err, len(tt.vals))
				}
			})
		}
	}
}

// TestManyParams spills parameters that each fit but do not fit together.
func TestManyParams(t *testing.T) {
	ft := &abi.Func{Result: abi.String}
	var args []abi.Val
	for i := range 9 {
		ft.Params = append(ft.Params, abi.Field{Name: fmt.Sprintf("p%d", i), Type: abi.String})
		args = append(args, abi.StringVal(fmt.Sprint(i)))
	}
	l := hostAPI(t, dynamic(t, "f", ft, func(_ *Call, args []abi.Val) (abi.Val, error) {
		var b strings.Builder
		for _, a := range args {
			b.WriteString(a.Str())
		}
		return abi.StringVal(b.String()), nil
	}))
	pre := buildText(t, engine(t), l, "params", passThrough(ft, "utf8"))
	got, err := instantiate(t, pre, InstantiateOptions{}).CallVals(export(t, pre, "", "f"), args...)
	if err != nil || got.Str() != "012345678" {
		t.Errorf("f = %v, %v", got, err)
	}
}

// TestFaultyArguments: a host's mistake is an error, and no trap of the guest's.
func TestFaultyArguments(t *testing.T) {
	ft := &abi.Func{Params: []abi.Field{{Name: "x", Type: abi.Char}}, Result: abi.Char}
	l := hostAPI(t, dynamic(t, "f", ft, func(_ *Call, args []abi.Val) (abi.Val, error) { return args[0], nil }))
	pre := buildText(t, engine(t), l, "faulty", passThrough(ft, "utf8"))
	f := export(t, pre, "", "f")
	for _, args := range [][]abi.Val{nil, {abi.U8Val(1)}, {abi.CharVal(0xd800)}, {abi.CharVal('a'), abi.CharVal('b')}} {
		in := instantiate(t, pre, InstantiateOptions{})
		if _, err := in.CallVals(f, args...); err == nil {
			t.Errorf("f(%v) was accepted", args)
		}
	}
}

// TestFlagsOver32: the present specification has no such flags, so that the
// decoder may refuse them; if they link, they have to travel whole.
func TestFlagsOver32(t *testing.T) {
	typ := abi.Flags(labels(40)...)
	ft := &abi.Func{Params: []abi.Field{{Name: "x", Type: typ}}, Result: typ}
	wasm, err := FromText(passThrough(ft, "utf8"))
	if err != nil {
		t.Skipf("the assembler refuses them: %v", err)
	}
	e := engine(t)
	c, err := e.Compile(context.Background(), "flags", wasm, CompileOptions{})
	if err != nil {
		if !strings.Contains(err.Error(), "flags") {
			t.Fatalf("refused for another reason: %v", err)
		}
		return
	}
	defer c.Close()
	pre, err := hostAPI(t, dynamic(t, "f", ft, func(_ *Call, args []abi.Val) (abi.Val, error) { return args[0], nil })).Link(c)
	if err != nil {
		t.Fatal(err)
	}
	defer pre.Close()
	v := abi.FlagsVal(1<<39 | 1)
	got, err := instantiate(t, pre, InstantiateOptions{}).CallVals(export(t, pre, "", "f"), v)
	if err != nil || !got.Equal(v) {
		t.Errorf("f(%v) = %v, %v", v, got, err)
	}
}
