package cwasm

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// scans lists the ways to find written pages that this system has.
func scans(t testing.TB) map[string]Scan {
	t.Helper()
	list := map[string]Scan{}
	for name, s := range map[string]Scan{"ioctl": ScanIoctl, "entries": ScanEntries} {
		if err := ResetSupported(s); err != nil {
			t.Logf("%s: %v", name, err)
			continue
		}
		list[name] = s
	}
	if len(list) == 0 {
		t.Skip("no way to reset on this system")
	}
	return list
}

func resettable(t testing.TB, r Reset) *Engine {
	t.Helper()
	if err := ResetSupported(r.Scan); err != nil {
		t.Skip(err)
	}
	e, err := NewEngine(Config{Reset: &r})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	e.StartTicker(2*time.Millisecond, nil)
	return e
}

// stateful plans one module, all of whose exported memories, mutable globals
// and tables are state; exports are in slots in order.
func stateful(t testing.TB, e *Engine, wat string, hosts ...HostImport) *Plan {
	t.Helper()
	m := compile(t, e, wat)
	step, state := Step{Module: m}, &StateSlots{}
	for i := range hosts {
		step.Imports = append(step.Imports, Import{Kind: FromHost, Host: i})
	}
	for i, exp := range m.Exports() {
		step.Fetch = append(step.Fetch, Fetch{exp.Name, i})
		switch {
		case exp.Kind == ExternMemory:
			state.Memories = append(state.Memories, i)
		case exp.Kind == ExternGlobal && exp.Global.Mutable:
			state.Globals = append(state.Globals, i)
		case exp.Kind == ExternTable:
			state.Tables = append(state.Tables, i)
		}
	}
	return plan(t, PlanConfig{Engine: e, Steps: []Step{step}, Hosts: hosts, Slots: len(m.Exports()), State: state})
}

// started makes a store with a snapshot.
func started(t testing.TB, p *Plan) *Store {
	t.Helper()
	s, err := p.Instantiate(StoreOptions{Sealed: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if err := s.Snapshot(); err != nil {
		t.Fatal(err)
	}
	return s
}

// scribbler has every kind of state and functions to change it. Slots: 0 and 1
// memories, 2 to 7 globals, 8 a table, then functions.
const scribbler = `(module
	(memory (export "a") 2 40)
	(memory (export "b") 1 3)
	(global (export "i32") (mut i32) (i32.const 7))
	(global $i64 (export "i64") (mut i64) (i64.const -7))
	(global $f32 (export "f32") (mut f32) (f32.const 1.5))
	(global $f64 (export "f64") (mut f64) (f64.const nan:0x8000000000123))
	(global $v (export "v128") (mut v128) (v128.const i64x2 1 2))
	(global $f (export "func") (mut funcref) (ref.func $one))
	(table $t (export "t") 4 6 funcref)
	(elem (table $t) (i32.const 1) func $one $two)
	(elem declare func $one $two)
	(data (i32.const 70000) "initial data")
	(data (memory 1) (i32.const 0) "other memory")
	(func $one (result i32) (i32.const 1))
	(func $two (result i32) (i32.const 2))
	(func $start (i32.store (i32.const 100000) (i32.const 42)))
	(start $start)
	(func (export "write") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
	(func (export "write b") (param i32 i32) (i32.store 1 (local.get 0) (local.get 1)))
	(func (export "read") (param i32) (result i32) (i32.load (local.get 0)))
	(func (export "read b") (param i32) (result i32) (i32.load 1 (local.get 0)))
	(func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
	(func (export "grow b") (param i32) (result i32) (memory.grow 1 (local.get 0)))
	(func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
	(func (export "globals") (param i32)
		(global.set 0 (local.get 0)) (global.set $i64 (i64.extend_i32_s (local.get 0)))
		(global.set $f32 (f32.convert_i32_s (local.get 0))) (global.set $f64 (f64.convert_i32_s (local.get 0)))
		(global.set $v (i32x4.splat (local.get 0))) (global.set $f (ref.null func)))
	(func (export "table") (param i32 i32)
		(if (local.get 1) (then (table.set $t (local.get 0) (ref.func $two)))
			(else (table.set $t (local.get 0) (ref.null func)))))
	(func (export "indirect") (param i32) (result i32) (call_indirect $t (result i32) (local.get 0)))
	(func (export "grow table") (result i32) (table.grow $t (ref.null func) (i32.const 1)))
	(func $deep (export "overflow") (call $deep))
	(func (export "unreachable") unreachable)
	(func (export "spin") (loop (br 0)))
)`

const (
	fnWrite = 9 + iota
	fnWriteB
	fnRead
	fnReadB
	fnGrow
	fnGrowB
	fnFill
	fnGlobals
	fnTable
	fnIndirect
	fnGrowTable
	fnOverflow
	fnUnreachable
	fnSpin
)

func callInts(s *Store, slot int, args ...uint32) (uint32, error) {
	st := make([]Raw, max(len(args), 1))
	for i, a := range args {
		st[i].SetU32(a)
	}
	err := s.Call(slot, st)
	return st[0].U32(), err
}

// change makes one random request.
func change(s *Store, r *rand.Rand) (string, error) {
	anywhere := func() uint32 {
		size := uint32(len(s.Memory(0)))
		return r.Uint32N(size - 3)
	}
	switch r.IntN(12) {
	case 0:
		_, err := callInts(s, fnGrow, r.Uint32N(20))
		return "grow", err
	case 1:
		_, err := callInts(s, fnGrowB, r.Uint32N(4))
		return "grow b", err
	case 2:
		_, err := callInts(s, fnGlobals, r.Uint32())
		return "globals", err
	case 3:
		_, err := callInts(s, fnTable, r.Uint32N(4), r.Uint32N(2))
		return "table", err
	case 4:
		at := anywhere()
		_, err := callInts(s, fnFill, at, r.Uint32(), uint32(r.Uint64N(uint64(len(s.Memory(0)))-uint64(at))))
		return "fill", err
	case 5:
		_, err := callInts(s, fnWriteB, r.Uint32N(65533), r.Uint32())
		return "write b", err
	case 6:
		if r.IntN(8) == 0 {
			slot := []int{fnOverflow, fnUnreachable, fnGrowTable}[r.IntN(3)]
			_, err := callInts(s, slot)
			return "trap", err
		}
		return "nothing", nil
	case 7:
		_, err := callInts(s, fnRead, anywhere())
		return "read", err
	default:
		at := anywhere()
		_, err := callInts(s, fnWrite, at, r.Uint32())
		return fmt.Sprintf("write at %#x", at), err
	}
}

// After any requests a store holds what a fresh one holds, or refuses.
func TestResetGivesAFreshStore(t *testing.T) {
	for name, scan := range scans(t) {
		for _, c := range []Reset{{Scan: scan}, {Scan: scan, KeepResident: 16 << 10}, {Scan: scan, Bounds: BoundsGuard}} {
			t.Run(fmt.Sprintf("%s, keep %d, bounds %d", name, c.KeepResident, c.Bounds), func(t *testing.T) {
				e := resettable(t, c)
				p := stateful(t, e, scribbler)
				fresh := started(t, p).State()
				if len(fresh.Memories) != 2 || len(fresh.Globals) != 6 || len(fresh.Tables) != 1 {
					t.Fatalf("state of %d memories, %d globals, %d tables", len(fresh.Memories), len(fresh.Globals), len(fresh.Tables))
				}
				r := rand.New(rand.NewPCG(1, uint64(scan)))
				s := started(t, p)
				own := s.State()
				rounds := 400
				if testing.Short() {
					rounds = 100
				}
				for i := range rounds {
					var did []string
					var failed error
					for range r.IntN(6) {
						what, err := change(s, r)
						did = append(did, what)
						failed = errors.Join(failed, err)
					}
					err := s.Reset()
					tableGrew := s.State().Tables != nil && len(s.State().Tables[0]) != len(own.Tables[0])
					switch {
					case failed != nil:
						if !errors.Is(err, ErrSpoiled) {
							t.Fatalf("round %d: %v failed with %v, and reset says %v", i, did, failed, err)
						}
					case tableGrew:
						if err == nil || !strings.Contains(err.Error(), "table") {
							t.Fatalf("round %d: %v made the table grow, and reset says %v", i, did, err)
						}
					case err != nil:
						t.Fatalf("round %d: %v: %v", i, did, err)
					}
					if err != nil {
						s.Close()
						s = started(t, p)
						own = s.State()
					}
					s.Renew(nil, time.Time{})
					now := s.State()
					if diff := compare(now, own); diff != "" {
						t.Fatalf("round %d: after %v: %s", i, did, diff)
					}
					// References differ between stores; all else is a fresh store's.
					now.Tables, now.Globals[5] = fresh.Tables, fresh.Globals[5]
					if diff := compare(now, fresh); diff != "" {
						t.Fatalf("round %d: after %v: a fresh store differs: %s", i, did, diff)
					}
				}
			})
		}
	}
}

func compare(got, want State) string {
	for i := range want.Memories {
		g, w := got.Memories[i], want.Memories[i]
		if len(g) != len(w) {
			return fmt.Sprintf("memory %d has %d bytes, not %d", i, len(g), len(w))
		}
		for at := range w {
			if g[at] != w[at] {
				return fmt.Sprintf("memory %d at %#x is %#x, not %#x", i, at, g[at], w[at])
			}
		}
	}
	return cmp.Diff(want.Globals, got.Globals) + cmp.Diff(want.Tables, got.Tables)
}

// What a memory has grown by is gone after a reset: it traps, and is zero when
// the memory grows again.
func TestResetUndoesGrowth(t *testing.T) {
	for name, bounds := range map[string]Bounds{"check": BoundsCheck, "guard": BoundsGuard} {
		t.Run(name, func(t *testing.T) {
			p := stateful(t, resettable(t, Reset{Bounds: bounds}), scribbler)
			s := started(t, p)
			const size, beyond = 2 << 16, 5<<16 - 4
			for round := range 3 {
				if old, err := callInts(s, fnGrow, 3); err != nil || old != 2 {
					t.Fatalf("round %d: grow: old size %d, %v", round, old, err)
				}
				if v, err := callInts(s, fnRead, beyond); err != nil || v != 0 {
					t.Fatalf("round %d: new memory holds %#x, %v", round, v, err)
				}
				if _, err := callInts(s, fnWrite, beyond, 0xdead); err != nil {
					t.Fatal(err)
				}
				if err := s.Reset(); err != nil {
					t.Fatal(err)
				}
				s.Renew(nil, time.Time{})
				if n := len(s.Memory(0)); n != size {
					t.Fatalf("round %d: %d bytes after the reset", round, n)
				}
			}
			for _, at := range []uint32{size - 3, size, size + 1, beyond - 4096, beyond, 1<<32 - 4} {
				s := started(t, p)
				if _, err := callInts(s, fnGrow, 3); err != nil {
					t.Fatal(err)
				}
				if err := s.Reset(); err != nil {
					t.Fatal(err)
				}
				_, err := callInts(s, fnRead, at)
				var trap *Trap
				if !errors.As(err, &trap) || trap.Code != TrapMemoryOutOfBounds {
					t.Errorf("read at %#x: %v, want an access out of bounds", at, err)
				}
				s.Close()
			}
		})
	}
}

func TestTrapsInAResettableStore(t *testing.T) {
	for _, bounds := range []Bounds{BoundsCheck, BoundsGuard} {
		p := stateful(t, resettable(t, Reset{Bounds: bounds}), scribbler)
		for _, tt := range []struct {
			slot int
			arg  uint32
			want TrapCode
		}{
			{fnRead, 2<<16 - 3, TrapMemoryOutOfBounds},
			{fnRead, 1<<32 - 4, TrapMemoryOutOfBounds},
			{fnReadB, 1 << 16, TrapMemoryOutOfBounds},
			{fnOverflow, 0, TrapStackOverflow},
			{fnUnreachable, 0, TrapUnreachable},
			{fnIndirect, 0, TrapIndirectCallToNull},
			{fnIndirect, 9, TrapTableOutOfBounds},
		} {
			s := started(t, p)
			_, err := callInts(s, tt.slot, tt.arg)
			var trap *Trap
			if !errors.As(err, &trap) || trap.Code != tt.want {
				t.Errorf("bounds %d: slot %d (%#x): %v, want %v", bounds, tt.slot, tt.arg, err, tt.want)
			}
			if err := s.Reset(); !errors.Is(err, ErrSpoiled) {
				t.Errorf("reset after a trap: %v", err)
			}
			s.Close()
		}
	}
}

func TestResetTableAndGlobals(t *testing.T) {
	s := started(t, stateful(t, resettable(t, Reset{}), scribbler))
	for range 3 {
		for at, want := range map[uint32]uint32{1: 1, 2: 2} {
			if got, err := callInts(s, fnIndirect, at); err != nil || got != want {
				t.Fatalf("table[%d]() = %d, %v", at, got, err)
			}
		}
		for _, c := range [][2]uint32{{1, 1}, {2, 0}, {3, 1}} {
			if _, err := callInts(s, fnTable, c[0], c[1]); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := callInts(s, fnGlobals, 99); err != nil {
			t.Fatal(err)
		}
		if got, err := callInts(s, fnIndirect, 1); err != nil || got != 2 {
			t.Fatalf("the table was not changed: %d, %v", got, err)
		}
		if err := s.Reset(); err != nil {
			t.Fatal(err)
		}
		s.Renew(nil, time.Time{})
	}
}

// A use of a store is interrupted by its own canceler and deadline only.
func TestRenew(t *testing.T) {
	s := started(t, stateful(t, resettable(t, Reset{}), scribbler))
	first := s.Canceler()
	if err := s.Reset(); err != nil {
		t.Fatal(err)
	}
	s.Renew("second", time.Time{})
	first.Cancel()
	if _, err := callInts(s, fnRead, 0); err != nil {
		t.Fatalf("a canceler of an earlier use: %v", err)
	}
	if s.Data != "second" {
		t.Errorf("Data is %v", s.Data)
	}
	if err := s.Reset(); err != nil {
		t.Fatal(err)
	}
	if s.Data != nil {
		t.Errorf("Data after the reset is %v", s.Data)
	}
	s.Renew(nil, time.Now().Add(20*time.Millisecond))
	if _, err := callInts(s, fnSpin); !errors.Is(err, ErrDeadline) {
		t.Errorf("a loop past the deadline: %v", err)
	}
	if err := s.Reset(); !errors.Is(err, ErrSpoiled) {
		t.Errorf("reset after the deadline: %v", err)
	}
	s.Close()

	s = started(t, stateful(t, resettable(t, Reset{}), scribbler))
	s.Renew(nil, time.Time{})
	time.AfterFunc(10*time.Millisecond, s.Cancel)
	if _, err := callInts(s, fnSpin); !errors.Is(err, ErrCanceled) {
		t.Errorf("a loop that is cancelled: %v", err)
	}
}

func TestSealed(t *testing.T) {
	called := 0
	host := HostImport{MemSlot: -1, Func: func(*Store, []Raw, []byte) error { called++; return nil }}
	e := resettable(t, Reset{})
	const text = `(module (import "" "" (func $h)) (memory (export "m") 1) (func (export "f") (call $h)) %s)`
	_, err := stateful(t, e, fmt.Sprintf(text, "(start $h)"), host).Instantiate(StoreOptions{Sealed: true})
	var hce *HostCallError
	if !errors.As(err, &hce) || hce.Host != 0 || called != 0 {
		t.Fatalf("a host call at the start: %v, the host was called %d times", err, called)
	}
	s := started(t, stateful(t, e, fmt.Sprintf(text, ""), host))
	if err := s.Call(1, nil); err != nil || called != 1 {
		t.Errorf("a host call after the snapshot: %v, the host was called %d times", err, called)
	}
}

// A host function of a store must be able to fail the way it always does.
func TestHostFailureSpoils(t *testing.T) {
	broken := errors.New("broken")
	host := HostImport{MemSlot: -1, Func: func(*Store, []Raw, []byte) error { return broken }}
	s := started(t, stateful(t, resettable(t, Reset{}),
		`(module (import "" "" (func $h)) (memory (export "m") 1) (func (export "f") (call $h)))`, host))
	if err := s.Call(1, nil); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	if err := s.Reset(); !errors.Is(err, ErrSpoiled) {
		t.Errorf("reset: %v", err)
	}
}

// A store whose memory is not the plan's snapshot is refused, not repaired.
func TestSnapshotDiffers(t *testing.T) {
	p := stateful(t, resettable(t, Reset{}), scribbler)
	started(t, p)
	for _, tt := range []struct {
		name   string
		change func(*Store) error
	}{
		{"contents", func(s *Store) error { _, err := callInts(s, fnWrite, 100, 1); return err }},
		{"contents of zeroes", func(s *Store) error { _, err := callInts(s, fnWrite, 100000, 0); return err }},
		{"size", func(s *Store) error { _, err := callInts(s, fnGrow, 1); return err }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := instantiate(t, p, StoreOptions{})
			if err := tt.change(s); err != nil {
				t.Fatal(err)
			}
			if err := s.Snapshot(); !errors.Is(err, ErrSnapshotDiffers) {
				t.Errorf("snapshot: %v", err)
			}
			if err := s.Reset(); !errors.Is(err, ErrSpoiled) {
				t.Errorf("reset: %v", err)
			}
		})
	}
}

func TestSnapshotMisuse(t *testing.T) {
	e := resettable(t, Reset{})
	p := stateful(t, e, scribbler)
	unstarted, err := p.NewStore(StoreOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer unstarted.Close()
	twice, without := started(t, p), instantiate(t, p, StoreOptions{})
	gone := instantiate(t, p, StoreOptions{})
	gone.Close()
	stateless := instantiate(t, single(t, e, `(module)`), StoreOptions{})
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"snapshot of an unstarted store", unstarted.Snapshot(), "not started"},
		{"snapshot of a closed store", gone.Snapshot(), "already closed"},
		{"a second snapshot", twice.Snapshot(), "has one"},
		{"snapshot without state", stateless.Snapshot(), "names no state"},
		{"reset without a snapshot", without.Reset(), "no snapshot"},
		{"reset of a closed store", gone.Reset(), "already closed"},
	} {
		if tt.err == nil || !strings.Contains(tt.err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, tt.err)
		}
	}
	gone.Renew(nil, time.Time{})
	if s := gone.State(); s.Memories != nil || gone.Resident() != 0 {
		t.Errorf("a closed store has state: %v", s)
	}
}

func TestStateSlotsAreChecked(t *testing.T) {
	e := resettable(t, Reset{})
	m := compile(t, e, `(module (memory (export "m") 1) (global (export "g") i32 (i32.const 1))
		(global (export "x") (mut externref) (ref.null extern)) (table (export "t") 1 externref))`)
	step := Step{Module: m}
	for i, exp := range m.Exports() {
		step.Fetch = append(step.Fetch, Fetch{exp.Name, i})
	}
	for _, tt := range []struct {
		state StateSlots
		want  string
	}{
		{StateSlots{Memories: []int{1}}, "no memory"},
		{StateSlots{Globals: []int{0}}, "no global"},
		{StateSlots{Tables: []int{9}}, "no table"},
		{StateSlots{Globals: []int{1}}, "immutable"},
		{StateSlots{Globals: []int{2}}, "cannot be kept"},
		{StateSlots{Tables: []int{3}}, "cannot be kept"},
	} {
		_, err := NewPlan(PlanConfig{Engine: e, Steps: []Step{step}, Slots: 4, State: &tt.state})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v, want %q", tt.state, err, tt.want)
		}
	}
	other := compile(t, onDemand, `(module)`)
	if _, err := NewPlan(PlanConfig{Engine: onDemand, Steps: []Step{{Module: other}}, State: &StateSlots{}}); err == nil {
		t.Error("a plan of an engine that cannot reset takes state")
	}
}

func TestResetConfig(t *testing.T) {
	for _, c := range []Config{
		{Reset: &Reset{KeepResident: -1}},
		{Reset: &Reset{Scan: 7}},
		{Reset: &Reset{Bounds: 7}},
		{Reset: &Reset{}, Pooling: &Pooling{}},
	} {
		if e, err := NewEngine(c); err == nil {
			e.Close()
			t.Errorf("%+v is accepted", c)
		}
	}
	seen := map[string]bool{onDemand.Fingerprint(): true}
	for _, r := range []Reset{{}, {Bounds: BoundsGuard}} {
		f := resettable(t, r).Fingerprint()
		if seen[f] {
			t.Errorf("code for %+v has the fingerprint of other code", r)
		}
		seen[f] = true
	}
}

// A memory's pages are kept up to the limit, and given back when idle.
func TestResident(t *testing.T) {
	for name, scan := range scans(t) {
		t.Run(name, func(t *testing.T) {
			s := started(t, stateful(t, resettable(t, Reset{Scan: scan, KeepResident: 1 << 20}), scribbler))
			if n := s.Resident(); n != 0 {
				t.Errorf("%d bytes are resident in a new store", n)
			}
			reset := func() {
				t.Helper()
				if err := s.Reset(); err != nil {
					t.Fatal(err)
				}
				s.Renew(nil, time.Time{})
			}
			write := func(at uint32) {
				t.Helper()
				if _, err := callInts(s, fnWrite, at, 1); err != nil {
					t.Fatal(err)
				}
			}
			page := int64(os.Getpagesize())
			write(0)
			write(70000)
			reset()
			if n := s.Resident(); n != 2*page {
				t.Errorf("%d bytes are resident after two pages were written", n)
			}
			for range 130 {
				write(0)
				reset()
			}
			if n := s.Resident(); n != page {
				t.Errorf("%d bytes are resident long after one page was in use", n)
			}
			if _, err := callInts(s, fnGrow, 30); err != nil {
				t.Fatal(err)
			}
			if _, err := callInts(s, fnFill, 0, 1, 32<<16); err != nil {
				t.Fatal(err)
			}
			reset()
			if n := s.Resident(); n != 0 {
				t.Errorf("%d bytes are resident after more than the limit was written", n)
			}
			if _, err := callInts(s, fnGrow, 2); err != nil {
				t.Fatal(err)
			}
			write(3 << 16)
			for range 130 {
				reset()
			}
			if n := s.Resident(); n != 0 {
				t.Errorf("%d bytes are resident long after the memory had grown", n)
			}
		})
	}
}

func TestResetInParallel(t *testing.T) {
	p := stateful(t, resettable(t, Reset{}), scribbler)
	fresh := started(t, p).State()
	var wg sync.WaitGroup
	for g := range 64 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(2, uint64(g)))
			s, err := p.Instantiate(StoreOptions{Sealed: true})
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { s.Close() }()
			if err := s.Snapshot(); err != nil {
				t.Error(err)
				return
			}
			for range 20 {
				at, v := r.Uint32N(2<<16-4), r.Uint32()
				if _, err := callInts(s, fnWrite, at, v); err != nil {
					t.Error(err)
				}
				if _, err := callInts(s, fnGrow, r.Uint32N(3)); err != nil {
					t.Error(err)
				}
				if got, err := callInts(s, fnRead, at); err != nil || got != v {
					t.Errorf("goroutine %d: wrote %#x, read %#x, %v", g, v, got, err)
				}
				go s.Canceler() // may be asked for from anywhere
				if err := s.Reset(); err != nil {
					t.Error(err)
					return
				}
				s.Renew(nil, time.Time{})
				now := s.State()
				now.Tables, now.Globals = fresh.Tables, fresh.Globals
				if diff := compare(now, fresh); diff != "" {
					t.Errorf("goroutine %d: %s", g, diff)
					return
				}
			}
		})
	}
	wg.Wait()
}

// mappings counts what leaks when a mapping or a descriptor is forgotten.
func mappings(t *testing.T) (fds, vmas int) {
	t.Helper()
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

func TestNothingLeaks(t *testing.T) {
	e := resettable(t, Reset{})
	m := compile(t, e, `(module (memory (export "m") 1) (data (i32.const 0) "x")
		(func (export "f") (i32.store (i32.const 0) (i32.const 5)) (drop (memory.grow (i32.const 1)))))`)
	c := PlanConfig{Engine: e, Slots: 2, State: &StateSlots{Memories: []int{0}}, Steps: []Step{{Module: m, Fetch: []Fetch{{"m", 0}, {"f", 1}}}}}
	cycle := func(stores int) {
		p, err := NewPlan(c)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		for range stores {
			s, err := p.Instantiate(StoreOptions{Sealed: true})
			if err != nil {
				t.Fatal(err)
			}
			for _, err := range []error{s.Snapshot(), s.Call(1, nil), s.Reset()} {
				if err != nil {
					t.Fatal(err)
				}
			}
			s.Close()
		}
	}
	cycle(100)
	runtime.GC()
	fds, vmas := mappings(t)
	n := 100
	if testing.Short() {
		n = 10
	}
	for range n {
		cycle(100)
	}
	fds2, vmas2 := mappings(t)
	// Threads and the garbage collector map a little of their own.
	if fds2 > fds+2 || vmas2 > vmas+40 {
		t.Errorf("after %d stores: %d descriptors, before %d; %d mappings, before %d", n*100, fds2, fds, vmas2, vmas)
	}
}

func BenchmarkReset(b *testing.B) {
	for _, c := range []Reset{{Scan: ScanIoctl}, {Scan: ScanEntries}, {Scan: ScanIoctl, Bounds: BoundsGuard}} {
		for _, grow := range []uint32{0, 1} {
			b.Run(fmt.Sprintf("scan=%d/bounds=%d/grow=%d", c.Scan, c.Bounds, grow), func(b *testing.B) {
				s := started(b, stateful(b, resettable(b, c), scribbler))
				b.ReportAllocs()
				st := make([]Raw, 2)
				for b.Loop() {
					for at := range uint32(4) {
						st[0].SetU32(at * 4096 * 3)
						st[1].SetU32(1)
						if err := s.Call(fnWrite, st); err != nil {
							b.Fatal(err)
						}
					}
					if grow > 0 {
						st[0].SetU32(grow)
						if err := s.Call(fnGrow, st); err != nil {
							b.Fatal(err)
						}
					}
					if err := s.Reset(); err != nil {
						b.Fatal(err)
					}
					s.Renew(nil, time.Time{})
				}
			})
		}
	}
}
