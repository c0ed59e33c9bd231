package abi

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestTableIndices(t *testing.T) {
	r := &Resource{Name: "r"}
	var tab Table
	add := func() uint32 { return tab.AddOwn(r, "rep") }
	for want := uint32(1); want <= 4; want++ {
		if got := add(); got != want {
			t.Fatalf("index %d, want %d", got, want)
		}
	}
	// The index freed last is given out first.
	tab.Remove(r, 2)
	tab.RemoveOwn(r, 4)
	tab.Remove(r, 1)
	if tab.Len() != 1 {
		t.Errorf("length %d, want 1", tab.Len())
	}
	for _, want := range []uint32{1, 4, 2, 5} {
		if got := add(); got != want {
			t.Errorf("index %d, want %d", got, want)
		}
	}
}

func TestTableTraps(t *testing.T) {
	r, s := &Resource{Name: "r"}, &Resource{Name: "s"}
	g, h := &Resource{Name: "g", Data: 1}, &Resource{Name: "h", Data: 1}
	var scope Scope
	var tab Table
	own := tab.AddOwn(r, 1)
	borrow := tab.AddBorrow(r, 2, &scope)
	object := tab.AddObject(3)
	guest := tab.AddOwn(g, uint32(4))
	freed := tab.AddOwn(r, 5)
	tab.Remove(r, freed)
	for _, tt := range []struct {
		name string
		code TrapCode
		msg  string
		f    func()
	}{
		{"index 0", TrapUnknownHandle, "unknown handle index 0", func() { tab.Remove(r, 0) }},
		{"index freed", TrapUnknownHandle, "unknown handle index 5", func() { tab.Remove(r, freed) }},
		{"index never given out", TrapUnknownHandle, "unknown handle index 6", func() { tab.Rep(r, 6) }},
		{"last index", TrapUnknownHandle, "unknown handle index 4294967295", func() { tab.Lend(r, 1<<32-1) }},
		{"other type", TrapWrongHandle, "handle index 1 used with the wrong type, expected host resource s but found host resource r", func() { tab.Rep(s, own) }},
		{"other guest's type", TrapWrongHandle, "handle index 4 used with the wrong type, expected guest-defined resource but found a different guest-defined resource", func() { tab.Rep(h, guest) }},
		{"object as resource", TrapWrongHandle, "handle index 3 used with the wrong type", func() { tab.Rep(r, object) }},
		{"object as resource without type", TrapWrongHandle, "", func() { tab.Rep(nil, object) }},
		{"resource as object", TrapWrongHandle, "", func() { tab.Object(own) }},
		{"resource removed as object", TrapWrongHandle, "", func() { tab.RemoveObject(own) }},
		{"lift own of a borrow", TrapWrongHandle, "cannot lift own resource from a borrow", func() { tab.RemoveOwn(r, borrow) }},
	} {
		before := tab.Len()
		wantTrap(t, tt.code, tt.f)
		if err := try(tt.f); !strings.HasPrefix(err.Error(), tt.msg) {
			t.Errorf("%s: message %q, want prefix %q", tt.name, err, tt.msg)
		}
		if tab.Len() != before {
			t.Errorf("%s: the table changed", tt.name)
		}
	}
}

func TestLends(t *testing.T) {
	r := &Resource{Name: "r"}
	var scope Scope
	var tab Table
	own := tab.AddOwn(r, "own")
	borrow := tab.AddBorrow(r, "borrow", &scope)
	for _, h := range []uint32{own, borrow} {
		rep, first := tab.Lend(r, h)
		_, second := tab.Lend(r, h)
		if rep != tab.Rep(r, h) {
			t.Errorf("lent %v", rep)
		}
		wantTrap(t, TrapHandleLent, func() { tab.Remove(r, h) })
		first.End()
		wantTrap(t, TrapHandleLent, func() { tab.Remove(r, h) })
		second.End()
	}
	_, lend := tab.Lend(r, own)
	wantTrap(t, TrapHandleLent, func() { tab.RemoveOwn(r, own) })
	lend.End()
	if rep := tab.RemoveOwn(r, own); rep != "own" {
		t.Errorf("removed %v", rep)
	}
	if rep, owned := tab.Remove(r, borrow); rep != "borrow" || owned {
		t.Errorf("removed %v, owned %v", rep, owned)
	}
	Lend{}.End()
}

// TestLendAcrossReset ends a lend after the table was reset and its index given
// to another handle, which must not be touched.
func TestLendAcrossReset(t *testing.T) {
	r := &Resource{Name: "r"}
	var tab Table
	_, old := tab.Lend(r, tab.AddOwn(r, 1))
	tab.Reset()
	h := tab.AddOwn(r, 2)
	_, lend := tab.Lend(r, h)
	old.End()
	wantTrap(t, TrapHandleLent, func() { tab.Remove(r, h) })
	lend.End()
	tab.Remove(r, h)
}

func TestScope(t *testing.T) {
	r := &Resource{Name: "r"}
	var tab Table
	var outer, inner Scope
	a := tab.AddBorrow(r, 1, &outer)
	inner.Begin()
	b := tab.AddBorrow(r, 2, &inner)
	c := tab.AddBorrow(r, 2, &inner)
	if outer.Outstanding() != 1 || inner.Outstanding() != 2 {
		t.Errorf("outstanding %d and %d, want 1 and 2", outer.Outstanding(), inner.Outstanding())
	}
	tab.Remove(r, b)
	wantTrap(t, TrapBorrowsRemain, inner.End)
	tab.Remove(r, c)
	inner.End()
	wantTrap(t, TrapBorrowsRemain, outer.End)
	tab.Remove(r, a)
	outer.End()
}

func TestTableFull(t *testing.T) {
	r := &Resource{Name: "r"}
	var tab Table
	tab.SetMax(2)
	tab.AddOwn(r, 1)
	h := tab.AddObject(2)
	var scope Scope
	wantTrap(t, TrapTableFull, func() { tab.AddBorrow(r, 3, &scope) })
	if scope.Outstanding() != 0 {
		t.Error("a handle that was not added counts as borrowed")
	}
	tab.RemoveObject(h)
	tab.AddOwn(r, 3)

	tab.SetMax(0)
	for tab.Len() < DefaultMaxHandles {
		tab.AddOwn(r, 4)
	}
	wantTrap(t, TrapTableFull, func() { tab.AddOwn(r, 5) })
}

func TestReset(t *testing.T) {
	var dropped []any
	r := &Resource{Name: "r", Drop: func(rep any) { dropped = append(dropped, rep) }}
	quiet := &Resource{Name: "quiet"}
	var scope Scope
	var tab Table
	tab.AddOwn(r, "a")
	b := tab.AddOwn(r, "b")
	tab.AddOwn(quiet, "c")
	tab.AddBorrow(r, "d", &scope)
	tab.AddObject("e")
	tab.AddOwn(r, "f")
	tab.Remove(r, b)
	if len(dropped) != 0 {
		t.Errorf("Remove called Drop for %v", dropped)
	}
	tab.Reset()
	if want := []any{"a", "f"}; !slices.Equal(dropped, want) {
		t.Errorf("dropped %v, want %v", dropped, want)
	}
	if tab.Len() != 0 || tab.AddOwn(quiet, 1) != 1 {
		t.Error("the table is not as new")
	}
}

func TestResetPanics(t *testing.T) {
	var dropped []any
	r := &Resource{Name: "r", Drop: func(rep any) {
		dropped = append(dropped, rep)
		if rep == 2 {
			panic("drop")
		}
	}}
	var tab Table
	for i := range 4 {
		tab.AddOwn(r, i)
	}
	func() {
		defer func() {
			if p := recover(); p != "drop" {
				t.Errorf("recovered %v", p)
			}
		}()
		tab.Reset()
	}()
	if want := []any{0, 1, 2, 3}; !slices.Equal(dropped, want) || tab.Len() != 0 {
		t.Errorf("dropped %v, %d left; want %v", dropped, tab.Len(), want)
	}
}

func TestResetFreesLargeTables(t *testing.T) {
	r := &Resource{Name: "r"}
	var tab Table
	for range keepEntries * 4 {
		tab.AddOwn(r, 1)
	}
	tab.Reset()
	if n := cap(tab.entries); n != 0 {
		t.Errorf("kept room for %d entries", n)
	}
	for range 10 {
		tab.AddOwn(r, 1)
	}
	tab.Reset()
	if cap(tab.entries) < 10 {
		t.Error("gave up the room of a small table")
	}
	for _, e := range tab.entries[:cap(tab.entries)] {
		if e != (entry{}) {
			t.Error("an entry keeps its representation alive")
		}
	}
}

// TestTableModel runs random operations against a map and a stack of free
// indices.
func TestTableModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		types := []*Resource{{Name: "a"}, {Name: "b"}}
		type handle struct {
			r    *Resource
			rep  int
			own  bool
			lent []Lend
		}
		var (
			tab   Table
			scope Scope
			model = map[uint32]*handle{}
			free  []uint32
			next  uint32 = 1
			rep   int
			owed  int
		)
		add := func(i uint32, h *handle) {
			want := next
			if n := len(free); n > 0 {
				want, free = free[n-1], free[:n-1]
			} else {
				next++
			}
			if i != want {
				t.Fatalf("index %d, want %d", i, want)
			}
			model[i] = h
		}
		resource := func(t *rapid.T) *Resource { return rapid.SampledFrom(types).Draw(t, "type") }
		index := func(t *rapid.T) uint32 { return rapid.Uint32Range(0, next).Draw(t, "index") }
		// gone reports what taking a handle out should do, and takes it out of
		// the model if that is to be done.
		gone := func(i uint32, r *Resource, own bool) bool {
			h := model[i]
			if h == nil || h.r != r || len(h.lent) > 0 || own && !h.own {
				return false
			}
			if !h.own {
				owed--
			}
			delete(model, i)
			free = append(free, i)
			return true
		}
		t.Repeat(map[string]func(*rapid.T){
			"own": func(t *rapid.T) {
				rep++
				r := resource(t)
				add(tab.AddOwn(r, rep), &handle{r: r, rep: rep, own: true})
			},
			"borrow": func(t *rapid.T) {
				rep++
				owed++
				r := resource(t)
				add(tab.AddBorrow(r, rep, &scope), &handle{r: r, rep: rep})
			},
			"remove": func(t *rapid.T) {
				i, r := index(t), resource(t)
				err := try(func() { tab.Remove(r, i) })
				if ok := gone(i, r, false); ok != (err == nil) {
					t.Fatalf("remove %d: %v, want success %v", i, err, ok)
				}
			},
			"remove own": func(t *rapid.T) {
				i, r := index(t), resource(t)
				err := try(func() { tab.RemoveOwn(r, i) })
				if ok := gone(i, r, true); ok != (err == nil) {
					t.Fatalf("remove own %d: %v, want success %v", i, err, ok)
				}
			},
			"lend": func(t *rapid.T) {
				i, r := index(t), resource(t)
				var lend Lend
				err := try(func() { _, lend = tab.Lend(r, i) })
				h := model[i]
				if ok := h != nil && h.r == r; ok != (err == nil) {
					t.Fatalf("lend %d: %v, want success %v", i, err, ok)
				}
				if err == nil {
					h.lent = append(h.lent, lend)
				}
			},
			"end lend": func(t *rapid.T) {
				if h := model[index(t)]; h != nil && len(h.lent) > 0 {
					h.lent[0].End()
					h.lent = h.lent[1:]
				}
			},
			"": func(t *rapid.T) {
				if tab.Len() != len(model) || scope.Outstanding() != owed {
					t.Fatalf("%d handles, %d borrowed; want %d, %d", tab.Len(), scope.Outstanding(), len(model), owed)
				}
				for i, h := range model {
					if got := tab.Rep(h.r, i); got != h.rep {
						t.Fatalf("handle %d stands for %v, want %v", i, got, h.rep)
					}
				}
			},
		})
	})
}

func TestTableDoesNotAllocate(t *testing.T) {
	r := &Resource{Name: "r"}
	rep := new(int)
	var scope Scope
	var tab Table
	run := func() {
		h := tab.AddOwn(r, rep)
		_, lend := tab.Lend(r, h)
		b := tab.AddBorrow(r, rep, &scope)
		lend.End()
		tab.Remove(r, b)
		tab.RemoveOwn(r, h)
		tab.AddOwn(r, rep)
		tab.Reset()
	}
	if n := testing.AllocsPerRun(100, run); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
