package difftest

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/internal/oracle"
)

// both runs components on the two runtimes.
type both struct {
	ours   *component.Engine
	theirs *oracle.Engine
}

func newBoth(t *testing.T) *both {
	e, err := component.NewEngine(component.EngineConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return &both{e, oracle.NewEngine()}
}

// run runs g on our runtime as the oracle does on the other.
func (b *both) run(wasm []byte, api, f *abi.Func, args []abi.Val) (out oracle.Outcome, err error) {
	ctx := context.Background()
	c, err := b.ours.Compile(ctx, "guest", wasm, component.CompileOptions{})
	if err != nil {
		return out, err
	}
	defer c.Close()
	fn, err := component.DynamicFunc("f", api, func(_ *component.Call, args []abi.Val) (abi.Val, error) {
		out.Seen = args[0]
		if api.Result == nil {
			return abi.Val{}, nil
		}
		return args[0], nil
	})
	if err != nil {
		return out, err
	}
	l := component.NewLinker()
	if err := l.Define(&component.Interface{Name: "host:test/api", Funcs: []component.Func{fn}}); err != nil {
		return out, err
	}
	pre, err := l.Link(c)
	if err != nil {
		return out, err
	}
	defer pre.Close()
	in, err := pre.Instantiate(ctx, component.InstantiateOptions{})
	if err != nil {
		return out, err
	}
	defer in.Close()
	export, err := pre.Export("", "run", f)
	if err != nil {
		return out, err
	}
	out.Result, out.Err = in.CallVals(export, args...)
	return out, nil
}

// agree fails when the two do not agree on g. The outcome is ours.
func (b *both) agree(t rapid.TB, g *guest, f *abi.Func, args ...abi.Val) oracle.Outcome {
	text := g.text()
	wasm, err := component.FromText(text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	api := &abi.Func{Params: []abi.Field{{Name: "x", Type: g.typ}}}
	if strings.Contains(g.api, "result") {
		api.Result = g.typ
	}
	ours, err := b.run(wasm, api, f, args)
	if err != nil {
		t.Fatalf("ours: %v\n%s", err, text)
	}
	if trap, ok := errors.AsType[*abi.Trap](ours.Err); ok && trap.Code == abi.TrapLiftLimit {
		t.Skip("more than this runtime lifts")
	}
	theirs, err := b.theirs.Run(wasm, g.typ, "run", f, args...)
	if err != nil {
		t.Fatalf("theirs: %v\n%s", err, text)
	}
	if theirs.Err == nil && stricter(ours.Err, g.encoding) || oneAtTheEnd(ours.Err, theirs.Err, g.encoding) {
		return ours
	}
	switch {
	case (ours.Err == nil) != (theirs.Err == nil):
		t.Fatalf("%s of %v:\nours:   %v, %v\ntheirs: %v, %v\n%s", f, args, ours.Result, ours.Err, theirs.Result, theirs.Err, text)
	case !ours.Result.Equal(theirs.Result):
		t.Fatalf("%s of %v:\nours:   %v\ntheirs: %v\n%s", f, args, ours.Result, theirs.Result, text)
	case !ours.Seen.Equal(theirs.Seen):
		t.Fatalf("%s of %v, in the import:\nours:   %v\ntheirs: %v\n%s", f, args, ours.Seen, theirs.Seen, text)
	}
	return ours
}

// stricter reports whether a trap of ours is one that the engine leaves out: it
// lets a string of 16-bit units lie at an odd address, where CanonicalABI.md,
// section Loading (load_string_from_range), says to trap.
func stricter(err error, encoding string) bool {
	trap, ok := errors.AsType[*abi.Trap](err)
	return ok && trap.Code == abi.TrapUnaligned && encoding != "utf8" && strings.Contains(trap.Msg, "multiple of 2")
}

// oneAtTheEnd reports whether just one of the two found what an allocator gave to
// leave memory. How much is asked for before a string's length in another encoding
// than UTF-8 is known differs and may do so.
func oneAtTheEnd(a, b error, encoding string) bool {
	one := a
	if a == nil {
		one = b
	}
	return (a == nil) != (b == nil) && encoding != "utf8" && strings.Contains(one.Error(), "realloc return: beyond end of memory")
}

func drawEncoding(t *rapid.T) string { return rapid.SampledFrom(encodings).Draw(t, "encoding") }

// TestEcho sends values to a guest, from there to the host, and back both ways.
func TestEcho(t *testing.T) {
	b := newBoth(t)
	rapid.Check(t, func(t *rapid.T) {
		typ := drawType(t, 3)
		v := drawVal(t, typ)
		f := &abi.Func{Params: []abi.Field{{Name: "x", Type: typ}}, Result: typ}
		out := b.agree(t, echo(typ, drawEncoding(t)), f, v)
		if out.Err != nil || !out.Result.Equal(v) || !out.Seen.Equal(v) {
			t.Fatalf("%s: %v came back as %v, %v; the import saw %v", f, v, out.Result, out.Err, out.Seen)
		}
	})
}

// TestHostileResult lifts results from random memory.
func TestHostileResult(t *testing.T) {
	b := newBoth(t)
	counts(t, func(t *rapid.T) bool {
		typ := drawHostile(t, 2)
		f := &abi.Func{Result: typ}
		core := f.CoreType(abi.CanonLift)
		out := b.agree(t, &guest{
			typ: typ, encoding: drawEncoding(t), api: `(param "x" %T)`, run: `(result %T)`,
			memory: fixed(drawMemory(t), 0), main: fmt.Sprintf(`(func (export "run") %s %s)`, core, constants(core.Results, drawFlat(t, core.Results))),
		}, f)
		return out.Err != nil
	})
}

// TestHostileArgument lifts an import's arguments from random core values and
// memory.
func TestHostileArgument(t *testing.T) {
	b := newBoth(t)
	counts(t, func(t *rapid.T) bool {
		typ := drawHostile(t, 2)
		core := (&abi.Func{Params: []abi.Field{{Name: "x", Type: typ}}}).CoreType(abi.CanonLower)
		out := b.agree(t, &guest{
			typ: typ, encoding: drawEncoding(t), api: `(param "x" %T)`,
			memory:  fixed(drawMemory(t), 0),
			imports: fmt.Sprintf(`(import "host" "f" (func $f %s))`, core),
			main:    fmt.Sprintf(`(func (export "run") (call $f %s))`, constants(core.Params, drawFlat(t, core.Params))),
		}, &abi.Func{})
		return out.Err != nil
	})
}

// TestHostileRealloc lowers values where a guest's allocator says.
func TestHostileRealloc(t *testing.T) {
	b := newBoth(t)
	counts(t, func(t *rapid.T) bool {
		typ := drawType(t, 3)
		f := &abi.Func{Params: []abi.Field{{Name: "x", Type: typ}}, Result: abi.U32}
		out := b.agree(t, &guest{
			typ: typ, encoding: drawEncoding(t), api: `(param "x" %T)`, run: `(param "x" %T) (result u32)`,
			memory: fixed(nil, words.Draw(t, "address")),
			main:   fmt.Sprintf(`(func (export "run") %s (i32.const 7))`, f.CoreType(abi.CanonLift)),
		}, f, drawVal(t, typ))
		return out.Err != nil
	})
}

// counts checks a property, which reports whether there was a trap, and that
// there were both traps and none: agreement on one alone would prove little.
func counts(t *testing.T, property func(*rapid.T) bool) {
	var traps, sound int
	rapid.Check(t, func(t *rapid.T) {
		if property(t) {
			traps++
		} else {
			sound++
		}
	})
	if traps == 0 || sound == 0 {
		t.Errorf("%d traps and %d values", traps, sound)
	}
	t.Logf("%d traps and %d values", traps, sound)
}

// TestTraps: the ways to trap one by one, so that none is left to chance.
func TestTraps(t *testing.T) {
	b := newBoth(t)
	tests := []struct {
		name     string
		typ      *abi.Type
		encoding string
		data     []byte
		flat     []uint64 // arguments of the import
		trap     bool
	}{
		{"string", abi.String, "utf8", []byte("text"), []uint64{0, 4}, false},
		{"string that is not utf-8", abi.String, "utf8", []byte{0xff, 0xfe}, []uint64{0, 2}, true},
		{"string cut in a character", abi.String, "utf8", []byte("é"), []uint64{0, 1}, true},
		{"surrogate in utf-8", abi.String, "utf8", []byte{0xed, 0xa0, 0x80}, []uint64{0, 3}, true},
		{"string at the end", abi.String, "utf8", nil, []uint64{65536, 0}, false},
		{"string beyond the end", abi.String, "utf8", nil, []uint64{65536, 1}, true},
		{"string past the end, empty", abi.String, "utf8", nil, []uint64{65537, 0}, true},
		{"string whose end wraps", abi.String, "utf8", nil, []uint64{0xffffffff, 2}, true},
		{"lone surrogate", abi.String, "utf16", []byte{0x00, 0xd8}, []uint64{0, 1}, true},
		{"pair of surrogates", abi.String, "utf16", []byte{0x3d, 0xd8, 0x00, 0xde}, []uint64{0, 2}, false},
		{"misaligned utf-16", abi.String, "utf16", nil, []uint64{1, 1}, true},
		{"utf-16 too long", abi.String, "utf16", nil, []uint64{0, 40000}, true},
		{"latin-1", abi.String, "latin1+utf16", []byte{0xe9}, []uint64{0, 1}, false},
		{"misaligned latin-1", abi.String, "latin1+utf16", []byte{0xe9, 0xe9}, []uint64{1, 1}, true},
		{"tagged utf-16", abi.String, "latin1+utf16", []byte{0x61, 0}, []uint64{0, 1<<31 | 1}, false},
		{"misaligned list", abi.List(abi.U32), "utf8", nil, []uint64{2, 1}, true},
		{"misaligned list, empty", abi.List(abi.U32), "utf8", nil, []uint64{2, 0}, true},
		{"list beyond the end", abi.List(abi.U64), "utf8", nil, []uint64{65528, 2}, true},
		{"list whose size wraps", abi.List(abi.U64), "utf8", nil, []uint64{0, 1 << 29}, true},
		{"list up to the end", abi.List(abi.U64), "utf8", nil, []uint64{65528, 1}, false},
		{"bool of 2", abi.Bool, "utf8", nil, []uint64{2}, false},
		{"u8 with upper bits", abi.U8, "utf8", nil, []uint64{0xff01}, false},
		{"s8 with upper bits", abi.S8, "utf8", nil, []uint64{0x80}, false},
		{"last char", abi.Char, "utf8", nil, []uint64{0x10ffff}, false},
		{"char too large", abi.Char, "utf8", nil, []uint64{0x110000}, true},
		{"char of a surrogate", abi.Char, "utf8", nil, []uint64{0xdabc}, true},
		{"case too large", abi.Variant(abi.Case{Name: "a"}, abi.Case{Name: "b"}), "utf8", nil, []uint64{2}, true},
		{"label too large", abi.Enum("a", "b"), "utf8", nil, []uint64{2}, true},
		{"option of 2", abi.Option(abi.U8), "utf8", nil, []uint64{2, 0}, true},
		{"result of 2", abi.Result(nil, nil), "utf8", nil, []uint64{2}, true},
		{"case too large in memory", abi.List(abi.Enum("a")), "utf8", []byte{1}, []uint64{0, 1}, true},
		{"bool of 2 in memory", abi.List(abi.Bool), "utf8", []byte{2}, []uint64{0, 1}, false},
		{"char in memory", abi.List(abi.Char), "utf8", []byte{0, 0, 0x11, 0}, []uint64{0, 1}, true},
		{"upper bits of a small joined payload", abi.Result(abi.U8, abi.U64), "utf8", nil, []uint64{0, 1<<40 | 5}, false},
		{"float in a joined payload", abi.Result(abi.F32, abi.U64), "utf8", nil, []uint64{0, 1<<40 | 0x3f800000}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			core := (&abi.Func{Params: []abi.Field{{Name: "x", Type: tt.typ}}}).CoreType(abi.CanonLower)
			out := b.agree(t, &guest{
				typ: tt.typ, encoding: tt.encoding, api: `(param "x" %T)`, memory: fixed(tt.data, 0),
				imports: fmt.Sprintf(`(import "host" "f" (func $f %s))`, core),
				main:    fmt.Sprintf(`(func (export "run") (call $f %s))`, constants(core.Params, tt.flat)),
			}, &abi.Func{})
			if (out.Err != nil) != tt.trap {
				t.Fatalf("both say %v, %v", out.Seen, out.Err)
			}
		})
	}
}

// TestOnlyTests: the oracle is no part of what is shipped.
func TestOnlyTests(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}} {{.Imports}}", "github.com/minispin/minispin/...").Output()
	if err != nil {
		t.Skipf("the go command cannot list the packages: %v", err)
	}
	if !strings.Contains(string(out), "/component ") {
		t.Fatalf("the list lacks packages: %.300s", out)
	}
	for line := range strings.Lines(string(out)) {
		if name, imports, _ := strings.Cut(line, " "); strings.Contains(imports, "internal/oracle") {
			t.Errorf("%s imports the oracle", name)
		}
	}
}
