package cwasm

import (
	"fmt"
	"testing"
)

func BenchmarkCrossing(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		nop()
	}
}

func BenchmarkCall(b *testing.B) {
	p := single(b, onDemand, `(module (memory (export "mem") 1)
		(func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
		(func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64)))`)
	s := instantiate(b, p, StoreOptions{})
	b.Run("Call", func(b *testing.B) {
		b.ReportAllocs()
		st := make([]Raw, 2)
		for b.Loop() {
			st[0].SetU32(1)
			if err := s.Call(1, st); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("CallArgs", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			args := s.Args(2)
			args[0].SetU32(1)
			if _, err := s.CallArgs(1, 2); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Realloc", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := s.Realloc(2, 0, 0, 0, 1, 8); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Memory", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if len(s.Memory(0)) == 0 {
				b.Fatal("no memory")
			}
		}
	})
}

// BenchmarkImport runs a guest loop of 1,000 imports; ns/import is the price
// of one, crossing out and back.
func BenchmarkImport(b *testing.B) {
	for _, memory := range []int{-1, 0} {
		b.Run(fmt.Sprintf("memory=%v", memory == 0), func(b *testing.B) {
			typ := FuncType{[]ValKind{I32}, []ValKind{I32}}
			p := single(b, onDemand, `(module (import "h" "f" (func $f (param i32) (result i32))) (memory (export "mem") 1)
				(func (export "run") (param i32) (result i32)
					(loop (br_if 0 (local.tee 0 (call $f (local.get 0))))) (local.get 0)))`,
				HostImport{Type: typ, MemSlot: memory, Func: func(_ *Store, st []Raw, _ []byte) error {
					st[0].Lo--
					return nil
				}})
			s := instantiate(b, p, StoreOptions{})
			b.ReportAllocs()
			st := make([]Raw, 1)
			for b.Loop() {
				st[0].SetU32(1000)
				if err := s.Call(1, st); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/import")
		})
	}
}

func BenchmarkStore(b *testing.B) {
	p := plan(b, PlanConfig{Engine: onDemand})
	b.ReportAllocs()
	for b.Loop() {
		s, err := p.Instantiate(StoreOptions{})
		if err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}

// guestWat has imports host functions and touches a few pages of its memory,
// as small guests do.
func guestWat(imports int) string {
	wat := "(module\n"
	for i := range imports {
		wat += fmt.Sprintf("(import \"host\" \"f%d\" (func (param i32 i32) (result i32)))\n", i)
	}
	return wat + `(memory (export "mem") 17) (global (mut i32) (i32.const 1048576)) (table 8 funcref)
		(data (i32.const 1048576) "some static data")
		(func (export "run") (param i32) (result i32)
			(i32.store (i32.const 1048000) (local.get 0))
			(call 0 (i32.const 1) (i32.const 2)))
		(func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1048600)))`
}

func hosts(n int) []HostImport {
	list := make([]HostImport, n)
	for i := range list {
		list[i] = HostImport{Type: FuncType{[]ValKind{I32, I32}, []ValKind{I32}}, MemSlot: -1, Func: nothing}
	}
	return list
}

func BenchmarkInstantiate(b *testing.B) {
	for name, e := range map[string]*Engine{"on-demand": onDemand, "pooling": pooling} {
		for shape, p := range map[string]*Plan{"single": single(b, e, guestWat(4), hosts(4)...), "shim-main-fixup": threeSteps(b, e, 20)} {
			b.Run(name+"/"+shape, func(b *testing.B) {
				run := len(p.slots) - 2
				b.ReportAllocs()
				for b.Loop() {
					s, err := p.Instantiate(StoreOptions{})
					if err != nil {
						b.Fatal(err)
					}
					if err := s.Call(run, raw(1, 2)); err != nil {
						b.Fatal(err)
					}
					s.Close()
				}
			})
		}
	}
}

// threeSteps plans the shim, main and fixup that componentized modules have,
// all imports of main going through the shim's table.
func threeSteps(tb testing.TB, e *Engine, imports int) *Plan {
	shim := fmt.Sprintf("(module (table (export \"$imports\") %d %d funcref)\n", imports, imports)
	fixup := fmt.Sprintf("(module (import \"\" \"$imports\" (table %d %d funcref))\n", imports, imports)
	elems := ""
	shimStep, mainStep, fixupStep := Step{}, Step{}, Step{Imports: []Import{{Kind: FromSlot, Slot: 0}}}
	shimStep.Fetch = []Fetch{{"$imports", 0}}
	for i := range imports {
		shim += fmt.Sprintf("(func (export \"%d\") (param i32 i32) (result i32) (call_indirect (param i32 i32) (result i32) (local.get 0) (local.get 1) (i32.const %d)))\n", i, i)
		fixup += fmt.Sprintf("(import \"\" \"%d\" (func (param i32 i32) (result i32)))\n", i)
		elems += fmt.Sprintf(" %d", i)
		shimStep.Fetch = append(shimStep.Fetch, Fetch{fmt.Sprint(i), 1 + i})
		mainStep.Imports = append(mainStep.Imports, Import{Kind: FromSlot, Slot: 1 + i})
		fixupStep.Imports = append(fixupStep.Imports, Import{Kind: FromHost, Host: i})
	}
	shimStep.Module = compile(tb, e, shim+")")
	mainStep.Module = compile(tb, e, guestWat(imports))
	fixupStep.Module = compile(tb, e, fixup+"(elem (i32.const 0) func "+elems+"))")
	mainStep.Fetch = []Fetch{{"mem", 1 + imports}, {"run", 2 + imports}, {"realloc", 3 + imports}}
	return plan(tb, PlanConfig{Engine: e, Hosts: hosts(imports), Slots: 4 + imports, Steps: []Step{shimStep, mainStep, fixupStep}})
}

// BenchmarkTrap is what a guest that traps costs.
func BenchmarkTrap(b *testing.B) {
	p := single(b, onDemand, `(module (func (export "unreachable") unreachable) (func $f (export "overflow") (call $f)))`)
	s := instantiate(b, p, StoreOptions{})
	for slot, name := range []string{"unreachable", "overflow"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if s.Call(slot, nil) == nil {
					b.Fatal("no trap")
				}
			}
		})
	}
}
