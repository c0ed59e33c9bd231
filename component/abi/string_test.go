package abi

import (
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"
)

// units returns s in UTF-16, little endian.
func units(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

// latin1 returns s in Latin-1.
func latin1(s string) []byte {
	var b []byte
	for _, r := range s {
		b = append(b, byte(r))
	}
	return b
}

// encoded returns s as the guest of enc holds it, with its tagged length; wide
// asks for the UTF-16 form of latin1+utf16 even where Latin-1 would do.
func encoded(enc Encoding, s string, wide bool) ([]byte, uint32) {
	if enc == UTF8 {
		return []byte(s), uint32(len(s))
	}
	if enc == Latin1OrUTF16 && !wide && !strings.ContainsFunc(s, func(r rune) bool { return r > 0xff }) {
		b := latin1(s)
		return b, uint32(len(b))
	}
	b := units(s)
	n := uint32(len(b) / 2)
	if enc == Latin1OrUTF16 {
		n |= utf16Tag
	}
	return b, n
}

var testStrings = []string{
	"", "a", "hello, world", "naïve café", "\x00", "ÿ", "Ā", "日本語", "a😀b", "😀", "é😀", "\ufffd", "\U0010ffff",
	strings.Repeat("x", 100), strings.Repeat("ü", 100), strings.Repeat("x", 50) + "€",
}

func TestLiftString(t *testing.T) {
	for _, enc := range encodings {
		for _, s := range testStrings {
			for _, wide := range []bool{false, true} {
				g := newGuest(1024, enc)
				b, n := encoded(enc, s, wide)
				copy(g.mem[8:], b)
				if got := LiftString(g, 8, n); got != s {
					t.Errorf("%s, %q: got %q", enc, s, got)
				}
			}
		}
	}
}

func TestLiftStringTraps(t *testing.T) {
	// At 0 and 2 broken UTF-8, at 6 a high surrogate and a letter, at 10 two low
	// surrogates.
	const mem = "\xff\xc3\x28\xe2\x82\x00" + "\x00\xd8A\x00" + "\x00\xdc\x00\xdc" + "\x00\x00"
	for _, tt := range []struct {
		name   string
		enc    Encoding
		ptr, n uint32
		code   TrapCode
		msg    string
	}{
		{"past the end", UTF8, 15, 2, TrapOutOfBounds, "string pointer/length out of bounds of memory"},
		{"empty past the end", UTF8, 17, 0, TrapOutOfBounds, "string pointer"},
		{"pointer wraps", UTF8, 1<<32 - 1, 2, TrapOutOfBounds, "string pointer"},
		{"too long", UTF8, 0, 1 << 28, TrapTooLong, "string pointer"},
		{"longest", UTF8, 0, 1<<32 - 1, TrapTooLong, "string pointer"},
		{"too many units", UTF16, 0, 1 << 27, TrapTooLong, ""},
		{"units wrap", UTF16, 0, 1 << 31, TrapTooLong, ""},
		{"all units", UTF16, 0, 1<<32 - 1, TrapTooLong, ""},
		{"units past the end", UTF16, 14, 2, TrapOutOfBounds, ""},
		{"unaligned", UTF16, 1, 1, TrapUnaligned, "unaligned pointer"},
		{"unaligned and empty", UTF16, 1, 0, TrapUnaligned, ""},
		{"unaligned Latin-1", Latin1OrUTF16, 1, 1, TrapUnaligned, ""},
		{"tagged past the end", Latin1OrUTF16, 14, 2 | utf16Tag, TrapOutOfBounds, ""},
		{"invalid byte", UTF8, 0, 1, TrapBadString, "invalid utf-8"},
		{"invalid sequence", UTF8, 1, 2, TrapBadString, "invalid utf-8"},
		{"cut short", UTF8, 3, 2, TrapBadString, "incomplete utf-8 byte sequence"},
		{"high surrogate, letter", UTF16, 6, 2, TrapBadString, "invalid utf-16"},
		{"low surrogate", UTF16, 10, 1, TrapBadString, "invalid utf-16"},
		{"two low surrogates", UTF16, 10, 2, TrapBadString, "invalid utf-16"},
		{"low surrogate, tagged", Latin1OrUTF16, 10, 1 | utf16Tag, TrapBadString, "invalid utf-16"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := newGuest(0, tt.enc)
			g.mem = []byte(mem)
			wantTrap(t, tt.code, func() { LiftString(g, tt.ptr, tt.n) })
			if err := try(func() { LiftString(g, tt.ptr, tt.n) }); !strings.HasPrefix(err.Error(), tt.msg) {
				t.Errorf("message %q, want prefix %q", err, tt.msg)
			}
		})
	}
}

func TestLiftStringAtEnd(t *testing.T) {
	for _, enc := range encodings {
		g := newGuest(8, enc)
		if got := LiftString(g, 8, 0); got != "" {
			t.Errorf("%s: %q", enc, got)
		}
	}
}

func TestLowerString(t *testing.T) {
	for _, enc := range encodings {
		for _, s := range testStrings {
			g := newGuest(64, enc)
			g.moves = true
			ptr, n := LowerString(g, s)
			want, wantN := encoded(enc, s, false)
			if n != wantN || string(g.mem[ptr:][:len(want)]) != string(want) {
				t.Errorf("%s, %q: length %#x, want %#x; %x", enc, s, n, wantN, g.mem[ptr:][:len(want)])
			}
			align := uint32(2)
			if enc == UTF8 {
				align = 1
			}
			if len(g.calls) != 1 || g.calls[0] != [4]uint32{0, 0, align, uint32(len(want))} {
				t.Errorf("%s, %q: calls of realloc %v", enc, s, g.calls)
			}
		}
	}
}

func TestLowerStringReplacesInvalid(t *testing.T) {
	for _, enc := range encodings {
		g := newGuest(256, enc)
		ptr, n := LowerString(g, "a\xff\xc3b\xed\xa0\x80")
		if got, want := LiftString(g, ptr, n), "a\ufffd\ufffdb\ufffd\ufffd\ufffd"; got != want {
			t.Errorf("%s: %q, want %q", enc, got, want)
		}
	}
}

func TestBadRealloc(t *testing.T) {
	for _, tt := range []struct {
		name string
		ret  uint32
		enc  Encoding
		msg  string
	}{
		{"out of range", 61, UTF8, "realloc return: beyond end of memory"},
		{"far out of range", 1<<32 - 2, UTF16, "realloc return: beyond end of memory"},
		{"odd", 3, UTF16, "realloc return: result not aligned"},
		{"odd Latin-1", 3, Latin1OrUTF16, "realloc return: result not aligned"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := newGuest(64, tt.enc)
			g.realloc = func(_, _, _, _ uint32) uint32 { return tt.ret }
			wantTrap(t, TrapBadRealloc, func() { LowerString(g, "four") })
			if err := try(func() { LowerString(g, "four") }); !strings.HasPrefix(err.Error(), tt.msg) {
				t.Errorf("message %q, want prefix %q", err, tt.msg)
			}
		})
	}
	// Address 0 is an address like any other.
	g := newGuest(64, UTF8)
	g.realloc = func(_, _, _, _ uint32) uint32 { return 0 }
	if ptr, n := LowerString(g, "four"); ptr != 0 || n != 4 || string(g.mem[:4]) != "four" {
		t.Errorf("at %d, %d units", ptr, n)
	}
	// An empty string at the very end of memory is in range, one past it is not.
	g.realloc = func(_, _, _, _ uint32) uint32 { return 64 }
	LowerString(g, "")
	g.realloc = func(_, _, _, _ uint32) uint32 { return 65 }
	wantTrap(t, TrapBadRealloc, func() { LowerString(g, "") })
}
