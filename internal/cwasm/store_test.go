package cwasm

import (
	"errors"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestLimits(t *testing.T) {
	for name, e := range map[string]*Engine{"on-demand": onDemand, "pooling": pooling} {
		t.Run(name, func(t *testing.T) {
			p := single(t, e, `(module
				(memory (export "mem") 1) (table $t 10 funcref)
				(func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
				(func (export "table") (param i32) (result i32) (table.grow $t (ref.null func) (local.get 0))))`)
			s := instantiate(t, p, StoreOptions{Limits: Limits{MemoryBytes: 3 << 16, TableElements: 20}})
			tests := []struct {
				slot int
				grow uint64
				want int32
			}{{1, 2, 1}, {1, 1, -1}, {1, 0, 3}, {1, 65535, -1}, {2, 10, 10}, {2, 1, -1}, {2, 0xffffffff, -1}}
			for _, tt := range tests {
				st := raw(tt.grow)
				if err := s.Call(tt.slot, st); err != nil || int32(st[0].U32()) != tt.want {
					t.Errorf("grow %d by %d: %d, %v; want %d", tt.slot, tt.grow, int32(st[0].U32()), err, tt.want)
				}
			}
			s = instantiate(t, p, StoreOptions{})
			st := raw(100_000 - 10 + 1)
			if err := s.Call(2, st); err != nil || int32(st[0].U32()) != -1 {
				t.Errorf("the default table limit lets through %d, %v", int32(st[0].U32()), err)
			}
			for _, l := range []Limits{{MemoryBytes: 1 << 15}, {TableElements: 9}, {Memories: -1, Instances: 1, Tables: -1, TableElements: 1}} {
				s, err := p.Instantiate(StoreOptions{Limits: l})
				var refusal *EngineError
				if err == nil {
					s.Close()
					t.Errorf("limits %+v: no error", l)
				} else if !errors.As(err, &refusal) || errors.Is(err, ErrPoolExhausted) {
					t.Errorf("limits %+v: %v", l, err)
				}
			}
		})
	}
}

// A pool that is used up answers with an error, and serves again when a store
// was closed. A slot used again must be as new.
func TestPoolExhaustionAndReuse(t *testing.T) {
	e, err := NewEngine(Config{Pooling: &Pooling{Instances: 3}})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	p := single(t, e, `(module (memory (export "mem") 1 4) (func (export "grow") (drop (memory.grow (i32.const 2)))))`)
	var stores []*Store
	for range 3 {
		s, err := p.Instantiate(StoreOptions{})
		if err != nil {
			t.Fatal(err)
		}
		stores = append(stores, s)
		if err := s.Call(1, nil); err != nil {
			t.Fatal(err)
		}
		mem := s.Memory(0)
		for i := range mem {
			mem[i] = 0xaa
		}
	}
	if s, err := p.Instantiate(StoreOptions{}); err == nil {
		s.Close()
		t.Error("a fourth store fits into a pool of three")
	} else if !errors.Is(err, ErrPoolExhausted) {
		t.Errorf("exhaustion is told as %#v", err)
	}
	for _, s := range stores {
		s.Close()
	}
	for range 6 {
		s, err := p.Instantiate(StoreOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Call(1, nil); err != nil {
			t.Fatal(err)
		}
		for i, b := range s.Memory(0) {
			if b != 0 {
				t.Fatalf("byte %d of a fresh memory is %#x", i, b)
			}
		}
		s.Close()
	}
}

func TestClose(t *testing.T) {
	live := LiveStores()
	p := single(t, onDemand, `(module (func (export "f")))`)
	s, err := p.Instantiate(StoreOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if LiveStores() != live+1 {
		t.Errorf("%d stores live, want %d", LiveStores(), live+1)
	}
	s.Close()
	s.Close()
	s.Cancel()
	s.SetDeadline(time.Now())
	if LiveStores() != live {
		t.Errorf("%d stores live, want %d", LiveStores(), live)
	}
	if err := s.Start(); !errors.Is(err, ErrClosed) {
		t.Errorf("Start after Close: %v", err)
	}

	last, err := p.Instantiate(StoreOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
	p.Close()
	if _, err := p.Instantiate(StoreOptions{}); !errors.Is(err, ErrClosed) {
		t.Errorf("Instantiate after Close: %v", err)
	}
	if err := last.Call(0, nil); err != nil {
		t.Errorf("a store does not outlive its plan: %v", err)
	}
	if n := p.refs.Load(); n != 1 || p.c.plan == nil {
		t.Errorf("%d references while a store lives", n)
	}
	last.Close()
	if n := p.refs.Load(); n != 0 || p.c.plan != nil {
		t.Errorf("%d references after the last store", n)
	}
}

func TestCloseWhileRunning(t *testing.T) {
	p := single(t, onDemand, `(module (import "h" "f" (func $f)) (func (export "run") (call $f)))`,
		HostImport{MemSlot: -1, Func: func(s *Store, _ []Raw, _ []byte) error { s.Close(); return nil }})
	s := instantiate(t, p, StoreOptions{})
	var pe *PanicError
	if err := s.Call(0, nil); !errors.As(err, &pe) || !strings.Contains(pe.Error(), "running") {
		t.Errorf("got %v", err)
	}
}

func TestUnstartedStore(t *testing.T) {
	p := single(t, onDemand, `(module (func (export "f")) (memory (export "m") 1))`)
	s, err := p.NewStore(StoreOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Call(0, nil); !errors.Is(err, ErrSlot) {
		t.Errorf("Call: %v", err)
	}
	if s.Memory(1) != nil || s.HasSlot(0) {
		t.Error("slots are filled before Start")
	}
	s.Close()
}

// Many goroutines make stores, call into them, fail in them, cancel each
// other's and drop them, while the collector runs and stacks move.
func TestConcurrency(t *testing.T) {
	sentinel := errors.New("host error")
	typ := FuncType{[]ValKind{I32}, []ValKind{I32}}
	engines := []*Engine{onDemand, pooling}
	plans := make([]*Plan, len(engines))
	for i, e := range engines {
		plans[i] = single(t, e, `(module
			(import "h" "f" (func $f (param i32) (result i32)))
			(memory (export "mem") 1)
			(func (export "run") (param i32) (result i32)
				(if (i32.eq (local.get 0) (i32.const 1000)) (then unreachable))
				(call $f (local.get 0)))
			(func (export "loop") (param i32) (result i32) (loop (br 0)) (unreachable)))`,
			HostImport{Type: typ, MemSlot: 0, Func: func(s *Store, st []Raw, mem []byte) error {
				v := st[0].U32()
				if v == 2000 {
					return sentinel
				}
				deep(50)
				if v > 0 && v < 4 {
					inner := raw(uint64(v) - 1)
					if err := s.Call(1, inner); err != nil {
						return err
					}
					st[0].SetU32(inner[0].U32() + 1)
				}
				mem[v%64]++
				return nil
			}})
	}
	stop := make(chan struct{})
	var collector sync.WaitGroup
	collector.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				runtime.GC()
			}
		}
	})
	var last atomic.Pointer[Store]
	var wg sync.WaitGroup
	for g := range 64 {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(g), 1))
			for range 30 {
				s, err := plans[g%2].Instantiate(StoreOptions{Data: g})
				if err != nil {
					t.Error(err)
					return
				}
				if old := last.Swap(s); old != nil && rnd.IntN(4) == 0 {
					old.Cancel()
				}
				for range rnd.IntN(4) {
					exercise(t, s, rnd, sentinel)
				}
				s.Close()
			}
		})
	}
	wg.Wait()
	close(stop)
	collector.Wait()
}

func exercise(t *testing.T, s *Store, rnd *rand.Rand, sentinel error) {
	var trap *Trap
	v := []uint64{0, 1, 3, 7, 1000, 2000}[rnd.IntN(6)]
	slot := 1
	if rnd.IntN(10) == 0 {
		slot = 2
		s.SetDeadline(time.Now().Add(time.Millisecond))
	}
	st := raw(v)
	err := s.Call(slot, st)
	switch {
	case errors.Is(err, ErrCanceled), slot == 2 && errors.Is(err, ErrDeadline):
	case slot == 2:
		t.Errorf("endless loop: %v", err)
	case v == 1000:
		if !errors.As(err, &trap) || trap.Code != TrapUnreachable {
			t.Errorf("trap: %v", err)
		}
	case v == 2000:
		if !errors.Is(err, sentinel) {
			t.Errorf("host error: %v", err)
		}
	case err != nil || st[0].U64() != v:
		t.Errorf("call with %d: %v, %v", v, st, err)
	}
	s.SetDeadline(time.Time{})
}

// deep makes the goroutine's stack grow, and so move, inside a host call.
func deep(n int) int {
	var pad [256]byte
	pad[n%len(pad)] = byte(n)
	if n == 0 {
		return int(pad[0])
	}
	return deep(n-1) + int(pad[n%len(pad)])
}
