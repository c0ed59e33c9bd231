package outgoing

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/minispin/minispin/host/outbound"
	"github.com/minispin/minispin/host/wasihttp"
	"github.com/minispin/minispin/wit/bindings/wasi/http/types"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// sender makes a sender for a component that may reach hosts.
func sender(t testing.TB, o Options, hosts ...string) Sender {
	t.Helper()
	parsed, err := outbound.ParseHosts(hosts)
	if err != nil {
		t.Fatal(err)
	}
	c := NewClient(o)
	t.Cleanup(c.Close)
	return Sender{Component: c.Component(outbound.NewPolicy("c", parsed, o.Blocked, nil))}
}

// request makes a request as package wasihttp does.
func request(t testing.TB, method, to string, body io.ReadCloser) *http.Request {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	r := &http.Request{
		Method: method, Host: u.Host, Header: http.Header{}, Body: http.NoBody,
		URL: &url.URL{Scheme: u.Scheme, Host: u.Host, Opaque: path, RawQuery: u.RawQuery},
	}
	if body != nil {
		r.Body, r.ContentLength, r.Trailer = body, -1, http.Header{}
	}
	return r.WithContext(t.Context())
}

func wantCode(t *testing.T, what string, err error, want types.ErrorCodeCase) {
	t.Helper()
	got, ok := errors.AsType[types.ErrorCode](err)
	if !ok || got.Case != want {
		t.Errorf("%s: %v, want %v", what, err, types.ErrorCode{Case: want})
	}
	if d := got.DNSError; want == types.ErrorCodeDNSError && (d.Rcode.V != "address not available" || !d.InfoCode.Set || d.InfoCode.V != 0) {
		t.Errorf("%s: details %+v", what, d)
	}
}

func serve(t testing.TB, h http.HandlerFunc) *httptest.Server {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// rawServer answers every connection with what answer writes.
func rawServer(t *testing.T, answer func(net.Conn)) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var g sync.WaitGroup
	t.Cleanup(func() { ln.Close(); g.Wait() })
	g.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			g.Go(func() {
				defer conn.Close()
				r, err := http.ReadRequest(bufio.NewReader(conn))
				if err != nil {
					return
				}
				// An answer to half a request could be met by an error of writing.
				if _, err := io.Copy(io.Discard, r.Body); err == nil {
					answer(conn)
				}
			})
		}
	})
	return "http://" + ln.Addr().String()
}

func TestNothingIsAdded(t *testing.T) {
	got := make(chan http.Header, 1)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got <- r.Header.Clone()
		http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
	})
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	r := request(t, "GET", s.URL+"/a%2fb?c", nil)
	r.Header = http.Header{"X-A": {"1", "2"}, "Host": {"evil.example"}, "Connection": {"close"}, "Proxy-Authorization": {"x"}}
	res, err := sender(t, Options{}, "*://*:*").Send(r, wasihttp.Timeouts{})
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusFound {
		t.Errorf("status %d: the redirect was followed", res.StatusCode)
	}
	if h := <-got; len(h) != 1 || len(h["X-A"]) != 2 {
		t.Errorf("the server got %v", h)
	}
}

// TestErrorCodes has one row for each way in which a request fails, with a body
// and without, which take different ways.
func TestErrorCodes(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // and nobody accepts
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	plain := serve(t, func(w http.ResponseWriter, r *http.Request) {})
	secure := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	private, err := outbound.ParseNetworks([]string{"private"})
	if err != nil {
		t.Fatal(err)
	}
	say := func(s string) string { return rawServer(t, func(c net.Conn) { io.WriteString(c, s) }) }
	hold := func(s string) string {
		return rawServer(t, func(c net.Conn) {
			io.WriteString(c, s)
			io.Copy(io.Discard, c) // until the other side closes
		})
	}
	tests := []struct {
		name     string
		options  Options
		hosts    string
		url      string
		timeouts wasihttp.Timeouts
		want     types.ErrorCodeCase
		inBody   bool
	}{
		{name: "not allowed", hosts: "https://a.example", url: plain.URL, want: types.ErrorCodeHTTPRequestDenied},
		{name: "blocked", options: Options{Blocked: private}, url: plain.URL, want: types.ErrorCodeDestinationIPProhibited},
		{name: "blocked by what the name resolves to", options: Options{Blocked: private}, url: "http://localhost:" + strings.Split(plain.URL, ":")[2], want: types.ErrorCodeDestinationIPProhibited},
		{name: "odd spelling", url: "http://2130706433", want: types.ErrorCodeHTTPRequestURIInvalid},
		{name: "unknown name", url: "http://nobody.invalid", want: types.ErrorCodeDNSError},
		{name: "refused", url: "http://" + closed.Addr().String(), want: types.ErrorCodeConnectionRefused},
		{name: "another scheme", url: "ftp://a.example:21", want: types.ErrorCodeHTTPProtocolError},
		{name: "TLS to a plain server", url: strings.Replace(plain.URL, "http", "https", 1), want: types.ErrorCodeTLSProtocolError},
		{name: "unknown certificate", url: secure.URL, want: types.ErrorCodeTLSProtocolError},
		{name: "certificate of another name", options: Options{TLS: secure.Client().Transport.(*http.Transport).TLSClientConfig}, url: strings.Replace(secure.URL, "127.0.0.1", "localhost", 1), want: types.ErrorCodeTLSProtocolError},
		{name: "no connection in time", url: plain.URL, timeouts: wasihttp.Timeouts{Connect: 1}, want: types.ErrorCodeConnectionTimeout},
		{name: "no handshake in time", url: "https://" + silent.Addr().String(), timeouts: wasihttp.Timeouts{Connect: 50 * time.Millisecond}, want: types.ErrorCodeConnectionTimeout},
		{name: "no answer", url: hold(""), timeouts: wasihttp.Timeouts{FirstByte: 50 * time.Millisecond}, want: types.ErrorCodeConnectionReadTimeout},
		{name: "closed without an answer", url: say(""), want: types.ErrorCodeHTTPResponseIncomplete},
		{name: "not HTTP", url: say("SSH-2.0-x\r\n\r\n"), want: types.ErrorCodeHTTPProtocolError},
		{name: "endless head", url: say("HTTP/1.1 200 OK\r\nx: " + strings.Repeat("y", MaxResponseHead+1000) + "\r\n\r\n"), want: types.ErrorCodeHTTPResponseHeaderSectionSize},
		{name: "too many fields", url: say("HTTP/1.1 200 OK\r\n" + strings.Repeat("x: y\r\n", wasihttp.MaxFields+1) + "\r\n"), want: types.ErrorCodeHTTPResponseHeaderSectionSize},
		{name: "two lengths", url: say("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy"), want: types.ErrorCodeHTTPProtocolError},
		{name: "body too short", url: say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nxy"), inBody: true, want: types.ErrorCodeHTTPResponseIncomplete},
		{name: "broken chunk", url: say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), inBody: true, want: types.ErrorCodeHTTPProtocolError},
		{name: "body stops", url: hold("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nxy"), timeouts: wasihttp.Timeouts{BetweenBytes: 50 * time.Millisecond}, inBody: true, want: types.ErrorCodeConnectionReadTimeout},
		{name: "no requests allowed", options: Options{MaxRequests: -1}, url: plain.URL, want: types.ErrorCodeConnectionLimitReached},
		{name: "no application", url: "http://self.alt", want: types.ErrorCodeDestinationNotFound},
	}
	for _, test := range tests {
		if test.hosts == "" {
			test.hosts = "*://*:*"
		}
		t.Run(test.name+" GET", func(t *testing.T) {
			s := sender(t, test.options, test.hosts)
			res, err := s.Send(request(t, "GET", test.url, nil), test.timeouts)
			if test.inBody && err == nil {
				_, err = io.ReadAll(res.Body)
			}
			wantCode(t, test.name, err, test.want)
			for end := time.Now().Add(5 * time.Second); len(s.permits) > 0 || len(s.client.permits) > 0; time.Sleep(time.Millisecond) {
				if time.Now().After(end) {
					t.Fatal("the permits were not given back")
				}
			}
		})
		t.Run(test.name+" POST", func(t *testing.T) {
			body := &noter{Reader: strings.NewReader("x")}
			res, err := sender(t, test.options, test.hosts).Send(request(t, "POST", test.url, body), test.timeouts)
			if test.inBody && err == nil {
				_, err = io.ReadAll(res.Body)
				res.Body.Close()
			}
			wantCode(t, test.name, err, test.want)
			for end := time.Now().Add(5 * time.Second); !body.closed.Load(); time.Sleep(time.Millisecond) {
				if time.Now().After(end) {
					t.Fatal("the request's body was not closed")
				}
			}
		})
	}
}

type noter struct {
	io.Reader
	closed atomic.Bool
}

func (n *noter) Close() error {
	n.closed.Store(true)
	return nil
}

// TestConnectTimeout lets a request wait for a permit that another one keeps.
func TestConnectTimeout(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "x") })
	for _, o := range []Options{{MaxRequests: 1}, {MaxPerComponent: 1}, {MaxRequests: 1, MaxWait: 30 * time.Millisecond}} {
		from := sender(t, o, "*://*:*")
		first, err := from.Send(request(t, "GET", s.URL, nil), wasihttp.Timeouts{})
		if err != nil {
			t.Fatal(err)
		}
		want := types.ErrorCodeConnectionTimeout
		if o.MaxWait > 0 {
			want = types.ErrorCodeConnectionLimitReached
		}
		_, err = from.Send(request(t, "GET", s.URL, nil), wasihttp.Timeouts{Connect: 60 * time.Millisecond})
		wantCode(t, "second", err, want)

		// The end of the first one's body lets the next one in, even if nobody
		// closes it; and so does the end of the guest.
		if _, err := io.ReadAll(first.Body); err != nil {
			t.Error(err)
		}
		guest, end := context.WithCancel(t.Context())
		if _, err = from.Send(request(t, "GET", s.URL, nil).WithContext(guest), wasihttp.Timeouts{}); err != nil {
			t.Error(err)
		}
		end()
		last, err := from.Send(request(t, "GET", s.URL, nil), wasihttp.Timeouts{Connect: 5 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		last.Body.Close()
	}
}

// TestTurns sees that a component which floods the application keeps nobody else
// waiting for all of its requests.
func TestTurns(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { time.Sleep(5 * time.Millisecond) })
	c := NewClient(Options{MaxRequests: 4, MaxPerComponent: 3})
	t.Cleanup(c.Close)
	hosts, _ := outbound.ParseHosts([]string{"*://*:*"})
	greedy := Sender{Component: c.Component(outbound.NewPolicy("greedy", hosts, nil, nil))}
	modest := Sender{Component: c.Component(outbound.NewPolicy("modest", hosts, nil, nil))}
	var done atomic.Int64
	var g sync.WaitGroup
	for range 200 {
		g.Go(func() {
			if res, err := greedy.Send(request(t, "GET", s.URL, nil), wasihttp.Timeouts{}); err == nil {
				res.Body.Close()
			}
			done.Add(1)
		})
	}
	time.Sleep(10 * time.Millisecond)
	before := done.Load()
	res, err := modest.Send(request(t, "GET", s.URL, nil), wasihttp.Timeouts{})
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if n := done.Load() - before; n > 50 {
		t.Errorf("%d requests of another component came first", n)
	}
	g.Wait()
}

// TestProtocols streams both ways at the same time.
func TestProtocols(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		w.Header().Set("X-Proto", r.Proto)
		w.WriteHeader(200)
		_ = http.NewResponseController(w).Flush()
		p := make([]byte, 100)
		for {
			n, err := r.Body.Read(p)
			if n > 0 {
				w.Write(p[:n])
				_ = http.NewResponseController(w).Flush()
			}
			if err != nil {
				break
			}
		}
		w.Header().Set(http.TrailerPrefix+"X-Sum", "7")
	})
	h1 := httptest.NewServer(h)
	h2 := httptest.NewUnstartedServer(h)
	h2.EnableHTTP2 = true
	h2.StartTLS()
	h2c := httptest.NewUnstartedServer(h)
	h2c.Config.Protocols = new(http.Protocols)
	h2c.Config.Protocols.SetUnencryptedHTTP2(true)
	h2c.Start()
	for _, s := range []*httptest.Server{h1, h2, h2c} {
		t.Cleanup(s.Close)
	}
	tests := []struct {
		url, proto string
		options    Options
	}{
		{h1.URL, "HTTP/1.1", Options{}},
		{h1.URL, "HTTP/1.1", Options{NoPooling: true}},
		{h2.URL, "HTTP/2.0", Options{TLS: h2.Client().Transport.(*http.Transport).TLSClientConfig.Clone()}},
		{h2c.URL, "HTTP/2.0", Options{H2C: []string{strings.TrimPrefix(h2c.URL, "http://")}}},
	}
	for _, test := range tests {
		body, write := io.Pipe()
		res, err := sender(t, test.options, "*://*:*").Send(request(t, "POST", test.url, body), wasihttp.Timeouts{})
		if err != nil {
			t.Fatalf("%s: %v", test.proto, err)
		}
		if got := res.Header.Get("X-Proto"); got != test.proto {
			t.Errorf("%s, want %s", got, test.proto)
		}
		p := make([]byte, 10)
		for i := range 10 {
			fmt.Fprintf(write, "part %d", i)
			if n, err := io.ReadFull(res.Body, p[:6]); err != nil || string(p[:n]) != fmt.Sprintf("part %d", i) {
				t.Fatalf("%s: %q, %v", test.proto, p[:n], err)
			}
		}
		write.Close()
		if rest, err := io.ReadAll(res.Body); err != nil || len(rest) > 0 {
			t.Errorf("%q, %v", rest, err)
		}
		if got := res.Trailer.Get("X-Sum"); got != "7" {
			t.Errorf("%s: trailers %v", test.proto, res.Trailer)
		}
		res.Body.Close()
	}
}

// TestCancel ends the guest while it waits for a response, and for its body.
func TestCancel(t *testing.T) {
	gone := make(chan struct{}, 2)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			w.WriteHeader(200)
			_ = http.NewResponseController(w).Flush()
		}
		<-r.Context().Done()
		gone <- struct{}{}
	})
	for _, path := range []string{"/head", "/body"} {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(30*time.Millisecond, cancel)
		res, err := sender(t, Options{}, "*://*:*").Send(request(t, "GET", s.URL+path, nil).WithContext(ctx), wasihttp.Timeouts{})
		if err == nil {
			_, err = io.ReadAll(res.Body)
		}
		if err == nil {
			t.Errorf("%s: no error", path)
		}
		select {
		case <-gone:
		case <-time.After(5 * time.Second):
			t.Errorf("%s: the server was not told", path)
		}
	}
}
