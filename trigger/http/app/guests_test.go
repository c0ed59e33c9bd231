package app

import (
	"fmt"
	"github.com/minispin/minispin/instancepool"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	httptrigger "github.com/minispin/minispin/trigger/http"
)

// everyCommitted is an application of the committed guests.
func everyCommitted(t testing.TB) string {
	return application(t,
		guest{id: "wasi", source: "rust-wasi-http", extra: `environment = { GREETING = "hi", ANOTHER = "one" }`},
		guest{id: "inbound", source: "rust-inbound-http", route: "/inbound/..."},
		guest{id: "wagi", source: "rust-wagi", route: "/cgi/...", executor: "wagi", extra: `environment = { FLAVOUR = "plain", REQUEST_METHOD = "not this" }`},
		guest{id: "c", source: "c-wagi", route: "/c/...", executor: "wagi"},
		guest{id: "sdk", source: "rust-spin-sdk5", route: "/sdk/...", extra: `environment = { GREETING = "hello from the manifest" }`},
	)
}

func TestReferenceExchange(t *testing.T) {
	forEachMode(t, func(t *testing.T, m mode) {
		s := serve(t, m, everyCommitted(t))
		for prefix, answer := range map[string]string{
			"": "hola, mundo!", "/inbound": "hola, mundo!", "/cgi": "hola, mundo!\n", "/c": "hola, mundo!\n", "/sdk": "hola, mundo!",
		} {
			s.seed(t, prefix, answer)
			// A guest is told everything, or it would not know what differs.
			a := s.do(t, "PUT", prefix+"/foo?c=d", "goodbye", "what: down")
			if a.StatusCode != 400 {
				t.Errorf("%s: a wrong request gets %d %q", prefix, a.StatusCode, a.body)
			}
		}
		for path, answer := range map[string]string{
			"/": "hello", "/inbound": "hello from inbound-http", "/cgi": "hello from wagi\n", "/c/": "hello from C\n", "/sdk": "hello from the manifest",
		} {
			s.expect(t, "GET", path, "", 200, answer)
		}
		for path, answer := range map[string]string{
			"/nowhere": "no such path", "/inbound/x": "no such path", "/cgi/x": "no such path\n", "/c/x": "no such path\n", "/sdk/x": "no such path",
		} {
			s.expect(t, "GET", path, "", 404, answer)
		}
		s.quiet(t)
	})
}

func TestIncomingHandler(t *testing.T) {
	forEachMode(t, func(t *testing.T, m mode) {
		s := serve(t, m, everyCommitted(t))
		for range 3 {
			s.expect(t, "GET", "/count", "", 200, "1") // every request meets fresh state
		}
		s.expect(t, "GET", "/env", "", 200, "ANOTHER=one\nGREETING=hi\n")
		s.expect(t, "GET", "/sleep?ms=20", "", 200, "slept 20 ms")
		s.expect(t, "GET", "/stream", "", 200, strings.Repeat("a", 16)+strings.Repeat("b", 16)+strings.Repeat("c", 16))
		s.expect(t, "GET", "/stream?n=0", "", 200, "")
		s.expect(t, "POST", "/poll?a=5&b=500", "12345", 200, "body: 5 bytes\ntimer a\ntimer b\n")
		s.expect(t, "GET", "/grow?mb=20", "", 200, "grew by 20 MiB")
		s.expect(t, "GET", "/grow?mb=200", "", 507, "no 200 MiB to be had")

		if a := s.expect(t, "HEAD", "/stream?n=3", "", 200, ""); a.Header.Get("Content-Type") != "text/plain" {
			t.Errorf("HEAD: %v", a.Header)
		}
		if a := s.expect(t, "POST", "/echo", "x", 200, "x", "content-type: a/b"); a.Header.Get("Content-Type") != "a/b" {
			t.Errorf("echo: %v", a.Header)
		}
		if a := s.expect(t, "POST", "/echo", "x", 200, "x"); a.Header["Content-Type"] != nil || a.Header["Server"] != nil {
			t.Errorf("the host adds header fields: %v", a.Header)
		}
		a, b := s.do(t, "GET", "/random", ""), s.do(t, "GET", "/random", "")
		if !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(a.body) || a.body == b.body {
			t.Errorf("random: %q, then %q", a.body, b.body)
		}
		clock, err := strconv.ParseInt(s.do(t, "GET", "/clock", "").body, 10, 64)
		if now := time.Now().Unix(); err != nil || clock > now || clock < now-60 {
			t.Errorf("clock: %d, %v", clock, err)
		}

		s.output.take(t)
		s.expect(t, "GET", "/log", "", 200, "logged")
		got := s.output.take(t)
		slices.Sort(got)
		if want := []string{"wasi stderr: a line for stderr\n", "wasi stdout: a line for stdout\n"}; !slices.Equal(got, want) {
			t.Errorf("printed %q", got)
		}
		s.quiet(t)
	})
}

func TestWhatGuestsAreShown(t *testing.T) {
	forEachMode(t, func(t *testing.T, m mode) {
		s := serve(t, m, application(t,
			guest{id: "wasi", source: "rust-wasi-http", route: "/at/:Some_Name/..."},
			guest{id: "wagi", source: "rust-wagi", route: "/cgi/...", executor: "wagi", extra: `environment = { FLAVOUR = "plain", REQUEST_METHOD = "not this" }`},
		))
		a := s.do(t, "PROPFIND", "/at/x%2Fy/headers?q=%20z", "", "accept: a/b", "accept: c/d", "user-agent: test",
			"spin-path-info: /spoofed", "Spin-Anything: spoofed", "x-forwarded-for: 192.0.2.1", "proxy-authorization: secret")
		client, want := clientAddr(a.body, "spin-client-addr: "), fmt.Sprintf(`method: PROPFIND
path-with-query: /at/x%%2Fy/headers?q=%%20z
scheme: http
authority: %[1]s
accept: a/b
accept: c/d
user-agent: test
x-forwarded-for: 192.0.2.1
spin-path-info: /headers
spin-full-url: http://%[1]s/at/x%%2Fy/headers?q=%%20z
spin-matched-route: /at/:Some_Name/...
spin-base-path: /
spin-raw-component-route: /at/:Some_Name/...
spin-component-route: /at/:Some_Name
spin-client-addr: CLIENT
spin-path-match-some-name: x%%2Fy
`, s.addr)
		if want = strings.Replace(want, "CLIENT", client, 1); a.body != want || !strings.HasPrefix(client, "127.0.0.1:") {
			t.Errorf("got\n%s\nwant\n%s", a.body, want)
		}

		a = s.do(t, "POST", "/cgi/env?a=b&c=d", "12345", "content-type: a/b", "user-agent: test", "authorization: secret", "spin-path-info: /spoofed")
		host, port, _ := strings.Cut(s.addr, ":")
		client = clientAddr(a.body, "X_CLIENT_ADDR=")
		proto := map[string]string{"h1": "HTTP/1.1", "h2c": "HTTP/2.0"}[m.protocol]
		for _, line := range []string{
			"argv[0]=/cgi/env", "argv[1]=a=b", "argv[2]=c=d",
			"FLAVOUR=plain", "GATEWAY_INTERFACE=CGI/1.1", "SERVER_SOFTWARE=WAGI/1", "SERVER_PROTOCOL=" + proto,
			"SERVER_NAME=" + host, "SERVER_PORT=" + port, "REQUEST_METHOD=POST", "QUERY_STRING=a=b&c=d",
			"SCRIPT_NAME=/cgi", "PATH_INFO=/env", "X_RAW_PATH_INFO=/env", "PATH_TRANSLATED=/env",
			"CONTENT_LENGTH=5", "CONTENT_TYPE=a/b", "HTTP_CONTENT_TYPE=a/b", "HTTP_USER_AGENT=test", "HTTP_HOST=" + s.addr,
			"REMOTE_ADDR=127.0.0.1", "REMOTE_HOST=127.0.0.1", "REMOTE_USER=", "AUTH_TYPE=", "X_CLIENT_ADDR=" + client,
			"X_FULL_URL=http://" + s.addr + "/cgi/env?a=b&c=d", "X_MATCHED_ROUTE=/cgi/...", "X_BASE_PATH=/",
			"X_RAW_COMPONENT_ROUTE=/cgi/...", "X_COMPONENT_ROUTE=/cgi",
		} {
			if n := strings.Count("\n"+a.body, "\n"+line+"\n"); n != 1 {
				t.Errorf("%q is there %d times", line, n)
			}
		}
		if strings.Contains(a.body, "secret") || strings.Contains(a.body, "spoofed") || strings.Contains(a.body, "not this") {
			t.Errorf("the program sees what it must not:\n%s", a.body)
		}
		s.quiet(t)
	})
}

// clientAddr finds an address whose port nobody can foretell.
func clientAddr(body, name string) string {
	_, after, _ := strings.Cut(body, name)
	addr, _, _ := strings.Cut(after, "\n")
	return addr
}

func TestPrograms(t *testing.T) {
	forEachMode(t, func(t *testing.T, m mode) {
		s := serve(t, m, everyCommitted(t))
		big := strings.Repeat("0123456789abcdef", 1<<16)
		if a := s.expect(t, "POST", "/cgi/echo", big, 200, big, "content-type: a/b"); a.Header.Get("Content-Type") != "a/b" || a.ContentLength != 1<<20 {
			t.Errorf("echo: %v", a.Header)
		}
		s.expect(t, "HEAD", "/cgi/", "", 200, "")
		s.expect(t, "GET", "/cgi/status", "", 418, "")
		if a := s.expect(t, "GET", "/cgi/location", "", 302, ""); a.Header.Get("Location") != "/elsewhere" {
			t.Errorf("location: %v", a.Header)
		}
		s.expect(t, "GET", "/cgi/exit?0", "", 500, "") // it has printed nothing
		if line := s.expectFailure(t, "wagi", httptrigger.KindGuestError); !strings.Contains(fmt.Sprint(line.ContextMap()["error"]), "empty") {
			t.Errorf("log line %v", line.ContextMap())
		}
		s.expect(t, "GET", "/cgi/exit?3", "", 500, "")
		if line := s.expectFailure(t, "wagi", httptrigger.KindGuestError); !strings.Contains(fmt.Sprint(line.ContextMap()["error"]), "code 3") {
			t.Errorf("log line %v", line.ContextMap())
		}
		s.expect(t, "GET", "/cgi/empty", "", 500, "")
		s.expectFailure(t, "wagi", httptrigger.KindGuestError)
		if a := s.do(t, "GET", "/cgi/noheader", ""); a.StatusCode != 500 || !strings.Contains(a.body, "content-type") {
			t.Errorf("noheader: %d %q", a.StatusCode, a.body)
		}
		s.expectFailure(t, "wagi", httptrigger.KindGuestError)
	})
}

func TestInboundMethods(t *testing.T) {
	forEachMode(t, func(t *testing.T, m mode) {
		s := serve(t, m, everyCommitted(t))
		for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS"} {
			s.expect(t, method, "/inbound/x", "", 404, "no such path")
		}
		s.expect(t, "HEAD", "/inbound/x", "", 404, "")
		s.expect(t, "PROPFIND", "/inbound/foo", "", http.StatusMethodNotAllowed, "")
		s.quiet(t)
		s.expect(t, "GET", "/inbound/foo", "", 500, "", "what: \xff\xfe")
		s.expectFailure(t, "inbound", httptrigger.KindInternal)
	})
}

// A component for wasm32-wasip2 imports more of WASI than one for wasip1.
func TestSDKComponent(t *testing.T) {
	forEachMode(t, func(t *testing.T, m mode) {
		s := serve(t, m, application(t, guest{id: "sdk", source: "rust-spin-sdk5-wasip2", route: "/sdk/..."}))
		s.seed(t, "/sdk", "hola, mundo!")
		s.expect(t, "GET", "/sdk", "", 200, "hello from the Spin SDK")
		s.expect(t, "GET", "/sdk/x", "", 404, "no such path")
		s.quiet(t)
	})
}

// The guests in Python and JavaScript take long to compile, so that all that is
// asked of one of them is asked here.
func TestInterpretedGuests(t *testing.T) {
	for name, greeting := range map[string]string{
		"py-wasi-http": "hello from Python", "py-inbound-http": "hello from Python",
		"py-spin-sdk3": "hello from the Spin SDK", "js-wasi-http": "hello from JavaScript",
	} {
		t.Run(name, func(t *testing.T) {
			forEachMode(t, func(t *testing.T, m mode) {
				if m.strategy == instancepool.Reset && (name == "py-wasi-http" || name == "py-spin-sdk3") {
					t.Skip("its code for reset takes long to compile, and another guest in Python is reset")
				}
				s := serve(t, m, application(t, guest{id: "guest", source: name, route: "/sub/..."}))
				for range 3 {
					s.seed(t, "/sub", "hola, mundo!")
				}
				s.expect(t, "GET", "/sub", "", 200, greeting)
				s.expect(t, "GET", "/sub/x", "", 404, "no such path")
				if a := s.do(t, "POST", "/sub/foo?a=b", "goodbye", "what: up"); a.StatusCode != 400 || !strings.Contains(a.body, "goodbye") {
					t.Errorf("a wrong request gets %d %q", a.StatusCode, a.body)
				}
				s.quiet(t)
			})
		})
	}
}
