package wit

import (
	"strings"
	"unicode/utf8"
)

type kind uint8

const (
	invalid kind = iota
	eof
	ident   // a plain word, which may be a keyword
	escaped // %word, which never is
	integer
	arrow // ->
	punct // one character, the token's text
)

// token is a piece of a file. The text of an escaped identifier is without its
// percent sign; the text of an invalid token is what to say about it.
type token struct {
	kind       kind
	text       string
	docs       string // of the doc comments before the token
	start, end int
}

// lexer cuts tokens from src at any offset. It keeps no state, so that the
// parser can go back and read a version where a number was seen.
type lexer struct {
	src string
}

// scan gives the first token at or after off.
func (l lexer) scan(off int) token {
	off, docs, problem := l.trivia(off)
	t := token{docs: docs, start: off, end: off}
	if problem != "" {
		t.text = problem
		return t
	}
	if off == len(l.src) {
		t.kind, t.text = eof, "end of file"
		return t
	}
	switch c := l.src[off]; {
	case isLetter(c):
		t.kind, t.end = ident, l.word(off)
	case c == '%':
		t.kind, t.end = escaped, l.word(off+1)
		t.text = l.src[off+1 : t.end]
		if t.text == "" || !isLetter(t.text[0]) {
			t.kind, t.text = invalid, "expected an identifier after %"
		} else if msg := checkKebab(t.text); msg != "" {
			t.kind, t.text = invalid, msg
		}
		return t
	case isDigit(c):
		t.kind = integer
		for t.end < len(l.src) && isDigit(l.src[t.end]) {
			t.end++
		}
	case c == '-' && strings.HasPrefix(l.src[off:], "->"):
		t.kind, t.end = arrow, off+2
	case strings.IndexByte("{}()<>=,:;./@_*", c) >= 0:
		t.kind, t.end = punct, off+1
	default:
		r, size := utf8.DecodeRuneInString(l.src[off:])
		t.end = off + size
		t.text = "unexpected character " + quoteRune(r, size)
		return t
	}
	t.text = l.src[off:t.end]
	if t.kind == ident {
		if msg := checkKebab(t.text); msg != "" {
			t.kind, t.text = invalid, msg
		}
	}
	return t
}

// trivia skips white space and comments and gathers the doc comments. An empty
// line between a doc comment and what follows does not part them.
func (l lexer) trivia(off int) (end int, docs, problem string) {
	var lines []string
	for off < len(l.src) {
		rest := l.src[off:]
		switch {
		case strings.IndexByte(" \t\r\n", rest[0]) >= 0:
			off++
		case strings.HasPrefix(rest, "//"):
			line, _, _ := strings.Cut(rest, "\n")
			if doc, ok := strings.CutPrefix(line, "///"); ok && !strings.HasPrefix(doc, "/") {
				doc = strings.TrimSuffix(doc, "\r")
				lines = append(lines, strings.TrimPrefix(doc, " "))
			}
			off += len(line)
		case strings.HasPrefix(rest, "/*"):
			n := blockComment(rest)
			if n < 0 {
				return off, "", "comment is never closed"
			}
			if body, ok := strings.CutPrefix(rest[:n-2], "/**"); ok && n > 4 {
				for line := range strings.Lines(body) {
					line = strings.TrimSpace(line)
					line = strings.TrimPrefix(line, "*")
					lines = append(lines, strings.TrimSpace(line))
				}
			}
			off += n
		default:
			return off, joinDocs(lines), ""
		}
	}
	return off, joinDocs(lines), ""
}

// blockComment gives the length of the comment s starts with, -1 if it has no
// end. Block comments nest.
func blockComment(s string) int {
	depth := 0
	for i := 0; i+1 < len(s); {
		switch s[i : i+2] {
		case "/*":
			depth++
			i += 2
		case "*/":
			depth--
			i += 2
			if depth == 0 {
				return i
			}
		default:
			i++
		}
	}
	return -1
}

func joinDocs(lines []string) string {
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " \t")
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}

// word gives the end of the run of letters, digits and dashes at off. A dash
// that begins an arrow is not part of it.
func (l lexer) word(off int) int {
	for off < len(l.src) {
		c := l.src[off]
		if c == '-' && strings.HasPrefix(l.src[off:], "->") {
			break
		}
		if c != '-' && !isLetter(c) && !isDigit(c) {
			break
		}
		off++
	}
	return off
}

// version gives the end of the semantic version at off, or off itself if there
// is none. A dot that introduces the name list of a use is left alone.
func (l lexer) version(off int) int {
	at := off
	for part := range 3 {
		if part > 0 {
			if at >= len(l.src) || l.src[at] != '.' {
				return off
			}
			at++
		}
		start := at
		for at < len(l.src) && isDigit(l.src[at]) {
			at++
		}
		if at == start || (l.src[start] == '0' && at > start+1) {
			return off
		}
	}
	for _, mark := range []byte("-+") {
		if at+1 < len(l.src) && l.src[at] == mark && isVersionChar(l.src[at+1]) {
			at++
			for at < len(l.src) && (isVersionChar(l.src[at]) ||
				l.src[at] == '.' && at+1 < len(l.src) && isVersionChar(l.src[at+1])) {
				at++
			}
		}
	}
	return at
}

// checkKebab says what is wrong with an identifier, nothing if it is sound:
// words joined by single dashes, each word all lower or all upper case, the
// first beginning with a letter (WIT.md, section Identifiers).
func checkKebab(s string) string {
	for word := range strings.SplitSeq(s, "-") {
		if word == "" {
			return "identifier " + s + " has an empty word: words are joined by single dashes"
		}
		lower, upper := false, false
		for i := range len(word) {
			lower = lower || 'a' <= word[i] && word[i] <= 'z'
			upper = upper || 'A' <= word[i] && word[i] <= 'Z'
		}
		if lower && upper {
			return "identifier " + s + " mixes lower and upper case in the word " + word
		}
	}
	return ""
}

func quoteRune(r rune, size int) string {
	if r == utf8.RuneError && size == 1 {
		return "that is not UTF-8"
	}
	return "'" + string(r) + "'"
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }

func isVersionChar(c byte) bool { return isLetter(c) || isDigit(c) || c == '-' }
