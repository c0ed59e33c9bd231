package route

import (
	"slices"
	"strings"
)

// op is what a step of a compiled pattern does with the rest of the path.
type op uint8

const (
	opText      op = iota // it must start with the step's text
	opParam               // capture up to the next slash
	opParamDot            // capture up to the next dot, which must come before the next slash
	opRest                // capture all of it
	opSlashRest           // nothing, or a slash and then capture all of it
)

// step is one instruction of a compiled pattern.
type step struct {
	op   op
	text string
}

// compile turns the segments into steps. Text, slashes and dots that follow one
// another become one comparison; the slash before a wildcard does not, because
// /... also matches the path that ends there.
func (p *Pattern) compile() {
	text := func(s string) {
		if n := len(p.program); n > 0 && p.program[n-1].op == opText {
			p.program[n-1].text += s
			return
		}
		p.program = append(p.program, step{op: opText, text: s})
	}
	for i, seg := range p.segments {
		var next, prev kind = slash, dot
		if i+1 < len(p.segments) {
			next = p.segments[i+1].kind
		}
		if i > 0 {
			prev = p.segments[i-1].kind
		}
		switch seg.kind {
		case exact:
			text(seg.text)
		case dot:
			text(".")
		case slash:
			if next != wildcard {
				text("/")
			}
		case param:
			s := step{op: opParam}
			if next == dot {
				s.op = opParamDot
			}
			p.program = append(p.program, s)
		case wildcard:
			s := step{op: opRest}
			if prev == slash {
				s.op = opSlashRest
			}
			p.program = append(p.program, s)
		}
	}
}

// run applies the pattern to a path without slashes at either end. It appends
// the captured parameters to values and returns them with what the wildcard
// took.
func (p *Pattern) run(path string, values []string) (captured []string, rest string, ok bool) {
	for i := range p.program {
		switch s := &p.program[i]; s.op {
		case opText:
			if !strings.HasPrefix(path, s.text) {
				return values, "", false
			}
			path = path[len(s.text):]
		case opParam:
			if path == "" {
				return values, "", false
			}
			end := strings.IndexByte(path, '/')
			if end < 0 {
				end = len(path)
			}
			values = append(values, path[:end])
			path = path[end:]
		case opParamDot:
			end := strings.IndexAny(path, "./")
			if end < 0 || path[end] == '/' {
				return values, "", false
			}
			values = append(values, path[:end])
			path = path[end:]
		case opRest:
			return values, path, true
		case opSlashRest:
			if path != "" {
				if path[0] != '/' {
					return values, "", false
				}
				path = path[1:]
			}
			return values, path, true
		}
	}
	return values, "", path == ""
}

// Match is the answer of a [Table] for one path.
type Match struct {
	pattern  *Pattern
	target   int
	pathInfo string
	values   []string
}

// Pattern returns the route that matched.
func (m *Match) Pattern() *Pattern { return m.pattern }

// Target returns the position of the matching route in the list the table was
// built from. It is -1 for a match made by [Synthetic].
func (m *Match) Target() int { return m.target }

// PathInfo returns the part of the path that the trailing wildcard took, with
// the slash before it and the slash after it if the path has one. It is empty
// for a route without a wildcard.
func (m *Match) PathInfo() string { return m.pathInfo }

// Len returns the number of parameters the path was matched against.
func (m *Match) Len() int { return len(m.values) }

// Param returns the name and the captured value of parameter i, counted from
// the left. Values are as they stand in the path, still percent-encoded.
func (m *Match) Param(i int) (name, value string) {
	return m.pattern.params[i], m.values[i]
}

// catchAll is the route of every synthetic match.
var catchAll = func() *Pattern {
	p, err := Parse(wildcardSuffix)
	if err != nil {
		panic(err)
	}
	return p
}()

// Synthetic returns a match as if path had been matched by the route /... . It
// is what a component sees that is called by another one and not through a
// route; path, as it is, becomes the path info.
func Synthetic(path string) Match {
	return Match{pattern: catchAll, target: -1, pathInfo: path}
}

// trim drops the slashes at both ends of a path, which no route looks at.
func trim(path string) string { return strings.Trim(path, "/") }

// match applies p to path, of which trimmed is what [trim] left, and fills in
// the captures of m.
func (p *Pattern) match(path, trimmed string, m *Match) bool {
	// Longer than any real route; a pattern with more parameters than this
	// costs an allocation.
	var space [12]string
	values, rest, ok := p.run(trimmed, space[:0])
	if !ok {
		return false
	}
	m.pattern = p
	m.values = nil
	if len(values) > 0 {
		m.values = slices.Clone(values)
	}
	m.pathInfo = ""
	if last := p.segments; len(last) > 0 && last[len(last)-1].kind == wildcard {
		m.pathInfo = pathInfo(path, trimmed, rest)
	}
	return true
}

// pathInfo returns rest, the end of trimmed, with the slashes that surround it
// in path. It is nearly always a part of path, so that nothing is allocated.
func pathInfo(path, trimmed, rest string) string {
	after := ""
	if strings.HasSuffix(path, "/") {
		after = "/"
	}
	if rest == "" {
		return after
	}
	lead := 0
	for path[lead] == '/' {
		lead++
	}
	start := lead + len(trimmed) - len(rest)
	end := lead + len(trimmed) + len(after)
	if start > 0 && path[start-1] == '/' {
		return path[start-1 : end]
	}
	return "/" + path[start:end] // a wildcard right after a dot, as in /file.*
}
