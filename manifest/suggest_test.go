package manifest

import "testing"

func TestNearest(t *testing.T) {
	known := []string{"source", "description", "environment", "files", "build", "tool"}
	tests := []struct{ word, want string }{
		{"sorce", "source"},
		{"Source", "source"},
		{"SOURCE", "source"},
		{"osurce", "source"}, // a swap counts once
		{"discripton", "description"},
		{"file", "files"},
		{"fils", "files"},
		{"bild", "build"},
		{"xyz", ""},
		{"", ""},
		{"q", ""},
		{"files", ""}, // itself is no suggestion
	}
	for _, test := range tests {
		if got := nearest(test.word, known); got != test.want {
			t.Errorf("nearest(%q) = %q, want %q", test.word, got, test.want)
		}
	}
	if got := nearest("bat", []string{"cat", "bad", "bar"}); got != "bad" {
		t.Errorf("among equals %q was chosen, want the first in the alphabet", got)
	}
}

func TestEditDistance(t *testing.T) {
	tests := []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"a", "", 1},
		{"", "abc", 3},
		{"kitten", "sitting", 3},
		{"ab", "ba", 1},
		{"ca", "abc", 3}, // not 2: no edits within a swap
		{"grün", "grun", 1},
	}
	for _, test := range tests {
		if got := editDistance(test.a, test.b, 10); got != test.want {
			t.Errorf("%q to %q: %d, want %d", test.a, test.b, got, test.want)
		}
		if got := editDistance(test.b, test.a, 10); got != test.want {
			t.Errorf("%q to %q: %d, want %d", test.b, test.a, got, test.want)
		}
	}
	if got := editDistance("a", "abcdef", 3); got <= 3 {
		t.Errorf("distance beyond the limit of 3 is given as %d", got)
	}
}

func TestCanonicalRoute(t *testing.T) {
	tests := []struct {
		a, b string
		same bool
	}{
		{"/", "", true},
		{"/a", "a/", true},
		{"/a/...", "/a/*", true},
		{"/...", "*", true},
		{"/:x/b", "/:y/b", true},
		{"/:x.:y", "/:a.:b", true},
		{"/a", "/A", false},
		{"/a", "/a/...", false},
		{"/a", "/:a", false},
		{"/a.b", "/a/b", false},
		{"/a//b", "/a/b", false},
	}
	for _, test := range tests {
		a, b := Route{Path: test.a}.canonical(), Route{Path: test.b}.canonical()
		if (a == b) != test.same {
			t.Errorf("%q is %q and %q is %q; equal is to be %t", test.a, a, test.b, b, test.same)
		}
	}
}
