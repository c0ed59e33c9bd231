package cwasm

import (
	"errors"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTraps(t *testing.T) {
	p := single(t, onDemand, `(module $guest
		(memory (export "mem") 1)
		(table 2 funcref)
		(type $v (func))
		(func $inner (unreachable))
		(func $outer (export "unreachable") (call $inner))
		(func (export "oob") (drop (i32.load (i32.const -4))))
		(func $deep (export "overflow") (call $deep))
		(func (export "div") (drop (i32.div_s (i32.const 1) (i32.const 0))))
		(func (export "minint") (drop (i32.div_s (i32.const 0x80000000) (i32.const -1))))
		(func (export "conv") (drop (i32.trunc_f32_s (f32.const nan))))
		(func (export "null") (call_indirect (type $v) (i32.const 0)))
		(func (export "tab") (call_indirect (type $v) (i32.const 7))))`)
	tests := []struct {
		export string
		code   TrapCode
	}{
		{"unreachable", TrapUnreachable},
		{"oob", TrapMemoryOutOfBounds},
		{"overflow", TrapStackOverflow},
		{"div", TrapIntegerDivideByZero},
		{"minint", TrapIntegerOverflow},
		{"conv", TrapBadIntConversion},
		{"null", TrapIndirectCallToNull},
		{"tab", TrapTableOutOfBounds},
	}
	for i, tt := range tests {
		t.Run(tt.export, func(t *testing.T) {
			s := instantiate(t, p, StoreOptions{})
			err := s.Call(i+1, nil)
			var trap *Trap
			if !errors.As(err, &trap) {
				t.Fatalf("got %v, want a trap", err)
			}
			if trap.Code != tt.code {
				t.Errorf("code %d (%v), want %d (%v); message %q", trap.Code, trap.Code, tt.code, tt.code, trap.Message)
			}
			if trap.Message == "" || strings.Contains(trap.Message, "\n") || strings.Contains(trap.Message, "backtrace") {
				t.Errorf("message %q", trap.Message)
			}
			if len(trap.Frames) == 0 {
				t.Error("no backtrace")
			}
			if errors.Is(err, ErrInterrupted) || errors.Unwrap(err) != nil {
				t.Errorf("a plain trap has a cause: %v", errors.Unwrap(err))
			}
		})
	}

	s := instantiate(t, p, StoreOptions{})
	var trap *Trap
	if err := s.Call(1, nil); !errors.As(err, &trap) {
		t.Fatal(err)
	}
	lines := trap.Backtrace()
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "guest!inner @ 0x") || !strings.HasPrefix(lines[1], "guest!outer @ 0x") {
		t.Errorf("backtrace %q", lines)
	}
	if f := trap.Frames[0]; f.Func != "inner" || f.Module != "guest" || f.FuncIndex != 0 || f.ModuleOffset == 0 {
		t.Errorf("frame %+v", f)
	}
}

func TestHostError(t *testing.T) {
	sentinel := errors.New("no such key")
	p := single(t, onDemand, `(module $m
		(import "host" "fail" (func $fail (param i32)))
		(func (export "f") (call $fail (i32.const 5))))`,
		HostImport{Type: FuncType{Params: []ValKind{I32}}, MemSlot: -1,
			Func: func(_ *Store, st []Raw, mem []byte) error {
				if st[0].U32() != 5 || mem != nil {
					t.Errorf("got %v and %d bytes of memory", st, len(mem))
				}
				return sentinel
			}})
	s := instantiate(t, p, StoreOptions{})
	for range 3 {
		err := s.Call(0, nil)
		var trap *Trap
		if !errors.Is(err, sentinel) || !errors.As(err, &trap) || trap.Code != TrapHost {
			t.Fatalf("got %#v", err)
		}
		if err.Error() != sentinel.Error() || len(trap.Frames) != 1 {
			t.Errorf("error %q, frames %v", err, trap.Frames)
		}
	}
}

func TestHostPanic(t *testing.T) {
	sentinel := errors.New("broken invariant")
	tests := []struct {
		name  string
		panic func()
		check func(*testing.T, error)
	}{
		{"value", func() { panic("boom") }, func(t *testing.T, err error) {
			if !strings.Contains(err.Error(), "boom") {
				t.Errorf("error %q", err)
			}
		}},
		{"error", func() { panic(sentinel) }, func(t *testing.T, err error) {
			if !errors.Is(err, sentinel) {
				t.Errorf("error %v does not wrap the panic's", err)
			}
		}},
		{"runtime error", func() { var m []int; _ = m[os.Getpid()] }, func(t *testing.T, err error) {
			var re runtime.Error
			if !errors.As(err, &re) {
				t.Errorf("error %v is no runtime error", err)
			}
		}},
		{"nil dereference", func() { var p *Plan; p.hosts = nil }, func(t *testing.T, err error) {
			var re runtime.Error
			if !errors.As(err, &re) {
				t.Errorf("error %v is no runtime error", err)
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := single(t, onDemand, `(module (import "h" "p" (func $p)) (func (export "f") (call $p)))`,
				HostImport{MemSlot: -1, Func: func(*Store, []Raw, []byte) error { tt.panic(); return nil }})
			s := instantiate(t, p, StoreOptions{})
			err := s.Call(0, nil)
			var pe *PanicError
			if !errors.As(err, &pe) {
				t.Fatalf("got %v, want a PanicError", err)
			}
			if !strings.Contains(string(pe.Stack), "TestHostPanic") {
				t.Errorf("the stack does not lead here:\n%s", pe.Stack)
			}
			tt.check(t, err)
		})
	}
}

// A host function may call back into the guest, and what goes wrong there
// reaches the outer call whole.
func TestNestedCalls(t *testing.T) {
	var swallow bool
	p := single(t, onDemand, `(module
		(import "h" "again" (func $again (param i32) (result i32)))
		(func (export "down") (param i32) (result i32)
			(if (result i32) (i32.eqz (local.get 0))
				(then (unreachable))
				(else (i32.add (i32.const 1) (call $again (i32.sub (local.get 0) (i32.const 1))))))))`,
		HostImport{Type: FuncType{[]ValKind{I32}, []ValKind{I32}}, MemSlot: -1,
			Func: func(s *Store, st []Raw, _ []byte) error {
				inner := raw(st[0].U64())
				if err := s.Call(0, inner); err != nil {
					if !swallow {
						return err
					}
					inner[0].SetU32(100)
				}
				st[0] = inner[0]
				return nil
			}})
	s := instantiate(t, p, StoreOptions{})
	err := s.Call(0, raw(5))
	var outer, inner *Trap
	if !errors.As(err, &outer) || outer.Code != TrapHost {
		t.Fatalf("got %v", err)
	}
	for cause := error(outer); cause != nil; cause = errors.Unwrap(cause) {
		inner = cause.(*Trap)
	}
	if inner.Code != TrapUnreachable {
		t.Errorf("innermost trap %v", inner.Code)
	}

	swallow = true
	st := raw(5)
	if err := s.Call(0, st); err != nil || st[0].U32() != 105 {
		t.Errorf("got %v, %v; want 105", st, err)
	}
}

const loops = `(module
	(func (export "loop") (loop (br 0)))
	(func (export "calls") (local i32) (loop (call 2) (br 0)))
	(func)
	(func (export "ok") (result i32) (i32.const 1)))`

func TestInterrupt(t *testing.T) {
	p := single(t, onDemand, loops)
	interrupts := []struct {
		name  string
		start func(s *Store)
		want  error
	}{
		{"deadline", func(s *Store) { s.SetDeadline(time.Now().Add(20 * time.Millisecond)) }, ErrDeadline},
		{"cancel", func(s *Store) { time.AfterFunc(20*time.Millisecond, s.Cancel) }, ErrCanceled},
	}
	for _, tt := range interrupts {
		for slot, name := range []string{"loop", "calls"} {
			t.Run(tt.name+" "+name, func(t *testing.T) {
				other := instantiate(t, p, StoreOptions{})
				s := instantiate(t, p, StoreOptions{})
				done := make(chan struct{})
				defer close(done)
				tt.start(s)
				begin := time.Now()
				err := s.Call(slot, nil)
				if took := time.Since(begin); took < 18*time.Millisecond || took > 2*time.Second {
					t.Errorf("interrupted after %v, wanted 20ms", took)
				}
				var trap *Trap
				if !errors.Is(err, tt.want) || !errors.Is(err, ErrInterrupted) || !errors.As(err, &trap) {
					t.Fatalf("got %v, want %v", err, tt.want)
				}
				if trap.Code != TrapInterrupt || len(trap.Frames) == 0 {
					t.Errorf("trap %+v", trap)
				}
				if err := s.Call(2, raw(0)); !errors.Is(err, tt.want) {
					t.Errorf("the next call: got %v, want %v", err, tt.want)
				}
				if err := other.Call(2, raw(0)); err != nil {
					t.Errorf("another store was touched: %v", err)
				}
			})
		}
	}
}

// A guest that runs longer than a tick, with nothing against it, runs on.
func TestRunningOnAcrossTicks(t *testing.T) {
	p := single(t, onDemand, `(module (import "h" "more" (func $more (result i32)))
		(func (export "f") (loop (br_if 0 (call $more)))))`,
		HostImport{Type: FuncType{Results: []ValKind{I32}}, MemSlot: -1,
			Func: func(s *Store, st []Raw, _ []byte) error {
				st[0].SetU32(0)
				if time.Now().Before(s.Data.(time.Time)) {
					st[0].SetU32(1)
				}
				return nil
			}})
	s := instantiate(t, p, StoreOptions{
		Data: time.Now().Add(30 * time.Millisecond), Deadline: time.Now().Add(time.Hour)})
	if err := s.Call(0, nil); err != nil {
		t.Error(err)
	}
	s.SetDeadline(time.Now().Add(-time.Second))
	if err := s.Call(0, nil); !errors.Is(err, ErrDeadline) {
		t.Errorf("past the deadline: %v", err)
	}
	s.SetDeadline(time.Time{})
	if err := s.Call(0, nil); err != nil {
		t.Errorf("after the deadline was removed: %v", err)
	}
}

// A cancellation that comes after Close must not reach the store that has the
// cell now, and must not undo a cancellation of that store.
func TestLateCancel(t *testing.T) {
	p := single(t, onDemand, loops)
	old := instantiate(t, p, StoreOptions{})
	old.Close()
	s := instantiate(t, p, StoreOptions{})
	if s.cell != old.cell {
		t.Fatal("the cell was not handed out again")
	}
	old.Cancel()
	if err := s.Call(2, raw(0)); err != nil {
		t.Errorf("a late cancellation hit the next store: %v", err)
	}
	s.Cancel()
	old.Cancel()
	if err := s.Call(2, raw(0)); !errors.Is(err, ErrCanceled) {
		t.Errorf("got %v, want ErrCanceled", err)
	}
}

func TestReason(t *testing.T) {
	tests := []struct{ message, want string }{
		{"plain", "plain"},
		{"incompatible import type for `a::b`\n\nCaused by:\n    types incompatible: expected x", "incompatible import type for `a::b`: types incompatible: expected x"},
		{"error while executing at wasm backtrace:\n    0: 0x1 - f\n\nCaused by:\n    wasm trap: oops", "oops"},
		{"error while executing at wasm backtrace:\n    0: 0x1 - f\n\nCaused by:\n    0: fault\n    1: wasm trap: out of bounds\n\nStack backtrace:\n   0: <unknown>\x00", "fault: out of bounds"},
		{"", ""},
	}
	for _, tt := range tests {
		if got := reason(tt.message); got != tt.want {
			t.Errorf("reason(%q) = %q, want %q", tt.message, got, tt.want)
		}
	}
}

func TestTrapCodeNames(t *testing.T) {
	var names []string
	for code := TrapStackOverflow; code <= TrapInterrupt; code++ {
		names = append(names, code.String())
	}
	slices.Sort(names)
	if len(slices.Compact(names)) != 11 {
		t.Errorf("names are not distinct: %q", names)
	}
	if got := TrapCode(77).String(); got != "trap code 77" {
		t.Errorf("unknown code: %q", got)
	}
}
