// Package glob is the language of the patterns in files and exclude_files of a
// manifest.
//
//	?        one character
//	*        any characters
//	[a-f_]   a character of a set
//	[!a-f_]  a character outside of it
//	**       as a whole path element: any number of directories, also none
//
// Everything else stands for itself, a backslash too: a special character is
// written in brackets, as in [*]. Paths have slashes on every system, and names
// that begin with a dot are like others.
//
// The package touches no files; what walks directories asks it element by
// element. Its one idea is Spin's own: the same text means one thing where files
// are looked for and a little more where they are excluded. There * and ? stay
// within a path element ([Element.Match]), here they also match slashes
// ([Pattern.Match]), so that to exclude *.map excludes all of that name, wherever
// they are.
package glob

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// A Pattern is a valid pattern.
type Pattern struct {
	elems []Element
	whole []token
}

// An Element is a path element of a Pattern, without slashes.
type Element struct {
	text   string
	tokens []token
}

type kind uint8

const (
	literal   kind = iota // one character
	anyOne                // ?
	set                   // [a-f]
	many                  // *
	recursive             // **, in whole patterns
)

// token is what matches one character, or any number of them.
type token struct {
	kind   kind
	char   rune
	not    bool // a set that is negated
	ranges []runeRange
}

type runeRange struct{ low, high rune }

// Has reports whether text has a character in it that means something other
// than itself in a pattern.
func Has(text string) bool { return strings.ContainsAny(text, "*?[") }

// Parse reads a pattern. Empty elements and those that are . have no effect; one
// that is .. takes back the element before it, and stands for itself where there
// is none.
func Parse(text string) (*Pattern, error) {
	if strings.IndexByte(text, 0) >= 0 {
		return nil, errors.New("has a zero byte, which no path has")
	}
	p := &Pattern{}
	for elem := range strings.SplitSeq(text, "/") {
		switch elem {
		case "", ".":
			continue
		case "..":
			if len(p.elems) == 0 || p.Outside() {
				p.elems = append(p.elems, Element{elem, []token{{char: '.'}, {char: '.'}}})
				continue
			}
			last := p.elems[len(p.elems)-1]
			if _, ok := last.Literal(); !ok {
				return nil, fmt.Errorf("goes up from %q, which can be many directories", last.text)
			}
			p.elems = p.elems[:len(p.elems)-1]
			continue
		}
		tokens, err := parseElement(elem)
		if err != nil {
			return nil, err
		}
		p.elems = append(p.elems, Element{elem, tokens})
	}
	for i, e := range p.elems {
		switch {
		case e.Recursive():
			p.whole = append(p.whole, token{kind: recursive})
			continue // the slash after it belongs to what it matches
		case i > 0 && !p.elems[i-1].Recursive():
			p.whole = append(p.whole, token{char: '/'})
		}
		p.whole = append(p.whole, e.tokens...)
		if i+1 < len(p.elems) && p.elems[i+1].Recursive() {
			p.whole = append(p.whole, token{char: '/'})
		}
	}
	return p, nil
}

func parseElement(elem string) ([]token, error) {
	if elem == "**" {
		return nil, nil
	}
	var tokens []token
	rest := []rune(elem)
	for len(rest) > 0 {
		c := rest[0]
		rest = rest[1:]
		switch c {
		case '?':
			tokens = append(tokens, token{kind: anyOne})
		case '*':
			if len(rest) > 0 && rest[0] == '*' {
				return nil, fmt.Errorf("has ** within %q: it must be a path element of its own", elem)
			}
			tokens = append(tokens, token{kind: many})
		case '[':
			t, after, ok := parseSet(rest)
			if !ok {
				return nil, errors.New("has a [ without its ]")
			}
			tokens, rest = append(tokens, t), after
		default:
			tokens = append(tokens, token{char: c})
		}
	}
	return tokens, nil
}

// parseSet reads what follows a bracket. A closing one that comes first is a
// member of the set.
func parseSet(rest []rune) (t token, after []rune, ok bool) {
	t.kind = set
	if len(rest) > 0 && rest[0] == '!' {
		t.not, rest = true, rest[1:]
	}
	if len(rest) < 2 {
		return t, nil, false
	}
	end := slices.Index(rest[1:], ']') + 1
	if end == 0 {
		return t, nil, false
	}
	for members := rest[:end]; len(members) > 0; {
		r := runeRange{members[0], members[0]}
		if len(members) >= 3 && members[1] == '-' {
			r.high = members[2]
			members = members[3:]
		} else {
			members = members[1:]
		}
		t.ranges = append(t.ranges, r)
	}
	return t, rest[end+1:], true
}

// Elements returns p's path elements; none for the directory that p starts from.
func (p *Pattern) Elements() []Element { return p.elems }

// Outside reports whether p leads out of the directory that it starts from.
func (p *Pattern) Outside() bool { return len(p.elems) > 0 && p.elems[0].text == ".." }

// Literal returns the path that p is if nothing in it is special. A set of one
// character is that character.
func (p *Pattern) Literal() (string, bool) {
	var names []string
	for _, e := range p.elems {
		name, ok := e.Literal()
		if !ok {
			return "", false
		}
		names = append(names, name)
	}
	return path.Join(names...), true
}

// Match reports whether p matches name, a clean path, as a whole, with * and ?
// that match slashes too.
func (p *Pattern) Match(name string) bool { return match(p.whole, name) }

// MatchAllBelow reports whether p certainly matches everything in the directory
// name and below it.
func (p *Pattern) MatchAllBelow(name string) bool {
	if lit, ok := p.Literal(); ok {
		return lit == name
	}
	// A * at the end that has been reached matches all that may follow.
	n := len(p.whole) - 1
	return n >= 0 && p.whole[n].kind >= many && reach(p.whole, name+"/")[n]
}

// Recursive reports whether e is **.
func (e Element) Recursive() bool { return e.text == "**" }

// Literal returns the name that e is if nothing in it is special.
func (e Element) Literal() (string, bool) {
	if e.Recursive() {
		return "", false
	}
	var b strings.Builder
	for _, t := range e.tokens {
		switch {
		case t.kind == literal:
			b.WriteRune(t.char)
		case t.kind == set && !t.not && len(t.ranges) == 1 && t.ranges[0].low == t.ranges[0].high:
			b.WriteRune(t.ranges[0].low)
		default:
			return "", false
		}
	}
	return b.String(), true
}

// Match reports whether e matches name, which has no slashes. An element that is
// ** matches every name.
func (e Element) Match(name string) bool { return e.Recursive() || match(e.tokens, name) }

func match(tokens []token, name string) bool { return reach(tokens, name)[len(tokens)] }

// reach returns which tokens can be the next after all of name was matched; the
// last is the end. It follows all ways of matching at the same time, so that no
// pattern takes longer than its length times that of the name.
func reach(tokens []token, name string) []bool {
	now, next := make([]bool, len(tokens)+1), make([]bool, len(tokens)+1)
	now[0] = true
	boundary := true // of path elements
	for _, c := range name {
		skip(tokens, now, boundary)
		clear(next)
		for i, t := range tokens {
			switch {
			case !now[i]:
			case t.kind == many, t.kind == recursive:
				next[i] = true
			case t.matches(c):
				next[i+1] = true
			}
		}
		now, next = next, now
		boundary = c == '/'
	}
	skip(tokens, now, boundary)
	return now
}

// skip goes past tokens that may match nothing more. After ** that is only so
// where a path element begins, or at the end of the pattern.
func skip(tokens []token, now []bool, boundary bool) {
	for i, t := range tokens {
		if now[i] && (t.kind == many || t.kind == recursive && (boundary || i == len(tokens)-1)) {
			now[i+1] = true
		}
	}
}

func (t *token) matches(c rune) bool {
	switch t.kind {
	case literal:
		return c == t.char
	case set:
		in := slices.ContainsFunc(t.ranges, func(r runeRange) bool { return r.low <= c && c <= r.high })
		return in != t.not
	}
	return true // ?
}
