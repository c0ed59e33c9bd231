package component

import (
	"context"
	"os"
	"testing"

	"github.com/minispin/minispin/component/binary"
)

func TestProbe(t *testing.T) {
	e, err := NewEngine(EngineConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for _, f := range []string{"rust-inbound-http", "rust-wasi-http"} {
		b, err := os.ReadFile("../guests/bin/" + f + ".wasm")
		if err != nil {
			t.Fatal(err)
		}
		c, err := e.Compile(context.Background(), f, b, CompileOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for _, d := range c.def.Defs {
			if i, ok := d.(*binary.CoreInstantiate); ok {
				t.Logf("%s: instantiate %d %v", f, i.Module, i.Args)
			}
		}
		pre, err := NewLinker().Link(c)
		if err != nil {
			t.Log(err)
			continue
		}
		defer pre.Close()
		t.Log(pre.Exports())
	}
}
