package abi

import (
	"errors"
	"fmt"
	"testing"
)

// fakeGuest is one guest's side of a call: a memory with a bump allocator and a
// handle table.
type fakeGuest struct {
	mem   []byte
	next  uint32
	enc   Encoding
	table Table
	scope Scope
	lends []Lend

	// moves makes every realloc move the memory, as memory.grow may, and
	// scribbles over the old one.
	moves bool
	// realloc replaces the allocator's answer.
	realloc func(oldPtr, oldSize, align, newSize uint32) uint32
	// calls records the arguments of realloc.
	calls [][4]uint32
}

func newGuest(size int, enc Encoding) *fakeGuest {
	return &fakeGuest{mem: make([]byte, size), next: 16, enc: enc}
}

func (g *fakeGuest) Memory() []byte     { return g.mem }
func (g *fakeGuest) Encoding() Encoding { return g.enc }

func (g *fakeGuest) Realloc(oldPtr, oldSize, align, newSize uint32) uint32 {
	g.calls = append(g.calls, [4]uint32{oldPtr, oldSize, align, newSize})
	if g.realloc != nil {
		return g.realloc(oldPtr, oldSize, align, newSize)
	}
	ptr := (g.next + align - 1) &^ (align - 1)
	end := int(ptr) + int(newSize)
	if end > len(g.mem) || g.moves {
		old := g.mem
		g.mem = make([]byte, max(len(old), 2*end))
		copy(g.mem, old)
		if g.moves {
			for i := range old {
				old[i] = 0xdd
			}
		}
	}
	copy(g.mem[ptr:end], g.mem[oldPtr:oldPtr+min(oldSize, newSize)])
	g.next = uint32(end)
	return ptr
}

func (g *fakeGuest) LiftOwn(r *Resource, h uint32) any { return g.table.RemoveOwn(r, h) }

func (g *fakeGuest) LiftBorrow(r *Resource, h uint32) any {
	rep, lend := g.table.Lend(r, h)
	g.lends = append(g.lends, lend)
	return rep
}

func (g *fakeGuest) LowerOwn(r *Resource, rep any) uint32 { return g.table.AddOwn(r, rep) }

func (g *fakeGuest) LowerBorrow(r *Resource, rep any) uint32 {
	return g.table.AddBorrow(r, rep, &g.scope)
}

var encodings = []Encoding{UTF8, UTF16, Latin1OrUTF16}

// try runs f and returns the trap it ended with.
func try(f func()) (err error) {
	defer Catch(&err)
	f()
	return nil
}

// wantTrap fails the test unless f traps with the code.
func wantTrap(t *testing.T, code TrapCode, f func()) {
	t.Helper()
	err := try(f)
	var trap *Trap
	if !errors.As(err, &trap) {
		t.Fatalf("got %v, want a trap with code %d", err, code)
	}
	if trap.Code != code {
		t.Fatalf("got trap %d (%s), want code %d", trap.Code, trap.Msg, code)
	}
}

func raws(vs ...uint64) []Raw {
	st := make([]Raw, len(vs))
	for i, v := range vs {
		st[i].Lo = v
	}
	return st
}

func labels(n int) []string {
	s := make([]string, n)
	for i := range s {
		s[i] = fmt.Sprintf("l%d", i)
	}
	return s
}

func cases(n int) []Case {
	s := make([]Case, n)
	for i := range s {
		s[i].Name = fmt.Sprintf("c%d", i)
	}
	return s
}
