package manifest

import (
	"fmt"
	"strings"
)

// A Route says which requests a trigger is for.
type Route struct {
	// Path is the pattern as written; empty for a private route. Segments are
	// literal, ":name" takes one segment, and "/..." at the end takes the rest.
	Path string `json:"path,omitempty"`
	// Private marks a trigger no request from outside reaches, only requests
	// other components of the application make.
	Private bool `json:"private,omitempty"`
}

func readRoute(v value) Route {
	if _, ok := v.data.(map[string]any); ok {
		return readPrivateRoute(v)
	}
	path, ok := v.data.(string)
	if !ok {
		v.mistyped("a string, or { private = true }", "")
		return Route{}
	}
	checkRoute(v, path)
	return Route{Path: path}
}

func readPrivateRoute(v value) Route {
	t, _ := v.table("a table")
	private, ok := t.need("private", "write { private = true }, or a string for a route that is not private")
	if ok {
		if yes, ok := private.boolean(); ok && !yes {
			private.fail("only true is possible", "for a route that is not private write a string")
		}
	}
	t.done(nil)
	return Route{Private: true}
}

// checkRoute reports what is wrong with the pattern path, found at v.
func checkRoute(v value, path string) {
	pattern, wildcard := cutWildcard(path)
	segments := strings.FieldsFunc(pattern, func(c rune) bool { return c == '/' || c == '.' })
	for i, s := range segments {
		switch {
		case s == "*" && i == len(segments)-1: // as in /file.*
		case s == "*":
			v.fail("a wildcard is only possible at the end", "write /... at the end of the route")
			return
		case strings.HasPrefix(s, "*"):
			v.fail(fmt.Sprintf("a wildcard has no name, found %q", s), "write /... at the end of the route")
			return
		case s == ":":
			v.fail(`":" without a name`, "a parameter is written :name")
			return
		}
	}
	clean := "/" + strings.TrimLeft(pattern, "/")
	switch {
	case strings.HasPrefix(clean+"/", "/.well-known/spin/"):
		v.warn("no request reaches this route", "the host answers everything below /.well-known/spin/ by itself")
	case strings.ContainsAny(path, "?#"):
		v.warn("no request reaches this route", "routes are matched against the path only, without query and fragment")
	case !wildcard && strings.Contains(path, "..."):
		v.warn(`"..." is taken literally here`, "only /... at the end is a wildcard")
	}
}

// cutWildcard splits a trailing wildcard, in either spelling, off path.
func cutWildcard(path string) (prefix string, found bool) {
	slashed := "/" + strings.TrimLeft(path, "/")
	for _, suffix := range []string{"/...", "/*"} {
		if prefix, found = strings.CutSuffix(slashed, suffix); found {
			return prefix, true
		}
	}
	return strings.TrimSuffix(slashed, "/"), false
}

// canonical returns a text that is equal for routes that take exactly the same
// requests: differences of slashes at the ends, of the wildcard's spelling and
// of parameters' names are gone.
func (r Route) canonical() string {
	prefix, wildcard := cutWildcard(r.Path)
	segments := strings.Split(prefix, "/")
	for i, s := range segments {
		parts := strings.Split(s, ".")
		for j, p := range parts {
			if strings.HasPrefix(p, ":") {
				parts[j] = ":"
			}
		}
		segments[i] = strings.Join(parts, ".")
	}
	out := strings.Join(segments, "/")
	if wildcard {
		out += "/..."
	}
	return out
}
