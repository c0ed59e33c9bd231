package route

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// matchCases are written as: routes, path, and the answer as the number of the
// route, its captures and, after a bar, the path info. An answer of "-" is no
// match.
var matchCases = []struct {
	routes string // separated by blanks
	path   string
	want   string
}{
	// Exact routes.
	{"/foo", "/foo", "0 |"},
	{"/foo", "/foo/", "0 |"},
	{"/foo", "//foo", "0 |"},
	{"/foo", "/foo//", "0 |"},
	{"/foo", "///foo///", "0 |"},
	{"/foo", "foo", "0 |"},
	{"/foo", "/Foo", "-"},
	{"/foo", "/foobar", "-"},
	{"/foo", "/fo", "-"},
	{"/foo", "/foo/bar", "-"},
	{"/foo", "/", "-"},
	{"/foo", "", "-"},
	{"/foo/", "/foo", "0 |"},
	{"/foo/", "/foo/", "0 |"},
	{"foo", "/foo", "0 |"},
	{"foo/bar/", "/foo/bar", "0 |"},
	{"/foo/bar", "/foo/bar", "0 |"},
	{"/foo/bar", "/foo//bar", "-"},
	{"/foo//bar", "/foo/bar", "0 |"},
	{"/foo//bar", "/foo//bar", "-"},

	// The root.
	{"/", "/", "0 |"},
	{"/", "", "0 |"},
	{"/", "//", "0 |"},
	{"/", "/x", "-"},
	{"/ /...", "/", "0 |"},
	{"/... /", "/", "1 |"},

	// The path is not decoded, not cleaned and not case-folded.
	{"/a/b", "/a%2fb", "-"},
	{"/a/b", "/a%2Fb", "-"},
	{"/a%2fb", "/a%2fb", "0 |"},
	{"/a%2fb", "/a%2Fb", "-"},
	{"/:x", "/a%2fb", "0 x=a%2fb|"},
	{"/a/b", "/a/../a/b", "-"},
	{"/a/b", "/a/./b", "-"},
	{"/b", "/a/../b", "-"},
	{"/b", "/..//b", "-"},
	{"/...", "/..", "0 |/.."},
	{"/...", "/../etc/passwd", "0 |/../etc/passwd"},
	{"/static/... /admin", "/static/../admin", "0 |/../admin"},
	{"/static/... /admin", "/static/%2e%2e/admin", "0 |/%2e%2e/admin"},
	{"/admin", "/%61dmin", "-"},
	{"/admin", "/admin;jsessionid=1", "-"},
	{"/:x", "/admin;jsessionid=1", "0 x=admin;jsessionid=1|"},
	{"/...", "/a;b/c;d", "0 |/a;b/c;d"},
	{"/admin", "/admin%00", "-"},
	{"/admin", "/admin%20", "-"},
	{"/admin", "/ADMIN", "-"},
	{"/é/:x", "/é/ü", "0 x=ü|"},

	// Trailing wildcards and what they leave as path info.
	{"/...", "/", "0 |/"},
	{"/...", "", "0 |"},
	{"/...", "/a", "0 |/a"},
	{"/...", "/a/b/", "0 |/a/b/"},
	{"/...", "//a", "0 |/a"},
	{"/...", "/a//b", "0 |/a//b"},
	{"/...", "/a//", "0 |/a/"},
	{"/...", "*", "0 |/*"},
	{"/*", "/a", "0 |/a"},
	{"...", "/a", "0 |/a"},
	{"/foo/...", "/foo", "0 |"},
	{"/foo/...", "/foo/", "0 |/"},
	{"/foo/...", "/foo//", "0 |/"},
	{"/foo/...", "/foo/bar", "0 |/bar"},
	{"/foo/...", "/foo/bar/", "0 |/bar/"},
	{"/foo/...", "/foo//bar", "0 |//bar"},
	{"/foo/...", "//foo/bar", "0 |/bar"},
	{"/foo/...", "/foobar", "-"},
	{"/foo/...", "/fo", "-"},
	{"/foo/...", "/", "-"},
	{"/foo/*", "/foo/bar", "0 |/bar"},
	{"/foo/.../", "/foo/bar", "0 |/bar"},
	{"/foo.*", "/foo.tar.gz", "0 |/tar.gz"},
	{"/foo.*", "/foo.a/b", "0 |/a/b"},
	{"/foo...", "/foo/bar", "-"},
	{"/foo...", "/foo...", "0 |"},
	{"/.../foo", "/.../foo", "0 |"},
	{"/.../foo", "/a/foo", "-"},

	// Parameters.
	{"/:a", "/x", "0 a=x|"},
	{"/:a", "/x/", "0 a=x|"},
	{"/:a", "/x/y", "-"},
	{"/:a", "/", "-"},
	{"/:a", "/x.y", "0 a=x.y|"},
	{"/:a/:b", "/x/y", "0 a=x b=y|"},
	{"/:a/:b", "/x", "-"},
	{"/:a/:b", "/x//", "-"},
	{"/:a/:b", "/x//y", "-"},
	{"/:a/:b/c", "/x//c", "0 a=x b=|"},
	{"/:a/:a", "/x/y", "0 a=x a=y|"},
	{"/u/:id/edit", "/u/7/edit", "0 id=7|"},
	{"/u/:id/edit", "/u/7/edit/", "0 id=7|"},
	{"/u/:id/edit", "/u/7", "-"},
	{"/base/:path_segment/:path_end/...", "/base/path/end/rest", "0 path_segment=path path_end=end|/rest"},
	{"/base/:path_segment/:path_end/...", "/base/path/end", "0 path_segment=path path_end=end|"},
	{"/base/:path_segment/:path_end/...", "/base/path", "-"},
	{"/:a/...", "/x", "0 a=x|"},
	{"/:a/...", "/", "-"},
	{"/:a/...", "/x/y/z/", "0 a=x|/y/z/"},

	// Dots end a parameter only where the route has one.
	{"/:name.json", "/x.json", "0 name=x|"},
	{"/:name.json", "/x.y.json", "-"},
	{"/:name.json", "/x/y.json", "-"},
	{"/:name.json", "/x", "-"},
	{"/:name.json", "/.json", "0 name=|"},
	{"/:name.:ext", "/x.tar.gz", "0 name=x ext=tar.gz|"},
	{"/:name.:ext", "/x.", "-"},
	{"/:name..x", "/a..x", "0 name=a|"},
	{"/v1.2/:x", "/v1.2/y", "0 x=y|"},
	{"/v1.2/:x", "/v1x2/y", "-"},
	{"/v1.:minor", "/v1.2.3", "0 minor=2.3|"},
	{"/.hidden", "/.hidden", "0 |"},
	{"/.hidden", "/hidden", "-"},
	{"/a/.hidden", "/a/.hidden", "0 |"},
	{"/a/.hidden", "/a.hidden", "-"},
	{"/:a/.hidden", "/x/.hidden", "0 a=x|"},
	{"/a/./b", "/a/./b", "0 |"},
	{"/a.", "/a.", "0 |"},

	// Precedence: exact before parameter before wildcard, segment by segment.
	{"/... /one", "/one", "1 |"},
	{"/one /...", "/one", "0 |"},
	{"/... /:a", "/one", "1 a=one|"},
	{"/... /:a", "/one/two", "0 |/one/two"},
	{"/:a /one", "/one", "1 |"},
	{"/:a /one", "/two", "0 a=two|"},
	{"/x/... /:a/b", "/x/b", "0 |/b"},
	{"/:a/b /x/...", "/x/b", "1 |/b"},
	{"/:a/b /x/...", "/y/b", "0 a=y|"},
	{"/one/... /one/two/... /one/two/three/...", "/one/two/three/four", "2 |/four"},
	{"/one/two/three/... /one/two/... /one/...", "/one/two/three/four", "0 |/four"},
	{"/one/two/three/... /one/two/... /one/...", "/one/two/4", "1 |/4"},
	{"/foo/... /foo", "/foo", "1 |"},
	{"/foo/... /foo", "/foo/", "1 |"},
	{"/:a/... /:a", "/x", "1 a=x|"},
	{"/:a /:b.json", "/x.json", "1 b=x|"},
	{"/:b.json /:a", "/x.json", "0 b=x|"},
	{"/:a /:b.json", "/x.yaml", "0 a=x.yaml|"},
	{"/:a.:b/:c /:a/y", "/x.b/y", "1 a=x.b|"},
	{"/:a/... /:a.:b", "/x.y", "1 a=x b=y|"},
	{"/... /.well-known/x", "/.well-known/x", "1 |"},
	{"/.well-known/x /...", "/.well-known/x", "0 |"},
	{"/users/me /users/:id /users/...", "/users/me", "0 |"},
	{"/users/... /users/:id /users/me", "/users/me", "2 |"},
	{"/users/... /users/:id /users/me", "/users/you", "1 id=you|"},
	{"/users/... /users/:id /users/me", "/users/you/posts", "0 |/you/posts"},

	// Spelled alike: the later one. Spelled differently: the earlier one.
	{"/foo /foo", "/foo", "1 |"},
	{"/foo /foo/", "/foo", "0 |"},
	{"/foo/ /foo", "/foo", "0 |"},
	{"/foo foo", "/foo", "0 |"},
	{"/:a /:b", "/x", "0 a=x|"},
	{"/:a /:b /:a", "/x", "2 a=x|"},
	{"/x/... /x/*", "/x/y", "0 |/y"},
}

func newTable(t testing.TB, routes ...string) *Table {
	t.Helper()
	var decls []Declared
	for i, r := range routes {
		decls = append(decls, Declared{Route: r, Owner: fmt.Sprint("c", i)})
	}
	table, err := New(decls)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func describe(m Match, ok bool) string {
	if !ok {
		return "-"
	}
	words := []string{fmt.Sprint(m.Target())}
	for i := range m.Len() {
		name, value := m.Param(i)
		words = append(words, name+"="+value)
	}
	if m.Len() == 0 {
		words = append(words, "")
	}
	return strings.Join(words, " ") + "|" + m.PathInfo()
}

func TestMatch(t *testing.T) {
	if len(matchCases) < 80 {
		t.Fatalf("only %d cases", len(matchCases))
	}
	for _, c := range matchCases {
		table := newTable(t, strings.Fields(c.routes)...)
		if got := describe(table.Match(c.path)); got != c.want {
			t.Errorf("routes %s, path %q: got %q, want %q", c.routes, c.path, got, c.want)
		}
	}
}

func TestOrder(t *testing.T) {
	tests := []struct{ declared, want string }{
		{"/ /foo /bar /whee/...", "/ /foo /bar /whee/..."},
		{"/... /:a /one", "/one /:a /..."},
		{"/x/... /:a/b /x/y", "/x/y /x/... /:a/b"},
		{"/:a /:b.json", "/:b.json /:a"},
		{"/b /a /c", "/b /a /c"},
		{"/a/b/c /a /a/b", "/a /a/b /a/b/c"},
		{"/foo /foo /bar", "/foo /bar"},
	}
	for _, c := range tests {
		var got []string
		for _, p := range newTable(t, strings.Fields(c.declared)...).All() {
			got = append(got, p.Written())
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s is ordered as %s, want %s", c.declared, s, c.want)
		}
	}
}

func TestAllStopsWhenTold(t *testing.T) {
	n := 0
	for range newTable(t, "/a", "/b").All() {
		n++
		break
	}
	if n != 1 {
		t.Errorf("yielded %d routes after the loop ended", n)
	}
}

func TestDuplicates(t *testing.T) {
	tests := []struct {
		routes []string
		want   []string
	}{
		{[]string{"/a", "/b", "/a/..."}, nil},
		{[]string{"/a", "/a"}, []string{"c0: /a (duplicate of c1)"}},
		{[]string{"/a", "/a", "/a"}, []string{"c0: /a (duplicate of c1)", "c1: /a (duplicate of c2)"}},
		{[]string{"", ""}, []string{"c0: / (duplicate of c1)"}},
		{[]string{"/a", "/a/"}, []string{"c1: /a/ (matches the same paths as /a of c0)"}},
		{[]string{"/a", "a"}, []string{"c1: a (matches the same paths as /a of c0)"}},
		{[]string{"/:x/y", "/:z/y"}, []string{"c1: /:z/y (matches the same paths as /:x/y of c0)"}},
		{[]string{"/x/...", "/x/*"}, []string{"c1: /x/* (matches the same paths as /x/... of c0)"}},
	}
	for _, c := range tests {
		var got []string
		for _, d := range newTable(t, c.routes...).Duplicates() {
			got = append(got, d.String())
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%q: got %q, want %q", c.routes, got, c.want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct{ route, want string }{
		{"/*rest", "has no name"},
		{"/a/*rest", "has no name"},
		{"/a/:", "needs a name"},
		{"/:.json", "needs a name"},
		{"/*/foo", "end of the route"},
		{"/*.js", "end of the route"},
		{"/a/*/...", "end of the route"},
	}
	for _, c := range tests {
		_, err := Parse(c.route)
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || syntax.Route != c.route || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want a SyntaxError with %q", c.route, err, c.want)
		}
	}

	_, err := New([]Declared{{"/*a", "one"}, {"/ok", "two"}, {"/:", "three"}})
	if err == nil || !strings.Contains(err.Error(), `"one"`) || !strings.Contains(err.Error(), `"three"`) {
		t.Errorf("error %v does not name both owners", err)
	}
}

func TestPatternSpellings(t *testing.T) {
	tests := []struct {
		written, route, prefix, writtenPrefix, listed string
		wildcard, reserved                            bool
	}{
		{"/", "", "", "/", "", false, false},
		{"", "", "", "", "", false, false},
		{"/...", "/...", "", "", "", true, false},
		{"/foo", "/foo", "/foo", "/foo", "/foo", false, false},
		{"/foo/", "/foo", "/foo", "/foo/", "/foo", false, false},
		{"foo", "/foo", "/foo", "foo", "/foo", false, false},
		{"/foo/...", "/foo/...", "/foo", "/foo", "/foo", true, false},
		{"/foo/*", "/foo/*", "/foo/*", "/foo/*", "/foo", true, false},
		{"/:a/...", "/:a/...", "/:a", "/:a", "/:a", true, false},
		{"/.well-known/spin/x", "/.well-known/spin/x", "/.well-known/spin/x", "/.well-known/spin/x", "/.well-known/spin/x", false, true},
		{"/.well-known/spin/...", "/.well-known/spin/...", "/.well-known/spin", "/.well-known/spin", "/.well-known/spin", true, true},
		{"/.well-known/spinner", "/.well-known/spinner", "/.well-known/spinner", "/.well-known/spinner", "/.well-known/spinner", false, false},
	}
	for _, c := range tests {
		p, err := Parse(c.written)
		if err != nil {
			t.Errorf("%s: %v", c.written, err)
			continue
		}
		got := []any{p.Written(), p.Route(), p.Prefix(), p.WrittenPrefix(), p.Listed(), p.Wildcard(), p.Reserved()}
		want := []any{c.written, c.route, c.prefix, c.writtenPrefix, c.listed, c.wildcard, c.reserved}
		if !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", c.written, got, want)
		}
	}
}

func TestSynthetic(t *testing.T) {
	m := Synthetic("/a//b/")
	if m.Target() != -1 || m.PathInfo() != "/a//b/" || m.Pattern().Written() != "/..." || m.Len() != 0 {
		t.Errorf("got %+v", m)
	}
}

func TestMatchAllocatesOnlyCaptures(t *testing.T) {
	table := newTable(t, "/:a/:b/x", "/foo/bar", "/:a.json", "/static/...", "/one/:two/...")
	for path, want := range map[string]float64{
		"/foo/bar": 0, "/static/a/b/": 0, "/no/thing/here": 0, "/one/2/3": 1, "//a/b/x": 1,
	} {
		if got := testing.AllocsPerRun(100, func() { table.Match(path) }); got != want {
			t.Errorf("%s: %v allocations, want %v", path, got, want)
		}
	}
}

// FuzzMatch checks what must hold for every route and path: parsing and matching
// end without a panic, and a route without parameters and wildcards matches the
// path it is written as.
func FuzzMatch(f *testing.F) {
	for _, c := range matchCases {
		f.Add(strings.Fields(c.routes)[0], c.path)
	}
	f.Fuzz(func(t *testing.T, written, path string) {
		p, err := Parse(written)
		if err != nil {
			return
		}
		var m Match
		if p.match(path, trim(path), &m) && !strings.Contains(path, strings.TrimPrefix(m.PathInfo(), "/")) {
			t.Errorf("route %q, path %q: path info %q", written, path, m.PathInfo())
		}
		if !strings.ContainsAny(written, ":*") && !p.Wildcard() && !strings.Contains(strings.Trim(written, "/"), "//") && !p.match(written, trim(written), &m) {
			t.Errorf("route %q does not match itself", written)
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	routes := []string{"/", "/users/:id", "/users/:id/posts/:post", "/static/...", "/api/v1/items", "/..."}
	for i := range 50 {
		routes = append(routes, fmt.Sprintf("/service%d/...", i))
	}
	table := newTable(b, routes...)
	for _, path := range []string{"/", "/api/v1/items", "/users/7/posts/12", "/static/css/site.css", "/service49/x"} {
		b.Run(path, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := table.Match(path); !ok {
					b.Fatal("no match")
				}
			}
		})
	}
}
