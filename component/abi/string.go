package abi

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	// MaxStringBytes is the largest byte length of a string that may be lifted
	// (CanonicalABI.md, section Loading). It leaves room for the growth of a
	// conversion to another encoding.
	MaxStringBytes = 1<<28 - 1
	// MaxListBytes is the same bound for lists.
	MaxListBytes = 1<<28 - 1

	// utf16Tag marks, in the length of a latin1+utf16 string, the UTF-16 form.
	utf16Tag = 1 << 31
)

// text is a string in guest memory whose range has been checked. Its encoding is
// a simple one: a latin1+utf16 string is either of its two forms.
type text struct {
	form  form
	units uint32 // code units
	bytes []byte // a view of guest memory
}

// A form is how the code units of a text are encoded.
type form uint8

const (
	formUTF8 form = iota
	formUTF16
	formLatin1
)

// readText resolves the pointer and tagged length of a string to the bytes they
// mean: load_string_from_range up to decoding. oob words the trap for a string
// that leaves the memory.
func readText(mem []byte, enc Encoding, ptr, length uint32, oob string) text {
	t := text{form: formUTF8, units: length}
	size, align := uint64(length), uint32(1)
	switch enc {
	case UTF16:
		t.form, size, align = formUTF16, 2*size, 2
	case Latin1OrUTF16:
		align = 2
		if length&utf16Tag != 0 {
			t.units = length &^ utf16Tag
			t.form, size = formUTF16, 2*uint64(t.units)
		} else {
			t.form = formLatin1
		}
	}
	if size > MaxStringBytes {
		Throw(TrapTooLong, "%s: string of %d bytes is too long", oob, size)
	}
	if ptr&(align-1) != 0 {
		unaligned(ptr, align)
	}
	end := uint64(ptr) + size
	if end > uint64(len(mem)) {
		Throw(TrapOutOfBounds, "%s: %d bytes at %#x, memory has %d", oob, size, ptr, len(mem))
	}
	t.bytes = mem[ptr:end:end]
	return t
}

const (
	hostStringBounds  = "string pointer/length out of bounds of memory"
	guestStringBounds = "string content out-of-bounds"
)

// LiftString returns a copy of the string that ptr and length denote in the
// memory and encoding of cx (CanonicalABI.md, section Loading,
// load_string_from_range). Length counts code units, and in latin1+utf16 carries
// the tag. It traps when the range or the encoding is not valid.
func LiftString(cx Context, ptr, length uint32) string {
	return readText(cx.Memory(), cx.Encoding(), ptr, length, hostStringBounds).decode()
}

// decode returns a copy of t, trapping if it is not valid in its encoding.
func (t text) decode() string {
	switch t.form {
	case formUTF16:
		return decodeUTF16(t.bytes)
	case formLatin1:
		return decodeLatin1(t.bytes)
	}
	if !utf8.Valid(t.bytes) {
		badUTF8(t.bytes)
	}
	return string(t.bytes)
}

// badUTF8 traps with where and how b, which is not valid UTF-8, is broken.
func badUTF8(b []byte) {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n <= 1 {
			if !utf8.FullRune(b[i:]) {
				Throw(TrapBadString, "incomplete utf-8 byte sequence from index %d", i)
			}
			Throw(TrapBadString, "invalid utf-8 sequence from index %d", i)
		}
		i += n
	}
	Throw(TrapBadString, "invalid utf-8")
}

// decodeUTF16 returns the UTF-16 text b as a string, trapping on a lone
// surrogate.
func decodeUTF16(b []byte) string {
	var s strings.Builder
	s.Grow(utf8SizeOfUTF16(b))
	for i := 0; i < len(b); {
		r, n := runeOfUTF16(b[i:])
		s.WriteRune(r)
		i += n
	}
	return s.String()
}

// runeOfUTF16 decodes the first character of b, which is not empty and of even
// length, and returns it with its size in bytes: 2 or 4. A lone surrogate traps.
func runeOfUTF16(b []byte) (rune, int) {
	u := rune(binary.LittleEndian.Uint16(b))
	if !utf16.IsSurrogate(u) {
		return u, 2
	}
	if len(b) >= 4 {
		if r := utf16.DecodeRune(u, rune(binary.LittleEndian.Uint16(b[2:]))); r != utf8.RuneError {
			return r, 4
		}
	}
	Throw(TrapBadString, "invalid utf-16: lone surrogate %#x", u)
	return 0, 0
}

// utf8SizeOfUTF16 returns the size in UTF-8 of the UTF-16 text b, trapping on a
// lone surrogate.
func utf8SizeOfUTF16(b []byte) int {
	size := 0
	for i := 0; i < len(b); {
		if u := binary.LittleEndian.Uint16(b[i:]); u < utf8.RuneSelf {
			size++
			i += 2
			continue
		}
		r, n := runeOfUTF16(b[i:])
		size += utf8.RuneLen(r)
		i += n
	}
	return size
}

func decodeLatin1(b []byte) string {
	size := utf8SizeOfLatin1(b)
	if size == len(b) {
		return string(b)
	}
	var s strings.Builder
	s.Grow(size)
	for _, c := range b {
		s.WriteRune(rune(c))
	}
	return s.String()
}

func utf8SizeOfLatin1(b []byte) int {
	size := len(b)
	for _, c := range b {
		size += int(c >> 7)
	}
	return size
}

// LowerString copies s into new guest memory in the encoding of cx and returns
// its address and length as LiftString takes them (CanonicalABI.md, section
// Storing, store_string_into_range). Bytes of s that are not valid UTF-8 are
// replaced by U+FFFD, since a guest may rely on what it gets being valid.
//
// A string of the host has no encoding a guest could observe, so it is taken to
// be in the guest's own already: one allocation of the exact size.
func LowerString(cx Context, s string) (ptr, length uint32) {
	switch cx.Encoding() {
	case UTF16:
		return lowerUTF16(cx, s)
	case Latin1OrUTF16:
		if units, ok := latin1Units(s); ok {
			return lowerLatin1(cx, s, units)
		}
		ptr, length = lowerUTF16(cx, s)
		return ptr, length | utf16Tag
	}
	if !utf8.ValidString(s) {
		s = validUTF8(s)
	}
	checkLowered(uint64(len(s)))
	ptr = Alloc(cx, uint32(len(s)), 1)
	copy(cx.Memory()[ptr:], s)
	return ptr, uint32(len(s))
}

// validUTF8 replaces every byte that is not part of a character: one U+FFFD for
// each, as a range over the string gives in the other encodings.
func validUTF8(s string) string {
	var b strings.Builder
	b.Grow(len(s) + 16)
	for _, r := range s {
		b.WriteRune(r)
	}
	return b.String()
}

// checkLowered refuses a string that no guest could lift again.
func checkLowered(size uint64) {
	if size > MaxStringBytes {
		Throw(TrapTooLong, "string of %d bytes is too long to lower", size)
	}
}

func lowerUTF16(cx Context, s string) (ptr, units uint32) {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	checkLowered(2 * uint64(n))
	ptr = Alloc(cx, 2*uint32(n), 2)
	dst := cx.Memory()[ptr:][:2*n]
	for _, r := range s {
		dst = dst[putUTF16(dst, r):]
	}
	return ptr, uint32(n)
}

// putUTF16 encodes r at the start of b and returns the bytes it took.
func putUTF16(b []byte, r rune) int {
	if r <= 0xffff {
		binary.LittleEndian.PutUint16(b, uint16(r))
		return 2
	}
	hi, lo := utf16.EncodeRune(r)
	binary.LittleEndian.PutUint16(b, uint16(hi))
	binary.LittleEndian.PutUint16(b[2:], uint16(lo))
	return 4
}

// latin1Units returns the characters in s, and whether Latin-1 has all of them.
func latin1Units(s string) (int, bool) {
	n := 0
	for _, r := range s {
		if r > 0xff {
			return 0, false
		}
		n++
	}
	return n, true
}

func lowerLatin1(cx Context, s string, units int) (ptr, length uint32) {
	checkLowered(uint64(units))
	ptr = Alloc(cx, uint32(units), 2)
	dst := cx.Memory()[ptr:][:units]
	if units == len(s) {
		copy(dst, s)
		return ptr, uint32(units)
	}
	i := 0
	for _, r := range s {
		dst[i] = byte(r)
		i++
	}
	return ptr, uint32(units)
}
