package instancepool

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/component/abi"
)

// counter counts its requests in a global and in memory, and can be made to
// trap or to loop after it has counted.
const counter = `(component
  (core module $m
    (memory 1)
    (global $n (mut i32) (i32.const 0))
    (func (export "next") (param i32) (result i32)
      (global.set $n (i32.add (global.get $n) (i32.const 1)))
      (i32.store (i32.const 4096) (i32.add (i32.load (i32.const 4096)) (i32.const 1)))
      (if (i32.ne (global.get $n) (i32.load (i32.const 4096))) (then unreachable))
      (drop (memory.grow (i32.const 1)))
      (if (i32.eq (local.get 0) (i32.const 1)) (then unreachable))
      (if (i32.eq (local.get 0) (i32.const 2)) (then (loop br 0)))
      (i32.add (i32.mul (memory.size) (i32.const 100)) (global.get $n))))
  (core instance $i (instantiate $m))
  (func (export "next") (param "how" u32) (result u32) (canon lift (core func $i "next"))))`

const (
	plainly = iota
	trapping
	looping
)

func wasm(t testing.TB, text string) []byte {
	t.Helper()
	b, err := component.FromText(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func bindNext(pre *component.InstancePre) (*component.ExportFunc, error) {
	return pre.Export("", "next", &abi.Func{Params: []abi.Field{{Name: "how", Type: abi.U32}}, Result: abi.U32})
}

func counterPool(t testing.TB, s Strategy, change func(*Config[*component.ExportFunc])) *Pool[*component.ExportFunc] {
	t.Helper()
	if s == Reset {
		if err := component.ResetSupported(); err != nil {
			t.Skipf("the strategy reset: %v", err)
		}
	}
	engines := &Engines{Instances: 20}
	t.Cleanup(engines.Close)
	c := Config[*component.ExportFunc]{
		ID: "counter", Wasm: wasm(t, counter), Linker: component.NewLinker(), Strategy: s, Bind: bindNext,
	}
	if change != nil {
		change(&c)
	}
	p, err := New(context.Background(), engines, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func next(p *Pool[*component.ExportFunc], ctx context.Context, how uint32) (n uint64, err error) {
	err = p.Run(ctx, nil, func(in *component.Instance, f *component.ExportFunc) error {
		v, err := in.CallVals(f, abi.U32Val(how))
		n = v.Uint()
		return err
	})
	return n, err
}

func forEachStrategy(t *testing.T, f func(*testing.T, Strategy)) {
	for _, s := range Strategies() {
		t.Run(string(s), func(t *testing.T) { f(t, s) })
	}
}

// TestStateARequestSees is what the strategies promise: a fresh instance, after
// whatever another request did, for all of them but reuse.
func TestStateARequestSees(t *testing.T) {
	forEachStrategy(t, func(t *testing.T, s Strategy) {
		p := counterPool(t, s, func(c *Config[*component.ExportFunc]) { c.Deadline = 50 * time.Millisecond })
		seen := uint64(0)
		for i, how := range []uint32{plainly, plainly, trapping, plainly, looping, plainly, plainly} {
			n, err := next(p, context.Background(), how)
			want := uint64(201) // two pages, the first request
			if s == Reuse {
				seen++
				want = (1+seen)*100 + seen
			}
			switch how {
			case trapping:
				if _, ok := errors.AsType[*component.Trap](err); !ok {
					t.Fatalf("request %d: got %v, want a trap", i, err)
				}
			case looping:
				if !errors.Is(err, ErrDeadline) {
					t.Fatalf("request %d: got %v, want ErrDeadline", i, err)
				}
			default:
				if err != nil || n != want {
					t.Fatalf("request %d: got %d, %v; want %d", i, n, err, want)
				}
				continue
			}
			seen = 0 // the instance is gone
		}
	})
}

func TestConcurrentRequests(t *testing.T) {
	forEachStrategy(t, func(t *testing.T, s Strategy) {
		p := counterPool(t, s, func(c *Config[*component.ExportFunc]) { c.MaxInstances, c.Queue = 4, 8 })
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 25 {
					n, err := next(p, context.Background(), plainly)
					if err != nil || s != Reuse && n != 201 {
						t.Errorf("got %d, %v", n, err)
						return
					}
				}
			})
		}
		wg.Wait()
	})
}

func TestQueueIsBounded(t *testing.T) {
	p := counterPool(t, PreInstance, func(c *Config[*component.ExportFunc]) { c.MaxInstances, c.Queue = 1, 1 })
	inside, release := make(chan struct{}), make(chan struct{})
	block := func(*component.Instance, *component.ExportFunc) error {
		inside <- struct{}{}
		<-release
		return nil
	}
	errs := make(chan error, 2)
	go func() { errs <- p.Run(context.Background(), nil, block) }()
	<-inside
	go func() { errs <- p.Run(context.Background(), nil, block) }()
	for p.admission.waiting.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	if _, err := next(p, context.Background(), plainly); !errors.Is(err, ErrOverloaded) {
		t.Errorf("got %v, want ErrOverloaded", err)
	}
	close(release)
	<-inside
	for range 2 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if _, err := next(p, context.Background(), plainly); err != nil {
		t.Errorf("after the crowd: %v", err)
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	p := counterPool(t, PreInstance, func(c *Config[*component.ExportFunc]) { c.MaxInstances = 1 })
	inside, release := make(chan struct{}), make(chan struct{})
	done := make(chan error)
	go func() {
		done <- p.Run(context.Background(), nil, func(*component.Instance, *component.ExportFunc) error {
			close(inside)
			<-release
			return nil
		})
	}()
	<-inside
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
	defer cancel()
	if _, err := next(p, ctx, plainly); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the context's end", err)
	}
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestCloseEndsWhatRuns(t *testing.T) {
	forEachStrategy(t, func(t *testing.T, s Strategy) {
		p := counterPool(t, s, nil)
		errs := make(chan error)
		started := make(chan struct{})
		go func() {
			errs <- p.Run(context.Background(), nil, func(in *component.Instance, f *component.ExportFunc) error {
				close(started)
				_, err := in.CallVals(f, abi.U32Val(looping))
				return err
			})
		}()
		<-started
		p.Close()
		if err := <-errs; !errors.Is(err, ErrClosed) {
			t.Errorf("got %v, want ErrClosed", err)
		}
		if _, err := next(p, context.Background(), plainly); !errors.Is(err, ErrClosed) {
			t.Errorf("afterwards: got %v, want ErrClosed", err)
		}
	})
}

// TestPanicGivesBackEverything: a caller that panics must not take an instance
// or a permit along.
func TestPanicGivesBackEverything(t *testing.T) {
	forEachStrategy(t, func(t *testing.T, s Strategy) {
		p := counterPool(t, s, func(c *Config[*component.ExportFunc]) { c.MaxInstances = 1 })
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was lost")
				}
			}()
			_ = p.Run(context.Background(), nil, func(*component.Instance, *component.ExportFunc) error { panic("mine") })
		}()
		if n, err := next(p, context.Background(), plainly); err != nil || n != 201 {
			t.Errorf("afterwards: got %d, %v", n, err)
		}
	})
}

func TestUnfitForReset(t *testing.T) {
	if err := component.ResetSupported(); err != nil {
		t.Skipf("the strategy reset: %v", err)
	}
	const dropping = `(component
	  (core module $m
	    (memory 1)
	    (data $d "x")
	    (func (export "next") (param i32) (result i32) (data.drop $d) (i32.const 0)))
	  (core instance $i (instantiate $m))
	  (func (export "next") (param "how" u32) (result u32) (canon lift (core func $i "next"))))`
	engines := &Engines{}
	defer engines.Close()
	_, err := New(context.Background(), engines, Config[*component.ExportFunc]{
		ID: "dropping", Wasm: wasm(t, dropping), Linker: component.NewLinker(), Strategy: Reset, Bind: bindNext,
	})
	if err == nil || !strings.Contains(err.Error(), "data.drop") || !strings.Contains(err.Error(), "use pooled") {
		t.Errorf("got %v, want an error that names the instruction and another strategy", err)
	}
}

// grower has a table that it grows.
const grower = `(component
  (core module $m
    (table 1 funcref)
    (func (export "next") (param i32) (result i32) (table.grow (ref.null func) (i32.const 1))))
  (core instance $i (instantiate $m))
  (func (export "next") (param "how" u32) (result u32) (canon lift (core func $i "next"))))`

// TestAuto: without a strategy a component gets the best one there is, and what
// keeps it from a better one is told.
func TestAuto(t *testing.T) {
	narrow := map[Strategy]error{Pooled: errors.New("little room")}
	for _, test := range []struct {
		name, text  string
		unavailable map[Strategy]error
		want        Strategy
		reason      string // what the reason begins with
		ends        string // and ends with
	}{
		{"nothing in the way", counter, nil, Reset, "", ""},
		{"no pool, but none needed", counter, narrow, Reset, "", ""},
		{"a table grows", grower, nil, Pooled, "the core module grows a table", ")"},
		{"a table grows and no pool", grower, narrow, PreInstance, "the core module grows a table", "; little room"},
		{"a system without reset", counter, map[Strategy]error{Reset: errors.New("an old kernel")}, Pooled, "an old kernel", "kernel"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := component.ResetSupported(); err != nil && test.unavailable[Reset] == nil {
				t.Skipf("the strategy reset: %v", err)
			}
			engines := &Engines{Instances: 20, Unavailable: test.unavailable}
			defer engines.Close()
			p, err := New(context.Background(), engines, Config[*component.ExportFunc]{
				ID: "any", Wasm: wasm(t, test.text), Linker: component.NewLinker(), Bind: bindNext,
			})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			reason := p.Reason()
			if p.Strategy() != test.want || (reason == "") != (test.reason == "") ||
				!strings.HasPrefix(reason, test.reason) || !strings.HasSuffix(reason, test.ends) {
				t.Errorf("%s (%s), want %s (%s … %s)", p.Strategy(), reason, test.want, test.reason, test.ends)
			}
			if _, err := next(p, context.Background(), plainly); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestAutoFails: what is wrong with a component whatever the strategy is not
// taken for a reason to try another.
func TestAutoFails(t *testing.T) {
	engines := &Engines{Instances: 20}
	defer engines.Close()
	_, err := New(context.Background(), engines, Config[*component.ExportFunc]{
		ID: "broken", Wasm: []byte("\x00asm\x0d\x00\x01\x00\xff"), Linker: component.NewLinker(), Bind: bindNext,
	})
	if _, ok := errors.AsType[*UnavailableError](err); err == nil || ok {
		t.Errorf("got %v, want an error of the component", err)
	}
	if len(engines.engines) > 1 {
		t.Errorf("%d engines were tried", len(engines.engines))
	}
}

// TestUnavailable: a strategy that was asked for is not replaced.
func TestUnavailable(t *testing.T) {
	for s, alternative := range map[Strategy]string{Reset: "use pooled", Pooled: "use pre-instance"} {
		engines := &Engines{Unavailable: map[Strategy]error{s: errors.New("it is not to be had")}}
		_, err := New(context.Background(), engines, Config[*component.ExportFunc]{
			ID: "counter", Wasm: wasm(t, counter), Linker: component.NewLinker(), Strategy: s, Bind: bindNext,
		})
		if _, ok := errors.AsType[*UnavailableError](err); !ok || !strings.Contains(err.Error(), "it is not to be had; "+alternative) {
			t.Errorf("%s: got %v, want the reason and %q", s, err, alternative)
		}
	}
}

// TestMaxRequests: an instance that has served its number is not used again, and
// one that a request ruined does not count for another.
func TestMaxRequests(t *testing.T) {
	p := counterPool(t, Reuse, func(c *Config[*component.ExportFunc]) { c.MaxRequests = 3 })
	var seen []uint64
	for _, how := range []uint32{plainly, plainly, plainly, plainly, trapping, plainly, plainly, plainly, plainly} {
		n, err := next(p, context.Background(), how)
		if how == plainly && err != nil {
			t.Fatal(err)
		}
		seen = append(seen, n%100)
	}
	if want := []uint64{1, 2, 3, 1, 0, 1, 2, 3, 1}; !slices.Equal(seen, want) {
		t.Errorf("requests see the counts %v, want %v", seen, want)
	}
	for _, s := range []Strategy{Reset, Reuse} {
		t.Run(string(s), func(t *testing.T) {
			p := counterPool(t, s, func(c *Config[*component.ExportFunc]) { c.MaxRequests = 2 })
			for i, want := range []int{1, 0, 1, 0} {
				if _, err := next(p, context.Background(), plainly); err != nil || keptBy(t, p) != want {
					t.Errorf("after request %d %d instances are kept, error %v; want %d", i+1, keptBy(t, p), err, want)
				}
			}
		})
	}
	_, err := New(context.Background(), &Engines{}, Config[*component.ExportFunc]{ID: "c", MaxRequests: -1})
	if err == nil || !strings.Contains(err.Error(), "max requests -1") {
		t.Errorf("a negative number: %v", err)
	}
}

func TestUnknownStrategy(t *testing.T) {
	_, err := Parse("warm")
	if err == nil || !strings.Contains(err.Error(), "cold, precompiled, pre-instance, pooled, reset, reuse") {
		t.Errorf("got %v, want an error that lists the strategies", err)
	}
	if s, err := Parse(""); s != Auto || err != nil {
		t.Errorf("the empty name: got %q, %v", s, err)
	}
}

// TestPrecompiledLeavesNothing: without a cache directory the code lives in one
// of the engines' own, which goes with them.
func TestPrecompiledLeavesNothing(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	engines := &Engines{}
	p, err := New(context.Background(), engines, Config[*component.ExportFunc]{
		ID: "counter", Wasm: wasm(t, counter), Linker: component.NewLinker(), Strategy: Precompiled, Bind: bindNext,
	})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := next(p, context.Background(), plainly); err != nil || n != 201 {
		t.Errorf("got %d, %v", n, err)
	}
	if found, _ := filepath.Glob(filepath.Join(tmp, "*", "*.cwasm")); len(found) == 0 && os.TempDir() == tmp {
		t.Error("no code was kept")
	}
	p.Close()
	engines.Close()
	if left, _ := os.ReadDir(tmp); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func BenchmarkRun(b *testing.B) {
	for _, s := range Strategies() {
		b.Run(string(s), func(b *testing.B) {
			if s == Reset && component.ResetSupported() != nil {
				b.Skip(component.ResetSupported())
			}
			p := counterPool(b, s, nil)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := next(p, context.Background(), plainly); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
