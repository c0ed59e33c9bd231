package abi

import (
	"strings"
	"testing"
)

// benchGuest gives out the same block again and again: what is measured is this
// package, not an allocator.
type benchGuest struct {
	mem []byte
	enc Encoding
}

func (g *benchGuest) Memory() []byte                       { return g.mem }
func (g *benchGuest) Encoding() Encoding                   { return g.enc }
func (g *benchGuest) Realloc(_, _, _, _ uint32) uint32     { return 1 << 21 }
func (g *benchGuest) LiftOwn(*Resource, uint32) any        { return nil }
func (g *benchGuest) LiftBorrow(*Resource, uint32) any     { return nil }
func (g *benchGuest) LowerOwn(r *Resource, rep any) uint32 { return 1 }
func (g *benchGuest) LowerBorrow(*Resource, any) uint32    { return 1 }
func newBenchGuest(enc Encoding) *benchGuest               { return &benchGuest{make([]byte, 1<<23), enc} }
func (g *benchGuest) with(typ *Type, v Val) (*Plan, []Raw) { return g.call(fn(typ, typ), v) }
func (g *benchGuest) call(f *Func, args ...Val) (*Plan, []Raw) {
	p, err := Compile(f)
	if err != nil {
		panic(err)
	}
	st := make([]Raw, p.StackLen())
	p.LowerParams(&bump{benchGuest: g, next: 64}, st, args)
	return p, st
}

// bump is a benchGuest with a real allocator, to lay out the arguments.
type bump struct {
	*benchGuest
	next uint32
}

func (g *bump) Realloc(_, _, align, size uint32) uint32 {
	ptr := (g.next + align - 1) &^ (align - 1)
	g.next = ptr + size
	return ptr
}

type benchCase struct {
	name  string
	typ   *Type
	val   Val
	bytes int
}

func benchCases() []benchCase {
	header := Tuple(String, List(U8))
	var headers []Val
	for range 20 {
		headers = append(headers, TupleVal(StringVal("content-type"), BytesVal([]byte("text/html; charset=utf-8"))))
	}
	point := Record(Field{Name: "x", Type: F32}, Field{Name: "y", Type: F32}, Field{Name: "id", Type: U32})
	points := make([]Val, 1000)
	for i := range points {
		points[i] = RecordVal(F32Val(1), F32Val(2), U32Val(uint32(i)))
	}
	method := Variant(append(cases(9), Case{"other", String})...)
	return []benchCase{
		{"scalars", Tuple(U32, U64, F64, Bool), TupleVal(U32Val(1), U64Val(2), F64Val(3), BoolVal(true)), 0},
		{"string-1K", String, StringVal(strings.Repeat("x", 1<<10)), 1 << 10},
		{"string-1M", String, StringVal(strings.Repeat("x", 1<<20)), 1 << 20},
		{"bytes-1K", List(U8), BytesVal(make([]byte, 1<<10)), 1 << 10},
		{"bytes-1M", List(U8), BytesVal(make([]byte, 1<<20)), 1 << 20},
		{"u32s-1K", List(U32), ScalarsVal(make([]uint32, 256)), 1 << 10},
		{"points-1000", List(point), ListVal(points...), 12000},
		{"headers-20", List(header), ListVal(headers...), 20 * 36},
		{"variant", Tuple(method, Option(U32)), TupleVal(CaseVal(2), SomeVal(U32Val(7))), 0},
	}
}

func BenchmarkLift(b *testing.B) {
	for _, c := range benchCases() {
		b.Run(c.name, func(b *testing.B) {
			g := newBenchGuest(UTF8)
			p, st := g.with(c.typ, c.val)
			b.SetBytes(int64(c.bytes))
			b.ReportAllocs()
			for b.Loop() {
				p.LiftParams(g, st)
			}
		})
	}
}

func BenchmarkLower(b *testing.B) {
	for _, c := range benchCases() {
		b.Run(c.name, func(b *testing.B) {
			g := newBenchGuest(UTF8)
			p, st := g.with(c.typ, c.val)
			args := []Val{c.val}
			b.SetBytes(int64(c.bytes))
			b.ReportAllocs()
			for b.Loop() {
				p.LowerParams(g, st, args)
			}
		})
	}
}

func BenchmarkTransfer(b *testing.B) {
	for _, c := range benchCases() {
		b.Run(c.name, func(b *testing.B) {
			g, h := newBenchGuest(UTF8), newBenchGuest(UTF8)
			p, st := g.with(c.typ, c.val)
			x, err := NewTransfer(p.Func, p.Func)
			if err != nil {
				b.Fatal(err)
			}
			to := make([]Raw, len(st))
			b.SetBytes(int64(c.bytes))
			b.ReportAllocs()
			for b.Loop() {
				x.Params(g, h, st, to)
			}
		})
	}
}

func BenchmarkTranscode(b *testing.B) {
	for _, s := range []struct{ name, text string }{
		{"ascii", strings.Repeat("x", 1<<10)},
		{"mixed", strings.Repeat("naïve €", 114)},
	} {
		for _, from := range encodings {
			for _, to := range encodings {
				b.Run(s.name+"/"+from.String()+"-"+to.String(), func(b *testing.B) {
					g, h := newBenchGuest(from), newBenchGuest(to)
					ptr, n := LowerString(g, s.text)
					b.SetBytes(int64(len(s.text)))
					b.ReportAllocs()
					for b.Loop() {
						copyString(g, h, ptr, n)
					}
				})
			}
		}
	}
}

func BenchmarkString(b *testing.B) {
	for _, enc := range encodings {
		g := newBenchGuest(enc)
		s := strings.Repeat("hello, world ", 79)
		ptr, n := LowerString(g, s)
		b.Run("lift/"+enc.String(), func(b *testing.B) {
			b.SetBytes(int64(len(s)))
			b.ReportAllocs()
			for b.Loop() {
				LiftString(g, ptr, n)
			}
		})
		b.Run("lower/"+enc.String(), func(b *testing.B) {
			b.SetBytes(int64(len(s)))
			b.ReportAllocs()
			for b.Loop() {
				LowerString(g, s)
			}
		})
	}
}

func BenchmarkTable(b *testing.B) {
	r := &Resource{Name: "r"}
	rep := new(int)
	var t Table
	b.ReportAllocs()
	for b.Loop() {
		h := t.AddOwn(r, rep)
		_, lend := t.Lend(r, h)
		lend.End()
		t.RemoveOwn(r, h)
	}
}
