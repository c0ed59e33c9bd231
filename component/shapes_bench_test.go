package component

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minispin/minispin/component/abi"
)

// This file measures what values of each shape cost in each direction, by the
// dynamic API and, for the shapes that programs move in bulk, as generated
// bindings do it; and holds some of it to allocate nothing but the result.

// shape is a type with a value, and that value as it lies in guest memory.
type shape struct {
	name  string
	typ   *abi.Type
	val   abi.Val
	area  []byte // at address 16, where functions return pointers to
	bytes int    // that move, for rates; 0 for none worth it
}

// Where the guest keeps what is longer, filled with one byte, and where its
// allocator puts things. Bytes that were never written would be read from one page
// that the system has for all of them, faster than any others.
const (
	benchFill  = 'x'
	benchStore = 1 << 16
	benchHeap  = 1 << 22
	benchPages = 160
)

func pointerPair(n int) []byte {
	return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, benchStore), uint32(n))
}

func shapes() []shape {
	point := abi.Record(abi.Field{Name: "x", Type: abi.F32}, abi.Field{Name: "y", Type: abi.F32}, abi.Field{Name: "tag", Type: abi.U8})
	f := abi.F32Val(math.Float32frombits(benchFill * 0x01010101))
	points := make([]abi.Val, 100)
	for i := range points {
		points[i] = abi.RecordVal(f, f, abi.U8Val(benchFill))
	}
	choice := abi.Variant(abi.Case{Name: "nothing"}, abi.Case{Name: "number", Type: abi.U64}, abi.Case{Name: "text", Type: abi.String})
	text := func(n int) abi.Val { return abi.StringVal(strings.Repeat(string(benchFill), n)) }
	return []shape{
		{"u32", abi.U32, abi.U32Val(0), nil, 0},
		{"f64", abi.F64, abi.F64Val(0), nil, 0},
		{"string-1KiB", abi.String, text(1 << 10), pointerPair(1 << 10), 1 << 10},
		{"string-1MiB", abi.String, text(1 << 20), pointerPair(1 << 20), 1 << 20},
		{"bytes-1KiB", abi.List(abi.U8), abi.BytesVal(bytes.Repeat([]byte{benchFill}, 1<<10)), pointerPair(1 << 10), 1 << 10},
		{"bytes-1MiB", abi.List(abi.U8), abi.BytesVal(bytes.Repeat([]byte{benchFill}, 1<<20)), pointerPair(1 << 20), 1 << 20},
		{"records-100", abi.List(point), abi.ListVal(points...), pointerPair(100), 0},
		{"variant", choice, abi.PayloadVal(2, text(16)), append([]byte{2, 0, 0, 0, 0, 0, 0, 0}, pointerPair(16)...), 0},
	}
}

// shapeGuest takes a value (take), gives one (give), and does both with the host
// (sink, source) as often as it is told.
func shapeGuest(s shape) string {
	take, give := &abi.Func{Params: []abi.Field{{Name: "x", Type: s.typ}}}, &abi.Func{Result: s.typ}
	lift, result := take.CoreType(abi.CanonLift), give.CoreType(abi.CanonLift)
	sink, source := take.CoreType(abi.CanonLower), give.CoreType(abi.CanonLower)
	var area strings.Builder
	for _, c := range s.area {
		fmt.Fprintf(&area, `\%02x`, c)
	}
	zero := func(types []abi.CoreType) string {
		var b strings.Builder
		for i, t := range types {
			name := map[abi.CoreType]string{abi.I32: "i32", abi.I64: "i64", abi.F32Core: "f32", abi.F64Core: "f64"}[t]
			// The arguments are those of a flattened value: what lies in its
			// area, which is of a pair or of a variant with a pair.
			v := uint64(0)
			if len(types) > 1 {
				at := 4 * i
				if s.name == "variant" && i > 0 {
					at = 4 + 4*i
				}
				v = uint64(binary.LittleEndian.Uint32(s.area[at:]))
			}
			fmt.Fprintf(&b, " (%s.const %d)", name, v)
		}
		return b.String()
	}
	answer := " (i32.const 16)"
	if len(s.area) == 0 {
		answer = zero(result.Results)
	}
	ask := "(drop (call $source))"
	if len(source.Params) > 0 {
		ask = "(call $source (i32.const 64))"
	}
	return fmt.Sprintf(`(component
  (import "host:test/api" (instance $api
    (export "sink" (func%[1]s)) (export "source" (func%[2]s))))
  (core module $mem (memory (export "memory") %[3]d) (data (i32.const 16) "%[4]s")
    (func $fill (memory.fill (i32.const %[13]d) (i32.const %[14]d) (i32.const 1048576)))
    (start $fill)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const %[5]d)))
  (core instance $mem (instantiate $mem))
  (core func $sink (canon lower (func $api "sink") (memory $mem "memory") (realloc (func $mem "realloc"))))
  (core func $source (canon lower (func $api "source") (memory $mem "memory") (realloc (func $mem "realloc"))))
  (core module $m
    (import "" "sink" (func $sink %[6]s)) (import "" "source" (func $source %[7]s))
    (func (export "take") %[8]s)
    (func (export "give") %[9]s %[10]s)
    (func (export "sinks") (param i32) (loop $l (call $sink %[11]s)
      (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
    (func (export "sources") (param i32) (loop $l %[12]s
      (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))
  (core instance $m (instantiate $m (with "" (instance (export "sink" (func $sink)) (export "source" (func $source))))))
  (func (export "take")%[1]s (canon lift (core func $m "take") (memory $mem "memory") (realloc (func $mem "realloc"))))
  (func (export "give")%[2]s (canon lift (core func $m "give") (memory $mem "memory")))
  (func (export "sinks") (param "n" u32) (canon lift (core func $m "sinks")))
  (func (export "sources") (param "n" u32) (canon lift (core func $m "sources"))))`,
		watFunc(take), watFunc(give), benchPages, area.String(), benchHeap, sink, source, lift, result, answer, zero(sink.Params), ask, benchStore, benchFill)
}

// shapeRun is a guest of a shape, ready.
type shapeRun struct {
	in                         *Instance
	take, give, sinks, sources *ExportFunc
	seen                       int
}

func newShapeRun(tb testing.TB, s shape) *shapeRun {
	r := &shapeRun{}
	l := hostAPI(tb,
		dynamic(tb, "sink", &abi.Func{Params: []abi.Field{{Name: "x", Type: s.typ}}}, func(_ *Call, _ []abi.Val) (abi.Val, error) {
			r.seen++
			return abi.Val{}, nil
		}),
		dynamic(tb, "source", &abi.Func{Result: s.typ}, func(*Call, []abi.Val) (abi.Val, error) {
			r.seen++
			return s.val, nil
		}))
	pre := buildText(tb, unvalidated(tb), l, "shapes", shapeGuest(s))
	r.in = instantiate(tb, pre, InstantiateOptions{})
	r.take, r.give = export(tb, pre, "", "take"), export(tb, pre, "", "give")
	r.sinks, r.sources = export(tb, pre, "", "sinks"), export(tb, pre, "", "sources")
	return r
}

// ways are the four ways in which a value of the shape crosses, n times.
func (r *shapeRun) ways(s shape) []way {
	return []way{
		{"call-in", func(n int) error {
			for range n {
				if _, err := r.in.CallVals(r.take, s.val); err != nil {
					return err
				}
			}
			return nil
		}},
		{"call-out", func(n int) error {
			for range n {
				v, err := r.in.CallVals(r.give)
				if err != nil {
					return err
				}
				if v.Kind() != s.val.Kind() {
					return fmt.Errorf("got %v", v)
				}
			}
			return nil
		}},
		{"import-in", func(n int) error { return callRaw(r.in, r.sinks, uint32(n)) }},
		{"import-out", func(n int) error { return callRaw(r.in, r.sources, uint32(n)) }},
	}
}

type way struct {
	name string
	run  func(n int) error
}

// TestShapes: the guests that are measured do what they are measured for.
func TestShapes(t *testing.T) {
	for _, s := range shapes() {
		r := newShapeRun(t, s)
		for _, w := range r.ways(s) {
			if err := w.run(3); err != nil {
				t.Errorf("%s, %s: %v", s.name, w.name, err)
			}
		}
		if r.seen != 6 {
			t.Errorf("%s: the host was called %d times", s.name, r.seen)
		}
		if got, err := r.in.CallVals(r.give); err != nil || !got.Equal(s.val) {
			t.Errorf("%s: the guest gives %.100v, %v", s.name, got, err)
		}
	}
}

// rate is how many bytes a second f moves, a mebibyte at a time.
func rate(f func(to, from []byte)) float64 {
	from, to := make([]byte, 1<<20), make([]byte, 1<<20)
	for i := range from {
		from[i], to[i] = byte(i), byte(i)
	}
	n, began := 0, time.Now()
	for time.Since(began) < 20*time.Millisecond {
		f(to, from)
		n++
	}
	return float64(n<<20) / time.Since(began).Seconds()
}

var sink []byte

// reportShare puts the rate beside those of a plain copy and of one into memory
// that is new each time, measured right after, for the machine's speed changes.
func reportShare(b *testing.B, bytes int) {
	if bytes == 0 {
		return
	}
	b.SetBytes(int64(bytes))
	if bytes == 1<<20 {
		b.StopTimer()
		moved := 100 * float64(bytes) * float64(b.N) / b.Elapsed().Seconds()
		b.ReportMetric(moved/rate(func(to, from []byte) { copy(to, from) }), "%copy")
		b.ReportMetric(moved/rate(func(_, from []byte) { sink = append([]byte(nil), from...) }), "%clone")
	}
}

func BenchmarkShapes(b *testing.B) {
	for _, s := range shapes() {
		r := newShapeRun(b, s)
		for _, w := range r.ways(s) {
			b.Run(s.name+"/"+w.name, func(b *testing.B) {
				b.ReportAllocs()
				if err := w.run(b.N); err != nil {
					b.Fatal(err)
				}
				reportShare(b, s.bytes)
			})
		}
	}
}

// TestAllocations: numbers and lists of bytes cost no allocation but the result's
// own, by the dynamic API and on core values.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	const n = 100
	for _, s := range shapes() {
		// By way: call-in, call-out, import-in, import-out.
		want, ok := map[string][4]float64{
			"u32": {}, "f64": {},
			"string-1KiB": {0, 1, 1, 0},
			"bytes-1KiB":  {0, 1, 1, 0},
		}[s.name]
		if !ok {
			continue
		}
		r := newShapeRun(t, s)
		for i, w := range r.ways(s) {
			var err error
			if got := testing.AllocsPerRun(10, func() { err = w.run(n) }) / n; err != nil || got > want[i]+0.02 {
				t.Errorf("%s, %s: %v allocations, %v; want %v", s.name, w.name, got, err, want[i])
			}
		}
	}

	pre := buildText(t, engine(t), benchHost(t), "bench", benchModule)
	in := instantiate(t, pre, InstantiateOptions{})
	for _, tt := range []struct {
		export string
		args   []uint32
	}{{"nop", nil}, {"adds", []uint32{n}}, {"gets", []uint32{n}}, {"send", []uint32{n, 1 << 10}}, {"fetch", []uint32{n, 1 << 10}}} {
		f := export(t, pre, "", tt.export)
		var err error
		if got := testing.AllocsPerRun(10, func() { err = callRaw(in, f, tt.args...) }) / n; err != nil || got > 0.02 {
			t.Errorf("%s on core values: %v allocations a call, %v", tt.export, got, err)
		}
	}
}

// BenchmarkLoad loads the largest component at hand, one of an interpreted
// language, with its code and the verdict on it in the cache.
func BenchmarkLoad(b *testing.B) {
	files, _ := filepath.Glob("../guests/.cache/py-wasi-http-*.wasm")
	if len(files) == 0 {
		b.Skip("the Python guest has not been built")
	}
	wasm, err := os.ReadFile(files[0])
	if err != nil {
		b.Fatal(err)
	}
	b.Run("pooling", func(b *testing.B) { benchmarkLoad(b, wasm, EngineConfig{Pool: &PoolConfig{Instances: 10}}) })
	b.Run("reset", func(b *testing.B) {
		if err := ResetSupported(); err != nil {
			b.Skip(err)
		}
		benchmarkLoad(b, wasm, EngineConfig{Reset: &ResetConfig{}})
	})
}

func benchmarkLoad(b *testing.B, wasm []byte, config EngineConfig) {
	config.CacheDir = b.TempDir()
	e, err := NewEngine(config)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(e.Close)
	load := func() {
		c, err := e.Compile(context.Background(), "python", wasm, CompileOptions{})
		if err != nil {
			b.Fatal(err)
		}
		c.Close()
	}
	load()
	b.SetBytes(int64(len(wasm)))
	for b.Loop() {
		load()
	}
}
