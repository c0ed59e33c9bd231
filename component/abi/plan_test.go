package abi

import (
	"strings"
	"testing"
)

func compile(t testing.TB, f *Func) *Plan {
	t.Helper()
	p, err := Compile(f)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestSpilledPointers gives bad pointers to spilled parameters and results.
func TestSpilledPointers(t *testing.T) {
	many := fn(FixedList(U32, 4), repeat(U64, 17)...)
	p := compile(t, many)
	x, err := NewTransfer(many, many)
	if err != nil {
		t.Fatal(err)
	}
	v := ScalarsVal([]uint32{1, 2, 3, 4})
	for _, tt := range []struct {
		ptr  uint64
		code TrapCode
	}{
		{1<<32 - 8, TrapOutOfBounds},
		{4096 - 8, TrapOutOfBounds},
		{4096, TrapOutOfBounds},
		{2, TrapUnaligned},
	} {
		a, b := newGuest(4096, UTF8), newGuest(4096, UTF8)
		wantTrap(t, tt.code, func() { p.LiftParams(a, raws(tt.ptr, 0)) })
		wantTrap(t, tt.code, func() { p.LowerResult(a, raws(0, tt.ptr), v) })
		wantTrap(t, tt.code, func() { p.LiftResult(a, raws(tt.ptr)) })
		wantTrap(t, tt.code, func() { x.Params(a, b, raws(tt.ptr, 0), raws(0, 0)) })
		wantTrap(t, tt.code, func() { x.Result(b, a, raws(tt.ptr), raws(0, 0)) })
		wantTrap(t, tt.code, func() { x.Result(b, a, raws(0), raws(0, tt.ptr)) })
	}
}

// TestPlanBadRealloc makes each realloc of a call return what it must not.
func TestPlanBadRealloc(t *testing.T) {
	pair := Tuple(String, List(U32), List(Tuple(U8, String)))
	args := []Val{TupleVal(StringVal("ab"), ScalarsVal([]uint32{1}), ListVal(TupleVal(U8Val(1), StringVal("c"))))}
	spill := append([]*Type{pair}, repeat(U8, 16)...)
	for range 16 {
		args = append(args, U8Val(1))
	}
	f := fn(nil, spill...)
	p := compile(t, f)
	x, err := NewTransfer(f, f)
	if err != nil {
		t.Fatal(err)
	}
	src := newGuest(1024, UTF8)
	from := make([]Raw, p.StackLen())
	p.LowerParams(src, from, args)

	const reallocs = 5
	if n := len(src.calls); n != reallocs {
		t.Fatalf("%d calls of realloc, want %d", n, reallocs)
	}
	for call := range reallocs {
		for _, ret := range []uint32{1<<32 - 4, 1023, 1 << 20, 1025} {
			if align := src.calls[call][2]; ret == 1023 && align == 1 && src.calls[call][3] == 1 {
				continue // the last byte is a good place for one
			}
			hostile := func() *fakeGuest {
				g := newGuest(1024, UTF8)
				at := uint32(64)
				g.realloc = func(_, _, _, size uint32) uint32 {
					if len(g.calls)-1 == call {
						return ret
					}
					at += 128
					return at
				}
				return g
			}
			wantTrap(t, TrapBadRealloc, func() { p.LowerParams(hostile(), make([]Raw, p.StackLen()), args) })
			wantTrap(t, TrapBadRealloc, func() { x.Params(src, hostile(), from, make([]Raw, p.StackLen())) })
		}
	}
}

func TestPlanArguments(t *testing.T) {
	p := compile(t, fn(U8, U8, U8))
	g := newGuest(64, UTF8)
	wantTrap(t, TrapBadValue, func() { p.LowerParams(g, raws(0, 0), []Val{U8Val(1)}) })
	wantTrap(t, TrapBadValue, func() { p.LowerResult(g, raws(0, 0), Val{}) })
	p = compile(t, fn(nil))
	wantTrap(t, TrapBadValue, func() { p.LowerResult(g, raws(0), U8Val(1)) })
	p.LowerResult(g, raws(0), Val{})
	p.LowerParams(g, nil, nil)
	if v := p.LiftResult(g, nil); v.Kind() != KindInvalid {
		t.Errorf("result %s of a function without one", v)
	}
	if vs := p.LiftParams(g, nil); vs != nil {
		t.Errorf("arguments %v of a function without parameters", vs)
	}
}

// TestPlanOwns has types of which each is twice in the next one: looking through
// all that is in them would take years.
func TestPlanOwns(t *testing.T) {
	nest := func(u *Type) *Type {
		for range 60 {
			u = Variant(Case{"a", u}, Case{"b", List(u)})
		}
		return u
	}
	own, borrow := Own(testResource), Borrow(testResource)
	for _, tt := range []struct {
		typ  *Type
		owns bool
	}{
		{own, true},
		{borrow, false},
		{U8, false},
		{Tuple(U8, borrow), false},
		{Tuple(borrow, own), true},
		{Option(List(own)), true},
		{FixedList(own, 2), true},
		{Result(nil, own), true},
		{Stream(own), false},
		{Future(own), false},
		{Tuple(Stream(own), own), true},
		{nest(borrow), false},
		{nest(own), true},
	} {
		if got := compile(t, fn(nil, U8, tt.typ)).OwnsParams(); got != tt.owns {
			t.Errorf("parameter %s: owns %v, want %v", tt.typ.Kind, got, tt.owns)
		}
		if tt.typ.HasBorrows() {
			continue
		}
		if got := compile(t, fn(tt.typ)).OwnsResult(); got != tt.owns {
			t.Errorf("result %s: owns %v, want %v", tt.typ.Kind, got, tt.owns)
		}
	}
	if p := compile(t, fn(nil)); p.OwnsParams() || p.OwnsResult() {
		t.Error("a function without parameters and result has own handles")
	}
}

// TestTransferHandles moves owned and borrowed handles between two tables, each
// side naming the resource by its own type.
func TestTransferHandles(t *testing.T) {
	mine, yours := &Resource{Name: "mine"}, &Resource{Name: "yours"}
	typ := func(r *Resource) *Func {
		return fn(Own(r), Own(r), Borrow(r), List(Tuple(U8, Own(r))))
	}
	x, err := NewTransfer(typ(mine), typ(yours))
	if err != nil {
		t.Fatal(err)
	}
	a, b := newGuest(256, UTF8), newGuest(256, UTF8)
	given, lent, listed := a.table.AddOwn(mine, "given"), a.table.AddOwn(mine, "lent"), a.table.AddOwn(mine, "listed")
	Memory(a.mem).PutU32(132, listed)
	to := make([]Raw, x.Callee.StackLen())
	x.Params(a, b, raws(uint64(given), uint64(lent), 128, 1), to)
	if got := b.table.Rep(yours, to[0].U32()); got != "given" {
		t.Errorf("own became %v", got)
	}
	if got := b.table.Rep(yours, to[1].U32()); got != "lent" {
		t.Errorf("borrow became %v", got)
	}
	if got := b.table.Rep(yours, Memory(b.mem).U32(to[2].U32()+4)); got != "listed" {
		t.Errorf("own in a list became %v", got)
	}
	if a.table.Len() != 1 || b.scope.Outstanding() != 1 {
		t.Errorf("caller has %d handles, callee %d borrows; want 1, 1", a.table.Len(), b.scope.Outstanding())
	}
	wantTrap(t, TrapHandleLent, func() { a.table.Remove(mine, lent) })
	wantTrap(t, TrapUnknownHandle, func() { x.Params(a, b, raws(uint64(given), uint64(lent), 128, 1), to) })
	x.Result(b, a, to, to)
	if got := a.table.Rep(mine, to[0].U32()); got != "given" {
		t.Errorf("result became %v", got)
	}
}

// TestTransferPadding: bytes that are no part of the value stay in their guest.
func TestTransferPadding(t *testing.T) {
	elem := Tuple(U8, U32)
	f := fn(nil, List(elem), List(Option(U64)))
	x, err := NewTransfer(f, f)
	if err != nil {
		t.Fatal(err)
	}
	a, b := newGuest(256, UTF8), newGuest(256, UTF8)
	for i := range a.mem {
		a.mem[i] = 0x55
	}
	a.mem[64] = 0 // option: none
	to := make([]Raw, x.Callee.StackLen())
	x.Params(a, b, raws(128, 2, 64, 1), to)
	if got, want := string(b.mem[to[0].U32():][:16]), "U\x00\x00\x00UUUUU\x00\x00\x00UUUU"; got != want {
		t.Errorf("records arrived as %q, want %q", got, want)
	}
	if got, want := string(b.mem[to[2].U32():][:16]), strings.Repeat("\x00", 16); got != want {
		t.Errorf("none arrived as %q, want %q", got, want)
	}
}

func TestTransferTypes(t *testing.T) {
	if _, err := NewTransfer(fn(U8), fn(U16)); err == nil || !strings.Contains(err.Error(), "result: expected u8, found u16") {
		t.Errorf("error %v", err)
	}
	if _, err := NewTransfer(fn(Tuple()), fn(Tuple())); err == nil {
		t.Error("no error for a faulty type")
	}
}

// TestTransferNormalises: what reaches the callee is a value of the type even
// where the caller's image was not the one that lowering makes.
func TestTransferNormalises(t *testing.T) {
	for _, tt := range []struct {
		typ      *Type
		from, to uint64
	}{
		{Bool, 0x100, 1},
		{U8, 0x1ff, 0xff},
		{S8, 0x1ff, 0xffffffff},
		{S16, 0x18000, 0xffff8000},
		{U16, 0x1ffff, 0xffff},
		{U32, 1<<32 | 7, 7},
		{Flags(labels(3)...), 0xff, 7},
	} {
		f := fn(tt.typ, tt.typ)
		x, err := NewTransfer(f, f)
		if err != nil {
			t.Fatal(err)
		}
		a, b := newGuest(64, UTF8), newGuest(64, UTF8)
		to := raws(9)
		x.Params(a, b, raws(tt.from), to)
		if to[0].Lo != tt.to {
			t.Errorf("%s: %#x became %#x, want %#x", tt.typ, tt.from, to[0].Lo, tt.to)
		}
	}
	a, b := newGuest(64, UTF8), newGuest(64, UTF8)
	copy(a.mem[32:], []byte{0, 2, 0xff})
	f := fn(nil, List(Bool), List(Flags("x")))
	x, err := NewTransfer(f, f)
	if err != nil {
		t.Fatal(err)
	}
	to := make([]Raw, 4)
	x.Params(a, b, raws(32, 3, 32, 3), to)
	if got := string(b.mem[to[0].U32():][:3]); got != "\x00\x01\x01" {
		t.Errorf("bools became %q", got)
	}
	if got := string(b.mem[to[2].U32():][:3]); got != "\x00\x00\x01" {
		t.Errorf("flags became %q", got)
	}
}
