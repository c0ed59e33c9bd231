package abi

import (
	"strings"
	"testing"
)

func fn(result *Type, params ...*Type) *Func {
	f := &Func{Result: result}
	for i, p := range params {
		f.Params = append(f.Params, Field{Name: labels(i + 1)[i], Type: p})
	}
	return f
}

func repeat(t *Type, n int) []*Type {
	s := make([]*Type, n)
	for i := range s {
		s[i] = t
	}
	return s
}

func TestCoreType(t *testing.T) {
	i32s := func(n int) string { return "(param" + strings.Repeat(" i32", n) + ")" }
	for _, tt := range []struct {
		f    *Func
		d    Direction
		want string
	}{
		{fn(nil), CanonLift, ""},
		{fn(nil), CanonLower, ""},
		{fn(U8, U64, F32), CanonLift, "(param i64 f32) (result i32)"},
		{fn(U8, U64, F32), CanonLower, "(param i64 f32) (result i32)"},
		{fn(String), CanonLift, "(result i32)"},
		{fn(String), CanonLower, "(param i32)"},
		{fn(String, U8), CanonLower, "(param i32 i32)"},
		{fn(nil, repeat(String, 8)...), CanonLift, i32s(16)},
		{fn(nil, repeat(U8, 17)...), CanonLift, i32s(1)},
		{fn(nil, repeat(U8, 17)...), CanonLower, i32s(1)},
		{fn(String, repeat(U8, 17)...), CanonLower, i32s(2)},
		{fn(String, repeat(U8, 16)...), CanonLower, i32s(17)},
		{fn(nil, FixedList(U8, 100)), CanonLift, i32s(1)},
		{fn(Tuple(F64)), CanonLift, "(result f64)"},
		{fn(U8, repeat(U8, 5)...), CanonLowerAsync, i32s(2) + " (result i32)"},
		{fn(U8, repeat(U8, 4)...), CanonLowerAsync, i32s(5) + " (result i32)"},
		{fn(nil, repeat(U8, 4)...), CanonLowerAsync, i32s(4) + " (result i32)"},
		{fn(U8, U8), CanonLiftCallback, i32s(1) + " (result i32)"},
		{fn(U8, U8), CanonLiftAsync, i32s(1)},
	} {
		if got := tt.f.CoreType(tt.d).String(); got != tt.want {
			t.Errorf("%s, direction %d: %q, want %q", tt.f, tt.d, got, tt.want)
		}
	}
}

func TestCompileErr(t *testing.T) {
	for _, tt := range []struct {
		f    *Func
		want string
	}{
		{fn(Borrow(testResource)), "borrow"},
		{fn(List(Option(Borrow(testResource)))), "borrow"},
		{fn(nil, Tuple()), "parameter 0"},
		{fn(Record()), "result"},
		{&Func{Params: []Field{{Name: "a"}}}, "no type"},
		{fn(nil, repeat(FixedList(U8, MaxTypeSize/2), 3)...), "parameters together"},
	} {
		if _, err := Compile(tt.f); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", tt.f, err, tt.want)
		}
	}
	if _, err := Compile(fn(nil, Borrow(testResource))); err != nil {
		t.Error(err)
	}
}

func TestNeeds(t *testing.T) {
	for _, tt := range []struct {
		f               *Func
		d               Direction
		memory, realloc bool
	}{
		{fn(U8, U8), CanonLift, false, false},
		{fn(nil, String), CanonLift, true, true},
		{fn(nil, String), CanonLower, true, false},
		{fn(String), CanonLift, true, false},
		{fn(String), CanonLower, true, true},
		{fn(Tuple(U8, U8)), CanonLower, true, false},
		{fn(nil, repeat(U8, 17)...), CanonLift, true, true},
		{fn(nil, repeat(U8, 17)...), CanonLower, true, false},
		{fn(nil, Stream(String)), CanonLift, false, false},
	} {
		p, err := Compile(tt.f)
		if err != nil {
			t.Fatal(err)
		}
		if m, r := p.Needs(tt.d); m != tt.memory || r != tt.realloc {
			t.Errorf("%s, direction %d: needs %v, %v, want %v, %v", tt.f, tt.d, m, r, tt.memory, tt.realloc)
		}
	}
}
