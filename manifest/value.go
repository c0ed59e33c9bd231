package manifest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A reader goes through one manifest and collects what there is to say.
type reader struct {
	src         *source
	dir         string
	opts        Options
	errors      []Diagnostic
	warnings    []Diagnostic
	unsupported []finding
}

// finish returns what there is to say: an [*Error] with all that was found wrong, or
// the warnings.
func (r *reader) finish() ([]Diagnostic, error) {
	if len(r.errors) > 0 {
		SortDiagnostics(r.errors)
		return nil, &Error{r.errors}
	}
	SortDiagnostics(r.warnings)
	return r.warnings, nil
}

// A finding is an [Unsupported] whose ids may not be known yet: an inline
// component gets its id only when all triggers have been read.
type finding struct {
	feature   Feature
	component *Component
	trigger   *triggerDraft
	Diagnostic
}

// A value is a decoded TOML value together with its place. Its methods read it
// as a certain type; where it is not of that type they report the fact and
// return false.
type value struct {
	r    *reader
	data any
	at   *node
	path string
}

// fail reports an error about v's value.
func (v value) fail(reason, hint string) {
	v.r.errors = append(v.r.errors, v.r.src.diagnostic(v.at.value, v.path, reason, hint))
}

// failKey reports an error about v's key.
func (v value) failKey(reason, hint string) {
	v.r.errors = append(v.r.errors, v.r.src.diagnostic(v.at.key, v.path, reason, hint))
}

// warn reports something about v's value that stops nothing.
func (v value) warn(reason, hint string) {
	v.r.warnings = append(v.r.warnings, v.r.src.diagnostic(v.at.value, v.path, reason, hint))
}

// within returns the place of key name within v, for reporting on it.
func (v value) within(name string) value {
	return value{r: v.r, at: v.at.kid(name), path: joinKey(v.path, name)}
}

// index returns the place of element i within v, for reporting on it.
func (v value) index(i int) value {
	return value{r: v.r, at: v.at.elem(i), path: v.path + "[" + strconv.Itoa(i) + "]"}
}

// joinKey appends key to a dotted path, quoted if TOML would want it quoted.
func joinKey(path, key string) string {
	bare := key != ""
	for i := range len(key) {
		bare = bare && isBare(key[i])
	}
	if !bare {
		key = strconv.Quote(key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// typeName names the TOML type of data with its article.
func typeName(data any) string {
	switch data.(type) {
	case string:
		return "a string"
	case int64:
		return "an integer"
	case float64:
		return "a float"
	case bool:
		return "a boolean"
	case time.Time:
		return "a date or time"
	case []any:
		return "an array"
	case []map[string]any:
		return "an array of tables"
	case map[string]any:
		return "a table"
	}
	return fmt.Sprintf("a %T", data)
}

// mistyped reports that v is not of the type wanted.
func (v value) mistyped(wanted, hint string) {
	v.fail("wants "+wanted+", found "+typeName(v.data), hint)
}

// text reads a string.
func (v value) text() (string, bool) {
	s, ok := v.data.(string)
	if !ok {
		hint := ""
		switch v.data.(type) {
		case int64, float64, bool:
			hint = fmt.Sprintf("put it in quotes: %q", v.written())
		}
		v.mistyped("a string", hint)
	}
	return s, ok
}

// written returns the text v's value was written as.
func (v value) written() string { return v.r.src.text[v.at.value.start:v.at.value.end] }

// boolean reads true or false.
func (v value) boolean() (bool, bool) {
	b, ok := v.data.(bool)
	if !ok {
		hint := ""
		if s, isText := v.data.(string); isText && (s == "true" || s == "false") {
			hint = "leave the quotes out: " + s
		}
		v.mistyped("a boolean", hint)
	}
	return b, ok
}

// integer reads an integer of at least low.
func (v value) integer(low int64) (int64, bool) {
	n, ok := v.data.(int64)
	if !ok {
		hint := ""
		if s, isText := v.data.(string); isText {
			if _, err := strconv.ParseInt(s, 10, 64); err == nil {
				hint = "leave the quotes out: " + s
			}
		}
		v.mistyped("an integer", hint)
		return 0, false
	}
	if n < low {
		v.fail(fmt.Sprintf("is %d, but must be at least %d", n, low), "")
		return 0, false
	}
	return n, true
}

// elements returns the elements of an array, or of nothing else.
func (v value) elements() ([]value, bool) {
	var out []value
	switch data := v.data.(type) {
	case []any:
		for i, e := range data {
			elem := v.index(i)
			elem.data = e
			out = append(out, elem)
		}
	case []map[string]any:
		for i, e := range data {
			elem := v.index(i)
			elem.data = e
			out = append(out, elem)
		}
	default:
		return nil, false
	}
	return out, true
}

// list reads an array of wanted, which completes the sentence "wants an array
// of …".
func (v value) list(wanted string) []value {
	elems, ok := v.elements()
	if !ok {
		hint := ""
		if s, isText := v.data.(string); isText {
			hint = fmt.Sprintf("put it in brackets: [%q]", s)
		}
		v.mistyped("an array of "+wanted, hint)
	}
	return elems
}

// texts reads an array of strings.
func (v value) texts() []string {
	var out []string
	for _, elem := range v.list("strings") {
		if s, ok := elem.text(); ok {
			out = append(out, s)
		}
	}
	return out
}

// table reads a table.
func (v value) table(wanted string) (*table, bool) {
	m, ok := v.data.(map[string]any)
	if !ok {
		v.mistyped(wanted, "")
		return nil, false
	}
	return &table{value: v, m: m}, true
}

// A table is a value known to be a table. It notes which keys it is asked for:
// those are the keys it may have, and done reports the others.
type table struct {
	value
	m       map[string]any
	asked   []string
	missing []missingKey
}

// A missingKey is a key a table must have and has not.
type missingKey struct{ name, hint string }

// get returns the value of key, if there is one.
func (t *table) get(key string) (value, bool) {
	t.asked = append(t.asked, key)
	data, ok := t.m[key]
	v := t.within(key)
	v.data = data
	return v, ok
}

// need returns the value of key. If there is none, done will report that.
func (t *table) need(key, hint string) (value, bool) {
	v, ok := t.get(key)
	if !ok {
		t.missing = append(t.missing, missingKey{key, hint})
	}
	return v, ok
}

// text returns the string at key; "" if there is none.
func (t *table) text(key string) string {
	if v, ok := t.get(key); ok {
		s, _ := v.text()
		return s
	}
	return ""
}

// boolean returns the boolean at key; false if there is none.
func (t *table) boolean(key string) bool {
	if v, ok := t.get(key); ok {
		b, _ := v.boolean()
		return b
	}
	return false
}

// texts returns the array of strings at key; nil if there is none.
func (t *table) texts(key string) []string {
	if v, ok := t.get(key); ok {
		return v.texts()
	}
	return nil
}

// sub returns the table at key, if there is one.
func (t *table) sub(key string) (*table, bool) {
	v, ok := t.get(key)
	if !ok {
		return nil, false
	}
	return v.table("a table")
}

// strings returns the table of strings at key; nil if there is none.
func (t *table) strings(key string) map[string]string {
	sub, ok := t.sub(key)
	if !ok {
		return nil
	}
	out := map[string]string{}
	for name, v := range sub.entries {
		if s, ok := v.text(); ok {
			out[name] = s
		}
	}
	return out
}

// names returns t's keys in the order of the text.
func (t *table) names() []string {
	out := make([]string, 0, len(t.m))
	for _, name := range t.at.order {
		if _, ok := t.m[name]; ok {
			out = append(out, name)
		}
	}
	if len(out) == len(t.m) {
		return out
	}
	// The index has missed some: better an arbitrary order than a lost key.
	out = out[:0]
	for name := range t.m {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// entries calls yield with each key and value, in the order of the text. It is
// for tables whose keys are the author's.
func (t *table) entries(yield func(string, value) bool) {
	for _, name := range t.names() {
		v := t.within(name)
		v.data = t.m[name]
		if !yield(name, v) {
			return
		}
	}
}

// done reports every key t was not asked for, and every needed one that is not
// there unless it was only misspelt. elsewhere holds directions for keys that
// are often written here by mistake.
func (t *table) done(elsewhere map[string]string) {
	for name, v := range t.entries {
		if slices.Contains(t.asked, name) {
			continue
		}
		hint := elsewhere[name]
		if hint == "" {
			hint = didYouMean(name, t.asked)
			meant := nearest(name, t.asked)
			t.missing = slices.DeleteFunc(t.missing, func(m missingKey) bool { return m.name == meant })
		}
		if hint == "" && len(t.asked) > 0 {
			known := slices.Sorted(slices.Values(t.asked))
			hint = "known here: " + strings.Join(slices.Compact(known), ", ")
		}
		v.failKey("unknown key", hint)
	}
	for _, m := range t.missing {
		v := t.value
		v.path = joinKey(t.path, m.name)
		if t.path == "" {
			v.failFile("is missing", m.hint)
		} else {
			v.failKey("is missing", m.hint)
		}
	}
}
