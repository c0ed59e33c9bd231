package binary

import (
	"slices"
	"testing"
)

func TestParseName(t *testing.T) {
	tests := []struct {
		name            string
		kind            NameKind
		resource, label string
		forms           []Form
	}{
		{name: "a", kind: NameLabel, label: "a"},
		{name: "get-JSON-v2", kind: NameLabel, label: "get-JSON-v2"},
		{name: "a-1", kind: NameLabel, label: "a-1", forms: []Form{FormDigitWord}},
		{name: "[constructor]input-stream", kind: NameConstructor, resource: "input-stream", label: "input-stream"},
		{name: "[method]input-stream.read", kind: NameMethod, resource: "input-stream", label: "read"},
		{name: "[static]fields.from-list", kind: NameStatic, resource: "fields", label: "from-list"},
		{name: "[method]a.b-2c", kind: NameMethod, resource: "a", label: "b-2c", forms: []Form{FormDigitWord}},
		{name: "wasi:http/types@0.2.3", kind: NameInterface, label: "types"},
		{name: "wasi:http/types@0.2.0-rc-2023-10-18", kind: NameInterface, label: "types"},
		{name: "a:b/c", kind: NameInterface, label: "c"},
		{name: "a:b/C-d@0.0.0-abcd.1.2+efg.4.ee.5", kind: NameInterface, label: "C-d"},
		{name: "ns-1-a:b-1-c/D-2", kind: NameInterface, label: "D-2", forms: []Form{FormDigitWord}},
		{name: "a:b/c@0.2", kind: NameInterface, label: "c", forms: []Form{FormCanonVersion}},
		{name: "a:b/c@3", kind: NameInterface, label: "c", forms: []Form{FormCanonVersion}},
		{name: "url=<https://example.com/x>", kind: NameURL},
		{name: "url=<https://example.com/x>,integrity=<sha256-aa>", kind: NameURL},
		{name: "unlocked-dep=<a:b@{>=1.0.0}>", kind: NameUnlockedDep},
		{name: "locked-dep=<a:b@1.0.0>,integrity=<sha256-aa>", kind: NameLockedDep},
		{name: "integrity=<sha256-aa>", kind: NameHash},
	}
	for _, tt := range tests {
		n, forms, err := parseName(tt.name)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if n.Name != tt.name || n.Kind != tt.kind || n.Resource() != tt.resource || n.Label() != tt.label {
			t.Errorf("%s: kind %d, resource %q, label %q; want %d, %q, %q", tt.name, n.Kind, n.Resource(), n.Label(), tt.kind, tt.resource, tt.label)
		}
		if !slices.Equal(forms, tt.forms) {
			t.Errorf("%s: forms %q, want %q", tt.name, forms, tt.forms)
		}
	}
}

func TestParseNameRefuses(t *testing.T) {
	for _, name := range []string{
		"", "1", "1-a", "a-", "a--b", "-a", "aBc", "a_b", "a b", "ä", "a.b",
		"[method]a", "[method]a.", "[method].b", "[method]a.b.c", "[constructor]", "[constructor]a.b", "[getter]a.b", "[static]A.bC",
		":", "a:", "a:b", ":/", "a:/", "a:b/", ":b/c", "A:b/c", "a:B/c", "a:b/cD", "1:b/c", "a:1/b", "a:b:c/d", "a:b/c/d",
		"a:b/c@", "a:b/c@.", "a:b/c@1.", "a:b/c@a.2", "a:b/c@1.2", "a:b/c@01.2.3", "a:b/c@1.2.3.4", "a:b/c@1.2.3-", "a:b/c@1.2.3+",
		"a:b/c@1.2.3-01", "a:b/c@1.2.3-a..b", "a:b/c@0", "a:b/c@0.0", "a:b/c@0.2-rc", "a:b/c@1.2.3@4",
		"url=<>", "url=<x", "integrity=<a>b", "unlocked-dep=",
	} {
		if n, err := ParseName(name); err == nil {
			t.Errorf("%q accepted as kind %d", name, n.Kind)
		}
	}
}

func TestIsKebab(t *testing.T) {
	for s, want := range map[string]bool{"a": true, "a-B2-3c": true, "": false, "a-": false, "aB": false, "2a": false, "a b": false} {
		if got := IsKebab(s); got != want {
			t.Errorf("IsKebab(%q) = %t", s, got)
		}
	}
}

func TestParseInterfaceName(t *testing.T) {
	const name = "fermyon:spin/key-value@2.0.0-rc.1+build"
	got, err := ParseInterfaceName(name)
	want := InterfaceName{"fermyon", "spin", "key-value", "2.0.0-rc.1+build"}
	if err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	if got.String() != name {
		t.Errorf("put together: %s, want %s", got, name)
	}
	if _, ok := (ExternName{Name: "a", Kind: NameLabel}).Interface(); ok {
		t.Error("a label has the parts of an interface name")
	}
}

func TestSameTrack(t *testing.T) {
	tests := []struct {
		imported, host string
		want           bool
	}{
		{"wasi:io/streams@0.2.0", "wasi:io/streams@0.2.6", true},
		{"wasi:io/streams@0.2.12", "wasi:io/streams@0.2.6", true},
		{"wasi:io/streams@0.2", "wasi:io/streams@0.2.6", true},
		{"wasi:io/streams@0.2.0", "wasi:io/streams@0.3.0", false},
		{"wasi:io/streams@0.2.0", "wasi:io/error@0.2.0", false},
		{"a:b/c@1.2.3", "a:b/c@1.9.0", true},
		{"a:b/c@1.2.3", "a:b/c@2.0.0", false},
		{"a:b/c@1.2.3+x", "a:b/c@1.4.0+y", true},
		{"a:b/c@0.0.1", "a:b/c@0.0.2", false},
		{"a:b/c@0.0.1", "a:b/c@0.0.1", true},
		{"a:b/c@0.2.0-rc-2023-10-18", "a:b/c@0.2.0", false},
		{"a:b/c@0.2.0-rc-2023-10-18", "a:b/c@0.2.0-rc-2023-10-18", true},
		{"a:b/c@0.2.0-rc-2023-10-18", "a:b/c@0.2.0-rc-2023-11-10", false},
		{"a:b/c@1.0.0-rc", "a:b/c@1.0.0", false},
		{"a:b/c", "a:b/c", true},
		{"a:b/c", "a:b/c@1.0.0", false},
		{"log", "log", true},
		{"log", "exit", false},
	}
	for _, tt := range tests {
		if got := SameTrack(tt.imported, tt.host); got != tt.want {
			t.Errorf("SameTrack(%q, %q) = %t", tt.imported, tt.host, got)
		}
		if got := SameTrack(tt.host, tt.imported); got != tt.want {
			t.Errorf("SameTrack(%q, %q) = %t", tt.host, tt.imported, got)
		}
	}
}

func TestUniqueNames(t *testing.T) {
	have := []string{"foo", "foo-bar", "[constructor]foo", "[method]foo.bar", "[static]foo.baz", "foo:bar/baz"}
	var set nameSet
	for _, n := range have {
		if earlier, conflict := set.add(n); conflict {
			t.Errorf("%q conflicts with %q", n, earlier)
		}
	}
	for _, n := range []string{
		"foo", "FOO", "foo-BAR", "[constructor]FOO", "[method]foo.BAR", "[static]foo.bar",
		"[method]foo.baz", "[method]foo.foo", "[static]foo-BAR.FOO-bar", "foo:bar/BAZ",
	} {
		if _, conflict := set.add(n); !conflict {
			t.Errorf("%q does not conflict with any of %q", n, have)
		}
	}
}

func TestValidSuffix(t *testing.T) {
	tests := []struct {
		name, suffix string
		want         bool
	}{
		{"a:b/c@1", ".2.3", true},
		{"a:b/c@0.2", ".6-rc.1", true},
		{"a:b/c@0.0.1", "-alpha", true},
		{"a:b/c@0.0.1", "", true},
		{"a:b/c@1", "5.2.3", false},
		{"a:b/c@1", ".2", false},
		{"a:b/c@1.2.3", "-rc", false},
		{"a:b/c", ".2.3", false},
	}
	for _, tt := range tests {
		if got := validSuffix(tt.name, tt.suffix); got != tt.want {
			t.Errorf("validSuffix(%q, %q) = %t", tt.name, tt.suffix, got)
		}
	}
}
