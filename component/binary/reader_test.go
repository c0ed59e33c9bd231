package binary

import (
	"math"
	"strings"
	"testing"
)

func testReader(b ...byte) *reader {
	limits := Limits{}.withDefaults()
	return &reader{b: b, base: 100, context: "test", limits: &limits}
}

func TestUnsigned(t *testing.T) {
	tests := []struct {
		name  string
		bytes []byte
		bits  uint
		want  uint64
		err   string // part of the message; "" for success
	}{
		{"zero", []byte{0x00}, 32, 0, ""},
		{"one byte", []byte{0x7f}, 32, 127, ""},
		{"two bytes", []byte{0x80, 0x01}, 32, 128, ""},
		{"largest 32", []byte{0xff, 0xff, 0xff, 0xff, 0x0f}, 32, math.MaxUint32, ""},
		{"padded zero", []byte{0x80, 0x80, 0x80, 0x80, 0x00}, 32, 0, ""},
		{"padded too far", []byte{0x80, 0x80, 0x80, 0x80, 0x80, 0x00}, 32, 0, "longer than 32 bits"},
		{"bit 33", []byte{0xff, 0xff, 0xff, 0xff, 0x1f}, 32, 0, "longer than 32 bits"},
		{"empty", nil, 32, 0, "unexpected end"},
		{"cut short", []byte{0x80, 0x80}, 32, 0, "unexpected end"},
		{"largest 64", []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, 64, math.MaxUint64, ""},
		{"bit 65", []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02}, 64, 0, "longer than 64 bits"},
	}
	for _, tt := range tests {
		r := testReader(tt.bytes...)
		got := r.unsigned(tt.bits, "number")
		checkRead(t, tt.name, r, got, tt.want, tt.err, len(tt.bytes))
	}
}

func TestSigned(t *testing.T) {
	tests := []struct {
		name  string
		bytes []byte
		bits  uint
		want  int64
		err   string
	}{
		{"zero", []byte{0x00}, 32, 0, ""},
		{"minus one", []byte{0x7f}, 32, -1, ""},
		{"63", []byte{0x3f}, 32, 63, ""},
		{"-64", []byte{0x40}, 32, -64, ""},
		{"64", []byte{0xc0, 0x00}, 32, 64, ""},
		{"smallest 32", []byte{0x80, 0x80, 0x80, 0x80, 0x78}, 32, math.MinInt32, ""},
		{"largest 32", []byte{0xff, 0xff, 0xff, 0xff, 0x07}, 32, math.MaxInt32, ""},
		{"padded minus one", []byte{0xff, 0xff, 0xff, 0xff, 0x7f}, 32, -1, ""},
		{"sign bits differ", []byte{0xff, 0xff, 0xff, 0xff, 0x0f}, 32, 0, "longer than 32 bits"},
		{"largest index", []byte{0xff, 0xff, 0xff, 0xff, 0x0f}, 33, math.MaxUint32, ""},
		{"smallest 33", []byte{0x80, 0x80, 0x80, 0x80, 0x70}, 33, -1 << 32, ""},
		{"too long", []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0x00}, 33, 0, "longer than 33 bits"},
		{"smallest 64", []byte{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f}, 64, math.MinInt64, ""},
		{"largest 64", []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00}, 64, math.MaxInt64, ""},
		{"bit 65", []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, 64, 0, "longer than 64 bits"},
		{"cut short", []byte{0x80}, 32, 0, "unexpected end"},
	}
	for _, tt := range tests {
		r := testReader(tt.bytes...)
		got := r.signed(tt.bits, "number")
		checkRead(t, tt.name, r, got, tt.want, tt.err, len(tt.bytes))
	}
}

func checkRead[T comparable](t *testing.T, name string, r *reader, got, want T, errPart string, n int) {
	t.Helper()
	switch {
	case errPart == "" && r.err != nil:
		t.Errorf("%s: %v", name, r.err)
	case errPart == "":
		if got != want || r.pos != n {
			t.Errorf("%s: %v in %d bytes, want %v in %d", name, got, r.pos, want, n)
		}
	case r.err == nil:
		t.Errorf("%s: %v, want an error with %q", name, got, errPart)
	case !strings.Contains(r.err.Error(), errPart):
		t.Errorf("%s: error %q, want %q in it", name, r.err, errPart)
	case r.left() != 0:
		t.Errorf("%s: %d bytes left after an error", name, r.left())
	}
}

func TestReaderErrorSticks(t *testing.T) {
	r := testReader(0x05, 'a')
	if s := r.name("name"); s != "" {
		t.Errorf("name %q after an error", s)
	}
	first := r.err
	if first == nil || first.Offset != 102 {
		t.Fatalf("error %v, want one at offset 102", first)
	}
	if r.byte("byte"); r.err != first {
		t.Errorf("error %v replaced the first one", r.err)
	}
	if n := r.count("things", 10); n != 0 {
		t.Errorf("count %d after an error", n)
	}
}
