package outgoing

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/minispin/minispin/host/wasihttp"
	"github.com/minispin/minispin/wit/bindings/wasi/http/types"
)

// talk answers each request on each connection with what answer says, and closes
// the connection after the last answer. It counts connections.
func talk(t *testing.T, answers ...string) (url string, conns *atomic.Int64) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conns = new(atomic.Int64)
	var g sync.WaitGroup
	t.Cleanup(func() { ln.Close(); g.Wait() })
	g.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			conns.Add(1)
			g.Go(func() {
				defer c.Close()
				r := bufio.NewReader(c)
				for _, a := range answers {
					if _, err := http.ReadRequest(r); err != nil {
						return
					}
					if _, err := io.WriteString(c, a); err != nil {
						return
					}
				}
			})
		}
	})
	return "http://" + ln.Addr().String(), conns
}

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// get sends a GET that must go well, and returns its body.
func get(t *testing.T, s Sender, method, url string) string {
	t.Helper()
	res, err := s.Send(request(t, method, url, nil), wasihttp.Timeouts{})
	if err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	return string(b)
}

// TestConnectionsAreKept says after which responses a connection is used again,
// and that what a server says out of turn is nobody's response.
func TestConnectionsAreKept(t *testing.T) {
	if !keepable {
		t.Skip("net/http keeps the connections here")
	}
	tests := []struct {
		name, method, answer string
		options              Options
		body                 string
		conns                int64 // for three requests
	}{
		{name: "length", answer: ok, body: "ok", conns: 1},
		{name: "chunks", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", body: "ok", conns: 1},
		{name: "no content", answer: "HTTP/1.1 204 No Content\r\n\r\n", conns: 1},
		{name: "HEAD", method: "HEAD", answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", conns: 1},
		{name: "OPTIONS", method: "OPTIONS", answer: ok, body: "ok", conns: 1},
		{name: "informational", answer: "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + ok, body: "ok", conns: 1},
		{name: "close", answer: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", body: "ok", conns: 3},
		{name: "HTTP/1.0", answer: "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", body: "ok", conns: 3},
		{name: "not pooled", options: Options{NoPooling: true}, answer: ok, body: "ok", conns: 3},
		{name: "a second response in the same packet", answer: ok + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", body: "ok", conns: 3},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			url, conns := talk(t, test.answer, test.answer, test.answer)
			s := sender(t, test.options, "*://*:*")
			for range 3 {
				method := test.method
				if method == "" {
					method = "GET"
				}
				if body := get(t, s, method, url); body != test.body {
					t.Errorf("body %q, want %q", body, test.body)
				}
			}
			if n := conns.Load(); n != test.conns {
				t.Errorf("%d connections, want %d", n, test.conns)
			}
		})
	}
	t.Run("a second response later", func(t *testing.T) {
		said := make(chan struct{}, 4)
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		go func() {
			for {
				c, err := ln.Accept()
				if err != nil {
					return
				}
				go func() {
					defer c.Close()
					r := bufio.NewReader(c)
					for {
						if _, err := http.ReadRequest(r); err != nil {
							return
						}
						io.WriteString(c, ok)
						time.Sleep(20 * time.Millisecond)
						io.WriteString(c, "HTTP/1.1 408 Request Timeout\r\nContent-Length: 4\r\n\r\nevil")
						said <- struct{}{}
					}
				}()
			}
		}()
		s := sender(t, Options{}, "*://*:*")
		for range 3 {
			if body := get(t, s, "GET", "http://"+ln.Addr().String()); body != "ok" {
				t.Errorf("body %q", body)
			}
			<-said
		}
	})
}

// TestClosedConnection lets servers close a connection that was kept: before it is
// used again, and when it is.
func TestClosedConnection(t *testing.T) {
	url, conns := talk(t, ok) // and closes
	s := sender(t, Options{}, "*://*:*")
	for range 5 {
		get(t, s, "GET", url)
	}
	if n := conns.Load(); n != 5 {
		t.Errorf("%d connections for 5 requests", n)
	}
	// This one closes when it sees the second request, without a word.
	url, conns = talk(t, ok, "")
	s = sender(t, Options{}, "*://*:*")
	for range 5 {
		get(t, s, "GET", url)
	}
	if n := conns.Load(); n != 5 {
		t.Errorf("%d connections for 5 requests", n)
	}
	// A new connection gets one chance only.
	url, conns = talk(t, "")
	s = sender(t, Options{}, "*://*:*")
	_, err := s.Send(request(t, "GET", url, nil), wasihttp.Timeouts{})
	wantCode(t, "never an answer", err, types.ErrorCodeHTTPResponseIncomplete)
	if n := conns.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
	// Half a response is no reason to ask again.
	url, conns = talk(t, ok, "HTTP/1.1 200")
	s = sender(t, Options{}, "*://*:*")
	get(t, s, "GET", url)
	_, err = s.Send(request(t, "GET", url, nil), wasihttp.Timeouts{})
	wantCode(t, "half an answer", err, types.ErrorCodeHTTPResponseIncomplete)
	if n := conns.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// TestOddResponses are errors of requests without a body only.
func TestOddResponses(t *testing.T) {
	for name, answer := range map[string]string{
		"endless informational responses": strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 50),
		"another protocol":                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
	} {
		if !keepable {
			t.Skip("net/http decides here")
		}
		url := rawServer(t, func(c net.Conn) { io.WriteString(c, answer) })
		_, err := sender(t, Options{}, "*://*:*").Send(request(t, "GET", url, nil), wasihttp.Timeouts{})
		wantCode(t, name, err, types.ErrorCodeHTTPProtocolError)
	}
}

// TestStart sees what is begun without waiting and what is not, and that it ends
// with its context whether or not anybody waits for it.
func TestStart(t *testing.T) {
	if !keepable {
		t.Skip("nothing is begun without waiting here")
	}
	var served atomic.Int64
	release := make(chan struct{})
	gone := make(chan struct{}, 1)
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		served.Add(1)
		switch r.URL.Path {
		case "/slow":
			select {
			case <-release:
			case <-r.Context().Done():
				gone <- struct{}{}
			}
		}
		fmt.Fprint(w, "ok")
	})
	s := sender(t, Options{MaxRequests: 2}, srv.URL)
	if s.Start(request(t, "GET", srv.URL, nil), wasihttp.Timeouts{}) != nil {
		t.Fatal("begun without a connection")
	}
	get(t, s, "GET", srv.URL)
	for _, r := range []*http.Request{
		request(t, "POST", srv.URL, nil),
		request(t, "GET", srv.URL, io.NopCloser(strings.NewReader("x"))),
		request(t, "GET", "http://other.example", nil),
		request(t, "GET", "http://self.alt", nil),
		request(t, "GET", strings.Replace(srv.URL, "http", "https", 1), nil),
	} {
		if s.Start(r, wasihttp.Timeouts{}) != nil {
			t.Errorf("begun: %s %s", r.Method, r.URL)
		}
	}
	receive := s.Start(request(t, "GET", srv.URL+"/slow", nil), wasihttp.Timeouts{})
	if receive == nil {
		t.Fatal("not begun")
	}
	if s.Start(request(t, "GET", srv.URL, nil), wasihttp.Timeouts{}) != nil {
		t.Error("begun over a connection in use")
	}
	close(release)
	res, err := receive()
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(res.Body); string(b) != "ok" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	if n, err := res.Body.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("after the end: %d, %v", n, err)
	}
	res.Body.Close()

	release = make(chan struct{})
	ctx, end := context.WithCancelCause(t.Context())
	receive = s.Start(request(t, "GET", srv.URL+"/slow", nil).WithContext(ctx), wasihttp.Timeouts{})
	if receive == nil {
		t.Fatal("not begun")
	}
	over := errors.New("the guest is over")
	end(over)
	select {
	case <-gone:
	case <-time.After(5 * time.Second):
		t.Error("the server was not told")
	}
	if _, err := receive(); !errors.Is(err, over) {
		t.Errorf("%v", err)
	}
	for _, p := range []permits{s.permits, s.client.permits} {
		if len(p) != 0 {
			t.Errorf("%d permits are still taken", len(p))
		}
	}
}

// TestKept fills and empties the store of connections.
func TestKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var k kept
		var closed atomic.Int64
		conn := func(key string) *directConn {
			return newDirectConn(key, &closeCounter{n: &closed})
		}
		for range maxKeptPerHost + 3 {
			k.put(conn("a"))
		}
		if closed.Load() != 3 || k.n != maxKeptPerHost {
			t.Errorf("%d closed, %d kept", closed.Load(), k.n)
		}
		for i := range maxKept {
			k.put(conn(fmt.Sprint(i)))
		}
		if want := int64(3 + maxKeptPerHost); closed.Load() != want || k.n != maxKept {
			t.Errorf("%d closed, want %d; %d kept", closed.Load(), want, k.n)
		}
		closed.Store(0)
		time.Sleep(keptFor + time.Second)
		synctest.Wait()
		if closed.Load() != maxKept || k.n != 0 || len(k.conns) != 0 || k.sweep != nil {
			t.Errorf("after a while %d closed, %d kept", closed.Load(), k.n)
		}
		k.put(conn("a"))
		k.close()
		k.put(conn("a"))
		if closed.Load() != maxKept+2 {
			t.Errorf("%d closed at the end", closed.Load())
		}
	})
}

type closeCounter struct {
	net.Conn
	n *atomic.Int64
}

func (c *closeCounter) Close() error {
	c.n.Add(1)
	return nil
}

// TestDirectTrailers sees trailers and both kinds of headers arrive.
func TestDirectTrailers(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["X-Many"] = []string{"1", "2"}
		io.WriteString(w, "ok")
		_ = http.NewResponseController(w).Flush()
		w.Header().Set(http.TrailerPrefix+"X-Sum", "7")
	}))
	defer srv.Close()
	s := sender(t, Options{}, "*://*:*")
	for range 2 {
		res, err := s.Send(request(t, "GET", srv.URL, nil), wasihttp.Timeouts{})
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(res.Body); string(b) != "ok" || err != nil || res.Trailer.Get("X-Sum") != "7" || !slices.Equal(res.Header["X-Many"], []string{"1", "2"}) {
			t.Errorf("%q, %v, %v, %v", b, err, res.Trailer, res.Header)
		}
		res.Body.Close()
	}
}

// TestBetweenBytesOfChunks lets a server announce a chunk with the head, and send
// it when the time for the first byte is long over.
func TestBetweenBytesOfChunks(t *testing.T) {
	const firstByte = 200 * time.Millisecond
	url := rawServer(t, func(c net.Conn) {
		io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n")
		time.Sleep(2 * firstByte)
		io.WriteString(c, "ok\r\n0\r\n\r\n")
	})
	res, err := sender(t, Options{}, "*://*:*").Send(request(t, "GET", url, nil), wasihttp.Timeouts{FirstByte: firstByte})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if b, err := io.ReadAll(res.Body); string(b) != "ok" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
}
