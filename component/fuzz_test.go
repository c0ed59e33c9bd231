package component

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/internal/cwasm"
)

// FuzzLink decodes, compiles and links arbitrary bytes, with a host that has
// nothing, one that has what the seeds import and one that makes up whatever is
// imported, and runs what links for a moment. There may be errors, but neither a panic nor a hang.
func FuzzLink(f *testing.F) {
	files, err := filepath.Glob("testdata/*.wat")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	ft := &abi.Func{Params: []abi.Field{{Name: "x", Type: abi.String}}, Result: abi.String}
	texts := []string{
		tinyModule, benchModule, encoded("", "", bothEntries), reentry, passThrough(ft, "utf8"), guestPair(ft, "utf16", "latin1+utf16"),
		withRealloc("(i32.const 64)"), counterUser(counterAtRoot), counterUser(counterInInstance),
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	for _, text := range texts {
		wasm, err := cwasm.Wat(text)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(wasm)
	}
	f.Add(withWorlds(f, thingModule, [2]string{thingWorld, "utf8"}))

	e, err := NewEngine(EngineConfig{Tick: time.Millisecond})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(e.Close)
	h := &moduleHost{}
	full := h.linker(f)
	for _, i := range []*Interface{
		{Name: "host:test/api", Funcs: []Func{
			dynamic(f, "f", ft, func(_ *Call, args []abi.Val) (abi.Val, error) { return args[0], nil }),
			dynamic(f, "out", &abi.Func{}, func(*Call, []abi.Val) (abi.Val, error) { return abi.Val{}, nil }),
		}},
		(&dropLog{}).linker(f).lookup("host:test/log"),
		(&owning{}).linker(f).lookup("host:test/own"),
		{Name: "x:y/modules", Modules: []NamedModule{{"counter", compiled(f, e, "counter", counterModule)}}},
	} {
		if err := full.Define(i); err != nil {
			f.Fatal(err)
		}
	}
	linkers := []*Linker{NewLinker(), full}
	f.Fuzz(func(t *testing.T, wasm []byte) {
		began := time.Now()
		defer func() {
			if d := time.Since(began); d > 5*time.Second {
				t.Errorf("it took %v", d)
			}
		}()
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		defer cancel()
		c, err := e.Compile(context.Background(), "fuzzed", wasm, CompileOptions{})
		if err != nil {
			return
		}
		defer c.Close()
		all := linkers
		if l, err := stubLinker(c); err == nil {
			all = append(linkers[:2:2], l)
		}
		for _, l := range all {
			if pre, err := l.Link(c); err == nil {
				runAll(ctx, pre)
				pre.Close()
			}
		}
	})
}

// runAll calls every export that takes nothing or a single plain value.
func runAll(ctx context.Context, pre *InstancePre) {
	limits := Limits{MemoryBytes: 4 << 20, Memories: 4, Handles: 100}
	in, err := pre.Instantiate(ctx, InstantiateOptions{Limits: limits})
	if err != nil {
		return
	}
	defer in.Close()
	call := func(f *ExportFunc) {
		var args []abi.Val
		for _, p := range f.Type.Params {
			switch p.Type.Kind {
			case abi.KindU32:
				args = append(args, abi.U32Val(1))
			case abi.KindString:
				args = append(args, abi.StringVal("text"))
			default:
				return
			}
		}
		_, _ = in.CallVals(f, args...)
	}
	for _, f := range pre.funcs {
		call(f)
	}
	for _, fs := range pre.exports {
		for _, f := range fs {
			call(f)
		}
	}
}
