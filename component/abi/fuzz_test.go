package abi

import (
	"errors"
	"testing"

	"pgregory.net/rapid"
)

// liftHostile lifts a random type from random memory, in the three ways there
// are, which have to agree: into Vals from memory, into Vals from the stack, and
// into another guest. Anything but a trap or a value is a failure.
func liftHostile(t *rapid.T) {
	typ := drawType(t, 3)
	words := rapid.SliceOfN(rapid.OneOf(rapid.Uint32Range(0, 8), rapid.Uint32Range(0, 300), rapid.Uint32()), 64, 64).Draw(t, "memory")
	src := newGuest(4*len(words), rapid.SampledFrom(encodings).Draw(t, "encoding"))
	mem := Memory(src.mem)
	for i, w := range words {
		mem.PutU32(uint32(4*i), w)
	}
	ptr := rapid.Uint32Range(0, 300).Draw(t, "ptr")

	var v Val
	lifted := try(func() {
		l := newLifter(src, 1<<16)
		l.mem.Check(ptr, uint64(typ.Size), typ.Align)
		v = l.load(typ, ptr)
	})
	var limit *Trap
	if errors.As(lifted, &limit) && limit.Code == TrapLiftLimit {
		return // lists that contain one another's bytes: large, and nothing new
	}
	agree := func(how string, w Val, err error) {
		var a, b *Trap
		switch {
		case errors.As(lifted, &a) != errors.As(err, &b):
			t.Fatalf("%s, %s: %v, from memory %v", typ, how, err, lifted)
		case a != nil && a.Code != b.Code:
			t.Fatalf("%s, %s: trap %v, from memory %v", typ, how, err, lifted)
		case !v.Equal(w):
			t.Fatalf("%s, %s: %s, from memory %s", typ, how, w, v)
		}
	}

	dst := drawGuest(t, "destination")
	var copied Val
	err := try(func() {
		c := newCopier(src, dst)
		c.srcMem.Check(ptr, uint64(typ.Size), typ.Align)
		to := c.alloc(typ.Size, typ.Align)
		c.mem(typ, typ, ptr, to)
		copied = Load(dst, typ, to)
	})
	agree("copied", copied, err)

	if lifted != nil {
		return
	}
	back := drawGuest(t, "back")
	to := Alloc(back, typ.Size, typ.Align)
	Store(back, typ, v, to)
	agree("stored", Load(back, typ, to), nil)
	if typ.FlatCount <= MaxFlatParams {
		st := make([]Raw, typ.FlatCount)
		LowerFlat(back, typ, v, st)
		agree("flattened", LiftFlat(back, typ, st), nil)
	}
}

func TestHostileMemory(t *testing.T) { rapid.Check(t, liftHostile) }

// TestHostileStack lifts random types from random core values.
func TestHostileStack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := fn(nil, drawType(t, 3))
		x, err := NewTransfer(f, f)
		if err != nil {
			t.Fatal(err)
		}
		src, dst := drawGuest(t, "source"), drawGuest(t, "destination")
		st := make([]Raw, x.Caller.StackLen())
		for i := range st {
			st[i].Lo = rapid.OneOf(rapid.Uint64Range(0, 4), rapid.Uint64Range(0, 1<<11), rapid.Uint64()).Draw(t, "core value")
			st[i].Hi = rapid.Uint64().Draw(t, "high half")
		}
		var want, got []Val
		lifted := try(func() { want = x.Caller.LiftParams(src, st) })
		to := make([]Raw, len(st))
		moved := try(func() { x.Params(src, dst, st, to) })
		if (lifted == nil) != (moved == nil) {
			t.Fatalf("%s: lifted %v, moved %v", f, lifted, moved)
		}
		if lifted == nil {
			got = x.Callee.LiftParams(dst, to)
			if !got[0].Equal(want[0]) {
				t.Fatalf("%s: lifted %s, moved %s", f, want[0], got[0])
			}
		}
	})
}

func FuzzLift(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x01the seed of some types and some memory"))
	f.Fuzz(rapid.MakeFuzz(liftHostile))
}
