package httptrigger

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/minispin/minispin/trigger/http/spinheader"
)

// at is a site whose application answers with its name and the path within the
// application, as far as its one route says.
func at(t *testing.T, name, base string, hosts ...string) Site {
	t.Helper()
	h, err := NewHandler(App{Name: name, Base: base, Routes: []Route{exec("/...", func(w http.ResponseWriter, r *Request) error {
		_, err := io.WriteString(w, name+" "+r.Match.PathInfo())
		return err
	})}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return Site{Hosts: hosts, Base: base, Handler: h}
}

func TestSites(t *testing.T) {
	s, err := NewSites([]Site{
		at(t, "a", "", "a.example", "www.a.example"),
		at(t, "b", "", "B.example."),
		at(t, "shop", "/shop"),
		at(t, "eu", "/shop/eu"),
		at(t, "blog", "/blog", "c.example"),
		at(t, "six", "", "[::1]"),
	})
	if err != nil {
		t.Fatal(err)
	}
	const noHost = "No application is served for the host"
	const noPath = "No application is served at this path.\n"
	for _, c := range []struct {
		host, path string
		status     int
		want       string
	}{
		{"a.example", "/x", 200, "a /x"},
		{"a.example:3000", "/x", 200, "a /x"},
		{"A.EXAMPLE", "/", 200, "a /"},
		{"a.example.", "/", 200, "a /"},
		{"a.example.:80", "/", 200, "a /"},
		{"www.a.example", "/", 200, "a /"},
		{"b.example", "/", 200, "b /"},
		{"[::1]", "/", 200, "six /"},
		{"[::1]:3000", "/", 200, "six /"},
		{"xa.example", "/x", 404, noPath},
		{"b.a.example", "/x", 404, noPath},

		// By path: whole segments, as they were sent, the longest first.
		{"x.example", "/shop", 200, "shop "},
		{"x.example", "/shop/", 200, "shop /"},
		{"x.example", "/shop/cart?x=/shop/eu", 200, "shop /cart"},
		{"x.example", "//shop/cart", 200, "shop /cart"},
		{"x.example", "/shop//cart", 200, "shop /cart"},
		{"x.example", "/shop/eu", 200, "eu "},
		{"x.example", "/shop/eu/cart/", 200, "eu /cart/"},
		{"x.example", "/shop/europe", 200, "shop /europe"},
		{"x.example", "/shopping", 404, noPath},
		{"x.example", "/sho", 404, noPath},
		{"x.example", "/Shop", 404, noPath},
		{"x.example", "/%73hop", 404, noPath},
		{"x.example", "/shop%2fcart", 404, noPath},
		{"x.example", "/shop/../blog", 200, "shop /../blog"},
		{"x.example", "/../shop", 404, noPath},
		{"x.example", "/shop;v=1/x", 404, noPath},
		{"x.example", "/shop/eu;v=1/x", 200, "shop /eu;v=1/x"},
		{"x.example", "/", 404, noPath},
		{"x.example", "*", 404, noPath},

		// A host's own applications come before those of any host.
		{"a.example", "/shop/cart", 200, "a /shop/cart"},
		{"c.example", "/blog/1", 200, "blog /1"},
		{"c.example", "/shop/1", 200, "shop /1"},
		{"c.example", "/x", 404, noPath},
		{"x.example", "/blog/1", 404, noPath},

		// The host's own answers, of the process and of the applications.
		{"x.example", "/.well-known/spin/health", 200, "OK"},
		{"", "/.well-known/spin/health", 200, "OK"},
		{"x.example", "/.well-known/spin/info", 404, noPath},
		{"a.example", "/.well-known/spin/info", 200, `{
  "name": "a"
}`},
		{"x.example", "/shop/.well-known/spin/info", 200, `{
  "name": "shop"
}`},

		// No host, and none that could be.
		{"", "/shop/cart", 400, ""},
		{"", "/", 400, ""},
		{"x y", "/", 400, ""},
		{"cart.spin.internal", "/", 400, ""},
		{"cart.spin.internal", "/shop", 400, ""},
	} {
		r := &http.Request{Method: "GET", RequestURI: c.path, Host: c.host, Header: http.Header{}, Body: http.NoBody, ProtoMajor: 1, ProtoMinor: 1}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r.WithContext(t.Context()))
		if w.Code != c.status || w.Body.String() != c.want {
			t.Errorf("host %q, path %s: %d %q, want %d %q", c.host, c.path, w.Code, w.Body, c.status, c.want)
		}
	}

	// With no application for any host, the host is at fault.
	s, err = NewSites([]Site{at(t, "a", "", "a.example")})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest("GET", "http://other.example:80/x", nil))
	if w.Code != 404 || w.Body.String() != noHost+" \"other.example\".\n" || w.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("an unknown host: %d %q %v", w.Code, w.Body, w.Header())
	}
}

func TestSitesErrors(t *testing.T) {
	for _, c := range []struct {
		sites []Site
		want  string
	}{
		{[]Site{{}, {}}, "two applications are at any host/"},
		{[]Site{{Base: "/a"}, {Base: "/a"}}, "two applications are at any host/a"},
		{[]Site{{Hosts: []string{"a.example"}}, {Hosts: []string{"b.example", "A.example."}}}, "two applications are at a.example/"},
		{[]Site{{Hosts: []string{"a.example", "a.example"}}}, "two applications are at a.example/"},
		{[]Site{{Hosts: []string{"a.example:80"}}}, "ports do not belong to it"},
		{[]Site{{Hosts: []string{"*.example"}}}, "there are no wildcards"},
		{[]Site{{Hosts: []string{""}}}, `"" is no host name`},
		{[]Site{{Hosts: []string{"a/b"}}}, "no host name"},
		{[]Site{{Hosts: []string{"a.spin.internal"}}}, "no host name"},
		{[]Site{{Base: "a"}}, "does not begin with a slash"},
		{[]Site{{Base: "/"}}, "no path of an application"},
		{[]Site{{Base: "/a/"}}, "no path of an application"},
		{[]Site{{Base: "/a//b"}}, "no path of an application"},
		{[]Site{{Base: "/a/../b"}}, "no path of an application"},
		{[]Site{{Base: "/a?b"}}, "no path of an application"},
		{[]Site{{Base: "/a/..."}}, ""},
		{[]Site{{Base: "/:a"}}, "no path of an application"},
		{[]Site{{Base: "/a/*"}}, "no path of an application"},
		{[]Site{{Base: "/.well-known/spin"}}, "is the host's"},
		{[]Site{{Base: "/.well-known"}}, ""},
		{[]Site{{}, {Base: "/a"}, {Hosts: []string{"a.example"}}, {Hosts: []string{"a.example"}, Base: "/a"}}, ""},
	} {
		_, err := NewSites(c.sites)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want %q", c.sites, err, c.want)
		}
	}
}

// TestBase looks at what guests see of a request to an application that is not at
// the root.
func TestBase(t *testing.T) {
	forEachMode(t, func(t *testing.T, mode string) {
		var got *Request
		h, err := NewHandler(App{Name: "app", Base: "/shop", Routes: []Route{
			exec("/items/:id/...", func(w http.ResponseWriter, r *Request) error {
				got = r
				return nil
			}),
			{ID: "root", Pattern: "/", Static: &StaticResponse{Body: "root"}},
		}}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		s, err := NewSites([]Site{{Base: "/shop", Handler: h}})
		if err != nil {
			t.Fatal(err)
		}
		site := newServedSite(t, mode, s, ServerOptions{})
		if resp, _ := site.get(t, "GET", "/shop/items/7/x?y=z"); resp.StatusCode != 200 {
			t.Fatalf("status %d", resp.StatusCode)
		}
		fields := spinheader.Append(nil, got.Origin(), &got.Match)
		want := []spinheader.Field{
			{Name: "spin-path-info", Value: "/x"},
			{Name: "spin-full-url", Value: site.base + "/shop/items/7/x?y=z"},
			{Name: "spin-matched-route", Value: "/shop/items/:id/..."},
			{Name: "spin-base-path", Value: "/shop"},
			{Name: "spin-raw-component-route", Value: "/items/:id/..."},
			{Name: "spin-component-route", Value: "/items/:id"},
			{Name: "spin-client-addr", Value: got.Origin().ClientAddr},
			{Name: "spin-path-match-id", Value: "7"},
		}
		if d := cmp.Diff(want, fields); d != "" {
			t.Errorf("fields (-want +got):\n%s", d)
		}
		if got.PathWithQuery != "/shop/items/7/x?y=z" || got.Path != "/shop/items/7/x" {
			t.Errorf("path %s, with query %s", got.Path, got.PathWithQuery)
		}
		if resp, body := site.get(t, "GET", "/shop"); resp.StatusCode != 200 || body != "root" {
			t.Errorf("the root: %d %q", resp.StatusCode, body)
		}
		if resp, body := site.get(t, "GET", "/items/7"); resp.StatusCode != 404 || body != "No application is served at this path.\n" {
			t.Errorf("beside it: %d %q", resp.StatusCode, body)
		}
		// The handler by itself keeps to its base, too.
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/items/7", nil))
		if w.Code != 404 {
			t.Errorf("beside it, without sites: %d", w.Code)
		}
	})
}

// TestServeSelf sees that components need not know where their application is.
func TestServeSelf(t *testing.T) {
	var got *Request
	for _, base := range []string{"", "/shop"} {
		h, err := NewHandler(App{Base: base, Routes: []Route{exec("/items/...", func(w http.ResponseWriter, r *Request) error {
			got = r
			return nil
		})}}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		h.ServeSelf(w, httptest.NewRequest("GET", "/items/7?x", nil))
		if w.Code != 200 || got.Match.PathInfo() != "/7" || got.PathWithQuery != base+"/items/7?x" || got.Origin().Base != base {
			t.Errorf("%q: %d, %+v", base, w.Code, got)
		}
		w = httptest.NewRecorder()
		h.ServeSelf(w, httptest.NewRequest("GET", "/shop/items/7", nil))
		if w.Code != 404 {
			t.Errorf("%q: a path that starts elsewhere: %d", base, w.Code)
		}
	}
}

func TestListings(t *testing.T) {
	route := []ListedRoute{{ID: "c", Path: "/x", Wildcard: true, Description: "Does"}}
	l := Listings{BaseURL: "http://127.0.0.1:3000", Apps: []Listing{
		{App: "a.example", BaseURL: "http://a.example:3000", Routes: route},
		{App: "/shop", BaseURL: "http://127.0.0.1:3000/shop", Routes: route},
	}}
	var plain, terminal, asJSON bytes.Buffer
	for _, err := range []error{l.WritePlain(&plain), l.WriteTerminal(&terminal), l.WriteJSON(&asJSON)} {
		if err != nil {
			t.Error(err)
		}
	}
	golden(t, "apps.txt", plain.Bytes())
	golden(t, "apps.json", asJSON.Bytes())
	if want := strings.Replace(plain.String(), "Serving", boldGreen+"Serving"+plainText, 1); terminal.String() != want {
		t.Errorf("for a terminal: %q", terminal.String())
	}
}

// FuzzSites checks that no path leads to an application that is not at its
// beginning.
func FuzzSites(f *testing.F) {
	h := func(name string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, name) })
	}
	s, err := NewSites([]Site{{Base: "/a", Handler: h("/a")}, {Base: "/a/b", Handler: h("/a/b")}})
	if err != nil {
		f.Fatal(err)
	}
	for _, p := range []string{"/a", "//a/b", "/a/../x", "/b", "a", "*", "http://x/a/b"} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, path string) {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, &http.Request{Method: "GET", RequestURI: path, Host: "x", Header: http.Header{}, URL: nil})
		if base := w.Body.String(); strings.HasPrefix(base, "/") {
			target, err := parseTarget(&http.Request{RequestURI: path})
			if err != nil || !strings.HasPrefix(strings.TrimLeft(target.path, "/")+"/", base[1:]+"/") {
				t.Errorf("%q went to %s", path, base)
			}
		}
	})
}
