package abi

import (
	"bytes"
	"encoding/hex"
	"math"
	"strings"
	"testing"
)

// unhex returns the bytes of a hexadecimal dump with spaces.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var (
	deadBeef = U32Val(0xdeadbeef)
	half     = F32Val(0.5)
	halfWide = F64Val(0.5)
)

// forms are values with their images in memory and on the stack. Strings and
// lists lie at 16, where the allocator of fakeGuest starts.
var forms = []struct {
	name string
	typ  *Type
	val  Val
	mem  string
	flat []uint64
	heap string
}{
	{"true", Bool, BoolVal(true), "01", []uint64{1}, ""},
	{"s8", S8, S8Val(-2), "fe", []uint64{0xfffffffe}, ""},
	{"u8", U8, U8Val(0xfe), "fe", []uint64{0xfe}, ""},
	{"s16", S16, S16Val(-2), "feff", []uint64{0xfffffffe}, ""},
	{"u16", U16, U16Val(0xfffe), "feff", []uint64{0xfffe}, ""},
	{"s32", S32, S32Val(-2), "feffffff", []uint64{0xfffffffe}, ""},
	{"u32", U32, deadBeef, "efbeadde", []uint64{0xdeadbeef}, ""},
	{"s64", S64, S64Val(-2), "feffffffffffffff", []uint64{0xfffffffffffffffe}, ""},
	{"u64", U64, U64Val(1 << 63), "0000000000000080", []uint64{1 << 63}, ""},
	{"f32", F32, half, "0000003f", []uint64{0x3f000000}, ""},
	{"f64", F64, halfWide, "000000000000e03f", []uint64{0x3fe0000000000000}, ""},
	{"char", Char, CharVal('€'), "ac200000", []uint64{0x20ac}, ""},
	{"string", String, StringVal("hé"), "10000000 03000000", []uint64{16, 3}, "68c3a9"},
	{"list<u16>", List(U16), ScalarsVal([]uint16{1, 0x203}), "10000000 02000000", []uint64{16, 2}, "0100 0302"},
	{"list<bool>", List(Bool), ScalarsVal([]bool{true, false}), "10000000 02000000", []uint64{16, 2}, "0100"},
	{"list<char>", List(Char), CharsVal([]rune{'a', '😀'}), "10000000 02000000", []uint64{16, 2}, "61000000 00f60100"},
	{"list<option<u8>>", List(Option(U8)), ListVal(SomeVal(U8Val(7)), NoneVal()), "10000000 02000000", []uint64{16, 2}, "0107 0000"},
	{"list<u16, 2>", FixedList(U16, 2), ScalarsVal([]uint16{1, 0x203}), "01000302", []uint64{1, 0x203}, ""},
	{
		"record", Record(Field{Name: "a", Type: U8}, Field{Name: "b", Type: U32}, Field{Name: "c", Type: U16}),
		RecordVal(U8Val(1), deadBeef, U16Val(2)), "01000000 efbeadde 02000000", []uint64{1, 0xdeadbeef, 2}, "",
	},
	{"tuple", Tuple(Bool, F64), TupleVal(BoolVal(true), halfWide), "0100000000000000 000000000000e03f", []uint64{1, 0x3fe0000000000000}, ""},
	{"enum", Enum(labels(3)...), EnumVal(2), "02", []uint64{2}, ""},
	{"wide enum", Enum(labels(300)...), EnumVal(258), "0201", []uint64{258}, ""},
	{"none", Option(U32), NoneVal(), "00000000 00000000", []uint64{0, 0}, ""},
	{"some", Option(U32), SomeVal(deadBeef), "01000000 efbeadde", []uint64{1, 0xdeadbeef}, ""},
	{"ok", Result(nil, U8), OkVal(nil), "0000", []uint64{0, 0}, ""},
	{"error", Result(nil, U8), ErrVal(&deadBeefByte), "01ef", []uint64{1, 0xef}, ""},
	// f32 with u32 share an i32, f32 with u64 or f64 share an i64.
	{"f32 in i32", Result(F32, U32), OkVal(&half), "00000000 0000003f", []uint64{0, 0x3f000000}, ""},
	{"f32 in i64", Result(F32, F64), OkVal(&half), "0000000000000000 0000003f00000000", []uint64{0, 0x3f000000}, ""},
	{"f64 in i64", Result(F32, F64), ErrVal(&halfWide), "0100000000000000 000000000000e03f", []uint64{1, 0x3fe0000000000000}, ""},
	{"u32 in i64", Result(U32, U64), OkVal(&deadBeef), "0000000000000000 efbeadde00000000", []uint64{0, 0xdeadbeef}, ""},
	{"case without payload", Variant(Case{"a", nil}, Case{"b", Tuple(U8, U8)}), CaseVal(0), "000000", []uint64{0, 0, 0}, ""},
	{"case with payload", Variant(Case{"a", nil}, Case{"b", Tuple(U8, U8)}), PayloadVal(1, TupleVal(U8Val(1), U8Val(2))), "010102", []uint64{1, 1, 2}, ""},
	{"flags of 3", Flags(labels(3)...), FlagsVal(0b101), "05", []uint64{5}, ""},
	{"flags of 12", Flags(labels(12)...), FlagsVal(0x801), "0108", []uint64{0x801}, ""},
	{"flags of 32", Flags(labels(32)...), FlagsVal(0x80000001), "01000080", []uint64{0x80000001}, ""},
	{"flags of 40", Flags(labels(40)...), FlagsVal(0x8000000001), "01000000 80000000", []uint64{1, 0x80}, ""},
	{"flags of 70", Flags(labels(70)...), FlagsVal(1<<63|1, 0x21), "01000000 00000080 21000000", []uint64{1, 0x80000000, 0x21}, ""},
	{"empty string", String, StringVal(""), "10000000 00000000", []uint64{16, 0}, ""},
}

var deadBeefByte = U8Val(0xef)

func TestForms(t *testing.T) {
	for _, tt := range forms {
		t.Run(tt.name, func(t *testing.T) {
			image, heap := unhex(t, tt.mem), unhex(t, tt.heap)
			if int(tt.typ.Size) != len(image) {
				t.Fatalf("size %d, image of %d bytes", tt.typ.Size, len(image))
			}

			g := newGuest(64, UTF8)
			g.moves = true
			Store(g, tt.typ, tt.val, 0)
			if !bytes.Equal(g.mem[:len(image)], image) || !bytes.Equal(g.mem[16:][:len(heap)], heap) && len(heap) > 0 {
				t.Errorf("stored % x with % x, want % x with % x", g.mem[:len(image)], g.mem[16:][:len(heap)], image, heap)
			}

			g = newGuest(64, UTF8)
			st := raws(9, 9, 9, 9)
			for i := range st {
				st[i].Hi = 9
			}
			LowerFlat(g, tt.typ, tt.val, st)
			for i, want := range tt.flat {
				if (st[i] != Raw{Lo: want}) {
					t.Errorf("core value %d is %#x, want %#x", i, st[i], want)
				}
			}
			if n := tt.typ.FlatCount; n != len(tt.flat) || st[n].Lo != 9 {
				t.Errorf("flattened to %d values, or wrote beyond them; want %d", n, len(tt.flat))
			}

			g = newGuest(64, UTF8)
			copy(g.mem, image)
			copy(g.mem[16:], heap)
			if got := Load(g, tt.typ, 0); !got.Equal(tt.val) {
				t.Errorf("loaded %s, want %s", got, tt.val)
			}

			g = newGuest(64, UTF8)
			copy(g.mem[16:], heap)
			st = raws(tt.flat...)
			for i := range st {
				st[i].Hi = 9
			}
			if got := LiftFlat(g, tt.typ, st); !got.Equal(tt.val) {
				t.Errorf("lifted %s, want %s", got, tt.val)
			}
		})
	}
}

// TestLiftNormalises lifts images that are not the ones lowering makes.
func TestLiftNormalises(t *testing.T) {
	for _, tt := range []struct {
		name string
		typ  *Type
		mem  string
		flat []uint64
		want Val
	}{
		{"any bool", Bool, "80", []uint64{0x80}, BoolVal(true)},
		{"a bool with high bits only", Bool, "", []uint64{0x100}, BoolVal(true)},
		{"upper half of an i32 slot", Bool, "", []uint64{1 << 32}, BoolVal(false)},
		{"u8 is wrapped", U8, "", []uint64{0x1fe}, U8Val(0xfe)},
		{"s8 is wrapped", S8, "", []uint64{0x1fe}, S8Val(-2)},
		{"s16 is wrapped", S16, "", []uint64{0x1fffe}, S16Val(-2)},
		{"u16 is wrapped", U16, "", []uint64{0x1fffe}, U16Val(0xfffe)},
		{"i64 slot wrapped to u32", Result(U32, U64), "", []uint64{0, 1<<40 | 0xdeadbeef}, OkVal(&deadBeef)},
		{"i64 slot wrapped to f32", Result(F32, F64), "", []uint64{0, 1<<40 | 0x3f000000}, OkVal(&half)},
		{"f32 NaN", F32, "0100a0ff", []uint64{0xffa00001}, F32Val(float32(math.NaN()))},
		{"f64 NaN", F64, "010000000000f4ff", []uint64{0xfff4000000000001}, F64Val(math.NaN())},
		{"flags of 3", Flags(labels(3)...), "fd", []uint64{0xfffffffd}, FlagsVal(5)},
		{"flags of 33", Flags(labels(33)...), "01000000 ffffffff", []uint64{1, 0xffffffff}, FlagsVal(1<<32 | 1)},
		{"flags of 65", Flags(labels(65)...), "01000000 00000000 ffffffff", []uint64{1, 0, 0xffffffff}, FlagsVal(1, 1)},
		{"list of bools", FixedList(Bool, 3), "0002ff", []uint64{0, 2, 0x100}, ScalarsVal([]bool{false, true, true})},
		{"list of f32", FixedList(F32, 1), "0100a0ff", nil, ListVal(F32Val(float32(math.NaN())))},
		{"list of f64", FixedList(F64, 1), "010000000000f4ff", nil, ListVal(F64Val(math.NaN()))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := newGuest(64, UTF8)
			if tt.mem != "" {
				copy(g.mem, unhex(t, tt.mem))
				if got := Load(g, tt.typ, 0); !got.Equal(tt.want) {
					t.Errorf("loaded %s, want %s", got, tt.want)
				}
			}
			if tt.flat != nil {
				if got := LiftFlat(g, tt.typ, raws(tt.flat...)); !got.Equal(tt.want) {
					t.Errorf("lifted %s, want %s", got, tt.want)
				}
			}
		})
	}
	g := newGuest(8, UTF8)
	copy(g.mem, []byte{1, 0, 0xa0, 0xff})
	if got := math.Float32bits(float32(Load(g, F32, 0).Float())); got != canonicalNaN32 {
		t.Errorf("NaN lifted as %#x", got)
	}
	if got := math.Float32bits(Scalars[float32](Load(g, FixedList(F32, 2), 0))[0]); got != canonicalNaN32 {
		t.Errorf("NaN in a list lifted as %#x", got)
	}
}

// TestCopyBools: a Go bool made of another byte than 0 and 1 would be neither
// true nor false.
func TestCopyBools(t *testing.T) {
	g := newGuest(8, UTF8)
	copy(g.mem, []byte{2, 0, 255})
	if b := bytesOf(Scalars[bool](Load(g, FixedList(Bool, 3), 0))); !bytes.Equal(b, []byte{1, 0, 1}) {
		t.Errorf("bools of % x", b)
	}
}

func TestLiftTraps(t *testing.T) {
	pair := func(ptr, n uint32) []byte {
		m := make(Memory, 8)
		m.PutU32(0, ptr)
		m.PutU32(4, n)
		return m
	}
	for _, tt := range []struct {
		name string
		typ  *Type
		mem  []byte // at 0; a guest has 64 bytes
		code TrapCode
	}{
		{"surrogate", Char, []byte{0, 0xd8, 0, 0}, TrapBadChar},
		{"last surrogate", Char, []byte{0xff, 0xdf, 0, 0}, TrapBadChar},
		{"char above U+10FFFF", Char, []byte{0, 0, 0x11, 0}, TrapBadChar},
		{"char with all bits", Char, []byte{0xff, 0xff, 0xff, 0xff}, TrapBadChar},
		{"char in a list", FixedList(Char, 2), []byte{0x61, 0, 0, 0, 0, 0xd8}, TrapBadChar},
		{"enum", Enum(labels(3)...), []byte{3}, TrapBadDiscriminant},
		{"wide enum", Enum(labels(300)...), []byte{0x2c, 0x01}, TrapBadDiscriminant},
		{"variant", Variant(cases(2)...), []byte{2}, TrapBadDiscriminant},
		{"option", Option(U8), []byte{2}, TrapBadDiscriminant},
		{"result", Result(nil, nil), []byte{0xff}, TrapBadDiscriminant},
		{"list out of bounds", List(U8), pair(60, 5), TrapOutOfBounds},
		{"list of words out of bounds", List(U64), pair(56, 2), TrapOutOfBounds},
		{"empty list out of bounds", List(U8), pair(65, 0), TrapOutOfBounds},
		{"list pointer wraps", List(U8), pair(1<<32-1, 1), TrapOutOfBounds},
		{"unaligned list", List(U64), pair(12, 1), TrapUnaligned},
		{"unaligned empty list", List(U64), pair(12, 0), TrapUnaligned},
		{"list too long", List(U8), pair(0, 1<<28), TrapTooLong},
		{"list size wraps", List(U64), pair(0, 1<<29), TrapTooLong},
		{"longest list", List(FixedList(U8, 1<<20)), pair(0, 1<<32-1), TrapTooLong},
		{"string out of bounds", String, pair(60, 5), TrapOutOfBounds},
		{"unknown handle", Own(testResource), []byte{1}, TrapUnknownHandle},
		{"handle 0", Borrow(testResource), []byte{0}, TrapUnknownHandle},
		{"stream", Stream(U8), []byte{1}, TrapOther},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := newGuest(64, UTF8)
			copy(g.mem, tt.mem)
			wantTrap(t, tt.code, func() { Load(g, tt.typ, 0) })

			// The same through the stack, and from one guest to another.
			if tt.typ.Size <= 8 && tt.typ.FlatCount <= 2 && tt.typ.Kind != KindFixedList {
				m := Memory(g.mem)
				st := raws(uint64(m.U32(0)), uint64(m.U32(4)))
				wantTrap(t, tt.code, func() { LiftFlat(g, tt.typ, st) })
				c := newCopier(g, newGuest(64, UTF16))
				wantTrap(t, tt.code, func() { c.flat(tt.typ, tt.typ, st, raws(0, 0)) })
			}
			c := newCopier(g, newGuest(64, UTF8))
			wantTrap(t, tt.code, func() { c.mem(tt.typ, tt.typ, 0, 0) })
		})
	}
}

// TestLowerBadValue lowers values that do not fit their types.
func TestLowerBadValue(t *testing.T) {
	u8 := U8Val(1)
	for _, tt := range []struct {
		name string
		typ  *Type
		val  Val
		code TrapCode
	}{
		{"zero Val", U8, Val{}, TrapBadValue},
		{"other kind", U8, U16Val(1), TrapBadValue},
		{"signedness", U8, S8Val(1), TrapBadValue},
		{"string for list", List(U8), StringVal("a"), TrapBadValue},
		{"list of another scalar", List(U8), ScalarsVal([]int8{1}), TrapBadValue},
		{"list of another Val", List(U8), ListVal(u8, BoolVal(true)), TrapBadValue},
		{"short fixed list", FixedList(U8, 2), ScalarsVal([]uint8{1}), TrapBadValue},
		{"record for tuple", Tuple(U8), RecordVal(u8), TrapBadValue},
		{"short tuple", Tuple(U8, U8), TupleVal(u8), TrapBadValue},
		{"long tuple", Tuple(U8), TupleVal(u8, u8), TrapBadValue},
		{"case out of range", Variant(cases(2)...), CaseVal(2), TrapBadValue},
		{"label out of range", Enum("a"), EnumVal(1), TrapBadValue},
		{"payload missing", Variant(Case{"a", U8}), CaseVal(0), TrapBadValue},
		{"payload for none", Variant(Case{"a", nil}), PayloadVal(0, u8), TrapBadValue},
		{"payload of another type", Option(U16), SomeVal(u8), TrapBadValue},
		{"flag without label", Flags("a", "b"), FlagsVal(4), TrapBadValue},
		{"flag in a high word", Flags("a"), FlagsVal(1 << 40), TrapBadValue},
		{"flag beyond 64", Flags(labels(40)...), FlagsVal(0, 1), TrapBadValue},
		{"surrogate", Char, CharVal(0xd800), TrapBadChar},
		{"surrogate in a list", List(Char), CharsVal([]rune{0xdfff}), TrapBadChar},
		{"borrow for own", Own(testResource), BorrowVal(1), TrapBadValue},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wantTrap(t, tt.code, func() { Store(newGuest(64, UTF8), tt.typ, tt.val, 0) })
			wantTrap(t, tt.code, func() { LowerFlat(newGuest(64, UTF8), tt.typ, tt.val, raws(0, 0, 0)) })
		})
	}
}

func TestStoreLoadPointer(t *testing.T) {
	g := newGuest(64, UTF8)
	wantTrap(t, TrapUnaligned, func() { Load(g, U32, 2) })
	wantTrap(t, TrapOutOfBounds, func() { Load(g, U32, 64) })
	wantTrap(t, TrapOutOfBounds, func() { Load(g, U64, 1<<32-8) })
	wantTrap(t, TrapUnaligned, func() { Store(g, U32, U32Val(1), 2) })
	wantTrap(t, TrapOutOfBounds, func() { Store(g, U32, U32Val(1), 64) })
	Store(g, U32, U32Val(1), 60)
}

// TestLiftLimit lifts values that refer to the same bytes over and over.
func TestLiftLimit(t *testing.T) {
	const n = 1000
	g := newGuest(1<<16, UTF8)
	m := Memory(g.mem)
	for i := range uint32(n) {
		m.PutU32(8*i, 8*n)
		m.PutU32(8*i+4, 1<<14)
	}
	st := raws(0, n)
	for _, tt := range []struct {
		typ  *Type
		fits bool // into the default limit
	}{
		{List(String), true},
		{List(List(U8)), true},
		{List(List(Option(Bool))), false},
	} {
		p, err := Compile(fn(nil, tt.typ))
		if err != nil {
			t.Fatal(err)
		}
		if tt.fits {
			p.LiftParams(g, st)
			p.LiftLimit = 1 << 20
		}
		wantTrap(t, TrapLiftLimit, func() { p.LiftParams(g, st) })
	}
}

func TestAsyncHandles(t *testing.T) {
	g := asyncGuest{newGuest(64, UTF8)}
	end := &struct{ name string }{"end"}
	for _, typ := range []*Type{Stream(U8), Future(nil), ErrorContext} {
		v := Val{kind: typ.Kind, ref: end}
		Store(g, typ, v, 0)
		if got := Load(g, typ, 0); got.Rep() != any(end) || got.Kind() != typ.Kind {
			t.Errorf("%s: %s", typ, got)
		}
	}
}

type asyncGuest struct{ *fakeGuest }

func (g asyncGuest) LiftAsync(_ *Type, h uint32) any  { return g.table.RemoveObject(h) }
func (g asyncGuest) LowerAsync(_ *Type, v any) uint32 { return g.table.AddObject(v) }
