// Package wasitest runs host code as guests reach it: inside a call out of a
// real instance, with its context and memory.
//
// It is for the tests of host packages. Its one idea: a host function is tested
// by Go code that stands where the guest's would, in a core module that does
// nothing but call out.
package wasitest

import (
	"context"
	"testing"

	"github.com/minispin/minispin/component"
)

// caller is a guest that hands control to the host once. Its memory is one page.
const caller = `(module
	(import "wasitest" "body" (func $body))
	(memory (export "memory") 1)
	(func (export "_start") (call $body)))`

// Call runs body in a call out of a new instance that has ctx and the host
// value host, and returns the error of the instance: what body returned or
// panicked with, as the embedder sees it.
func Call(t testing.TB, ctx context.Context, host any, body func(c *component.Call) error) error {
	t.Helper()
	l := component.NewLinker()
	err := l.DefineCore(&component.CoreInterface{
		Module: "wasitest",
		Funcs: []component.CoreFunc{{
			Name: "body",
			Call: func(c *component.Call, _ []component.Raw) error { return body(c) },
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return Start(t, ctx, host, l, Text(t, caller))
}

// Text returns the binary form of a module or component in the text format.
func Text(t testing.TB, text string) []byte {
	t.Helper()
	wasm, err := component.FromText(text)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

// Start links the core module wasm against l and runs its _start in an instance
// that has ctx and the host value host.
func Start(t testing.TB, ctx context.Context, host any, l *component.Linker, wasm []byte) error {
	t.Helper()
	pre := Link(t, l, wasm)
	start, ok := pre.CoreFunc("_start")
	if !ok {
		t.Fatal("the guest has no _start")
	}
	in, err := pre.Instantiate(ctx, component.InstantiateOptions{Host: host})
	if err != nil {
		return err
	}
	defer in.Close()
	return in.CallCore(start, nil)
}

// Link compiles wasm in an engine of its own and links it against l. All of it
// is closed when the test ends.
func Link(t testing.TB, l *component.Linker, wasm []byte) *component.InstancePre {
	t.Helper()
	e, err := component.NewEngine(component.EngineConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	c, err := e.Compile(context.Background(), t.Name(), wasm, component.CompileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	pre, err := l.Link(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pre.Close)
	return pre
}
