package abi

import (
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// This file decodes, measures and encodes the characters of a text. There is a
// loop for each pair of encodings, because a common one would have to decide per
// character what is known per text.

// runeAtUTF8 decodes the character at i, which is not ASCII, trapping if it is
// not valid.
func runeAtUTF8(b []byte, i int) (rune, int) {
	r, n := utf8.DecodeRune(b[i:])
	if r == utf8.RuneError && n == 1 {
		badUTF8(b)
	}
	return r, n
}

// runeAtUTF16 decodes the character at i of b, which is of even length, and
// returns it with its size in bytes: 2 or 4. A lone surrogate traps.
func runeAtUTF16(b []byte, i int) (rune, int) {
	u := rune(binary.LittleEndian.Uint16(b[i:]))
	if !utf16.IsSurrogate(u) {
		return u, 2
	}
	if i+4 <= len(b) {
		if r := utf16.DecodeRune(u, rune(binary.LittleEndian.Uint16(b[i+2:]))); r != utf8.RuneError {
			return r, 4
		}
	}
	Throw(TrapBadString, "invalid utf-16: lone surrogate %#x at byte %d", u, i)
	return 0, 0
}

// A measurement is what the choice of a destination encoding needs to know.
type measurement struct {
	chars  uint32 // characters
	utf8   uint32 // bytes in UTF-8
	utf16  uint32 // code units in UTF-16
	latin1 bool   // no character is above U+00FF
}

// add counts a character that is not ASCII.
func (m *measurement) add(r rune) {
	m.chars++
	m.utf16++
	switch {
	case r <= 0x7ff:
		m.utf8 += 2
		m.latin1 = m.latin1 && r <= 0xff
	case r <= 0xffff:
		m.utf8 += 3
		m.latin1 = false
	default:
		m.utf8 += 4
		m.utf16++
		m.latin1 = false
	}
}

// measure measures t, trapping if it is not valid.
func measure(t text) measurement {
	m := measurement{latin1: true}
	b, ascii := t.bytes, uint32(0)
	switch t.form {
	case formUTF8:
		for i := 0; i < len(b); {
			if b[i] < utf8.RuneSelf {
				ascii++
				i++
				continue
			}
			r, n := runeAtUTF8(b, i)
			m.add(r)
			i += n
		}
	case formUTF16:
		for i := 0; i+2 <= len(b); {
			if binary.LittleEndian.Uint16(b[i:]) < utf8.RuneSelf {
				ascii++
				i += 2
				continue
			}
			r, n := runeAtUTF16(b, i)
			m.add(r)
			i += n
		}
	case formLatin1:
		high := uint32(0)
		for _, c := range b {
			high += uint32(c >> 7)
		}
		ascii = uint32(len(b)) - high
		m.chars, m.utf8, m.utf16 = high, 2*high, high
	}
	m.chars += ascii
	m.utf8 += ascii
	m.utf16 += ascii
	return m
}

// changed traps when a text no longer has the size it was measured with, which
// takes a guest that rewrites the string inside of its own realloc.
func changed() {
	Throw(TrapBadString, "string changed while it was copied")
}

// encodeUTF8 writes t to b, which has exactly the size that was measured.
func encodeUTF8(b []byte, t text) {
	s, j := t.bytes, 0
	switch t.form {
	case formUTF8:
		copy(b, s)
	case formUTF16:
		for i := 0; i+2 <= len(s); {
			if u := binary.LittleEndian.Uint16(s[i:]); u < utf8.RuneSelf && j < len(b) {
				b[j] = byte(u)
				i += 2
				j++
				continue
			}
			r, n := runeAtUTF16(s, i)
			i += n
			j += putUTF8(b[j:], r)
		}
	case formLatin1:
		for _, c := range s {
			if c < utf8.RuneSelf && j < len(b) {
				b[j] = c
				j++
				continue
			}
			j += putUTF8(b[j:], rune(c))
		}
	}
}

// putUTF8 encodes r at the start of b and returns the bytes it took.
func putUTF8(b []byte, r rune) int {
	if utf8.RuneLen(r) > len(b) {
		changed()
	}
	return utf8.EncodeRune(b, r)
}

// encodeUTF16 writes t to b, which has exactly the size that was measured.
func encodeUTF16(b []byte, t text) {
	s, j := t.bytes, 0
	switch t.form {
	case formUTF16:
		copy(b, s)
	case formLatin1:
		s = s[:min(len(s), len(b)/2)]
		for i, c := range s {
			binary.LittleEndian.PutUint16(b[2*i:], uint16(c))
		}
	case formUTF8:
		for i := 0; i < len(s); {
			if c := s[i]; c < utf8.RuneSelf && j+2 <= len(b) {
				binary.LittleEndian.PutUint16(b[j:], uint16(c))
				i++
				j += 2
				continue
			}
			r, n := runeAtUTF8(s, i)
			i += n
			j += putUTF16(b[j:], r)
		}
	}
}

// putUTF16 encodes r at the start of b and returns the bytes it took.
func putUTF16(b []byte, r rune) int {
	if r <= 0xffff && len(b) >= 2 {
		binary.LittleEndian.PutUint16(b, uint16(r))
		return 2
	}
	if len(b) < 4 {
		changed()
	}
	hi, lo := utf16.EncodeRune(r)
	binary.LittleEndian.PutUint16(b, uint16(hi))
	binary.LittleEndian.PutUint16(b[2:], uint16(lo))
	return 4
}

// encodeLatin1 writes t to b, which has one byte for every character that was
// measured.
func encodeLatin1(b []byte, t text) {
	s, j := t.bytes, 0
	put := func(r rune) {
		if r > 0xff || j >= len(b) {
			changed()
		}
		b[j] = byte(r)
		j++
	}
	switch t.form {
	case formLatin1:
		copy(b, s)
	case formUTF16:
		for i := 0; i+2 <= len(s); i += 2 {
			// No surrogate is below U+0100, so units are characters here.
			put(rune(binary.LittleEndian.Uint16(s[i:])))
		}
	case formUTF8:
		for i := 0; i < len(s); {
			if c := s[i]; c < utf8.RuneSelf && j < len(b) {
				b[j] = c
				i++
				j++
				continue
			}
			r, n := runeAtUTF8(s, i)
			i += n
			put(r)
		}
	}
}
