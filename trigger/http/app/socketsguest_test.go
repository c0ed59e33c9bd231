package app

import (
	"context"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/minispin/minispin/instancepool"
	httptrigger "github.com/minispin/minispin/trigger/http"
)

// forEachSocketMode is forEachReuse where sockets exist.
func forEachSocketMode(t *testing.T, test func(t *testing.T, m mode)) {
	if runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
		t.Skip("sockets of guests are for Linux and macOS")
	}
	forEachReuse(t, test)
}

// tcpServer serves each connection with f until the test ends, and returns its
// port.
func tcpServer(t *testing.T, f func(net.Conn)) int {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			f(c)
			c.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return l.Addr().(*net.TCPAddr).Port
}

func answerPing(c net.Conn) {
	var ping [4]byte
	if _, err := io.ReadFull(c, ping[:]); err == nil && string(ping[:]) == "ping" {
		io.WriteString(c, "pong")
	}
}

// udpServer answers each datagram "ping" until the test ends.
func udpServer(t *testing.T) int {
	t.Helper()
	s, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 100)
		for {
			n, from, err := s.ReadFrom(b)
			if err != nil {
				return
			}
			if string(b[:n]) == "ping" {
				s.WriteTo([]byte("pong"), from)
			}
		}
	}()
	t.Cleanup(func() {
		s.Close()
		<-done
	})
	return s.LocalAddr().(*net.UDPAddr).Port
}

func TestSockets(t *testing.T) {
	forEachSocketMode(t, func(t *testing.T, m mode) {
		tcp, udp := tcpServer(t, answerPing), udpServer(t)
		other := tcpServer(t, func(net.Conn) { t.Error("a connection was made that is not allowed") })
		hosts := fmt.Sprintf("[\"tcp://127.0.0.1:%d\", \"udp://127.0.0.1:%d\", \"udp://127.0.0.1:0..1\", \"tcp://localhost:%d\"]", tcp, udp, other)
		s := serve(t, m, application(t,
			guest{id: "granted", source: "rust-sockets", extra: "allowed_outbound_hosts = " + hosts},
		))
		for range 3 {
			s.expect(t, "GET", fmt.Sprintf("/tcp?%d", tcp), "", 200, "pong")
			s.expect(t, "GET", fmt.Sprintf("/udp?%d", udp), "", 200, "pong")
		}
		s.expect(t, "GET", fmt.Sprintf("/tcp?%d", other), "", 200, "start-connect: access-denied")
		s.expect(t, "GET", fmt.Sprintf("/udp?%d", tcp), "", 200, "send: access-denied")
		s.expect(t, "GET", "/listen", "", 200, "start-bind: access-denied")
		s.expect(t, "GET", "/tcp?0", "", 200, "start-connect: invalid-argument")
		s.expectDenied(t, "granted", fmt.Sprintf(`["tcp://127.0.0.1:%d"]`, other), fmt.Sprintf(`["udp://127.0.0.1:%d"]`, tcp))
	})
}

// TestNameLookup asks for addresses of names, which is possible as far as entries
// for sockets go.
func TestNameLookup(t *testing.T) {
	forEachSocketMode(t, func(t *testing.T, m mode) {
		s := serve(t, m, application(t, guest{
			id: "granted", source: "rust-sockets", route: "/granted/...",
			extra: `allowed_outbound_hosts = ["tcp://localhost:80", "http://127.0.0.1", "https://www.example.com"]`,
		}, guest{
			id: "plain", source: "rust-sockets", route: "/plain/...", extra: `allowed_outbound_hosts = ["http://*"]`,
		}))
		if a := s.do(t, "GET", "/granted/lookup?localhost", ""); a.body != "1" && a.body != "2" {
			t.Errorf("localhost has %q addresses", a.body)
		}
		s.expect(t, "GET", "/granted/lookup?127.0.0.1", "", 200, "1")
		s.expect(t, "GET", "/granted/lookup?not/a/name", "", 200, "resolve-addresses: invalid-argument")
		s.quiet(t)
		for range 2 {
			s.expect(t, "GET", "/granted/lookup?www.example.com", "", 200, "resolve-addresses: access-denied")
		}
		s.expectDenied(t, "granted", `["tcp://www.example.com:*"]`)
		s.expect(t, "GET", "/plain/lookup?localhost", "", 200, "resolve-addresses: access-denied")
		s.expectDenied(t, "plain", `["tcp://localhost:*"]`)
	})
}

// expectDenied checks that each line of the manifest which would have allowed what
// a component tried has been told of once, since the log was last looked at.
func (s *site) expectDenied(t *testing.T, component string, lines ...string) {
	t.Helper()
	s.noGuests(t)
	var told []string
	for _, e := range s.logs.FilterMessageSnippet("may not reach").TakeAll() {
		if fields := e.ContextMap(); fields["component"] == component {
			told = append(told, fmt.Sprint(fields["to_allow_it"]))
		}
	}
	for i := range lines {
		lines[i] = "allowed_outbound_hosts = " + lines[i]
	}
	if !slices.Equal(told, lines) {
		t.Errorf("told of %q, want %q", told, lines)
	}
}

// TestSocketsAreClosed lets a guest forget its connections: they are closed when
// its request is over, or with the instance where that keeps its handles.
func TestSocketsAreClosed(t *testing.T) {
	forEachSocketMode(t, func(t *testing.T, m mode) {
		closed := make(chan error, 10)
		port := tcpServer(t, func(c net.Conn) {
			c.SetReadDeadline(time.Now().Add(10 * time.Second))
			_, err := io.Copy(io.Discard, c)
			closed <- err
		})
		const requests = 3
		expectClosed := func() {
			t.Helper()
			if err := <-closed; err != nil {
				t.Errorf("the connection of a request that is over: %v", err)
			}
		}
		kept := m.strategy == instancepool.Reuse
		if kept {
			t.Cleanup(func() { // after the application is closed
				for range requests {
					expectClosed()
				}
			})
		}
		s := serve(t, m, application(t,
			guest{id: "granted", source: "rust-sockets", extra: fmt.Sprintf("allowed_outbound_hosts = [\"*://127.0.0.1:%d\"]", port)},
		))
		for range requests {
			s.expect(t, "GET", fmt.Sprintf("/leak?%d", port), "", 200, "leaked")
			if !kept {
				expectClosed()
			}
		}
	})
}

// TestSocketWaitEnds has a guest wait for bytes that never come, until its
// deadline and until its client leaves.
func TestSocketWaitEnds(t *testing.T) {
	forEachSocketMode(t, func(t *testing.T, m mode) {
		begun, closed := make(chan struct{}, 10), make(chan struct{}, 10)
		port := tcpServer(t, func(c net.Conn) {
			begun <- struct{}{}
			io.Copy(io.Discard, c)
			closed <- struct{}{}
		})
		granted := fmt.Sprintf("allowed_outbound_hosts = [\"*://127.0.0.1:%d\"]", port)
		s := serve(t, m, application(t,
			guest{id: "patient", source: "rust-sockets", extra: granted},
		))
		path := fmt.Sprintf("/tcp?%d", port)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-begun
			cancel()
		}()
		if resp, err := s.send(ctx, "GET", path, nil); err == nil {
			resp.Body.Close()
			t.Errorf("a client that left got %s", resp.Status)
		}
		<-closed
		s.expectFailure(t, "patient", httptrigger.KindClientGone)

		hasty := serve(t, m, application(t,
			guest{id: "hasty", source: "rust-sockets", settings: `deadline = "200ms"`, extra: granted},
		))
		if a := hasty.do(t, "GET", path, ""); a.StatusCode != 504 {
			t.Errorf("got %d %q after the deadline, want 504", a.StatusCode, a.body)
		}
		<-closed
		hasty.expectFailure(t, "hasty", httptrigger.KindTimeout)
	})
}
