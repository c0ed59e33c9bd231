package httptrigger

import (
	"net/http"
	"net/url"
	"testing"
)

func TestParseTarget(t *testing.T) {
	tests := []struct{ uri, pathWithQuery, path, query string }{
		{"/", "/", "/", ""},
		{"/a%2fb//c;d?x=1?2&%20", "/a%2fb//c;d?x=1?2&%20", "/a%2fb//c;d", "x=1?2&%20"},
		{"/a?", "/a?", "/a", ""},
		{"/a#frag?x", "/a", "/a", ""},
		{"/a?x#frag", "/a?x", "/a", "x"},
		{"//host/a", "//host/a", "//host/a", ""},
		{"/http://host/a", "/http://host/a", "/http://host/a", ""},
		{"*", "*", "*", ""},
		{"http://example.com/a?b", "/a?b", "/a", "b"},
		{"http://example.com", "/", "/", ""},
		{"http://example.com?b=/c", "/?b=/c", "/", "b=/c"},
	}
	for _, c := range tests {
		got, err := parseTarget(&http.Request{RequestURI: c.uri})
		if err != nil || got != (target{c.pathWithQuery, c.path, c.query}) {
			t.Errorf("%s: %+v, %v", c.uri, got, err)
		}
	}
	if _, err := parseTarget(&http.Request{RequestURI: "example.com:443"}); err == nil {
		t.Error("a target without a path is accepted")
	}
	u, err := url.Parse("http://example.com/a%2fb?c")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := parseTarget(&http.Request{URL: u}); err != nil || got.pathWithQuery != "/a%2fb?c" {
		t.Errorf("request without a URI: %+v, %v", got, err)
	}
}

func TestAuthority(t *testing.T) {
	tests := []struct {
		host  string
		field []string // a Host field next to it, as HTTP/2 allows
		ok    bool
	}{
		{"example.com", nil, true},
		{"example.com:80", nil, true},
		{"example.com:", nil, true},
		{"127.0.0.1:3000", nil, true},
		{"[::1]:3000", nil, true},
		{"[::1]", nil, true},
		{"xn--bcher-kva.example", nil, true},
		{"example.com", []string{"EXAMPLE.com"}, true},
		{"", nil, false},
		{":80", nil, false},
		{"user@example.com", nil, false},
		{"example.com/x", nil, false},
		{"example.com?x", nil, false},
		{"exa mple.com", nil, false},
		{"example.com:http", nil, false},
		{"example.com:65536", nil, false},
		{"example.com:80:80", nil, false},
		{"[::1", nil, false},
		{"[]", nil, false},
		{"[::1]80", nil, false},
		{"[example]", nil, false},
		{"bücher.example", nil, false},
		{"back.spin.internal", nil, false},
		{"BACK.spin.internal:80", nil, false},
		{"example.com", []string{"example.org"}, false},
		{"example.com", []string{"example.com", "example.org"}, false},
		{"example.com", []string{"example.com:80"}, false},
	}
	for _, c := range tests {
		r := &http.Request{Host: c.host, Header: http.Header{}}
		if c.field != nil {
			r.Header["Host"] = c.field
		}
		got, err := authority(r)
		if (err == nil) != c.ok || c.ok && got != c.host {
			t.Errorf("%q with fields %q: %q, %v", c.host, c.field, got, err)
		}
	}
}

func TestClientAddr(t *testing.T) {
	tests := map[string]string{
		"127.0.0.1:80":          "127.0.0.1:80",
		"[::1]:80":              "[::1]:80",
		"[::ffff:192.0.2.1]:80": "192.0.2.1:80",
		"[::ffff:0:0":           "[::ffff:0:0",
		"@":                     "0.0.0.0:0",
		"":                      "0.0.0.0:0",
	}
	for in, want := range tests {
		if got := clientAddr(&http.Request{RemoteAddr: in}); got != want {
			t.Errorf("%s becomes %s, want %s", in, got, want)
		}
	}
}
