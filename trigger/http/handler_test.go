package httptrigger

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/minispin/minispin/trigger/http/spinheader"
)

func ok(w http.ResponseWriter, r *Request) error { return nil }

func TestReservedPaths(t *testing.T) {
	forEachMode(t, func(t *testing.T, mode string) {
		s := newSite(t, mode, Options{}, ServerOptions{}, exec("/...", func(w http.ResponseWriter, r *Request) error {
			_, err := w.Write([]byte("guest"))
			return err
		}))
		tests := []struct {
			path, body, contentType string
			status                  int
		}{
			{"/.well-known/spin/health", "OK", "", 200},
			{"/.well-known/spin/health?x=1", "OK", "", 200},
			{"/.well-known/spin/info", "{\n  \"name\": \"app\",\n  \"version\": \"1.0\"\n}", "application/json", 200},
			{"/.well-known/spin/", "", "", 404},
			{"/.well-known/spin/health/", "", "", 404},
			{"/.well-known/spin/nothing", "", "", 404},
			{"/.well-known/spin", "guest", "", 200},
			{"/.well-known/other", "guest", "", 200},
			{"/.WELL-KNOWN/spin/health", "guest", "", 200},
		}
		for _, c := range tests {
			resp, body := s.get(t, "GET", c.path)
			if resp.StatusCode != c.status || body != c.body || resp.Header.Get("Content-Type") != c.contentType {
				t.Errorf("%s: %d %q %q", c.path, resp.StatusCode, resp.Header.Get("Content-Type"), body)
			}
		}
	})
}

func TestAppInfo(t *testing.T) {
	tests := []struct {
		app  App
		want string
	}{
		{App{Name: "a<b>"}, "{\n  \"name\": \"a<b>\"\n}"},
		{App{Name: "a", ImageDigest: "sha256:00"}, "{\n  \"name\": \"a\",\n  \"oci_image_digest\": \"sha256:00\"\n}"},
	}
	for _, c := range tests {
		if got := string(appInfo(c.app)); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func TestNotFound(t *testing.T) {
	forEachMode(t, func(t *testing.T, mode string) {
		var hints atomic.Int32
		o := Options{OnNotFound: func(path string) {
			if path != "/none" {
				t.Errorf("hint for %s", path)
			}
			hints.Add(1)
		}}
		s := newSite(t, mode, o, ServerOptions{}, exec("/there", ok), Route{ID: "p", Pattern: "/private", Private: true, Executor: ExecutorFunc(ok)})
		for _, path := range []string{"/none", "/none/", "/private", "/", "/there/x"} {
			resp, body := s.get(t, "GET", path)
			delete(resp.Header, "Date")
			if resp.StatusCode != 404 || body != "" {
				t.Errorf("%s: %d %q", path, resp.StatusCode, body)
			}
			if d := cmp.Diff(http.Header{"Content-Length": {"0"}}, resp.Header); d != "" {
				t.Errorf("%s: headers (-want +got):\n%s", path, d)
			}
		}
		if n := hints.Load(); n != 1 {
			t.Errorf("%d hints", n)
		}
	})
}

func TestStaticResponse(t *testing.T) {
	forEachMode(t, func(t *testing.T, mode string) {
		s := newSite(t, mode, Options{}, ServerOptions{},
			Route{ID: "a", Pattern: "/full", Static: &StaticResponse{Status: 418, Header: map[string]string{"x-tea": "pot"}, Body: "<html>short and stout"}},
			Route{ID: "b", Pattern: "/empty/...", Static: &StaticResponse{}},
			Route{ID: "c", Pattern: "/none", Static: &StaticResponse{Status: 204, Body: "dropped"}},
			Route{ID: "d", Pattern: "/moved", Static: &StaticResponse{Status: 301, Header: map[string]string{"Location": "/full", "content-type": "x/y"}}},
		)
		tests := []struct {
			method, path string
			status       int
			header       http.Header
			body         string
		}{
			{"GET", "/full", 418, http.Header{"X-Tea": {"pot"}, "Content-Length": {"21"}}, "<html>short and stout"},
			{"POST", "/full", 418, http.Header{"X-Tea": {"pot"}, "Content-Length": {"21"}}, "<html>short and stout"},
			{"HEAD", "/full", 418, http.Header{"X-Tea": {"pot"}, "Content-Length": {"21"}}, ""},
			{"GET", "/empty/at/all", 200, http.Header{"Content-Length": {"0"}}, ""},
			{"GET", "/none", 204, http.Header{}, ""},
			{"GET", "/moved", 301, http.Header{"Location": {"/full"}, "Content-Type": {"x/y"}, "Content-Length": {"0"}}, ""},
		}
		for _, c := range tests {
			resp, body := s.get(t, c.method, c.path)
			delete(resp.Header, "Date")
			if d := cmp.Diff(c.header, resp.Header); d != "" {
				t.Errorf("%s %s: headers (-want +got):\n%s", c.method, c.path, d)
			}
			if resp.StatusCode != c.status || body != c.body {
				t.Errorf("%s %s: %d %q", c.method, c.path, resp.StatusCode, body)
			}
		}
	})
}

func TestExecutorSeesTheRequest(t *testing.T) {
	forEachMode(t, func(t *testing.T, mode string) {
		var got *Request
		var wasi, inbound []spinheader.Field
		s := newSite(t, mode, Options{}, ServerOptions{}, exec("/u/:user_id/...", func(w http.ResponseWriter, r *Request) error {
			got, wasi, inbound = r, r.WASIFields(nil), r.InboundFields(nil)
			return nil
		}))
		req, err := http.NewRequestWithContext(t.Context(), "GET", s.base+"/u/7/a%2fb//c|d/?q=%20&r", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.URL.Opaque = "//" + s.addr + "/u/7/a%2fb//c|d/?q=%20&r"
		req.URL.RawQuery = ""
		if mode == "h1" {
			req.URL.Opaque = "/u/7/a%2fb//c|d/?q=%20&r"
		} else {
			req.URL.Opaque = ""
			req.URL.Path, req.URL.RawPath, req.URL.RawQuery = "/u/7/a/b//c|d/", "/u/7/a%2fb//c%7Cd/", "q=%20&r"
		}
		req.Host = "Example.com:80"
		req.Header = http.Header{"Spin-Path-Info": {"/evil"}, "Spin-Extra": {"evil"}, "X-B": {"2", "1"}, "User-Agent": {"test"}}
		resp, err := s.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()

		pipe := map[string]string{"h1": "|", "h2c": "%7C"}[mode]
		path := "/u/7/a%2fb//c" + pipe + "d/"
		for name, v := range map[string][2]string{
			"component": {got.Component, "c"},
			"scheme":    {got.Scheme, "http"},
			"authority": {got.Authority, "Example.com:80"},
			"path":      {got.Path, path},
			"query":     {got.Query, "q=%20&r"},
			"target":    {got.PathWithQuery, path + "?q=%20&r"},
		} {
			if v[0] != v[1] {
				t.Errorf("%s is %q, want %q", name, v[0], v[1])
			}
		}
		client := got.Origin().ClientAddr
		if client != got.RemoteAddr || !strings.HasPrefix(client, "127.0.0.1:") {
			t.Errorf("client address %q", client)
		}
		host := []spinheader.Field{
			{Name: "spin-path-info", Value: "/a%2fb//c" + pipe + "d/"},
			{Name: "spin-full-url", Value: "http://Example.com:80" + path + "?q=%20&r"},
			{Name: "spin-matched-route", Value: "/u/:user_id/..."},
			{Name: "spin-base-path", Value: "/"},
			{Name: "spin-raw-component-route", Value: "/u/:user_id/..."},
			{Name: "spin-component-route", Value: "/u/:user_id"},
			{Name: "spin-client-addr", Value: client},
			{Name: "spin-path-match-user-id", Value: "7"},
		}
		sent := []spinheader.Field{
			{Name: "accept-encoding", Value: "gzip"}, {Name: "user-agent", Value: "test"}, {Name: "x-b", Value: "2"}, {Name: "x-b", Value: "1"},
		}[1:]
		if d := cmp.Diff(slices.Concat(sent, host), wasi); d != "" {
			t.Errorf("wasi fields (-want +got):\n%s", d)
		}
		withHost := []spinheader.Field{{Name: "host", Value: "Example.com:80"}}
		if d := cmp.Diff(slices.Concat(withHost, sent, host), inbound); d != "" {
			t.Errorf("inbound fields (-want +got):\n%s", d)
		}
	})
}

func TestRequestIDs(t *testing.T) {
	seen := make(map[string]bool)
	for range 1000 {
		id := nextRequestID().String()
		if seen[id] || !strings.HasPrefix(id, processID+"-") {
			t.Fatalf("id %q", id)
		}
		seen[id] = true
	}
}

func TestNewHandlerErrors(t *testing.T) {
	static := &StaticResponse{}
	tests := []struct {
		route Route
		want  string
	}{
		{Route{ID: "x", Pattern: "/a/*b", Static: static}, "has no name"},
		{Route{ID: "x", Pattern: "/a"}, "neither"},
		{Route{ID: "x", Pattern: "/a", Static: static, Executor: ExecutorFunc(ok)}, "both"},
		{Route{ID: "x", Pattern: "/a", Static: &StaticResponse{Status: 101}}, "101"},
		{Route{ID: "x", Pattern: "/a", Static: &StaticResponse{Status: 1000}}, "1000"},
		{Route{ID: "x", Pattern: "/a", Static: &StaticResponse{Header: map[string]string{"a b": "c"}}}, "no header name"},
		{Route{ID: "x", Pattern: "/a", Static: &StaticResponse{Header: map[string]string{"a": "b\r\nc: d"}}}, "control character"},
	}
	var all []Route
	for _, c := range tests {
		_, err := NewHandler(App{Routes: []Route{c.route}}, Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), `"x"`) {
			t.Errorf("%+v: error %v, want one with %q", c.route, err, c.want)
		}
		all = append(all, c.route)
	}
	_, err := NewHandler(App{Routes: all}, Options{})
	for _, c := range tests {
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("the joined error lacks %q: %v", c.want, err)
		}
	}
}

func TestUnreachableRoutesAreLogged(t *testing.T) {
	core, logs := observer.New(zapcore.ErrorLevel)
	_, err := NewHandler(App{Routes: []Route{
		{ID: "a", Pattern: "/x", Static: &StaticResponse{}},
		{ID: "b", Pattern: "/x", Static: &StaticResponse{}},
		{ID: "c", Pattern: "/x/", Static: &StaticResponse{}},
		{ID: "d", Pattern: "/.well-known/spin/mine", Static: &StaticResponse{}},
	}}, Options{Log: zap.New(core)})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range logs.All() {
		m := l.ContextMap()
		got = append(got, fmt.Sprint(m["component"], " ", m["route"], " ", m["used_component"]))
	}
	if want := []string{"a /x b", "c /x/ b", "d /.well-known/spin/mine <nil>"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestServeComponent(t *testing.T) {
	var fields []spinheader.Field
	h, err := NewHandler(App{Routes: []Route{{ID: "back", Private: true, Executor: ExecutorFunc(func(w http.ResponseWriter, r *Request) error {
		fields = r.WASIFields(nil)
		if r.Authority != "back.spin.internal" || r.Path != "/a//b/" || r.Query != "q" {
			t.Errorf("authority %q, path %q, query %q", r.Authority, r.Path, r.Query)
		}
		w.WriteHeader(201)
		_, err := w.Write([]byte("hello"))
		return err
	})}}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	req := httptest.NewRequestWithContext(t.Context(), "GET", "/a//b/?q", nil)
	req.Host = "back.spin.internal"
	w := httptest.NewRecorder()
	if err := h.ServeComponent(w, req, "back"); err != nil {
		t.Fatal(err)
	}
	if w.Code != 201 || w.Body.String() != "hello" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
	want := []spinheader.Field{
		{Name: "spin-path-info", Value: "/a//b/"},
		{Name: "spin-full-url", Value: "http://localhost/a//b/?q"},
		{Name: "spin-matched-route", Value: "/..."},
		{Name: "spin-base-path", Value: "/"},
		{Name: "spin-raw-component-route", Value: "/..."},
		{Name: "spin-component-route", Value: ""},
		{Name: "spin-client-addr", Value: "0.0.0.0:0"},
	}
	if d := cmp.Diff(want, fields); d != "" {
		t.Errorf("fields (-want +got):\n%s", d)
	}

	w = httptest.NewRecorder()
	if err := h.ServeComponent(w, req, "other"); !errors.Is(err, ErrUnknownComponent) || !strings.Contains(err.Error(), `"other"`) {
		t.Errorf("error %v", err)
	}
}

func BenchmarkHandler(b *testing.B) {
	h, err := NewHandler(App{Routes: []Route{exec("/hello", func(w http.ResponseWriter, r *Request) error {
		w.Header()["Content-Type"] = []string{"text/plain"}
		_, err := w.Write([]byte("hello"))
		return err
	})}}, Options{})
	if err != nil {
		b.Fatal(err)
	}
	req := httptest.NewRequest("GET", "/hello", nil)
	w := &nullWriter{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		clear(w.header)
		h.ServeHTTP(w, req)
	}
}

type nullWriter struct{ header http.Header }

func (w *nullWriter) Header() http.Header         { return w.header }
func (w *nullWriter) Write(p []byte) (int, error) { return len(p), nil }
func (w *nullWriter) WriteHeader(int)             {}
