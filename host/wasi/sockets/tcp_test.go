//go:build linux || darwin

package sockets

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host/budget"
	"github.com/minispin/minispin/host/wasi/io"
	"github.com/minispin/minispin/wit/bindings/wasi/io/streams"
	"github.com/minispin/minispin/wit/bindings/wasi/sockets/network"
	"github.com/minispin/minispin/wit/bindings/wasi/sockets/tcp"
)

// TestTCPConversation has a guest be both ends of a connection: bytes go both
// ways, the addresses agree, and the end of one side's sending is the end of the
// other's stream.
func TestTCPConversation(t *testing.T) {
	for name, family := range families(t) {
		t.Run(name, func(t *testing.T) {
			guest(t, allowAll(), func(c *component.Call, h host) {
				l, port := newListener(t, c, h, family)
				defer l.Drop()
				if on, _ := l.IsListening(c); !on {
					t.Error("a listener does not listen")
				}
				_, err := l.Accept(c)
				want(t, "accept without a connection", err, network.ErrorCodeWouldBlock)

				a := dial(t, c, h, family, port)
				defer a.drop()
				b := accept(t, c, l)
				defer b.drop()
				if got, err := a.s.RemoteAddress(c); err != nil || got != at(family, port) {
					t.Errorf("remote-address: %v, %v", got, err)
				}
				local, remote := must(a.s.LocalAddress(c)), must(b.s.RemoteAddress(c))
				if local != remote {
					t.Errorf("one end is at %v, the other sees it at %v", local, remote)
				}
				if f, _ := b.s.AddressFamily(c); f != family {
					t.Errorf("the family of the accepted socket is %v", f)
				}
				if on, _ := b.s.IsListening(c); on {
					t.Error("a connection listens")
				}

				if got, err := b.in.Read(c, 10); len(got) > 0 || err != nil {
					t.Errorf("read before a write: %q, %v", got, err)
				}
				ok(t, "write", a.out.BlockingWriteAndFlush(c, []byte("ping")))
				if got, err := b.in.BlockingRead(c, 10); string(got) != "ping" || err != nil {
					t.Errorf("blocking-read: %q, %v", got, err)
				}
				ok(t, "write", b.out.BlockingWriteAndFlush(c, []byte("pong!")))
				wait(t, c, a.in.Subscribe)
				if n, err := a.in.Skip(c, 1); n != 1 || err != nil {
					t.Errorf("skip: %d, %v", n, err)
				}
				if n, err := a.in.BlockingSkip(c, 1); n != 1 || err != nil {
					t.Errorf("blocking-skip: %d, %v", n, err)
				}
				if got, err := a.in.Read(c, 10); string(got) != "ng!" || err != nil {
					t.Errorf("read: %q, %v", got, err)
				}

				ok(t, "shutdown", a.s.Shutdown(c, tcp.ShutdownTypeSend))
				if _, err := a.out.CheckWrite(c); !isClosed(err) {
					t.Errorf("check-write after shutdown: %v", err)
				}
				wait(t, c, b.in.Subscribe)
				if _, err := b.in.BlockingRead(c, 10); !isClosed(err) {
					t.Errorf("read at the end: %v", err)
				}
				if _, err := b.in.Read(c, 10); !isClosed(err) {
					t.Errorf("read after the end: %v", err)
				}
				// The other direction is open still.
				ok(t, "write", b.out.BlockingWriteAndFlush(c, []byte("bye")))
				if got, err := a.in.BlockingRead(c, 10); string(got) != "bye" || err != nil {
					t.Errorf("blocking-read: %q, %v", got, err)
				}
				ok(t, "shutdown", a.s.Shutdown(c, tcp.ShutdownTypeReceive))
				if _, err := a.in.Read(c, 1); !isClosed(err) {
					t.Errorf("read after shutdown: %v", err)
				}
				wait(t, c, a.in.Subscribe)
				ok(t, "shutdown", b.s.Shutdown(c, tcp.ShutdownTypeBoth))
			})
		})
	}
}

func isClosed(err error) bool {
	var e streams.StreamError
	return errors.As(err, &e) && e.Case == streams.StreamErrorClosed
}

// TestTCPStates calls every function in a state that is not the one for it.
func TestTCPStates(t *testing.T) {
	guest(t, allowAll(), func(c *component.Call, h host) {
		s := newTCP(t, c, h, v4)
		defer s.Drop()
		_, err := s.LocalAddress(c)
		want(t, "local-address, unbound", err, network.ErrorCodeInvalidState)
		_, err = s.RemoteAddress(c)
		want(t, "remote-address, unbound", err, network.ErrorCodeInvalidState)
		want(t, "finish-bind, unbound", s.FinishBind(c), network.ErrorCodeNotInProgress)
		_, err = s.FinishConnect(c)
		want(t, "finish-connect, unbound", err, network.ErrorCodeNotInProgress)
		want(t, "start-listen, unbound", s.StartListen(c), network.ErrorCodeInvalidState)
		want(t, "finish-listen, unbound", s.FinishListen(c), network.ErrorCodeNotInProgress)
		_, err = s.Accept(c)
		want(t, "accept, unbound", err, network.ErrorCodeInvalidState)
		want(t, "shutdown, unbound", s.Shutdown(c, tcp.ShutdownTypeBoth), network.ErrorCodeInvalidState)
		wait(t, c, s.Subscribe) // nothing to wait for

		ok(t, "start-bind", s.StartBind(c, handle{}, at(v4, 0)))
		want(t, "start-bind, binding", s.StartBind(c, handle{}, at(v4, 0)), network.ErrorCodeConcurrencyConflict)
		want(t, "start-connect, binding", s.StartConnect(c, handle{}, at(v4, 1)), network.ErrorCodeConcurrencyConflict)
		want(t, "start-listen, binding", s.StartListen(c), network.ErrorCodeConcurrencyConflict)
		_, err = s.LocalAddress(c)
		want(t, "local-address, binding", err, network.ErrorCodeConcurrencyConflict)
		ok(t, "finish-bind", s.FinishBind(c))
		want(t, "start-bind, bound", s.StartBind(c, handle{}, at(v4, 0)), network.ErrorCodeInvalidState)
		if port := portOf(must(s.LocalAddress(c))); port == 0 {
			t.Error("no port was chosen")
		}

		ok(t, "set-listen-backlog-size", s.SetListenBacklogSize(c, 1<<40))
		ok(t, "start-listen", s.StartListen(c))
		want(t, "start-listen, starting", s.StartListen(c), network.ErrorCodeConcurrencyConflict)
		if on, _ := s.IsListening(c); on {
			t.Error("is-listening before finish-listen")
		}
		ok(t, "finish-listen", s.FinishListen(c))
		want(t, "start-listen, listening", s.StartListen(c), network.ErrorCodeInvalidState)
		want(t, "start-connect, listening", s.StartConnect(c, handle{}, at(v4, 1)), network.ErrorCodeInvalidState)
		ok(t, "set-listen-backlog-size, listening", s.SetListenBacklogSize(c, 3))

		a := dial(t, c, h, v4, portOf(must(s.LocalAddress(c))))
		defer a.drop()
		want(t, "start-connect, connected", a.s.StartConnect(c, handle{}, at(v4, 1)), network.ErrorCodeInvalidState)
		want(t, "start-bind, connected", a.s.StartBind(c, handle{}, at(v4, 0)), network.ErrorCodeInvalidState)
		want(t, "set-listen-backlog-size, connected", a.s.SetListenBacklogSize(c, 1), network.ErrorCodeInvalidState)
		_, err = a.s.FinishConnect(c)
		want(t, "finish-connect, connected", err, network.ErrorCodeNotInProgress)
	})
}

// TestTCPArguments passes addresses that make no sense.
func TestTCPArguments(t *testing.T) {
	scoped := wasiAddr("[fe80::1]:80")
	scoped.Ipv6.ScopeID = 2
	for name, tt := range map[string]struct {
		family network.IPAddressFamily
		addr   network.IPSocketAddress
		bind   bool
	}{
		"bind: other family":        {v4, wasiAddr("[::1]:0"), true},
		"bind: multicast":           {v4, wasiAddr("224.0.0.1:0"), true},
		"bind: broadcast":           {v4, wasiAddr("255.255.255.255:0"), true},
		"bind: multicast, ipv6":     {v6, wasiAddr("[ff02::1]:0"), true},
		"bind: mapped":              {v6, wasiAddr("[::ffff:127.0.0.1]:0"), true},
		"connect: other family":     {v6, wasiAddr("127.0.0.1:80"), false},
		"connect: port 0":           {v4, wasiAddr("127.0.0.1:0"), false},
		"connect: unspecified":      {v4, wasiAddr("0.0.0.0:80"), false},
		"connect: unspecified ipv6": {v6, wasiAddr("[::]:80"), false},
		"connect: broadcast":        {v4, wasiAddr("255.255.255.255:80"), false},
		"connect: multicast":        {v4, wasiAddr("239.1.1.1:80"), false},
		"connect: mapped":           {v6, wasiAddr("[::ffff:127.0.0.1]:80"), false},
		"connect: scoped":           {v6, scoped, false},
	} {
		t.Run(name, func(t *testing.T) {
			asked := false
			n := &Network{Policy: policy{address: func(Use, netip.AddrPort) bool { asked = true; return true }}}
			guest(t, n, func(c *component.Call, h host) {
				s, err := h.CreateTCPSocket(c, tt.family)
				if err == error(network.ErrorCodeNotSupported) {
					return // no such family here
				}
				ok(t, "create", err)
				defer s.Drop()
				if tt.bind {
					err = s.StartBind(c, handle{}, tt.addr)
				} else {
					err = s.StartConnect(c, handle{}, tt.addr)
				}
				want(t, "start", err, network.ErrorCodeInvalidArgument)
			})
			if asked {
				t.Error("the policy was asked for a senseless address")
			}
		})
	}
}

func TestTCPAddressTaken(t *testing.T) {
	l := must(net.Listen("tcp4", "127.0.0.1:0"))
	defer l.Close()
	guest(t, allowAll(), func(c *component.Call, h host) {
		s := newTCP(t, c, h, v4)
		defer s.Drop()
		taken := toGuest(l.Addr().(*net.TCPAddr).AddrPort())
		want(t, "start-bind", s.StartBind(c, handle{}, taken), network.ErrorCodeAddressInUse)
		// 192.0.2.0/24 is for documentation: nobody has it.
		want(t, "start-bind", s.StartBind(c, handle{}, wasiAddr("192.0.2.1:0")), network.ErrorCodeAddressNotBindable)
		ok(t, "start-bind after failures", s.StartBind(c, handle{}, at(v4, 0)))
	})
}

// TestTCPRefused connects to a port where nobody listens; the socket is of no use
// after that.
func TestTCPRefused(t *testing.T) {
	l := must(net.Listen("tcp4", "127.0.0.1:0"))
	port := l.Addr().(*net.TCPAddr).AddrPort().Port()
	l.Close()
	guest(t, allowAll(), func(c *component.Call, h host) {
		s := newTCP(t, c, h, v4)
		defer s.Drop()
		ok(t, "start-connect", s.StartConnect(c, handle{}, at(v4, port)))
		wait(t, c, s.Subscribe)
		_, err := s.FinishConnect(c)
		want(t, "finish-connect", err, network.ErrorCodeConnectionRefused)
		want(t, "start-connect again", s.StartConnect(c, handle{}, at(v4, port)), network.ErrorCodeInvalidState)
	})
}

// TestTCPWouldBlock connects to a listener whose queue is full: the connection
// is neither made nor refused.
func TestTCPWouldBlock(t *testing.T) {
	guest(t, allowAll(), func(c *component.Call, h host) {
		l, port := newListener(t, c, h, v4)
		defer l.Drop()
		ok(t, "set-listen-backlog-size", l.SetListenBacklogSize(c, 1))
		for range 8 {
			s := newTCP(t, c, h, v4)
			defer s.Drop()
			ok(t, "start-connect", s.StartConnect(c, handle{}, at(v4, port)))
			time.Sleep(5 * time.Millisecond)
			if s.fd.writeEvent().Ready() {
				continue
			}
			_, err := s.FinishConnect(c)
			want(t, "finish-connect", err, network.ErrorCodeWouldBlock)
			want(t, "start-connect, connecting", s.StartConnect(c, handle{}, at(v4, port)), network.ErrorCodeConcurrencyConflict)
			want(t, "set-listen-backlog-size, connecting", s.SetListenBacklogSize(c, 1), network.ErrorCodeInvalidState)
			return
		}
		t.Log("this system queues any number of connections")
	})
}

// TestTCPReset reads from a connection that the other side tore down.
func TestTCPReset(t *testing.T) {
	l := must(net.Listen("tcp4", "127.0.0.1:0"))
	defer l.Close()
	guest(t, allowAll(), func(c *component.Call, h host) {
		a := dial(t, c, h, v4, l.Addr().(*net.TCPAddr).AddrPort().Port())
		defer a.drop()
		peer := must(l.Accept()).(*net.TCPConn)
		peer.SetLinger(0)
		peer.Close()
		_, err := a.in.BlockingRead(c, 1)
		var e streams.StreamError
		if !errors.As(err, &e) || e.Case != streams.StreamErrorLastOperationFailed {
			t.Errorf("blocking-read: %v, want a failure", err)
			return
		}
		if text, _ := e.LastOperationFailed.ToDebugString(c); text != "connection-reset" {
			t.Errorf("to-debug-string: %q", text)
		}
		if _, err := a.in.Read(c, 1); !isClosed(err) {
			t.Errorf("read after a failure: %v", err)
		}
		if err := a.out.BlockingWriteAndFlush(c, []byte("x")); err == nil {
			t.Error("a write to a connection that is gone succeeded")
		}
	})
}

// TestTCPBackpressure writes more than the system buffers to a peer that does not
// read: no write blocks, nothing more is permitted, and everything arrives once the
// peer reads.
func TestTCPBackpressure(t *testing.T) {
	l := must(net.Listen("tcp4", "127.0.0.1:0"))
	defer l.Close()
	guest(t, allowAll(), func(c *component.Call, h host) {
		a := dial(t, c, h, v4, l.Addr().(*net.TCPAddr).AddrPort().Port())
		defer a.drop()
		peer := must(l.Accept())
		defer peer.Close()
		chunk := bytes.Repeat([]byte("0123456789abcdef"), 1024)
		sent := 0
		for {
			n := must(a.out.CheckWrite(c))
			if n == 0 {
				// A permit that comes back by itself is the system moving bytes on.
				time.Sleep(20 * time.Millisecond)
				if n = must(a.out.CheckWrite(c)); n == 0 {
					break
				}
			}
			for ; n >= uint64(len(chunk)); n -= uint64(len(chunk)) {
				ok(t, "write", a.out.Write(c, chunk))
				sent += len(chunk)
			}
			if sent > 64<<20 {
				t.Error("the system takes any number of bytes")
				return
			}
		}
		received := make(chan int)
		go func() {
			n, _ := io.Copy(io.Discard, peer)
			received <- int(n)
		}()
		ok(t, "blocking-flush", a.out.BlockingFlush(c))
		ok(t, "shutdown", a.s.Shutdown(c, tcp.ShutdownTypeSend))
		if n := <-received; n != sent {
			t.Errorf("%d bytes arrived of %d", n, sent)
		}
	})
}

// overfill writes until the system takes no more and bytes wait, and returns how
// many were written.
func overfill(t *testing.T, c *component.Call, a conn) (sent int) {
	sink := a.s.(*tcpSocket).out
	for sink.sending() == nil {
		ok(t, "write", sink.Write(c.Context(), make([]byte, maxTransfer)))
		sent += maxTransfer
	}
	return sent
}

// TestTCPShutdownSendsRest shuts down while bytes wait: they go first.
func TestTCPShutdownSendsRest(t *testing.T) {
	l := must(net.Listen("tcp4", "127.0.0.1:0"))
	defer l.Close()
	guest(t, allowAll(), func(c *component.Call, h host) {
		a := dial(t, c, h, v4, l.Addr().(*net.TCPAddr).AddrPort().Port())
		defer a.drop()
		peer := must(l.Accept())
		defer peer.Close()
		sent := overfill(t, c, a)
		ok(t, "shutdown", a.s.Shutdown(c, tcp.ShutdownTypeSend))
		if n, err := io.Copy(io.Discard, peer); int(n) != sent || err != nil {
			t.Errorf("%d bytes arrived of %d: %v", n, sent, err)
		}
	})
}

// TestTCPDropWithRest drops a stream while bytes wait for a peer that never reads.
func TestTCPDropWithRest(t *testing.T) {
	l := must(net.Listen("tcp4", "127.0.0.1:0"))
	defer l.Close()
	guest(t, allowAll(), func(c *component.Call, h host) {
		a := dial(t, c, h, v4, l.Addr().(*net.TCPAddr).AddrPort().Port())
		peer := must(l.Accept())
		defer peer.Close()
		overfill(t, c, a)
		a.drop()
	})
}

// TestTCPParentFirst drops a socket before its streams, which live on.
func TestTCPParentFirst(t *testing.T) {
	guest(t, allowAll(), func(c *component.Call, h host) {
		l, port := newListener(t, c, h, v4)
		a := dial(t, c, h, v4, port)
		b := accept(t, c, l)
		l.Drop()
		a.s.Drop()
		b.s.Drop()
		ok(t, "write", a.out.BlockingWriteAndFlush(c, []byte("still here")))
		if got, err := b.in.BlockingRead(c, 100); string(got) != "still here" || err != nil {
			t.Errorf("blocking-read: %q, %v", got, err)
		}
		a.out.Drop()
		a.in.Drop()
		if _, err := b.in.BlockingRead(c, 100); !isClosed(err) {
			t.Errorf("read after the other end was dropped: %v", err)
		}
		b.in.Drop()
		b.out.Drop()
	})
}

func TestTCPOptions(t *testing.T) {
	for name, family := range families(t) {
		t.Run(name, func(t *testing.T) {
			guest(t, allowAll(), func(c *component.Call, h host) {
				s := newTCP(t, c, h, family)
				defer s.Drop()
				if on, err := s.KeepAliveEnabled(c); on || err != nil {
					t.Errorf("keep-alive-enabled: %v, %v", on, err)
				}
				ok(t, "set-keep-alive-enabled", s.SetKeepAliveEnabled(c, true))
				if on, err := s.KeepAliveEnabled(c); !on || err != nil {
					t.Errorf("keep-alive-enabled after setting it: %v, %v", on, err)
				}
				ok(t, "set-keep-alive-enabled", s.SetKeepAliveEnabled(c, false))
				if on, _ := s.KeepAliveEnabled(c); on {
					t.Error("keep-alive is on after setting it off")
				}
				ok(t, "set-keep-alive-idle-time", s.SetKeepAliveIdleTime(c, 41_000_000_001))
				if v, err := s.KeepAliveIdleTime(c); v != 42e9 || err != nil {
					t.Errorf("keep-alive-idle-time: %d, %v", v, err)
				}
				ok(t, "set-keep-alive-interval", s.SetKeepAliveInterval(c, 1))
				if v, err := s.KeepAliveInterval(c); v != 1e9 || err != nil {
					t.Errorf("keep-alive-interval: %d, %v", v, err)
				}
				ok(t, "the longest interval", s.SetKeepAliveInterval(c, 1<<64-1))
				ok(t, "set-keep-alive-count", s.SetKeepAliveCount(c, 7))
				if v, err := s.KeepAliveCount(c); v != 7 || err != nil {
					t.Errorf("keep-alive-count: %d, %v", v, err)
				}
				ok(t, "the largest count", s.SetKeepAliveCount(c, 1<<32-1))
				ok(t, "set-hop-limit", s.SetHopLimit(c, 42))
				if v, err := s.HopLimit(c); v != 42 || err != nil {
					t.Errorf("hop-limit: %d, %v", v, err)
				}
				ok(t, "set-receive-buffer-size", s.SetReceiveBufferSize(c, 16384))
				if v, err := s.ReceiveBufferSize(c); v != 16384 || err != nil {
					t.Errorf("receive-buffer-size: %d, %v", v, err)
				}
				ok(t, "set-send-buffer-size", s.SetSendBufferSize(c, 16384))
				if v, err := s.SendBufferSize(c); v != 16384 || err != nil {
					t.Errorf("send-buffer-size: %d, %v", v, err)
				}
				ok(t, "a huge buffer", s.SetSendBufferSize(c, 1<<60))
				if v, _ := s.SendBufferSize(c); v > maxBuffer {
					t.Errorf("a guest got a buffer of %d bytes", v)
				}
				for what, err := range map[string]error{
					"idle time":      s.SetKeepAliveIdleTime(c, 0),
					"interval":       s.SetKeepAliveInterval(c, 0),
					"count":          s.SetKeepAliveCount(c, 0),
					"hop limit":      s.SetHopLimit(c, 0),
					"receive buffer": s.SetReceiveBufferSize(c, 0),
					"send buffer":    s.SetSendBufferSize(c, 0),
					"backlog":        s.SetListenBacklogSize(c, 0),
				} {
					want(t, what+" of 0", err, network.ErrorCodeInvalidArgument)
				}
			})
		})
	}
}

// TestTCPEndsWithRequest lets the context end while a guest waits for bytes, for
// a connection and for room to write.
func TestTCPEndsWithRequest(t *testing.T) {
	l := must(net.Listen("tcp4", "127.0.0.1:0"))
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).AddrPort().Port()
	over := errors.New("the client has left")
	for name, block := range map[string]func(*testing.T, *component.Call, host) error{
		"read": func(t *testing.T, c *component.Call, h host) error {
			a := dial(t, c, h, v4, port)
			defer a.drop()
			_, err := a.in.BlockingRead(c, 1)
			return err
		},
		"accept": func(t *testing.T, c *component.Call, h host) error {
			l, _ := newListener(t, c, h, v4)
			defer l.Drop()
			p := must(l.Subscribe(c))
			return p.Block(c)
		},
		"write": func(t *testing.T, c *component.Call, h host) error {
			a := dial(t, c, h, v4, port)
			defer a.drop()
			for {
				if err := a.out.BlockingWriteAndFlush(c, make([]byte, 4096)); err != nil {
					return err
				}
			}
		},
		"poll": func(t *testing.T, c *component.Call, h host) error {
			l, port := newListener(t, c, h, v4)
			defer l.Drop()
			a := dial(t, c, h, v4, port)
			defer a.drop()
			b := accept(t, c, l)
			defer b.drop()
			e := receiveEvent{a.in}
			_, err := wasiio.Poll(c.Context(), []wasiio.Event{e, e, receiveEvent{b.in}, tcpEvent{l}, e})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(context.Background())
			n := allowAll()
			var got error
			var begun time.Time
			guestUntil(t, ctx, n, func(c *component.Call, h host) {
				time.AfterFunc(30*time.Millisecond, func() { cancel(over) })
				begun = time.Now()
				got = block(t, c, h)
			})
			if got != over {
				t.Errorf("the wait ended with %v, want %v", got, over)
			}
			if d := time.Since(begun); d > patience/2 {
				t.Errorf("the wait ended after %v", d)
			}
			if n.open != 0 {
				t.Errorf("%d sockets were left open", n.open)
			}
		})
	}
}

// TestTCPDeadlineLeavesNothing polls two events of one socket again and again,
// with waits that are given up: none of them disturbs a later one.
func TestTCPDeadlineLeavesNothing(t *testing.T) {
	guest(t, allowAll(), func(c *component.Call, h host) {
		l, port := newListener(t, c, h, v4)
		defer l.Drop()
		a := dial(t, c, h, v4, port)
		defer a.drop()
		b := accept(t, c, l)
		defer b.drop()
		e := receiveEvent{a.in}
		for range 200 {
			timer := wasiio.NewTimer(200 * time.Microsecond)
			ready, err := wasiio.Poll(c.Context(), []wasiio.Event{e, timer, e})
			timer.Stop()
			ok(t, "poll", err)
			if len(ready) != 1 || ready[0] != 1 {
				t.Errorf("ready are %v, want the timer alone", ready)
				return
			}
		}
		ok(t, "write", b.out.BlockingWriteAndFlush(c, []byte("x")))
		ready, err := wasiio.Poll(c.Context(), []wasiio.Event{e, wasiio.NewTimer(time.Hour), e})
		if err != nil || len(ready) != 2 {
			t.Errorf("poll: %v, %v; want the socket twice", ready, err)
		}
	})
}

// TestBudget has two instances with one budget between them, one of which keeps its
// sockets.
func TestBudget(t *testing.T) {
	shared := budget.New(3)
	hoarder, other := allowAll(), allowAll()
	hoarder.Budget, other.Budget = shared, shared
	guest(t, hoarder, func(c *component.Call, h host) {
		l, port := newListener(t, c, h, v4)
		defer l.Drop()
		kept := newTCP(t, c, h, v4)
		guest(t, other, func(c *component.Call, h host) {
			s := newUDP(t, c, h, v4)
			_, err := h.CreateTCPSocket(c, v4)
			want(t, "create-tcp-socket beyond the budget", err, network.ErrorCodeNewSocketLimit)
			_, err = h.CreateUDPSocket(c, v6)
			want(t, "create-udp-socket beyond the budget", err, network.ErrorCodeNewSocketLimit)
			s.Drop()
		})
		client := dial(t, c, h, v4, port)
		wait(t, c, l.Subscribe)
		_, err := l.Accept(c)
		want(t, "accept beyond the budget", err, network.ErrorCodeNewSocketLimit)
		kept.Drop()
		accept(t, c, l).drop()
		client.drop()
		_, err = l.Accept(c)
		want(t, "accept without a connection", err, network.ErrorCodeWouldBlock)
	})
	if n := shared.Held(); n != 0 {
		t.Errorf("%d sockets are counted that are closed", n)
	}
}
