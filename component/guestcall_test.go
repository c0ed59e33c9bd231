package component

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/minispin/minispin/component/abi"
)

// guestPair is the text of a component of two children: the outer one's export
// f, of type t, calls the inner one's, which passes its arguments through the
// host's f. Each child has memory and encoding of its own.
func guestPair(t *abi.Func, inner, outer string) string {
	nested := passThrough(t, inner)
	nested = strings.Replace(nested, "(component", "(component $Inner", 1)
	second := passThrough(t, outer)
	second = strings.Replace(second, "(component", "(component $Outer", 1)
	return fmt.Sprintf(`(component
  (import "host:test/api" (instance $api (export "f" (func%s))))
  %s
  %s
  (instance $inner (instantiate $Inner (with "host:test/api" (instance $api))))
  (instance $outer (instantiate $Outer (with "host:test/api" (instance $inner))))
  (export "f" (func $outer "f"))
  (export "inner-posts" (func $inner "posts"))
  (export "posts" (func $outer "posts")))`, watFunc(t), nested, second)
}

// TestGuestToGuest moves values from memory to memory between all pairs of
// string encodings.
func TestGuestToGuest(t *testing.T) {
	rec := abi.Record(
		abi.Field{Name: "b", Type: abi.Bool}, abi.Field{Name: "s", Type: abi.String}, abi.Field{Name: "l", Type: abi.List(abi.U16)},
		abi.Field{Name: "o", Type: abi.Option(abi.Tuple(abi.Char, abi.String))}, abi.Field{Name: "fl", Type: abi.Flags("a", "b")},
		abi.Field{Name: "e", Type: abi.Enum("x", "y")}, abi.Field{Name: "r", Type: abi.Result(abi.F32, abi.U64)})
	tests := []struct {
		name string
		typ  *abi.Type
		vals []abi.Val
	}{
		{"scalars", abi.Tuple(abi.S8, abi.U16, abi.S64, abi.F32, abi.F64, abi.Char),
			[]abi.Val{abi.TupleVal(abi.S8Val(-1), abi.U16Val(9), abi.S64Val(-9), abi.F32Val(1.5), abi.F64Val(-2), abi.CharVal('☃'))}},
		{"string", abi.String, []abi.Val{abi.StringVal(""), abi.StringVal("plain"), abi.StringVal("é latin"), abi.StringVal("☃𝄞"),
			abi.StringVal(strings.Repeat("a", 70_000) + "☃"), abi.StringVal(strings.Repeat("é", 70_000))}},
		{"bytes", abi.List(abi.U8), []abi.Val{abi.BytesVal(make([]byte, 200_000))}},
		{"fixed list", abi.FixedList(abi.U16, 3), []abi.Val{abi.ScalarsVal([]uint16{1, 0, 65535})}},
		{"fixed list of strings", abi.FixedList(abi.String, 3), []abi.Val{abi.ListVal(abi.StringVal("é"), abi.StringVal(""), abi.StringVal("☃"))}},
		{"list of fixed lists", abi.List(abi.FixedList(abi.Char, 2)), []abi.Val{abi.ListVal(abi.CharsVal([]rune("aé")), abi.CharsVal([]rune("☃𝄞")))}},
		{"list of strings", abi.List(abi.String), []abi.Val{abi.ListVal(abi.StringVal("é"), abi.StringVal("☃"), abi.StringVal(""))}},
		{"record", rec, []abi.Val{
			abi.RecordVal(abi.BoolVal(true), abi.StringVal("ü"), abi.ScalarsVal([]uint16{1, 2, 3}),
				abi.SomeVal(abi.TupleVal(abi.CharVal('x'), abi.StringVal("☃"))), abi.FlagsVal(2), abi.EnumVal(1), abi.OkVal(ptr(abi.F32Val(4)))),
			abi.RecordVal(abi.BoolVal(false), abi.StringVal(""), abi.ScalarsVal([]uint16{}), abi.NoneVal(), abi.FlagsVal(0), abi.EnumVal(0), abi.ErrVal(ptr(abi.U64Val(1<<50))))}},
		{"spilled", abi.Record(fields(20, abi.String)...), []abi.Val{abi.RecordVal(repeat(20, abi.StringVal("ß☃"))...)}},
	}
	e := unvalidated(t)
	encodings := []string{"utf8", "utf16", "latin1+utf16"}
	for _, tt := range tests {
		for _, inner := range encodings {
			for _, outer := range encodings {
				if !tt.typ.HasPointers() && inner+outer != "utf8utf8" {
					continue
				}
				t.Run(tt.name+"/"+outer+" to "+inner, func(t *testing.T) {
					ft := &abi.Func{Params: []abi.Field{{Name: "x", Type: tt.typ}}, Result: tt.typ}
					var seen abi.Val
					l := hostAPI(t, dynamic(t, "f", ft, func(_ *Call, args []abi.Val) (abi.Val, error) {
						seen = args[0]
						return args[0], nil
					}))
					pre := buildText(t, e, l, "pair", guestPair(ft, inner, outer))
					in := instantiate(t, pre, InstantiateOptions{})
					f := export(t, pre, "", "f")
					for _, v := range tt.vals {
						got, err := in.CallVals(f, v)
						if err != nil {
							t.Fatal(err)
						}
						if !seen.Equal(v) || !got.Equal(v) {
							t.Errorf("%.60v arrived as %.60v and came back as %.60v", v, seen, got)
						}
					}
					for _, posts := range []string{"posts", "inner-posts"} {
						if n, err := in.CallVals(export(t, pre, "", posts)); err != nil || n.Uint() != uint64(len(tt.vals)) {
							t.Errorf("%s = %v, %v; want %d", posts, n, err, len(tt.vals))
						}
					}
				})
			}
		}
	}
}

// reentry is a parent P with two children in a row. P's go calls C2, C2 calls
// C1, C1 calls back: P's own function when $back is "inside", or the host.
const reentry = `(component
  (import "host:test/api" (instance $api (export "out" (func (param "x" u32) (result u32)))))
  (component $Child
    (import "next" (func $next (param "x" u32) (result u32)))
    (core func $next (canon lower (func $next)))
    (core module $m
      (import "" "next" (func $next (param i32) (result i32)))
      (func (export "run") (param i32) (result i32)
        (i32.add (i32.const 1) (call $next (local.get 0)))))
    (core instance $m (instantiate $m (with "" (instance (export "next" (func $next))))))
    (func (export "run") (param "x" u32) (result u32) (canon lift (core func $m "run"))))
  (core func $out (canon lower (func $api "out")))
  (core module $t
    (type $f (func (param i32) (result i32)))
    (import "" "out" (func $out (type $f)))
    (table (export "tab") 1 funcref)
    (func $again (export "inside") (param i32) (result i32)
      (if (result i32) (i32.eq (local.get 0) (i32.const 99))
        (then (call_indirect (type $f) (local.get 0) (i32.const 0)))
        (else (call $out (i32.mul (local.get 0) (i32.const 10)))))))
  (core instance $t (instantiate $t (with "" (instance (export "out" (func $out))))))
  (func $inside (param "x" u32) (result u32) (canon lift (core func $t "inside")))
  (instance $c1 (instantiate $Child (with "next" (func $inside))))
  (instance $c2 (instantiate $Child (with "next" (func $c1 "run"))))
  (core func $c2run (canon lower (func $c2 "run")))
  (core module $fill
    (import "" "tab" (table 1 funcref))
    (import "" "run" (func $run (param i32) (result i32)))
    (elem (i32.const 0) func $run)
    (func (export "go") (param i32) (result i32) (call $run (local.get 0))))
  (core instance $fill (instantiate $fill (with "" (instance
    (export "tab" (table $t "tab")) (export "run" (func $c2run))))))
  (func (export "go") (param "x" u32) (result u32) (canon lift (core func $fill "go")))
  (export "c1" (instance $c1)))`

// TestReentrance: a child may call back into the parent that wraps it; nobody
// else may enter what runs.
func TestReentrance(t *testing.T) {
	e := engine(t)
	ft := &abi.Func{Params: []abi.Field{{Name: "x", Type: abi.U32}}, Result: abi.U32}
	var pre *InstancePre
	var enter string // what the host calls back, if anything
	var inside error
	l := hostAPI(t, dynamic(t, "out", ft, func(c *Call, args []abi.Val) (abi.Val, error) {
		switch enter {
		case "go":
			_, inside = c.Instance().CallVals(export(t, pre, "", "go"), abi.U32Val(1))
		case "c1":
			_, inside = c.Instance().CallVals(export(t, pre, "c1", "run"), abi.U32Val(1))
		}
		return args[0], nil
	}))
	pre = buildText(t, e, l, "reentry", reentry)

	in := instantiate(t, pre, InstantiateOptions{})
	c := caller{t: t, in: in}
	if got := c.must("go", 4); got != 42 {
		t.Errorf("go(4) = %d, want 42: host, P, C2, C1, P, host", got)
	}
	// Called from outside, a child enters its parent as well.
	if v, err := in.CallVals(export(t, pre, "c1", "run"), abi.U32Val(5)); err != nil || v.Uint() != 51 {
		t.Errorf("c1.run(5) = %v, %v", v, err)
	}
	// The host's mistake is told to the host, and does the guest no harm.
	for _, enter = range []string{"go", "c1"} {
		inside = nil
		if got := c.must("go", 4); got != 42 || !errors.Is(inside, ErrCannotEnter) {
			t.Errorf("%s from inside: %v, go = %d; want ErrCannotEnter", enter, inside, got)
		}
	}
	enter = ""
	c.traps(ErrCannotEnter.Error(), "go", 99)
}

// A guest trap in the middle of a chain poisons all of the instance.
func TestGuestToGuestTrap(t *testing.T) {
	ft := &abi.Func{Params: []abi.Field{{Name: "x", Type: abi.String}}, Result: abi.String}
	boom := errors.New("the host is out of order")
	l := hostAPI(t, dynamic(t, "f", ft, func(*Call, []abi.Val) (abi.Val, error) { return abi.Val{}, boom }))
	pre := buildText(t, engine(t), l, "pair", guestPair(ft, "utf8", "utf16"))
	in := instantiate(t, pre, InstantiateOptions{})
	_, err := in.CallVals(export(t, pre, "", "f"), abi.StringVal("x"))
	if !errors.Is(err, boom) {
		t.Errorf("%v, want the host's error", err)
	}
	if _, err := in.CallVals(export(t, pre, "", "inner-posts")); !errors.Is(err, ErrPoisoned) {
		t.Errorf("the inner child after the trap: %v, want ErrPoisoned", err)
	}
}

// TestNestedArguments gives a nested component an argument of every sort, and
// reaches out with outer aliases of every sort.
func TestNestedArguments(t *testing.T) {
	h := &counters{}
	l := h.linker(t)
	pre := buildText(t, engine(t), l, "nested", `(component
  (import "host:test/res" (instance $res
    (export "r" (type $r (sub resource)))
    (export "[constructor]r" (func (param "v" u32) (result (own $r))))
    (export "[method]r.get" (func (param "self" (borrow $r)) (result u32)))))
  (alias export $res "r" (type $r))
  (core module $add (func (export "f") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
  (core type $outercore (func))
  (type $u (list u32))
  (component $Adder
    (alias outer 1 $add (core module $add))
    (alias outer 1 $u (type $u))
    (alias outer 1 $outercore (core type $ct))
    (core instance $a (instantiate $add))
    (func (export "add") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $a "f"))))
  (component $Inner
    (import "module" (core module $mod (export "f" (func (param i32 i32) (result i32)))))
    (import "comp" (component $comp (export "add" (func (param "a" u32) (param "b" u32) (result u32)))))
    (import "r" (type $r (sub resource)))
    (import "new" (func $new (param "v" u32) (result (own $r))))
    (import "inst" (instance $inst (export "get" (func (param "self" (borrow $r)) (result u32)))))
    (alias outer 1 $Adder (component $Outer))
    (instance $one (instantiate $comp))
    (instance $two (instantiate $Outer))
    (core instance $three (instantiate $mod))
    (core func $add1 (canon lower (func $one "add")))
    (core func $add2 (canon lower (func $two "add")))
    (core func $new (canon lower (func $new)))
    (core func $get (canon lower (func $inst "get")))
    (core func $drop (canon resource.drop $r))
    (core module $m
      (import "" "a" (func $a (param i32 i32) (result i32)))
      (import "" "b" (func $b (param i32 i32) (result i32)))
      (import "" "c" (func $c (param i32 i32) (result i32)))
      (import "" "new" (func $new (param i32) (result i32)))
      (import "" "get" (func $get (param i32) (result i32)))
      (import "" "drop" (func $drop (param i32)))
      (func (export "sum") (param i32) (result i32)
        (local $h i32)
        (local.set $h (call $new (local.get 0)))
        (local.set 0 (call $a (i32.const 1) (call $b (i32.const 20) (call $c (i32.const 300) (call $get (local.get $h))))))
        (call $drop (local.get $h))
        (local.get 0)))
    (core instance $m (instantiate $m (with "" (instance
      (export "a" (func $add1)) (export "b" (func $add2)) (export "c" (func $three "f"))
      (export "new" (func $new)) (export "get" (func $get)) (export "drop" (func $drop))))))
    (func (export "sum") (param "x" u32) (result u32) (canon lift (core func $m "sum"))))
  (instance $inner (instantiate $Inner
    (with "module" (core module $add))
    (with "comp" (component $Adder))
    (with "r" (type $r))
    (with "new" (func $res "[constructor]r"))
    (with "inst" (instance (export "get" (func $res "[method]r.get"))))))
  (export "sum" (func $inner "sum")))`)
	in := instantiate(t, pre, InstantiateOptions{})
	if got := (caller{t: t, in: in}).must("sum", 4000); got != 4321 {
		t.Errorf("sum = %d, want 4321", got)
	}
	h.checkDrops(t)
	if len(h.made) != 1 {
		t.Errorf("%d values made", len(h.made))
	}
}

// TestLiftLowered lifts a lowered function directly, and gives lowered functions
// as destructor and post-return.
func TestLiftLowered(t *testing.T) {
	log := &dropLog{}
	pre := buildText(t, unvalidated(t), log.linker(t), "lift-lower", `(component
  (import "host:test/log" (instance $log (export "dropped" (func (param "rep" u32)))))
  (core func $dropped (canon lower (func $log "dropped")))
  (type $r (resource (rep i32) (dtor (func $dropped))))
  (core func $new (canon resource.new $r))
  (func (export "call") (param "rep" u32) (canon lift (core func $dropped)))
  (func (export "new") (param "rep" u32) (result (own $r)) (canon lift (core func $new))))`)
	in := instantiate(t, pre, InstantiateOptions{})
	(caller{t: t, in: in}).must("call", 3)
	f := export(t, pre, "", "new")
	v, err := in.CallVals(f, abi.U32Val(4))
	if err != nil {
		t.Fatal(err)
	}
	if err := in.DropOwned(f.Type.Result.Resource, v.Rep()); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(log.reps) != "[3 4]" {
		t.Errorf("the host saw %v, want 3 and 4", log.reps)
	}
}
