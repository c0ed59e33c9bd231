package component

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minispin/minispin/component/binary"
)

// Only the engine's validator knows these rules.
func TestCompileValidates(t *testing.T) {
	e := engine(t)
	for _, tt := range []struct{ name, text, want string }{
		{"a record that has no name outside", `(component
			(type $r (record (field "a" u32)))
			(import "f" (func (param "x" $r))))`, "not valid to be used as import"},
		{"an argument of another type", `(component
			(component $c (import "f" (func (param "a" string))))
			(import "g" (func $g (param "a" u32)))
			(instance (instantiate $c (with "f" (func $g)))))`, "type mismatch"},
		{"a list without realloc", `(component
			(import "f" (func $f (result string)))
			(core module $m (memory (export "m") 1))
			(core instance $i (instantiate $m))
			(core func (canon lower (func $f) (memory $i "m"))))`, "canonical option `realloc` is required"},
		{"a core function of another type", `(component
			(core module $m (func (export "f") (result i64) (i64.const 0)))
			(core instance $i (instantiate $m))
			(func (export "f") (result u32) (canon lift (core func $i "f"))))`, "lowered result types"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wasm, err := FromText(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			_, err = e.Compile(context.Background(), "bad", wasm, CompileOptions{})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want %q", err, tt.want)
			}
			if msg := err.Error(); !strings.HasPrefix(msg, "component bad: validate") || strings.Contains(msg, "\n") {
				t.Errorf("the message is not one line that says what was done: %q", msg)
			}
		})
	}
}

// The validator's offsets are turned into those of the component itself.
func TestValidateOffset(t *testing.T) {
	e := engine(t)
	const bad = `(type $r (record (field "a" u32))) (import "f" (func (param "x" $r)))`
	offset := func(text string) int {
		wasm, err := FromText(text)
		if err != nil {
			t.Fatal(err)
		}
		_, err = e.Compile(context.Background(), "bad", wasm, CompileOptions{})
		var at int
		_, tail, ok := strings.Cut(fmt.Sprint(err), "(at offset ")
		if n, _ := fmt.Sscanf(tail, "%v)", &at); !ok || n != 1 {
			t.Fatalf("no offset in %v", err)
		}
		def, err := binary.Decode(wasm, binary.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		last := def.Defs[len(def.Defs)-1].(*binary.Import)
		return at - last.Pos()
	}
	plain := offset("(component " + bad + ")")
	moved := offset(`(component (core module (func (export "f") (drop (i64.const 123456789)) (nop) (nop)) (data "a lot of bytes"))
		(component (core module (data "more"))) ` + bad + ")")
	if plain != moved {
		t.Errorf("the offset is %d bytes from the import, and %d where a core module comes before it", plain, moved)
	}
}

func TestPlaced(t *testing.T) {
	s := &binary.Skeleton{}
	for _, tt := range []struct{ message, want string }{
		{"no offset", "no offset"},
		{"bad (at offset 0xzz)", "bad (at offset 0xzz)"},
		{"bad (at offset 0x1", "bad (at offset 0x1"},
		{"validate component: failed to parse WebAssembly module: bad", "validate component: bad"},
		{"in a module (at offset 0x1)", "in a module"},
	} {
		if got := placed(tt.message, s); got != tt.want {
			t.Errorf("placed(%q) = %q, want %q", tt.message, got, tt.want)
		}
	}
}

// doubling is a component that unfolds to 2 to the n others.
func doubling(n int) string {
	text := "(component $c0)"
	for i := 1; i <= n; i++ {
		text = fmt.Sprintf("(component $c%d %s (instance (instantiate $c%d)) (instance (instantiate $c%d)))", i, text, i-1, i-1)
	}
	return text
}

func TestUnfoldsLittle(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       bool
	}{
		{"nothing", "(component)", true},
		{"a few", doubling(8), true},
		{"very many", doubling(40), false},
		{"very many, by outer aliases and exports", `(component
			(component $a0)
			` + aliased(40) + "(instance (instantiate $a40)))", false},
		{"very many that are not instantiated", "(component (component $a0) " + aliased(40) + ")", true},
		{"an unknown one", `(component (import "c" (component $c)) (instance (instantiate $c)))`, true},
		{"an unknown one, often", `(component (import "c" (component $c))` +
			strings.Repeat("(instance (instantiate $c))", maxValidateBlind+1) + ")", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wasm, err := FromText(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			def, err := binary.Decode(wasm, binary.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if got := unfoldsLittle(def); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// aliased doubles as doubling does, with components side by side.
func aliased(n int) string {
	var b strings.Builder
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, `(component $b%d (alias outer 1 $a%d (component $x))
			(instance (instantiate $x)) (instance (instantiate $x)))
			(export $a%d "c%d" (component $b%d))`, i, i-1, i, i, i)
	}
	return b.String()
}

// A component that would keep the validator busy for days is compiled at once,
// and refused when it is linked.
func TestCompileDoesNotUnfold(t *testing.T) {
	e := engine(t)
	wasm, err := FromText(doubling(60))
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	c, err := e.Compile(context.Background(), "doubling", wasm, CompileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := NewLinker().Link(c); err == nil || !strings.Contains(err.Error(), "component instances") {
		t.Errorf("got %v", err)
	}
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("it took %v", d)
	}
}

// The verdict is kept, that of another component is not taken for it.
func TestCacheKeepsVerdict(t *testing.T) {
	dir := t.TempDir()
	e := cacheEngine(t, dir)
	verdicts := func() int {
		files, err := filepath.Glob(filepath.Join(dir, "*.valid"))
		if err != nil {
			t.Fatal(err)
		}
		return len(files)
	}
	const good = `(component (import "f" (func (param "x" u32))))`
	compileWat(t, e, good)
	if n := verdicts(); n != 1 {
		t.Fatalf("%d verdicts are kept, want 1", n)
	}
	bad, err := FromText(`(component (type $r (record (field "a" u32))) (import "f" (func (param "x" $r))))`)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := e.Compile(context.Background(), "bad", bad, CompileOptions{}); err == nil {
			t.Fatal("an invalid component was accepted")
		}
	}
	if n := verdicts(); n != 1 {
		t.Errorf("%d verdicts are kept, want 1", n)
	}

	// With a verdict the validator is not asked again: here it is a false one.
	skeleton, err := binary.NewSkeleton(bad)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.cache.keepValid(sha256.Sum256(skeleton.Bytes)); err != nil {
		t.Fatal(err)
	}
	c, err := e.Compile(context.Background(), "bad", bad, CompileOptions{})
	if err != nil {
		t.Fatalf("the verdict is not used: %v", err)
	}
	c.Close()
}

// A verdict is remembered without a cache, too, and asked for once.
func TestVerdictIsRemembered(t *testing.T) {
	good, err := FromText(`(component)`)
	if err != nil {
		t.Fatal(err)
	}
	bad, err := FromText(`(component (type $r (record (field "a" u32))) (import "f" (func (param "x" $r))))`)
	if err != nil {
		t.Fatal(err)
	}
	e := engine(t)
	compile := func(wasm []byte) error {
		c, err := e.Compile(context.Background(), "any", wasm, CompileOptions{})
		if err == nil {
			c.Close()
		}
		return err
	}
	for range 2 {
		if err := compile(bad); err == nil {
			t.Fatal("an invalid component is compiled")
		}
		if err := compile(good); err != nil || !e.verdicts.valid(e.verdicts.key(good)) {
			t.Fatalf("the verdict is not remembered, error %v", err)
		}
	}
	// Here is a false one, to show that it is used.
	e.verdicts.keep(e.verdicts.key(bad))
	if err := e.validate(&binary.Component{}, bad); err != nil {
		t.Errorf("the verdict is not used: %v", err)
	}
	for i := range 2 * maxVerdicts {
		e.verdicts.keep(verdictKey{hash: uint64(i)})
	}
	if n := len(e.verdicts.good); n > maxVerdicts {
		t.Errorf("%d verdicts are remembered", n)
	}
}

// A component with forms that the validator does not know is not shown to it.
func TestValidateLeavesNewerForms(t *testing.T) {
	wasm, err := FromText(`(component (type $r (record (field "a" u32))) (import "f" (func (param "x" $r))))`)
	if err != nil {
		t.Fatal(err)
	}
	def, err := binary.Decode(wasm, binary.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	e := engine(t)
	if err := e.validate(def, wasm); err == nil {
		t.Fatal("the component is to be invalid")
	}
	def.NewerForms = append(def.NewerForms, binary.FormStream)
	if err := e.validate(def, wasm); err != nil {
		t.Errorf("got %v", err)
	}
}

func BenchmarkValidate(b *testing.B) {
	for _, guest := range []string{"rust-wasi-http", "rust-spin-sdk5-wasip2"} {
		wasm, err := os.ReadFile("../guests/bin/" + guest + ".wasm")
		if err != nil {
			b.Fatal(err)
		}
		def, err := binary.Decode(wasm, binary.Limits{})
		if err != nil {
			b.Fatal(err)
		}
		for name, e := range map[string]*Engine{"asked": engine(b), "kept": cacheEngine(b, b.TempDir())} {
			b.Run(guest+"/"+name, func(b *testing.B) {
				for b.Loop() {
					clear(e.verdicts.good)
					if err := e.validate(def, wasm); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
