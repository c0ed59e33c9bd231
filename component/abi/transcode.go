package abi

import "unicode/utf8"

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

// verbatim stores the bytes of t as they are, at the alignment of the destination.
func (c *stringCopy) verbatim(t text, align uint32) (ptr, units uint32) {
	n := uint32(len(t.bytes))
	ptr = Alloc(c.dst, n, align)
	copy(c.dstBytes(ptr, n), c.text().bytes)
	return ptr, t.units
}

func (c *stringCopy) toUTF8(t text) (ptr, units uint32) {
	if t.form == formUTF8 {
		if !utf8.Valid(t.bytes) {
			badUTF8(t.bytes)
		}
		return c.verbatim(t, 1)
	}
	size, worst := measure(t).utf8, 2*t.units
	if t.form == formUTF16 {
		worst = 3 * t.units
	}
	ptr = Alloc(c.dst, t.units, 1)
	if size == t.units {
		worst = size // all ASCII: the estimate was right
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
		measure(t) // traps on a lone surrogate
		return c.verbatim(t, 2)
	case formLatin1:
		ptr = Alloc(c.dst, 2*t.units, 2)
		encodeUTF16(c.dstBytes(ptr, 2*t.units), c.text())
		return ptr, t.units
	}
	m := measure(t)
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
