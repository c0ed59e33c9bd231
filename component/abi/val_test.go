package abi

import (
	"math"
	"testing"
)

func TestValAccessors(t *testing.T) {
	one := U8Val(1)
	if v := S8Val(-1); v.Int() != -1 || v.Kind() != KindS8 {
		t.Errorf("s8: %d", v.Int())
	}
	if v := U64Val(math.MaxUint64); v.Uint() != math.MaxUint64 || v.Int() != -1 {
		t.Errorf("u64: %d", v.Uint())
	}
	if v := F32Val(0.5); v.Float() != 0.5 {
		t.Errorf("f32: %v", v.Float())
	}
	if v := F64Val(math.NaN()); math.Float64bits(v.Float()) != canonicalNaN64 {
		t.Errorf("NaN: %#x", math.Float64bits(v.Float()))
	}
	if v := StringVal("héllo"); v.Str() != "héllo" || v.Len() != 0 {
		t.Errorf("string: %q", v.Str())
	}
	if v := BytesVal([]byte("ab")); string(v.Bytes()) != "ab" || v.Len() != 2 || !v.Elems()[1].Equal(U8Val('b')) {
		t.Errorf("bytes: %v", v)
	}
	if v := CharsVal([]rune("é")); !v.Elems()[0].Equal(CharVal('é')) || Scalars[int32](v)[0] != 'é' {
		t.Errorf("chars: %v", v)
	}
	if v := SomeVal(one); v.Case() != 1 {
		t.Errorf("some: case %d", v.Case())
	} else if p, ok := v.Payload(); !ok || !p.Equal(one) {
		t.Errorf("some: %v", p)
	}
	if v := FlagsVal(0, 1<<3); !v.Flag(67) || v.Flag(3) || v.Flag(200) {
		t.Errorf("flags: %v", v)
	}
	if v := OwnVal("rep"); v.Rep() != "rep" {
		t.Errorf("own: %v", v.Rep())
	}

	// An accessor of another kind gives the zero value, whatever lies behind:
	// above all it does not take a representation for a value's own memory.
	b := byte(1)
	for _, v := range []Val{
		{}, BoolVal(true), one, CharVal('a'), F64Val(1), StringVal("s"), BytesVal([]byte("b")), ListVal(one),
		CaseVal(1), SomeVal(one), FlagsVal(1), OwnVal(&b), BorrowVal(&one), OwnVal(&one),
	} {
		if k := v.Kind(); k != KindBool && v.Bool() ||
			k != KindString && v.Str() != "" ||
			k != KindList && (v.Bytes() != nil || v.Len() != 0 || v.Elems() != nil) ||
			k != KindChar && v.Char() != 0 ||
			k != KindU8 && k != KindChar && v.Uint() != 0 ||
			k != KindF64 && v.Float() != 0 ||
			k != KindFlags && v.Flag(0) ||
			k != KindOwn && k != KindBorrow && v.Rep() != nil {
			t.Errorf("%s gives something of another kind", v)
		}
		if _, ok := v.Payload(); ok && v.Kind() != KindOption {
			t.Errorf("%s has a payload", v)
		}
	}
}

func TestValEqual(t *testing.T) {
	one, two := U8Val(1), U8Val(2)
	for _, tt := range []struct {
		a, b Val
		want bool
	}{
		{Val{}, Val{}, true},
		{one, U8Val(1), true},
		{one, two, false},
		{one, S8Val(1), false},
		{F32Val(float32(math.NaN())), F32Val(-float32(math.NaN())), true},
		{F64Val(0), F64Val(math.Copysign(0, -1)), false},
		{StringVal("a"), StringVal("a"), true},
		{StringVal("a"), StringVal("b"), false},
		{BytesVal([]byte{1, 2}), ListVal(one, two), true},
		{BytesVal([]byte{1}), ListVal(one, two), false},
		{BytesVal(nil), ListVal(), true},
		{RecordVal(one), TupleVal(one), false},
		{SomeVal(one), SomeVal(U8Val(1)), true},
		{SomeVal(one), SomeVal(two), false},
		{SomeVal(one), NoneVal(), false},
		{OkVal(nil), ErrVal(nil), false},
		{FlagsVal(1), FlagsVal(1, 0), true},
		{FlagsVal(1), FlagsVal(1, 1), false},
		{OwnVal("a"), OwnVal("a"), true},
		{OwnVal("a"), BorrowVal("a"), false},
	} {
		if got := tt.a.Equal(tt.b); got != tt.want {
			t.Errorf("%s and %s: %v", tt.a, tt.b, got)
		}
		if got := tt.b.Equal(tt.a); got != tt.want {
			t.Errorf("%s and %s: %v", tt.b, tt.a, got)
		}
	}
}

func TestValText(t *testing.T) {
	one := U8Val(1)
	for _, tt := range []struct {
		v    Val
		want string
	}{
		{Val{}, "invalid"},
		{BoolVal(true), "true"},
		{S64Val(-5), "-5"},
		{F32Val(0.1), "0.1"},
		{CharVal('a'), "'a'"},
		{StringVal("a\n"), `"a\n"`},
		{BytesVal([]byte{1, 2}), "[1 2]"},
		{RecordVal(one, one), "record[1 1]"},
		{SomeVal(one), "option.1(1)"},
		{EnumVal(3), "enum.3"},
		{FlagsVal(5), "flags(0x5)"},
		{OwnVal("x"), "own(x)"},
	} {
		if got := tt.v.String(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
