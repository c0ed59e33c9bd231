package compose_test

import (
	"context"
	"fmt"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/component/compose"
)

// A component whose import is met by another component, which may use nothing
// of the host: its linker has no interfaces.
func Example() {
	ctx := context.Background()
	engine, err := component.NewEngine(component.EngineConfig{})
	if err != nil {
		panic(err)
	}
	defer engine.Close()
	part := func(name, text string) *component.Part {
		wasm, err := component.FromText(text)
		if err != nil {
			panic(err)
		}
		c, err := engine.Compile(ctx, name, wasm, component.CompileOptions{})
		if err != nil {
			panic(err)
		}
		return &component.Part{Name: name, Component: c, Linker: component.NewLinker()}
	}

	double := part("double", `(component
	  (core module $m (func (export "double") (param i32) (result i32) (i32.shl (local.get 0) (i32.const 1))))
	  (core instance $i (instantiate $m))
	  (func $double (param "n" u32) (result u32) (canon lift (core func $i "double")))
	  (instance $math (export "double" (func $double)))
	  (export "example:math/double@1.2.0" (instance $math)))`)
	defer double.Component.Close()
	main := part("main", `(component
	  (import "example:math/double@1.0.0" (instance $math (export "double" (func (param "n" u32) (result u32)))))
	  (core func $double (canon lower (func $math "double")))
	  (core module $m
	    (import "" "double" (func $double (param i32) (result i32)))
	    (func (export "run") (param i32) (result i32) (i32.add (call $double (local.get 0)) (i32.const 1))))
	  (core instance $i (instantiate $m (with "" (instance (export "double" (func $double))))))
	  (func (export "run") (param "n" u32) (result u32) (canon lift (core func $i "run"))))`)
	defer main.Component.Close()

	if err := compose.Bind(main, compose.Dependency{Key: "example:math", Part: double}); err != nil {
		panic(err)
	}
	pre, err := component.LinkParts(main)
	if err != nil {
		panic(err)
	}
	defer pre.Close()
	in, err := pre.Instantiate(ctx, component.InstantiateOptions{})
	if err != nil {
		panic(err)
	}
	defer in.Close()
	run, err := pre.Export("", "run", nil)
	if err != nil {
		panic(err)
	}
	n, err := in.CallVals(run, abi.U32Val(20))
	fmt.Println(n.Uint(), err)
	// Output: 41 <nil>
}
