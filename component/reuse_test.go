package component

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/minispin/minispin/component/abi"
)

const counterText = `(component
  (core module $m
    (global $n (mut i32) (i32.const 0))
    (func (export "next") (result i32)
      (global.set $n (i32.add (global.get $n) (i32.const 1)))
      (global.get $n))
    (func (export "loop") (loop br 0)))
  (core instance $i (instantiate $m))
  (func (export "next") (result u32) (canon lift (core func $i "next")))
  (func (export "loop") (canon lift (core func $i "loop"))))`

func TestReusable(t *testing.T) {
	pre := buildText(t, engine(t), NewLinker(), "counter", counterText)
	next, err := pre.Export("", "next", nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := pre.InstantiateReusable(context.Background(), nil, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for want := uint64(1); want <= 3; want++ {
		ctx, cancel := context.WithCancel(context.Background())
		in, err := r.Begin(ctx, want)
		if err != nil {
			t.Fatal(err)
		}
		v, err := in.CallVals(next)
		if err != nil || v.Uint() != want {
			t.Fatalf("request %d: got %v, %v", want, v, err)
		}
		if in.host != want {
			t.Errorf("request %d: the host value is %v", want, in.host)
		}
		r.End()
		cancel() // must not reach the next request
	}
}

func TestReusableEndsWithATrap(t *testing.T) {
	pre := buildText(t, engine(t), NewLinker(), "counter", counterText)
	loop, err := pre.Export("", "loop", &abi.Func{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := pre.InstantiateReusable(context.Background(), nil, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	in, err := r.Begin(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.CallVals(loop); !errors.Is(err, ErrInterrupted) {
		t.Fatalf("got %v, want an interruption", err)
	}
	r.End()
	if r.Fault() == nil {
		t.Error("the fault was forgotten")
	}
	if _, err := r.Begin(context.Background(), nil); !errors.Is(err, ErrPoisoned) {
		t.Errorf("after a trap: got %v, want ErrPoisoned", err)
	}
}
