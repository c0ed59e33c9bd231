package console

import (
	"unicode/utf8"
)

// AppendPrintable appends text to dst with everything that could command a
// terminal, or deceive who reads it, written out: control characters, bytes that
// are not UTF-8, and the characters that turn the direction of writing around.
// Line ends and tabs stay.
func AppendPrintable(dst, text []byte) []byte {
	for i := 0; i < len(text); {
		c := text[i]
		if c >= ' ' && c < 0x7f || c == '\n' || c == '\t' {
			dst = append(dst, c)
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		switch {
		case c == '\r' && i+1 < len(text) && text[i+1] == '\n':
			dst = append(dst, c)
		case c < ' ' || c == 0x7f || r == utf8.RuneError && size == 1:
			dst = appendHex(append(dst, `\x`...), rune(c), 2)
		case r >= 0x80 && r < 0xa0, turnsDirection(r):
			dst = appendHex(append(dst, `\u`...), r, 4)
		default:
			dst = append(dst, text[i:i+size]...)
		}
		i += size
	}
	return dst
}

// turnsDirection reports whether r embeds, overrides or isolates a direction of
// writing (Unicode Standard Annex 9, section 2).
func turnsDirection(r rune) bool {
	return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

func appendHex(dst []byte, r rune, digits int) []byte {
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		dst = append(dst, "0123456789abcdef"[r>>shift&0xf])
	}
	return dst
}
