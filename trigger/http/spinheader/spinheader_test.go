package spinheader

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/minispin/minispin/trigger/http/route"
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

func TestAppend(t *testing.T) {
	tests := []struct {
		pattern, path string
		origin        Origin
		want          []Field
	}{
		{
			"/base/:path_segment/:path_end/...", "/base/path/end/rest",
			Origin{"http", "example.com", "/base/path/end/rest?key=value", "127.0.0.1:8777", ""},
			[]Field{
				{"spin-path-info", "/rest"},
				{"spin-full-url", "http://example.com/base/path/end/rest?key=value"},
				{"spin-matched-route", "/base/:path_segment/:path_end/..."},
				{"spin-base-path", "/"},
				{"spin-raw-component-route", "/base/:path_segment/:path_end/..."},
				{"spin-component-route", "/base/:path_segment/:path_end"},
				{"spin-client-addr", "127.0.0.1:8777"},
				{"spin-path-match-path-segment", "path"},
				{"spin-path-match-path-end", "end"},
			},
		},
		{
			"/", "/", Origin{"https", "", "/", "[::1]:9", ""},
			[]Field{
				{"spin-path-info", ""},
				{"spin-full-url", "https://localhost/"},
				{"spin-matched-route", ""},
				{"spin-base-path", "/"},
				{"spin-raw-component-route", "/"},
				{"spin-component-route", "/"},
				{"spin-client-addr", "[::1]:9"},
			},
		},
		{
			"foo/:A_b/:x/:x/", "/foo/1/2/3/", Origin{"http", "h:1", "/foo/1/2/3/?", "1.2.3.4:5", ""},
			[]Field{
				{"spin-path-info", ""},
				{"spin-full-url", "http://h:1/foo/1/2/3/?"},
				{"spin-matched-route", "/foo/:A_b/:x/:x"},
				{"spin-base-path", "/"},
				{"spin-raw-component-route", "foo/:A_b/:x/:x/"},
				{"spin-component-route", "foo/:A_b/:x/:x/"},
				{"spin-client-addr", "1.2.3.4:5"},
				{"spin-path-match-a-b", "1"},
				{"spin-path-match-x", "3"},
			},
		},
	}
	for _, c := range tests {
		got := Append(nil, c.origin, match(t, c.pattern, c.path))
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s for %s (-want +got):\n%s", c.pattern, c.path, d)
		}
	}
}

func TestAppendPathInfo(t *testing.T) {
	tests := []struct{ pattern, path, want string }{
		{"/foo", "/foo", ""},
		{"/foo/...", "/foo", ""},
		{"/foo/...", "/foo/", "/"},
		{"/foo/...", "/foo/bar", "/bar"},
		{"/foo/...", "/foo/bar/", "/bar/"},
	}
	for _, c := range tests {
		got := Append(nil, Origin{}, match(t, c.pattern, c.path))
		if got[0] != (Field{PathInfo, c.want}) {
			t.Errorf("%s for %s: %v, want path info %q", c.pattern, c.path, got[0], c.want)
		}
	}
}

func TestClientFields(t *testing.T) {
	h := http.Header{
		"X-Custom":          {"b", "a"},
		"Accept":            {"*/*"},
		"Connection":        {"keep-alive"},
		"Keep-Alive":        {"timeout=5"},
		"Proxy-Connection":  {"x"},
		"Upgrade":           {"h2c"},
		"Http2-Settings":    {"AA"},
		"Transfer-Encoding": {"chunked"},
		"Host":              {"evil.test"},
		"Spin-Full-Url":     {"http://evil.test/"},
		"spin-odd":          {"evil"},
		"SPIN-ODD":          {"evil"},
		"Spinning":          {"ok"},
	}
	wantWASI := []Field{{"accept", "*/*"}, {"spinning", "ok"}, {"x-custom", "b"}, {"x-custom", "a"}}
	if d := cmp.Diff(wantWASI, AppendWASI(nil, h)); d != "" {
		t.Errorf("AppendWASI (-want +got):\n%s", d)
	}
	wantInbound := []Field{
		{"host", "example.com"}, {"accept", "*/*"}, {"http2-settings", "AA"}, {"keep-alive", "timeout=5"},
		{"proxy-connection", "x"}, {"spinning", "ok"}, {"transfer-encoding", "chunked"}, {"upgrade", "h2c"},
		{"x-custom", "b"}, {"x-custom", "a"},
	}
	if d := cmp.Diff(wantInbound, AppendInbound(nil, h, "example.com")); d != "" {
		t.Errorf("AppendInbound (-want +got):\n%s", d)
	}
	for _, host := range []string{"", "b.spin.internal", "b.spin.internal:80"} {
		if got := AppendInbound(nil, h, host); got[0].Name == "host" {
			t.Errorf("host %q is shown as %v", host, got[0])
		}
	}
}

func TestInternalHost(t *testing.T) {
	tests := map[string]bool{
		"test.spin.internal":      true,
		"test.spin.internal:1234": true,
		"TEST.Spin.Internal":      true,
		"test.spin.internal.":     true,
		"spin.internal":           true,
		"notspin.internal":        false,
		"spin.internal.test":      false,
		"test.spin.internal.test": false,
		"example.com":             false,
		"[::1]:3000":              false,
		"":                        false,
	}
	for host, want := range tests {
		if got := InternalHost(host); got != want {
			t.Errorf("InternalHost(%q) = %v, want %v", host, got, want)
		}
	}
}

func TestCommonNamesAreCanonical(t *testing.T) {
	for name := range common {
		if http.CanonicalHeaderKey(name) != name {
			t.Errorf("%q is never found: its canonical form is %q", name, http.CanonicalHeaderKey(name))
		}
	}
}

func BenchmarkRequestFields(b *testing.B) {
	h := http.Header{"Accept": {"*/*"}, "User-Agent": {"bench"}, "Accept-Encoding": {"gzip"}}
	table, err := route.New([]route.Declared{{Route: "/..."}})
	if err != nil {
		b.Fatal(err)
	}
	m, _ := table.Match("/hello")
	o := Origin{"http", "localhost:3000", "/hello", "127.0.0.1:40000", ""}
	dst := make([]Field, 0, 16)
	b.ReportAllocs()
	for b.Loop() {
		dst = Append(AppendWASI(dst[:0], h), o, &m)
	}
}
