package abi

import (
	"encoding/binary"
	"unicode/utf8"
)

// This file moves strings between two guests: the string that the caller of
// copyString found in src is stored in dst, in the encoding of dst, without
// becoming a Go string on the way.
//
// The calls of realloc that a conversion makes can be observed by the guest and
// are laid down by the specification (CanonicalABI.md, section Storing,
// store_string_into_range): allocate by a first estimate, reallocate to the
// worst case when the estimate was too low, shrink to fit. One liberty is taken:
// the source is measured before, and nothing is written before the last growing
// realloc, which leaves it to the guest to preserve nothing.
//
// The source is validated first and read again after the last growing realloc,
// because the two guests may share one memory, which may then have moved or
// changed. A guest that changes a string while it is read gets whatever it wrote
// there; all accesses stay in bounds.

// copyString lifts the string at ptr in src and lowers it into dst.
func copyString(src, dst Context, ptr, length uint32) (dstPtr, dstLength uint32) {
	c := stringCopy{src: src, dst: dst, ptr: ptr, length: length}
	t := c.text()
	switch dst.Encoding() {
	case UTF16:
		return c.toUTF16(t)
	case Latin1OrUTF16:
		return c.toLatin1OrUTF16(t)
	}
	return c.toUTF8(t)
}

type stringCopy struct {
	src, dst    Context
	ptr, length uint32
}

// text returns the source as it is in memory now.
func (c *stringCopy) text() text {
	return readText(c.src.Memory(), c.src.Encoding(), c.ptr, c.length, guestStringBounds)
}

// dstBytes returns the n bytes at ptr in the destination.
func (c *stringCopy) dstBytes(ptr, n uint32) []byte {
	return c.dst.Memory()[ptr:][:n:n]
}

// size bytes of t as it is, at the alignment of the destination's encoding.
func (c *stringCopy) verbatim(t text, align uint32) (ptr, units uint32) {
	n := uint32(len(t.bytes))
	ptr = Alloc(c.dst, n, align)
	copy(c.dstBytes(ptr, n), c.text().bytes)
	return ptr, t.units
}

func (c *stringCopy) toUTF8(t text) (ptr, units uint32) {
	var size, worst uint32
	switch t.form {
	case formUTF8:
		if !utf8.Valid(t.bytes) {
			badUTF8(t.bytes)
		}
		return c.verbatim(t, 1)
	case formUTF16:
		size, worst = uint32(utf8SizeOfUTF16(t.bytes)), 3*t.units
	case formLatin1:
		size, worst = uint32(utf8SizeOfLatin1(t.bytes)), 2*t.units
	}
	ptr = Alloc(c.dst, t.units, 1)
	if size == t.units {
		worst = size
	} else {
		ptr = grow(c.dst, ptr, t.units, 1, worst)
	}
	encodeUTF8(c.dstBytes(ptr, size), c.text())
	if worst > size {
		ptr = grow(c.dst, ptr, worst, 1, size)
	}
	return ptr, size
}

func (c *stringCopy) toUTF16(t text) (ptr, units uint32) {
	switch t.form {
	case formUTF16:
		utf8SizeOfUTF16(t.bytes)
		return c.verbatim(t, 2)
	case formLatin1:
		ptr = Alloc(c.dst, 2*t.units, 2)
		encodeUTF16(c.dstBytes(ptr, 2*t.units), c.text())
		return ptr, t.units
	}
	m := measureUTF8(t.bytes)
	size, worst := 2*m.utf16, 2*t.units
	ptr = Alloc(c.dst, worst, 2)
	encodeUTF16(c.dstBytes(ptr, size), c.text())
	if size < worst {
		ptr = grow(c.dst, ptr, worst, 2, size)
	}
	return ptr, m.utf16
}

func (c *stringCopy) toLatin1OrUTF16(t text) (ptr, units uint32) {
	if c.src.Encoding() == Latin1OrUTF16 {
		if t.form == formLatin1 {
			return c.verbatim(t, 2)
		}
		return c.probablyUTF16(t)
	}
	m := measure(t)
	ptr = Alloc(c.dst, t.units, 2)
	if m.latin1 {
		encodeLatin1(c.dstBytes(ptr, m.chars), c.text())
		if m.chars < t.units {
			ptr = grow(c.dst, ptr, t.units, 2, m.chars)
		}
		return ptr, m.chars
	}
	size, worst := 2*m.utf16, 2*t.units
	ptr = grow(c.dst, ptr, t.units, 2, worst)
	encodeUTF16(c.dstBytes(ptr, size), c.text())
	if worst > size {
		ptr = grow(c.dst, ptr, worst, 2, size)
	}
	return ptr, m.utf16 | utf16Tag
}

// probablyUTF16 stores a latin1+utf16 string that its guest holds as UTF-16:
// it will most likely stay so, but is narrowed when it can be.
func (c *stringCopy) probablyUTF16(t text) (ptr, units uint32) {
	m := measure(t)
	size := 2 * t.units
	ptr = Alloc(c.dst, size, 2)
	if !m.latin1 {
		copy(c.dstBytes(ptr, size), c.text().bytes)
		return ptr, t.units | utf16Tag
	}
	encodeLatin1(c.dstBytes(ptr, t.units), c.text())
	ptr = grow(c.dst, ptr, size, 1, t.units)
	return ptr, t.units
}

// A measurement is what the choice of a destination encoding needs to know.
type measurement struct {
	chars  uint32 // characters
	utf16  uint32 // code units in UTF-16
	latin1 bool   // no character is above U+00FF
}

func (m *measurement) add(r rune) {
	m.chars++
	m.utf16++
	if r > 0xff {
		m.latin1 = false
		if r > 0xffff {
			m.utf16++
		}
	}
}

// measure validates and measures a UTF-8 or UTF-16 text.
func measure(t text) measurement {
	if t.form == formUTF8 {
		return measureUTF8(t.bytes)
	}
	m := measurement{latin1: true}
	for b := t.bytes; len(b) > 0; {
		r, n := runeOfUTF16(b)
		m.add(r)
		b = b[n:]
	}
	return m
}

func measureUTF8(b []byte) measurement {
	m := measurement{latin1: true}
	for i := 0; i < len(b); {
		if b[i] < utf8.RuneSelf {
			m.chars++
			m.utf16++
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			badUTF8(b)
		}
		m.add(r)
		i += n
	}
	return m
}

// next decodes and removes the first character of t, which must not be empty.
func (t *text) next() rune {
	switch t.form {
	case formUTF16:
		r, n := runeOfUTF16(t.bytes)
		t.bytes = t.bytes[n:]
		return r
	case formLatin1:
		r := rune(t.bytes[0])
		t.bytes = t.bytes[1:]
		return r
	}
	r, n := utf8.DecodeRune(t.bytes)
	t.bytes = t.bytes[n:]
	return r
}

// changed traps when a text no longer has the size it was measured with, which
// takes a guest that rewrites the string inside of its own realloc.
func changed() {
	Throw(TrapBadString, "string changed while it was copied")
}

// encodeUTF8 writes t to b, which has exactly the size of t in UTF-8.
func encodeUTF8(b []byte, t text) {
	for len(t.bytes) > 0 {
		r := t.next()
		if utf8.RuneLen(r) > len(b) {
			changed()
		}
		b = b[utf8.EncodeRune(b, r):]
	}
}

// encodeUTF16 writes t to b, which has exactly the size of t in UTF-16.
func encodeUTF16(b []byte, t text) {
	if t.form == formLatin1 {
		for i, c := range t.bytes {
			binary.LittleEndian.PutUint16(b[2*i:], uint16(c))
		}
		return
	}
	for len(t.bytes) > 0 {
		r := t.next()
		if len(b) < 2 || r > 0xffff && len(b) < 4 {
			changed()
		}
		b = b[putUTF16(b, r):]
	}
}

// encodeLatin1 writes t to b, which has one byte for every character of t.
func encodeLatin1(b []byte, t text) {
	for len(t.bytes) > 0 {
		r := t.next()
		if r > 0xff || len(b) == 0 {
			changed()
		}
		b[0] = byte(r)
		b = b[1:]
	}
}
