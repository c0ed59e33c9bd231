package abi

import (
	"slices"
	"strings"
	"testing"
)

var testResource = &Resource{Name: "thing"}

func TestLayout(t *testing.T) {
	for _, tt := range []struct {
		typ         *Type
		size, align uint32
		flat        string
		plain       bool
	}{
		{Bool, 1, 1, "i32", false},
		{S8, 1, 1, "i32", true},
		{U8, 1, 1, "i32", true},
		{S16, 2, 2, "i32", true},
		{U32, 4, 4, "i32", true},
		{S64, 8, 8, "i64", true},
		{F32, 4, 4, "f32", true},
		{F64, 8, 8, "f64", true},
		{Char, 4, 4, "i32", false},
		{String, 8, 4, "i32 i32", false},
		{List(U64), 8, 4, "i32 i32", false},
		{FixedList(U16, 3), 6, 2, "i32 i32 i32", true},
		{Own(testResource), 4, 4, "i32", false},
		{Borrow(testResource), 4, 4, "i32", false},
		{Stream(U8), 4, 4, "i32", false},
		{ErrorContext, 4, 4, "i32", false},
		{Tuple(U8, U32, U8), 12, 4, "i32 i32 i32", false},
		{Tuple(U8, U8, U16, U32), 8, 4, "i32 i32 i32 i32", true},
		{Tuple(U64, U8), 16, 8, "i64 i32", false},
		{Record(Field{Name: "a", Type: U8}, Field{Name: "b", Type: String}), 12, 4, "i32 i32 i32", false},
		{Enum(labels(1)...), 1, 1, "i32", false},
		{Enum(labels(256)...), 1, 1, "i32", false},
		{Enum(labels(257)...), 2, 2, "i32", false},
		{Enum(labels(65537)...), 4, 4, "i32", false},
		{Variant(cases(256)...), 1, 1, "i32", false},
		{Option(U8), 2, 1, "i32 i32", false},
		{Option(U64), 16, 8, "i32 i64", false},
		{Option(F32), 8, 4, "i32 f32", false},
		{Result(nil, nil), 1, 1, "i32", false},
		{Result(F32, U32), 8, 4, "i32 i32", false},
		{Result(F32, F64), 16, 8, "i32 i64", false},
		{Result(F64, U64), 16, 8, "i32 i64", false},
		{Result(Tuple(F32, U8), Tuple(U32, F64, U8)), 32, 8, "i32 i32 i64 i32", false},
		{Result(String, Tuple(U64, F32)), 24, 8, "i32 i64 i32", false},
		{Variant(append(cases(300), Case{"big", U64})...), 16, 8, "i32 i64", false},
		{Variant(append(cases(300), Case{"small", U8})...), 4, 2, "i32 i32", false},
		{Flags(labels(1)...), 1, 1, "i32", false},
		{Flags(labels(8)...), 1, 1, "i32", true},
		{Flags(labels(9)...), 2, 2, "i32", false},
		{Flags(labels(16)...), 2, 2, "i32", true},
		{Flags(labels(17)...), 4, 4, "i32", false},
		{Flags(labels(32)...), 4, 4, "i32", true},
		{Flags(labels(33)...), 8, 4, "i32 i32", false},
		{Flags(labels(64)...), 8, 4, "i32 i32", true},
		{Flags(labels(65)...), 12, 4, "i32 i32 i32", false},
	} {
		if err := tt.typ.Err(); err != nil {
			t.Errorf("%s: %v", tt.typ, err)
			continue
		}
		if tt.typ.Size != tt.size || tt.typ.Align != tt.align {
			t.Errorf("%s: size %d, align %d, want %d, %d", tt.typ, tt.typ.Size, tt.typ.Align, tt.size, tt.align)
		}
		if got := coreText(tt.typ.Flat); got != tt.flat || tt.typ.FlatCount != len(tt.typ.Flat) {
			t.Errorf("%s: flat %q (count %d), want %q", tt.typ, got, tt.typ.FlatCount, tt.flat)
		}
		if tt.typ.Plain() != tt.plain {
			t.Errorf("%s: plain %v, want %v", tt.typ, tt.typ.Plain(), tt.plain)
		}
	}
}

func coreText(cs []CoreType) string {
	var s []string
	for _, c := range cs {
		s = append(s, c.String())
	}
	return strings.Join(s, " ")
}

func TestOffsets(t *testing.T) {
	r := Tuple(U8, U16, U8, U64, Bool)
	var got []uint32
	for _, f := range r.Fields {
		got = append(got, f.Offset)
	}
	if want := []uint32{0, 2, 4, 8, 16}; !slices.Equal(got, want) {
		t.Errorf("offsets %v, want %v", got, want)
	}
	if v := Variant(append(cases(300), Case{"x", U32})...); v.PayloadOffset != 4 || v.DiscSize != 2 {
		t.Errorf("payload at %d after %d bytes, want 4 after 2", v.PayloadOffset, v.DiscSize)
	}
	// The payload's alignment decides its offset, not the variant's.
	if v := Variant(append(cases(300), Case{"x", U8})...); v.PayloadOffset != 2 {
		t.Errorf("payload at %d, want 2", v.PayloadOffset)
	}
}

func TestFlatTooLong(t *testing.T) {
	for _, typ := range []*Type{
		FixedList(U8, 17),
		FixedList(String, 9),
		FixedList(U8, 1<<27),
		Tuple(FixedList(U8, 16), U8),
		Option(FixedList(U8, 16)),
		Result(FixedList(U8, 17), U8),
	} {
		if typ.Err() != nil || typ.Flat != nil || typ.FlatCount != MaxFlatParams+1 {
			t.Errorf("%s: err %v, flat %v, count %d", typ, typ.Err(), typ.Flat, typ.FlatCount)
		}
	}
	if typ := FixedList(U8, 16); typ.FlatCount != 16 || len(typ.Flat) != 16 {
		t.Errorf("%s: count %d, flat %v", typ, typ.FlatCount, typ.Flat)
	}
}

func TestTypeErr(t *testing.T) {
	deep := U8
	for range MaxTypeDepth {
		deep = List(deep)
	}
	if err := deep.Err(); err != nil {
		t.Errorf("depth of %d: %v", MaxTypeDepth, err)
	}
	doubled := U64
	for range 40 {
		doubled = Tuple(doubled, doubled)
	}
	for _, tt := range []struct {
		name string
		typ  *Type
		want string
	}{
		{"too deep", List(deep), "nested"},
		{"too large", doubled, "size exceeds"},
		{"huge array", FixedList(U64, 1<<31), "size exceeds"},
		{"empty array", FixedList(U8, 0), "length must not be zero"},
		{"empty record", Record(), "empty"},
		{"empty tuple", Tuple(), "empty"},
		{"empty variant", Variant(), "empty"},
		{"empty enum", Enum(), "empty"},
		{"empty flags", Flags(), "empty"},
		{"unnamed field", Record(Field{Type: U8}), "name 0 is empty"},
		{"repeated field", Record(Field{Name: "a", Type: U8}, Field{Name: "a", Type: U8}), `"a" appears twice`},
		{"repeated label", Enum("a", "b", "a"), `"a" appears twice`},
		{"list of nothing", List(nil), "missing"},
		{"option of nothing", Option(nil), "without a type"},
		{"tuple with nothing", Tuple(U8, nil), "missing"},
		{"stream of borrows", Stream(Borrow(testResource)), "borrow"},
		{"inherited", List(Option(Tuple())), "empty"},
		{"inherited by a case", Variant(Case{"a", U8}, Case{"b", Record()}), "empty"},
	} {
		if err := tt.typ.Err(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", tt.name, err, tt.want)
		}
	}
}

// TestTypeSize: the bound on the size of types counts pointers as 64 bits, so that a
// component is valid or not whatever its memories. The first of each pair is the
// largest, the second one the next.
func TestTypeSize(t *testing.T) {
	const limit = 1<<28 - 1
	for name, pair := range map[string][2]*Type{
		"bytes":           {FixedList(U8, limit), FixedList(U8, limit+1)},
		"words":           {FixedList(U64, 1<<25-1), FixedList(U64, 1<<25)},
		"strings":         {FixedList(String, 1<<24-1), FixedList(String, 1<<24)},
		"lists":           {FixedList(List(U8), 1<<24-1), FixedList(List(U8), 1<<24)},
		"handles":         {FixedList(Own(testResource), 1<<26-1), FixedList(Own(testResource), 1<<26)},
		"flags":           {FixedList(Flags("a", "b"), limit), FixedList(Flags("a", "b"), limit+1)},
		"tuple":           {Tuple(FixedList(U8, limit-1), U8), Tuple(FixedList(U8, limit), U8)},
		"padded tuple":    {Tuple(FixedList(U8, limit-15), U16), Tuple(FixedList(U8, limit), U16)},
		"tuple of string": {Tuple(FixedList(U8, limit-23), String), Tuple(FixedList(U8, limit-15), String)},
		"string first":    {Tuple(String, FixedList(U8, limit-31)), Tuple(String, FixedList(U8, limit-15))},
		"option":          {Option(FixedList(U8, limit-1)), Option(FixedList(U8, limit))},
		"option of word":  {Option(FixedList(String, 1<<24-1)), Option(FixedList(String, 1<<24))},
		"nested":          {FixedList(FixedList(U8, 1<<27-1), 2), FixedList(FixedList(U8, 1<<27), 2)},
	} {
		if err := pair[0].Err(); err != nil {
			t.Errorf("%s: the largest: %v", name, err)
		}
		if err := pair[1].Err(); err == nil || !strings.Contains(err.Error(), "size exceeds") {
			t.Errorf("%s: the next: %v", name, err)
		}
	}
}

func TestText(t *testing.T) {
	for _, tt := range []struct {
		typ  *Type
		want string
	}{
		{U8, "u8"},
		{List(String), "list<string>"},
		{FixedList(F64, 4), "list<f64, 4>"},
		{Record(Field{Name: "a", Type: U8}, Field{Name: "b", Type: Char}), "record { a: u8, b: char }"},
		{Tuple(U8, Bool), "tuple<u8, bool>"},
		{Variant(Case{"none-such", nil}, Case{"some", S64}), "variant { none-such, some(s64) }"},
		{Enum("a", "b"), "enum { a, b }"},
		{Flags("r", "w"), "flags { r, w }"},
		{Option(U32), "option<u32>"},
		{Result(nil, nil), "result"},
		{Result(U8, nil), "result<u8>"},
		{Result(nil, String), "result<_, string>"},
		{Result(U8, String), "result<u8, string>"},
		{Own(testResource), "own<thing>"},
		{Borrow(testResource), "borrow<thing>"},
		{Stream(U8), "stream<u8>"},
		{Future(nil), "future"},
		{ErrorContext, "error-context"},
	} {
		if got := tt.typ.String(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
	f := Func{Params: []Field{{Name: "x", Type: U8}, {Name: "y", Type: String}}, Result: Option(U8)}
	if got, want := f.String(), "func(x: u8, y: string) -> option<u8>"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	shared := U8
	for range 60 {
		shared = List(Tuple(shared, shared))
	}
	if n := len(shared.String()); n > maxText+8 {
		t.Errorf("text of a type with shared parts has %d bytes", n)
	}
}

func TestEqual(t *testing.T) {
	other := &Resource{Name: "thing"}
	rec := func(b *Type) *Type {
		return Record(Field{Name: "a", Type: U8}, Field{Name: "b", Type: b})
	}
	for _, tt := range []struct {
		want, have *Type
		err        string // "" when equal
	}{
		{U8, U8, ""},
		{U8, S8, "expected u8, found s8"},
		{List(U8), List(U8), ""},
		{List(U8), List(U16), "list element: expected u8, found u16"},
		{FixedList(U8, 2), FixedList(U8, 2), ""},
		{FixedList(U8, 2), FixedList(U8, 3), "length 2, found 3"},
		{FixedList(U8, 2), List(U8), "expected list<u8, 2>, found list<u8>"},
		{rec(String), rec(String), ""},
		{rec(String), rec(U8), `field "b": expected string, found u8`},
		{rec(U8), Record(Field{Name: "a", Type: U8}), "record of 2 fields, found 1"},
		{rec(U8), Record(Field{Name: "b", Type: U8}, Field{Name: "a", Type: U8}), `field "a", found "b"`},
		{Tuple(U8, U8), Tuple(U8, List(Bool)), "tuple field 1: expected u8, found list<bool>"},
		{Tuple(U8, U8), rec(U8), "expected tuple<u8, u8>, found record"},
		{Enum("a", "b"), Enum("a", "b"), ""},
		{Enum("a", "b"), Enum("b", "a"), `label "a", found "b"`},
		{Flags("a"), Flags("a", "b"), "1 labels, found 2"},
		{Variant(Case{"a", U8}), Variant(Case{"a", U8}), ""},
		{Variant(Case{"a", U8}), Variant(Case{"a", nil}), `case "a": expected u8, found none`},
		{Variant(Case{"a", nil}), Variant(Case{"a", U8}), `case "a": expected no type, found u8`},
		{Variant(Case{"a", nil}), Variant(Case{"b", nil}), `case "a", found "b"`},
		{Variant(Case{"a", nil}), Variant(cases(2)...), "1 cases, found 2"},
		{Option(U8), Option(Bool), `case "some": expected u8, found bool`},
		{Result(nil, nil), Result(nil, nil), ""},
		{Result(nil, nil), Result(U8, nil), `case "ok": expected no type, found u8`},
		{Own(testResource), Own(testResource), ""},
		{Own(testResource), Own(other), "different resource type"},
		{Own(testResource), Borrow(testResource), "expected own<thing>, found borrow<thing>"},
		{Stream(U8), Stream(nil), "stream payload: expected u8, found none"},
	} {
		err := Equal(tt.want, tt.have, nil)
		switch {
		case tt.err == "" && err != nil:
			t.Errorf("%s: %v", tt.want, err)
		case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
			t.Errorf("%s and %s: error %v, want one with %q", tt.want, tt.have, err, tt.err)
		}
	}
	same := func(a, b *Resource) bool { return a == testResource && b == other }
	if err := Equal(List(Own(testResource)), List(Own(other)), same); err != nil {
		t.Error(err)
	}
	if err := Equal(List(Own(other)), List(Own(testResource)), same); err == nil {
		t.Error("arguments of sameResource are in the wrong order")
	}
}

func TestEqualSharedParts(t *testing.T) {
	a, b := U8, U8
	for range 60 {
		a, b = List(Tuple(a, a)), List(Tuple(b, b))
	}
	if err := Equal(a, b, nil); err != nil {
		t.Error(err)
	}
}

func TestEqualFunc(t *testing.T) {
	f := func(name string, p, r *Type) *Func {
		return &Func{Params: []Field{{Name: name, Type: p}}, Result: r}
	}
	for _, tt := range []struct {
		want, have *Func
		err        string
	}{
		{f("a", U8, nil), f("a", U8, nil), ""},
		{f("a", U8, U8), f("a", U8, U8), ""},
		{f("a", U8, nil), f("b", U8, nil), `name "a", found "b"`},
		{f("a", U8, nil), f("a", U16, nil), `parameter "a": expected u8, found u16`},
		{f("a", U8, nil), f("a", U8, U8), "result: expected no type, found u8"},
		{f("a", U8, nil), &Func{}, "expected 1 parameters, found 0"},
	} {
		err := EqualFunc(tt.want, tt.have, nil)
		if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
			t.Errorf("%s and %s: error %v, want %q", tt.want, tt.have, err, tt.err)
		}
	}
}
