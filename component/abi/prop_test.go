package abi

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var primitives = []*Type{Bool, S8, U8, S16, U16, S32, U32, S64, U64, F32, F64, Char, String}

// drawType draws a type nested at most depth deep.
func drawType(t *rapid.T, depth int) *Type {
	k := rapid.IntRange(0, 11).Draw(t, "kind")
	if depth == 0 {
		k = min(k, 3)
	}
	sub := func() *Type { return drawType(t, depth-1) }
	optional := func() *Type {
		if rapid.Bool().Draw(t, "has payload") {
			return sub()
		}
		return nil
	}
	count := func(most int) int { return rapid.IntRange(1, most).Draw(t, "n") }
	switch k {
	case 0, 1:
		return rapid.SampledFrom(primitives).Draw(t, "primitive")
	case 2:
		return Enum(labels(rapid.SampledFrom([]int{1, 2, 256, 257}).Draw(t, "labels"))...)
	case 3:
		return Flags(labels(rapid.SampledFrom([]int{1, 8, 9, 16, 17, 32, 33, 64, 65, 130}).Draw(t, "labels"))...)
	case 4, 5:
		return List(sub())
	case 6:
		return FixedList(sub(), uint32(count(4)))
	case 7:
		var fs []Field
		for i := range count(5) {
			fs = append(fs, Field{Name: fmt.Sprint("f", i), Type: sub()})
		}
		return Record(fs...)
	case 8:
		var ts []*Type
		for range count(5) {
			ts = append(ts, sub())
		}
		return Tuple(ts...)
	case 9:
		var cs []Case
		for i := range count(5) {
			cs = append(cs, Case{fmt.Sprint("c", i), optional()})
		}
		return Variant(cs...)
	case 10:
		return Option(sub())
	}
	return Result(optional(), optional())
}

// drawVal draws a value of a type.
func drawVal(t *rapid.T, typ *Type) Val {
	several := func(n int, of func(i int) *Type) []Val {
		vs := make([]Val, n)
		for i := range vs {
			vs[i] = drawVal(t, of(i))
		}
		return vs
	}
	switch typ.Kind {
	case KindBool:
		return BoolVal(rapid.Bool().Draw(t, "bool"))
	case KindS8:
		return S8Val(rapid.Int8().Draw(t, "s8"))
	case KindU8:
		return U8Val(rapid.Uint8().Draw(t, "u8"))
	case KindS16:
		return S16Val(rapid.Int16().Draw(t, "s16"))
	case KindU16:
		return U16Val(rapid.Uint16().Draw(t, "u16"))
	case KindS32:
		return S32Val(rapid.Int32().Draw(t, "s32"))
	case KindU32:
		return U32Val(rapid.Uint32().Draw(t, "u32"))
	case KindS64:
		return S64Val(rapid.Int64().Draw(t, "s64"))
	case KindU64:
		return U64Val(rapid.Uint64().Draw(t, "u64"))
	case KindF32:
		return F32Val(math.Float32frombits(rapid.Uint32().Draw(t, "f32")))
	case KindF64:
		return F64Val(math.Float64frombits(rapid.Uint64().Draw(t, "f64")))
	case KindChar:
		return CharVal(rapid.OneOf(rapid.RuneFrom([]rune("aé€😀\U0010ffff")), rapid.Int32Range(0, 0xd7ff)).Draw(t, "char"))
	case KindString:
		return StringVal(strings.ToValidUTF8(rapid.StringN(0, 12, -1).Draw(t, "string"), "?"))
	case KindList:
		n := rapid.IntRange(0, 4).Draw(t, "length")
		return bulk(typ.Elem, ListVal(several(n, func(int) *Type { return typ.Elem })...), rapid.Bool().Draw(t, "bulk"))
	case KindFixedList:
		return ListVal(several(int(typ.Len), func(int) *Type { return typ.Elem })...)
	case KindRecord:
		return RecordVal(several(len(typ.Fields), func(i int) *Type { return typ.Fields[i].Type })...)
	case KindTuple:
		return TupleVal(several(len(typ.Fields), func(i int) *Type { return typ.Fields[i].Type })...)
	case KindEnum:
		return EnumVal(uint32(rapid.IntRange(0, len(typ.Names)-1).Draw(t, "label")))
	case KindFlags:
		words := make([]uint64, (len(typ.Names)+63)/64)
		for i := range typ.Names {
			if rapid.Bool().Draw(t, "flag") {
				words[i/64] |= 1 << (i % 64)
			}
		}
		return FlagsVal(words...)
	}
	i := rapid.IntRange(0, len(typ.Cases)-1).Draw(t, "case")
	v := Val{kind: typ.Kind, bits: uint64(i)}
	if u := typ.Cases[i].Type; u != nil {
		p := drawVal(t, u)
		v.ref = &p
	}
	return v
}

// bulk turns some lists of scalars into Go slices.
func bulk(elem *Type, v Val, yes bool) Val {
	if !yes {
		return v
	}
	switch elem.Kind {
	case KindU8:
		var b []byte
		for _, e := range v.Elems() {
			b = append(b, byte(e.Uint()))
		}
		return BytesVal(b)
	case KindS64:
		var s []int64
		for _, e := range v.Elems() {
			s = append(s, e.Int())
		}
		return ScalarsVal(s)
	case KindChar:
		var s []rune
		for _, e := range v.Elems() {
			s = append(s, e.Char())
		}
		return CharsVal(s)
	}
	return v
}

func drawGuest(t *rapid.T, what string) *fakeGuest {
	g := newGuest(1<<10, rapid.SampledFrom(encodings).Draw(t, what+" encoding"))
	g.moves = rapid.Bool().Draw(t, what+" moves")
	return g
}

// TestRoundTrip lowers random values of random types as the parameters and the
// result of calls in both directions, lifts them again, and sends them through a
// second guest.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := &Func{Result: drawType(t, 2)}
		var args []Val
		for i := range rapid.IntRange(0, 4).Draw(t, "params") {
			typ := drawType(t, 2)
			f.Params = append(f.Params, Field{Name: fmt.Sprint("p", i), Type: typ})
			args = append(args, drawVal(t, typ))
		}
		result := drawVal(t, f.Result)
		x, err := NewTransfer(f, f)
		if err != nil {
			t.Fatal(err)
		}
		p := x.Caller
		a, b := drawGuest(t, "caller"), drawGuest(t, "callee")

		// A caller in guest a calls guest b.
		as, bs := make([]Raw, p.StackLen()), make([]Raw, p.StackLen())
		p.LowerParams(a, as, args)
		if p.retptr {
			as[len(p.Lower.Params)-1].SetU32(Alloc(a, f.Result.Size, f.Result.Align))
		}
		check := func(where string, want, got []Val) {
			if len(want) != len(got) {
				t.Fatalf("%s: %d values, want %d", where, len(got), len(want))
			}
			for i := range want {
				if !want[i].Equal(got[i]) {
					t.Fatalf("%s, %s: got %s, want %s", where, f, got[i], want[i])
				}
			}
		}
		check("parameters in the caller", args, p.LiftParams(a, as))
		x.Params(a, b, as, bs)
		check("parameters in the callee", args, p.LiftParams(b, bs))

		// Guest b returns: a result in its memory is at a pointer of its own.
		if p.retptr {
			ptr := Alloc(b, f.Result.Size, f.Result.Align)
			Store(b, f.Result, result, ptr)
			bs[0].SetU32(ptr)
		} else {
			p.LowerResult(b, bs, result)
		}
		check("result in the callee", []Val{result}, []Val{p.LiftResult(b, bs)})
		x.Result(b, a, bs, as)
		if p.retptr {
			as[0].SetU32(p.resultPointer(as))
		}
		check("result in the caller", []Val{result}, []Val{p.LiftResult(a, as)})
	})
}

// TestHostResult lowers the result of a host function and lifts what the guest
// then sees.
func TestHostResult(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := fn(drawType(t, 3), U8)
		v := drawVal(t, f.Result)
		p, err := Compile(f)
		if err != nil {
			t.Fatal(err)
		}
		g := drawGuest(t, "guest")
		st := make([]Raw, p.StackLen())
		var ptr uint32
		if p.retptr {
			ptr = Alloc(g, f.Result.Size, f.Result.Align)
			st[1].SetU32(ptr)
		}
		p.LowerResult(g, st, v)
		var got Val
		if p.retptr {
			got = Load(g, f.Result, ptr)
		} else {
			got = LiftFlat(g, f.Result, st)
		}
		if !got.Equal(v) {
			t.Fatalf("%s: got %s, want %s", f.Result, got, v)
		}
	})
}

// TestLayoutMatchesDespecialized compares the layout of specialized types with
// that of what the specification says they are short for.
func TestLayoutMatchesDespecialized(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typ := drawType(t, 3)
		long := despecialize(typ)
		if typ.Size != long.Size || typ.Align != long.Align || typ.FlatCount != long.FlatCount ||
			coreText(typ.Flat) != coreText(long.Flat) {
			t.Fatalf("%s: %d %d %v, despecialized %d %d %v", typ, typ.Size, typ.Align, typ.Flat, long.Size, long.Align, long.Flat)
		}
		if typ.Size%typ.Align != 0 {
			t.Fatalf("%s: size %d is no multiple of %d", typ, typ.Size, typ.Align)
		}
	})
}

// despecialize follows the section of that name, all the way down.
func despecialize(t *Type) *Type {
	if t == nil {
		return nil
	}
	switch t.Kind {
	case KindList:
		return List(despecialize(t.Elem))
	case KindFixedList:
		// Not the specification's, but its layout is that of a tuple.
		return Tuple(repeat(despecialize(t.Elem), int(t.Len))...)
	case KindRecord, KindTuple:
		var fs []Field
		for i, f := range t.Fields {
			fs = append(fs, Field{Name: fmt.Sprint(i), Type: despecialize(f.Type)})
		}
		return Record(fs...)
	case KindEnum:
		return Variant(cases(len(t.Names))...)
	case KindVariant, KindOption, KindResult:
		var cs []Case
		for _, c := range t.Cases {
			cs = append(cs, Case{c.Name, despecialize(c.Type)})
		}
		return Variant(cs...)
	}
	return t
}
