package variables

import (
	"fmt"
	"slices"
	"strings"
)

// A Template is text in which {{ name }} stands for the value of an application
// variable. There is no way to write "{{" itself, and what is put in is not
// looked at for further templates.
type Template struct {
	parts []part
}

// A part is literal text or, if name is not empty, a variable.
type part struct{ literal, name string }

// ParseTemplate reads text. White space around a name is of no account.
func ParseTemplate(text string) (Template, error) {
	var t Template
	for rest := text; rest != ""; {
		literal, after, found := strings.Cut(rest, "{{")
		if literal != "" {
			t.parts = append(t.parts, part{literal: literal})
		}
		if !found {
			break
		}
		name, end, closed := strings.Cut(after, "}}")
		if !closed {
			return Template{}, fmt.Errorf(`"{{" at character %d has no "}}": a template is written {{ name }}`, len([]rune(text))-len([]rune(after))-1)
		}
		name = strings.TrimSpace(name)
		if err := checkName(name); err != nil {
			return Template{}, err
		}
		t.parts = append(t.parts, part{name: name})
		rest = end
	}
	return t, nil
}

// Names returns the variables t refers to, each once, sorted.
func (t Template) Names() []string {
	var names []string
	for _, p := range t.parts {
		if p.name != "" {
			names = append(names, p.name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// checkName returns what is wrong with name as the name of a variable: words of
// lower-case ASCII letters and digits, each beginning with a letter, joined by
// "_".
func checkName(name string) error {
	start := true
	for i := range len(name) {
		c := name[i]
		switch {
		case c >= 'a' && c <= 'z':
			start = false
		case !start && c >= '0' && c <= '9':
		case !start && c == '_':
			start = true
		default:
			return &NameError{name}
		}
	}
	if start {
		return &NameError{name}
	}
	return nil
}
