package component

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/component/binary"
	"github.com/minispin/minispin/internal/cwasm"
)

// errStub is the answer of every function of a stubLinker.
var errStub = errors.New("a stub was called")

// stubBinder makes up whatever an interface is to have.
type stubBinder struct{ iface *Interface }

func (b *stubBinder) function(name string, t *abi.Func) *function {
	f := Func{Name: name, Type: t, Call: func(*Call, []Raw) error { return errStub }}
	b.iface.Funcs = append(b.iface.Funcs, f)
	return &function{name: name, typ: t, host: f.Call}
}

func (b *stubBinder) resource(name string) *typ {
	r := NewHostResource(name, func(any) {})
	b.iface.Resources = append(b.iface.Resources, NamedResource{name, r})
	return &typ{resource: r}
}

func (b *stubBinder) instance(string) *instance { return nil }

// The linker that is made has no core modules: those imports are missing.
func (b *stubBinder) module(string, *moduleType) *cwasm.Module { return new(cwasm.Module) }

// stubLinker makes a linker that has all that a component imports.
func stubLinker(c *Component) (*Linker, error) {
	l := NewLinker()
	if c.def == nil {
		return l, nil
	}
	p := &Part{Component: c, Linker: l}
	k := newLinking(p)
	k.now = &partRun{part: p}
	s, err := k.enter(nil, -1)
	if err != nil {
		return nil, err
	}
	world := &Interface{}
	for _, d := range c.def.Defs {
		imp, ok := d.(*binary.Import)
		if !ok {
			if err := s.define(d); err != nil {
				break // imports may still be met without what comes after
			}
			continue
		}
		it := item{sort: imp.Desc.Sort}
		t, _ := index(s.types, imp.Desc.Index)
		switch {
		case it.sort == binary.SortInstance && t != nil && t.instance != nil:
			iface := &Interface{Name: imp.Name.Name}
			if it.inst, err = k.bindInstance(t, &stubBinder{iface}, ""); err != nil {
				return nil, err
			}
			if err := l.Define(iface); err != nil {
				return nil, err
			}
		case it.sort == binary.SortFunc && t != nil && t.fn != nil:
			it.fn = (&stubBinder{world}).function(imp.Name.Name, t.fn)
		case it.sort == binary.SortType && imp.Desc.Bound == binary.BoundSubResource:
			it.typ = (&stubBinder{world}).resource(imp.Name.Name)
		default:
			return nil, errCannotSupply
		}
		s.add(it)
	}
	return l, l.Define(world)
}

// compileGuest compiles a guest from the repository.
func compileGuest(tb testing.TB, e *Engine, name string) *Component {
	tb.Helper()
	wasm, err := os.ReadFile("../guests/bin/" + name + ".wasm")
	if err != nil {
		tb.Fatal(err)
	}
	c, err := e.Compile(context.Background(), name, wasm, CompileOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(c.Close)
	return c
}

// TestElideGuests: real components link and start with their shims and without.
func TestElideGuests(t *testing.T) {
	e := engine(t)
	for _, tt := range []struct {
		guest       string
		with, after int // core instances
	}{
		{"rust-inbound-http", 1, 1},
		{"rust-wasi-http", 3, 1},
		{"rust-spin-sdk5-wasip2", 4, 4}, // the adapter comes after what it serves
	} {
		t.Run(tt.guest, func(t *testing.T) {
			c := compileGuest(t, e, tt.guest)
			for _, keep := range []bool{true, false} {
				l, err := stubLinker(c)
				if err != nil {
					t.Fatal(err)
				}
				l.keepShims = keep
				pre, err := l.Link(c)
				if err != nil {
					t.Fatal(err)
				}
				defer pre.Close()
				want := tt.after
				if keep {
					want = tt.with
				}
				if pre.steps != want {
					t.Errorf("%d core instances, want %d", pre.steps, want)
				}
				in, err := pre.Instantiate(context.Background(), InstantiateOptions{})
				if err != nil {
					t.Fatal(err)
				}
				in.Close()
			}
		})
	}
}

// BenchmarkInstantiateGuest is what a request pays before its guest runs.
func BenchmarkInstantiateGuest(b *testing.B) {
	for _, alloc := range []struct {
		name string
		cfg  EngineConfig
	}{{"on-demand", EngineConfig{}}, {"pooling", EngineConfig{Pool: &PoolConfig{Instances: 100}}}} {
		e, err := NewEngine(alloc.cfg)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(e.Close)
		c := compileGuest(b, e, "rust-wasi-http")
		for _, keep := range []bool{true, false} {
			name := "elided"
			if keep {
				name = "with-shim"
			}
			b.Run(alloc.name+"/"+name, func(b *testing.B) {
				l, err := stubLinker(c)
				if err != nil {
					b.Fatal(err)
				}
				l.keepShims = keep
				pre, err := l.Link(c)
				if err != nil {
					b.Fatal(err)
				}
				defer pre.Close()
				b.ReportAllocs()
				for b.Loop() {
					in, err := pre.Instantiate(context.Background(), InstantiateOptions{})
					if err != nil {
						b.Fatal(err)
					}
					in.Close()
				}
			})
		}
	}
}
