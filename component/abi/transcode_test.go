package abi

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestCopyStringReallocs checks the calls of realloc of each conversion, which
// store_string_into_range prescribes: {old pointer, old size, align, new size},
// old pointers being those the allocator gave before.
func TestCopyStringReallocs(t *testing.T) {
	type calls = [][3]uint32 // old size, align, new size
	for _, tt := range []struct {
		src  Encoding
		wide bool
		dst  Encoding
		s    string
		want calls
	}{
		{UTF8, false, UTF8, "añ", calls{{0, 1, 3}}},
		{UTF8, false, UTF16, "abc", calls{{0, 2, 6}}},
		{UTF8, false, UTF16, "añ", calls{{0, 2, 6}, {6, 2, 4}}},
		{UTF8, false, Latin1OrUTF16, "abc", calls{{0, 2, 3}}},
		{UTF8, false, Latin1OrUTF16, "añ", calls{{0, 2, 3}, {3, 2, 2}}},
		{UTF8, false, Latin1OrUTF16, "a€", calls{{0, 2, 4}, {4, 2, 8}, {8, 2, 4}}},
		{UTF16, false, UTF8, "abc", calls{{0, 1, 3}}},
		{UTF16, false, UTF8, "a€", calls{{0, 1, 2}, {2, 1, 6}, {6, 1, 4}}},
		{UTF16, false, UTF8, "€€", calls{{0, 1, 2}, {2, 1, 6}}},
		{UTF16, false, UTF16, "a😀", calls{{0, 2, 6}}},
		{UTF16, false, Latin1OrUTF16, "añ", calls{{0, 2, 2}}},
		{UTF16, false, Latin1OrUTF16, "a€", calls{{0, 2, 2}, {2, 2, 4}}},
		{Latin1OrUTF16, false, UTF8, "abc", calls{{0, 1, 3}}},
		{Latin1OrUTF16, false, UTF8, "añ", calls{{0, 1, 2}, {2, 1, 4}, {4, 1, 3}}},
		{Latin1OrUTF16, false, UTF8, "ññ", calls{{0, 1, 2}, {2, 1, 4}}},
		{Latin1OrUTF16, false, UTF16, "añ", calls{{0, 2, 4}}},
		{Latin1OrUTF16, false, Latin1OrUTF16, "añ", calls{{0, 2, 2}}},
		{Latin1OrUTF16, true, UTF8, "a€", calls{{0, 1, 2}, {2, 1, 6}, {6, 1, 4}}},
		{Latin1OrUTF16, true, UTF16, "a€", calls{{0, 2, 4}}},
		{Latin1OrUTF16, true, Latin1OrUTF16, "a€", calls{{0, 2, 4}}},
		{Latin1OrUTF16, true, Latin1OrUTF16, "añ", calls{{0, 2, 4}, {4, 1, 2}}},
	} {
		t.Run(fmt.Sprintf("%s,%v to %s %s", tt.src, tt.wide, tt.dst, tt.s), func(t *testing.T) {
			src, dst := newGuest(64, tt.src), newGuest(64, tt.dst)
			b, n := encoded(tt.src, tt.s, tt.wide)
			copy(src.mem[8:], b)
			ptr, n := copyString(src, dst, 8, n)
			if got := LiftString(dst, ptr, n); got != tt.s {
				t.Errorf("got %q, want %q", got, tt.s)
			}
			var got calls
			for i, c := range dst.calls {
				if (i == 0) != (c[0] == 0) {
					t.Errorf("call %d has old pointer %d", i, c[0])
				}
				got = append(got, [3]uint32(c[1:]))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("calls of realloc %v, want %v", got, tt.want)
			}
		})
	}
}

func TestCopyString(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(
			rapid.StringOf(rapid.RuneFrom([]rune("abcé"))),
			rapid.StringOf(rapid.RuneFrom([]rune("aéÿ€😀"))),
			rapid.String().Filter(func(s string) bool { return s == strings.ToValidUTF8(s, "") }),
		).Draw(t, "s")
		src := newGuest(4096, rapid.SampledFrom(encodings).Draw(t, "from"))
		dst := newGuest(32, rapid.SampledFrom(encodings).Draw(t, "to"))
		dst.moves = rapid.Bool().Draw(t, "moves")
		b, n := encoded(src.enc, s, rapid.Bool().Draw(t, "wide"))
		copy(src.mem[8:], b)
		ptr, n := copyString(src, dst, 8, n)
		if got := LiftString(dst, ptr, n); got != s {
			t.Fatalf("%s to %s: %q became %q", src.enc, dst.enc, s, got)
		}
		// The narrow form is used wherever it can be.
		if _, want := encoded(dst.enc, s, false); n != want {
			t.Fatalf("%s to %s: length %#x, want %#x", src.enc, dst.enc, n, want)
		}
	})
}

// TestCopyStringSharedMemory copies between two sides of one memory that moves
// with every realloc.
func TestCopyStringSharedMemory(t *testing.T) {
	for _, from := range encodings {
		for _, to := range encodings {
			for _, s := range testStrings {
				g := newGuest(1024, to)
				g.next, g.moves = 512, true
				b, n := encoded(from, s, false)
				copy(g.mem[8:], b)
				ptr, n := copyString(sameMemory{g, from}, g, 8, n)
				if got := LiftString(g, ptr, n); got != s {
					t.Errorf("%s to %s: %q became %q", from, to, s, got)
				}
			}
		}
	}
}

// sameMemory is a guest's memory under another encoding.
type sameMemory struct {
	*fakeGuest
	enc Encoding
}

func (s sameMemory) Encoding() Encoding { return s.enc }

func TestCopyStringTraps(t *testing.T) {
	for _, to := range encodings {
		for _, tt := range []struct {
			name   string
			from   Encoding
			mem    string
			ptr, n uint32
			code   TrapCode
		}{
			{"invalid UTF-8", UTF8, "ab\xff", 0, 3, TrapBadString},
			{"lone surrogate", UTF16, "a\x00\x00\xd8", 0, 2, TrapBadString},
			{"lone surrogate, tagged", Latin1OrUTF16, "a\x00\x00\xdc", 0, 2 | utf16Tag, TrapBadString},
			{"out of bounds", UTF8, "ab", 0, 3, TrapOutOfBounds},
			{"tail out of bounds", Latin1OrUTF16, "abcd", 0, 3 | utf16Tag, TrapOutOfBounds},
			{"unaligned", UTF16, "abcd", 1, 1, TrapUnaligned},
			{"too long", UTF16, "abcd", 0, 1 << 27, TrapTooLong},
		} {
			t.Run(fmt.Sprintf("%s to %s", tt.name, to), func(t *testing.T) {
				src, dst := newGuest(0, tt.from), newGuest(64, to)
				src.mem = []byte(tt.mem)
				wantTrap(t, tt.code, func() { copyString(src, dst, tt.ptr, tt.n) })
				if len(dst.calls) != 0 {
					t.Errorf("realloc was called for a string that cannot be lifted")
				}
			})
		}
	}
}

// TestCopyStringBadRealloc makes each call of realloc of each conversion answer
// badly.
func TestCopyStringBadRealloc(t *testing.T) {
	for _, from := range encodings {
		for _, to := range encodings {
			for _, s := range []string{"abc", "añb", "a€b", "€€€"} {
				src := newGuest(64, from)
				b, n := encoded(from, s, true)
				copy(src.mem[8:], b)
				good := newGuest(256, to)
				copyString(src, good, 8, n)
				for call := range good.calls {
					for _, bad := range []func(align uint32) uint32{
						func(uint32) uint32 { return 1<<32 - 2 },
						func(align uint32) uint32 { return 32 + align - 1 },
					} {
						ret := bad(good.calls[call][2])
						if ret%2 == 0 && ret < 256 {
							continue // align 1: nothing is unaligned
						}
						dst := newGuest(256, to)
						at := uint32(32)
						dst.realloc = func(_, _, _, _ uint32) uint32 {
							if len(dst.calls)-1 == call {
								return ret
							}
							at += 16
							return at
						}
						wantTrap(t, TrapBadRealloc, func() { copyString(src, dst, 8, n) })
					}
				}
			}
		}
	}
}

// TestCopyStringRewritten rewrites the source from within realloc, which only a
// guest that shares the memory could: whatever comes out, nothing may be written
// outside of what realloc gave, and nothing may panic but a trap.
func TestCopyStringRewritten(t *testing.T) {
	for _, from := range encodings {
		for _, to := range encodings {
			for _, before := range testStrings {
				for _, after := range testStrings {
					src, dst := newGuest(1024, from), newGuest(1024, to)
					b, n := encoded(from, before, false)
					copy(src.mem[8:], b)
					var lo, hi uint32
					dst.realloc = func(_, _, align, size uint32) uint32 {
						c, _ := encoded(from, after, false)
						copy(src.mem[8:], c)
						lo = (hi + 64) &^ (align - 1)
						hi = lo + size
						for i := range dst.mem {
							dst.mem[i] = 0xaa
						}
						return lo
					}
					err := try(func() { copyString(src, dst, 8, n) })
					for i, c := range dst.mem {
						if c != 0xaa && (uint32(i) < lo || uint32(i) >= hi) && err == nil && len(dst.calls) == 1 {
							t.Fatalf("%s to %s, %q rewritten as %q: wrote at %d, outside %d to %d", from, to, before, after, i, lo, hi)
						}
					}
				}
			}
		}
	}
}
