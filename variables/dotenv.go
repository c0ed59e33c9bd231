package variables

import (
	"fmt"
	"strings"
)

// parseDotenv reads assignments NAME=VALUE, one a line, as files named .env have
// them: "export" before the name, comments, values in single quotes taken as
// they are, values in double quotes with escapes, both over several lines if
// need be. $NAME and ${NAME} stand for the process's variable or, failing that,
// one assigned above. The error begins with a line number and shows no values.
func parseDotenv(text string, lookup func(string) (string, bool)) (map[string]string, error) {
	p := dotenv{text: strings.ReplaceAll(strings.TrimPrefix(text, "\ufeff"), "\r\n", "\n"), lookup: lookup, values: map[string]string{}}
	for {
		p.skip(" \t\n")
		if p.pos == len(p.text) {
			return p.values, nil
		}
		if err := p.line(); err != nil {
			return nil, fmt.Errorf("%d: %w", 1+strings.Count(p.text[:p.start], "\n"), err)
		}
	}
}

// dotenv is a cursor over a file.
type dotenv struct {
	text       string
	pos, start int // start is where the current line began
	lookup     func(string) (string, bool)
	values     map[string]string
}

// skip moves past characters of set.
func (p *dotenv) skip(set string) {
	for p.pos < len(p.text) && strings.IndexByte(set, p.text[p.pos]) >= 0 {
		p.pos++
	}
}

// restOfLine moves to the end of the line and returns what was passed.
func (p *dotenv) restOfLine() string {
	rest := p.text[p.pos:]
	if end := strings.IndexByte(rest, '\n'); end >= 0 {
		rest = rest[:end]
	}
	p.pos += len(rest)
	return rest
}

func (p *dotenv) line() error {
	p.start = p.pos
	if p.text[p.pos] == '#' {
		p.restOfLine()
		return nil
	}
	name := p.name()
	if name == "export" {
		p.skip(" \t")
		if next := p.name(); next != "" {
			name = next
		}
	}
	p.skip(" \t")
	if name == "" || p.pos == len(p.text) || p.text[p.pos] != '=' {
		return fmt.Errorf("not an assignment NAME=VALUE")
	}
	p.pos++
	p.skip(" \t")
	value, err := p.value()
	if err != nil {
		return err
	}
	p.values[name] = value
	return nil
}

func (p *dotenv) name() string {
	from := p.pos
	for p.pos < len(p.text) && (isNameByte(p.text[p.pos]) || p.text[p.pos] == '.') {
		p.pos++
	}
	return p.text[from:p.pos]
}

// value reads a value of one or more pieces, each quoted or not.
func (p *dotenv) value() (string, error) {
	var b strings.Builder
	blank := 0 // length without the blanks at the end, which only quotes keep
	for p.pos < len(p.text) {
		c := p.text[p.pos]
		switch {
		case c == '\n':
			return b.String()[:blank], nil
		case c == '#' && (b.Len() > blank || b.Len() == 0):
			p.restOfLine() // a comment stands after a blank, or after nothing
			return b.String()[:blank], nil
		case c == '\'':
			end := strings.IndexByte(p.text[p.pos+1:], '\'')
			if end < 0 {
				return "", fmt.Errorf("a quote ' is not closed")
			}
			b.WriteString(p.text[p.pos+1 : p.pos+1+end])
			p.pos += end + 2
			blank = b.Len()
		case c == '"':
			if err := p.doubleQuoted(&b); err != nil {
				return "", err
			}
			blank = b.Len()
		case c == ' ' || c == '\t':
			b.WriteByte(c)
			p.pos++
		case c == '$':
			p.substitute(&b)
			blank = b.Len()
		default:
			if c == '\\' && p.pos+1 < len(p.text) && p.text[p.pos+1] != '\n' {
				p.pos++
			}
			b.WriteByte(p.text[p.pos])
			p.pos++
			blank = b.Len()
		}
	}
	return b.String()[:blank], nil
}

var escapes = map[byte]byte{'n': '\n', 'r': '\r', 't': '\t'}

func (p *dotenv) doubleQuoted(b *strings.Builder) error {
	p.pos++
	for p.pos < len(p.text) {
		c := p.text[p.pos]
		switch {
		case c == '"':
			p.pos++
			return nil
		case c == '$':
			p.substitute(b)
			continue
		case c == '\\' && p.pos+1 < len(p.text):
			p.pos++
			c = p.text[p.pos]
			if e, ok := escapes[c]; ok {
				c = e
			}
		}
		b.WriteByte(c)
		p.pos++
	}
	return fmt.Errorf(`a quote " is not closed`)
}

// substitute puts in what $NAME or ${NAME} at the cursor stands for. A $ before
// anything else is itself.
func (p *dotenv) substitute(b *strings.Builder) {
	rest := p.text[p.pos+1:]
	inBraces := strings.HasPrefix(rest, "{")
	rest = strings.TrimPrefix(rest, "{")
	n := 0
	for n < len(rest) && isNameByte(rest[n]) {
		n++
	}
	if n == 0 || inBraces && !strings.HasPrefix(rest[n:], "}") {
		b.WriteByte('$')
		p.pos++
		return
	}
	name := rest[:n]
	p.pos += 1 + n
	if inBraces {
		p.pos += 2
	}
	if value, ok := p.lookup(name); ok {
		b.WriteString(value)
	} else {
		b.WriteString(p.values[name])
	}
}

func isNameByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}
