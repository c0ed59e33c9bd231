package component

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/internal/cwasm"
)

func resetEngine(t testing.TB, c ResetConfig) *Engine {
	t.Helper()
	if err := ResetSupported(); err != nil {
		t.Skip(err)
	}
	e, err := NewEngine(EngineConfig{Reset: &c, Tick: 2 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

func instantiateResettable(t testing.TB, pre *InstancePre) *Resettable {
	t.Helper()
	r, err := pre.InstantiateResettable(context.Background(), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func begin(t testing.TB, r *Resettable, host any) *Instance {
	t.Helper()
	in, err := r.Begin(context.Background(), host)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

var errHostFails = errors.New("the host fails")

// stateHost is the host of testdata/snapshot-state.wat. tell gives the number
// that is the instance's host value.
type stateHost struct {
	made, dropped atomic.Int64
	during        func(*Call) // run by tell
}

func (h *stateHost) linker(t testing.TB) *Linker {
	t.Helper()
	r := NewHostResource("r", func(any) { h.dropped.Add(1) })
	l := NewLinker()
	err := l.Define(&Interface{
		Name: "host:test/api", Resources: []NamedResource{{Name: "r", Type: r}},
		Funcs: []Func{
			{"make", &abi.Func{Result: abi.Own(r)}, func(c *Call, st []Raw) error {
				st[0].SetU32(c.LowerOwn(r, h.made.Add(1)))
				return nil
			}},
			{"tell", &abi.Func{Result: abi.U32}, func(c *Call, st []Raw) error {
				if h.during != nil {
					h.during(c)
				}
				st[0].SetU32(uint32(c.Host().(int)))
				return nil
			}},
			{"fail", &abi.Func{}, func(*Call, []Raw) error { return errHostFails }},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func ask(in *Instance, name string, args ...uint32) (result uint32, err error) {
	f, err := in.Pre().Export("", name, nil)
	if err != nil {
		return 0, err
	}
	c, st := in.Enter(f)
	defer c.Leave(&err)
	for i, a := range args {
		st[i].SetU32(a)
	}
	if err := c.Invoke(); err != nil {
		return 0, err
	}
	return st[0].U32(), nil
}

// randomRequest does one to six random things to an instance. It says what, and
// whether one of them trapped.
func randomRequest(r *rand.Rand, in *Instance) (did []string, failed error) {
	for range 1 + r.IntN(6) {
		size, err := ask(in, "size")
		if err != nil {
			return did, err
		}
		inside := r.Uint32N(size<<16 - 3)
		name, args := "read", []uint32{inside}
		switch r.IntN(14) {
		case 0, 1, 2:
			name, args = "write", []uint32{inside, r.Uint32()}
		case 3:
			name, args = "write2", []uint32{r.Uint32N(65533), r.Uint32()}
		case 4:
			name, args = "fill", []uint32{inside, r.Uint32()}
		case 5, 6:
			name, args = "grow", []uint32{r.Uint32N(12)}
		case 7:
			name, args = "set", []uint32{r.Uint32()}
		case 8:
			name, args = "table", []uint32{r.Uint32N(4)}
		case 9:
			name, args = "clear", []uint32{r.Uint32N(4)}
		case 10:
			name, args = "globals", []uint32{r.Uint32()}
		case 11:
			name, args = "make", nil
		case 12:
			name, args = "tell", nil
		case 13:
			if r.IntN(10) == 0 {
				name, args = []string{"trap", "overflow", "fail"}[r.IntN(3)], nil
			}
		}
		did = append(did, fmt.Sprint(name, args))
		if _, err := ask(in, name, args...); err != nil {
			return did, err
		}
	}
	return did, nil
}

// After any request the next one finds, byte for byte, what a fresh instance
// holds; or the reset says that it cannot be.
func TestResetEqualsFresh(t *testing.T) {
	for name, c := range map[string]ResetConfig{"default": {}, "little kept": {KeepResident: 8 << 10}, "guard pages": {GuardPages: true}} {
		t.Run(name, func(t *testing.T) {
			h := &stateHost{}
			pre := build(t, resetEngine(t, c), h.linker(t), "snapshot-state.wat")
			rnd := rand.New(rand.NewPCG(3, uint64(c.KeepResident)))
			r := instantiateResettable(t, pre)
			fresh := StateOf(r)
			if m, g, tb := len(fresh.Memories), len(fresh.Globals), len(fresh.Tables); m != 2 || g != 5 || tb != 1 {
				t.Fatalf("%d memories, %d globals and %d tables are put back", m, g, tb)
			}
			rounds := 600
			if testing.Short() {
				rounds = 150
			}
			remade := 0
			for i := range rounds {
				in := begin(t, r, i)
				did, failed := randomRequest(rnd, in)
				err := r.Reset()
				if (failed != nil) != (err != nil) {
					t.Fatalf("round %d: %v: the request failed with %v, the reset with %v", i, did, failed, err)
				}
				if err != nil {
					if !errors.Is(err, ErrPoisoned) || r.Fault() == nil {
						t.Fatalf("round %d: reset: %v, fault %v", i, err, r.Fault())
					}
					r.Close()
					r = instantiateResettable(t, pre)
					remade++
					// Only references to functions differ between instances.
					other := StateOf(r)
					other.Tables, other.Globals[1] = fresh.Tables, fresh.Globals[1]
					if diff := CompareState(other, fresh); diff != "" {
						t.Fatalf("round %d: a second instance differs: %s", i, diff)
					}
					fresh = StateOf(r)
				}
				if diff := CompareState(StateOf(r), fresh); diff != "" {
					t.Fatalf("round %d: after %v: %s", i, did, diff)
				}
			}
			if remade == 0 {
				t.Error("no request trapped")
			}
			if made, dropped := h.made.Load(), h.dropped.Load(); made == 0 || made != dropped {
				t.Errorf("%d resources were made, %d dropped", made, dropped)
			}
		})
	}
}

// What code of one request can see of an earlier one.
func TestResetTranscript(t *testing.T) {
	h := &stateHost{}
	r := instantiateResettable(t, build(t, resetEngine(t, ResetConfig{}), h.linker(t), "snapshot-state.wat"))
	for i := range 5 {
		in := begin(t, r, i)
		for _, tt := range []struct {
			name string
			args []uint32
			want uint32
		}{
			{"size", nil, 2}, {"read", []uint32{70000}, 4711}, {"read", []uint32{1 << 16}, 0},
			{"pick", []uint32{0}, 1}, {"pick", []uint32{1}, 2}, {"tell", nil, uint32(i)},
			{"make", nil, 1}, // the first handle of a fresh table
			{"grow", []uint32{2}, 2}, {"read", []uint32{3 << 16}, 0},
			{"write", []uint32{3 << 16, 99}, 0}, {"write", []uint32{70000, 1}, 0}, {"write", []uint32{1 << 16, 1}, 0},
			{"table", []uint32{1}, 0}, {"pick", []uint32{1}, 3}, {"set", []uint32{8}, 0}, {"globals", []uint32{8}, 0},
		} {
			got, err := ask(in, tt.name, tt.args...)
			if err != nil {
				t.Fatalf("request %d: %s%v: %v", i, tt.name, tt.args, err)
			}
			if tt.want != 0 || tt.name == "read" {
				if got != tt.want {
					t.Errorf("request %d: %s%v = %d, want %d", i, tt.name, tt.args, got, tt.want)
				}
			}
		}
		if err := r.Reset(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNotResettable(t *testing.T) {
	e := resetEngine(t, ResetConfig{})
	h := &stateHost{}
	host := `(import "host:test/api" (instance $api (export "tell" (func (result u32)))))
		(core func $tell (canon lower (func $api "tell")))`
	start := `(core module $m (import "" "f" (func $f (result i32))) (func $s (drop (call $f))) (start $s))
		(core instance (instantiate $m (with "" (instance (export "f" (func $tell))))))`
	for _, tt := range []struct{ name, text, want string }{
		{"data.drop", `(core module $m (memory 1) (data "x") (func (export "f") (data.drop 0))) (core instance (instantiate $m))`,
			"the core module drops segments, which do not come back (data.drop in function 0)"},
		{"elem.drop in the second", `(core module) (core module $m (elem funcref (ref.null func)) (func) (func (elem.drop 0))) (core instance (instantiate $m))`,
			"core module 1 drops segments, which do not come back (elem.drop in function 1)"},
		{"table.grow", `(core module $m (table 1 funcref) (func (drop (table.grow 0 (ref.null func) (i32.const 1))))) (core instance (instantiate $m))`,
			"the core module grows a table, which cannot be undone (table.grow in function 0)"},
		{"external references in a global", `(core module $a (global (export "g") (mut externref) (ref.null extern))) (core instance $a (instantiate $a))
			(core module $b (import "" "g" (global (mut externref))) (func) (func (global.set 0 (ref.null extern))))
			(core instance (instantiate $b (with "" (instance $a))))`,
			"global 0 of core module 0 holds externref, and core module 1 changes it by global.set in function 1"},
		{"external references that never change", `(core module $m (global (mut externref) (ref.null extern)) (global (mut i32) (i32.const 0))) (core instance (instantiate $m))`, ""},
		{"external references in a table", `(core module $m (table 1 externref) (func (table.set 0 (i32.const 0) (ref.null extern)))) (core instance (instantiate $m))`,
			"table 0 of the core module holds externref, and the core module changes it by table.set in function 0"},
		{"a large table changed by a sibling", `(core module $a (table (export "t") 5000 funcref)) (core instance $a (instantiate $a))
			(core module $b (import "" "t" (table 5000 funcref)) (func (table.set 0 (i32.const 0) (ref.null func))))
			(core instance (instantiate $b (with "" (instance $a))))`,
			"more than 4096 elements of tables can change: table 0 of core module 0, and core module 1 changes it by table.set in function 0"},
		{"a module that is not instantiated", `(core module (memory 1) (data "x") (func (data.drop 0)))`, ""},
		{"a table of fixed content", `(core module $m (table 9000 externref)) (core instance (instantiate $m))`, ""},
		{"a call of the host at the start", host + start, "code that runs at instantiation calls host:test/api#tell"},
		{"a built-in at the start", `(type $r (resource (rep i32))) (core func $f (canon resource.new $r))
			(core module $m (import "" "f" (func $f (param i32) (result i32))) (func $s (drop (call $f (i32.const 0)))) (start $s))
			(core instance (instantiate $m (with "" (instance (export "f" (func $f))))))`,
			"code that runs at instantiation calls a built-in of the component model"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			pre := buildText(t, e, h.linker(t), "c", "(component "+tt.text+")")
			r, err := pre.InstantiateResettable(context.Background(), Limits{})
			if tt.want == "" {
				if err != nil || pre.Resettable() != nil {
					t.Fatalf("%v, %v", err, pre.Resettable())
				}
				r.Close()
				return
			}
			var no *NotResettableError
			if !errors.As(err, &no) || no.Reason != tt.want || no.Component != "c" {
				t.Fatalf("%v, want %q", err, tt.want)
			}
			if err := pre.Resettable(); !errors.As(err, &no) || no.Reason != tt.want {
				t.Errorf("Resettable says %v", err)
			}
			// It still runs the other way.
			in, err := pre.Instantiate(context.Background(), InstantiateOptions{Host: 1})
			if err != nil {
				t.Fatal(err)
			}
			in.Close()
		})
	}
	pre := buildText(t, engine(t), NewLinker(), "c", "(component)")
	if err := pre.Resettable(); err == nil || !strings.Contains(err.Error(), "its engine") {
		t.Errorf("on another engine: %v", err)
	}
	if _, err := pre.InstantiateResettable(context.Background(), Limits{}); err == nil {
		t.Error("a resettable instance on another engine")
	}
}

// Starting code that traps is the component's failure, not a reason for another
// strategy.
func TestResettableStartTraps(t *testing.T) {
	pre := buildText(t, resetEngine(t, ResetConfig{}), NewLinker(), "c",
		`(component (core module $m (func $s unreachable) (start $s)) (core instance (instantiate $m)))`)
	_, err := pre.InstantiateResettable(context.Background(), Limits{})
	var no *NotResettableError
	var trap *cwasm.Trap
	if errors.As(err, &no) || !errors.As(err, &trap) || pre.Resettable() != nil {
		t.Errorf("%v; resettable: %v", err, pre.Resettable())
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errHostFails)
	if _, err := pre.InstantiateResettable(ctx, Limits{}); !errors.Is(err, errHostFails) {
		t.Errorf("with a context that is over: %v", err)
	}
}

// A request that is over has no hold on the next one.
func TestRequestsAreApart(t *testing.T) {
	h := &stateHost{}
	r := instantiateResettable(t, build(t, resetEngine(t, ResetConfig{}), h.linker(t), "snapshot-state.wat"))
	ctx, cancel := context.WithCancel(context.Background())
	first, err := r.Begin(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	var kept *Call
	h.during = func(c *Call) { kept = c }
	if _, err := ask(first, "tell"); err != nil {
		t.Fatal(err)
	}
	h.during = nil
	if err := r.Reset(); err != nil {
		t.Fatal(err)
	}
	second := begin(t, r, 2)
	first.Cancel()
	first.Close()
	cancel()
	time.Sleep(5 * time.Millisecond)
	if _, err := ask(second, "write", 500, 7); err != nil {
		t.Fatalf("what ends the first request ends the second: %v", err)
	}
	if _, err := ask(first, "read", 500); !errors.Is(err, ErrInstanceClosed) {
		t.Errorf("a call into the first request's instance: %v", err)
	}
	func() {
		defer func() { _ = recover() }()
		if m := kept.Mem(); len(m) > 0 {
			t.Errorf("a Call of the first request sees %d bytes of memory", len(m))
		}
	}()
	if got, err := ask(second, "read", 500); err != nil || got != 7 {
		t.Errorf("read: %d, %v", got, err)
	}
}

func TestRequestsEnd(t *testing.T) {
	h := &stateHost{}
	pre := build(t, resetEngine(t, ResetConfig{}), h.linker(t), "snapshot-state.wat")
	for _, tt := range []struct {
		name string
		end  func(context.Context) (context.Context, context.CancelFunc)
		want error
	}{
		{"deadline", func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 20*time.Millisecond)
		}, context.DeadlineExceeded},
		{"cancellation", func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(20*time.Millisecond, cancel)
			return ctx, cancel
		}, context.Canceled},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := instantiateResettable(t, pre)
			for range 3 { // a request in time, again and again, leaves no mark
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				in, err := r.Begin(ctx, 1)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := ask(in, "size"); err != nil {
					t.Fatal(err)
				}
				cancel()
				if err := r.Reset(); err != nil {
					t.Fatal(err)
				}
			}
			ctx, cancel := tt.end(context.Background())
			defer cancel()
			in, err := r.Begin(ctx, 1)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := ask(in, "spin"); !errors.Is(err, tt.want) {
				t.Errorf("an endless loop: %v", err)
			}
			if err := r.Reset(); !errors.Is(err, ErrPoisoned) {
				t.Errorf("reset: %v", err)
			}
			if _, err := r.Begin(context.Background(), 1); !errors.Is(err, ErrPoisoned) {
				t.Errorf("begin: %v", err)
			}
		})
	}
}

func TestResettableMisuse(t *testing.T) {
	h := &stateHost{}
	pre := build(t, resetEngine(t, ResetConfig{}), h.linker(t), "snapshot-state.wat")
	r := instantiateResettable(t, pre)
	in := begin(t, r, 1)
	if _, err := r.Begin(context.Background(), 2); !errors.Is(err, errBusy) {
		t.Errorf("two requests at a time: %v", err)
	}
	var inside error
	h.during = func(*Call) { inside = r.Reset() }
	if _, err := ask(in, "tell"); err != nil || !errors.Is(inside, errBusy) {
		t.Errorf("reset by a host function: %v, the call %v", inside, err)
	}
	h.during = nil
	in.Close()
	if _, err := r.Begin(context.Background(), 2); err == nil || !strings.Contains(err.Error(), "not reset") {
		t.Errorf("begin without a reset: %v", err)
	}
	if err := r.Reset(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := r.Begin(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("begin with a context that is over: %v", err)
	}
	if err := r.Reset(); err != nil { // twice does no harm
		t.Fatal(err)
	}
	in = begin(t, r, 1)
	r.Close()
	r.Close()
	if _, err := ask(in, "size"); !errors.Is(err, ErrInstanceClosed) {
		t.Errorf("a call after Close: %v", err)
	}
	if err := r.Reset(); !errors.Is(err, ErrInstanceClosed) {
		t.Errorf("reset after Close: %v", err)
	}
	if _, err := r.Begin(context.Background(), 1); !errors.Is(err, ErrInstanceClosed) {
		t.Errorf("begin after Close: %v", err)
	}
}

// A core module run the way of commands: _start, with state it hides.
func TestResetCommand(t *testing.T) {
	var lines []uint32
	l := NewLinker()
	err := l.DefineCore(&CoreInterface{Module: "env", Funcs: []CoreFunc{
		{Name: "print", Params: i32, Call: func(_ *Call, st []Raw) error {
			lines = append(lines, st[0].U32())
			return nil
		}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, initialize, want string }{
		{"plain", "", ""},
		{"initialized", `(func (export "_initialize") (global.set $n (i32.const 40)))`, ""},
		{"initialized by the host", `(func (export "_initialize") (call $print (i32.const 0)))`, "env#print"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wasm, err := cwasm.Wat(`(module (import "env" "print" (func $print (param i32))) (memory 1) (global $n (mut i32) (i32.const 40))
				(func (export "_start")
					(call $print (global.get $n)) (call $print (i32.load (i32.const 0))) (call $print (memory.size))
					(global.set $n (i32.const 1)) (i32.store (i32.const 0) (i32.const 2)) (drop (memory.grow (i32.const 1))))
				` + tt.initialize + `)`)
			if err != nil {
				t.Fatal(err)
			}
			c, err := resetEngine(t, ResetConfig{}).Compile(context.Background(), "wagi", wasm, CompileOptions{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(c.Close)
			pre, err := l.Link(c)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(pre.Close)
			r, err := pre.InstantiateResettable(context.Background(), Limits{})
			if tt.want != "" {
				var no *NotResettableError
				if !errors.As(err, &no) || !strings.HasSuffix(no.Reason, tt.want) {
					t.Fatalf("%v, want a reason that names %s", err, tt.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(r.Close)
			start, ok := pre.CoreFunc("_start")
			if !ok {
				t.Fatal("no _start")
			}
			for range 3 {
				lines = nil
				if err := begin(t, r, nil).CallCore(start, nil); err != nil {
					t.Fatal(err)
				}
				if got := fmt.Sprint(lines); got != "[40 0 1]" {
					t.Fatalf("the module saw %s", got)
				}
				if err := r.Reset(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// A component keeps working on its cached code, which has the added exports.
func TestResetWithCache(t *testing.T) {
	if err := ResetSupported(); err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	h := &stateHost{}
	for range 2 {
		e, err := NewEngine(EngineConfig{Reset: &ResetConfig{}, CacheDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(e.Close)
		r := instantiateResettable(t, build(t, e, h.linker(t), "snapshot-state.wat"))
		in := begin(t, r, 1)
		if _, err := ask(in, "set", 5); err != nil {
			t.Fatal(err)
		}
		if err := r.Reset(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestResettableInParallel(t *testing.T) {
	h := &stateHost{}
	pre := build(t, resetEngine(t, ResetConfig{}), h.linker(t), "snapshot-state.wat")
	rounds := 25
	if testing.Short() {
		rounds = 5
	}
	var wg sync.WaitGroup
	for g := range 64 {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(9, uint64(g)))
			var r *Resettable
			var fresh cwasm.State
			defer func() {
				if r != nil {
					r.Close()
				}
			}()
			for i := range rounds {
				if r == nil {
					var err error
					if r, err = pre.InstantiateResettable(context.Background(), Limits{}); err != nil {
						t.Error(err)
						return
					}
					fresh = StateOf(r)
				}
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				in, err := r.Begin(ctx, g)
				if err != nil {
					t.Error(err)
				} else if n, err := ask(in, "tell"); err != nil || n != uint32(g) {
					t.Errorf("goroutine %d talks to host %d, %v", g, n, err)
				}
				did, failed := randomRequest(rnd, in)
				cancel()
				if err := r.Reset(); err != nil {
					if failed == nil {
						t.Errorf("goroutine %d, round %d: %v: %v", g, i, did, err)
					}
					r.Close()
					r = nil
					continue
				}
				if diff := CompareState(StateOf(r), fresh); diff != "" {
					t.Errorf("goroutine %d, round %d: after %v: %s", g, i, did, diff)
				}
			}
		})
	}
	wg.Wait()
	if made, dropped := h.made.Load(), h.dropped.Load(); made != dropped {
		t.Errorf("%d resources were made, %d dropped", made, dropped)
	}
}

func TestResettableLeaksNothing(t *testing.T) {
	count := func() (fds, vmas int) {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip(err)
		}
		maps, err := os.ReadFile("/proc/self/maps")
		if err != nil {
			t.Skip(err)
		}
		return len(entries), strings.Count(string(maps), "\n")
	}
	h := &stateHost{}
	pre := build(t, resetEngine(t, ResetConfig{}), h.linker(t), "snapshot-state.wat")
	cycle := func(n int) {
		for i := range n {
			r, err := pre.InstantiateResettable(context.Background(), Limits{})
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"make", "size"} {
				if _, err := ask(begin(t, r, i), name); err != nil {
					t.Fatal(err)
				}
				if err := r.Reset(); err != nil {
					t.Fatal(err)
				}
			}
			r.Close()
		}
	}
	cycle(100)
	fds, vmas := count()
	n := 10_000
	if testing.Short() {
		n = 500
	}
	cycle(n)
	fds2, vmas2 := count()
	if fds2 > fds+2 || vmas2 > vmas+60 {
		t.Errorf("after %d cycles: %d descriptors, before %d; %d mappings, before %d", n, fds2, fds, vmas2, vmas)
	}
}
