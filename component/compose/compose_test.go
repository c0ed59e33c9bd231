package compose

import (
	"errors"
	"strings"
	"testing"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/component/abi"
)

// base counts: every call of next adds one and what the host says.
const base = `(component
  (import "test:host/step" (instance $host (export "step" (func (result u32)))))
  (core func $step (canon lower (func $host "step")))
  (core module $m
    (import "" "step" (func $step (result i32)))
    (global $n (mut i32) (i32.const 0))
    (func (export "next") (result i32)
      (global.set $n (i32.add (global.get $n) (call $step)))
      (global.get $n)))
  (core instance $i (instantiate $m (with "" (instance (export "step" (func $step))))))
  (func $next (result u32) (canon lift (core func $i "next")))
  (instance $base (export "next" (func $next)))
  (export "test:num/base@1.2.0" (instance $base)))`

// middle adds two numbers of base.
const middle = `(component
  (import "test:num/base@1.0.0" (instance $base (export "next" (func (result u32)))))
  (core func $next (canon lower (func $base "next")))
  (core module $m
    (import "" "next" (func $next (result i32)))
    (func (export "sum") (result i32) (i32.add (call $next) (call $next))))
  (core instance $i (instantiate $m (with "" (instance (export "next" (func $next))))))
  (func $sum (result u32) (canon lift (core func $i "sum")))
  (instance $middle (export "sum" (func $sum)))
  (export "test:num/middle@0.1.0" (instance $middle)))`

// top asks both, and the host.
const top = `(component
  (import "test:num/middle@0.1.3" (instance $middle (export "sum" (func (result u32)))))
  (import "test:num/base@1.1.0" (instance $base (export "next" (func (result u32)))))
  (import "test:host/step" (instance $host (export "step" (func (result u32)))))
  (core func $sum (canon lower (func $middle "sum")))
  (core func $next (canon lower (func $base "next")))
  (core func $step (canon lower (func $host "step")))
  (core module $m
    (import "" "sum" (func $sum (result i32)))
    (import "" "next" (func $next (result i32)))
    (import "" "step" (func $step (result i32)))
    (func (export "run") (result i32)
      (i32.add (i32.add
        (i32.mul (call $sum) (i32.const 10000))
        (i32.mul (call $next) (i32.const 100)))
        (call $step))))
  (core instance $i (instantiate $m (with "" (instance
    (export "sum" (func $sum)) (export "next" (func $next)) (export "step" (func $step))))))
  (func (export "run") (result u32) (canon lift (core func $i "run"))))`

// workbench makes parts of texts, all of one engine.
type workbench struct {
	t      testing.TB
	engine *component.Engine
}

func newWorkbench(t testing.TB, cfg component.EngineConfig) *workbench {
	t.Helper()
	e, err := component.NewEngine(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return &workbench{t, e}
}

// part compiles a text. Its linker answers test:host/step with step.
func (w *workbench) part(name, text string, step uint32) *component.Part {
	w.t.Helper()
	wasm, err := component.FromText(text)
	if err != nil {
		w.t.Fatalf("%s: %v", name, err)
	}
	c, err := w.engine.Compile(w.t.Context(), name, wasm, component.CompileOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(c.Close)
	l := component.NewLinker()
	err = l.Define(&component.Interface{Name: "test:host/step", Funcs: []component.Func{{
		Name: "step", Type: &abi.Func{Result: abi.U32},
		Call: func(c *component.Call, st []component.Raw) error {
			n := step
			if extra, ok := c.Host().(uint32); ok {
				n += extra
			}
			st[0].SetU32(n)
			return nil
		},
	}}})
	if err != nil {
		w.t.Fatal(err)
	}
	return &component.Part{Name: name, Component: c, Linker: l}
}

func bind(t testing.TB, p *component.Part, deps ...Dependency) {
	t.Helper()
	if err := Bind(p, deps...); err != nil {
		t.Fatal(err)
	}
}

func link(t testing.TB, p *component.Part) *component.InstancePre {
	t.Helper()
	pre, err := component.LinkParts(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pre.Close)
	return pre
}

// call calls an exported function without parameters that returns a u32.
func call(t testing.TB, in *component.Instance, name string) uint32 {
	t.Helper()
	f, err := in.Pre().Export("", name, nil)
	if err != nil {
		t.Fatal(err)
	}
	v, err := in.CallVals(f)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(v.Uint())
}

// TestLevels: a shared dependency at two levels, host interfaces met by a linker
// for each part, and a view of the host's value.
func TestLevels(t *testing.T) {
	for _, tt := range []struct {
		name       string
		host       any
		view       func(any) any
		wantFirst  uint32
		wantSecond uint32
	}{
		{"linkers", nil, nil, 3_03_07, 9_06_07},
		{"host value", uint32(1), nil, 6_06_08, 18_12_08},
		{"view", uint32(1), func(any) any { return nil }, 3_03_08, 9_06_08},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorkbench(t, component.EngineConfig{})
			b, m, p := w.part("base", base, 1), w.part("middle", middle, 0), w.part("top", top, 7)
			b.View = tt.view
			bind(t, m, Dependency{Key: "test:num", Part: b})
			bind(t, p, Dependency{Key: "test:num/middle", Part: m}, Dependency{Key: "test:num/base@1.0.0", Part: b})
			in, err := link(t, p).Instantiate(t.Context(), component.InstantiateOptions{Host: tt.host})
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			if got := call(t, in, "run"); got != tt.wantFirst {
				t.Errorf("first call: %d, want %d", got, tt.wantFirst)
			}
			if got := call(t, in, "run"); got != tt.wantSecond {
				t.Errorf("second call: %d, want %d", got, tt.wantSecond)
			}
		})
	}
}

// TestReset: the state of all parts is put back.
func TestReset(t *testing.T) {
	if err := component.ResetSupported(); err != nil {
		t.Skip(err)
	}
	w := newWorkbench(t, component.EngineConfig{Reset: &component.ResetConfig{}})
	b, m, p := w.part("base", base, 1), w.part("middle", middle, 0), w.part("top", top, 7)
	bind(t, m, Dependency{Key: "test:num", Part: b})
	bind(t, p, Dependency{Key: "test:num/middle", Part: m}, Dependency{Key: "test:num/base", Part: b})
	r, err := link(t, p).InstantiateResettable(t.Context(), component.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for range 3 {
		in, err := r.Begin(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := call(t, in, "run"); got != 3_03_07 {
			t.Errorf("run: %d, want 30307", got)
		}
		in.Close()
		if err := r.Reset(); err != nil {
			t.Fatal(err)
		}
	}
}

// maker defines a resource type whose values count how many of them were
// destroyed.
const maker = `(component
  (core module $d
    (global $gone (export "gone") (mut i32) (i32.const 0))
    (func (export "dtor") (param i32) (global.set $gone (i32.add (global.get $gone) (local.get 0)))))
  (core instance $d (instantiate $d))
  (type $r (resource (rep i32) (dtor (func $d "dtor"))))
  (core func $new (canon resource.new $r))
  (core module $m
    (import "" "new" (func $new (param i32) (result i32)))
    (import "" "gone" (global $gone (mut i32)))
    (func (export "make") (param i32) (result i32) (call $new (local.get 0)))
    (func (export "get") (param i32) (result i32) (local.get 0))
    (func (export "gone") (result i32) (global.get $gone)))
  (core instance $i (instantiate $m (with "" (instance
    (export "new" (func $new)) (export "gone" (global $d "gone"))))))
  (func $make (param "n" u32) (result (own $r)) (canon lift (core func $i "make")))
  (func $get (param "self" (borrow $r)) (result u32) (canon lift (core func $i "get")))
  (func $gone (result u32) (canon lift (core func $i "gone")))
  (component $shape
    (import "r" (type $r (sub resource)))
    (import "make" (func $make (param "n" u32) (result (own $r))))
    (import "get" (func $get (param "self" (borrow $r)) (result u32)))
    (import "gone" (func $gone (result u32)))
    (export $e "thing" (type $r))
    (export "[constructor]thing" (func $make) (func (param "n" u32) (result (own $e))))
    (export "[method]thing.get" (func $get) (func (param "self" (borrow $e)) (result u32)))
    (export "gone" (func $gone)))
  (instance $things (instantiate $shape
    (with "r" (type $r)) (with "make" (func $make)) (with "get" (func $get)) (with "gone" (func $gone))))
  (export "test:res/things" (instance $things)))`

// keeper passes values of that type on.
const keeper = `(component
  (import "test:res/things" (instance $things
    (export "thing" (type $thing (sub resource)))
    (export "[method]thing.get" (func (param "self" (borrow $thing)) (result u32)))))
  (alias export $things "thing" (type $thing))
  (core func $get (canon lower (func $things "[method]thing.get")))
  (core func $drop (canon resource.drop $thing))
  (core module $m
    (import "" "get" (func $get (param i32) (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (func (export "eat") (param i32) (result i32)
      (call $get (local.get 0))
      (call $drop (local.get 0))))
  (core instance $i (instantiate $m (with "" (instance (export "get" (func $get)) (export "drop" (func $drop))))))
  (func $eat (param "t" (own $thing)) (result u32) (canon lift (core func $i "eat")))
  (component $shape
    (import "thing" (type $t (sub resource)))
    (import "eat" (func $eat (param "t" (own $t)) (result u32)))
    (export "eat" (func $eat)))
  (instance $e (instantiate $shape (with "thing" (type $thing)) (with "eat" (func $eat))))
  (export "test:res/eater" (instance $e)))`

const holder = `(component
  (import "test:res/things" (instance $things
    (export "thing" (type $thing (sub resource)))
    (export "[constructor]thing" (func (param "n" u32) (result (own $thing))))
    (export "[method]thing.get" (func (param "self" (borrow $thing)) (result u32)))
    (export "gone" (func (result u32)))))
  (alias export $things "thing" (type $thing))
  (import "test:res/eater" (instance $eater
    (alias outer 1 $thing (type $t))
    (export "eat" (func (param "t" (own $t)) (result u32)))))
  (core func $make (canon lower (func $things "[constructor]thing")))
  (core func $get (canon lower (func $things "[method]thing.get")))
  (core func $gone (canon lower (func $things "gone")))
  (core func $eat (canon lower (func $eater "eat")))
  (core func $drop (canon resource.drop $thing))
  (core module $m
    (import "" "make" (func $make (param i32) (result i32)))
    (import "" "get" (func $get (param i32) (result i32)))
    (import "" "gone" (func $gone (result i32)))
    (import "" "eat" (func $eat (param i32) (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (func (export "run") (result i32)
      (local $a i32) (local $b i32) (local $sum i32)
      (local.set $a (call $make (i32.const 5)))
      (local.set $b (call $make (i32.const 30)))
      (local.set $sum (i32.add (call $get (local.get $a)) (call $eat (local.get $b))))
      (call $drop (local.get $a))
      (i32.add (i32.mul (local.get $sum) (i32.const 1000)) (call $gone))))
  (core instance $i (instantiate $m (with "" (instance
    (export "make" (func $make)) (export "get" (func $get)) (export "gone" (func $gone))
    (export "eat" (func $eat)) (export "drop" (func $drop))))))
  (func (export "run") (result u32) (canon lift (core func $i "run"))))`

// TestResources: values of a part's type are made by one part, used by another
// and destroyed by a third.
func TestResources(t *testing.T) {
	w := newWorkbench(t, component.EngineConfig{})
	mk, kp, hd := w.part("maker", maker, 0), w.part("keeper", keeper, 0), w.part("holder", holder, 0)
	bind(t, kp, Dependency{Key: "test:res/things", Part: mk})
	bind(t, hd, Dependency{Key: "test:res/things", Part: mk}, Dependency{Key: "test:res/eater", Part: kp})
	in, err := link(t, hd).Instantiate(t.Context(), component.InstantiateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if got := call(t, in, "run"); got != 35_035 {
		t.Errorf("run: %d, want 35035", got)
	}

	// Two instances of one component define two types.
	other := *mk
	bind(t, kp, Dependency{Key: "test:res/things", Part: &other})
	_, err = component.LinkParts(hd)
	wantError(t, err, "test:res/eater#eat: the type in the export test:res/eater of keeper is another")
}

func wantError(t testing.TB, err error, parts ...string) {
	t.Helper()
	for _, want := range parts {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

func TestBindErrors(t *testing.T) {
	w := newWorkbench(t, component.EngineConfig{})
	b, m, p := w.part("base", base, 0), w.part("middle", middle, 0), w.part("top", top, 0)
	several := w.part("several", `(component
	  (instance $e)
	  (export "test:num/base@1.5.0" (instance $e)) (export "test:num/base@1.6.0" (instance $e)) (export "test:num/base@2.0.0" (instance $e)))`, 0)
	for _, tt := range []struct {
		name string
		deps []Dependency
		want []string
	}{
		{"unused", []Dependency{{Key: "test:other", Part: b}},
			[]string{`dependency "test:other": top imports nothing of that name; it imports test:num/middle@0.1.3, test:num/base@1.1.0`}},
		{"another track", []Dependency{{Key: "test:num/base@2.0.0", Part: b}}, []string{`"test:num/base@2.0.0": top imports nothing`}},
		{"plain name", []Dependency{{Key: "base", Part: b}}, []string{`dependency "base": top imports nothing`}},
		{"no export", []Dependency{{Key: "test:num/middle", Part: b}},
			[]string{`dependency "test:num/middle": import test:num/middle@0.1.3: base does not export test:num/middle@0.1.3; it exports test:num/base@1.2.0`}},
		{"whole package", []Dependency{{Key: "test:num", Part: b}}, []string{"import test:num/middle@0.1.3: base does not export"}},
		{"export option", []Dependency{{Key: "test:num/base", Part: b, Export: "test:num/none"}}, []string{"base does not export test:num/none"}},
		{"ambiguous", []Dependency{{Key: "test:num/base", Part: several}},
			[]string{"several exports several versions that could meet it: test:num/base@1.5.0, test:num/base@1.6.0"}},
		{"two keys", []Dependency{{Key: "test:num/base", Part: b}, {Key: "test:num/base@1.0.0", Part: b}},
			[]string{`dependency "test:num/base@1.0.0": import test:num/base@1.1.0: the dependency "test:num/base" meets it as well`}},
		{"all at once", []Dependency{{Key: "test:a", Part: b}, {Key: "test:b", Part: m}}, []string{`"test:a"`, `"test:b"`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := Bind(p, tt.deps...)
			wantError(t, err, tt.want...)
			if e, ok := errors.AsType[*Error](err); !ok || e.Key == "" {
				t.Errorf("%T is no *Error with a key", err)
			}
			if p.Imports != nil {
				t.Error("imports were bound all the same")
			}
		})
	}
}

func TestLinkErrors(t *testing.T) {
	w := newWorkbench(t, component.EngineConfig{})
	odd := w.part("odd", `(component
	  (core module $m (func (export "f") (result i64) i64.const 0))
	  (core instance $i (instantiate $m))
	  (func $f (result u64) (canon lift (core func $i "f")))
	  (instance $x (export "next" (func $f)))
	  (export "test:num/base@1.0.0" (instance $x)) (export "fun" (func $f)))`, 0)
	for _, tt := range []struct {
		name string
		make func() *component.Part
		want []string
	}{
		{"type", func() *component.Part {
			m := w.part("middle", middle, 0)
			bind(t, m, Dependency{Key: "test:num", Part: odd})
			return m
		}, []string{"test:num/base@1.0.0#next: the type in the export test:num/base@1.0.0 of odd is another", "u64"}},
		{"sort", func() *component.Part {
			m := w.part("middle", middle, 0)
			bind(t, m, Dependency{Key: "test:num", Part: odd, Export: "fun"})
			return m
		}, []string{"test:num/base@1.0.0: the export fun of odd is of the sort func, the import of the sort instance"}},
		{"no function", func() *component.Part {
			m := w.part("middle", middle, 0)
			bind(t, m, Dependency{Key: "test:num", Part: w.part("empty", `(component (instance $e) (export "test:num/base@1.0.0" (instance $e)))`, 0)})
			return m
		}, []string{"test:num/base@1.0.0#next: the export test:num/base@1.0.0 of empty has no such function"}},
		{"missing in a dependency", func() *component.Part {
			b, m := w.part("base", base, 0), w.part("middle", middle, 0)
			b.Linker = component.NewLinker()
			bind(t, m, Dependency{Key: "test:num", Part: b})
			return m
		}, []string{"test:host/step of base: this host has no such interface"}},
		{"missing in main", func() *component.Part { return w.part("middle", middle, 0) },
			[]string{"cannot link the import test:num/base@1.0.0: this host has no such interface"}},
		{"circle", func() *component.Part {
			loop := `(component
			  (import "test:num/base@1.0.0" (instance $b (export "next" (func (result u32)))))
			  (core module $m (func (export "next") (result i32) i32.const 1))
			  (core instance $i (instantiate $m))
			  (func $next (result u32) (canon lift (core func $i "next")))
			  (instance $mine (export "next" (func $next)))
			  (export "test:num/base@1.0.0" (instance $mine)))`
			one, two := w.part("one", loop, 0), w.part("two", loop, 0)
			bind(t, one, Dependency{Key: "test:num", Part: two})
			bind(t, two, Dependency{Key: "test:num", Part: one})
			return one
		}, []string{"import test:num/base@1.0.0, met by two", "import test:num/base@1.0.0, met by one", "it uses itself"}},
		{"another engine", func() *component.Part {
			m := w.part("middle", middle, 0)
			bind(t, m, Dependency{Key: "test:num", Part: newWorkbench(t, component.EngineConfig{}).part("base", base, 0)})
			return m
		}, []string{"base was compiled by another engine"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			pre, err := component.LinkParts(tt.make())
			if err == nil {
				pre.Close()
			}
			wantError(t, err, tt.want...)
		})
	}
}
