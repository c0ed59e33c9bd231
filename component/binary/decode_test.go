package binary

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The parts of hand-made binaries. A part is bytes, a string, or a byte.

func cat(parts ...any) []byte {
	var b []byte
	for _, p := range parts {
		switch p := p.(type) {
		case []byte:
			b = append(b, p...)
		case string:
			b = append(b, p...)
		case int:
			b = append(b, byte(p))
		default:
			panic(fmt.Sprintf("part is a %T", p))
		}
	}
	return b
}

func leb(n int) []byte {
	var b []byte
	for ; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}

// sec is a section, or anything else with a byte and a length before it.
func sec(id int, parts ...any) []byte {
	body := cat(parts...)
	return cat(id, leb(len(body)), body)
}

func str(s string) []byte { return cat(leb(len(s)), s) }

var (
	preamble  = "\x00asm\x0d\x00\x01\x00"
	coreStart = "\x00asm\x01\x00\x00\x00"
)

func comp(parts ...any) []byte { return cat(preamble, cat(parts...)) }

func TestPreamble(t *testing.T) {
	tests := []struct {
		b                 []byte
		module, component bool
	}{
		{comp(), false, true},
		{[]byte(coreStart), true, false},
		{[]byte("\x00asm\x02\x00\x00\x00"), false, false},
		{[]byte("\x00asm"), false, false},
		{nil, false, false},
	}
	for _, tt := range tests {
		if m, c := IsModule(tt.b), IsComponent(tt.b); m != tt.module || c != tt.component {
			t.Errorf("%q: module %t, component %t", tt.b, m, c)
		}
	}
}

func TestDecodeByHand(t *testing.T) {
	b := comp(
		sec(0, str("note"), "hi"),
		sec(7, 2, 0x40, 0, 1, 0, 0x42, 0),
		sec(10, 2,
			0, str("f"), 1, 0,
			2, str("i"), 2, 0, str("a:b/c"), 2, str(""), 5, 1),
		sec(1, coreStart),
		sec(2, 1, 0, 0, 0),
		sec(11, 1, 1, str("g"), 1, 0, 1, 1, 0),
	)
	got, err := Decode(b, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	want := &Component{
		Size:    len(b),
		Customs: []Custom{{"note", []byte("hi"), 15}},
		Defs: []Def{
			&TypeDef{20, &FuncType{}},
			&TypeDef{24, &InstanceType{}},
			&Import{29, ExternName{Name: "f"}, ExternDesc{Sort: SortFunc}},
			&Import{34, ExternName{Name: "i", Attrs: &NameAttrs{Implements: "a:b/c", HasExternalID: true}}, ExternDesc{Sort: SortInstance, Index: 1}},
			&CoreModule{51, []byte(coreStart)},
			&CoreInstantiate{At: 62},
			&Export{68, ExternName{Name: "g"}, SortFunc, 0, &ExternDesc{Sort: SortFunc}},
		},
		NewerForms: []Form{FormNameAttributes},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// Modules are parts of the input, not copies.
	m := got.Defs[4].(*CoreModule)
	if &m.Bytes[0] != &b[m.At] {
		t.Error("the core module is not at its offset in the input")
	}
}

func TestRefuse(t *testing.T) {
	funcType := sec(7, 1, 0x40, 0, 1, 0)
	module := sec(1, coreStart)
	tests := []struct {
		name   string
		b      []byte
		offset int
		err    string
	}{
		{"core module", []byte(coreStart), 4, "this is a core module"},
		{"version", []byte("\x00asm\x0e\x00\x01\x00"), 4, "unknown version 0xe"},
		{"layer", []byte("\x00asm\x0d\x00\x02\x00"), 6, "unknown layer 2"},
		{"section", comp(13, 0), 8, "unknown section id 13"},
		{"left over", comp(sec(7, 0, 0)), 11, "type section: 1 bytes left over"},
		{"claimed count", comp(sec(7, 0xff, 0xff, 0xff, 0xff, 0x0f)), 10, "4294967295 types do not fit"},
		{"core type ahead", comp(sec(3, 1, 0x50, 1, 0, str(""), str(""), 0, 0)), 17, "core type index 0 is out of bounds, there are 0"},
		{"module ahead", comp(sec(2, 1, 0, 0, 0), module), 12, "core module index 0 is out of bounds"},
		{"core instance refers to itself", comp(module, sec(2, 1, 0, 0, 1, str("x"), 0x12, 0)), 27, "core instance index 0 is out of bounds"},
		{"component refers to itself", comp(sec(4, preamble, sec(5, 1, 0, 0, 0))), 22, "component index 0 is out of bounds"},
		{"type refers to itself", comp(sec(7, 1, 0x70, 0)), 12, "type index 0 is out of bounds"},
		{"type of wrong kind", comp(sec(7, 2, 0x7d, 0x69, 0)), 13, "resource type expected, type index 0 is of kind value type"},
		{"func as value", comp(funcType, sec(7, 1, 0x70, 0)), 19, "value type expected, type index 0 is of kind function type"},
		{"value as func", comp(sec(7, 1, 0x7d), sec(10, 1, 0, str("f"), 1, 0)), 19, "function type expected, type index 0 is of kind value type"},
		{"core func as module", comp(sec(3, 1, 0x60, 0, 0), sec(10, 1, 0, str("m"), 0, 0x11, 0)), 22, "core type 0 is not a module type"},
		{"alias of missing export", comp(sec(5, 1, 1, 0), sec(6, 1, 3, 0, 0, str("t"))), 16, `instance 0 has no export named "t"`},
		{"alias of wrong sort", comp(sec(7, 1, 0x7d), sec(5, 1, 1, 1, 0, str("t"), 3, 0), sec(6, 1, 1, 0, 0, str("t"))), 25, `export "t" of instance 0 is of sort type, not func`},
		{"outer alias too far", comp(sec(6, 1, 3, 2, 1, 0)), 13, "outer alias count 1 is out of bounds"},
		{"outer alias ahead", comp(sec(4, preamble, sec(6, 1, 3, 2, 1, 0)), sec(7, 1, 0x7d)), 24, "type index 0 is out of bounds"},
		{"resource in a type", comp(sec(7, 1, 0x42, 1, 1, 0x3f, 0x7f, 0)), 14, "resource types cannot be defined"},
		{"empty record", comp(sec(7, 1, 0x72, 0)), 11, "at least one field"},
		{"label twice", comp(sec(7, 1, 0x6e, 2, str("a"), str("A"))), 11, `"A" conflicts with "a"`},
		{"label", comp(sec(7, 1, 0x6d, 1, str("a_b"))), 13, "is not in kebab case"},
		{"zero-length list", comp(sec(7, 1, 0x67, 0x7d, 0)), 11, "at least one element"},
		{"name", comp(funcType, sec(10, 1, 0, str("aB"), 1, 0)), 19, `"aB" is not in kebab case`},
		{"import twice", comp(funcType, sec(10, 2, 0, str("a"), 1, 0, 0, str("a"), 1, 0)), 23, `import name "a" occurs twice`},
		{"method not a func", comp(sec(7, 1, 0x42, 0), sec(10, 1, 0, str("[method]a.b"), 5, 0)), 16, "names a func only"},
		{"attribute twice", comp(sec(10, 1, 2, str("a"), 2, 2, str(""), 2, str(""), 3, 1)), 17, "given twice"},
		{"suffix without version", comp(sec(10, 1, 2, str("a"), 1, 1, str(".1"), 3, 1)), 15, "does not complete the version"},
		{"implements on a func", comp(funcType, sec(10, 1, 2, str("a"), 1, 0, str("a:b/c"), 1, 0)), 18, "only an instance"},
		{"exported core func", comp(sec(11, 1, 0, str("a"), 0, 0, 0, 0)), 14, "can neither import nor export sort core func"},
		{"ascribed other sort", comp(funcType, sec(10, 1, 0, str("a"), 1, 0), sec(11, 1, 0, str("b"), 1, 0, 1, 3, 1)), 31, "sort func is exported as sort type"},
		{"import of a type ahead", comp(sec(10, 1, 0, str("f"), 1, 0)), 15, "type index 0 is out of bounds"},
		{"two string encodings", comp(funcType, sec(10, 1, 0, str("f"), 1, 0), sec(8, 1, 1, 0, 0, 2, 0, 1)), 31, "string-encoding is given twice"},
		{"memory option", comp(funcType, sec(10, 1, 0, str("f"), 1, 0), sec(8, 1, 1, 0, 0, 1, 3, 0)), 31, "core memory index 0 is out of bounds"},
		{"argument twice", comp(module, sec(2, 1, 1, 0), sec(2, 1, 0, 0, 2, str("a"), 0x12, 0, str("a"), 0x12, 0)), 26, `argument "a" occurs twice`},
		{"nested module", comp(sec(1, coreStart, sec(5, 0), sec(4, 0))), 21, "table section out of order"},
		{"component as module", comp(sec(1, preamble)), 14, "this is a component"},
		{"module in a module type", comp(sec(3, 2, 0x50, 0, 0x50, 1, 2, 0x10, 1, 1, 0)), 18, "core module type inside"},
		{"UTF-8", comp(sec(0, 1, 0xff)), 10, "not valid UTF-8"},
	}
	for _, tt := range tests {
		c, err := Decode(tt.b, Limits{})
		if err == nil {
			t.Errorf("%s: accepted:\n%s", tt.name, dump(c))
			continue
		}
		checkError(t, tt.b, err)
		var e *Error
		if errors.As(err, &e) && (e.Offset != tt.offset || !strings.Contains(err.Error(), tt.err)) {
			t.Errorf("%s: %v\nwant offset %#x and %q", tt.name, err, tt.offset, tt.err)
		}
	}
}

// pairs is a component with a chain of n types, each a pair of the one before.
func pairs(n int) []byte {
	body := cat(leb(n+1), 0x7d)
	for i := range n {
		body = cat(body, 0x6f, 2, leb(i), leb(i))
	}
	return comp(sec(7, body))
}

// lists is a component with a list of lists, n deep.
func lists(n int) []byte {
	body := cat(leb(n+1), 0x7d)
	for i := range n {
		// An index is a signed number here, the sign bit must be zero.
		body = cat(body, 0x70, i&0x7f|0x80, i>>7)
	}
	return comp(sec(7, body))
}

// nest is a component in a component, n deep.
func nest(n int) []byte {
	b := comp()
	for range n {
		b = comp(sec(4, b))
	}
	return b
}

// nestTypes is an instance type in an instance type, n deep.
func nestTypes(n int) []byte {
	return comp(sec(7, 1, bytes.Repeat([]byte{0x42, 1, 1}, n-1), 0x42, 0))
}

func repeat(n int, parts ...any) []byte { return bytes.Repeat(cat(parts...), n) }

func TestLimits(t *testing.T) {
	tests := []struct {
		name   string
		limits Limits
		fits   []byte
		over   []byte
		err    string
	}{
		{"size", Limits{Size: 20}, comp(sec(0, str("123456789"))), comp(sec(0, str("1234567890"))), "limit of 20"},
		{"nested components", Limits{}, nest(100), nest(101), "nested deeper than 100"},
		{"nested types", Limits{}, nestTypes(100), nestTypes(101), "nested deeper than 100"},
		{"type size", Limits{}, pairs(18), pairs(19), "more than 1000000 nodes"},
		{"type depth", Limits{}, lists(99), lists(100), "nested deeper than 100"},
		{"items", Limits{Items: 10}, comp(sec(7, 10, repeat(10, 0x7d))), comp(sec(7, 10, repeat(10, 0x7d)), sec(7, 1, 0x7d)), "more than 10 definitions"},
		{"items in types", Limits{Items: 10}, comp(sec(7, 1, 0x42, 9, repeat(9, 1, 0x7d))), comp(sec(7, 1, 0x42, 10, repeat(10, 1, 0x7d))), "more than 10 definitions"},
		{"modules", Limits{Modules: 2}, comp(repeat(2, sec(1, coreStart))), comp(repeat(3, sec(1, coreStart))), "more than 2 core modules"},
		{"components", Limits{Components: 2}, comp(repeat(2, sec(4, preamble))), comp(repeat(3, sec(4, preamble))), "more than 2 components"},
		{"instances", Limits{Instances: 2}, comp(sec(5, 1, 1, 0), sec(2, 1, 1, 0)), comp(sec(5, 2, 1, 0, 1, 0), sec(2, 1, 1, 0)), "more than 2 core instances"},
		{"arguments", Limits{Args: 1}, comp(sec(5, 1, 1, 0)), comp(sec(5, 1, 1, 2, 0, str("a"), 1, 0)), "2 exports are more than the limit of 1"},
		{"fields", Limits{Fields: 2}, comp(sec(7, 1, 0x6f, 2, 0x7d, 0x7d)), comp(sec(7, 1, 0x6f, 3, 0x7d, 0x7d, 0x7d)), "limit of 2"},
		{"flags", Limits{Flags: 1}, comp(sec(7, 1, 0x6e, 1, str("a"))), comp(sec(7, 1, 0x6e, 2, str("a"), str("b"))), "limit of 1"},
		{"parameters", Limits{Params: 1}, comp(sec(7, 1, 0x40, 1, str("a"), 0x7d, 1, 0)), comp(sec(7, 1, 0x40, 2, str("a"), 0x7d, str("b"), 0x7d, 1, 0)), "limit of 1"},
		{"names", Limits{NameSize: 3}, comp(sec(0, str("abc"))), comp(sec(0, str("abcd"))), "limit of 3"},
		{"start results", Limits{Items: 100}, comp(sec(7, 1, 0x40, 0, 1, 0), sec(10, 1, 0, str("f"), 1, 0), sec(9, 0, 0, 0)),
			comp(sec(7, 1, 0x40, 0, 1, 0), sec(10, 1, 0, str("f"), 1, 0), sec(9, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f)), "more than 1000 values"},
	}
	for _, tt := range tests {
		if _, err := Decode(tt.fits, tt.limits); err != nil {
			t.Errorf("%s: within the limit: %v", tt.name, err)
		}
		_, err := Decode(tt.over, tt.limits)
		if err == nil || !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: over the limit: %v, want %q", tt.name, err, tt.err)
		}
	}
}

// TestMemory feeds the shapes of input that take the most memory for their
// size.
func TestMemory(t *testing.T) {
	const n = 100_000
	tests := []struct {
		name string
		b    []byte
		fine bool
	}{
		{"primitive types", comp(sec(7, leb(n), repeat(n, 0x7d))), true},
		{"built-ins", comp(sec(8, leb(n), repeat(n, 0x24))), true},
		{"instance types", comp(sec(7, leb(n), repeat(n, 0x42, 0))), true},
		{"core types", comp(sec(3, leb(n), repeat(n, 0x60, 0, 0))), true},
		{"custom sections", comp(repeat(n, sec(0, str("")))), true},
		{"claims", comp(sec(7, leb(n), repeat(n, 0x42, 0xff, 0xff, 0x03))), false},
		{"claims of cases", comp(sec(7, 1, 0x6d, leb(9_999), repeat(n, 0))), false},
	}
	for _, tt := range tests {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Decode(tt.b, Limits{})
		runtime.ReadMemStats(&after)
		if (err == nil) != tt.fine {
			t.Errorf("%s: %v", tt.name, err)
		}
		// All that was ever allocated, garbage of growing slices included.
		const times = 400
		if used := after.TotalAlloc - before.TotalAlloc; used > times*uint64(len(tt.b)) {
			t.Errorf("%s: %d bytes allocated for %d bytes of input, more than %d times", tt.name, used, len(tt.b), times)
		} else {
			t.Logf("%s: %d bytes allocated for each byte of input", tt.name, used/uint64(len(tt.b)))
		}
	}
}

func TestTruncated(t *testing.T) {
	inputs := textComponents(t)
	inputs["nested"] = nest(3)
	inputs["pairs"] = pairs(10)
	for name, b := range inputs {
		c, err := Decode(b, Limits{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for n := range b {
			got, err := Decode(b[:n:n], Limits{})
			if err != nil {
				checkError(t, b[:n], err)
				continue
			}
			// Between two sections a shorter component ends.
			if got.Size >= c.Size || len(got.Defs)+len(got.Customs) >= len(c.Defs)+len(c.Customs) {
				t.Errorf("%s: cut to %d of %d bytes and nothing is missing", name, n, len(b))
			}
			checkTree(t, b[:n], got)
		}
	}
}

// TestChanged changes each byte to a few others. Whatever becomes of it, the
// decoder must not panic, and what it accepts must be a sound tree.
func TestChanged(t *testing.T) {
	for _, b := range textComponents(t) {
		for i := range b {
			for _, c := range []byte{0x00, 0x01, 0x7f, 0x80, 0xff, b[i] + 1, b[i] ^ 0x40} {
				changed := bytes.Clone(b)
				changed[i] = c
				got, err := Decode(changed, Limits{})
				if err != nil {
					checkError(t, changed, err)
				} else {
					checkTree(t, changed, got)
				}
			}
		}
	}
}
