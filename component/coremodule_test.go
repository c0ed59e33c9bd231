package component

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/internal/cwasm"
)

// counterModule counts in steps that whoever instantiates it chooses.
const counterModule = `(module
  (import "cfg" "step" (global $step i32))
  (memory (export "memory") 1 4)
  (global $n (mut i32) (i32.const 0))
  (func (export "bump") (result i32)
    (global.set $n (i32.add (global.get $n) (global.get $step)))
    (global.get $n)))`

// usesCounter imports a core module by %q and instantiates it twice, with steps of
// 1 and of 10.
const usesCounter = `(component
  (core type $bump (func (result i32)))
  %s
  (core module $one (global (export "step") i32 (i32.const 1)))
  (core module $ten (global (export "step") i32 (i32.const 10)))
  (core instance $one (instantiate $one))
  (core instance $ten (instantiate $ten))
  (core instance $a (instantiate $counter (with "cfg" (instance $one))))
  (core instance $b (instantiate $counter (with "cfg" (instance $ten))))
  (func (export "by-one") (result u32) (canon lift (core func $a "bump")))
  (func (export "by-ten") (result u32) (canon lift (core func $b "bump"))))`

func counterUser(imports string) string { return strings.Replace(usesCounter, "%s", imports, 1) }

const counterAtRoot = `(import "counter" (core module $counter
    (alias outer 1 $bump (type $bump))
    (import "cfg" "step" (global i32))
    (export "memory" (memory 1))
    (export "bump" (func (type $bump)))))`

const counterInInstance = `(import "x:y/modules" (instance $modules
    (export "counter" (core module
      (import "cfg" "step" (global i32))
      (export "bump" (func (result i32)))))))
  (alias export $modules "counter" (core module $counter))`

// countsTwice calls both exports of usesCounter in a new instance, twice.
func countsTwice(t *testing.T, pre *InstancePre) {
	t.Helper()
	in := instantiate(t, pre, InstantiateOptions{})
	for i := range uint32(2) {
		for name, step := range map[string]uint32{"by-one": 1, "by-ten": 10} {
			got, err := in.CallVals(export(t, pre, "", name))
			if err != nil || !got.Equal(abi.U32Val((i+1)*step)) {
				t.Errorf("%s: %v, %v, want %d", name, got, err, (i+1)*step)
			}
		}
	}
}

// TestImportedModule: a component gets a core module from the embedder, at its root
// or inside of an interface, and instantiates it with what it has itself.
func TestImportedModule(t *testing.T) {
	for name, tt := range map[string]struct{ iface, imports string }{
		"root":     {"", counterAtRoot},
		"instance": {"x:y/modules", counterInInstance},
	} {
		t.Run(name, func(t *testing.T) {
			e := engine(t)
			l := NewLinker()
			if err := l.Define(&Interface{Name: tt.iface, Modules: []NamedModule{
				{"counter", compiled(t, e, "counter", counterModule)},
			}}); err != nil {
				t.Fatal(err)
			}
			c := compiled(t, e, "user", counterUser(tt.imports))
			if got := c.Imports(); len(got) != 1 || !strings.HasSuffix(tt.iface+"counter", got[0]) && got[0] != tt.iface {
				t.Errorf("imports %q", got)
			}
			pre := linked(t, l, c)
			countsTwice(t, pre)
			countsTwice(t, pre) // instances share nothing
		})
	}
}

// TestExportedModule: what one component exports another imports, by way of the
// host or as its part, and the host can link it alone.
func TestExportedModule(t *testing.T) {
	for name, config := range map[string]EngineConfig{"plain": {}, "reset": {Reset: &ResetConfig{}}} {
		t.Run(name, func(t *testing.T) {
			if config.Reset != nil && ResetSupported() != nil {
				t.Skip("instances cannot be reset here")
			}
			e, err := NewEngine(config)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(e.Close)
			giver := compiled(t, e, "giver", `(component
			  (core module $counter `+strings.TrimPrefix(counterModule, "(module")+`
			  (core module $alone (func (export "_start")))
			  (instance $more (export "alone" (core module $alone)))
			  (export "counter" (core module $counter))
			  (export "more" (instance $more)))`)
			if got := giver.Exports(); len(got) != 2 || got[0] != "counter" {
				t.Errorf("exports %q", got)
			}
			pre := linked(t, NewLinker(), giver)
			m, err := pre.ExportedModule("", "counter")
			if err != nil {
				t.Fatal(err)
			}
			if !m.IsModule() || m.Name() != "giver#counter" {
				t.Errorf("a module called %s", m.Name())
			}
			user := compiled(t, e, "user", counterUser(counterAtRoot))
			l := NewLinker()
			if err := l.Define(&Interface{Modules: []NamedModule{{"counter", m}}}); err != nil {
				t.Fatal(err)
			}
			countsTwice(t, linked(t, l, user))

			parts, err := LinkParts(&Part{Name: "user", Component: user, Linker: NewLinker(), Imports: map[string]PartExport{
				"counter": {&Part{Name: "giver", Component: giver, Linker: NewLinker()}, "counter"},
			}})
			if err != nil {
				t.Fatal(err)
			}
			defer parts.Close()
			countsTwice(t, parts)
			if config.Reset != nil {
				countsReset(t, parts)
			}

			alone, err := pre.ExportedModule("more", "alone")
			if err != nil {
				t.Fatal(err)
			}
			command := linked(t, NewLinker(), alone)
			start, ok := command.CoreFunc("_start")
			if !ok {
				t.Fatal("no _start")
			}
			if err := instantiate(t, command, InstantiateOptions{}).CallCore(start, nil); err != nil {
				t.Error(err)
			}
			alone.Close() // is the component's, and does nothing
			for _, name := range []string{"", "more", "alone", "more#alone#x"} {
				if _, err := pre.ExportedModule("", name); err == nil {
					t.Errorf("there is a core module %q", name)
				}
			}
		})
	}
}

// countsReset: a module of another component is put back like the component's own.
func countsReset(t *testing.T, pre *InstancePre) {
	t.Helper()
	r := instantiateResettable(t, pre)
	for range 3 {
		in := begin(t, r, nil)
		got, err := in.CallVals(export(t, pre, "", "by-ten"))
		if err != nil || !got.Equal(abi.U32Val(10)) {
			t.Errorf("by-ten: %v, %v", got, err)
		}
		in.Close()
		if err := r.Reset(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestModuleTypes: a module of another type than the import's is refused, with what
// was expected, and all that is wrong is listed at once.
func TestModuleTypes(t *testing.T) {
	for _, tt := range []struct{ name, typ, module, want string }{
		{"export", `(export "f" (func))`, `(module)`, `it has no export "f"`},
		{"function", `(export "f" (func (param i32)))`, `(module (func (export "f") (param i64)))`,
			`its export "f" is the (func (param i64)), expected is the (func (param i32))`},
		{"kind", `(export "f" (func))`, `(module (memory (export "f") 1))`, `its export "f" is the (memory 1), expected is the (func)`},
		{"global", `(export "g" (global i32))`, `(module (global (export "g") (mut i32) (i32.const 0)))`,
			`its export "g" is the (global (mut i32)), expected is the (global i32)`},
		{"global's type", `(export "g" (global i32))`, `(module (global (export "g") f32 (f32.const 0)))`,
			`its export "g" is the (global f32), expected is the (global i32)`},
		{"small memory", `(export "m" (memory 2))`, `(module (memory (export "m") 1))`, `its export "m" is the (memory 1), expected is the (memory 2)`},
		{"memory without end", `(export "m" (memory 1 2))`, `(module (memory (export "m") 1))`, `is the (memory 1), expected is the (memory 1 2)`},
		{"large memory", `(export "m" (memory 1 2))`, `(module (memory (export "m") 1 3))`, `is the (memory 1 3), expected is the (memory 1 2)`},
		{"table", `(export "t" (table 1 funcref))`, `(module (table (export "t") 1 externref))`,
			`its export "t" is the (table 1 externref), expected is the (table 1 funcref)`},
		{"import", ``, `(module (import "a" "b" (func)))`, `it imports "a" "b", which whoever instantiates it does not know of`},
		{"import's type", `(import "a" "b" (func))`, `(module (import "a" "b" (func (result i32))))`,
			`its import "a" "b" is the (func (result i32)), it is to get the (func)`},
		{"imported memory", `(import "a" "b" (memory 1))`, `(module (import "a" "b" (memory 2)))`,
			`its import "a" "b" is the (memory 2), it is to get the (memory 1)`},
		{"none", ``, ``, `this host has no such core module`},
		// Subtypes are fine.
		{"more exports", `(export "f" (func))`, `(module (func (export "f")) (func (export "g")))`, ""},
		{"larger memory", `(export "m" (memory 1 4))`, `(module (memory (export "m") 2 3))`, ""},
		{"larger table", `(export "t" (table 1 funcref))`, `(module (table (export "t") 2 3 funcref))`, ""},
		{"fewer imports", `(import "a" "b" (func)) (import "a" "c" (memory 2))`, `(module (import "a" "c" (memory 1)))`, ""},
		{"vectors and references", `(export "f" (func (param v128 funcref externref f32 f64)))`,
			`(module (func (export "f") (param v128 funcref externref f32 f64)))`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := engine(t)
			l := NewLinker()
			if tt.module != "" {
				if err := l.Define(&Interface{Modules: []NamedModule{{"m", compiled(t, e, "given", tt.module)}}}); err != nil {
					t.Fatal(err)
				}
			}
			c := compiled(t, e, "user", `(component (import "m" (core module `+tt.typ+`)) (import "f" (func)))`)
			pre, err := l.Link(c)
			if err == nil {
				pre.Close()
			}
			var missing *MissingImportsError
			if !errors.As(err, &missing) {
				t.Fatalf("%v", err)
			}
			last := missing.Imports[len(missing.Imports)-1]
			if last.Name != "f" || (len(missing.Imports) == 1) != (tt.want == "") {
				t.Fatalf("missing are %v", missing.Imports)
			}
			if !strings.Contains(missing.Imports[0].Reason, tt.want) || tt.want != "" && missing.Imports[0].Name != "m" {
				t.Errorf("%v, want %q in it", missing.Imports[0], tt.want)
			}
		})
	}
}

// TestModuleImportErrors: the other ways in which a core module is not to be had.
func TestModuleImportErrors(t *testing.T) {
	e, other := engine(t), engine(t)
	foreign := compiled(t, other, "foreign", `(module (func (export "f")))`)
	giver := compiled(t, e, "giver", `(component
	  (core module $m (func (export "g")))
	  (core instance $i (instantiate $m))
	  (func $f (canon lift (core func $i "g")))
	  (export "m" (core module $m))
	  (export "f" (func $f)))`)
	l := NewLinker()
	if err := l.Define(&Interface{Modules: []NamedModule{{"m", foreign}}}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		link   func(c *Component) (*InstancePre, error)
		reason string
	}{
		{"engine", l.Link, "the core module foreign was compiled by another engine"},
		{"part", func(c *Component) (*InstancePre, error) {
			return LinkParts(&Part{Name: "user", Component: c, Linker: NewLinker(), Imports: map[string]PartExport{
				"m": {&Part{Name: "giver", Component: giver, Linker: NewLinker()}, "m"},
			}})
		}, `the core module of the export m of giver is of another type: it has no export "f"`},
		{"sort", func(c *Component) (*InstancePre, error) {
			return LinkParts(&Part{Name: "user", Component: c, Linker: NewLinker(), Imports: map[string]PartExport{
				"m": {&Part{Name: "giver", Component: giver, Linker: NewLinker()}, "f"},
			}})
		}, "the export f of giver is of the sort func, the import of the sort core module"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			pre, err := tt.link(compiled(t, e, "user", `(component (import "m" (core module (export "f" (func)))))`))
			if err == nil {
				pre.Close()
			}
			var missing *MissingImportsError
			if !errors.As(err, &missing) || len(missing.Imports) != 1 || missing.Imports[0].Reason != tt.reason {
				t.Errorf("%v, want %s", err, tt.reason)
			}
		})
	}
	for name, i := range map[string]*Interface{
		"is not a core module":              {Name: "i", Modules: []NamedModule{{"m", giver}}},
		"m is not a core module":            {Name: "i", Modules: []NamedModule{{"m", nil}}},
		"defines core module foreign twice": {Name: "i", Modules: []NamedModule{{"foreign", foreign}, {"foreign", foreign}}},
	} {
		if err := NewLinker().Define(i); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v, want %q in it", err, name)
		}
	}
}

// TestExperimentalForms: what the specification marks as experimental is refused by
// its name.
func TestExperimentalForms(t *testing.T) {
	e := engine(t)
	for _, tt := range []struct{ name, text, wasm, want string }{
		{name: "component import", text: `(component (import "c" (component)))`,
			want: "at byte 0x10: import \"c\": the outermost component cannot import a component"},
		// (start 0): section 9, function 0, no arguments, no results.
		{name: "start function", text: `(component (import "f" (func)))`, wasm: "\x09\x03\x00\x00\x00",
			want: "start function"},
		// (value bool true): section 12, one value of type bool in one byte.
		{name: "value", text: `(component)`, wasm: "\x0c\x04\x01\x7f\x01\x01",
			want: "component value"},
		// (import "v" (value bool)).
		{name: "imported value", text: `(component)`, wasm: "\x0a\x07\x01\x00\x01v\x02\x01\x7f",
			want: "component value"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wasm, err := cwasm.Wat(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			c, err := e.Compile(context.Background(), "it", append(wasm, tt.wasm...), CompileOptions{})
			if err == nil {
				t.Cleanup(c.Close)
				l := NewLinker()
				nop := func(*Call, []Raw) error { return nil }
				if err := l.Define(&Interface{Funcs: []Func{{"f", &abi.Func{}, nop}}}); err != nil {
					t.Fatal(err)
				}
				var pre *InstancePre
				if pre, err = l.Link(c); err == nil {
					pre.Close()
				}
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "component it") {
				t.Errorf("%v, want %q in it", err, tt.want)
			}
		})
	}
}

// TestInstancesInsideInstances: functions of an instance that an exported instance
// has inside are found under both names.
func TestInstancesInsideInstances(t *testing.T) {
	pre := buildText(t, engine(t), NewLinker(), "nested", `(component
	  (core module $m (func (export "f") (result i32) (i32.const 7)))
	  (core instance $m (instantiate $m))
	  (func $f (result u32) (canon lift (core func $m "f")))
	  (instance $inner (export "f" (func $f)))
	  (instance $outer (export "inner" (instance $inner)))
	  (export "outer" (instance $outer)))`)
	got, err := instantiate(t, pre, InstantiateOptions{}).CallVals(export(t, pre, "outer#inner", "f"))
	if err != nil || !got.Equal(abi.U32Val(7)) {
		t.Errorf("%v, %v", got, err)
	}
	if names := pre.Exports(); len(names) != 2 || names[1] != "outer#inner" {
		t.Errorf("exports %q", names)
	}
}
