package component

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/minispin/minispin/component/abi"
)

// counter is a value of the host's resource type in testdata/host-resource.wat.
type counter struct {
	n     uint64
	drops int
}

// counters hosts that resource type.
type counters struct {
	typ   *ResourceType
	made  []*counter
	order []uint64 // of the drops
	eaten []uint64 // by consume
}

func (h *counters) make(n uint64) *counter {
	c := &counter{n: n}
	h.made = append(h.made, c)
	return c
}

func (h *counters) linker(t testing.TB) *Linker {
	t.Helper()
	h.typ = NewHostResource("r", func(rep any) {
		c := rep.(*counter)
		c.drops++
		h.order = append(h.order, c.n)
	})
	own, borrow := abi.Own(h.typ), abi.Borrow(h.typ)
	l := NewLinker()
	err := l.Define(&Interface{
		Name:      "host:test/res",
		Resources: []NamedResource{{Name: "r", Type: h.typ}},
		Funcs: []Func{
			{
				Name: "[constructor]r",
				Type: &abi.Func{Params: []abi.Field{{Name: "v", Type: abi.U32}}, Result: own},
				Call: func(c *Call, st []Raw) error {
					st[0].SetU32(c.LowerOwn(h.typ, h.make(uint64(st[0].U32()))))
					return nil
				},
			},
			{
				Name: "[method]r.get",
				Type: &abi.Func{Params: []abi.Field{{Name: "self", Type: borrow}}, Result: abi.U32},
				Call: func(c *Call, st []Raw) error {
					st[0].SetU32(uint32(c.LiftBorrow(h.typ, st[0].U32()).(*counter).n))
					return nil
				},
			},
			dynamic(t, "consume", &abi.Func{Params: []abi.Field{{Name: "x", Type: own}}, Result: abi.U32},
				func(_ *Call, args []abi.Val) (abi.Val, error) {
					n := args[0].Rep().(*counter).n
					h.eaten = append(h.eaten, n)
					return abi.U32Val(uint32(n)), nil
				}),
			dynamic(t, "both", &abi.Func{Params: []abi.Field{{Name: "a", Type: borrow}, {Name: "b", Type: own}}},
				func(*Call, []abi.Val) (abi.Val, error) { return abi.Val{}, nil }),
			dynamic(t, "many", &abi.Func{Params: []abi.Field{{Name: "n", Type: abi.U32}}, Result: abi.List(own)},
				func(_ *Call, args []abi.Val) (abi.Val, error) {
					var l []abi.Val
					for i := range args[0].Uint() {
						l = append(l, abi.OwnVal(h.make(i)))
					}
					return abi.ListVal(l...), nil
				}),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// checkDrops fails unless every value but those consumed was dropped once.
func (h *counters) checkDrops(t *testing.T) {
	t.Helper()
	for _, c := range h.made {
		want := 1
		if slices.Contains(h.eaten, c.n) {
			want = 0
		}
		if c.drops != want {
			t.Errorf("value %d was dropped %d times, want %d", c.n, c.drops, want)
		}
	}
}

// caller calls exports by name with numbers.
type caller struct {
	t        *testing.T
	in       *Instance
	instance string
}

func (c caller) call(name string, args ...uint32) (uint64, error) {
	c.t.Helper()
	vals := make([]abi.Val, len(args))
	for i, a := range args {
		vals[i] = abi.U32Val(a)
	}
	v, err := c.in.CallVals(export(c.t, c.in.pre, c.instance, name), vals...)
	return v.Uint(), err
}

// must is call that must succeed.
func (c caller) must(name string, args ...uint32) uint32 {
	c.t.Helper()
	v, err := c.call(name, args...)
	if err != nil {
		c.t.Fatalf("%s(%v): %v", name, args, err)
	}
	return uint32(v)
}

// traps is call that must trap with a certain word in its message, and poison
// the instance.
func (c caller) traps(want, name string, args ...uint32) {
	c.t.Helper()
	_, err := c.call(name, args...)
	c.trapped(want, name, err)
}

func (c caller) trapped(want, name string, err error) {
	c.t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		c.t.Errorf("%s: %v, want a trap with %q", name, err, want)
	}
	if c.in.Fault() == nil {
		c.t.Errorf("%s: the instance is not poisoned", name)
	}
	if _, err := c.in.CallVals(export(c.t, c.in.pre, c.instance, name)); !errors.Is(err, ErrPoisoned) {
		c.t.Errorf("%s once more: %v, want ErrPoisoned", name, err)
	}
}

func TestHostResource(t *testing.T) {
	h := &counters{}
	pre := build(t, engine(t), h.linker(t), "host-resource.wat")
	in := instantiate(t, pre, InstantiateOptions{})
	c := caller{t: t, in: in}
	a, b, d := c.must("new", 10), c.must("new", 20), c.must("new", 30)
	if a != 1 || b != 2 || d != 3 {
		t.Errorf("handles %d, %d, %d; want 1, 2, 3", a, b, d)
	}
	if got := c.must("get", b); got != 20 {
		t.Errorf("get = %d", got)
	}
	c.must("get", b) // the borrow ended with the call
	c.must("drop", b)
	if !slices.Equal(h.order, []uint64{20}) {
		t.Errorf("dropped %v, want 20", h.order)
	}
	if got := c.must("consume", a); got != 10 || in.cis[0].handles.Len() != 1 {
		t.Errorf("consume = %d with %d handles left", got, in.cis[0].handles.Len())
	}

	// To the guest and back.
	x := h.make(40)
	hv, err := in.CallVals(export(t, pre, "", "take"), abi.OwnVal(x))
	if err != nil {
		t.Fatal(err)
	}
	back, err := in.CallVals(export(t, pre, "", "give"), abi.U32Val(uint32(hv.Uint())))
	if err != nil || back.Rep() != any(x) {
		t.Errorf("give = %v, %v; want the same value", back, err)
	}
	h.typ.Drop(back.Rep())

	y := h.make(50)
	v, err := in.CallVals(export(t, pre, "", "lend"), abi.BorrowVal(y))
	if err != nil || v.Uint() != 50 || y.drops != 0 {
		t.Errorf("lend = %v, %v, dropped %d times", v, err, y.drops)
	}
	h.typ.Drop(y)

	c.must("many", 5)
	in.Close()
	if want := []uint64{20, 40, 50}; !slices.Equal(h.order[:3], want) || len(h.order) != 3+1+5 {
		t.Errorf("dropped %v", h.order)
	}
	h.checkDrops(t)
	in.Close() // does nothing
	h.checkDrops(t)
}

func TestHostResourceMisuse(t *testing.T) {
	e := engine(t)
	tests := []struct {
		name string
		want string
		do   func(c caller)
	}{
		{"use after drop", "unknown handle index 1", func(c caller) {
			c.must("drop", c.must("new", 1))
			c.traps("unknown handle index 1", "get", 1)
		}},
		{"use after consume", "", func(c caller) {
			c.must("consume", c.must("new", 1))
			c.traps("unknown handle index 1", "consume", 1)
		}},
		{"drop twice", "", func(c caller) {
			c.must("drop", c.must("new", 1))
			c.traps("unknown handle index 1", "drop", 1)
		}},
		{"handle 0", "", func(c caller) { c.traps("unknown handle index 0", "get", 0) }},
		{"huge handle", "", func(c caller) { c.traps("unknown handle index", "drop", 1<<32-1) }},
		{"lend and give away", "", func(c caller) {
			h := c.must("new", 1)
			c.traps("cannot remove owned resource while borrowed", "both", h, h)
		}},
		{"borrow not dropped", "", func(c caller) {
			_, err := c.in.CallVals(export(c.t, c.in.pre, "", "keep"), abi.BorrowVal(&counter{}))
			c.trapped("borrow handles still remain at the end of the call", "keep", err)
		}},
		{"borrow given away", "", func(c caller) {
			_, err := c.in.CallVals(export(c.t, c.in.pre, "", "steal"), abi.BorrowVal(&counter{}))
			c.trapped("cannot lift own resource from a borrow", "steal", err)
		}},
		{"give what is not there", "", func(c caller) { c.traps("unknown handle index 9", "give", 9) }},
		{"more handles than the limit", "", func(c caller) {
			c.traps("handle table full", "many", 9)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := &counters{}
			pre := build(t, e, h.linker(t), "host-resource.wat")
			in := instantiate(t, pre, InstantiateOptions{Limits: Limits{Handles: 8}})
			tt.do(caller{t: t, in: in})
			in.Close()
			if tt.name == "more handles than the limit" {
				// The value that found no room was dropped at once, the
				// eight before it with the instance.
				if n := len(h.order); n != 9 {
					t.Errorf("%d values dropped, want 9", n)
				}
				return
			}
			h.checkDrops(t)
		})
	}
}

// A drop function that panics is the trap of the guest that drops, and at the
// end of an instance does not keep the others from being dropped.
func TestHostResourceDropPanics(t *testing.T) {
	h := &counters{}
	l := h.linker(t)
	drop := h.typ.Drop
	h.typ.Drop = func(rep any) {
		drop(rep)
		if rep.(*counter).n == 13 {
			panic("unlucky")
		}
	}
	pre := build(t, engine(t), l, "host-resource.wat")
	in := instantiate(t, pre, InstantiateOptions{})
	c := caller{t: t, in: in}
	c.must("new", 1)
	c.must("new", 13)
	c.must("new", 3)
	_, err := c.call("drop", 2)
	var p *PanicError
	if !errors.As(err, &p) || p.Value != "unlucky" {
		t.Errorf("drop: %v, want the panic", err)
	}
	in.Close()
	h.checkDrops(t)

	in = instantiate(t, pre, InstantiateOptions{})
	c.in = in
	c.must("new", 13)
	c.must("new", 4)
	func() {
		defer func() {
			if r := recover(); r != "unlucky" {
				t.Errorf("Close panicked with %v", r)
			}
		}()
		in.Close()
	}()
	h.checkDrops(t)
}

// dropLog hosts the interface of testdata/guest-resource.wat.
type dropLog struct{ reps []uint64 }

func (d *dropLog) linker(t testing.TB) *Linker {
	t.Helper()
	l := NewLinker()
	err := l.Define(&Interface{Name: "host:test/log", Funcs: []Func{
		dynamic(t, "dropped", &abi.Func{Params: []abi.Field{{Name: "rep", Type: abi.U32}}},
			func(_ *Call, args []abi.Val) (abi.Val, error) {
				d.reps = append(d.reps, args[0].Uint())
				return abi.Val{}, nil
			}),
	}})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestGuestResource(t *testing.T) {
	log := &dropLog{}
	pre := build(t, engine(t), log.linker(t), "guest-resource.wat")
	in := instantiate(t, pre, InstantiateOptions{})
	owner, user := caller{t, in, "owner"}, caller{t, in, "user"}

	h := owner.must("make-raw", 5)
	if got := owner.must("rep-raw", h); got != 5 {
		t.Errorf("resource.rep = %d", got)
	}
	owner.must("drop-raw", h)

	// Handles of one component instance mean nothing in another.
	u1, u2 := user.must("make", 7), user.must("make", 8)
	if got := user.must("read", u2); got != 8 {
		t.Errorf("read through a borrow = %d", got)
	}
	if got := user.must("take", u2); got != 8 {
		t.Errorf("take = %d", got)
	}
	user.must("drop", u1)
	if want := []uint64{5, 8, 7}; !slices.Equal(log.reps, want) {
		t.Errorf("destroyed %v, want %v", log.reps, want)
	}

	// The host as the owner.
	v, err := in.CallVals(export(t, pre, "owner", "make"), abi.U32Val(9))
	if err != nil {
		t.Fatal(err)
	}
	rt := export(t, pre, "owner", "make").Type.Result.Resource
	if rt.Name != "thing" {
		t.Errorf("the resource type is called %q", rt.Name)
	}
	got, err := in.CallVals(export(t, pre, "owner", "read"), abi.BorrowVal(v.Rep()))
	if err != nil || got.Uint() != 9 {
		t.Errorf("read by the host = %v, %v", got, err)
	}
	if err := in.DropOwned(rt, v.Rep()); err != nil {
		t.Fatal(err)
	}
	if want := []uint64{5, 8, 7, 9}; !slices.Equal(log.reps, want) {
		t.Errorf("destroyed %v, want %v", log.reps, want)
	}
	user.must("make", 10)
	in.Close()
	if len(log.reps) != 4 {
		t.Errorf("the end of an instance runs destructors: %v", log.reps)
	}
	if err := in.DropOwned(rt, v.Rep()); !errors.Is(err, ErrInstanceClosed) {
		t.Errorf("DropOwned after Close: %v", err)
	}
}

func TestGuestResourceTraps(t *testing.T) {
	e := engine(t)
	for name, do := range map[string]func(t *testing.T, in *Instance){
		"destructor of another instance": func(t *testing.T, in *Instance) {
			user := caller{t, in, "user"}
			user.traps("unreachable", "drop", user.must("make", 666))
		},
		"destructor of its own": func(t *testing.T, in *Instance) {
			owner := caller{t, in, "owner"}
			owner.traps("unreachable", "drop-raw", owner.must("make-raw", 666))
		},
		"destructor the host asks for": func(t *testing.T, in *Instance) {
			f := export(t, in.pre, "owner", "make")
			v, err := in.CallVals(f, abi.U32Val(666))
			if err != nil {
				t.Fatal(err)
			}
			err = in.DropOwned(f.Type.Result.Resource, v.Rep())
			caller{t, in, "owner"}.trapped("unreachable", "make", err)
		},
		"handle of another instance": func(t *testing.T, in *Instance) {
			owner, user := caller{t, in, "owner"}, caller{t, in, "user"}
			h := owner.must("make-raw", 1)
			user.traps("unknown handle index", "read", h)
		},
	} {
		t.Run(name, func(t *testing.T) {
			pre := build(t, e, (&dropLog{}).linker(t), "guest-resource.wat")
			do(t, instantiate(t, pre, InstantiateOptions{}))
		})
	}
}

// TestHandleLimit: the limit is on handles alive, not on handles made.
func TestHandleLimit(t *testing.T) {
	h := &counters{}
	pre := build(t, engine(t), h.linker(t), "host-resource.wat")
	in := instantiate(t, pre, InstantiateOptions{Limits: Limits{Handles: 2}})
	c := caller{t: t, in: in}
	c.must("new", 0)
	for i := range 100 {
		c.must("drop", c.must("new", uint32(i)))
	}
	c.must("new", 1)
	c.traps("handle table full", "new", 2)
	in.Close()
	for _, v := range h.made {
		if v.drops != 1 {
			t.Errorf("value %d was dropped %d times", v.n, v.drops)
		}
	}
	// The next instance has another limit and an empty table.
	in, err := pre.Instantiate(context.Background(), InstantiateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	c.in = in
	for i := range 10 {
		if got := c.must("new", uint32(i)); got != uint32(i+1) {
			t.Fatalf("handle %d, want %d", got, i+1)
		}
	}
}
