package component

import (
	"errors"
	"strings"
	"testing"

	"github.com/minispin/minispin/component/abi"
)

// owning hosts the interface of testdata/owned.wat. What its functions take they
// keep.
type owning struct {
	typ   *ResourceType
	made  []*counter
	kept  []*counter
	fails bool // of the functions that take
	panic bool // of every drop
}

var errTaken = errors.New("taken, and failed")

func (h *owning) make(n uint64) *counter {
	c := &counter{n: n}
	h.made = append(h.made, c)
	return c
}

func (h *owning) linker(t testing.TB) *Linker {
	t.Helper()
	h.typ = NewHostResource("r", func(rep any) {
		rep.(*counter).drops++
		if h.panic {
			panic("drop")
		}
	})
	own := abi.Own(h.typ)
	take := func(_ *Call, args []abi.Val) (abi.Val, error) {
		for _, a := range args {
			keep := func(_ *abi.Resource, rep any) { h.kept = append(h.kept, rep.(*counter)) }
			abi.EachOwn(own, a, keep)
			if p, ok := a.Payload(); ok {
				abi.EachOwn(own, p, keep)
			}
			for _, e := range a.Elems() {
				abi.EachOwn(own, e, keep)
			}
		}
		if h.fails {
			return abi.Val{}, errTaken
		}
		return abi.Val{}, nil
	}
	give := abi.Tuple(own, abi.List(own), abi.String, abi.Option(own))
	l := NewLinker()
	err := l.Define(&Interface{
		Name:      "host:test/own",
		Resources: []NamedResource{{"r", h.typ}},
		Funcs: []Func{
			dynamic(t, "make", &abi.Func{Params: []abi.Field{{Name: "n", Type: abi.U32}}, Result: own},
				func(_ *Call, args []abi.Val) (abi.Val, error) { return abi.OwnVal(h.make(args[0].Uint())), nil }),
			dynamic(t, "take", &abi.Func{Params: []abi.Field{{Name: "a", Type: own}, {Name: "b", Type: own}, {Name: "s", Type: abi.String}}}, take),
			dynamic(t, "all", &abi.Func{Params: []abi.Field{{Name: "l", Type: abi.List(own)}}}, take),
			dynamic(t, "either", &abi.Func{Params: []abi.Field{{Name: "x", Type: abi.Result(own, abi.Tuple(own, abi.Char))}}}, take),
			dynamic(t, "give", &abi.Func{Result: give}, func(*Call, []abi.Val) (abi.Val, error) {
				return abi.TupleVal(abi.OwnVal(h.make(10)), abi.ListVal(abi.OwnVal(h.make(11)), abi.OwnVal(h.make(12))),
					abi.StringVal("x"), abi.SomeVal(abi.OwnVal(h.make(13)))), nil
			}),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestOwnedAccounting: whatever a call ends with, at the end of the instance every
// owned value has been dropped once, save those that a host function has taken or
// a caller was given.
func TestOwnedAccounting(t *testing.T) {
	e := engine(t)
	for _, tt := range []struct {
		name    string
		handles int // the limit of the table
		fails   bool
		do      func(t *testing.T, h *owning, c caller)
	}{
		{"taken", 0, false, func(_ *testing.T, _ *owning, c caller) {
			c.must("take", c.must("make", 1), c.must("make", 2), 0, 4)
		}},
		{"string after them", 0, false, func(_ *testing.T, _ *owning, c caller) {
			c.traps("invalid utf-8", "take", c.must("make", 1), c.must("make", 2), 4, 2)
		}},
		{"handle after one", 0, false, func(_ *testing.T, _ *owning, c caller) {
			c.traps("unknown handle index 9", "take", c.must("make", 1), 9, 0, 4)
		}},
		{"one handle twice", 0, false, func(_ *testing.T, _ *owning, c caller) {
			a := c.must("make", 1)
			c.traps("unknown handle index 1", "take", a, a, 0, 4)
		}},
		{"in a list", 0, false, func(_ *testing.T, _ *owning, c caller) {
			c.traps("unknown handle index 7", "all", c.must("make", 1), c.must("make", 2), 7)
		}},
		{"list taken", 0, false, func(_ *testing.T, _ *owning, c caller) {
			c.must("all", c.must("make", 1), c.must("make", 2), c.must("make", 3))
		}},
		{"in a case", 0, false, func(_ *testing.T, _ *owning, c caller) {
			c.must("either", 0, c.must("make", 1), 0)
			c.traps("char", "either", 1, c.must("make", 2), 0xd800)
		}},
		{"host function fails", 0, true, func(_ *testing.T, _ *owning, c caller) {
			c.traps(errTaken.Error(), "take", c.must("make", 1), c.must("make", 2), 0, 4)
		}},
		{"result", 0, false, func(t *testing.T, h *owning, c caller) {
			v, err := c.in.CallVals(export(t, c.in.pre, "", "back"), abi.U32Val(c.must("make", 1)), abi.U32Val(0), abi.U32Val(4))
			if err != nil || v.Elems()[1].Str() != "text" {
				t.Fatalf("%v, %v", v, err)
			}
			h.kept = append(h.kept, v.Elems()[0].Rep().(*counter))
		}},
		{"string after the result's", 0, false, func(t *testing.T, _ *owning, c caller) {
			v, err := c.in.CallVals(export(t, c.in.pre, "", "back"), abi.U32Val(c.must("make", 1)), abi.U32Val(4), abi.U32Val(2))
			c.trapped("invalid utf-8", "back", err)
			if v.Kind() != abi.KindInvalid {
				t.Errorf("the result is %v all the same", v)
			}
		}},
		{"post-return traps", 0, false, func(t *testing.T, _ *owning, c caller) {
			v, err := c.in.CallVals(export(t, c.in.pre, "", "back-trap"), abi.U32Val(c.must("make", 1)))
			c.trapped("unreachable", "back-trap", err)
			if v.Kind() != abi.KindInvalid {
				t.Errorf("the result is %v all the same", v)
			}
		}},
		{"given", 0, false, func(_ *testing.T, _ *owning, c caller) { c.must("give") }},
		{"no room for the first", 1, false, func(_ *testing.T, _ *owning, c caller) {
			c.must("make", 1)
			c.traps("handle table full", "give")
		}},
		{"no room in the list", 2, false, func(_ *testing.T, _ *owning, c caller) { c.traps("handle table full", "give") }},
		{"no room for the last", 3, false, func(_ *testing.T, _ *owning, c caller) { c.traps("handle table full", "give") }},
		{"no memory for the list", 0, false, func(_ *testing.T, _ *owning, c caller) {
			c.must("left", 0)
			c.traps("unreachable", "give")
		}},
		{"no memory for the string", 0, false, func(_ *testing.T, _ *owning, c caller) {
			c.must("left", 1)
			c.traps("unreachable", "give")
		}},
		{"arguments", 2, false, func(t *testing.T, h *owning, c caller) {
			_, err := c.in.CallVals(export(t, c.in.pre, "", "three"), abi.OwnVal(h.make(1)), abi.OwnVal(h.make(2)), abi.OwnVal(h.make(3)))
			c.trapped("handle table full", "three", err)
		}},
		{"string between arguments", 0, false, func(t *testing.T, h *owning, c caller) {
			c.must("left", 0)
			_, err := c.in.CallVals(export(t, c.in.pre, "", "named"), abi.OwnVal(h.make(1)), abi.StringVal("x"), abi.OwnVal(h.make(2)))
			c.trapped("unreachable", "named", err)
		}},
		{"argument of another kind", 0, false, func(t *testing.T, h *owning, c caller) {
			_, err := c.in.CallVals(export(t, c.in.pre, "", "named"), abi.OwnVal(h.make(1)), abi.U32Val(5), abi.OwnVal(h.make(2)))
			c.trapped("cannot lower", "named", err)
		}},
		{"too few arguments", 0, false, func(t *testing.T, h *owning, c caller) {
			_, err := c.in.CallVals(export(t, c.in.pre, "", "three"), abi.OwnVal(h.make(1)))
			c.trapped("1 arguments for 3 parameters", "three", err)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := &owning{fails: tt.fails}
			pre := build(t, e, h.linker(t), "owned.wat")
			in := instantiate(t, pre, InstantiateOptions{Limits: Limits{Handles: tt.handles}})
			tt.do(t, h, caller{t: t, in: in})
			for _, c := range h.kept {
				if c.drops++; c.drops != 1 {
					t.Errorf("value %d was taken, and dropped %d times", c.n, c.drops-1)
				}
			}
			in.Close()
			for _, c := range h.made {
				if c.drops != 1 {
					t.Errorf("value %d was dropped %d times", c.n, c.drops)
				}
			}
		})
	}
}

// TestOwnedDropPanics: drops that panic while a trap is on its way neither hide it
// nor keep the others from being made.
func TestOwnedDropPanics(t *testing.T) {
	h := &owning{}
	pre := build(t, engine(t), h.linker(t), "owned.wat")
	in := instantiate(t, pre, InstantiateOptions{})
	c := caller{t: t, in: in}
	a, b := c.must("make", 1), c.must("make", 2)
	h.panic = true
	_, err := c.call("take", a, b, 4, 2)
	var trap *abi.Trap
	var p *PanicError
	if !errors.As(err, &trap) || trap.Code != abi.TrapBadString || !errors.As(err, &p) || p.Value != "drop" {
		t.Errorf("%v, want the trap and the panic", err)
	}
	for _, c := range h.made {
		if c.drops != 1 {
			t.Errorf("value %d was dropped %d times", c.n, c.drops)
		}
	}
}

// TestOwnedBetweenGuests: on the way from guest to guest a value is in one table or
// the other, and goes with it.
func TestOwnedBetweenGuests(t *testing.T) {
	h := &owning{}
	pre := buildText(t, engine(t), h.linker(t), "guests", `(component
	  (import "host:test/own" (instance $host
	    (export "r" (type $r (sub resource)))
	    (export "make" (func (param "n" u32) (result (own $r))))))
	  (alias export $host "r" (type $r))
	  (core module $mem (memory (export "memory") 1) (data (i32.const 0) "text\ff\fe")
	    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
	  (component $Inner
	    (import "r" (type $r (sub resource)))
	    (alias outer 1 $mem (core module $mem))
	    (core instance $mem (instantiate $mem))
	    (core module $m
	      (import "" "memory" (memory 1))
	      (func (export "f") (param i32 i32 i32) (result i32)
	        (i32.store (i32.const 64) (local.get 0))
	        (i32.store (i32.const 68) (i32.const 4))
	        (i32.store (i32.const 72) (local.get 2))
	        (i32.const 64)))
	    (core instance $m (instantiate $m (with "" (instance $mem))))
	    (func (export "f") (param "a" (own $r)) (param "s" string) (result (tuple (own $r) string))
	      (canon lift (core func $m "f") (memory $mem "memory") (realloc (func $mem "realloc")))))
	  (instance $inner (instantiate $Inner (with "r" (type $r))))
	  (core instance $mem (instantiate $mem))
	  (core func $f (canon lower (func $inner "f") (memory $mem "memory") (realloc (func $mem "realloc"))))
	  (core func $make (canon lower (func $host "make")))
	  (core module $m
	    (import "" "f" (func $f (param i32 i32 i32 i32)))
	    (import "" "make" (func $make (param i32) (result i32)))
	    (func (export "run") (param i32 i32)
	      (call $f (call $make (i32.const 1)) (local.get 0) (local.get 1) (i32.const 128))))
	  (core instance $m (instantiate $m (with "" (instance (export "f" (func $f)) (export "make" (func $make))))))
	  (func (export "run") (param "ptr" u32) (param "len" u32) (canon lift (core func $m "run"))))`)
	for _, tt := range []struct {
		name     string
		ptr, len uint32
		want     string
	}{
		{"argument", 4, 2, "invalid utf-8"},
		{"result", 0, 2, "invalid utf-8"}, // the inner one answers with two bytes that are no string
		{"neither", 0, 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h.made = nil
			in := instantiate(t, pre, InstantiateOptions{})
			_, err := in.CallVals(export(t, pre, "", "run"), abi.U32Val(tt.ptr), abi.U32Val(tt.len))
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
			in.Close()
			if len(h.made) != 1 || h.made[0].drops != 1 {
				t.Errorf("made %d, the first dropped %d times", len(h.made), h.made[0].drops)
			}
		})
	}
}
