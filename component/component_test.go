package component

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/internal/cwasm"
)

// build compiles and links a text component from testdata.
func build(t testing.TB, e *Engine, l *Linker, file string) *InstancePre {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	return buildText(t, e, l, file, string(text))
}

func buildText(t testing.TB, e *Engine, l *Linker, name, text string) *InstancePre {
	t.Helper()
	return linked(t, l, compiled(t, e, name, text))
}

// compiled compiles a component or core module in text.
func compiled(t testing.TB, e *Engine, name, text string) *Component {
	t.Helper()
	wasm, err := cwasm.Wat(text)
	if err != nil {
		t.Fatal(err)
	}
	c, err := e.Compile(context.Background(), name, wasm, CompileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func linked(t testing.TB, l *Linker, c *Component) *InstancePre {
	t.Helper()
	pre, err := l.Link(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pre.Close)
	return pre
}

func engine(t testing.TB) *Engine {
	t.Helper()
	e, err := NewEngine(EngineConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// unvalidated makes an engine that lets through what its validator would refuse:
// the linker stands on its own, and types need no names to be tested.
func unvalidated(t testing.TB) *Engine {
	t.Helper()
	e := engine(t)
	e.lenient = true
	return e
}

func TestEcho(t *testing.T) {
	pre := build(t, engine(t), NewLinker(), "echo.wat")
	in, err := pre.Instantiate(context.Background(), InstantiateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	echo, err := pre.Export("", "echo", &abi.Func{Params: []abi.Field{{Name: "s", Type: abi.String}}, Result: abi.String})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"", "hello", "naïve ☃", strings.Repeat("x", 200_000)} {
		v, err := in.CallVals(echo, abi.StringVal(s))
		if err != nil {
			t.Fatal(err)
		}
		if got := v.Str(); got != s {
			t.Errorf("echo(%d bytes) = %d bytes", len(s), len(got))
		}
	}
	posts, err := pre.Export("", "posts", nil)
	if err != nil {
		t.Fatal(err)
	}
	v, err := in.CallVals(posts)
	if err != nil || v.Uint() != 4 {
		t.Errorf("post-return ran %d times, %v; want 4", v.Uint(), err)
	}
}
