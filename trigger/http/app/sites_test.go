package app

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/minispin/minispin/instancepool"
	httptrigger "github.com/minispin/minispin/trigger/http"
)

// TestApplicationsSideBySide has two applications on one listener, with components
// of the same names, and sees that what they ask of self and of *.spin.internal
// stays within each.
func TestApplicationsSideBySide(t *testing.T) {
	engines := &instancepool.Engines{CacheDir: cacheDir}
	defer engines.Close()
	var sites []httptrigger.Site
	for _, base := range []string{"/one", "/two"} {
		text := application(t,
			sends("front", "/front/...", "http://self", "http://*.spin.internal"),
			guest{id: "back", source: "rust-wasi-http", route: "/back/...", extra: `environment = { WHO = "` + base + `" }`})
		a, err := Load(t.Context(), parse(t, text), Options{Engines: engines, Base: base})
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		sites = append(sites, httptrigger.Site{Base: base, Handler: a})
	}
	h, err := httptrigger.NewSites(sites)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(h)
	defer s.Close()
	get := func(path, to string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), "GET", s.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("To", to)
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(body)
	}
	defer http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	for _, base := range []string{"/one", "/two"} {
		for _, to := range []string{"/back/env", "http://self.alt/back/env", "http://back.spin.internal/env"} {
			if status, body := get(base+"/front/get", to); status != 200 || !strings.Contains(body, "WHO="+base) {
				t.Errorf("%s asks %s: %d %q", base, to, status, body)
			}
		}
		if _, body := get(base+"/front/get", "/back/headers"); !strings.Contains(body, "spin-base-path: "+base+"\n") || !strings.Contains(body, "spin-matched-route: "+base+"/back/...\n") {
			t.Errorf("%s asks itself for the fields it sees: %q", base, body)
		}
		if status, body := get(base+"/front/get", base+"/back/env"); status != 404 || body != "" {
			t.Errorf("%s asks itself for a path that starts elsewhere: %d %q", base, status, body)
		}
	}
}
