package abi

import (
	"strings"
	"unicode/utf8"
	"unsafe"
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
	if t.form == formUTF8 {
		if !utf8.Valid(t.bytes) {
			badUTF8(t.bytes)
		}
		return string(t.bytes)
	}
	size := measure(t).utf8
	if size == 0 {
		return ""
	}
	b := make([]byte, size)
	encodeUTF8(b, t)
	return unsafe.String(&b[0], size) // b is not written to any more
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

// LowerString copies s into new guest memory in the encoding of cx and returns
// its address and length as LiftString takes them (CanonicalABI.md, section
// Storing, store_string_into_range). Bytes of s that are not valid UTF-8 are
// replaced by U+FFFD, since a guest may rely on what it gets being valid.
//
// A string of the host has no encoding a guest could observe, so it is taken to
// be in the guest's own already: one allocation of the exact size.
func LowerString(cx Context, s string) (ptr, length uint32) {
	checkLowered(uint64(len(s)))
	if !utf8.ValidString(s) {
		s = validUTF8(s)
		checkLowered(uint64(len(s)))
	}
	enc := cx.Encoding()
	if enc == UTF8 {
		ptr = Alloc(cx, uint32(len(s)), 1)
		copy(cx.Memory()[ptr:], s)
		return ptr, uint32(len(s))
	}
	t := text{form: formUTF8, units: uint32(len(s)), bytes: unsafe.Slice(unsafe.StringData(s), len(s))}
	m := measure(t)
	if enc == Latin1OrUTF16 && m.latin1 {
		ptr = Alloc(cx, m.chars, 2)
		encodeLatin1(cx.Memory()[ptr:][:m.chars], t)
		return ptr, m.chars
	}
	checkLowered(2 * uint64(m.utf16))
	ptr = Alloc(cx, 2*m.utf16, 2)
	encodeUTF16(cx.Memory()[ptr:][:2*m.utf16], t)
	if enc == Latin1OrUTF16 {
		return ptr, m.utf16 | utf16Tag
	}
	return ptr, m.utf16
}

// validUTF8 replaces every byte that is not part of a character by U+FFFD.
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
