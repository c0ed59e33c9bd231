package manifest

import (
	"fmt"
	"strings"
	"testing"
)

// sameKeys returns a difference between the keys of the decoded value data and
// those of the index n, or "".
func sameKeys(data any, n *node, path string) string {
	var elems []any
	switch data := data.(type) {
	case map[string]any:
		if len(data) != len(n.kids) || len(n.order) != len(n.kids) {
			return fmt.Sprintf("%s: decoder has %d keys, index %d (%d in order)", path, len(data), len(n.kids), len(n.order))
		}
		for key, v := range data {
			kid := n.kids[key]
			if kid == nil {
				return fmt.Sprintf("%s: key %q is not in the index", path, key)
			}
			if diff := sameKeys(v, kid, joinKey(path, key)); diff != "" {
				return diff
			}
		}
		return ""
	case []map[string]any:
		for _, e := range data {
			elems = append(elems, e)
		}
	case []any:
		elems = data
	}
	if len(elems) != len(n.elems) {
		return fmt.Sprintf("%s: decoder has %d elements, index %d", path, len(elems), len(n.elems))
	}
	for i, e := range elems {
		if diff := sameKeys(e, n.elems[i], fmt.Sprintf("%s[%d]", path, i)); diff != "" {
			return diff
		}
	}
	return ""
}

// indexInputs are texts that use every construct of TOML keys and values lie
// in. All are valid.
var indexInputs = []string{
	"",
	"# only a comment",
	"a = 1",
	"a.b.c = 1\na.b.d = 2\na . e=3",
	"[t]\nx = 1\n[t.u]\ny = 2\n[v.w.x]\nz = 3",
	"[t.u.v]\nx = 1\n[t]\ny = 2",
	"[[a]]\nx = 1\n[[a]]\nx = 2\n[a.b]\ny = 1\n[[a.c]]\nz = 1\n[[a.c]]\n",
	"[ spaced . header ]\nx = 1\n[[ arr . \"ay\" ]]\nx = 1",
	`"quoted key" = 1` + "\n" + `'lit.key' = 2` + "\n" + `a."b.c".d = 3` + "\n" + `"" = 4`,
	`"esc\tape\"\u00e9\U0001F600" = 1`,
	`"\x41\e" = 1`,
	"s = \"a # no comment ] }\" # comment\nt = 'C:\\path'",
	"m = \"\"\"\nline [not.a.header]\nkey = \"not a key\" \\\"\"\" more\"\"\"\nn = 1",
	"m = \"\"\"two quotes: \"\"\"\"\"\nn = 1",
	"m = '''\nraw \\''' \nn = '''it''s'''''\no = 1",
	"a = [1, 2, # comment ]\n 3,\n]\nb = [[1], [], [2, [3]]]",
	"a = [\"x, y\", '''z\n]''', { k = \"}\" }]",
	"i = { a = 1, b.c = 2, d = { e = [ { f = 1 } ] }, }",
	"i = {\n a = 1, # comment\n b = 2\n}",
	"i = {}\nj = []",
	"d = 1979-05-27 07:32:00Z\nt = 07:32:00 # c\nl = [1979-05-27, 1979-05-28 01:02:03]",
	"f = [ 1e5, -inf, nan, +1_000.5 ]\nb = true",
	"a = 1\r\n[t]\r\nb = \"\"\"\r\nx\r\n\"\"\"\r\nc = 2\r\n",
	"\t[t]\n\ta\t=\t1\t\n",
	"1234 = 1\n-_- = 2\n3.14 = 3",
	"[a]\nb.c = 1\n[a.d]\ne = 2\n[[a.f]]\n[a.f.g]\nh = 1",
}

func TestIndexHasTheDecodersKeys(t *testing.T) {
	for _, text := range indexInputs {
		m, err := decode(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if diff := sameKeys(m, buildIndex(text), ""); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}

func TestIndexPlaces(t *testing.T) {
	const text = `top = "x" # c
[component.hello]
source   =   { url = "u", digest = 'd' }
files = [
  "one", { source = "a", destination = "b" },
]
"odd key" = 1979-05-27 07:32:00  # date
[[trigger.http]]
route = """
multi"""
[[trigger.http]]
executor.type = "wagi"
`
	tests := []struct {
		path       []any
		key, value string
	}{
		{[]any{"top"}, `top`, `"x"`},
		{[]any{"component"}, `component`, `component`},
		{[]any{"component", "hello"}, `hello`, `hello`},
		{[]any{"component", "hello", "source"}, `source`, `{ url = "u", digest = 'd' }`},
		{[]any{"component", "hello", "source", "digest"}, `digest`, `'d'`},
		{[]any{"component", "hello", "files", 0}, `"one"`, `"one"`},
		{[]any{"component", "hello", "files", 1, "destination"}, `destination`, `"b"`},
		{[]any{"component", "hello", "odd key"}, `"odd key"`, `1979-05-27 07:32:00`},
		{[]any{"trigger", "http", 0}, `http`, `http`},
		{[]any{"trigger", "http", 0, "route"}, `route`, "\"\"\"\nmulti\"\"\""},
		{[]any{"trigger", "http", 1, "executor"}, `executor`, `executor`},
		{[]any{"trigger", "http", 1, "executor", "type"}, `type`, `"wagi"`},
		{[]any{"trigger", "http", 1, "none"}, `http`, `http`}, // falls back
		{[]any{"trigger", "http", 7}, `http`, `http`},
	}
	root := buildIndex(text)
	for _, test := range tests {
		n := root
		for _, step := range test.path {
			switch step := step.(type) {
			case string:
				n = n.kid(step)
			case int:
				n = n.elem(step)
			}
		}
		if got := text[n.key.start:n.key.end]; got != test.key {
			t.Errorf("%v: key is at %q, want %q", test.path, got, test.key)
		}
		if got := text[n.value.start:n.value.end]; got != test.value {
			t.Errorf("%v: value is at %q, want %q", test.path, got, test.value)
		}
	}
	if got := root.kid("trigger").kid("http").elem(1).key.start; strings.Count(text[:got], "\n") != 10 {
		t.Errorf("second trigger is at offset %d, not on line 11", got)
	}
}

// Invalid text never reaches the index in practice; it must still end in good
// order on it.
func TestIndexOfBrokenText(t *testing.T) {
	for _, text := range []string{
		"[", "[[", "[a", "[[a]", "a", "a=", "a.", "a.=1", "a = \"", "a = \"\"\"", "a = '''", "a = [", "a = [1", "a = [1 2",
		"a = {", "a = {b", "a = {b=1 c", "\"", "\"\\", "\"\\u12", "\"\\uZZZZ\"=1", "\"\\UFFFFFFFF\"=1", "a = [,", "\x00", "a\x00b=1", "]", "}", "=",
		strings.Repeat("[", 10000), "a = " + strings.Repeat("[", 100000), "a = " + strings.Repeat("{a=", 100000),
	} {
		buildIndex(text)
	}
}
