package glob

import (
	"strings"
	"testing"
	"time"
)

func TestMatchWhole(t *testing.T) {
	for _, tt := range []struct {
		pattern string
		yes, no string // paths, separated by spaces
	}{
		{"a.txt", "a.txt", "b/a.txt a.txtx a"},
		{"./a//b/../c.txt", "a/c.txt", "a/b/c.txt"},
		{"*", "a a/b a/b/c .hidden", ""},
		{"*.map", "x.map a/b/x.map .map", "x.mapp map"},
		{"assets/*", "assets/a assets/a/b", "assets other/a"},
		{"assets/*.js", "assets/a.js assets/b/c.js", "a.js assets/a.jsx"},
		{"**", "a a/b/c", ""},
		{"**/*", "a a/b/c", ""},
		{"**/x", "x a/x a/b/x", "ax a/xx x/a"},
		{"a/**/b", "a/b a/x/b a/x/y/b", "ab a/xb b"},
		{"a/**", "a/b a/b/c", "b ab"},
		{"a/**/b/**/c", "a/b/c a/1/b/2/3/c", "a/c b/c"},
		{"a?c", "abc a/c aüc", "ac abbc"},
		{"[ab]x", "ax bx", "cx ax/"},
		{"[!ab]x", "cx", "ax bx x"},
		{"[a-cx]", "a b c x", "d - y"},
		{"[]]", "]", "["},
		{"[!]]", "a", "]"},
		{"[a-]", "a -", "b"},
		{"[*][?]", "*?", "ab"},
		{"[^a]", "^ a", "b"},
		{`a\*`, `a\ a\b`, "a* a"},
		{"../a/*", "../a/b", "a/b /a/b"},
		{"a/../../../b", "../../b", "../b b"},
	} {
		p, err := Parse(tt.pattern)
		if err != nil {
			t.Errorf("%q: %v", tt.pattern, err)
			continue
		}
		for _, name := range strings.Fields(tt.yes) {
			if !p.Match(name) {
				t.Errorf("%q does not match %q", tt.pattern, name)
			}
		}
		for _, name := range strings.Fields(tt.no) {
			if p.Match(name) {
				t.Errorf("%q matches %q", tt.pattern, name)
			}
		}
	}
}

func TestElements(t *testing.T) {
	p, err := Parse("./a/**/[x]*/*.tar.gz")
	if err != nil {
		t.Fatal(err)
	}
	elems := p.Elements()
	if len(elems) != 4 || !elems[1].Recursive() {
		t.Fatalf("got %v", elems)
	}
	if name, ok := elems[0].Literal(); name != "a" || !ok {
		t.Errorf("the first element is %q, %v", name, ok)
	}
	for name, want := range map[string]bool{"x.tar.gz": true, ".tar.gz": true, "x.gz": false} {
		if got := elems[3].Match(name); got != want {
			t.Errorf("match %q: %v", name, got)
		}
	}
}

func TestLiteral(t *testing.T) {
	for pattern, want := range map[string]string{
		"a/./b": "a/b", "[[]id].html": "[id].html", "": "", "a/..": "",
		"a*": "-", "a/?": "-", "**": "-", "[ab]": "-", "[!a]": "-",
	} {
		p, err := Parse(pattern)
		if err != nil {
			t.Errorf("%q: %v", pattern, err)
			continue
		}
		if got, ok := p.Literal(); ok != (want != "-") || ok && got != want {
			t.Errorf("%q: %q, %v", pattern, got, ok)
		}
	}
}

func TestMatchAllBelow(t *testing.T) {
	for _, tt := range []struct {
		pattern, dir string
		want         bool
	}{
		{"node_modules/**/*", "node_modules", true},
		{"node_modules/**", "node_modules", true},
		{"node_modules/*", "node_modules", true},
		{"**/node_modules/**/*", "a/node_modules", true},
		{"private", "private", true},
		{"private/", "private", true},
		{"*", "x", true},
		{"**/*", "x", true},
		{"a*", "assets", true},
		{"**/a*", "b/assets", true},
		{"a*b", "assets", false},
		{"*.d", "conf.d", false}, // the files in it are none
		{"conf/*.txt", "conf", false},
		{"private", "public", false},
		{"node_modules/**/*", "a/node_modules", false},
	} {
		p, err := Parse(tt.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.MatchAllBelow(tt.dir); got != tt.want {
			t.Errorf("%q below %q: %v", tt.pattern, tt.dir, got)
		}
		if tt.want && !Has(tt.pattern) {
			continue // a directory by its name is more than the pattern itself matches
		}
		if tt.want != p.Match(tt.dir+"/some/file") {
			t.Errorf("%q does not agree with what is below %q", tt.pattern, tt.dir)
		}
	}
}

func TestOutside(t *testing.T) {
	for pattern, want := range map[string]bool{"../a": true, "a/../..": true, "a/../b": false, "..a": false, "": false} {
		p, err := Parse(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if p.Outside() != want {
			t.Errorf("%q: %v", pattern, p.Outside())
		}
	}
}

func TestErrors(t *testing.T) {
	for pattern, want := range map[string]string{
		"a[":         "without its ]",
		"[]":         "without its ]",
		"[!]":        "without its ]",
		"x/[ab/c]":   "without its ]",
		"a**":        `** within "a**"`,
		"**.js":      `** within "**.js"`,
		"***":        `** within "***"`,
		"*/../b":     `goes up from "*"`,
		"a\x00b":     "zero byte",
		"a/**/../*b": `goes up from "**"`,
	} {
		if _, err := Parse(pattern); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", pattern, err, want)
		}
	}
}

// A pattern with many stars does not take exponentially long.
func TestTime(t *testing.T) {
	p, err := Parse(strings.Repeat("*a", 200) + "b")
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if p.Match(strings.Repeat("a", 4000)) {
		t.Error("it matches")
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("a/**/[!b-d]*?", "a/x/y")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		p, err := Parse(pattern)
		if err != nil {
			return
		}
		p.Match(name)
		if lit, ok := p.Literal(); ok && lit != "" && !p.Match(lit) {
			t.Errorf("%q does not match itself, %q", pattern, lit)
		}
	})
}
