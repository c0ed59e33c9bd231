package route

import (
	"fmt"
	"strings"
)

// ReservedPrefix is the part of the path space the host keeps for itself. A
// route below it can be declared but never receives a request.
const ReservedPrefix = "/.well-known/spin/"

// wildcardSuffix is Spin's spelling of a trailing wildcard.
const wildcardSuffix = "/..."

// kind says what a segment of a pattern matches. The order of the constants is
// the order of precedence, highest first; slash and dot count as equals.
type kind uint8

const (
	exact    kind = iota // literal text within one path segment
	param                // :name, up to the next slash or, before a dot, the next dot
	wildcard             // everything that is left
	slash                // one slash
	dot                  // the dot that ends a parameter
)

// segment is one element of a parsed pattern.
type segment struct {
	kind kind
	text string // the text of an exact segment, the name of a parameter
}

// Pattern is a parsed route.
//
// A route is written as a path. A segment that starts with a colon captures
// what stands in its place; /... at the end matches the path before it and
// everything below. A missing leading slash is added and one trailing slash is
// dropped.
type Pattern struct {
	written  string
	route    string
	wildcard bool
	segments []segment
	params   []string
	dots     int
	program  []step
}

// SyntaxError reports a route that cannot be parsed.
type SyntaxError struct {
	Route  string // the route as written
	Reason string // what is wrong with it
}

// Error returns the route and what is wrong with it.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("route %q: %s", e.Route, e.Reason)
}

// Parse parses a route as it is written in a manifest. The error is a
// [*SyntaxError].
func Parse(written string) (*Pattern, error) {
	p := &Pattern{written: written, route: written}
	if !strings.HasPrefix(p.route, "/") {
		p.route = "/" + p.route
	}
	p.route = strings.TrimSuffix(p.route, "/")

	source := p.route
	if prefix, ok := strings.CutSuffix(source, wildcardSuffix); ok {
		source = prefix + "/*"
	}
	p.wildcard = strings.HasSuffix(source, "/*")

	if reason := p.parse(source); reason != "" {
		return nil, &SyntaxError{Route: written, Reason: reason}
	}
	p.compile()
	return p, nil
}

// parse splits source into segments. It returns what is wrong with source, or
// the empty string.
func (p *Pattern) parse(source string) (reason string) {
	for part := range strings.SplitSeq(source, "/") {
		if part == "" {
			continue // leading, trailing and doubled slashes of a route mean nothing
		}
		if len(p.segments) > 0 {
			p.segments = append(p.segments, segment{kind: slash})
		}
		start := len(p.segments)
		for i, word := range strings.Split(part, ".") {
			if i > 0 {
				p.addDot(start)
			}
			if word == "" {
				continue
			}
			seg, reason := parseWord(word)
			if reason != "" {
				return reason
			}
			if seg.kind == param {
				p.params = append(p.params, seg.text)
			}
			p.segments = append(p.segments, seg)
		}
	}
	for i, seg := range p.segments {
		if seg.kind == wildcard && i != len(p.segments)-1 {
			return "a wildcard must be the end of the route"
		}
	}
	return ""
}

// parseWord parses the text between two separators.
func parseWord(word string) (seg segment, reason string) {
	switch {
	case word == "*":
		return segment{kind: wildcard}, ""
	case word[0] == '*':
		return segment{}, fmt.Sprintf("a wildcard has no name: write /... in place of %q", word)
	case word == ":":
		return segment{}, "a parameter needs a name after the colon"
	case word[0] == ':':
		return segment{kind: param, text: word[1:]}, ""
	}
	return segment{kind: exact, text: word}, ""
}

// addDot appends a dot to the path segment that begins at segments[start]. Only
// the dot after a parameter separates anything; every other one is part of the
// text around it, the first of a name such as .well-known included.
func (p *Pattern) addDot(start int) {
	last := len(p.segments) - 1
	if last < start {
		p.segments = append(p.segments, segment{kind: exact, text: "."})
		return
	}
	switch seg := &p.segments[last]; seg.kind {
	case exact:
		seg.text += "."
	case param:
		p.segments = append(p.segments, segment{kind: dot})
		p.dots++
	default:
		p.segments = append(p.segments, segment{kind: exact, text: "."})
	}
}

// before reports whether p has precedence over q: the first two segments that
// differ in kind decide, then the number of dots, then the smaller length.
// Patterns that tie in all of that keep the order they were declared in, so the
// answer is false both ways.
func (p *Pattern) before(q *Pattern) bool {
	for i := range min(len(p.segments), len(q.segments)) {
		a, b := min(p.segments[i].kind, slash), min(q.segments[i].kind, slash)
		if a != b {
			return a < b
		}
	}
	if p.dots != q.dots {
		return p.dots > q.dots
	}
	return len(p.segments) < len(q.segments)
}

// shape returns a key that is equal for patterns matching the same paths.
func (p *Pattern) shape() string {
	var b strings.Builder
	for _, seg := range p.segments {
		switch seg.kind {
		case exact:
			b.WriteString(seg.text)
		case param:
			b.WriteByte(':')
		case wildcard:
			b.WriteByte('*')
		case slash:
			b.WriteByte('/')
		case dot:
			b.WriteByte('.')
		}
	}
	return b.String()
}

// Written returns the route as it was written.
func (p *Pattern) Written() string { return p.written }

// WrittenPrefix returns the route as it was written, without a trailing /... .
func (p *Pattern) WrittenPrefix() string { return strings.TrimSuffix(p.written, wildcardSuffix) }

// Route returns the route with a leading and without a trailing slash; the
// root is the empty string.
func (p *Pattern) Route() string { return p.route }

// Prefix returns [Pattern.Route] without a trailing /... .
func (p *Pattern) Prefix() string { return strings.TrimSuffix(p.route, wildcardSuffix) }

// Listed returns what a listing of routes shows after the base URL: the route
// without its trailing wildcard, empty for the root.
func (p *Pattern) Listed() string {
	if p.wildcard {
		return strings.TrimSuffix(p.Prefix(), "/*")
	}
	return p.route
}

// Wildcard reports whether the route ends in /... or its other spelling, /* .
func (p *Pattern) Wildcard() bool { return p.wildcard }

// Reserved reports whether the host's own paths hide every path of the route.
func (p *Pattern) Reserved() bool { return strings.HasPrefix(p.route, ReservedPrefix) }

// String returns the route as it was written, "/" for the empty one.
func (p *Pattern) String() string {
	if p.written == "" {
		return "/"
	}
	return p.written
}
