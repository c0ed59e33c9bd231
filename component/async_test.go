package component

import (
	"context"
	"strings"
	"testing"

	"github.com/minispin/minispin/component/binary"
)

// TestAsyncForms: every form of the asynchronous half decodes, and a component
// that has one anywhere is refused in words that name the form and what to use.
func TestAsyncForms(t *testing.T) {
	const memory = `(core module $m (memory (export "mem") 1)
	    (func (export "f")) (func (export "cb") (param i32 i32 i32) (result i32) i32.const 0) (func (export "a") (result i32) i32.const 0))
	  (core instance $i (instantiate $m))
	  (alias core export $i "mem" (core memory $mem)) `
	for _, tt := range []struct {
		text string
		want binary.Form
	}{
		{`(import "f" (func (param "s" (stream u8))))`, binary.FormStream},
		{`(import "f" (func (result (future))))`, binary.FormFuture},
		{`(import "i" (instance (export "f" (func (param "s" (list (stream u8)))))))`, binary.FormStream},
		{`(component (import "f" (func (param "s" (stream)))))`, binary.FormStream},
		{`(type error-context)`, binary.FormErrorContext},
		{memory + `(func (export "f") (canon lift (core func $i "f") async))`, binary.FormAsyncOption},
		{memory + `(func (export "f") (canon lift (core func $i "a") async (callback (func $i "cb"))))`, binary.FormAsyncOption},
		{memory + `(import "g" (func $g)) (core func (canon lower (func $g) async (memory $mem)))`, binary.FormAsyncOption},
		{`(core func (canon task.return (result u32)))`, binary.FormAsyncBuiltin},
		{`(core func (canon task.cancel))`, binary.FormAsyncBuiltin},
		{`(core func (canon backpressure.inc))`, binary.FormAsyncBuiltin},
		{`(core func (canon subtask.drop))`, binary.FormAsyncBuiltin},
		{`(core func (canon subtask.cancel))`, binary.FormAsyncBuiltin},
		{`(core func (canon waitable-set.new))`, binary.FormAsyncBuiltin},
		{memory + `(core func (canon waitable-set.wait (memory $mem)))`, binary.FormAsyncBuiltin},
		{memory + `(core func (canon waitable-set.poll (memory $mem)))`, binary.FormAsyncBuiltin},
		{`(core func (canon waitable-set.drop))`, binary.FormAsyncBuiltin},
		{`(core func (canon waitable.join))`, binary.FormAsyncBuiltin},
		{`(type $s (stream u8)) (core func (canon stream.new $s))`, binary.FormAsyncBuiltin},
		{memory + `(type $s (stream u8)) (core func (canon stream.read $s (memory $mem)))`, binary.FormAsyncBuiltin},
		{memory + `(type $s (stream u8)) (core func (canon stream.write $s (memory $mem)))`, binary.FormAsyncBuiltin},
		{`(type $s (stream u8)) (core func (canon stream.drop-readable $s))`, binary.FormAsyncBuiltin},
		{`(type $f (future u8)) (core func (canon future.new $f))`, binary.FormAsyncBuiltin},
		{`(type $f (future u8)) (core func (canon future.cancel-write $f))`, binary.FormAsyncBuiltin},
		{`(core func (canon error-context.drop))`, binary.FormErrorContext},
		{memory + `(core func (canon error-context.new (memory $mem)))`, binary.FormErrorContext},
	} {
		t.Run(tt.text[strings.LastIndexByte(tt.text[:len(tt.text)-1], '\n')+1:], func(t *testing.T) {
			wasm, err := FromText("(component " + tt.text + ")")
			if err != nil {
				t.Fatal(err)
			}
			c, err := engine(t).Compile(context.Background(), "later", wasm, CompileOptions{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(c.Close)
			pre, err := NewLinker().Link(c)
			if err == nil {
				pre.Close()
				t.Fatal("it was linked")
			}
			for _, want := range []string{
				"component later: link: it uses the component model's async half (", string(tt.want), "Rust 5.2 and Python 3.4",
			} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q, want one with %q", err, want)
				}
			}
		})
	}

	t.Run("core module", func(t *testing.T) {
		wasm := withWorlds(t, `(module (func (export "f")))`, [2]string{`(export "f" (func (param "s" (stream u8))))`, "utf8"})
		_, err := linkBytes(t, engine(t), NewLinker(), wasm)
		if err == nil || !strings.Contains(err.Error(), "async half (stream type)") || !strings.Contains(err.Error(), "Rust 5.2 and Python 3.4") {
			t.Errorf("error %v", err)
		}
	})

	t.Run("in a dependency", func(t *testing.T) {
		wasm, err := FromText(`(component (import "f" (func (param "s" (stream u8)))))`)
		if err != nil {
			t.Fatal(err)
		}
		e := engine(t)
		used, err := e.Compile(context.Background(), "later", wasm, CompileOptions{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(used.Close)
		main, err := e.Compile(context.Background(), "main", mustText(t, `(component (import "e" (instance)))`), CompileOptions{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(main.Close)
		_, err = LinkParts(&Part{Name: "main", Component: main, Linker: NewLinker(), Imports: map[string]PartExport{
			"e": {&Part{Name: "later", Component: used, Linker: NewLinker()}, "e"},
		}})
		if err == nil || !strings.Contains(err.Error(), "import e, met by later: it uses the component model's async half") {
			t.Errorf("error %v", err)
		}
	})
}

func mustText(t testing.TB, text string) []byte {
	t.Helper()
	wasm, err := FromText(text)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}
