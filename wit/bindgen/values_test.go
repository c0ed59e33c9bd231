package main

import (
	"context"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/internal/cwasm"
	"github.com/minispin/minispin/wit"
	"github.com/minispin/minispin/wit/bindgen/internal/test/demo1/values"
	"github.com/minispin/minispin/wit/value"
)

// instantiate links a text component with host interfaces and makes one
// instance of it.
func instantiate(t testing.TB, text string, interfaces ...*component.Interface) (*component.InstancePre, *component.Instance) {
	t.Helper()
	wasm, err := cwasm.Wat(text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	engine, err := component.NewEngine(component.EngineConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(engine.Close)
	c, err := engine.Compile(context.Background(), t.Name(), wasm, component.CompileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	linker := component.NewLinker()
	for _, i := range interfaces {
		if err := linker.Define(i); err != nil {
			t.Fatal(err)
		}
	}
	pre, err := linker.Link(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pre.Close)
	in, err := pre.Instantiate(context.Background(), component.InstantiateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(in.Close)
	return pre, in
}

func valuesGuest(t testing.TB, host values.Host) (*values.Guest, *component.Instance) {
	t.Helper()
	set, err := wit.Load("testdata/demo")
	if err != nil {
		t.Fatal(err)
	}
	text := mirror(t, set.Interface(values.InterfaceName))
	pre, in := instantiate(t, text, values.Bind(func(*component.Call) values.Host { return host }))
	g, err := values.NewGuest(pre, "")
	if err != nil {
		t.Fatal(err)
	}
	return g, in
}

// echo gives back what it gets; lists of bytes are views, and going back into
// the guest is within the time they are good for.
type echo struct{ called bool }

func (h *echo) Pack(_ *component.Call, a bool, b int8, c uint8, d int16, e uint16, f int32, g uint32, hh int64, i uint64, j float32, k float64, l rune) (values.Scalars, error) {
	return values.Scalars{A: a, B: b, C: c, D: d, E: e, F: f, G: g, H: hh, I: i, J: j, K: k, L: l}, nil
}

func (h *echo) Spill(_ *component.Call, a values.Scalars, typ values.Text, b values.Scalars) (value.Tuple3[values.Scalars, values.Text, values.Scalars], error) {
	return value.Tuple3[values.Scalars, values.Text, values.Scalars]{F0: a, F1: typ, F2: b}, nil
}

func (h *echo) EchoOptions(_ *component.Call, v value.Option[value.Option[values.Text]], w value.Option[uint8]) (value.Tuple2[value.Option[value.Option[values.Text]], value.Option[uint8]], error) {
	return value.Tuple2[value.Option[value.Option[values.Text]], value.Option[uint8]]{F0: v, F1: w}, nil
}

type results = value.Tuple3[value.Result[value.Unit, string], value.Result[uint64, float32], value.Result[value.Unit, value.Unit]]

func (h *echo) EchoResult(_ *component.Call, v value.Result[value.Unit, values.Text], w value.Result[uint64, float32], x value.Result[value.Unit, value.Unit]) (results, error) {
	return results{F0: v, F1: w, F2: x}, nil
}

func (h *echo) EchoScalars(_ *component.Call, v values.Scalars) (values.Scalars, error) {
	return v, nil
}
func (h *echo) EchoSets(_ *component.Call, v values.Sets) (values.Sets, error)       { return v, nil }
func (h *echo) EchoLists(_ *component.Call, v values.Lists) (values.Lists, error)    { return v, nil }
func (h *echo) EchoShape(_ *component.Call, v values.Shape) (values.Shape, error)    { return v, nil }
func (h *echo) EchoBool(_ *component.Call, v bool) (bool, error)                     { return v, nil }
func (h *echo) EchoChar(_ *component.Call, v rune) (rune, error)                     { return v, nil }
func (h *echo) EchoS8(_ *component.Call, v int8) (int8, error)                       { return v, nil }
func (h *echo) EchoF64(_ *component.Call, v float64) (float64, error)                { return v, nil }
func (h *echo) EchoColour(_ *component.Call, v values.Colour) (values.Colour, error) { return v, nil }
func (h *echo) EchoFew(_ *component.Call, v values.Few) (values.Few, error)          { return v, nil }
func (h *echo) EchoPlain(_ *component.Call, v values.Plain) (values.Plain, error)    { return v, nil }
func (h *echo) EchoWrapped(_ *component.Call, v values.Wrapped) (values.Wrapped, error) {
	return v, nil
}
func (h *echo) EchoBytes(_ *component.Call, v []byte) ([]byte, error) { return v, nil }

func (h *echo) Nothing(*component.Call) error {
	h.called = true
	return nil
}

// The functions that fail do so in as many ways as how counts: not at all,
// with their own error, and with one that is none of theirs.
func (h *echo) Fail(_ *component.Call, how uint8) error {
	return fail(how, value.Failed)
}

func (h *echo) FailText(_ *component.Call, how uint8) (uint32, error) {
	return 7, fail(how, value.Error[string]{V: "no text"})
}

func (h *echo) FailColour(_ *component.Call, how uint8) error {
	return fail(how, values.ColourDarkBlue)
}

func (h *echo) FailShape(_ *component.Call, how uint8) ([]byte, error) {
	return []byte("good"), fail(how, values.Shape{Case: values.ShapeRaw, Raw: []byte("bad")})
}

func (h *echo) FailSmall(_ *component.Call, how uint8) (string, error) {
	return "good", fail(how, values.Small{X: -5, Y: value.Some("bad")})
}

func (h *echo) FailNumber(_ *component.Call, how uint8) error {
	return fail(how, value.Error[uint64]{V: math.MaxUint64})
}

var errForeign = errors.New("out of paper")

func fail(how uint8, err error) error {
	switch how {
	case 0:
		return nil
	case 1:
		return err
	}
	return errForeign
}

var someScalars = []values.Scalars{
	{},
	{
		A: true, B: math.MinInt8, C: math.MaxUint8, D: math.MinInt16, E: math.MaxUint16,
		F: math.MinInt32, G: math.MaxUint32, H: math.MinInt64, I: math.MaxUint64,
		J: math.SmallestNonzeroFloat32, K: -math.MaxFloat64, L: 0x10ffff,
	},
	{A: true, B: 1, C: 2, D: 3, E: 4, F: 5, G: 6, H: 7, I: 8, J: 9.5, K: float64(math.Inf(-1)), L: '☃'},
}

var someShapes = []values.Shape{
	{Case: values.ShapeNone},
	{Case: values.ShapeByte, Byte: 255},
	{Case: values.ShapeWide, Wide: math.MaxUint64},
	{Case: values.ShapeSingle, Single: -1.5},
	{Case: values.ShapeDouble, Double: math.Pi},
	{Case: values.ShapeLabel, Label: "naïve ☃"},
	{Case: values.ShapePair, Pair: value.Tuple2[int8, float32]{F0: -1, F1: 2.5}},
	{Case: values.ShapeColour, Colour: values.ColourDarkBlue},
	{Case: values.ShapeFew, Few: values.FewRead | values.FewExec},
	{Case: values.ShapeRaw, Raw: []byte{0, 1, 255}},
	{Case: values.ShapeNested, Nested: value.OK[value.Option[uint32], values.Colour](value.Some[uint32](math.MaxUint32))},
	{Case: values.ShapeNested, Nested: value.Err[value.Option[uint32]](values.ColourGreen)},
	{Case: values.ShapeSized, Sized: values.Small{X: math.MinInt32, Y: value.Some("")}},
}

func TestValuesCrossUnchanged(t *testing.T) {
	host := &echo{}
	g, in := valuesGuest(t, host)
	same := func(what string, want, got interface{}, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s changed:\n%s", what, diff)
		}
	}
	for _, v := range someScalars {
		got, err := g.EchoScalars(in, v)
		same("scalars", v, got, err)
		got, err = g.Pack(in, v.A, v.B, v.C, v.D, v.E, v.F, v.G, v.H, v.I, v.J, v.K, v.L)
		same("packed scalars", v, got, err)
		for _, w := range someScalars {
			got, err := g.Spill(in, v, "between", w)
			same("spilled", value.Tuple3[values.Scalars, string, values.Scalars]{F0: v, F1: "between", F2: w}, got, err)
		}
	}
	for _, v := range someShapes {
		got, err := g.EchoShape(in, v)
		same("shape "+v.Case.String(), v, got, err)
	}
	sets := values.Sets{Few: values.FewWrite, Dozen: values.DozenF0 | values.DozenF11, Word: values.WordG19}
	gotSets, err := g.EchoSets(in, sets)
	same("sets", sets, gotSets, err)

	lists := values.Lists{
		Bools: []bool{true, false}, Bytes: []byte("bytes"), Numbers: []int16{-1, 2}, Wide: []uint64{1 << 63},
		Floats: []float32{0.5}, Chars: []rune("aé☃"), Names: []string{"", "x", strings.Repeat("y", 100_000)},
		Nested: [][]string{{}, {"a"}, {"b", "c"}}, Table: values.Table{{F0: "k", F1: []byte{1}}, {F0: "", F1: []byte{}}},
		Colours: []values.Colour{values.ColourRed, values.ColourDarkBlue},
		Maybe:   []value.Option[uint32]{{}, value.Some[uint32](0)}, Shapes: someShapes,
	}
	gotLists, err := g.EchoLists(in, lists)
	same("lists", lists, gotLists, err)

	for _, v := range []value.Option[value.Option[string]]{{}, value.Some(value.None[string]()), value.Some(value.Some("x"))} {
		got, err := g.EchoOptions(in, v, value.Some[uint8](9))
		same("options", value.Tuple2[value.Option[value.Option[string]], value.Option[uint8]]{F0: v, F1: value.Some[uint8](9)}, got, err)
	}
	for _, v := range []results{
		{F0: value.OK[value.Unit, string](value.Unit{}), F1: value.OK[uint64, float32](1 << 60), F2: value.Err[value.Unit](value.Unit{})},
		{F0: value.Err[value.Unit]("no"), F1: value.Err[uint64](float32(1.5)), F2: value.OK[value.Unit, value.Unit](value.Unit{})},
	} {
		got, err := g.EchoResult(in, v.F0, v.F1, v.F2)
		same("results", v, got, err)
	}
	b, err := g.EchoBool(in, true)
	same("bool", true, b, err)
	char, err := g.EchoChar(in, '☃')
	same("char", '☃', char, err)
	s8, err := g.EchoS8(in, -100)
	same("s8", int8(-100), s8, err)
	f64, err := g.EchoF64(in, math.Pi)
	same("f64", math.Pi, f64, err)
	colour, err := g.EchoColour(in, values.ColourGreen)
	same("colour", values.ColourGreen, colour, err)
	few, err := g.EchoFew(in, values.FewExec)
	same("flags", values.FewExec, few, err)
	plain, err := g.EchoPlain(in, values.Plain{Case: values.PlainOff})
	same("plain variant", values.Plain{Case: values.PlainOff}, plain, err)
	wrapped, err := g.EchoWrapped(in, values.Wrapped{Only: 65535})
	same("record of one field", values.Wrapped{Only: 65535}, wrapped, err)
	if err := g.Nothing(in); err != nil || !host.called {
		t.Errorf("nothing: %v, called %t", err, host.called)
	}
}

// A list of bytes that a guest gave stays as it is when the guest goes on.
func TestResultsAreCopies(t *testing.T) {
	g, in := valuesGuest(t, &echo{})
	first, err := g.EchoBytes(in, []byte("first"))
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if _, err := g.EchoBytes(in, []byte("XXXXXXXXXXXXXXXX")); err != nil {
			t.Fatal(err)
		}
	}
	if string(first) != "first" {
		t.Errorf("the first result is now %q", first)
	}
}

func TestFailures(t *testing.T) {
	type outcome struct {
		v   interface{}
		err error
	}
	calls := map[string]struct {
		call func(g *values.Guest, in *component.Instance, how uint8) outcome
		ok   interface{}
		fail error
	}{
		"unit": {func(g *values.Guest, in *component.Instance, how uint8) outcome {
			return outcome{nil, g.Fail(in, how)}
		}, nil, value.Failed},
		"text": {func(g *values.Guest, in *component.Instance, how uint8) outcome {
			v, err := g.FailText(in, how)
			return outcome{v, err}
		}, uint32(7), value.Error[string]{V: "no text"}},
		"enum": {func(g *values.Guest, in *component.Instance, how uint8) outcome {
			return outcome{nil, g.FailColour(in, how)}
		}, nil, values.ColourDarkBlue},
		"variant": {func(g *values.Guest, in *component.Instance, how uint8) outcome {
			v, err := g.FailShape(in, how)
			return outcome{v, err}
		}, []byte("good"), values.Shape{Case: values.ShapeRaw, Raw: []byte("bad")}},
		"record": {func(g *values.Guest, in *component.Instance, how uint8) outcome {
			v, err := g.FailSmall(in, how)
			return outcome{v, err}
		}, "good", values.Small{X: -5, Y: value.Some("bad")}},
		"number": {func(g *values.Guest, in *component.Instance, how uint8) outcome {
			return outcome{nil, g.FailNumber(in, how)}
		}, nil, value.Error[uint64]{V: math.MaxUint64}},
	}
	for name, tt := range calls {
		t.Run(name, func(t *testing.T) {
			g, in := valuesGuest(t, &echo{})
			if got := tt.call(g, in, 0); got.err != nil || !cmp.Equal(got.v, tt.ok) {
				t.Errorf("success: got %v, %v; want %v", got.v, got.err, tt.ok)
			}
			if got := tt.call(g, in, 1); !reflect.DeepEqual(got.err, tt.fail) {
				t.Errorf("failure: got %#v, want %#v", got.err, tt.fail)
			}
			if got := tt.call(g, in, 2); !errors.Is(got.err, errForeign) {
				t.Errorf("foreign error: got %v, want %v", got.err, errForeign)
			}
			if in.Fault() == nil {
				t.Error("a foreign error did not trap the instance")
			}
		})
	}
}

func TestErrorTexts(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{values.ColourDarkBlue, "dark-blue"},
		{values.Colour(9), "no case of colour"},
		{values.Shape{Case: values.ShapeNone}, "none"},
		{values.Shape{Case: values.ShapeLabel, Label: "out of paper"}, "label: out of paper"},
		{values.Shape{Case: values.ShapeWide, Wide: 3}, "wide: 3"},
		{values.Small{X: 3}, "small: {X:3 Y:none}"},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

// Values without lists or strings cross without an allocation, in both
// directions: each call here is one into the guest and one out of it.
func TestScalarsCostNoAllocation(t *testing.T) {
	g, in := valuesGuest(t, &echo{})
	var err error
	note := func(e error) {
		if e != nil {
			err = e
		}
	}
	for name, call := range map[string]func(){
		"nothing": func() { note(g.Nothing(in)) },
		"bool":    func() { _, e := g.EchoBool(in, true); note(e) },
		"record":  func() { _, e := g.EchoScalars(in, someScalars[1]); note(e) },
		"variant": func() { _, e := g.EchoShape(in, someShapes[2]); note(e) },
		"failure": func() {
			if e := g.FailColour(in, 1); e != values.ColourDarkBlue {
				err = e
			}
		},
	} {
		if n := testing.AllocsPerRun(100, call); n != 0 {
			t.Errorf("%s costs %v allocations a call", name, n)
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func BenchmarkEcho(b *testing.B) {
	g, in := valuesGuest(b, &echo{})
	for name, call := range map[string]func() error{
		"bool":    func() error { _, err := g.EchoBool(in, true); return err },
		"scalars": func() error { _, err := g.EchoScalars(in, someScalars[1]); return err },
		"shape":   func() error { _, err := g.EchoShape(in, someShapes[2]); return err },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := call(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
