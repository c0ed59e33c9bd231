package abi

import (
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// This file decodes, measures and encodes the characters of a text. Runs of
// ASCII, of which most strings are made, are handled a word at a time; all other
// characters one by one.

// asciiRun returns how many of the first characters of t are ASCII. In UTF-8 and
// Latin-1 a character of ASCII is one byte, in UTF-16 two.
func (t text) asciiRun() int {
	const (
		high8  = 0x8080808080808080
		high16 = 0xff80ff80ff80ff80
	)
	b, i := t.bytes, 0
	if t.form == formUTF16 {
		for ; i+8 <= len(b) && binary.LittleEndian.Uint64(b[i:])&high16 == 0; i += 8 {
		}
		for ; i+2 <= len(b) && binary.LittleEndian.Uint16(b[i:]) < utf8.RuneSelf; i += 2 {
		}
		return i / 2
	}
	for ; i+8 <= len(b) && binary.LittleEndian.Uint64(b[i:])&high8 == 0; i += 8 {
	}
	for ; i < len(b) && b[i] < utf8.RuneSelf; i++ {
	}
	return i
}

// cut removes the first n characters of t, all of them ASCII, and returns their
// bytes.
func (t *text) cut(n int) []byte {
	if t.form == formUTF16 {
		n *= 2
	}
	b := t.bytes[:n]
	t.bytes = t.bytes[n:]
	return b
}

// next decodes and removes the first character of t, which must not be empty. It
// traps if that is not valid.
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
	if r == utf8.RuneError && n == 1 {
		badUTF8(t.bytes)
	}
	t.bytes = t.bytes[n:]
	return r
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

// utf8Size returns the size of t in UTF-8, trapping if t is not valid.
func utf8Size(t text) int {
	size := 0
	for len(t.bytes) > 0 {
		if n := t.asciiRun(); n > 0 {
			t.cut(n)
			size += n
			continue
		}
		size += utf8.RuneLen(t.next())
	}
	return size
}

// A measurement is what the choice of a destination encoding needs to know.
type measurement struct {
	chars  uint32 // characters
	utf16  uint32 // code units in UTF-16
	latin1 bool   // no character is above U+00FF
}

// measure measures t, trapping if it is not valid.
func measure(t text) measurement {
	m := measurement{latin1: true}
	for len(t.bytes) > 0 {
		if n := t.asciiRun(); n > 0 {
			t.cut(n)
			m.chars += uint32(n)
			m.utf16 += uint32(n)
			continue
		}
		r := t.next()
		m.chars++
		m.utf16++
		if r > 0xff {
			m.latin1 = false
		}
		if r > 0xffff {
			m.utf16++
		}
	}
	return m
}

// changed traps when a text no longer has the size it was measured with, which
// takes a guest that rewrites the string inside of its own realloc.
func changed() {
	Throw(TrapBadString, "string changed while it was copied")
}

// encodeUTF8 writes t, which is not UTF-8 itself, to b, which has exactly the
// size that was measured.
func encodeUTF8(b []byte, t text) {
	for len(t.bytes) > 0 {
		if n := min(t.asciiRun(), len(b)); n > 0 {
			src := t.cut(n)
			if t.form == formUTF16 {
				narrow(b, src)
			} else {
				copy(b, src)
			}
			b = b[n:]
			continue
		}
		r := t.next()
		if utf8.RuneLen(r) > len(b) {
			changed()
		}
		b = b[utf8.EncodeRune(b, r):]
	}
}

// encodeUTF16 writes t, which is not UTF-16 itself, to b, which has exactly the
// size that was measured.
func encodeUTF16(b []byte, t text) {
	if t.form == formLatin1 {
		widen(b, t.bytes)
		return
	}
	for len(t.bytes) > 0 {
		if n := min(t.asciiRun(), len(b)/2); n > 0 {
			widen(b, t.cut(n))
			b = b[2*n:]
			continue
		}
		r := t.next()
		switch {
		case r <= 0xffff && len(b) >= 2:
			binary.LittleEndian.PutUint16(b, uint16(r))
			b = b[2:]
		case r > 0xffff && len(b) >= 4:
			hi, lo := utf16.EncodeRune(r)
			binary.LittleEndian.PutUint16(b, uint16(hi))
			binary.LittleEndian.PutUint16(b[2:], uint16(lo))
			b = b[4:]
		default:
			changed()
		}
	}
}

// encodeLatin1 writes t, which is not Latin-1 itself, to b, which has one byte
// for every character that was measured.
func encodeLatin1(b []byte, t text) {
	for len(t.bytes) > 0 {
		if n := min(t.asciiRun(), len(b)); n > 0 {
			src := t.cut(n)
			if t.form == formUTF16 {
				narrow(b, src)
			} else {
				copy(b, src)
			}
			b = b[n:]
			continue
		}
		r := t.next()
		if r > 0xff || len(b) == 0 {
			changed()
		}
		b[0] = byte(r)
		b = b[1:]
	}
}

// narrow writes the 16-bit units of src, all below 256, as bytes to dst.
func narrow(dst, src []byte) {
	dst = dst[:len(src)/2]
	for i := range dst {
		dst[i] = src[2*i]
	}
}

// widen writes the bytes of src as 16-bit units to dst, as many as fit.
func widen(dst, src []byte) {
	src = src[:min(len(src), len(dst)/2)]
	for i, c := range src {
		binary.LittleEndian.PutUint16(dst[2*i:], uint16(c))
	}
}
