package component

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/minispin/minispin/component/abi"
)

var stringFunc = &abi.Func{Params: []abi.Field{{Name: "x", Type: abi.String}}, Result: abi.String}

// withRealloc is a component whose realloc has the given body; "out" is a host
// function that it may call, with the type () -> ().
func withRealloc(body string) string {
	return fmt.Sprintf(`(component
  (import "host:test/api" (instance $api
    (export "out" (func))
    (export "text" (func (result string)))))
  (core func $out (canon lower (func $api "out")))
  (core module $m
    (import "" "out" (func $out))
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) %s)
    (func (export "len") (param i32 i32) (result i32) (local.get 1))
    (func (export "sum") (param $p i32) (param $n i32) (result i32)
      (local $s i32)
      (block $end (loop $next
        (br_if $end (i32.eqz (local.get $n)))
        (local.set $s (i32.add (local.get $s) (i32.load8_u (local.get $p))))
        (local.set $p (i32.add (local.get $p) (i32.const 1)))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $next)))
      (local.get $s)))
  (core instance $m (instantiate $m (with "" (instance (export "out" (func $out))))))
  (core func $text (canon lower (func $api "text") (memory $m "memory") (realloc (func $m "realloc"))))
  (core module $t
    (import "" "text" (func $text (param i32)))
    (func (export "ask") (call $text (i32.const 8))))
  (core instance $t (instantiate $t (with "" (instance (export "text" (func $text))))))
  (func (export "len") (param "x" string) (result u32)
    (canon lift (core func $m "len") (memory $m "memory") (realloc (func $m "realloc"))))
  (func (export "sum") (param "x" (list u8)) (result u32)
    (canon lift (core func $m "sum") (memory $m "memory") (realloc (func $m "realloc"))))
  (func (export "words") (param "x" (list u32)) (result u32)
    (canon lift (core func $m "len") (memory $m "memory") (realloc (func $m "realloc"))))
  (func (export "ask") (canon lift (core func $t "ask"))))`, body)
}

func reallocHost(t *testing.T, text string) *Linker {
	return hostAPI(t,
		dynamic(t, "out", &abi.Func{}, func(*Call, []abi.Val) (abi.Val, error) { return abi.Val{}, nil }),
		dynamic(t, "text", &abi.Func{Result: abi.String}, func(*Call, []abi.Val) (abi.Val, error) { return abi.StringVal(text), nil }))
}

func TestHostileRealloc(t *testing.T) {
	const size = 65536
	e := engine(t)
	tests := []struct {
		name, body string
		call       string
		arg        abi.Val
		want       string
	}{
		{"beyond the end", "(i32.const 0xfffffff0)", "len", abi.StringVal("twenty bytes of text"), "realloc return: beyond end of memory"},
		{"across the end", fmt.Sprintf("(i32.const %d)", size-3), "len", abi.StringVal("four"), "realloc return: beyond end of memory"},
		{"unaligned", "(i32.const 2)", "words", abi.ScalarsVal([]uint32{1}), "realloc return: result not aligned"},
		{"traps", "unreachable", "len", abi.StringVal("x"), "unreachable"},
		{"calls out", "(call $out) (i32.const 0)", "len", abi.StringVal("x"), "cannot leave component instance"},
		{"beyond the end, for the host's result", "(i32.const -1)", "ask", abi.Val{}, "realloc return: beyond end of memory"},
		{"traps for the host's result", "unreachable", "ask", abi.Val{}, "unreachable"},
		{"calls out for the host's result", "(call $out) (i32.const 0)", "ask", abi.Val{}, "cannot leave component instance"},
		{"recurses", "(call 1 (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))", "len", abi.StringVal("x"), "stack"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pre := buildText(t, e, reallocHost(t, "a text"), "realloc", withRealloc(tt.body))
			in := instantiate(t, pre, InstantiateOptions{})
			var args []abi.Val
			if tt.arg.Kind() != abi.KindInvalid {
				args = append(args, tt.arg)
			}
			_, err := in.CallVals(export(t, pre, "", tt.call), args...)
			caller{t: t, in: in}.trapped(tt.want, tt.call, err)
		})
	}
	t.Run("null for nothing", func(t *testing.T) {
		pre := buildText(t, e, reallocHost(t, ""), "realloc", withRealloc("(i32.const 0)"))
		in := instantiate(t, pre, InstantiateOptions{})
		if v, err := in.CallVals(export(t, pre, "", "len"), abi.StringVal("")); err != nil || v.Uint() != 0 {
			t.Errorf("%v, %v", v, err)
		}
	})
	t.Run("exactly at the end", func(t *testing.T) {
		pre := buildText(t, e, reallocHost(t, ""), "realloc", withRealloc(fmt.Sprintf("(i32.const %d)", size-4)))
		in := instantiate(t, pre, InstantiateOptions{})
		if v, err := in.CallVals(export(t, pre, "", "sum"), abi.BytesVal([]byte{1, 2, 3, 4})); err != nil || v.Uint() != 10 {
			t.Errorf("%v, %v", v, err)
		}
	})
	t.Run("grows", func(t *testing.T) {
		// Each block is a page of its own, made on demand.
		pre := buildText(t, e, reallocHost(t, ""), "realloc", withRealloc("(i32.mul (memory.grow (i32.const 1)) (i32.const 65536))"))
		in := instantiate(t, pre, InstantiateOptions{})
		for i := range 20 {
			b := []byte{byte(i), 1, 1}
			if v, err := in.CallVals(export(t, pre, "", "sum"), abi.BytesVal(b)); err != nil || v.Uint() != uint64(i+2) {
				t.Fatalf("block %d: %v, %v", i, v, err)
			}
		}
	})
	t.Run("grows to the limit", func(t *testing.T) {
		pre := buildText(t, e, reallocHost(t, ""), "realloc", withRealloc("(i32.mul (memory.grow (i32.const 1)) (i32.const 65536))"))
		in := instantiate(t, pre, InstantiateOptions{Limits: Limits{MemoryBytes: 3 * size}})
		f := export(t, pre, "", "sum")
		for range 2 {
			if _, err := in.CallVals(f, abi.BytesVal([]byte{1})); err != nil {
				t.Fatal(err)
			}
		}
		_, err := in.CallVals(f, abi.BytesVal([]byte{1}))
		caller{t: t, in: in}.trapped("beyond end of memory", "sum", err)
	})
}

// TestHostileResults: what a guest returns is not to be trusted either.
func TestHostileResults(t *testing.T) {
	e := unvalidated(t)
	tests := []struct {
		name, typ, enc string
		a, b           uint32 // stored at 16, where the result lies
		ret            uint32
		want           string
	}{
		{"pointer out of memory", "string", "utf8", 0, 0, 0xfffffff0, "out of bounds"},
		{"pointer unaligned", "string", "utf8", 0, 0, 17, "unaligned"},
		{"string beyond the end", "string", "utf8", 65530, 10, 16, "out of bounds"},
		{"string of wrapping length", "string", "utf8", 16, 0xffffffff, 16, ""},
		{"utf16 unaligned", "string", "utf16", 33, 2, 16, "unaligned"},
		{"utf16 beyond the end", "string", "utf16", 65534, 2, 16, "out of bounds"},
		{"latin1 tail", "string", "latin1+utf16", 65534, 1<<31 | 2, 16, "out of bounds"},
		{"latin1 unaligned", "string", "latin1+utf16", 65533, 1, 16, "unaligned"},
		{"not utf8", "string", "utf8", 64, 4, 16, "utf-8"},
		{"list beyond the end", "(list u64)", "utf8", 65528, 2, 16, "out of bounds"},
		{"list of wrapping size", "(list u64)", "utf8", 16, 0x20000001, 16, ""},
		{"list unaligned", "(list u64)", "utf8", 17, 1, 16, "unaligned"},
		{"no such case", `(variant (case "a" u32) (case "b"))`, "utf8", 2, 0, 16, "discriminant"},
		{"no such handle", "(tuple (own $r) u32)", "utf8", 7, 0, 16, "unknown handle index 7"},
		{"no char", "(tuple char char)", "utf8", 0xd800, 0, 16, "char"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := fmt.Sprintf(`(component
  (type $r (resource (rep i32)))
  (core module $m
    (memory (export "memory") 1)
    (data (i32.const 64) "\ff\fe\fd\fc")
    (func (export "f") (result i32)
      (i32.store (i32.const 16) (i32.const %d))
      (i32.store (i32.const 20) (i32.const %d))
      (i32.const %d)))
  (core instance $m (instantiate $m))
  (func (export "f") (result %s)
    (canon lift (core func $m "f") (memory $m "memory") string-encoding=%s)))`,
				tt.a, tt.b, tt.ret, tt.typ, tt.enc)
			pre := buildText(t, e, NewLinker(), "result", text)
			in := instantiate(t, pre, InstantiateOptions{})
			_, err := in.CallVals(export(t, pre, "", "f"))
			if err == nil || in.Fault() == nil {
				t.Fatalf("error %v, fault %v", err, in.Fault())
			}
			if !strings.Contains(strings.ToLower(err.Error()), tt.want) {
				t.Errorf("%v, want %q in it", err, tt.want)
			}
		})
	}
}

// TestUncheckedTypes: a core function is called without the engine's check, so
// one of another type than its use asks for must not link. The first would let
// an integer be called as a function.
func TestUncheckedTypes(t *testing.T) {
	e := unvalidated(t)
	const module = `(component
  (core module $m
    (memory (export "memory") 1)
    (table (export "table") 1 funcref)
    (func (export "ref") (param funcref))
    (func (export "ext") (result externref) (ref.null extern))
    (func (export "i64") (param i64))
    (func (export "two") (param i32 i32))
    (func (export "none"))
    (func (export "retptr") (result i32) (i32.const 0)))
  (core instance $m (instantiate $m))
  %s)`
	tests := []struct{ name, def, want string }{
		{"reference parameter", `(func (export "f") (param "x" u64) (canon lift (core func $m "ref")))`, "the lifted function must have the core type"},
		{"reference result", `(func (export "f") (result u64) (canon lift (core func $m "ext")))`, "the lifted function must have the core type"},
		{"wider parameter", `(func (export "f") (param "x" u32) (canon lift (core func $m "i64")))`, "the lifted function must have the core type"},
		{"more parameters", `(func (export "f") (param "x" u32) (canon lift (core func $m "two")))`, "the lifted function must have the core type"},
		{"realloc", `(func (export "f") (canon lift (core func $m "none") (memory $m "memory") (realloc (func $m "ref"))))`, "a realloc function must have the core type"},
		{"post-return", `(func (export "f") (canon lift (core func $m "none") (post-return (func $m "ref"))))`, "the post-return function must have the core type"},
		{"destructor", `(type $r (resource (rep i32) (dtor (func $m "ref"))))`, "a resource's destructor must have the core type"},
		{"memory that is a table", `(func (export "f") (canon lift (core func $m "none") (memory $m "table")))`, "is a table, not a memory"},
		{"function that is a memory", `(func (export "f") (canon lift (core func $m "memory")))`, "is a memory, not a func"},
		{"no such export", `(func (export "f") (canon lift (core func $m "gone")))`, `no export "gone"`},
		{"resource.new of another's type", `(component $c (import "r" (type $r (sub resource))) (core func (canon resource.new $r)))
			(type $t (resource (rep i32))) (instance (instantiate $c (with "r" (type $t))))`, "this component defines"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wasm, err := FromText(fmt.Sprintf(module, tt.def))
			if err != nil {
				t.Fatal(err)
			}
			c, err := e.Compile(context.Background(), "unchecked", wasm, CompileOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			pre, err := NewLinker().Link(c)
			if err == nil {
				pre.Close()
				t.Fatal("it links")
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q in it", err, tt.want)
			}
		})
	}
}

// TestPostReturn: it runs after the result was lifted, may not call out, may
// look at its own resources, and its trap is the call's.
func TestPostReturn(t *testing.T) {
	e := engine(t)
	const text = `(component
  (import "host:test/log" (instance $log (export "dropped" (func (param "rep" u32)))))
  (type $r (resource (rep i32)))
  (core func $dropped (canon lower (func $log "dropped")))
  (core func $new (canon resource.new $r))
  (core func $rep (canon resource.rep $r))
  (core module $m
    (import "" "dropped" (func $dropped (param i32)))
    (import "" "new" (func $new (param i32) (result i32)))
    (import "" "rep" (func $rep (param i32) (result i32)))
    (func (export "f") (result i32) (call $new (i32.const 5)))
    (func (export "post") (param i32) %s))
  (core instance $m (instantiate $m (with "" (instance
    (export "dropped" (func $dropped)) (export "new" (func $new)) (export "rep" (func $rep))))))
  (func (export "f") (result u32) (canon lift (core func $m "f") (post-return (func $m "post")))))`
	for _, tt := range []struct{ name, body, want string }{
		{"rep", "(drop (call $rep (local.get 0)))", ""},
		{"calls out", "(call $dropped (local.get 0))", "cannot leave component instance"},
		{"makes a handle", "(drop (call $new (local.get 0)))", "cannot leave component instance"},
		{"traps", "unreachable", "unreachable"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log := &dropLog{}
			pre := buildText(t, e, log.linker(t), "post", fmt.Sprintf(text, tt.body))
			in := instantiate(t, pre, InstantiateOptions{})
			v, err := in.CallVals(export(t, pre, "", "f"))
			if tt.want == "" {
				if err != nil || v.Uint() != 1 {
					t.Errorf("f = %v, %v", v, err)
				}
				return
			}
			caller{t: t, in: in}.trapped(tt.want, "f", err)
			if len(log.reps) > 0 {
				t.Error("the host function ran")
			}
		})
	}
}

// TestHostFailures: an error or a panic of a host function ends the guest and is
// found in the error of the call.
func TestHostFailures(t *testing.T) {
	e := engine(t)
	sick := errors.New("not today")
	for name, tt := range map[string]struct {
		fn    HostFunc
		check func(error) bool
	}{
		"error":     {func(*Call, []Raw) error { return fmt.Errorf("wrapped: %w", sick) }, func(err error) bool { return errors.Is(err, sick) }},
		"trap":      {func(c *Call, _ []Raw) error { c.Trapf("no %s", "way"); return nil }, func(err error) bool { return strings.Contains(err.Error(), "no way") }},
		"panic":     {func(*Call, []Raw) error { panic("ouch") }, isPanic("ouch")},
		"index":     {func(_ *Call, st []Raw) error { _ = st[len(st)]; return nil }, isPanic(nil)},
		"nil deref": {func(*Call, []Raw) error { var p *counter; p.n++; return nil }, isPanic(nil)},
	} {
		t.Run(name, func(t *testing.T) {
			l := hostAPI(t, Func{Name: "f", Type: stringFunc, Call: tt.fn})
			pre := buildText(t, e, l, "failing", passThrough(stringFunc, "utf8"))
			in := instantiate(t, pre, InstantiateOptions{})
			_, err := in.CallVals(export(t, pre, "", "f"), abi.StringVal("x"))
			if err == nil || !tt.check(err) {
				t.Errorf("error %v", err)
			}
			var trap *Trap
			if !errors.As(err, &trap) || len(trap.Frames) == 0 {
				t.Errorf("the error has no guest stack: %v", err)
			}
			if in.Fault() == nil {
				t.Error("the instance is not poisoned")
			}
		})
	}
}

func isPanic(value any) func(error) bool {
	return func(err error) bool {
		var p *PanicError
		return errors.As(err, &p) && (value == nil || p.Value == value) && len(p.Stack) > 0
	}
}

func TestMisusedInstance(t *testing.T) {
	e := engine(t)
	l := hostAPI(t, dynamic(t, "f", stringFunc, func(_ *Call, args []abi.Val) (abi.Val, error) { return args[0], nil }))
	pre := buildText(t, e, l, "one", passThrough(stringFunc, "utf8"))
	other := buildText(t, e, l, "other", passThrough(stringFunc, "utf8"))
	in := instantiate(t, pre, InstantiateOptions{})
	f := export(t, pre, "", "f")
	func() {
		defer func() {
			if recover() == nil {
				t.Error("a function of another component was called")
			}
		}()
		in.CallVals(export(t, other, "", "f"), abi.StringVal("x"))
	}()
	in.Close()
	if _, err := in.CallVals(f, abi.StringVal("x")); !errors.Is(err, ErrInstanceClosed) {
		t.Errorf("a call after Close: %v, want ErrInstanceClosed", err)
	}
	in.Cancel() // too late, and harmless to the next instance
	next := instantiate(t, pre, InstantiateOptions{})
	if _, err := next.CallVals(f, abi.StringVal("x")); err != nil {
		t.Errorf("the next instance: %v", err)
	}
	if in.Close(); next.cis == nil {
		t.Error("closing twice closed another instance")
	}
}

// TestContext: an instance ends with its context, wherever the guest is.
func TestContext(t *testing.T) {
	e, err := NewEngine(EngineConfig{Tick: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	unit := &abi.Func{}
	entered := make(chan struct{}, 1)
	l := hostAPI(t, dynamic(t, "wait", unit, func(c *Call, _ []abi.Val) (abi.Val, error) {
		select {
		case entered <- struct{}{}:
		default:
		}
		<-c.Context().Done()
		return abi.Val{}, context.Cause(c.Context())
	}))
	pre := buildText(t, e, l, "waiting", `(component
  (import "host:test/api" (instance $api (export "wait" (func))))
  (core func $wait (canon lower (func $api "wait")))
  (core module $m
    (import "" "wait" (func $wait))
    (func (export "wait") (call $wait))
    (func (export "spin") (loop $l (br $l)))
    (func (export "nop")))
  (core instance $m (instantiate $m (with "" (instance (export "wait" (func $wait))))))
  (func (export "wait") (canon lift (core func $m "wait")))
  (func (export "spin") (canon lift (core func $m "spin")))
  (func (export "nop") (canon lift (core func $m "nop"))))`)
	gone := errors.New("the client is gone")

	t.Run("before", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(gone)
		if in, err := pre.Instantiate(ctx, InstantiateOptions{}); !errors.Is(err, gone) {
			t.Errorf("%v, %v; want the cause", in, err)
		}
	})
	t.Run("between", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(context.Background())
		in, err := pre.Instantiate(ctx, InstantiateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		cancel(gone)
		<-ctx.Done()
		for i := range 1000 {
			if _, err = in.CallVals(export(t, pre, "", "nop")); err != nil {
				break
			}
			if i > 500 {
				time.Sleep(time.Millisecond)
			}
		}
		if !errors.Is(err, gone) || !errors.Is(err, ErrInterrupted) {
			t.Errorf("%v, want the cause", err)
		}
	})
	for _, where := range []string{"spin", "wait"} {
		t.Run("cancelled in "+where, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(context.Background())
			in, err := pre.Instantiate(ctx, InstantiateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			time.AfterFunc(10*time.Millisecond, func() { cancel(gone) })
			if _, err := in.CallVals(export(t, pre, "", where)); !errors.Is(err, gone) {
				t.Errorf("%v, want the cause", err)
			}
		})
		t.Run("deadline in "+where, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
			defer cancel()
			in, err := pre.Instantiate(ctx, InstantiateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			began := time.Now()
			if _, err := in.CallVals(export(t, pre, "", where)); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v, want DeadlineExceeded", err)
			}
			if d := time.Since(began); d > 2*time.Second {
				t.Errorf("it took %v", d)
			}
		})
	}
	t.Run("Cancel", func(t *testing.T) {
		in := instantiate(t, pre, InstantiateOptions{})
		time.AfterFunc(10*time.Millisecond, in.Cancel)
		if _, err := in.CallVals(export(t, pre, "", "spin")); !errors.Is(err, ErrInterrupted) {
			t.Errorf("%v, want ErrInterrupted", err)
		}
	})
	t.Run("after", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		in, err := pre.Instantiate(ctx, InstantiateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		in.Close()
		next := instantiate(t, pre, InstantiateOptions{})
		cancel()
		time.Sleep(5 * time.Millisecond)
		if _, err := next.CallVals(export(t, pre, "", "nop")); err != nil {
			t.Errorf("the end of one context reached another instance: %v", err)
		}
	})
}

// late is a context that does not end when its deadline passes.
type late struct {
	context.Context
	deadline time.Time
}

func (l late) Deadline() (time.Time, bool) { return l.deadline, true }

// TestStartFunctions: code that runs at instantiation meets the same limits, and
// may call the host.
func TestStartFunctions(t *testing.T) {
	e, err := NewEngine(EngineConfig{Tick: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	component := func(start string) string {
		return fmt.Sprintf(`(component
  (import "host:test/log" (instance $log (export "dropped" (func (param "rep" u32)))))
  (core func $dropped (canon lower (func $log "dropped")))
  (core module $m
    (import "" "dropped" (func $dropped (param i32)))
    (memory 1)
    (func $start %s)
    (start $start))
  (core instance $a (instantiate $m (with "" (instance (export "dropped" (func $dropped)))))))`, start)
	}
	t.Run("calls out", func(t *testing.T) {
		log := &dropLog{}
		pre := buildText(t, e, log.linker(t), "start", component("(call $dropped (i32.const 7))"))
		for range 3 {
			instantiate(t, pre, InstantiateOptions{})
		}
		if fmt.Sprint(log.reps) != "[7 7 7]" {
			t.Errorf("the host saw %v", log.reps)
		}
	})
	t.Run("traps", func(t *testing.T) {
		pre := buildText(t, e, (&dropLog{}).linker(t), "start", component("unreachable"))
		_, err := pre.Instantiate(context.Background(), InstantiateOptions{})
		var trap *Trap
		if !errors.As(err, &trap) || !strings.Contains(err.Error(), "component start: ") {
			t.Errorf("%v", err)
		}
	})
	t.Run("loops", func(t *testing.T) {
		pre := buildText(t, e, (&dropLog{}).linker(t), "start", component("(loop $l (br $l))"))
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		defer cancel()
		if _, err := pre.Instantiate(ctx, InstantiateOptions{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, want DeadlineExceeded", err)
		}
	})
	t.Run("loops longer than a context that is late", func(t *testing.T) {
		pre := buildText(t, e, (&dropLog{}).linker(t), "start", component("(loop $l (br $l))"))
		ctx := late{context.Background(), time.Now().Add(10 * time.Millisecond)}
		_, err := pre.Instantiate(ctx, InstantiateOptions{})
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, ErrDeadline) {
			t.Errorf("%v, want DeadlineExceeded and ErrDeadline", err)
		}
	})
	t.Run("the host panics", func(t *testing.T) {
		l := NewLinker()
		err := l.Define(&Interface{Name: "host:test/log", Funcs: []Func{{
			Name: "dropped", Type: &abi.Func{Params: []abi.Field{{Name: "rep", Type: abi.U32}}},
			Call: func(*Call, []Raw) error { panic("in start") },
		}}})
		if err != nil {
			t.Fatal(err)
		}
		pre := buildText(t, e, l, "start", component("(call $dropped (i32.const 7))"))
		if _, err := pre.Instantiate(context.Background(), InstantiateOptions{}); !isPanic("in start")(err) {
			t.Errorf("%v", err)
		}
	})
	t.Run("memory beyond the limit", func(t *testing.T) {
		pre := buildText(t, e, (&dropLog{}).linker(t), "start", component("nop"))
		if _, err := pre.Instantiate(context.Background(), InstantiateOptions{Limits: Limits{MemoryBytes: 100}}); err == nil {
			t.Error("a memory above the limit was made")
		}
	})
}

// TestMemoriesAndTables: their number and size are bounded for the instance.
func TestMemoriesAndTables(t *testing.T) {
	e := engine(t)
	many := "(component (core module $m (memory 1) (table 10 funcref))" + strings.Repeat("(core instance (instantiate $m))", 5) + ")"
	pre := buildText(t, e, NewLinker(), "many", many)
	for _, tt := range []struct {
		limits Limits
		ok     bool
	}{
		{Limits{}, true},
		{Limits{Memories: 5, MemoryBytes: 65536, TableElements: 10}, true},
		{Limits{Memories: 4}, false},
		{Limits{MemoryBytes: 65535}, false},
		{Limits{TableElements: 9}, false},
	} {
		in, err := pre.Instantiate(context.Background(), InstantiateOptions{Limits: tt.limits})
		if (err == nil) != tt.ok {
			t.Errorf("%+v: %v", tt.limits, err)
		}
		if err == nil {
			in.Close()
		}
	}
}
