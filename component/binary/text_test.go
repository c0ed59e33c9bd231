package binary

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bytecodealliance/wasmtime-go/v39"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// assemble turns the text format into bytes.
func assemble(tb testing.TB, text string) []byte {
	tb.Helper()
	b, err := wasmtime.Wat2Wasm(text)
	if err != nil {
		tb.Fatalf("assembling: %v\n%s", err, text)
	}
	return b
}

// textComponents gives the components of testdata by name.
func textComponents(tb testing.TB) map[string][]byte {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "*.wat"))
	if err != nil || len(files) == 0 {
		tb.Fatalf("no components in testdata: %v", err)
	}
	all := map[string][]byte{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		all[strings.TrimSuffix(file, ".wat")] = assemble(tb, string(text))
	}
	return all
}

func TestTextComponents(t *testing.T) {
	for name, b := range textComponents(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			c, err := Decode(b, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			checkTree(t, b, c)
			got := dump(c)
			golden := name + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			wantText := strings.ReplaceAll(string(want), "\r\n", "\n")
			if diff := cmp.Diff(wantText, got); diff != "" {
				t.Errorf("differs from %s (-want +got):\n%s", golden, diff)
			}
		})
	}
}

// checkTree checks what must hold of every accepted component: each index
// points into its index space as long as it is at that point, and offsets lie
// inside the component and grow.
func checkTree(tb testing.TB, input []byte, c *Component) {
	tb.Helper()
	if c.Offset < 0 || c.Offset+c.Size > len(input) {
		tb.Fatalf("component at %d of %d bytes is outside the input of %d", c.Offset, c.Size, len(input))
	}
	if b := input[c.Offset : c.Offset+c.Size]; !IsComponent(b) {
		tb.Errorf("no component at offset %d", c.Offset)
	}
	for _, s := range c.Customs {
		if string(input[s.Offset:s.Offset+len(s.Data)]) != string(s.Data) {
			tb.Errorf("custom section %q is not at offset %d", s.Name, s.Offset)
		}
	}
	var spaces [NumSorts]int
	in := func(def Def, sort Sort, index uint32) {
		if int(index) >= spaces[sort] {
			tb.Errorf("%T at %#x: %s %d is out of bounds, there are %d", def, def.Pos(), sort, index, spaces[sort])
		}
	}
	last := c.Offset
	for _, def := range c.Defs {
		if def.Pos() <= last || def.Pos() >= c.Offset+c.Size {
			tb.Errorf("%T is at %#x after one at %#x", def, def.Pos(), last)
		}
		last = def.Pos()
		switch def := def.(type) {
		case *CoreInstantiate:
			in(def, SortCoreModule, def.Module)
			for _, a := range def.Args {
				in(def, SortCoreInstance, a.Instance)
			}
		case *CoreInlineExports:
			for _, e := range def.Exports {
				in(def, e.Sort, e.Index)
			}
		case *NestedComponent:
			checkTree(tb, input, def.Component)
			for _, f := range def.NewerForms {
				if !slices.Contains(c.NewerForms, f) {
					tb.Errorf("form %q of a nested component is not noted outside", f)
				}
			}
		case *Instantiate:
			in(def, SortComponent, def.Component)
			for _, a := range def.Args {
				in(def, a.Sort, a.Index)
			}
		case *InlineExports:
			for _, e := range def.Exports {
				in(def, e.Sort, e.Index)
			}
		case *AliasExport:
			in(def, SortInstance, def.Instance)
		case *AliasCoreExport:
			in(def, SortCoreInstance, def.Instance)
		case *CanonLift:
			in(def, SortCoreFunc, def.Core)
			in(def, SortType, def.Type)
		case *CanonLower:
			in(def, SortFunc, def.Func)
		case *CanonResourceNew:
			in(def, SortType, def.Resource)
		case *Export:
			in(def, def.Sort, def.Index)
		}
		sort, n := def.Adds()
		spaces[sort] += n
	}
}

func TestNewerForms(t *testing.T) {
	tests := []struct {
		text string
		want []Form
	}{
		{`(component (import "a-b" (func)))`, nil},
		{`(component (import "a" (func (param "s" (stream u8)))))`, []Form{FormStream}},
		{`(component (component (import "a" (func (result (future u8))))))`, []Form{FormFuture}},
		{`(component (core module (tag)))`, []Form{FormException}},
		{`(component (type error-context))`, []Form{FormErrorContext}},
		{`(component (core func (canon backpressure.inc)))`, []Form{FormAsyncBuiltin}},
		{`(component (core type (func (param funcref externref))))`, nil},
		{`(component (core type (func (param anyref))))`, []Form{FormCoreGC}},
		{`(component (core type (func (param exnref))))`, []Form{FormException}},
		{`(component (core type (sub (func))))`, []Form{FormCoreGC}},
		{`(component (type (list u8 4)))`, []Form{FormFixedList}},
	}
	for _, tt := range tests {
		c, err := Decode(assemble(t, tt.text), Limits{})
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		if !slices.Equal(c.NewerForms, tt.want) {
			t.Errorf("%s: newer forms %q, want %q", tt.text, c.NewerForms, tt.want)
		}
	}
}
