package component

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/minispin/minispin/component/abi"
)

func TestNames(t *testing.T) {
	e := engine(t)
	l := NewLinker()
	for _, name := range []string{"a:b/c@1.0.0", "a:b/d"} {
		if err := l.Define(&Interface{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	names := l.Interfaces()
	if slices.Sort(names); !slices.Equal(names, []string{"a:b/c@1.0.0", "a:b/d"}) {
		t.Errorf("interfaces %v", names)
	}
	c := compileWat(t, e, "(component)")
	m := compileWat(t, e, tinyModule)
	if c.IsModule() || !m.IsModule() || c.Name() != "tiny" {
		t.Errorf("IsModule: %v and %v, name %q", c.IsModule(), m.IsModule(), c.Name())
	}
	pre, err := l.Link(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pre.Close)
	if in := instantiate(t, pre, InstantiateOptions{}); in.Pre() != pre || pre.Name() != "tiny" {
		t.Errorf("Pre %p, want %p; name %q", in.Pre(), pre, pre.Name())
	}
	for _, i := range []*Interface{
		{Name: "x:y/f", Funcs: []Func{{Name: "f", Type: &abi.Func{}}}},
		{Name: "x:y/g", Funcs: []Func{{Name: "g", Call: func(*Call, []Raw) error { return nil }}}},
		{Name: "x:y/r", Resources: []NamedResource{{"r", NewHostResource("r", nil)}, {"r", NewHostResource("r", nil)}}},
	} {
		if err := l.Define(i); err == nil {
			t.Errorf("the interface %s was accepted", i.Name)
		}
	}
}

// TestLinkErrors: components that are well formed and wrong. The engine's
// validator would refuse them as well; linking must not rely on it.
func TestLinkErrors(t *testing.T) {
	e := unvalidated(t)
	for _, tt := range []struct{ name, text, want string }{
		{"an instance in an instance", `(component (import "a:b/c" (instance (export "in" (instance (export "f" (func)))))))`, "has no instances inside"},
		{"nothing for an import", `(component (component $c (import "x" (func))) (instance (instantiate $c)))`, `no argument for the import "x"`},
		{"another sort", `(component (type $r (resource (rep i32))) (component $c (import "x" (func))) (instance (instantiate $c (with "x" (type $r)))))`, "is a func, its argument a type"},
		{"no such export of an instance", `(component (instance $i) (alias export $i "f" (func)))`, `no export named "f"`},
		{"an export of another sort", `(component (type $r (resource (rep i32))) (instance $i (export "f" (type $r))) (alias export $i "f" (func)))`, "is of sort type, not func"},
		{"a core import unmet", `(component (core module $m (import "x" "y" (func))) (core instance (instantiate $m)))`, `imports "x", which its instantiation does not supply`},
		{"a core export unmet", `(component (core module $m (import "x" "y" (func))) (core instance $i) (core instance (instantiate $m (with "x" (instance $i)))))`, `no export "y"`},
		{"a core import of another type", `(component (core module $f (func (export "y") (param i32))) (core instance $i (instantiate $f))
			(core module $m (import "x" "y" (func))) (core instance (instantiate $m (with "x" (instance $i)))))`, "function type"},
		{"post-return of a lowered function", `(component (component $c (core module $m (func (export "f"))) (core instance $i (instantiate $m))
			(func (export "f") (canon lift (core func $i "f")))) (instance $i (instantiate $c))
			(core module $m (func (export "p"))) (core instance $m (instantiate $m))
			(core func (canon lower (func $i "f") (post-return (func $m "p")))))`, "cannot have a post-return"},
		{"lift to a type of values", `(component (core module $m (func (export "f"))) (core instance $i (instantiate $m))
			(type $t (list u8)) (func (type $t) (canon lift (core func $i "f"))))`, "function type"},
		{"borrow in a result", `(component (type $r (resource (rep i32))) (core module $m (func (export "f") (result i32) unreachable))
			(core instance $i (instantiate $m)) (func (result (borrow $r)) (canon lift (core func $i "f"))))`, "borrow"},
		{"an owned value of no resource", `(component (type $t (list u8)) (type (own $t)))`, "resource type"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wasm, err := FromText(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			c, err := e.Compile(context.Background(), "wrong", wasm, CompileOptions{})
			if err == nil {
				defer c.Close()
				var pre *InstancePre
				if pre, err = NewLinker().Link(c); err == nil {
					pre.Close()
				}
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q in it", err, tt.want)
			}
		})
	}
}

// TestEnterWhileRunning: a call that cannot be made takes nothing of what the
// host hands to it.
func TestEnterWhileRunning(t *testing.T) {
	h := &counters{}
	l := h.linker(t)
	var inner []error
	iface := l.lookup("host:test/res")
	get := iface.funcs["[method]r.get"]
	plain := get.Call
	get.Call = func(c *Call, st []Raw) error {
		in := c.Instance()
		handles := in.cis[0].handles.Len()
		_, err := in.CallVals(export(t, in.pre, "", "take"), abi.OwnVal(h.make(70)))
		inner = append(inner, err)
		_, err = in.CallVals(export(t, in.pre, "", "lend"), abi.BorrowVal(&counter{}))
		inner = append(inner, err)
		if n := in.cis[0].handles.Len(); n != handles {
			t.Errorf("%d handles after the refused calls, %d before", n, handles)
		}
		return plain(c, st)
	}
	pre := build(t, engine(t), l, "host-resource.wat")
	in := instantiate(t, pre, InstantiateOptions{})
	c := caller{t: t, in: in}
	if got := c.must("get", c.must("new", 5)); got != 5 {
		t.Errorf("get = %d", got)
	}
	for _, err := range inner {
		if !errors.Is(err, ErrCannotEnter) {
			t.Errorf("%v, want ErrCannotEnter", err)
		}
	}
	// Also into an instance that trapped, and one that is closed.
	c.traps("unknown handle", "get", 9)
	for range 2 {
		if _, err := in.CallVals(export(t, pre, "", "take"), abi.OwnVal(h.make(80))); err == nil {
			t.Error("the call was made")
		}
		in.Close()
	}
	for _, v := range h.made {
		want := 0 // handed to calls that were refused
		if v.n == 5 {
			want = 1
		}
		if v.drops != want {
			t.Errorf("value %d was dropped %d times, want %d", v.n, v.drops, want)
		}
	}
}

// TestRawAccess: what bindings read by hand is checked as what is lifted whole.
func TestRawAccess(t *testing.T) {
	e := engine(t)
	for name, tt := range map[string]struct {
		read func(c *Call)
		want string
	}{
		"bytes":             {func(c *Call) { c.LiftBytes(65535, 2) }, "out of bounds"},
		"wrapping bytes":    {func(c *Call) { c.LiftBytes(0xfffffff0, 0x20) }, "out of bounds"},
		"long bytes":        {func(c *Call) { c.LiftBytes(0, 1<<28) }, "too long"},
		"list":              {func(c *Call) { c.CheckList(65528, 2, 8, 8) }, "out of bounds"},
		"list of wrap size": {func(c *Call) { c.CheckList(0, 1<<29, 8, 8) }, "too long"},
		"unaligned list":    {func(c *Call) { c.CheckList(4, 1, 8, 8) }, "unaligned"},
		"scalar":            {func(c *Call) { c.Mem().U32(3<<16 - 3) }, "out of bounds"},
		"borrow result":     {func(c *Call) { c.LowerBorrow(NewHostResource("r", nil), 1) }, "cannot be returned"},
		"string":            {func(c *Call) { c.LiftString(3<<16, 1) }, "out of bounds"},
	} {
		t.Run(name, func(t *testing.T) {
			l := hostAPI(t, Func{Name: "f", Type: stringFunc, Call: func(c *Call, _ []Raw) error {
				tt.read(c)
				t.Error("it was read")
				return nil
			}})
			text := strings.Replace(passThrough(stringFunc, "utf8"), `(memory (export "memory") 2)`, `(memory (export "memory") 1)`, 1)
			pre := buildText(t, e, l, "raw", text)
			in := instantiate(t, pre, InstantiateOptions{})
			_, err := in.CallVals(export(t, pre, "", "f"), abi.StringVal("x"))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q in it", err, tt.want)
			}
		})
	}
}
