package abi

import (
	"bytes"
	"testing"
)

// TestScalarLists takes a list of each scalar type through memory as a Go slice
// and element by element.
func TestScalarLists(t *testing.T) {
	for _, tt := range []struct {
		elem *Type
		val  Val
		mem  string
	}{
		{Bool, ScalarsVal([]bool{true, false}), "0100"},
		{S8, ScalarsVal([]int8{1, -2}), "01fe"},
		{U8, ScalarsVal([]uint8{1, 0xfe}), "01fe"},
		{S16, ScalarsVal([]int16{1, -2}), "0100feff"},
		{U16, ScalarsVal([]uint16{1, 0xfffe}), "0100feff"},
		{S32, ScalarsVal([]int32{1, -2}), "01000000feffffff"},
		{U32, ScalarsVal([]uint32{1, 0xfffffffe}), "01000000feffffff"},
		{S64, ScalarsVal([]int64{1, -2}), "0100000000000000feffffffffffffff"},
		{U64, ScalarsVal([]uint64{1, 0xfffffffffffffffe}), "0100000000000000feffffffffffffff"},
		{F32, ScalarsVal([]float32{0.5, -2}), "0000003f000000c0"},
		{F64, ScalarsVal([]float64{0.5, -2}), "000000000000e03f00000000000000c0"},
		{Char, CharsVal([]rune{'a', '€'}), "61000000ac200000"},
	} {
		t.Run(tt.elem.String(), func(t *testing.T) {
			typ, want := FixedList(tt.elem, 2), unhex(t, tt.mem)
			for _, v := range []Val{tt.val, ListVal(tt.val.Elems()...)} {
				g := newGuest(64, UTF8)
				Store(g, typ, v, 0)
				if got := g.mem[:len(want)]; !bytes.Equal(got, want) {
					t.Errorf("stored % x, want % x", got, want)
				}
				got := Load(g, typ, 0)
				if !got.Equal(v) || got.elem != tt.elem.Kind {
					t.Errorf("loaded %s of %s, want %s", got, got.elem, v)
				}
				st := make([]Raw, 2)
				LowerFlat(g, typ, v, st)
				if got := LiftFlat(g, typ, st); !got.Equal(v) {
					t.Errorf("lifted %s, want %s", got, v)
				}
			}
		})
	}
}

func TestSwap(t *testing.T) {
	for size, want := range map[int]string{1: "abcdefgh", 2: "badcfehg", 4: "dcbahgfe", 8: "hgfedcba"} {
		b := []byte("abcdefgh")
		if swap(b, size); string(b) != want {
			t.Errorf("size %d: %s, want %s", size, b, want)
		}
	}
}

func TestLowerTooLong(t *testing.T) {
	g := newGuest(64, UTF8)
	// The length is refused before the elements are looked at.
	long := func(n uint64) Val {
		v := BytesVal([]byte{1})
		v.bits = n
		return v
	}
	for _, tt := range []struct {
		elem *Type
		n    uint64
	}{{U8, MaxListBytes + 1}, {U64, MaxListBytes/8 + 1}, {U64, 1<<61 + 1}, {FixedList(U8, 1<<20), 1 << 44}} {
		wantTrap(t, TrapTooLong, func() { Store(g, List(tt.elem), long(tt.n), 0) })
	}
	wantTrap(t, TrapTooLong, func() { checkLowered(MaxStringBytes + 1) })
	checkLowered(MaxStringBytes)
	if len(g.calls) != 0 {
		t.Error("realloc was called")
	}
}

func TestWideDiscriminant(t *testing.T) {
	c := append(cases(65536), Case{"last", U8})
	typ := Variant(c...)
	if typ.DiscSize != 4 {
		t.Fatalf("discriminant of %d bytes", typ.DiscSize)
	}
	g := newGuest(64, UTF8)
	v := PayloadVal(65536, U8Val(7))
	Store(g, typ, v, 0)
	if want := []byte{0, 0, 1, 0, 7}; !bytes.Equal(g.mem[:5], want) {
		t.Errorf("stored % x, want % x", g.mem[:5], want)
	}
	if got := Load(g, typ, 0); !got.Equal(v) {
		t.Errorf("loaded %s", got)
	}
	Memory(g.mem).PutU32(0, 65537)
	wantTrap(t, TrapBadDiscriminant, func() { Load(g, typ, 0) })
}

func TestHandleVals(t *testing.T) {
	g := newGuest(64, UTF8)
	Store(g, Own(testResource), OwnVal("own"), 0)
	Store(g, Borrow(testResource), BorrowVal("borrow"), 4)
	if g.scope.Outstanding() != 1 || g.table.Len() != 2 {
		t.Errorf("%d borrows, %d handles", g.scope.Outstanding(), g.table.Len())
	}
	if v := Load(g, Borrow(testResource), 4); v.Kind() != KindBorrow || v.Rep() != "borrow" {
		t.Errorf("borrow lifted as %s", v)
	}
	if v := Load(g, Own(testResource), 0); v.Kind() != KindOwn || v.Rep() != "own" {
		t.Errorf("own lifted as %s", v)
	}
	wantTrap(t, TrapUnknownHandle, func() { Load(g, Own(testResource), 0) })
	wantTrap(t, TrapHandleLent, func() { Load(g, Own(testResource), 4) }) // lent above
}

func TestTypeProperties(t *testing.T) {
	own, borrow := Own(testResource), Borrow(testResource)
	for _, tt := range []struct {
		typ                       *Type
		pointers, handles, borrow bool
	}{
		{U8, false, false, false},
		{String, true, false, false},
		{Option(String), true, false, false},
		{FixedList(U8, 2), false, false, false},
		{own, false, true, false},
		{Tuple(U8, Result(nil, own)), false, true, false},
		{List(Variant(Case{"a", borrow})), true, true, true},
		{Stream(String), false, true, false},
	} {
		if tt.typ.HasPointers() != tt.pointers || tt.typ.HasHandles() != tt.handles || tt.typ.HasBorrows() != tt.borrow {
			t.Errorf("%s: pointers %v, handles %v, borrows %v", tt.typ, tt.typ.HasPointers(), tt.typ.HasHandles(), tt.typ.HasBorrows())
		}
	}
}
