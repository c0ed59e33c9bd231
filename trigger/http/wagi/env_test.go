package wagi

import (
	"net/http"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/minispin/minispin/trigger/http/route"
	"github.com/minispin/minispin/trigger/http/spinheader"
)

func match(t *testing.T, pattern, path string) *route.Match {
	t.Helper()
	table, err := route.New([]route.Declared{{Route: pattern, Owner: "c"}})
	if err != nil {
		t.Fatal(err)
	}
	m, ok := table.Match(path)
	if !ok {
		t.Fatalf("%s does not match %s", pattern, path)
	}
	return &m
}

func environ(t *testing.T, r Request) map[string]string {
	t.Helper()
	env := make(map[string]string)
	for _, v := range Environ(r) {
		if _, ok := env[v.Name]; ok {
			t.Errorf("%s is set twice", v.Name)
		}
		if !utf8.ValidString(v.Value) {
			t.Errorf("%s is not UTF-8: %q", v.Name, v.Value)
		}
		env[v.Name] = v.Value
	}
	return env
}

func TestEnviron(t *testing.T) {
	got := environ(t, Request{
		Match: match(t, "/cgi/:user_id/...", "/cgi/42/a%20b/c/"),
		Origin: spinheader.Origin{
			Scheme: "http", Host: "example.com:8080",
			PathWithQuery: "/cgi/42/a%20b/c/?x=1&y=2", ClientAddr: "192.0.2.1:4711",
		},
		Method: "POST", Proto: "HTTP/1.1", Query: "x=1&y=2",
		Header: http.Header{
			"Content-Type":  {"text/plain"},
			"Authorization": {"Basic c2VjcmV0"},
			"Connection":    {"close"},
			"Proxy":         {"http://evil.test"},
			"Spin-Path-Info": {
				"/evil"},
			"Accept":   {"a", "b"},
			"Cookie":   {"a=1", "b=2"},
			"X-Under":  {"hyphen"},
			"X_Under":  {"underscore"},
			"X-Latin1": {"caf\xe9"},
		},
		BodyLength: 13, ListenAddr: "127.0.0.1:3000",
	})
	want := map[string]string{
		"AUTH_TYPE":             "",
		"CONTENT_LENGTH":        "13",
		"CONTENT_TYPE":          "text/plain",
		"GATEWAY_INTERFACE":     "CGI/1.1",
		"HTTP_ACCEPT":           "a, b",
		"HTTP_CONTENT_TYPE":     "text/plain",
		"HTTP_COOKIE":           "a=1; b=2",
		"HTTP_HOST":             "example.com:8080",
		"HTTP_X_LATIN1":         "caf\uFFFD",
		"HTTP_X_UNDER":          "hyphen",
		"PATH_INFO":             "/a%20b/c/",
		"PATH_TRANSLATED":       "/a b/c/",
		"QUERY_STRING":          "x=1&y=2",
		"REMOTE_ADDR":           "192.0.2.1",
		"REMOTE_HOST":           "192.0.2.1",
		"REMOTE_USER":           "",
		"REQUEST_METHOD":        "POST",
		"SCRIPT_NAME":           "/cgi/:user_id",
		"SERVER_NAME":           "example.com",
		"SERVER_PORT":           "8080",
		"SERVER_PROTOCOL":       "HTTP/1.1",
		"SERVER_SOFTWARE":       "WAGI/1",
		"X_BASE_PATH":           "/",
		"X_CLIENT_ADDR":         "192.0.2.1:4711",
		"X_COMPONENT_ROUTE":     "/cgi/:user_id",
		"X_FULL_URL":            "http://example.com:8080/cgi/42/a%20b/c/?x=1&y=2",
		"X_MATCHED_ROUTE":       "/cgi/:user_id/...",
		"X_PATH_MATCH_USER_ID":  "42",
		"X_RAW_COMPONENT_ROUTE": "/cgi/:user_id/...",
		"X_RAW_PATH_INFO":       "/a%20b/c/",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestEnvironServer(t *testing.T) {
	tests := []struct{ scheme, host, listen, name, port string }{
		{"http", "example.com", "127.0.0.1:3000", "example.com", "80"},
		{"https", "example.com", "127.0.0.1:3000", "example.com", "443"},
		{"https", "example.com:444", "127.0.0.1:3000", "example.com", "444"},
		{"http", "", "127.0.0.1:3000", "127.0.0.1", "3000"},
		{"https", "", "[::1]:3001", "[::1]", "3001"},
		{"http", "[2001:db8::1]", "127.0.0.1:3000", "[2001:db8::1]", "80"},
		{"http", "[2001:db8::1]:81", "127.0.0.1:3000", "[2001:db8::1]", "81"},
	}
	for _, c := range tests {
		env := environ(t, Request{
			Match:      match(t, "/...", "/"),
			Origin:     spinheader.Origin{Scheme: c.scheme, Host: c.host, ClientAddr: "[::1]:5"},
			ListenAddr: c.listen,
		})
		if env["SERVER_NAME"] != c.name || env["SERVER_PORT"] != c.port || env["REMOTE_ADDR"] != "::1" {
			t.Errorf("%+v: server %s port %s client %s", c, env["SERVER_NAME"], env["SERVER_PORT"], env["REMOTE_ADDR"])
		}
	}
}

func TestDecode(t *testing.T) {
	tests := map[string]string{
		"/a": "/a", "/a%2fb": "/a/b", "/a%2Fb+c": "/a/b+c", "/%": "/%", "/%4": "/%4", "/%zz%41": "/%zzA", "": "",
	}
	for in, want := range tests {
		if got := decode(in); got != want {
			t.Errorf("decode(%q) = %q, want %q", in, got, want)
		}
	}
	env := environ(t, Request{Match: match(t, "/...", "/%ff"), Header: nil})
	if env["PATH_TRANSLATED"] != "/\uFFFD" || env["PATH_INFO"] != "/%ff" {
		t.Errorf("translated %q, path info %q", env["PATH_TRANSLATED"], env["PATH_INFO"])
	}
}

func TestArgs(t *testing.T) {
	tests := []struct {
		template, path, query string
		want                  []string
	}{
		{DefaultArgs, "/a/b", "x=1&y=2", []string{"/a/b", "x=1", "y=2"}},
		{DefaultArgs, "/a", "", []string{"/a", ""}},
		{DefaultArgs, "/a", "one", []string{"/a", "one"}},
		{DefaultArgs, "/a", "&", []string{"/a", "", ""}},
		{"prog  ${ARGS} end", "/a", "x&y", []string{"prog", "", "x", "y", "end"}},
		{"only", "/a", "x", []string{"only"}},
		{"${SCRIPT_NAME}", "/${ARGS}", "x", []string{"/${ARGS}"}},
		{"${OTHER} ${ARGS}", "/a", "${SCRIPT_NAME}", []string{"${OTHER}", "${SCRIPT_NAME}"}},
		{"", "/a", "x", []string{""}},
	}
	for _, c := range tests {
		if got := Args(c.template, c.path, c.query); !slices.Equal(got, c.want) {
			t.Errorf("Args(%q, %q, %q) = %q, want %q", c.template, c.path, c.query, got, c.want)
		}
	}
}
