package manifest

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// The TOML decoder gives values without the places they were written at. Rather
// than a second decoder, this file holds an index of places: it walks the same
// text, which the decoder has already accepted, and understands just enough of
// TOML 1.1 to know where every key and every value begins and ends. It never
// judges: on anything unexpected it stops and keeps what it has, and whoever
// looks up a place that is missing gets that of the nearest enclosing one.
//
// A test checks over arbitrary input that the index has exactly the decoder's
// keys.

// A node is the place of one key or array element, and of all within it.
type node struct {
	key   span // the key, or the key inside the brackets of a header
	value span // the value; for a table opened by a header, the key again

	kids  map[string]*node
	order []string // names of kids in the order of the text
	elems []*node  // elements, if this is an array
}

// kid returns the node of key name within n, or n itself when the index has
// none.
func (n *node) kid(name string) *node {
	if k := n.kids[name]; k != nil {
		return k
	}
	return n
}

// elem returns the node of element i of n, or n itself when the index has none.
func (n *node) elem(i int) *node {
	if i >= 0 && i < len(n.elems) {
		return n.elems[i]
	}
	return n
}

// child returns the node for key name within n and makes it if need be.
func (n *node) child(name string, at span) *node {
	if k := n.kids[name]; k != nil {
		return k
	}
	k := &node{key: at, value: at}
	if n.kids == nil {
		n.kids = map[string]*node{}
	}
	n.kids[name] = k
	n.order = append(n.order, name)
	return k
}

// current returns where keys below n go: the last element of an array of
// tables, else n.
func (n *node) current() *node {
	if len(n.elems) > 0 {
		return n.elems[len(n.elems)-1]
	}
	return n
}

// buildIndex returns the index of text, which should be valid TOML.
func buildIndex(text string) *node {
	s := indexer{text: text}
	root := &node{}
	s.document(root)
	return root
}

// maxNesting bounds how deeply arrays and inline tables may nest in what is
// indexed; it is far beyond any manifest and far below the stack's end.
const maxNesting = 200

// An indexer is a cursor over TOML text.
type indexer struct {
	text  string
	pos   int
	depth int
}

// peek returns the byte at the cursor, or 0 at the end. A NUL byte is never
// valid TOML, so the two need no telling apart.
func (s *indexer) peek() byte {
	if s.pos < len(s.text) {
		return s.text[s.pos]
	}
	return 0
}

// accept moves past lit if the text goes on with it.
func (s *indexer) accept(lit string) bool {
	if strings.HasPrefix(s.text[s.pos:], lit) {
		s.pos += len(lit)
		return true
	}
	return false
}

// blanks moves past spaces and tabs.
func (s *indexer) blanks() {
	for c := s.peek(); c == ' ' || c == '\t'; c = s.peek() {
		s.pos++
	}
}

// gap moves past white space, line ends and comments.
func (s *indexer) gap() {
	for {
		switch s.peek() {
		case ' ', '\t', '\r', '\n':
			s.pos++
		case '#':
			end := strings.IndexByte(s.text[s.pos:], '\n')
			if end < 0 {
				s.pos = len(s.text)
			} else {
				s.pos += end
			}
		default:
			return
		}
	}
}

func (s *indexer) document(root *node) {
	table := root
	for {
		s.gap()
		if s.pos >= len(s.text) {
			return
		}
		ok := false
		if s.peek() == '[' {
			table, ok = s.header(root)
		} else {
			ok = s.pair(table)
		}
		if !ok {
			return
		}
	}
}

// header indexes [a.b] or [[a.b]] and returns the node of the table opened.
func (s *indexer) header(root *node) (*node, bool) {
	closing, array := "]", false
	s.pos++
	if s.accept("[") {
		closing, array = "]]", true
	}
	n := root
	for {
		s.blanks()
		name, at, ok := s.keyPart()
		if !ok {
			return nil, false
		}
		parent := n.current()
		n = parent.child(name, at)
		s.blanks()
		if s.accept(".") {
			continue
		}
		if !s.accept(closing) {
			return nil, false
		}
		switch {
		case array:
			elem := &node{key: at, value: at}
			n.elems = append(n.elems, elem)
			n = elem
		default:
			// The header is the better place to point at than an earlier
			// header of a table further in, which only implied this one.
			n.key, n.value = at, at
		}
		return n, true
	}
}

// pair indexes one "a.b = value" below table.
func (s *indexer) pair(table *node) bool {
	n := table
	for {
		s.blanks()
		name, at, ok := s.keyPart()
		if !ok {
			return false
		}
		n = n.child(name, at)
		s.blanks()
		if s.accept(".") {
			continue
		}
		if !s.accept("=") {
			return false
		}
		s.blanks()
		return s.val(n)
	}
}

// keyPart reads one part of a key, bare or quoted.
func (s *indexer) keyPart() (string, span, bool) {
	start := s.pos
	switch s.peek() {
	case '"', '\'':
		text, ok := s.quoted()
		return text, span{start, s.pos}, ok
	}
	for s.pos < len(s.text) && isBare(s.text[s.pos]) {
		s.pos++
	}
	return s.text[start:s.pos], span{start, s.pos}, s.pos > start
}

// isBare reports whether c may stand in a key without quotes.
func isBare(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}

// val indexes a value as that of n.
func (s *indexer) val(n *node) bool {
	start, ok := s.pos, false
	switch s.peek() {
	case '"', '\'':
		ok = s.str()
	case '[', '{':
		s.depth++
		if s.depth <= maxNesting {
			if s.peek() == '[' {
				ok = s.array(n)
			} else {
				ok = s.inline(n)
			}
		}
		s.depth--
	default:
		// A number, boolean or date; a date may hold a space.
		for s.pos < len(s.text) && strings.IndexByte(",]}#\r\n", s.text[s.pos]) < 0 {
			s.pos++
		}
		end := start + len(strings.TrimRight(s.text[start:s.pos], " \t"))
		n.value = span{start, end}
		return end > start
	}
	n.value = span{start, s.pos}
	return ok
}

func (s *indexer) array(n *node) bool {
	s.pos++
	for {
		s.gap()
		if s.accept("]") {
			return true
		}
		elem := &node{key: span{s.pos, s.pos + 1}}
		if !s.val(elem) {
			return false
		}
		elem.key = elem.value
		n.elems = append(n.elems, elem)
		s.gap()
		if !s.accept(",") && s.peek() != ']' {
			return false
		}
	}
}

func (s *indexer) inline(n *node) bool {
	s.pos++
	for {
		s.gap()
		if s.accept("}") {
			return true
		}
		if !s.pair(n) {
			return false
		}
		s.gap()
		if !s.accept(",") && s.peek() != '}' {
			return false
		}
	}
}

// str moves past a string of any of the four kinds.
func (s *indexer) str() bool {
	for _, quote := range []string{`"""`, `'''`} {
		if !s.accept(quote) {
			continue
		}
		for s.pos < len(s.text) {
			switch {
			case quote == `"""` && s.peek() == '\\':
				s.pos = min(s.pos+2, len(s.text))
			case s.accept(quote):
				// Up to two quotes may stand right before the closing three.
				for range 2 {
					s.accept(quote[:1])
				}
				return true
			default:
				s.pos++
			}
		}
		return false
	}
	_, ok := s.quoted()
	return ok
}

// quoted reads a string on one line and returns what it stands for.
func (s *indexer) quoted() (string, bool) {
	quote := s.text[s.pos]
	s.pos++
	var b strings.Builder
	for s.pos < len(s.text) {
		c := s.text[s.pos]
		s.pos++
		switch {
		case c == quote:
			return b.String(), true
		case c == '\n':
			return "", false
		case c == '\\' && quote == '"':
			s.escape(&b)
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}

// escape reads what follows a backslash and appends what it stands for to b.
func (s *indexer) escape(b *strings.Builder) {
	c := s.peek()
	if s.pos < len(s.text) {
		s.pos++
	}
	digits := 0
	switch c {
	case 'b':
		b.WriteByte('\b')
	case 't':
		b.WriteByte('\t')
	case 'n':
		b.WriteByte('\n')
	case 'f':
		b.WriteByte('\f')
	case 'r':
		b.WriteByte('\r')
	case 'e':
		b.WriteByte(0x1b)
	case 'x':
		digits = 2
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	default:
		b.WriteByte(c)
	}
	if digits == 0 || s.pos+digits > len(s.text) {
		return
	}
	code, err := strconv.ParseUint(s.text[s.pos:s.pos+digits], 16, 32)
	if err != nil {
		return
	}
	s.pos += digits
	if code > utf8.MaxRune {
		code = utf8.RuneError
	}
	b.WriteRune(rune(code))
}
