package component

import (
	"bytes"
	"context"
	"testing"

	"github.com/minispin/minispin/component/abi"
)

// A map crosses as the list of its pairs, in their order.
func TestMapType(t *testing.T) {
	// The assembler knows no maps, but does not look at types either: where the
	// tuple is a map will be.
	wasm, err := FromText(`(component
		(type (tuple u32))
		(type (func (param "m" 0) (result u32)))
		(core module $m (memory (export "m") 1)
			(func (export "realloc") (param i32 i32 i32 i32) (result i32)
				(select (i32.const 1024) (i32.const 16) (i32.eq (local.get 2) (i32.const 4))))
			(func (export "f") (param i32 i32) (result i32) ;; the last value, times the number of pairs
				(i32.mul (local.get 1) (i32.load (i32.add (local.get 0)
					(i32.sub (i32.mul (local.get 1) (i32.const 12)) (i32.const 4)))))))
		(core instance $i (instantiate $m))
		(func (export "f") (type 1) (canon lift (core func $i "f") (memory $i "m") (realloc (func $i "realloc")))))`)
	if err != nil {
		t.Fatal(err)
	}
	tuple, mapped := []byte{0x6f, 1, 0x79}, []byte{0x63, 0x73, 0x79} // tuple<u32>, map<string, u32>
	if n := bytes.Count(wasm, tuple); n != 1 {
		t.Fatalf("the tuple stands at %d places", n)
	}
	wasm = bytes.Replace(wasm, tuple, mapped, 1)
	c, err := engine(t).Compile(context.Background(), "map", wasm, CompileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	pre, err := NewLinker().Link(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pre.Close)
	in, err := pre.Instantiate(context.Background(), InstantiateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(in.Close)
	f, err := pre.Export("", "f", &abi.Func{
		Params: []abi.Field{{Name: "m", Type: abi.List(abi.Tuple(abi.String, abi.U32))}},
		Result: abi.U32,
	})
	if err != nil {
		t.Fatal(err)
	}
	pair := func(k string, v uint32) abi.Val { return abi.TupleVal(abi.StringVal(k), abi.U32Val(v)) }
	got, err := in.CallVals(f, abi.ListVal(pair("b", 5), pair("a", 6), pair("b", 7)))
	if err != nil {
		t.Fatal(err)
	}
	if want := abi.U32Val(21); !got.Equal(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
