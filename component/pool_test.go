package component

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/minispin/minispin/component/abi"
)

// scribbler is a component that fills all the memory it can get, and tells
// whether it found anything but zeros there.
const scribbler = `(component
  (core module $m
    (memory 1)
    (table $t 4 funcref)
    (global $g (mut i32) (i32.const 0))
    (func $f)
    (elem declare func $f)
    (func (export "clean") (result i32)
      (local $p i32)
      (if (global.get $g) (then (return (i32.const 0))))
      (if (i32.eqz (ref.is_null (table.get $t (i32.const 3)))) (then (return (i32.const 0))))
      (drop (memory.grow (i32.const 3)))
      (block $end (loop $next
        (br_if $end (i32.ge_u (local.get $p) (i32.mul (memory.size) (i32.const 65536))))
        (if (i64.ne (i64.load (local.get $p)) (i64.const 0)) (then (return (i32.const 0))))
        (local.set $p (i32.add (local.get $p) (i32.const 8)))
        (br $next)))
      (i32.const 1))
    (func (export "scribble")
      (global.set $g (i32.const 1))
      (table.set $t (i32.const 3) (ref.func $f))
      (memory.fill (i32.const 0) (i32.const 0xff) (i32.mul (memory.size) (i32.const 65536)))
      unreachable))
  (core instance $m (instantiate $m))
  (func (export "clean") (result bool) (canon lift (core func $m "clean")))
  (func (export "scribble") (canon lift (core func $m "scribble"))))`

// TestSlotsAreClean: a pooled slot shows nothing of the instance before, which
// filled it and trapped.
func TestSlotsAreClean(t *testing.T) {
	e, err := NewEngine(EngineConfig{Pool: &PoolConfig{Instances: 1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	pre := buildText(t, e, NewLinker(), "scribbler", scribbler)
	clean, scribble := export(t, pre, "", "clean"), export(t, pre, "", "scribble")
	for i := range 5 {
		in, err := pre.Instantiate(context.Background(), InstantiateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if v, err := in.CallVals(clean); err != nil || !v.Bool() {
			t.Errorf("instance %d found %v, %v", i, v, err)
		}
		if _, err := in.CallVals(scribble); err == nil {
			t.Error("scribble did not trap")
		}
		in.Close()
	}
}

// TestPoolExhausted: an engine without a free slot says so, and has one again
// once an instance is closed.
func TestPoolExhausted(t *testing.T) {
	e, err := NewEngine(EngineConfig{Pool: &PoolConfig{Instances: 2}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	pre := buildText(t, e, NewLinker(), "scribbler", scribbler)
	first := instantiate(t, pre, InstantiateOptions{})
	instantiate(t, pre, InstantiateOptions{})
	if in, err := pre.Instantiate(context.Background(), InstantiateOptions{}); !errors.Is(err, ErrPoolExhausted) {
		t.Fatalf("%v, %v; want ErrPoolExhausted", in, err)
	}
	first.Close()
	instantiate(t, pre, InstantiateOptions{})
}

func TestPoolConfig(t *testing.T) {
	for _, p := range []PoolConfig{{Instances: -1}, {Instances: 1 << 30}, {Instances: 1, Memories: -1}, {Instances: 1, Memories: 1 << 30}} {
		if e, err := NewEngine(EngineConfig{Pool: &p}); err == nil {
			e.Close()
			t.Errorf("%+v was accepted", p)
		}
	}
}

// TestInterruptedLowering: a deadline inside of realloc ends the call as one
// anywhere else does.
func TestInterruptedLowering(t *testing.T) {
	pre := buildText(t, engine(t), reallocHost(t, ""), "realloc", withRealloc("(loop $l (br $l)) (i32.const 0)"))
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	in, err := pre.Instantiate(ctx, InstantiateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	_, err = in.CallVals(export(t, pre, "", "len"), abi.StringVal("x"))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want DeadlineExceeded", err)
	}
}
