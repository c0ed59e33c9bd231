package component_test

import (
	"context"
	"fmt"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/component/abi"
)

// A guest that counts words with a counter that the host implements.
const wordCounter = `(component
  (import "example:count/counters" (instance $counters
    (export "counter" (type $counter (sub resource)))
    (export "[constructor]counter" (func (param "name" string) (result (own $counter))))
    (export "[method]counter.add" (func (param "self" (borrow $counter)) (param "n" u32)))
    (export "[method]counter.total" (func (param "self" (borrow $counter)) (result u32)))))
  (alias export $counters "counter" (type $counter))
  (core module $memory
    (memory (export "memory") 1)
    (global $free (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
      (global.get $free)
      (global.set $free (i32.add (global.get $free) (local.get $size)))))
  (core instance $memory (instantiate $memory))
  (core func $new (canon lower (func $counters "[constructor]counter") (memory $memory "memory")))
  (core func $add (canon lower (func $counters "[method]counter.add")))
  (core func $total (canon lower (func $counters "[method]counter.total")))
  (core func $drop (canon resource.drop $counter))
  (core module $main
    (import "host" "new" (func $new (param i32 i32) (result i32)))
    (import "host" "add" (func $add (param i32 i32)))
    (import "host" "total" (func $total (param i32) (result i32)))
    (import "host" "drop" (func $drop (param i32)))
    (import "guest" "memory" (memory 1))
    (data (i32.const 0) "words")
    (func (export "count") (param $p i32) (param $n i32) (result i32)
      (local $c i32) (local $end i32)
      (local.set $c (call $new (i32.const 0) (i32.const 5)))
      (local.set $end (i32.add (local.get $p) (local.get $n)))
      (if (local.get $n) (then (call $add (local.get $c) (i32.const 1))))
      (block $done (loop $next
        (br_if $done (i32.eq (local.get $p) (local.get $end)))
        (if (i32.eq (i32.load8_u (local.get $p)) (i32.const 32))
          (then (call $add (local.get $c) (i32.const 1))))
        (local.set $p (i32.add (local.get $p) (i32.const 1)))
        (br $next)))
      (call $total (local.get $c))
      (call $drop (local.get $c))))
  (core instance $main (instantiate $main
    (with "guest" (instance $memory))
    (with "host" (instance
      (export "new" (func $new)) (export "add" (func $add))
      (export "total" (func $total)) (export "drop" (func $drop))))))
  (func (export "count") (param "text" string) (result u32)
    (canon lift (core func $main "count") (memory $memory "memory") (realloc (func $memory "realloc")))))`

// counter is a value of the resource type that the host implements.
type counter struct {
	name  string
	total uint64
}

// counters is the host's side of example:count/counters.
func counters() (*component.Interface, error) {
	typ := component.NewHostResource("counter", func(rep any) {
		c := rep.(*counter)
		fmt.Printf("dropped: %d %s\n", c.total, c.name)
	})
	self := abi.Field{Name: "self", Type: abi.Borrow(typ)}

	create, err := component.DynamicFunc("[constructor]counter",
		&abi.Func{Params: []abi.Field{{Name: "name", Type: abi.String}}, Result: abi.Own(typ)},
		func(_ *component.Call, args []abi.Val) (abi.Val, error) {
			return abi.OwnVal(&counter{name: args[0].Str()}), nil
		})
	if err != nil {
		return nil, err
	}
	add, err := component.DynamicFunc("[method]counter.add",
		&abi.Func{Params: []abi.Field{self, {Name: "n", Type: abi.U32}}},
		func(_ *component.Call, args []abi.Val) (abi.Val, error) {
			args[0].Rep().(*counter).total += args[1].Uint()
			return abi.Val{}, nil
		})
	if err != nil {
		return nil, err
	}
	// The same by hand, on core values: the form of generated bindings.
	total := component.Func{
		Name: "[method]counter.total",
		Type: &abi.Func{Params: []abi.Field{self}, Result: abi.U32},
		Call: func(c *component.Call, st []component.Raw) error {
			rep := c.LiftBorrow(typ, st[0].U32())
			st[0].SetU32(uint32(rep.(*counter).total))
			return nil
		},
	}
	return &component.Interface{
		Name:      "example:count/counters",
		Resources: []component.NamedResource{{Name: "counter", Type: typ}},
		Funcs:     []component.Func{create, add, total},
	}, nil
}

// Example loads a component, gives it a host interface with a resource, and
// calls it.
func Example() {
	ctx := context.Background()
	engine, err := component.NewEngine(component.EngineConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer engine.Close()

	wasm, err := component.FromText(wordCounter)
	if err != nil {
		fmt.Println(err)
		return
	}
	c, err := engine.Compile(ctx, "word-counter", wasm, component.CompileOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()

	iface, err := counters()
	if err != nil {
		fmt.Println(err)
		return
	}
	linker := component.NewLinker()
	if err := linker.Define(iface); err != nil {
		fmt.Println(err)
		return
	}
	pre, err := linker.Link(c)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer pre.Close()
	count, err := pre.Export("", "count", nil)
	if err != nil {
		fmt.Println(err)
		return
	}

	// From here on, once for each request.
	instance, err := pre.Instantiate(ctx, component.InstantiateOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer instance.Close()
	words, err := instance.CallVals(count, abi.StringVal("the quick brown fox"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("counted:", words.Uint())
	// Output:
	// dropped: 4 words
	// counted: 4
}
