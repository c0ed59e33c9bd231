package footprint_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/minispin/minispin/component/binary"
	"github.com/minispin/minispin/component/footprint"
	"github.com/minispin/minispin/internal/cwasm"
)

func assemble(t testing.TB, text string) []byte {
	t.Helper()
	wasm, err := cwasm.Wat(text)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

func scan(t testing.TB, wasm []byte) *footprint.Module {
	t.Helper()
	m, err := footprint.Scan(wasm)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// describe lists what a module can change, one item a line.
func describe(m *footprint.Module) string {
	var b strings.Builder
	line := func(parts ...string) { b.WriteString(strings.Join(parts, " ") + "\n") }
	for _, x := range m.Memories {
		line("memory", string('0'+rune(x.Index)), x.Export)
	}
	for _, x := range m.Globals {
		if x.Set != nil {
			line("global", string('0'+rune(x.Index)), x.Type.String(), x.Export+":", x.Set.String())
		}
	}
	for _, x := range m.Tables {
		if x.Change != nil {
			line("table", string('0'+rune(x.Index)), x.Elem.String(), x.Export+":", x.Change.String())
		}
		if x.Grow != nil {
			line("grows", x.Grow.String())
		}
	}
	if m.Drops != nil {
		line("drops", m.Drops.String())
	}
	if m.Grows != nil {
		line("grows", m.Grows.String())
	}
	return b.String()
}

func TestScan(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", `(module)`, ""},
		{"exported and hidden state", `(module
			(import "m" "g" (global $g (mut i32)))
			(import "m" "mem" (memory 1))
			(memory $own 1)
			(memory (export "shown") 1)
			(global i32 (i32.const 1))
			(global (export "sp") (mut i32) (i32.const 2))
			(global (mut funcref) (ref.null func))
			(global (mut externref) (ref.null extern))
			(func (global.set $g (i32.const 1)))
			(func (global.set 2 (global.get 1)) (global.set 3 (global.get 3)) (global.set 2 (global.get 0))))`,
			"memory 1 \nmemory 2 shown\nglobal 0 i32 : global.set in function 0\nglobal 2 i32 sp: global.set in function 1\n" +
				"global 3 funcref : global.set in function 1\n"},
		{"no change of a table", `(module (table 3 funcref) (elem (i32.const 0) $f)
			(func $f (drop (table.get 0 (i32.const 0))) (drop (table.size 0)) (call_indirect (i32.const 0))))`, ""},
		{"table.set", `(module (table 1 funcref) (table $b 3 funcref) (func) (func (table.set $b (i32.const 0) (ref.null func))))`,
			"table 1 funcref : table.set in function 1\n"},
		{"table.fill of an import", `(module (import "a" "f" (func)) (import "a" "t" (table 1 externref))
			(func (table.fill 0 (i32.const 0) (ref.null extern) (i32.const 1))))`,
			"table 0 externref : table.fill in function 1\n"},
		{"table.copy changes its target", `(module (table $a 1 funcref) (table $b (export "b") 1 funcref)
			(func (table.copy $b $a (i32.const 0) (i32.const 0) (i32.const 1))))`,
			"table 1 funcref b: table.copy in function 0\n"},
		{"table.init", `(module (table 1 funcref) (elem funcref (ref.null func)) (func (table.init 0 (i32.const 0) (i32.const 0) (i32.const 1))))`,
			"table 0 funcref : table.init in function 0\n"},
		{"table.grow", `(module (table 1 funcref) (func (drop (table.grow 0 (ref.null func) (i32.const 1)))))`,
			"table 0 funcref : table.grow in function 0\ngrows table.grow in function 0\n"},
		{"data.drop", `(module (memory 1) (data "x") (func) (func (data.drop 0)))`,
			"memory 0 \ndrops data.drop in function 1\n"},
		{"elem.drop", `(module (elem funcref (ref.null func)) (func (elem.drop 0)))`,
			"drops elem.drop in function 0\n"},
		{"memory.init alone drops nothing", `(module (memory 1) (data "x") (func (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 1))))`,
			"memory 0 \n"},
		{"memory.grow", `(module (memory 1) (func (drop (memory.grow (i32.const 1)))))`,
			"memory 0 \ngrows memory.grow in function 0\n"},
		{"the first of each", `(module (table 1 funcref) (func (table.set 0 (i32.const 0) (ref.null func)))
			(func (table.fill 0 (i32.const 0) (ref.null func) (i32.const 1))))`,
			"table 0 funcref : table.set in function 0\n"},
		{"constants that look like instructions", `(module (table 1 funcref) (func
			(drop (i32.const 0x26)) (drop (i64.const 0x26fc0d)) (drop (f64.const nan:0x26262626fc0d0))
			(drop (v128.const i32x4 0x26002600 0x26002600 0x0dfc0dfc 0x0bfc0b0b))))`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, describe(scan(t, assemble(t, tt.text)))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// instructions has one of every shape of immediate and of every proposal that
// the engine is configured for, wherever it is followed by something telling.
const instructions = `(module
	(type $t (func (param i32) (result i32)))
	(import "" "" (func $h (param i32) (result i32)))
	(memory $m 1) (memory $n 1)
	(table $f 2 funcref) (table $e 2 externref)
	(global $g (mut v128) (v128.const i64x2 1 2))
	(data $d "abc") (elem $s funcref (ref.func $h))
	(func $tail (param i32) (result i32) (return_call $h (local.get 0)))
	(func $taili (param i32) (result i32) (return_call_indirect $f (type $t) (local.get 0) (i32.const 0)))
	(func (param $p i32) (result i32)
		(local $v v128) (local funcref) (local externref f32 f64 i64)
		nop
		(block (br 0)) (block $l (loop (br_if $l (local.get $p)) (br 0)))
		(block (block (br_table 0 1 0 1 0 (local.get $p))))
		(drop (block (result i32) (i32.const -1)))
		(drop (i32.const 1)) (i32.const 1) (i32.const 2) (block (param i32 i32) (result i32 i32)) drop drop
		(if (local.get $p) (then nop) (else (nop)))
		(drop (select (i32.const 1) (i32.const 2) (i32.const 3)))
		(drop (select (result funcref) (ref.null func) (ref.func $h) (i32.const 3)))
		(drop (ref.is_null (ref.null extern)))
		(drop (call $h (i32.const -2147483648)))
		(drop (call_indirect $f (type $t) (i32.const 1) (i32.const 0)))
		(drop (i64.const -9223372036854775808))
		(drop (f32.const 1.5)) (drop (f64.const 1.5))
		(drop (i32.load offset=4294967295 (i32.const 0)))
		(drop (i64.load8_u $n offset=7 align=1 (i32.const 0)))
		(i64.store32 $n offset=1 (i32.const 0) (i64.const 1))
		(drop (memory.size $n)) (drop (memory.grow $n (i32.const 0)))
		(memory.fill $n (i32.const 0) (i32.const 0) (i32.const 0))
		(memory.copy $n $m (i32.const 0) (i32.const 0) (i32.const 0))
		(memory.init $n $d (i32.const 0) (i32.const 0) (i32.const 0))
		(data.drop $d) (elem.drop $s)
		(table.init $f $s (i32.const 0) (i32.const 0) (i32.const 0))
		(drop (table.size $e)) (drop (table.grow $e (ref.null extern) (i32.const 0)))
		(drop (i32.trunc_sat_f64_u (f64.const 1))) (drop (i64.extend8_s (i64.const 1)))
		(drop (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 (local.get $v) (local.get $v)))
		(drop (i8x16.extract_lane_s 15 (local.get $v)))
		(drop (f64x2.replace_lane 1 (local.get $v) (f64.const 1)))
		(drop (v128.load64_zero $n offset=3 (i32.const 0)))
		(drop (v128.load8_lane $n offset=3 5 (i32.const 0) (local.get $v)))
		(v128.store64_lane 1 (i32.const 0) (local.get $v))
		(v128.store (i32.const 0) (local.get $v))
		(drop (v128.load8_splat (i32.const 0)))
		(drop (i8x16.splat (i32.const 1)))
		(drop (f64x2.convert_low_i32x4_u (local.get $v)))
		(drop (i32x4.dot_i16x8_s (local.get $v) (local.get $v)))
		(drop (f32x4.relaxed_madd (local.get $v) (local.get $v) (local.get $v)))
		(drop (i32x4.relaxed_dot_i8x16_i7x16_add_s (local.get $v) (local.get $v) (local.get $v)))
		(global.set $g (local.get $v))
		(return (local.tee $p (i32.const 3)))
		unreachable)
	(func (table.set $f (i32.const 0) (ref.null func))))`

func TestEveryShapeOfInstruction(t *testing.T) {
	m := scan(t, assemble(t, instructions))
	want := "memory 0 \nmemory 1 \nglobal 0 v128 : global.set in function 3\n" +
		"table 0 funcref : table.init in function 3\n" +
		"table 1 externref : table.grow in function 3\ngrows table.grow in function 3\n" +
		"drops data.drop in function 3\ngrows memory.grow in function 3\n"
	if diff := cmp.Diff(want, describe(m)); diff != "" {
		t.Error(diff)
	}
}

// Every byte of a module is read by the walk: with any one function body cut
// short or made longer, the module no longer decodes.
func TestBodiesAreReadToTheLastByte(t *testing.T) {
	head := []byte("\x00asm\x01\x00\x00\x00\x01\x04\x01\x60\x00\x00\x03\x02\x01\x00")
	code := func(body ...byte) []byte {
		section := append([]byte{1, byte(len(body))}, body...)
		return append(append(bytes.Clone(head), 10, byte(len(section))), section...)
	}
	if _, err := footprint.Scan(code(0, 0x01, 0x0b)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		body []byte
		want string
	}{
		{"no end", []byte{0, 0x01}, "unexpected end"},
		{"something after the end", []byte{0, 0x0b, 0x01}, "1 bytes left over after the end"},
		{"open block", []byte{0, 0x02, 0x40, 0x0b}, "unexpected end"},
		{"cut constant", []byte{0, 0x44, 0, 0, 0x0b}, "unexpected end"},
		{"cut locals", []byte{2, 1, 0x7f}, "unexpected end"},
		{"unknown instruction", []byte{0, 0xff, 0x0b}, "unknown instruction 0xff"},
		{"unknown 0xfc instruction", []byte{0, 0xfc, 18, 0x0b}, "unknown instruction 0xfc 18"},
		{"unknown vector instruction", []byte{0, 0xfd, 0x94, 0x02, 0x0b}, "unknown vector instruction 0x114"},
		{"number too long", []byte{0, 0x10, 0x80, 0x80, 0x80, 0x80, 0x80, 0, 0x0b}, "longer than 32 bits"},
		{"number too large", []byte{0, 0x10, 0xff, 0xff, 0xff, 0xff, 0x1f, 0x0b}, "longer than 32 bits"},
		{"constant too long", []byte{0, 0x41, 0x80, 0x80, 0x80, 0x80, 0x80, 0, 0x0b}, "longer than 5 bytes"},
		{"table that is not there", []byte{0, 0x26, 0, 0x0b}, "table 0 is out of bounds"},
		{"huge br_table", []byte{0, 0x0e, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x0b}, "unexpected end"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := footprint.Scan(code(tt.body...))
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "function 0") {
				t.Errorf("error %v, want one that says %q of function 0", err, tt.want)
			}
		})
	}
}

func TestExpose(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"nothing to add", `(module (memory (export "m") 1) (table 1 funcref))`, ""},
		{"no export section and nothing after", `(module (memory 1))`, "minispin:memory:0"},
		{"no export section", `(module (global (mut i32) (i32.const 1)) (func $f (global.set 0 (i32.const 2))) (start $f))`, "minispin:global:0"},
		{"a mutable global that is never set", `(module (global (mut i32) (i32.const 1)) (func (drop (global.get 0))))`, ""},
		{"beside others", `(module (memory (export "m") 1) (memory 1) (global (export "g") (mut i64) (i64.const 1))
			(table 2 funcref) (table 2 funcref) (func (export "f") (table.set 1 (i32.const 0) (ref.null func))))`,
			"m g f minispin:memory:1 minispin:table:1"},
		{"a name that is taken", `(module (memory 1) (func (export "minispin:memory:0")))`, "minispin:memory:0 minispin:memory:0'"},
		{"an empty name", `(module (memory (export "") 1))`, " minispin:memory:0"},
		{"imports are not ours", `(module (import "" "m" (memory 1)) (import "" "t" (table 1 funcref)) (import "" "g" (global (mut i32)))
			(func (table.set 0 (i32.const 0) (ref.null func))))`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wasm := assemble(t, tt.text)
			m := scan(t, wasm)
			out := m.Expose()
			b, err := binary.DecodeModule(out, binary.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, e := range b.Exports {
				names = append(names, e.Name)
			}
			if tt.want == "" {
				if !bytes.Equal(out, wasm) {
					t.Errorf("changed although nothing had to be added: exports %q", names)
				}
				return
			}
			if got := strings.Join(names, " "); got != tt.want {
				t.Errorf("exports %q, want %q", got, tt.want)
			}
			for _, x := range m.Memories {
				if e := b.Export(x.Export); e == nil || e.Sort != binary.SortCoreMemory || e.Index != x.Index {
					t.Errorf("memory %d: export %q is %+v", x.Index, x.Export, e)
				}
			}
			for _, x := range m.Globals {
				if x.Set == nil || x.Import >= 0 {
					continue
				}
				if e := b.Export(x.Export); e == nil || e.Sort != binary.SortCoreGlobal || e.Index != x.Index {
					t.Errorf("global %d: export %q is %+v", x.Index, x.Export, e)
				}
			}
			for _, x := range m.Tables {
				if x.Change == nil || x.Import >= 0 {
					continue
				}
				if e := b.Export(x.Export); e == nil || e.Sort != binary.SortCoreTable || e.Index != x.Index {
					t.Errorf("table %d: export %q is %+v", x.Index, x.Export, e)
				}
			}
			engineTakes(t, out)
		})
	}
}

// engineTakes fails unless the engine compiles the module.
func engineTakes(t *testing.T, wasm []byte) {
	t.Helper()
	e, err := cwasm.NewEngine(cwasm.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	m, err := e.Compile(wasm)
	if err != nil {
		t.Fatal(err)
	}
	m.Close()
}

// guestModules lists the core modules of all guests that are kept.
func guestModules(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("../../guests/bin/*.wasm")
	if err != nil || len(files) == 0 {
		t.Fatalf("no guests: %v", err)
	}
	modules := map[string][]byte{}
	var inside func(name string, c *binary.Component)
	inside = func(name string, c *binary.Component) {
		for i, d := range c.Defs {
			switch d := d.(type) {
			case *binary.CoreModule:
				modules[name+"/"+string(rune('a'+i%26))+string(rune('a'+i/26))] = d.Bytes
			case *binary.NestedComponent:
				inside(name+"/inner", d.Component)
			}
		}
	}
	for _, f := range files {
		wasm, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if !binary.IsComponent(wasm) {
			modules[filepath.Base(f)] = wasm
			continue
		}
		c, err := binary.Decode(wasm, binary.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		inside(filepath.Base(f), c)
	}
	return modules
}

// Scan fails when a body does not end where the code section says, so that a
// module scanned without error was read to its last byte.
func TestGuests(t *testing.T) {
	for name, wasm := range guestModules(t) {
		m, err := footprint.Scan(wasm)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		again := scan(t, m.Expose())
		for _, g := range again.Globals {
			if g.Set != nil && g.Import < 0 && g.Export == "" {
				t.Errorf("%s: global %d is still hidden", name, g.Index)
			}
		}
		if m.Drops != nil {
			t.Errorf("%s drops segments: %s", name, m.Drops)
		}
	}
}

func FuzzScan(f *testing.F) {
	f.Add(assemble(f, instructions))
	f.Add(assemble(f, `(module (memory 1) (global (mut i32) (i32.const 0)) (func $f (data.drop 0)) (data "x") (start $f))`))
	for _, wasm := range guestModules(f) {
		if len(wasm) < 4<<10 {
			f.Add(wasm)
		}
	}
	f.Fuzz(func(t *testing.T, wasm []byte) {
		m, err := footprint.Scan(wasm)
		if err != nil {
			return
		}
		out := m.Expose()
		again, err := footprint.Scan(out)
		if err != nil {
			t.Fatalf("after Expose: %v", err)
		}
		if !bytes.Equal(again.Expose(), out) {
			t.Fatal("exposed twice, more is exposed")
		}
	})
}

func BenchmarkScan(b *testing.B) {
	wasm := guestModules(b)["rust-spin-sdk5.wasm"]
	b.SetBytes(int64(len(wasm)))
	for b.Loop() {
		if _, err := footprint.Scan(wasm); err != nil {
			b.Fatal(err)
		}
	}
}
