package instancepool

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/component/abi"
)

// This file proves that requests are kept apart by a guest that does all it can
// to break that. Every attempt is made under every strategy: under all but Reuse
// it must fail, and under Reuse it must succeed, for it would prove nothing
// otherwise.

//go:embed testdata/smuggler.wat
var smuggler string

// The means of the guest in testdata/smuggler.wat, in its order: those of its
// main module, then those of the neighbour.
var (
	means = []string{
		"global of i32", "global of i64", "global of f32", "global of f64", "global of v128",
		"global of funcref", "null global of funcref",
		"memory at the bottom", "memory at the top", "memory of a data segment", "memory that the start function wrote",
		"all of memory",
		"stack leftovers", "stack pointer", "heap behind the allocator", "allocator", lowered, returned,
		"size of memory", "grown memory", "grown memory, far off", "grown memory in stripes", "grown memory, a flood",
		"private table", "table.set", "table.set of null", "table.fill", "table.copy", "table.init",
		"handle of its own", "handle of the host's",
		given, shared, written,
	}
	neighbourMeans = []string{
		"neighbour's global", "neighbour's memory", "size of neighbour's memory", "neighbour's grown memory",
		"memory copied to the neighbour",
	}
	allMeans = append(append([]string{}, means...), neighbourMeans...)
)

// Means that leave something behind by another way than a call of "plant".
const (
	lowered  = "string lowered by the host"
	returned = "string returned to the host"
	given    = "table shared with the neighbour"
	shared   = "global shared with the neighbour"
	written  = "memory shared with the neighbour"
)

// exports are what a guest exports, by name.
type exports map[string]*component.ExportFunc

func bindAll(names ...string) func(*component.InstancePre) (exports, error) {
	return func(pre *component.InstancePre) (exports, error) {
		fs := exports{}
		for _, name := range names {
			f, err := pre.Export("", name, nil)
			if err != nil {
				return nil, err
			}
			fs[name] = f
		}
		return fs, nil
	}
}

// visit is one request in the hands of an instance.
type visit struct {
	in *component.Instance
	fs exports
}

func (v visit) call(name string, args ...abi.Val) (abi.Val, error) {
	return v.in.CallVals(v.fs[name], args...)
}

// peek looks what was left by a means.
func (v visit) peek(at int) (uint64, error) {
	name, i := "peek", at
	if i >= len(means) {
		name, i = "neighbour-peek", i-len(means)
	}
	n, err := v.call(name, abi.U32Val(uint32(i)))
	return n.Uint(), err
}

// plant leaves a number by a means.
func (v visit) plant(at int, what uint64) error {
	name, i := "plant", at
	switch allMeans[at] {
	case lowered:
		_, err := v.call("hear", abi.StringVal(fmt.Sprintf("%016x", what)))
		return err
	case returned:
		_, err := v.call("say", abi.U64Val(what))
		return err
	case given, shared, written: // the neighbour does it, after its own means
		name, i = "neighbour-plant", i-len(means)+3+len(neighbourMeans)
	default:
		if i >= len(means) {
			name, i = "neighbour-plant", i-len(means)
		}
	}
	_, err := v.call(name, abi.U32Val(uint32(i)), abi.U64Val(what))
	return err
}

// visitor is the host value of one request.
type visitor struct {
	number uint32
	leave  func() // departs as a client does
}

var (
	errHostFails = errors.New("the host fails")
	errLeft      = errors.New("the client left")
)

// smugglerHost is the host that the smuggler imports.
type smugglerHost struct{ made, dropped atomic.Int64 }

func (h *smugglerHost) linker(t testing.TB) *component.Linker {
	t.Helper()
	r := component.NewHostResource("r", func(any) { h.dropped.Add(1) })
	l := component.NewLinker()
	err := l.Define(&component.Interface{
		Name: "test:host/api", Resources: []component.NamedResource{{Name: "r", Type: r}},
		Funcs: []component.Func{
			{Name: "make", Type: &abi.Func{Result: abi.Own(r)}, Call: func(c *component.Call, st []component.Raw) error {
				st[0].SetU32(c.LowerOwn(r, h.made.Add(1)))
				return nil
			}},
			{Name: "tell", Type: &abi.Func{Result: abi.U32}, Call: func(c *component.Call, st []component.Raw) error {
				st[0].SetU32(c.Host().(*visitor).number)
				return nil
			}},
			{Name: "fail", Type: &abi.Func{}, Call: func(*component.Call, []component.Raw) error { return errHostFails }},
			{Name: "panic", Type: &abi.Func{}, Call: func(*component.Call, []component.Raw) error { panic("a fault of the host") }},
			{Name: "block", Type: &abi.Func{}, Call: func(c *component.Call, _ []component.Raw) error {
				<-c.Context().Done()
				return context.Cause(c.Context())
			}},
			{Name: "leave", Type: &abi.Func{}, Call: func(c *component.Call, _ []component.Raw) error {
				c.Host().(*visitor).leave()
				return nil
			}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

var smugglerExports = []string{
	"peek", "plant", "neighbour-peek", "neighbour-plant", "hear", "say", "means",
	"overflow", "trap", "outside", "spin", "tell", "fail", "panic", "block", "leave-spinning", "leave-blocked",
}

// smugglerConfig is the smuggler under a strategy.
func smugglerConfig(t testing.TB, h *smugglerHost, s Strategy) Config[exports] {
	t.Helper()
	return Config[exports]{
		ID: "smuggler", Wasm: wasm(t, smuggler), Linker: h.linker(t), Strategy: s, Bind: bindAll(smugglerExports...),
		Deadline: time.Minute,
	}
}

// makePool makes a pool that goes when the test ends.
func makePool(t testing.TB, engines *Engines, c Config[exports]) *Pool[exports] {
	t.Helper()
	p, err := New(context.Background(), engines, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// testEngines makes engines that go when the test ends.
func testEngines(t testing.TB) *Engines {
	engines := &Engines{Instances: 20, CacheDir: filepath.Join(t.TempDir(), "cache")}
	t.Cleanup(engines.Close)
	return engines
}

// needs skips the test where the system lacks what a strategy needs.
func needs(t testing.TB, s Strategy) {
	t.Helper()
	if s != Reset {
		return
	}
	if err := component.ResetSupported(); err != nil {
		t.Skipf("the strategy reset: %v", err)
	}
}

// request runs one request that must end well.
func request(t testing.TB, p *Pool[exports], f func(visit) error) {
	t.Helper()
	if err := p.Run(context.Background(), &visitor{}, func(in *component.Instance, fs exports) error { return f(visit{in, fs}) }); err != nil {
		t.Fatal(err)
	}
}

// found is what one request, that does nothing else, sees by a means.
func found(t testing.TB, p *Pool[exports], means int) (n uint64) {
	t.Helper()
	request(t, p, func(v visit) (err error) {
		n, err = v.peek(means)
		return err
	})
	return n
}

func TestSmuggler(t *testing.T) {
	engines, h := testEngines(t), &smugglerHost{}
	base := make([]uint64, len(allMeans))
	request(t, makePool(t, engines, smugglerConfig(t, h, PreInstance)), func(v visit) error {
		n, err := v.call("means")
		if n.Uint() != uint64(len(means)) {
			t.Fatalf("the main module has %d means, the list %d", n.Uint(), len(means))
		}
		return err
	})
	first := makePool(t, engines, smugglerConfig(t, h, PreInstance))
	for i := range allMeans {
		base[i] = found(t, first, i)
	}

	forEachStrategy(t, func(t *testing.T, s Strategy) {
		needs(t, s)
		p := makePool(t, engines, smugglerConfig(t, h, s))
		for i, name := range allMeans {
			if s == Reuse { // what other means left must not make this one succeed
				p = makePool(t, engines, smugglerConfig(t, h, s))
			}
			// One request looks and leaves something, the next one looks.
			request(t, p, func(v visit) error {
				n, err := v.peek(i)
				if err != nil {
					return err
				}
				if n != base[i] {
					t.Errorf("%s: the first request sees %#x, not %#x", name, n, base[i])
				}
				return v.plant(i, 0xdeadbeef01020305+uint64(i))
			})
			n := found(t, p, i)
			if s == Reuse && n == base[i] {
				t.Errorf("%s: smuggles nothing under reuse", name)
			}
			if s != Reuse && n != base[i] {
				t.Errorf("%s: the next request sees %#x, not %#x", name, n, base[i])
			}
		}
		if made, dropped := h.made.Load(), h.dropped.Load(); s != Reuse && made != dropped {
			t.Errorf("%d handles of the host's were made, %d dropped", made, dropped)
		}
	})
	if h.made.Load() == 0 {
		t.Error("no handle of the host's was made")
	}
}

// TestSmugglerInADamagedInstance: whoever ends badly leaves nothing either, under
// any strategy.
func TestSmugglerInADamagedInstance(t *testing.T) {
	engines, h := testEngines(t), &smugglerHost{}
	first := makePool(t, engines, smugglerConfig(t, h, PreInstance))
	var base []uint64
	for i := range allMeans {
		base = append(base, found(t, first, i))
	}
	forEachStrategy(t, func(t *testing.T, s Strategy) {
		needs(t, s)
		p := makePool(t, engines, smugglerConfig(t, h, s))
		for i, name := range allMeans {
			if s == Cold && i%5 != 0 {
				continue // it compiles twice for each
			}
			err := p.Run(context.Background(), &visitor{}, func(in *component.Instance, fs exports) error {
				v := visit{in, fs}
				if err := v.plant(i, 0xdeadbeef01020305); err != nil {
					return err
				}
				_, err := v.call("trap")
				return err
			})
			if trap, ok := errors.AsType[*component.Trap](err); !ok || !strings.Contains(trap.Error(), "unreachable") {
				t.Fatalf("%s: got %v, want the trap", name, err)
			}
			if n := found(t, p, i); n != base[i] {
				t.Errorf("%s: the next request sees %#x, not %#x", name, n, base[i])
			}
		}
	})
}

// TestSmugglerPersists: an instance that has served for long is as good as a new
// one. Everything is planted in most requests, and looked for in the rest.
func TestSmugglerPersists(t *testing.T) {
	engines, h := testEngines(t), &smugglerHost{}
	look := func(t *testing.T, p *Pool[exports]) (all []uint64) {
		request(t, p, func(v visit) error {
			all = all[:0]
			for i := range allMeans {
				n, err := v.peek(i)
				if err != nil {
					return err
				}
				all = append(all, n)
			}
			return nil
		})
		return all
	}
	base := look(t, makePool(t, engines, smugglerConfig(t, h, PreInstance)))
	for _, s := range []Strategy{Pooled, Reset} {
		t.Run(string(s), func(t *testing.T) {
			needs(t, s)
			p := makePool(t, engines, smugglerConfig(t, h, s))
			for round := range 70 { // more than resets pass between two trimmings
				request(t, p, func(v visit) error {
					for i := range allMeans {
						// The flood makes an instance give up all pages: mostly
						// the pages are to be put back one by one.
						if allMeans[i] == "grown memory, a flood" && round%10 != 3 {
							continue
						}
						if err := v.plant((i+round)%len(allMeans), uint64(round)<<32|uint64(i)); err != nil {
							return err
						}
					}
					return nil
				})
				for i, n := range look(t, p) {
					if n != base[i] {
						t.Fatalf("round %d: %s: the next request sees %#x, not %#x", round, allMeans[i], n, base[i])
					}
				}
			}
		})
	}
}

// unfit are guests that use what cannot be put back: the strategy Reset refuses
// them, and the others keep their requests apart all the same.
var unfit = []struct {
	name, text string
	reason     string // of the refusal
	leaks      bool   // under Reuse; there is nothing that these could be made to hold otherwise
}{
	{"data.drop", `(memory 1) (data $d "segment!")
		(func (export "peek") (result i64)
			(memory.init $d (i32.const 0) (i32.const 0) (i32.const 8)) (i64.load (i32.const 0)))
		(func (export "plant") (data.drop $d))`, "data.drop", true},
	{"elem.drop", `(table $t 1 funcref) (elem $e func $f) (func $f)
		(func (export "peek") (result i64)
			(table.init $t $e (i32.const 0) (i32.const 0) (i32.const 1)) (i64.extend_i32_u (ref.is_null (table.get $t (i32.const 0)))))
		(func (export "plant") (elem.drop $e))`, "elem.drop", true},
	{"table.grow", `(table $t 1 100 funcref)
		(func (export "peek") (result i64) (i64.extend_i32_u (table.size $t)))
		(func (export "plant") (drop (table.grow $t (ref.null func) (i32.const 1))))`, "table.grow", true},
	{"global of externref", `(global $g (mut externref) (ref.null extern))
		(func (export "peek") (result i64) (i64.extend_i32_u (ref.is_null (global.get $g))))
		(func (export "plant") (global.set $g (ref.null extern)))`, "externref", false},
	{"table of externref", `(table $t 1 externref)
		(func (export "peek") (result i64) (i64.extend_i32_u (ref.is_null (table.get $t (i32.const 0)))))
		(func (export "plant") (table.set $t (i32.const 0) (ref.null extern)))`, "externref", false},
	{"large table", `(table $t 5000 funcref) (elem declare func $f) (func $f)
		(func (export "peek") (result i64) (i64.extend_i32_u (ref.is_null (table.get $t (i32.const 4999)))))
		(func (export "plant") (table.set $t (i32.const 4999) (ref.func $f)))`, "4096 elements", true},
}

func unfitConfig(t testing.TB, module string, s Strategy) Config[exports] {
	t.Helper()
	text := `(component (core module $m ` + module + `) (core instance $m (instantiate $m))
		(func (export "peek") (result u64) (canon lift (core func $m "peek")))
		(func (export "plant") (canon lift (core func $m "plant"))))`
	return Config[exports]{ID: "unfit", Wasm: wasm(t, text), Linker: component.NewLinker(), Strategy: s, Bind: bindAll("peek", "plant")}
}

func TestSmugglerByWhatCannotBePutBack(t *testing.T) {
	for _, u := range unfit {
		t.Run(u.name, func(t *testing.T) {
			engines := testEngines(t)
			look := func(p *Pool[exports]) (n uint64, err error) {
				err = p.Run(context.Background(), nil, func(in *component.Instance, fs exports) error {
					v, err := visit{in, fs}.call("peek")
					n = v.Uint()
					return err
				})
				return n, err
			}
			base, err := look(makePool(t, engines, unfitConfig(t, u.text, PreInstance)))
			if err != nil {
				t.Fatal(err)
			}
			forEachStrategy(t, func(t *testing.T, s Strategy) {
				needs(t, s)
				if s == Reset {
					_, err := New(context.Background(), engines, unfitConfig(t, u.text, s))
					if no, ok := errors.AsType[*component.NotResettableError](err); !ok || !strings.Contains(no.Reason, u.reason) {
						t.Errorf("got %v, want a refusal that mentions %s", err, u.reason)
					}
					return
				}
				p := makePool(t, engines, unfitConfig(t, u.text, s))
				for range 3 {
					request(t, p, func(v visit) error {
						_, err := v.call("plant")
						return err
					})
					n, err := look(p)
					smuggled := err != nil || n != base
					if want := s == Reuse && u.leaks; smuggled != want {
						t.Errorf("the next request sees %#x, %v, the first %#x", n, err, base)
					}
				}
			})
		})
	}
}

// severalMemories is one core module with three memories, one of which begins
// empty.
const severalMemories = `(component
  (core module $m
    (memory $a 1 9) (memory $b 2 9) (memory $c 0 9)
    (data (memory $b) (i32.const 65536) "b's own")
    (func (export "peek") (result i64)
      (local $n i64)
      (local.set $n (i64.add (i64.extend_i32_u (memory.size $a))
        (i64.shl (i64.extend_i32_u (i32.add (memory.size $b) (i32.mul (memory.size $c) (i32.const 16)))) (i64.const 8))))
      (drop (memory.grow $a (i32.const 1))) (drop (memory.grow $b (i32.const 1))) (drop (memory.grow $c (i32.const 1)))
      (local.set $n (i64.add (local.get $n) (i64.load $a (i32.const 65536))))
      (local.set $n (i64.add (local.get $n) (i64.load $b (i32.const 65536))))
      (local.set $n (i64.add (local.get $n) (i64.load $b (i32.const 131072))))
      (i64.add (local.get $n) (i64.load $c (i32.const 0))))
    (func (export "plant")
      (drop (memory.grow $a (i32.const 2))) (drop (memory.grow $b (i32.const 3))) (drop (memory.grow $c (i32.const 4)))
      (memory.fill $a (i32.const 0) (i32.const 1) (i32.const 196608))
      (memory.fill $b (i32.const 0) (i32.const 2) (i32.const 327680))
      (memory.copy $c $b (i32.const 0) (i32.const 0) (i32.const 262144))))
  (core instance $m (instantiate $m))
  (func (export "peek") (result u64) (canon lift (core func $m "peek")))
  (func (export "plant") (canon lift (core func $m "plant"))))`

func TestSmugglerOfSeveralMemories(t *testing.T) {
	engines := testEngines(t)
	config := func(s Strategy) Config[exports] {
		return Config[exports]{ID: "memories", Wasm: wasm(t, severalMemories), Linker: component.NewLinker(), Strategy: s, Bind: bindAll("peek", "plant")}
	}
	look := func(t *testing.T, p *Pool[exports]) (n uint64) {
		request(t, p, func(v visit) error {
			got, err := v.call("peek")
			n = got.Uint()
			return err
		})
		return n
	}
	base := look(t, makePool(t, engines, config(PreInstance)))
	forEachStrategy(t, func(t *testing.T, s Strategy) {
		needs(t, s)
		p, err := New(context.Background(), engines, config(s))
		if s == Pooled && err != nil && strings.Contains(err.Error(), "pooling allocator requirements") {
			t.Skipf("the pooling allocator is not set up for it: %v", err)
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.Close)
		for range 3 {
			request(t, p, func(v visit) error {
				_, err := v.call("plant")
				return err
			})
			if n := look(t, p); (n != base) != (s == Reuse) {
				t.Errorf("the next request sees %#x, the first %#x", n, base)
			}
		}
	})
}
