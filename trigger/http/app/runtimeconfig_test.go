package app

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minispin/minispin/instancepool"
	"github.com/minispin/minispin/runtimeconfig"
)

// configured serves an application under a runtime configuration.
func configured(t *testing.T, config, manifestText string) *site {
	t.Helper()
	c, err := runtimeconfig.Parse([]byte(config), "runtime.toml")
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Variables: c.Providers, MemoryLimit: c.MaxInstanceMemory}
	c.Apply(&o.Outgoing)
	return serveApp(t, mode{instancepool.Pooled, "h1"}, parse(t, manifestText), o)
}

// TestRuntimeConfiguration sees what the sections mean to guests.
func TestRuntimeConfiguration(t *testing.T) {
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "here") })
	named := strings.Replace(s.URL, "127.0.0.1", "localhost", 1)

	t.Run("networks", func(t *testing.T) {
		app := application(t, sends("front", "/...", s.URL, named, "http://self"))
		site := configured(t, "[outbound_networking]\nblock_networks = [\"private\"]", app)
		for _, to := range []string{s.URL, named} {
			site.expect(t, "GET", "/get", "", 502, "ErrorCode::DestinationIpProhibited", "to: "+to)
			site.expect(t, "POST", "/pipe", "some", 502, "ErrorCode::DestinationIpProhibited", "to: "+to)
		}
		site.expect(t, "GET", "/get", "", 404, "no such path", "to: /nothing") // the application itself is on no network
		site = configured(t, "[outbound_networking]\nblock_networks = [\"192.0.2.0/24\"]", app)
		site.expect(t, "GET", "/get", "", 200, "here", "to: "+s.URL)
	})
	t.Run("no requests", func(t *testing.T) {
		site := configured(t, "[outbound_http]\nmax_connections = 0", application(t, sends("front", "/...", s.URL, "http://self")))
		site.expect(t, "GET", "/get", "", 502, "ErrorCode::ConnectionLimitReached", "to: "+s.URL)
		site.expect(t, "GET", "/get", "", 404, "no such path", "to: /nothing")
	})
	t.Run("variables", func(t *testing.T) {
		app := application(t, sends("front", "/...", "http://{{ host }}")) + "[variables]\nhost = { required = true }\n"
		site := configured(t, fmt.Sprintf("[[variables_provider]]\ntype = \"static\"\nvalues = { host = %q }", strings.TrimPrefix(s.URL, "http://")), app)
		site.expect(t, "GET", "/get", "", 200, "here", "to: "+s.URL)
		site.expect(t, "GET", "/get", "", 502, "ErrorCode::HttpRequestDenied", "to: "+named)
	})
	t.Run("turns", func(t *testing.T) {
		// No more than three requests are under way, and all others have their turn.
		var busy, most, served atomic.Int64
		slow := upstream(t, func(w http.ResponseWriter, r *http.Request) {
			n := busy.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			time.Sleep(5 * time.Millisecond)
			served.Add(1)
			busy.Add(-1)
		})
		site := configured(t, "[outbound_http]\nmax_connections = 3", application(t,
			sends("front", "/front/...", slow.URL), sends("back", "/back/...", slow.URL)))
		var g sync.WaitGroup
		for i := range 8 {
			g.Go(func() {
				path := []string{"/front", "/back"}[i%2] + "/fan?n=5"
				res, err := site.send(t.Context(), "GET", path, nil, "to: "+slow.URL)
				if err != nil {
					t.Error(err)
					return
				}
				defer res.Body.Close()
				if b, _ := io.ReadAll(res.Body); string(b) != "5 of 5" {
					t.Errorf("%s: %q", path, b)
				}
			})
		}
		g.Wait()
		if most.Load() != 3 || served.Load() != 40 {
			t.Errorf("%d requests together, %d served", most.Load(), served.Load())
		}
	})
}
