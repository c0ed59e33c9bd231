package difftest

import (
	"fmt"
	"math"
	"strings"

	"pgregory.net/rapid"

	"github.com/minispin/minispin/component/abi"
)

var (
	primitives = []*abi.Type{
		abi.Bool, abi.S8, abi.U8, abi.S16, abi.U16, abi.S32, abi.U32, abi.S64, abi.U64,
		abi.F32, abi.F64, abi.Char, abi.String, abi.String,
	}
	encodings = []string{"utf8", "utf16", "latin1+utf16"}
)

func labels(n int) []string {
	l := make([]string, n)
	for i := range l {
		l[i] = fmt.Sprintf("l%d", i)
	}
	return l
}

// drawType draws a type nested at most depth deep, of the forms that the engine
// knows.
func drawType(t *rapid.T, depth int) *abi.Type {
	return drawTypeOf(t, depth, []int{1, 8, 9, 16, 17, 32})
}

// drawHostile draws a type for hostile values: one whose flags use all bits even of a core value, for
// the engine's lifting of values ends the process at a bit that has no label. Ours
// ignores it, as the specification has it.
func drawHostile(t *rapid.T, depth int) *abi.Type {
	return drawTypeOf(t, depth, []int{32})
}

func drawTypeOf(t *rapid.T, depth int, flags []int) *abi.Type {
	k := rapid.IntRange(0, 11).Draw(t, "kind")
	if depth == 0 {
		k = min(k, 4)
	}
	sub := func() *abi.Type { return drawTypeOf(t, depth-1, flags) }
	optional := func() *abi.Type {
		if rapid.Bool().Draw(t, "has payload") {
			return sub()
		}
		return nil
	}
	count := func() int { return rapid.IntRange(1, 5).Draw(t, "n") }
	switch k {
	case 0, 1, 2:
		return rapid.SampledFrom(primitives).Draw(t, "primitive")
	case 3:
		// With exactly 256, the engine takes two bytes where one is enough and the
		// specification (discriminant_type) takes one, as guests' bindings do.
		return abi.Enum(labels(rapid.SampledFrom([]int{1, 2, 255, 257}).Draw(t, "labels"))...)
	case 4:
		return abi.Flags(labels(rapid.SampledFrom(flags).Draw(t, "labels"))...)
	case 5, 6:
		return abi.List(sub())
	case 7:
		var fs []abi.Field
		for i := range count() {
			fs = append(fs, abi.Field{Name: fmt.Sprint("f", i), Type: sub()})
		}
		return abi.Record(fs...)
	case 8:
		var ts []*abi.Type
		for range count() {
			ts = append(ts, sub())
		}
		return abi.Tuple(ts...)
	case 9:
		var cs []abi.Case
		for i := range count() {
			cs = append(cs, abi.Case{Name: fmt.Sprint("c", i), Type: optional()})
		}
		return abi.Variant(cs...)
	case 10:
		return abi.Option(sub())
	}
	return abi.Result(optional(), optional())
}

// drawVal draws a value of a type.
func drawVal(t *rapid.T, typ *abi.Type) abi.Val {
	all := func() []abi.Val {
		var vs []abi.Val
		for _, f := range typ.Fields {
			vs = append(vs, drawVal(t, f.Type))
		}
		return vs
	}
	switch typ.Kind {
	case abi.KindBool:
		return abi.BoolVal(rapid.Bool().Draw(t, "bool"))
	case abi.KindS8:
		return abi.S8Val(rapid.Int8().Draw(t, "s8"))
	case abi.KindU8:
		return abi.U8Val(rapid.Uint8().Draw(t, "u8"))
	case abi.KindS16:
		return abi.S16Val(rapid.Int16().Draw(t, "s16"))
	case abi.KindU16:
		return abi.U16Val(rapid.Uint16().Draw(t, "u16"))
	case abi.KindS32:
		return abi.S32Val(rapid.Int32().Draw(t, "s32"))
	case abi.KindU32:
		return abi.U32Val(rapid.Uint32().Draw(t, "u32"))
	case abi.KindS64:
		return abi.S64Val(rapid.Int64().Draw(t, "s64"))
	case abi.KindU64:
		return abi.U64Val(rapid.Uint64().Draw(t, "u64"))
	case abi.KindF32:
		return abi.F32Val(math.Float32frombits(rapid.Uint32().Draw(t, "f32")))
	case abi.KindF64:
		return abi.F64Val(math.Float64frombits(rapid.Uint64().Draw(t, "f64")))
	case abi.KindChar:
		return abi.CharVal(rapid.OneOf(rapid.RuneFrom([]rune("aé€😀\U0010ffff\ue000")), rapid.Int32Range(0, 0xd7ff)).Draw(t, "char"))
	case abi.KindString:
		return abi.StringVal(strings.ToValidUTF8(rapid.OneOf(rapid.StringN(0, 12, -1), rapid.StringOfN(rapid.RuneFrom([]rune("aéÿ")), 0, 20, -1)).Draw(t, "string"), "?"))
	case abi.KindList:
		var vs []abi.Val
		for range rapid.IntRange(0, 4).Draw(t, "length") {
			vs = append(vs, drawVal(t, typ.Elem))
		}
		return abi.ListVal(vs...)
	case abi.KindRecord:
		return abi.RecordVal(all()...)
	case abi.KindTuple:
		return abi.TupleVal(all()...)
	case abi.KindEnum:
		return abi.EnumVal(uint32(rapid.IntRange(0, len(typ.Names)-1).Draw(t, "label")))
	case abi.KindFlags:
		return abi.FlagsVal(rapid.Uint64Range(0, 1<<len(typ.Names)-1).Draw(t, "flags"))
	}
	i := uint32(rapid.IntRange(0, len(typ.Cases)-1).Draw(t, "case"))
	var p *abi.Val
	if u := typ.Cases[i].Type; u != nil {
		v := drawVal(t, u)
		p = &v
	}
	switch {
	case typ.Kind == abi.KindResult && i == 0:
		return abi.OkVal(p)
	case typ.Kind == abi.KindResult:
		return abi.ErrVal(p)
	case typ.Kind == abi.KindOption && p == nil:
		return abi.NoneVal()
	case typ.Kind == abi.KindOption:
		return abi.SomeVal(*p)
	case p == nil:
		return abi.CaseVal(i)
	}
	return abi.PayloadVal(i, *p)
}

// words are numbers that mean something here or there: small lengths and
// discriminants, addresses within and at the end of a page, the edges of what a
// char may be, text.
var words = rapid.OneOf(
	rapid.Uint32Range(0, 8),
	rapid.Uint32Range(0, 300),
	rapid.SampledFrom([]uint32{65535, 65536, 65537, 65532, 65528, 0xd7ff, 0xd800, 0xdfff, 0xe000, 0x10ffff, 0x110000, 1 << 31, 1<<31 | 4, 1<<31 - 1, math.MaxUint32}),
	rapid.SampledFrom([]uint32{0x61616161, 0xc3a9c3a9, 0x80808080, 0x9f98f0f0, 0x80989ff0, 0xdc00d83d, 0xd83ddc00}),
	rapid.Uint32(),
)

// drawMemory draws what a hostile guest's memory begins with.
func drawMemory(t *rapid.T) []byte {
	var b []byte
	for _, w := range rapid.SliceOfN(words, 96, 96).Draw(t, "memory") {
		b = append(b, byte(w), byte(w>>8), byte(w>>16), byte(w>>24))
	}
	return b
}

// drawFlat draws core values.
func drawFlat(t *rapid.T, types []abi.CoreType) []uint64 {
	bits := make([]uint64, len(types))
	for i := range bits {
		bits[i] = uint64(words.Draw(t, "core value"))
		if rapid.Bool().Draw(t, "wide") {
			bits[i] |= uint64(words.Draw(t, "upper half")) << 32
		}
	}
	return bits
}
