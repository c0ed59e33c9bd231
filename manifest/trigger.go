package manifest

import (
	"fmt"
	"slices"
	"strings"
)

// An HTTPTrigger binds a route to a component, or to an answer of the host's
// own.
type HTTPTrigger struct {
	ID string `json:"id"`
	// Component is the id of the component that answers; empty if
	// StaticResponse is set.
	Component      string          `json:"component,omitempty"`
	StaticResponse *StaticResponse `json:"static_response,omitempty"`
	Route          Route           `json:"route"`
	// Executor is the zero value where StaticResponse is set.
	Executor Executor `json:"executor,omitzero"`
	// Middleware are the components composed around the one that answers, the
	// outermost first.
	Middleware []Dependency `json:"middleware,omitempty"`
	// ShadowedBy is the id of the earlier trigger that takes all of this one's
	// requests; empty if there is none. Such a trigger is not to be routed to.
	ShadowedBy string `json:"shadowed_by,omitempty"`

	place value
}

// Diagnose returns a Diagnostic about the value at path within t, as
// [Component.Diagnose] does.
func (t *HTTPTrigger) Diagnose(reason, hint string, path ...any) Diagnostic {
	return diagnose(t.place, reason, hint, path)
}

// An ExecutorType names how a component is called.
type ExecutorType string

// The executors.
const (
	// ExecutorHTTP calls the component's HTTP handler, of whatever version.
	ExecutorHTTP ExecutorType = "http"
	// ExecutorWAGI runs the component as a CGI program.
	ExecutorWAGI ExecutorType = "wagi"
)

// An Executor says how a component is called.
type Executor struct {
	// Type is never the alias "spin", which reads as [ExecutorHTTP].
	Type ExecutorType `json:"type"`
	// Argv is the template of a WAGI program's arguments; empty for the usual
	// one.
	Argv string `json:"argv,omitempty"`
}

// A StaticResponse is an answer the host gives by itself.
type StaticResponse struct {
	StatusCode int               `json:"status_code"` // 200 to 999
	Headers    map[string]string `json:"headers,omitempty"`
	Body       string            `json:"body,omitempty"`
}

// A triggerDraft is a trigger before normalisation.
type triggerDraft struct {
	typ       string
	id        string // "" until filled in
	component string // id; "" if inline, until filled in
	inline    *Component
	ref       value        // where component is named
	http      *HTTPTrigger // nil for other types
	place     value
}

// triggers reads all of [[trigger.<type>]], in the order of the text within
// each type.
func (r *reader) triggers(v value) []*triggerDraft {
	t, ok := v.table("tables [[trigger.<type>]]")
	if !ok {
		return nil
	}
	var drafts []*triggerDraft
	for typ, list := range t.entries {
		elems, ok := list.elements()
		if !ok {
			hint := ""
			if _, single := list.data.(map[string]any); single {
				hint = "double the brackets: [[" + list.path + "]]"
			}
			list.mistyped("an array of tables", hint)
			continue
		}
		for _, elem := range elems {
			if sub, ok := elem.table("a table"); ok {
				drafts = append(drafts, r.trigger(typ, sub))
			}
		}
	}
	return drafts
}

func (r *reader) trigger(typ string, t *table) *triggerDraft {
	d := &triggerDraft{typ: typ, place: t.value}
	d.id = t.text("id")
	if v, ok := t.get("component"); ok {
		r.triggerComponent(d, v)
	}
	if typ == "http" {
		d.http = r.httpTrigger(d, t)
	}
	return d
}

// triggerComponent reads which component d is for: an id or a whole component.
func (r *reader) triggerComponent(d *triggerDraft, v value) {
	d.ref = v
	switch v.data.(type) {
	case string:
		d.component = v.data.(string)
	case map[string]any:
		d.inline = r.component("", v)
	default:
		v.mistyped("the id of a component, or a table", "")
	}
}

func (r *reader) httpTrigger(d *triggerDraft, t *table) *HTTPTrigger {
	h := &HTTPTrigger{place: t.value}
	_, hasComponent := t.m["component"]
	if v, ok := t.get("static_response"); ok {
		h.StaticResponse = readStaticResponse(v)
		if hasComponent {
			v.failKey("stands beside component", "a trigger has either a component or a static_response")
		}
	} else if !hasComponent {
		t.failKey("has neither component nor static_response", `name the component that answers, as in component = "hello"`)
	}
	readRouting(d, h, t)
	if v, ok := t.get("dependencies"); ok {
		h.Middleware = readMiddleware(d, v)
	}
	if v, ok := t.get("components"); ok {
		if _, ok := v.table("a table of roles"); ok {
			d.uses(FeatureTriggerComponents, v)
		}
	}
	elsewhere := map[string]string{"path": `the path is written route = "/hello"`}
	for _, key := range []string{"source", "environment", "allowed_outbound_hosts", "files", "build", "variables", "key_value_stores"} {
		elsewhere[key] = "it belongs into the component's table, [component.<id>]"
	}
	t.done(elsewhere)
	return h
}

// readRouting reads what both versions of the manifest have: the route and the
// executor.
func readRouting(d *triggerDraft, h *HTTPTrigger, t *table) {
	if v, ok := t.need("route", `to answer every path: route = "/..."`); ok {
		h.Route = readRoute(v)
	}
	if v, ok := t.get("executor"); ok {
		e := readExecutor(d, v)
		if h.StaticResponse == nil {
			h.Executor = e
		} else {
			v.warn("has no effect beside static_response", "leave it out")
		}
	} else if h.StaticResponse == nil {
		h.Executor.Type = ExecutorHTTP
	}
}

func readExecutor(d *triggerDraft, v value) Executor {
	e := Executor{Type: ExecutorHTTP}
	t, ok := v.table(`a table, as in { type = "http" }`)
	if !ok {
		return e
	}
	types := []string{"http", "spin", "wagi"}
	name := ""
	typ, ok := t.need("type", "one of: "+strings.Join(types, ", "))
	if ok {
		name, ok = typ.text()
	}
	switch {
	case !ok:
	case name == "wagi":
		e.Type = ExecutorWAGI
		d.uses(FeatureWAGI, v)
		v.warn("the wagi executor is deprecated", "build the component for wasi:http")
	case !slices.Contains(types, name):
		typ.fail(fmt.Sprintf("unknown executor %q", name), oneOf(name, types))
	}
	argv, hasArgv := t.get("argv")
	entrypoint, hasEntrypoint := t.get("entrypoint")
	if e.Type != ExecutorWAGI {
		// Of an unknown executor nothing can be said about its keys.
		for _, given := range []struct {
			v  value
			ok bool
		}{{argv, hasArgv}, {entrypoint, hasEntrypoint}} {
			if given.ok && (name == "http" || name == "spin") {
				given.v.failKey("is only for the wagi executor", "")
			}
		}
		t.done(nil)
		return e
	}
	if hasArgv {
		e.Argv, _ = argv.text()
	}
	if hasEntrypoint {
		if s, ok := entrypoint.text(); ok && s != "_start" {
			entrypoint.fail(fmt.Sprintf("an entrypoint other than \"_start\" is not possible, found %q", s), "leave it out")
		}
	}
	t.done(nil)
	return e
}

func readStaticResponse(v value) *StaticResponse {
	s := &StaticResponse{StatusCode: 200}
	t, ok := v.table("a table")
	if !ok {
		return s
	}
	if code, ok := t.get("status_code"); ok {
		// Statuses below 200 are interim: no client would see the answer end.
		if n, ok := code.integer(200); ok && n > 999 {
			code.fail(fmt.Sprintf("is %d, but must be at most 999", n), "")
		} else if ok {
			s.StatusCode = int(n)
		}
	}
	s.Headers = t.strings("headers")
	for name, content := range s.Headers {
		at := t.within("headers").within(name)
		if !isToken(name) {
			at.failKey("is not a valid header name", "")
		}
		if !isFieldValue(content) {
			at.fail("is not a valid header value", "header values hold no control characters")
		}
	}
	s.Body = t.text("body")
	t.done(map[string]string{"status": `it is written status_code`})
	return s
}

// isToken reports whether s can be the name of a header field (RFC 9110,
// section Tokens).
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0) {
			return false
		}
	}
	return s != ""
}

// isFieldValue reports whether s can be the value of a header field (RFC 9110,
// section Field Values).
func isFieldValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
