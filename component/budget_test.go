package component

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/minispin/minispin/component/abi"
)

// TestLiftBudget: a list whose elements all point to the same bytes takes no
// more of the host's memory than is allowed, in the way generated bindings lift
// it, and the next call starts anew.
func TestLiftBudget(t *testing.T) {
	const length = 60_000 // of each string
	text := `(component
	  (import "take" (func $take (param "l" (list string))))
	  (core module $memory (memory (export "memory") 4))
	  (core instance $memory (instantiate $memory))
	  (core func $take (canon lower (func $take) (memory $memory "memory")))
	  (core module $m
	    (import "" "memory" (memory 4))
	    (import "" "take" (func $take (param i32 i32)))
	    (func (export "run") (param $n i32)
	      (local $at i32)
	      (local.set $at (i32.const 65536))
	      (loop $next
	        (i32.store (local.get $at) (i32.const 0))
	        (i32.store (i32.add (local.get $at) (i32.const 4)) (i32.const 60000))
	        (local.set $at (i32.add (local.get $at) (i32.const 8)))
	        (br_if $next (i32.lt_u (local.get $at) (i32.add (i32.const 65536) (i32.mul (local.get $n) (i32.const 8))))))
	      (call $take (i32.const 65536) (local.get $n))))
	  (core instance $i (instantiate $m (with "" (instance (export "memory" (memory $memory "memory")) (export "take" (func $take))))))
	  (func (export "run") (param "n" u32) (canon lift (core func $i "run"))))`
	lifters := map[string]func(c *Call, ptr, n uint32) uint64{
		"strings": func(c *Call, ptr, n uint32) (total uint64) {
			list := MakeList[string](c, ptr, n, 8, 4)
			for i := range list {
				at := ptr + uint32(i)*8
				list[i] = c.LiftString(c.Mem().U32(at), c.Mem().U32(at+4))
				total += uint64(len(list[i]))
			}
			return total
		},
		"bytes": func(c *Call, ptr, n uint32) (total uint64) {
			list := MakeList[[]byte](c, ptr, n, 8, 4)
			for i := range list {
				at := ptr + uint32(i)*8
				list[i] = c.CopyBytes(c.Mem().U32(at), c.Mem().U32(at+4))
				total += uint64(len(list[i]))
			}
			return total
		},
		"wide elements": func(c *Call, ptr, n uint32) uint64 {
			return uint64(len(MakeList[[length]byte](c, ptr, n, 8, 4))) * length
		},
	}
	for name, lift := range lifters {
		t.Run(name, func(t *testing.T) {
			var taken uint64
			l := NewLinker()
			err := l.Define(&Interface{Funcs: []Func{{
				Name: "take", Type: &abi.Func{Params: []abi.Field{{Name: "l", Type: abi.List(abi.String)}}},
				Call: func(c *Call, st []Raw) error {
					taken = 0
					taken = lift(c, st[0].U32(), st[1].U32())
					return nil
				},
			}}})
			if err != nil {
				t.Fatal(err)
			}
			wasm, err := FromText(text)
			if err != nil {
				t.Fatal(err)
			}
			pre, err := linkBytes(t, engine(t), l, wasm)
			if err != nil {
				t.Fatal(err)
			}
			run, err := pre.Export("", "run", nil)
			if err != nil {
				t.Fatal(err)
			}
			in, err := pre.Instantiate(context.Background(), InstantiateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			for range 2 {
				if _, err := in.CallVals(run, abi.U32Val(1_500)); err != nil || taken != 1_500*length {
					t.Fatalf("within the budget: %v, %d bytes", err, taken)
				}
			}
			_, err = in.CallVals(run, abi.U32Val(3_000))
			if trap, ok := errors.AsType[*abi.Trap](err); !ok || trap.Code != abi.TrapLiftLimit || !strings.Contains(trap.Msg, "too much host memory") {
				t.Errorf("beyond it: %v", err)
			}
			if taken != 0 {
				t.Errorf("beyond it: %d bytes were lifted", taken)
			}
		})
	}
}
