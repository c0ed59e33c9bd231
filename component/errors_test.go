package component

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minispin/minispin/component/abi"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// golden compares got with a file in testdata.
func golden(t *testing.T, file, got string) {
	t.Helper()
	path := filepath.Join("testdata", file)
	got += "\n"
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if text := strings.ReplaceAll(string(want), "\r\n", "\n"); got != text {
		t.Errorf("got:\n%s\nwant:\n%s", got, text)
	}
}

func compileErr(e *Engine, wasm []byte) error {
	c, err := e.Compile(context.Background(), "broken", wasm, CompileOptions{})
	if err == nil {
		c.Close()
	}
	return err
}

func TestCompileErrors(t *testing.T) {
	e := engine(t)
	for _, tt := range []struct {
		name string
		wasm string
		want string
	}{
		{"empty", "", "component broken: the file is empty"},
		{"short", "\x00asm", "component broken: the file is 4 bytes, too short for a WebAssembly header of 8"},
		{"text", "(component)", `component broken: not WebAssembly: the file begins with "(com", not with "\x00asm"`},
		{"version", "\x00asm\x02\x00\x00\x00", "component broken: a WebAssembly version this host does not know: header 02 00 00 00"},
		{"module", "\x00asm\x01\x00\x00\x00\x63", "component broken: "},
		{"component", "\x00asm\x0d\x00\x01\x00\x63", "component broken: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := compileErr(e, []byte(tt.wasm)); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	wasm, err := FromText("(component (core module))")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Compile(ctx, "late", wasm, CompileOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("compiling for a context that is done: %v", err)
	}
}

// TestBrokenBytes: every truncation of a component and a thousand random changes
// give an error or a component, and nothing worse.
func TestBrokenBytes(t *testing.T) {
	text, err := os.ReadFile("testdata/guest-resource.wat")
	if err != nil {
		t.Fatal(err)
	}
	wasm, err := FromText(string(text))
	if err != nil {
		t.Fatal(err)
	}
	e := engine(t)
	l := (&dropLog{}).linker(t)
	try := func(b []byte) {
		c, err := e.Compile(context.Background(), "broken", b, CompileOptions{})
		if err != nil {
			return
		}
		defer c.Close()
		if pre, err := l.Link(c); err == nil {
			pre.Close()
		}
	}
	for n := range len(wasm) {
		if n%7 == 0 {
			try(wasm[:n])
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		b := append([]byte(nil), wasm...)
		for range 1 + r.IntN(3) {
			b[r.IntN(len(b))] = byte(r.Uint32())
		}
		try(b)
	}
}

func linkText(t *testing.T, e *Engine, l *Linker, name, text string) error {
	t.Helper()
	wasm, err := FromText(text)
	if err != nil {
		t.Fatal(err)
	}
	c, err := e.Compile(context.Background(), name, wasm, CompileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	pre, err := l.Link(c)
	if err == nil {
		pre.Close()
	}
	return err
}

// TestMissingImports lists all that is missing of a component, each once.
func TestMissingImports(t *testing.T) {
	e := engine(t)
	h := &counters{}
	err := linkText(t, e, h.linker(t), "wanting", `(component
	  (import "a:b/none@1.0.0" (instance $none
	    (export "handle" (type $h (sub resource)))
	    (export "open" (func (result (own $h))))))
	  (alias export $none "handle" (type $h))
	  (import "a:b/user@1.0.0" (instance
	    (alias outer 1 $h (type $t))
	    (export "handle" (type (eq $t)))
	    (export "use" (func (param "h" (borrow $t))))))
	  (import "a:b/types@1.0.0" (instance
	    (type $r (record (field "x" u32)))
	    (export "r" (type (eq $r)))))
	  (import "host:test/res" (instance
	    (export "r" (type $r (sub resource)))
	    (export "s" (type $s (sub resource)))
	    (export "[constructor]r" (func (param "v" string) (result (own $r))))
	    (export "[method]r.get" (func (param "self" (borrow $r)) (result u32)))
	    (export "[method]s.get" (func (param "self" (borrow $s))))))
	  (import "run" (func))
	  (import "thing" (type (sub resource))))`)
	var missing *MissingImportsError
	if !errors.As(err, &missing) || missing.Component != "wanting" {
		t.Fatalf("%v, want a *MissingImportsError", err)
	}
	golden(t, "missing-component.txt", err.Error())

	err = linkText(t, e, h.linker(t), "one", `(component (import "run" (func)))`)
	if want := "component one: cannot link the import run: this host has no such function"; err == nil || err.Error() != want {
		t.Errorf("%v, want %q", err, want)
	}
	err = linkText(t, e, h.linker(t), "module", `(component (import "run" (func)) (import "m" (core module)) (import "n" (func)))`)
	if !errors.As(err, &missing) || len(missing.Imports) != 3 {
		t.Errorf("a core module among the imports: %v", err)
	}
}

// TestSemver: one host interface serves every version on its track.
func TestSemver(t *testing.T) {
	e := engine(t)
	f := dynamic(t, "f", &abi.Func{}, func(*Call, []abi.Val) (abi.Val, error) { return abi.Val{}, nil })
	l := NewLinker()
	for _, name := range []string{"a:b/c@0.2.6", "a:b/c@1.4.0", "a:b/d"} {
		if err := l.Define(&Interface{Name: name, Funcs: []Func{f}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Define(&Interface{Name: "a:b/c@0.2.0"}); err == nil {
		t.Error("a track was defined twice")
	}
	if err := l.Define(&Interface{Name: "x:y/z", Funcs: []Func{f, f}}); err == nil {
		t.Error("a function was defined twice")
	}
	for name, ok := range map[string]bool{
		"a:b/c@0.2.0": true, "a:b/c@0.2.12": true, "a:b/c@0.3.0": false, "a:b/c@1.0.0": true, "a:b/c@2.0.0": false,
		"a:b/c@0.2.6-rc.1": false, "a:b/c": false, "a:b/d": true, "a:b/d@1.0.0": false,
	} {
		err := linkText(t, e, l, "versions", fmt.Sprintf(`(component (import %q (instance (export "f" (func)))))`, name))
		if (err == nil) != ok {
			t.Errorf("%s: %v, want it to link: %v", name, err, ok)
		}
	}
}

// TestExportLookup: the exact version wins, then the track; never by chance.
func TestExportLookup(t *testing.T) {
	pre := buildText(t, engine(t), NewLinker(), "exports", `(component
	  (core module $m
	    (func (export "a") (result i32) (i32.const 0))
	    (func (export "b") (result i32) (i32.const 3)))
	  (core instance $i (instantiate $m))
	  (func $a (result u32) (canon lift (core func $i "a")))
	  (func $b (result u32) (canon lift (core func $i "b")))
	  (instance $x (export "f" (func $a)))
	  (instance $y (export "f" (func $b)) (export "g" (func $b)))
	  (export "a:b/c@0.2.0" (instance $x))
	  (export "a:b/c@0.2.3" (instance $y))
	  (export "f" (func $b)))`)
	in := instantiate(t, pre, InstantiateOptions{})
	for _, tt := range []struct {
		instance, name string
		want           uint64
	}{{"a:b/c@0.2.0", "f", 0}, {"a:b/c@0.2.3", "f", 3}, {"a:b/c@0.2.9", "f", 0}, {"a:b/c@0.2.9", "g", 3}, {"", "f", 3}} {
		for range 5 {
			v, err := in.CallVals(export(t, pre, tt.instance, tt.name))
			if err != nil || v.Uint() != tt.want {
				t.Fatalf("%s %s = %v, %v; want %d", tt.instance, tt.name, v, err, tt.want)
			}
		}
	}
	for _, tt := range []struct {
		instance, name string
		typ            *abi.Func
		want           string
	}{
		{"", "h", nil, "component exports does not export the function h"},
		{"a:b/c@0.3.0", "f", nil, "component exports does not export f of a:b/c@0.3.0"},
		{"", "f", &abi.Func{Result: abi.String}, "component exports: export f has another type than expected: result: expected string, found u32"},
	} {
		if _, err := pre.Export(tt.instance, tt.name, tt.typ); err == nil || err.Error() != tt.want {
			t.Errorf("%v, want %q", err, tt.want)
		}
	}
}

// TestAsyncRefused: a component of WASI 0.3 is refused in words that help.
func TestAsyncRefused(t *testing.T) {
	// (component (import "f" (func async))): the assembler does not know it.
	wasm := []byte("\x00asm\x0d\x00\x01\x00" +
		"\x07\x05\x01\x43\x00\x01\x00" + // type: async func without parameters and result
		"\x0a\x06\x01\x00\x01f\x01\x00") // import "f" (func 0)
	e := engine(t)
	c, err := e.Compile(context.Background(), "later", wasm, CompileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, err = NewLinker().Link(c)
	const want = "component later: link: it uses the component model's async half"
	if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "Rust 5.2 and Python 3.4") {
		t.Errorf("%v, want %q and the SDKs", err, want)
	}
}

// TestHostileUnfolding: what a small file can unfold to is bounded.
func TestHostileUnfolding(t *testing.T) {
	e := unvalidated(t)
	// Each level instantiates the one below ten times.
	var doubling strings.Builder
	doubling.WriteString("(component (component $c0)")
	for i := 1; i < 12; i++ {
		fmt.Fprintf(&doubling, "(component $c%d (alias outer 1 $c%d (component $x))%s)", i, i-1, strings.Repeat("(instance (instantiate $x))", 10))
	}
	doubling.WriteString("(instance (instantiate $c11)))")
	// A component that instantiates what it is given with what it is given.
	const itself = `(component
	  (component $p (import "c" (component $c)) (instance (instantiate $c (with "c" (component $c)))))
	  (instance (instantiate $p (with "c" (component $p)))))`
	// Many instances of a module of many imports.
	var imports, args strings.Builder
	for i := range 900 {
		fmt.Fprintf(&imports, `(import "" "f%d" (func))`, i)
		fmt.Fprintf(&args, `(export "f%d" (func $i "f"))`, i)
	}
	wide := `(component (core module $f (func (export "f"))) (core instance $i (instantiate $f)) (core module $m ` + imports.String() + `)
	  (component $w (alias outer 1 $m (core module $m)) (core module $f (func (export "f"))) (core instance $i (instantiate $f))
	    ` + strings.Repeat(`(core instance (instantiate $m (with "" (instance `+args.String()+`))))`, 40) + `)
	  ` + strings.Repeat("(instance (instantiate $w))", 900) + ")"
	for name, text := range map[string]string{"tenfold": doubling.String(), "itself": itself, "wide": wide} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			err := linkText(t, e, NewLinker(), name, text)
			if err == nil || !strings.Contains(err.Error(), "more than") {
				t.Errorf("%v, want a bound", err)
			}
			if d := time.Since(began); d > 20*time.Second {
				t.Errorf("it took %v", d)
			}
		})
	}
}
