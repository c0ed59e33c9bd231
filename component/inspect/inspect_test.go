package inspect

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/host"
	"github.com/minispin/minispin/host/wasi"
	"github.com/minispin/minispin/wit"
)

var update = flag.Bool("update", false, "write the golden")

func binaryOf(t testing.TB, text string) []byte {
	t.Helper()
	wasm, err := component.FromText(text)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

func inspect(t *testing.T, wasm []byte, opts Options) *Report {
	t.Helper()
	if opts.Linker == nil {
		opts.Linker = component.NewLinker()
	}
	r, err := Inspect(wasm, opts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestText: one component with every form, and the WIT that describes it.
func TestText(t *testing.T) {
	r := inspect(t, binaryOf(t, everything), Options{})
	want, err := os.ReadFile("testdata/everything.wit")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	if r.WIT != string(want) {
		if *update {
			if err := os.WriteFile("testdata/everything.wit", []byte(r.WIT), 0o666); err != nil {
				t.Fatal(err)
			}
			return
		}
		t.Errorf("WIT:\n%s\nwant:\n%s", r.WIT, want)
	}
	loads(t, r)
}

// loads checks that the packages are sound WIT which says the same again.
func loads(t *testing.T, r *Report) {
	t.Helper()
	files := fstest.MapFS{}
	for _, p := range r.packages {
		files[strings.NewReplacer(":", "-", "@", "-").Replace(p.ID())+"/p.wit"] = &fstest.MapFile{Data: []byte(wit.Format(p))}
	}
	set, err := wit.LoadFS(files)
	if err != nil {
		t.Fatalf("the text is no WIT: %v\n%s", err, r.WIT)
	}
	for _, p := range r.packages {
		if q := set.Package(p.ID()); q == nil || wit.Format(q) != wit.Format(p) {
			t.Errorf("package %s is another when it is loaded", p.ID())
		}
	}
}

const everything = `(component
  (import "a:b/types@1.2.3" (instance $types
    (export "blob" (type $blob (sub resource)))
    (export "[constructor]blob" (func (param "size" u32) (result (own $blob))))
    (export "[method]blob.read" (func (param "self" (borrow $blob)) (result (list u8))))
    (export "[static]blob.join" (func (param "parts" (list (own $blob))) (result (own $blob))))
    (type $p' (record (field "x" s32) (field "type" f64)))
    (export "point" (type $p (eq $p')))
    (type $k' (enum "red" "green"))
    (export "color" (type $k (eq $k')))
    (type $f' (flags "r" "w"))
    (export "mode" (type (eq $f')))
    (export "same-point" (type (eq $p)))
    (type $v' (variant (case "nothing") (case "at" $p) (case "in" (tuple $k (option char)))))
    (export "shape" (type $v (eq $v')))
    (type $n' u64)
    (export "size" (type $n (eq $n')))
    (export "draw" (func (param "s" $v) (param "n" $n) (result (result $p (error string)))))))
  (alias export $types "blob" (type $blob))
  (alias export $types "point" (type $point))
  (import "a:b/user@1.2.3" (instance
    (alias outer 1 $blob (type $b))
    (export "blob" (type $lump (eq $b)))
    (alias outer 1 $point (type $p))
    (export "dot" (type $dot (eq $p)))
    (export "keep" (func (param "b" (borrow $lump)) (param "d" $dot)))))
  (import "plain" (instance (export "go" (func (result (result))))))
  (import "log" (func $log (param "text" string)))
  (import "point" (type $wp (eq $point)))
  (import "move" (func (param "to" $wp)))
  (core module $m (func (export "run") (param i32) (result i32) (local.get 0)))
  (core instance $i (instantiate $m))
  (component $c
    (import "f" (func $f (param "n" u32) (result bool)))
    (export "run" (func $f)))
  (func $run (param "n" u32) (result bool) (canon lift (core func $i "run")))
  (instance $e (instantiate $c (with "f" (func $run))))
  (export "x:y/run@0.1.0" (instance $e))
  (export "run" (func $run)))`

// TestStatuses holds imports against a host that has some of them.
func TestStatuses(t *testing.T) {
	l := component.NewLinker()
	nop := func(*component.Call, []component.Raw) error { return nil }
	r := component.NewHostResource("r", nil)
	for _, i := range []*component.Interface{
		{Name: "h:t/same@0.2.6", Funcs: []component.Func{{Name: "f", Type: &abi.Func{}, Call: nop}}},
		{Name: "h:t/other@1.0.0", Funcs: []component.Func{{Name: "f", Type: &abi.Func{Result: abi.U8}, Call: nop}}},
		{Name: "h:t/less@1.0.0", Resources: []component.NamedResource{{Name: "r", Type: r}},
			Funcs: []component.Func{{Name: "take", Type: &abi.Func{Params: []abi.Field{{Name: "r", Type: abi.Own(r)}}}, Call: nop}}},
		{Name: "h:t/no@1.0.0", Funcs: []component.Func{{Name: "f", Type: &abi.Func{}, Call: nop}}},
	} {
		if err := l.Define(i); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.DefineCore(&component.CoreInterface{Module: "sys", Funcs: []component.CoreFunc{
		{Name: "read", Params: []abi.CoreType{abi.I32}, Results: []abi.CoreType{abi.I64}, Call: nop}}}); err != nil {
		t.Fatal(err)
	}
	grant := func(name string) (string, bool) {
		if name == "h:t/less@1.0.0" {
			return "depends", false
		}
		return "refused", strings.HasPrefix(name, "h:t/no")
	}
	for _, tt := range []struct {
		name, text string
		status     Status
		want       []string // in the import, printed
	}{
		{"offered", `(import "h:t/same@0.2.0" (instance (export "f" (func))))`, Offered, []string{"h:t/same@0.2.6"}},
		{"denied", `(import "h:t/no@1.0.0" (instance (export "f" (func))))`, Denied, []string{"refused"}},
		{"denied with another type", `(import "h:t/no@1.0.0" (instance (export "f" (func (result u8)))))`, Mismatch, []string{"func()", "func() -> u8"}},
		{"another type", `(import "h:t/other@1.0.0" (instance (export "f" (func (result string)))))`, Mismatch,
			[]string{"func() -> string", "func() -> u8", "expected string, found u8"}},
		{"no function", `(import "h:t/same@0.2.0" (instance (export "f" (func)) (export "g" (func))))`, Missing, []string{"no such function"}},
		{"no resource", `(import "h:t/same@0.2.0" (instance (export "r" (type $r (sub resource))) (export "f" (func))))`, Missing, []string{"no such resource"}},
		{"its resource", `(import "h:t/less@1.0.0" (instance (export "r" (type $r (sub resource))) (export "take" (func (param "r" (own $r))))))`, Offered, []string{"depends"}},
		{"another resource", `(import "h:t/none@1.0.0" (instance $n (export "q" (type (sub resource)))))
			(alias export $n "q" (type $q))
			(import "h:t/less@1.0.0" (instance (alias outer 1 $q (type $q)) (export "q" (type $r (eq $q))) (export "take" (func (param "r" (borrow $r))))))`,
			Missing, nil},
		{"another version", `(import "h:t/same@0.3.0" (instance (export "f" (func))))`, Missing, []string{"[h:t/same@0.2.6]"}},
		{"nobody's", `(import "z:z/z" (instance (export "f" (func))))`, Missing, []string{"no such interface"}},
		{"types only", `(import "z:z/z" (instance (type $r (record (field "a" u8))) (export "t" (type (eq $r)))))`, TypesOnly, nil},
		{"world function", `(import "f" (func))`, Missing, []string{"no such import"}},
		{"core module", `(import "m" (core module))`, Missing, []string{"this host has no such core module"}},
		{"core module of an interface", `(import "h:t/same@0.2.0" (instance (export "f" (func)) (export "m" (core module))))`, Missing,
			[]string{"the host's interface has no such core module"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wasm := binaryOf(t, "(component "+tt.text+")")
			r := inspect(t, wasm, Options{Linker: l, Grant: grant})
			first := r.Imports[0]
			if first.Status != tt.status {
				t.Errorf("status %s, want %s: %+v", first.Status, tt.status, r.Imports)
			}
			var all []string
			all = append(all, first.Host, first.Reason)
			for _, i := range first.Items {
				all = append(all, i.Reason, i.Wants, i.Has)
			}
			for _, w := range tt.want {
				if !strings.Contains(strings.Join(all, "\n"), w) {
					t.Errorf("%q is not in %q", w, all)
				}
			}
			sameAsLinking(t, wasm, l, r)
		})
	}

	t.Run("core modules", func(t *testing.T) {
		e, err := component.NewEngine(component.EngineConfig{})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		m, err := e.Compile(context.Background(), "m", binaryOf(t, "(module)"), component.CompileOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		l := component.NewLinker()
		modules := []component.NamedModule{{Name: "m", Module: m}}
		if err := errors.Join(l.Define(&component.Interface{Modules: modules}), l.Define(&component.Interface{Name: "h:t/with", Modules: modules})); err != nil {
			t.Fatal(err)
		}
		r := inspect(t, binaryOf(t, `(component (import "m" (core module)) (import "h:t/with" (instance (export "m" (core module)))))`), Options{Linker: l})
		if len(r.Imports) != 2 || r.Imports[0].Status != Offered || r.Imports[1].Status != Offered {
			t.Errorf("imports %+v", r.Imports)
		}
	})
	t.Run("core imports", func(t *testing.T) {
		wasm := binaryOf(t, `(module (import "sys" "read" (func (param i32) (result i64))) (import "sys" "write" (func))
			(import "sys" "read" (func)) (import "env" "x" (func)))`)
		r := inspect(t, wasm, Options{Linker: l})
		if len(r.Imports) != 2 || r.Imports[0].Status != Missing || len(r.Imports[0].Items) != 2 || r.Imports[1].Status != Missing {
			t.Errorf("imports %+v", r.Imports)
		}
		if r.World != "" || r.Kind != KindModule || r.Links() {
			t.Errorf("report %+v", r)
		}
	})
}

// sameAsLinking links for real and compares.
func sameAsLinking(t *testing.T, wasm []byte, l *component.Linker, r *Report) {
	t.Helper()
	e, err := component.NewEngine(component.EngineConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	c, err := e.Compile(context.Background(), "it", wasm, component.CompileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	pre, err := l.Link(c)
	if err == nil {
		pre.Close()
	}
	if (err == nil) != r.Links() {
		t.Errorf("linking: %v; the report: %+v", err, r.Imports)
	}
	missing, ok := errors.AsType[*component.MissingImportsError](err)
	if !ok {
		return
	}
	for _, m := range missing.Imports {
		iface, _, _ := strings.Cut(m.Name, "#")
		if !slices.ContainsFunc(r.Imports, func(i Import) bool { return i.Name == iface && !i.Status.Links() }) {
			t.Errorf("linking lacks %s (%s), the report does not", m.Name, m.Reason)
		}
	}
}

// TestGuests: real components, with the host they are made for and with less.
func TestGuests(t *testing.T) {
	files, err := filepath.Glob("../../guests/bin/*.wasm")
	if err != nil || len(files) == 0 {
		t.Fatalf("no guests: %v", err)
	}
	full, less := component.NewLinker(), component.NewLinker()
	if err := errors.Join(host.Define(full), wasi.Define(less)); err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			wasm, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			r := inspect(t, wasm, Options{Linker: full})
			if !r.Links() || len(r.Modules) == 0 || len(r.Exports) == 0 {
				t.Errorf("report %+v", r)
			}
			if r.WIT != "" {
				loads(t, r)
			}
			sameAsLinking(t, wasm, full, r)
			sameAsLinking(t, wasm, less, inspect(t, wasm, Options{Linker: less}))
		})
	}
}

func TestAsync(t *testing.T) {
	for _, text := range []string{
		`(import "a:b/c" (instance (type $s (stream u8)) (export "f" (func (param "s" $s)))))`,
		`(import "a:b/c" (instance (type $s (future)) (type $o (option $s)) (type $t (list $o)) (export "f" (func (result $t)))))`,
	} {
		r := inspect(t, binaryOf(t, "(component "+text+")"), Options{})
		if len(r.Imports) != 1 || r.Imports[0].Status != Async || r.Links() || len(r.Newer) == 0 {
			t.Errorf("%s: %+v, newer %v", text, r.Imports, r.Newer)
		}
	}
}

func TestReset(t *testing.T) {
	r := inspect(t, binaryOf(t, `(component
	  (core module $named)
	  (core module (table 1 funcref) (func (drop (table.grow 0 (ref.null func) (i32.const 1))))))`), Options{})
	if len(r.Modules) != 2 || r.Modules[0].Name != "named" || !strings.Contains(r.NoReset, "core module 1 grows a table") {
		t.Errorf("modules %+v, reset %q", r.Modules, r.NoReset)
	}
}

func TestFaulty(t *testing.T) {
	deep := "(component (type $t0 (tuple u8 u8))"
	for n := range 40 {
		deep += fmt.Sprintf(" (type $t%d (tuple $t%d $t%[2]d))", n+1, n)
	}
	deep += ` (import "f" (func (param "x" $t40))))`
	for name, wasm := range map[string][]byte{
		"empty":      {},
		"cut":        binaryOf(t, "(component (core module))")[:12],
		"too much":   binaryOf(t, deep),
		"not wasm":   []byte("text and more of it"),
		"cut module": []byte("\x00asm\x01\x00\x00\x00\x01\x05"),
	} {
		if r, err := Inspect(wasm, Options{Linker: component.NewLinker()}); err == nil {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// FuzzInspect looks for files that make Inspect panic or hang, or describe what
// it cannot write down. Run it with -fuzzminimizetime=1s: making each new input
// smaller takes a minute otherwise.
func FuzzInspect(f *testing.F) {
	f.Add(binaryOf(f, everything))
	texts, err := filepath.Glob("../binary/testdata/*.wat")
	if err != nil || len(texts) == 0 {
		f.Fatalf("no components in text: %v", err)
	}
	for _, file := range texts {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(binaryOf(f, string(text)))
	}
	files, _ := filepath.Glob("../../guests/bin/*.wasm")
	for _, file := range files {
		// Larger ones slow the fuzzer down more than they teach it.
		if b, err := os.ReadFile(file); err == nil && len(b) < 32<<10 {
			f.Add(b)
		}
	}
	l := component.NewLinker()
	if err := host.Define(l); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, wasm []byte) {
		r, err := Inspect(wasm, Options{Linker: l})
		if err != nil {
			return
		}
		if _, err := json.Marshal(r); err != nil {
			t.Error(err)
		}
	})
}
