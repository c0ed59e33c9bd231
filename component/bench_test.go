package component

import (
	"context"
	"strings"
	"testing"

	"github.com/minispin/minispin/component/abi"
)

// benchModule calls the host n times, for the price of one import, and exports
// what moves strings and bytes.
const benchModule = `(component
  (import "host:test/api" (instance $api
    (export "add" (func (param "a" u32) (param "b" u32) (result u32)))
    (export "bytes" (func (param "b" (list u8))))
    (export "make" (func (param "n" u32) (result (list u8))))
    (export "r" (type $r (sub resource)))
    (export "[constructor]r" (func (result (own $r))))
    (export "[method]r.get" (func (param "self" (borrow $r)) (result u32)))))
  (alias export $api "r" (type $r))
  (core module $mem (memory (export "memory") 64)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65536)))
  (core instance $mem (instantiate $mem))
  (core func $add (canon lower (func $api "add")))
  (core func $bytes (canon lower (func $api "bytes") (memory $mem "memory")))
  (core func $make (canon lower (func $api "make") (memory $mem "memory") (realloc (func $mem "realloc"))))
  (core func $new (canon lower (func $api "[constructor]r")))
  (core func $get (canon lower (func $api "[method]r.get")))
  (core func $drop (canon resource.drop $r))
  (core module $m
    (import "" "add" (func $add (param i32 i32) (result i32)))
    (import "" "bytes" (func $bytes (param i32 i32)))
    (import "" "make" (func $make (param i32 i32)))
    (import "" "new" (func $new (result i32)))
    (import "" "get" (func $get (param i32) (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (func (export "nop"))
    (func (export "adds") (param i32)
      (loop $l
        (drop (call $add (local.get 0) (i32.const 2)))
        (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
    (func (export "send") (param i32 i32)
      (loop $l
        (call $bytes (i32.const 0) (local.get 1))
        (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
    (func (export "fetch") (param i32 i32)
      (loop $l
        (call $make (local.get 1) (i32.const 8))
        (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
    (func (export "gets") (param i32)
      (local $h i32)
      (local.set $h (call $new))
      (loop $l
        (drop (call $get (local.get $h)))
        (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
      (call $drop (local.get $h)))
    (func (export "len") (param i32 i32) (result i32) (local.get 1)))
  (core instance $m (instantiate $m (with "" (instance
    (export "add" (func $add)) (export "bytes" (func $bytes)) (export "make" (func $make))
    (export "new" (func $new)) (export "get" (func $get)) (export "drop" (func $drop))))))
  (func (export "nop") (canon lift (core func $m "nop")))
  (func (export "adds") (param "n" u32) (canon lift (core func $m "adds")))
  (func (export "send") (param "n" u32) (param "size" u32) (canon lift (core func $m "send")))
  (func (export "fetch") (param "n" u32) (param "size" u32) (canon lift (core func $m "fetch")))
  (func (export "gets") (param "n" u32) (canon lift (core func $m "gets")))
  (func (export "len") (param "s" string) (result u32)
    (canon lift (core func $m "len") (memory $mem "memory") (realloc (func $mem "realloc")))))`

// benchHost is written as generated bindings are: on raw values.
func benchHost(tb testing.TB) *Linker {
	r := NewHostResource("r", nil)
	u32 := abi.U32
	blob := make([]byte, 1<<20)
	value := new(int)
	l := NewLinker()
	err := l.Define(&Interface{
		Name: "host:test/api", Resources: []NamedResource{{Name: "r", Type: r}},
		Funcs: []Func{
			{"add", &abi.Func{Params: []abi.Field{{Name: "a", Type: u32}, {Name: "b", Type: u32}}, Result: u32},
				func(_ *Call, st []Raw) error {
					st[0].SetU32(st[0].U32() + st[1].U32())
					return nil
				}},
			{"bytes", &abi.Func{Params: []abi.Field{{Name: "b", Type: abi.List(abi.U8)}}},
				func(c *Call, st []Raw) error {
					copy(blob, c.LiftBytes(st[0].U32(), st[1].U32()))
					return nil
				}},
			{"make", &abi.Func{Params: []abi.Field{{Name: "n", Type: u32}}, Result: abi.List(abi.U8)},
				func(c *Call, st []Raw) error {
					p, n := c.LowerBytes(blob[:st[0].U32()])
					m, at := c.Mem(), st[1].U32()
					m.PutU32(at, p)
					m.PutU32(at+4, n)
					return nil
				}},
			{"[constructor]r", &abi.Func{Result: abi.Own(r)},
				func(c *Call, st []Raw) error {
					st[0].SetU32(c.LowerOwn(r, value))
					return nil
				}},
			{"[method]r.get", &abi.Func{Params: []abi.Field{{Name: "self", Type: abi.Borrow(r)}}, Result: u32},
				func(c *Call, st []Raw) error {
					st[0].SetU32(uint32(*c.LiftBorrow(r, st[0].U32()).(*int)))
					return nil
				}},
		},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

// callRaw calls an export with flat numbers, as generated bindings do.
func callRaw(in *Instance, f *ExportFunc, args ...uint32) (err error) {
	c, st := in.Enter(f)
	defer c.Leave(&err)
	for i, a := range args {
		st[i].SetU32(a)
	}
	return c.Invoke()
}

// callText calls an export with a string.
func callText(in *Instance, f *ExportFunc, s string) (err error) {
	c, st := in.Enter(f)
	defer c.Leave(&err)
	p, n := c.LowerString(s)
	st[0].SetU32(p)
	st[1].SetU32(n)
	return c.Invoke()
}

func BenchmarkCalls(b *testing.B) {
	pre := buildText(b, engine(b), benchHost(b), "bench", benchModule)
	in := instantiate(b, pre, InstantiateOptions{})
	loop := func(name, export string, size uint32) {
		f, err := pre.Export("", export, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(size))
			args := []uint32{uint32(b.N), size}
			if err := callRaw(in, f, args[:len(f.Type.Params)]...); err != nil {
				b.Fatal(err)
			}
		})
	}
	nop, length := export(b, pre, "", "nop"), export(b, pre, "", "len")
	b.Run("export", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := callRaw(in, nop); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, size := range []int{16, 1 << 10, 1 << 20} {
		b.Run("export/string/"+sizeName(size), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(size))
			s := strings.Repeat("x", size)
			for b.Loop() {
				if err := callText(in, length, s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	loop("import", "adds", 0)
	loop("import/method", "gets", 0)
	for _, size := range []int{1 << 10, 1 << 20} {
		loop("import/bytes-out/"+sizeName(size), "send", uint32(size))
		loop("import/bytes-in/"+sizeName(size), "fetch", uint32(size))
	}
}

func sizeName(n int) string {
	return map[int]string{16: "16B", 1 << 10: "1KiB", 1 << 20: "1MiB"}[n]
}

func BenchmarkGuestToGuest(b *testing.B) {
	const text = `(component
	  (component $Callee
	    (core module $m (memory (export "memory") 32)
	      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
	      (func (export "len") (param i32 i32) (result i32) (local.get 1)))
	    (core instance $m (instantiate $m))
	    (func (export "len") (param "x" string) (result u32)
	      (canon lift (core func $m "len") (memory $m "memory") (realloc (func $m "realloc")))))
	  (instance $callee (instantiate $Callee))
	  (core module $mem (memory (export "memory") 32))
	  (core instance $mem (instantiate $mem))
	  (core func $len (canon lower (func $callee "len") (memory $mem "memory")))
	  (core module $m
	    (import "" "len" (func $len (param i32 i32) (result i32)))
	    (func (export "lens") (param i32 i32)
	      (loop $l
	        (drop (call $len (i32.const 0) (local.get 1)))
	        (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))
	  (core instance $m (instantiate $m (with "" (instance (export "len" (func $len))))))
	  (func (export "lens") (param "n" u32) (param "size" u32) (canon lift (core func $m "lens"))))`
	pre := buildText(b, engine(b), NewLinker(), "pair", text)
	in := instantiate(b, pre, InstantiateOptions{})
	f := export(b, pre, "", "lens")
	for _, size := range []int{16, 1 << 10, 1 << 20} {
		b.Run(sizeName(size), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(size))
			if err := callRaw(in, f, uint32(b.N), uint32(size)); err != nil {
				b.Fatal(err)
			}
		})
	}
}

func BenchmarkInstantiate(b *testing.B) {
	for name, cfg := range map[string]EngineConfig{"on-demand": {}, "pooling": {Pool: &PoolConfig{Instances: 100}}} {
		b.Run(name, func(b *testing.B) {
			e, err := NewEngine(cfg)
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(e.Close)
			pre := buildText(b, e, benchHost(b), "bench", benchModule)
			nop := export(b, pre, "", "nop")
			b.ReportAllocs()
			for b.Loop() {
				in, err := pre.Instantiate(context.Background(), InstantiateOptions{})
				if err != nil {
					b.Fatal(err)
				}
				if err := callRaw(in, nop); err != nil {
					b.Fatal(err)
				}
				in.Close()
			}
		})
	}
}
