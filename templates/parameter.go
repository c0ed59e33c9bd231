package templates

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"

	"github.com/minispin/minispin/trigger/http/route"
)

// RouteParameter is the parameter that most templates have for their route.
const RouteParameter = "http-path"

// A Parameter is a value that a template asks for.
type Parameter struct {
	Name   string // as Spin's templates call it, where they have it
	Prompt string // what is asked
	// Default is the value without an answer. If it is empty and the parameter not
	// Optional, there has to be one.
	Default  string
	Optional bool
	// Check returns what is wrong with a value; nil accepts all.
	Check func(value string) error
}

// check returns what is wrong with value.
func (p *Parameter) check(value string) error {
	if value == "" && p.Optional {
		return nil
	}
	if p.Check == nil {
		return nil
	}
	return p.Check(value)
}

func checkRoute(value string) error {
	if !strings.HasPrefix(value, "/") {
		return errors.New(`a route begins with "/", as in /hello`)
	}
	if err := checkLine(value); err != nil {
		return err
	}
	if strings.Contains(value, "/.../") {
		return errors.New(`"/..." is possible at the end only`)
	}
	_, err := route.Parse(value)
	return err
}

func checkLine(value string) error {
	if strings.TrimSpace(value) == "" {
		return errors.New("must not be empty")
	}
	if strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c == 0x7f }) {
		return errors.New("must be one line, without control characters")
	}
	return nil
}

// checkLocation accepts what a Location header may have (RFC 9110, section
// 10.2.2) and a browser can follow.
func checkLocation(value string) error {
	if err := checkLine(value); err != nil {
		return err
	}
	u, err := url.Parse(value)
	switch {
	case err != nil:
		return err
	case strings.Contains(value, " "):
		return errors.New("a URL has no spaces; write %20")
	case u.Scheme == "" && strings.HasPrefix(value, "/"):
		return nil
	case (u.Scheme == "http" || u.Scheme == "https") && u.Host != "":
		return nil
	}
	return errors.New("must be a URL as in https://example.com/new, or a path that begins with /")
}

// checkFolder accepts the path of a directory below that of the component.
func checkFolder(value string) error {
	if err := checkLine(value); err != nil {
		return err
	}
	switch {
	case strings.ContainsAny(value, `\:*?[`):
		return errors.New(`must be a directory's name, with "/" between several`)
	case path.IsAbs(value) || path.Clean(value) != value || value == "." || value == ".." || strings.HasPrefix(value, "../"):
		return errors.New("must be a directory below that of the component")
	}
	return nil
}

// A ValueError is a value that a template cannot be made with.
type ValueError struct {
	Parameter *Parameter
	Value     string
	Err       error
}

// Error says which value it is and what is wrong with it.
func (e *ValueError) Error() string {
	return fmt.Sprintf("%s = %q: %v", e.Parameter.Name, e.Value, e.Err)
}

// Unwrap returns what is wrong.
func (e *ValueError) Unwrap() error { return e.Err }

// Check returns what is wrong with the values: a [*ValueError] for one that its
// parameter refuses, or an error for one that the template does not know.
func (t *Template) Check(values map[string]string) error {
	var names []string
	for i := range t.Parameters {
		p := &t.Parameters[i]
		names = append(names, p.Name)
		if value, ok := values[p.Name]; ok {
			if err := p.check(value); err != nil {
				return &ValueError{p, value, err}
			}
		}
	}
	for _, name := range sortedKeys(values) {
		if t.Parameter(name) == nil {
			return fmt.Errorf("template %s has no parameter %q; it has: %s", t.ID, name, strings.Join(names, ", "))
		}
	}
	return nil
}
