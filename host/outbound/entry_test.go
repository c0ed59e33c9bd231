package outbound

import (
	"errors"
	"strings"
	"testing"
)

func TestEntriesThatAreRefused(t *testing.T) {
	for text, reason := range map[string]string{
		"":                                   "is no host",
		"*":                                  "is no host",
		":":                                  "is no host",
		"?":                                  "is no host",
		"insecure:allow-all":                 "allowed_http_hosts only",
		"example.com":                        `write for example "https://example.com"`,
		"*://*":                              `write "*://*:*"`,
		"*://example.com":                    "has no port",
		"tcp://10.0.0.1":                     "has no port",
		"{http,https}://a.example":           "an entry for each scheme",
		"ht-tp://a.example":                  "has the scheme",
		"s3://a.example:1":                   "has the scheme",
		"://a.example":                       "has the scheme",
		"http://":                            "has no host",
		"http://:80":                         "has no host",
		"http://{a,b}":                       "list of hosts",
		"http://a.example/path":              "has a path",
		"http://a.example:80/path":           "has a path",
		"http://a.example//":                 "has a path",
		"http://a.example?q":                 "a character",
		"http://user@a.example":              "a character",
		"http://a.*.example":                 "a character",
		"http://**.example":                  "a character",
		"http://*.*":                         "a character",
		"http://a..example":                  "a character",
		"http://bücher.example":              "xn--",
		"http://a.example:":                  "has the port",
		"http://a.example:0":                 "has the port",
		"http://a.example:65536":             "has the port",
		"http://a.example:+1":                "has the port",
		"http://a.example:http":              "has the port",
		"http://a.example:{80,81}":           "list of ports",
		"http://a.example:80..80":            "port range",
		"http://a.example:90..80":            "port range",
		"http://a.example:80..65537":         "port range",
		"http://a.example:80..":              "port range",
		"http://10.0.0.0/33":                 "is no network",
		"http://10.0.0.0/8x":                 "is no network",
		"http://[::1":                        `without "]"`,
		"http://[a.example]":                 "no IPv6",
		"http://[127.0.0.1]":                 "no IPv6",
		"http://[fe80::1%25eth0]":            "no IPv6",
		"http://::1":                         "has no host",
		"http://0177.0.0.1":                  "four decimal numbers",
		"http://2130706433":                  "four decimal numbers",
		"http://0x7f.1":                      "four decimal numbers",
		"http://127.1":                       "four decimal numbers",
		"http://*.10.0.0.1":                  "no subdomains",
		"http://" + strings.Repeat("a", 300): "too long",
	} {
		_, err := ParseEntry(text)
		if e := (*EntryError)(nil); !errors.As(err, &e) || !strings.Contains(err.Error(), reason) {
			t.Errorf("%.60q: %v, want something with %q", text, err, reason)
		}
	}
}

func TestParseHosts(t *testing.T) {
	hosts, err := ParseHosts([]string{"", "http://", "https://", "https://a.example/"})
	if err != nil || len(hosts) != 1 {
		t.Errorf("%v, %v", hosts, err)
	}
	if _, err := ParseHosts([]string{"https://a.example", "nonsense"}); err == nil {
		t.Error("nonsense is accepted")
	}
}

// TestPortsOfComponents: a component is reached under its name whatever the port,
// but nothing else is reached because of that.
func TestPortsOfComponents(t *testing.T) {
	tests := []struct {
		entry, scheme, authority string
		want                     bool
	}{
		{"http://a.spin.internal", "http", "a.spin.internal", true},
		{"http://a.spin.internal", "http", "a.spin.internal:1234", true},
		{"http://a.spin.internal:80", "http", "A.spin.internal:1234", true},
		{"http://a.spin.internal:1..5", "http", "a.spin.internal:1234", true},
		{"http://a.spin.internal", "http", "b.spin.internal:1234", false},
		{"http://a.spin.internal", "https", "a.spin.internal:1234", false},
		{"https://a.spin.internal", "https", "a.spin.internal:1234", true},
		{"*://a.spin.internal:*", "https", "a.spin.internal:1234", true},
		{"http://*.spin.internal", "http", "a.spin.internal:1234", true},
		{"http://*.spin.internal", "http", "spin.internal:1234", false},
		{"http://*.internal", "http", "a.spin.internal:1234", false},
		{"http://*.internal", "http", "a.spin.internal", true},
		{"http://*:80", "http", "a.spin.internal:1234", false},
		{"http://*:*", "http", "a.spin.internal:1234", true},
		{"http://a.spin.internal.example", "http", "a.spin.internal.example:1234", false},
	}
	for _, test := range tests {
		e, err := ParseEntry(test.entry)
		if err != nil {
			t.Fatal(err)
		}
		target, err := ParseTarget(test.scheme, test.authority)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.allows(&target); got != test.want {
			t.Errorf("%s allows %s://%s: %t, want %t", test.entry, test.scheme, test.authority, got, test.want)
		}
	}
	target, _ := ParseTarget("http", "a.spin.internal:1234")
	if got := target.String(); got != "http://a.spin.internal" {
		t.Errorf("the entry to write is %s", got)
	}
}

// FuzzParseEntry looks for entries that panic, and for such as allow another
// destination than the one they spell.
func FuzzParseEntry(f *testing.F) {
	for _, s := range []string{
		"https://example.com", "*://*:*", "http://*.example.com:8000..9000/", "tcp://10.0.0.0/8:*", "http://[::1]:80",
		"http://[fd00::]/8:1", "http://[fd00::/8]", "http://fd00::/8", "http://self", "https://self.alt/", "redis://a_b:1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := ParseEntry(s)
		if err != nil {
			if e := (*EntryError)(nil); !errors.As(err, &e) {
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		scheme, rest, _ := strings.Cut(s, "://")
		if strings.ContainsAny(s, "*/ ") && strings.Count(rest, "/") > 0 || scheme == "*" || e.host.any {
			return
		}
		// Taken for a URL, a plain entry names a destination; that one it allows,
		// and none with another port or a longer name.
		target, err := ParseTarget(scheme, rest)
		if err != nil || target.self || e.host.self {
			return
		}
		if !e.allows(&target) {
			t.Errorf("%q does not allow %v", s, target)
		}
		if _, inside := target.Component(); inside {
			return // where ports do not matter
		}
		other := target
		other.Port++
		if e.allows(&other) {
			t.Errorf("%q allows %v", s, other)
		}
		if longer, err := NewTarget(scheme, "x."+target.Host, target.Port); err == nil && e.allows(&longer) {
			t.Errorf("%q allows %v", s, longer)
		}
	})
}
