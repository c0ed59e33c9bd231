//go:build linux || darwin

package sockets

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/wit/bindings/wasi/sockets/network"
	"github.com/minispin/minispin/wit/bindings/wasi/sockets/udp"
	"github.com/minispin/minispin/wit/value"
)

// TestUDPConversation sends between two sockets of a guest: one for all, one for
// one other side.
func TestUDPConversation(t *testing.T) {
	for name, family := range families(t) {
		t.Run(name, func(t *testing.T) {
			guest(t, allowAll(), func(c *component.Call, h host) {
				a, b := newUDP(t, c, h, family), newUDP(t, c, h, family)
				defer a.Drop()
				defer b.Drop()
				aPort, bPort := bindUDP(t, c, a), bindUDP(t, c, b)
				if f, _ := a.AddressFamily(c); f != family {
					t.Errorf("address-family: %v", f)
				}
				all := streamsOf(t, c, a, toNobody())
				defer all.drop()
				one := streamsOf(t, c, b, value.Some(at(family, aPort)))
				defer one.drop()
				if got, err := b.RemoteAddress(c); err != nil || got != at(family, aPort) {
					t.Errorf("remote-address: %v, %v", got, err)
				}
				_, err := a.RemoteAddress(c)
				want(t, "remote-address of streams for all", err, network.ErrorCodeInvalidState)

				if got, err := all.in.Receive(c, 10); len(got) > 0 || err != nil {
					t.Errorf("receive before a send: %v, %v", got, err)
				}
				wait(t, c, one.out.Subscribe)
				if n := must(one.out.CheckSend(c)); n != maxDatagrams {
					t.Errorf("check-send: %d", n)
				}
				list := append(datagramTo("first", toNobody()), datagramTo("", value.Some(at(family, aPort)))...)
				if n, err := one.out.Send(c, list); n != 2 || err != nil {
					t.Errorf("send: %d, %v", n, err)
				}
				wait(t, c, all.in.Subscribe)
				for _, data := range []string{"first", ""} {
					got, err := all.in.Receive(c, 1)
					if err != nil || len(got) != 1 || string(got[0].Data) != data || got[0].RemoteAddress != at(family, bPort) {
						t.Errorf("receive: %v, %v; want %q of %d", got, err, data, bPort)
					}
				}
				if got, err := all.in.Receive(c, 0); len(got) > 0 || err != nil {
					t.Errorf("receive of none: %v, %v", got, err)
				}

				must(all.out.CheckSend(c))
				if n, err := all.out.Send(c, datagramTo("back", value.Some(at(family, bPort)))); n != 1 || err != nil {
					t.Errorf("send: %d, %v", n, err)
				}
				wait(t, c, one.in.Subscribe)
				if got, err := one.in.Receive(c, 1<<63); err != nil || len(got) != 1 || string(got[0].Data) != "back" {
					t.Errorf("receive: %v, %v", got, err)
				}
			})
		})
	}
}

// TestUDPOnlyFromRemote checks that streams for one other side get nothing of a
// third, and get it again when they are opened for all.
func TestUDPOnlyFromRemote(t *testing.T) {
	third := must(net.ListenPacket("udp4", "127.0.0.1:0"))
	defer third.Close()
	guest(t, allowAll(), func(c *component.Call, h host) {
		s := newUDP(t, c, h, v4)
		defer s.Drop()
		port := bindUDP(t, c, s)
		me := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: int(port)}
		one := streamsOf(t, c, s, value.Some(at(v4, 9)))
		third.WriteTo([]byte("unasked"), me)
		time.Sleep(10 * time.Millisecond)
		if got, err := one.in.Receive(c, 1); len(got) > 0 || err != nil {
			t.Errorf("received of a third: %v, %v", got, err)
		}
		one.drop()
		all := streamsOf(t, c, s, toNobody())
		defer all.drop()
		if got := portOf(must(s.LocalAddress(c))); got != port {
			t.Errorf("the port was %d and is %d", port, got)
		}
		third.WriteTo([]byte("asked"), me)
		wait(t, c, all.in.Subscribe)
		if got, err := all.in.Receive(c, 1); len(got) != 1 || string(got[0].Data) != "asked" || err != nil {
			t.Errorf("receive: %v, %v", got, err)
		}
	})
}

func TestUDPStates(t *testing.T) {
	guest(t, allowAll(), func(c *component.Call, h host) {
		s := newUDP(t, c, h, v4)
		defer s.Drop()
		_, err := s.LocalAddress(c)
		want(t, "local-address, unbound", err, network.ErrorCodeInvalidState)
		_, err = s.RemoteAddress(c)
		want(t, "remote-address, unbound", err, network.ErrorCodeInvalidState)
		want(t, "finish-bind, unbound", s.FinishBind(c), network.ErrorCodeNotInProgress)
		_, err = s.Stream(c, toNobody())
		want(t, "stream, unbound", err, network.ErrorCodeInvalidState)
		want(t, "start-bind, other family", s.StartBind(c, handle{}, at(v6, 0)), network.ErrorCodeInvalidArgument)

		ok(t, "start-bind", s.StartBind(c, handle{}, at(v4, 0)))
		want(t, "start-bind, binding", s.StartBind(c, handle{}, at(v4, 0)), network.ErrorCodeConcurrencyConflict)
		_, err = s.Stream(c, toNobody())
		want(t, "stream, binding", err, network.ErrorCodeInvalidState)
		_, err = s.LocalAddress(c)
		want(t, "local-address, binding", err, network.ErrorCodeConcurrencyConflict)
		ok(t, "finish-bind", s.FinishBind(c))
		want(t, "start-bind, bound", s.StartBind(c, handle{}, at(v4, 0)), network.ErrorCodeInvalidState)
		want(t, "finish-bind, bound", s.FinishBind(c), network.ErrorCodeNotInProgress)

		taken := newUDP(t, c, h, v4)
		defer taken.Drop()
		want(t, "start-bind, taken", taken.StartBind(c, handle{}, must(s.LocalAddress(c))), network.ErrorCodeAddressInUse)

		for what, addr := range map[string]network.IPSocketAddress{
			"port 0":       at(v4, 0),
			"unspecified":  wasiAddr("0.0.0.0:9"),
			"other family": at(v6, 9),
		} {
			_, err = s.Stream(c, value.Some(addr))
			want(t, "stream, "+what, err, network.ErrorCodeInvalidArgument)
		}
	})
}

func TestUDPSendErrors(t *testing.T) {
	guest(t, allowAll(), func(c *component.Call, h host) {
		s := newUDP(t, c, h, v4)
		defer s.Drop()
		bindUDP(t, c, s)
		all := streamsOf(t, c, s, toNobody())
		defer all.drop()
		to := value.Some(at(v4, 9))
		for what, tt := range map[string]struct {
			d    []udp.OutgoingDatagram
			code network.ErrorCode
		}{
			"no address":     {datagramTo("x", toNobody()), network.ErrorCodeInvalidArgument},
			"port 0":         {datagramTo("x", value.Some(at(v4, 0))), network.ErrorCodeInvalidArgument},
			"unspecified":    {datagramTo("x", value.Some(wasiAddr("0.0.0.0:9"))), network.ErrorCodeInvalidArgument},
			"other family":   {datagramTo("x", value.Some(at(v6, 9))), network.ErrorCodeInvalidArgument},
			"too large":      {datagramTo(strings.Repeat("x", 70000), to), network.ErrorCodeDatagramTooLarge},
			"broadcast":      {datagramTo("x", value.Some(wasiAddr("255.255.255.255:9"))), network.ErrorCodeAccessDenied},
			"one good first": {append(datagramTo("x", to), datagramTo("x", toNobody())...), network.ErrorCodeUnknown},
		} {
			must(all.out.CheckSend(c))
			n, err := all.out.Send(c, tt.d)
			if what == "one good first" {
				if n != 1 || err != nil {
					t.Errorf("send, %s: %d, %v", what, n, err)
				}
				continue
			}
			want(t, "send, "+what, err, tt.code)
		}
	})
	guest(t, allowAll(), func(c *component.Call, h host) {
		s := newUDP(t, c, h, v4)
		defer s.Drop()
		bindUDP(t, c, s)
		one := streamsOf(t, c, s, value.Some(at(v4, 9)))
		defer one.drop()
		must(one.out.CheckSend(c))
		_, err := one.out.Send(c, datagramTo("x", value.Some(at(v4, 10))))
		want(t, "send to another than the streams'", err, network.ErrorCodeInvalidArgument)
	})
}

// TestUDPRefused sends to a port where nobody is: the system tells a later
// operation.
func TestUDPRefused(t *testing.T) {
	gone := must(net.ListenPacket("udp4", "127.0.0.1:0"))
	port := gone.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	gone.Close()
	guest(t, allowAll(), func(c *component.Call, h host) {
		s := newUDP(t, c, h, v4)
		defer s.Drop()
		bindUDP(t, c, s)
		one := streamsOf(t, c, s, value.Some(at(v4, port)))
		defer one.drop()
		must(one.out.CheckSend(c))
		if n, err := one.out.Send(c, datagramTo("x", toNobody())); n != 1 || err != nil {
			t.Errorf("send: %d, %v", n, err)
		}
		wait(t, c, one.in.Subscribe)
		_, err := one.in.Receive(c, 1)
		want(t, "receive", err, network.ErrorCodeConnectionRefused)
	})
}

func TestUDPSendUnpermitted(t *testing.T) {
	for name, permits := range map[string]int{"no check-send": 0, "more than permitted": maxDatagrams} {
		t.Run(name, func(t *testing.T) {
			n := allowAll()
			err := guestUntil(t, context.Background(), n, func(c *component.Call, h host) {
				s := newUDP(t, c, h, v4)
				defer s.Drop()
				bindUDP(t, c, s)
				all := streamsOf(t, c, s, toNobody())
				defer all.drop()
				if permits > 0 {
					must(all.out.CheckSend(c))
				}
				all.out.Send(c, make([]udp.OutgoingDatagram, permits+1))
				t.Error("the send returned")
			})
			if err == nil || !strings.Contains(err.Error(), "check-send permitted") {
				t.Errorf("the guest ended with %v", err)
			}
		})
	}
}

func TestUDPOptions(t *testing.T) {
	for name, family := range families(t) {
		t.Run(name, func(t *testing.T) {
			guest(t, allowAll(), func(c *component.Call, h host) {
				s := newUDP(t, c, h, family)
				defer s.Drop()
				ok(t, "set-unicast-hop-limit", s.SetUnicastHopLimit(c, 3))
				if v, err := s.UnicastHopLimit(c); v != 3 || err != nil {
					t.Errorf("unicast-hop-limit: %d, %v", v, err)
				}
				ok(t, "set-receive-buffer-size", s.SetReceiveBufferSize(c, 16384))
				if v, err := s.ReceiveBufferSize(c); v != 16384 || err != nil {
					t.Errorf("receive-buffer-size: %d, %v", v, err)
				}
				ok(t, "set-send-buffer-size", s.SetSendBufferSize(c, 16384))
				if v, err := s.SendBufferSize(c); v != 16384 || err != nil {
					t.Errorf("send-buffer-size: %d, %v", v, err)
				}
				want(t, "hop limit of 0", s.SetUnicastHopLimit(c, 0), network.ErrorCodeInvalidArgument)
				want(t, "receive buffer of 0", s.SetReceiveBufferSize(c, 0), network.ErrorCodeInvalidArgument)
				want(t, "send buffer of 0", s.SetSendBufferSize(c, 0), network.ErrorCodeInvalidArgument)
			})
		})
	}
}

// TestPolicy denies each use in turn and checks that just it is denied, and what
// the policy was asked.
func TestPolicy(t *testing.T) {
	l := must(net.Listen("tcp4", "127.0.0.1:0"))
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).AddrPort().Port()
	to := at(v4, port)
	for use := UseTCPBind; use <= UseUDPSend; use++ {
		t.Run(use.String(), func(t *testing.T) {
			denied := map[Use]netip.AddrPort{}
			n := &Network{Policy: policy{address: func(u Use, a netip.AddrPort) bool {
				if u == use {
					denied[u] = a
				}
				return u != use
			}}}
			guest(t, n, func(c *component.Call, h host) {
				check := func(of Use, err error) {
					t.Helper()
					if of == use {
						want(t, of.String(), err, network.ErrorCodeAccessDenied)
					} else {
						ok(t, of.String(), err)
					}
				}
				b := newTCP(t, c, h, v4)
				defer b.Drop()
				check(UseTCPBind, b.StartBind(c, handle{}, at(v4, 0)))
				s := newTCP(t, c, h, v4)
				defer s.Drop()
				check(UseTCPConnect, s.StartConnect(c, handle{}, to))
				d := newUDP(t, c, h, v4)
				defer d.Drop()
				err := d.StartBind(c, handle{}, at(v4, 0))
				check(UseUDPBind, err)
				if err != nil {
					return
				}
				ok(t, "finish-bind", d.FinishBind(c))
				one, err := d.Stream(c, value.Some(to))
				check(UseUDPConnect, err)
				if err == nil {
					one.F0.Drop()
					one.F1.Drop()
				}
				all := streamsOf(t, c, d, toNobody())
				defer all.drop()
				must(all.out.CheckSend(c))
				_, err = all.out.Send(c, datagramTo("x", value.Some(to)))
				check(UseUDPSend, err)
			})
			asked := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port)
			if use == UseTCPBind || use == UseUDPBind {
				asked = netip.MustParseAddrPort("127.0.0.1:0")
			}
			if denied[use] != asked {
				t.Errorf("the policy was asked for %v, want %v", denied[use], asked)
			}
		})
	}
}

// TestNoPolicy checks that the zero Network denies everything.
func TestNoPolicy(t *testing.T) {
	guest(t, &Network{}, func(c *component.Call, h host) {
		_, err := h.CreateTCPSocket(c, v4)
		want(t, "create-tcp-socket", err, network.ErrorCodeAccessDenied)
		_, err = h.CreateUDPSocket(c, v6)
		want(t, "create-udp-socket", err, network.ErrorCodeAccessDenied)
		_, err = h.ResolveAddresses(c, handle{}, "localhost")
		want(t, "resolve-addresses", err, network.ErrorCodeAccessDenied)
		if n, err := h.InstanceNetwork(c); n == nil || err != nil {
			t.Errorf("instance-network: %v, %v", n, err)
		}
	})
}

// TestMaxSockets opens as many sockets as there may be, by creating and by
// accepting.
func TestMaxSockets(t *testing.T) {
	n := &Network{Policy: policy{}, MaxSockets: 3}
	guest(t, n, func(c *component.Call, h host) {
		l, port := newListener(t, c, h, v4)
		defer l.Drop()
		a := dial(t, c, h, v4, port)
		u := newUDP(t, c, h, v4)
		_, err := h.CreateUDPSocket(c, v4)
		want(t, "create-udp-socket", err, network.ErrorCodeNewSocketLimit)
		wait(t, c, l.Subscribe)
		_, err = l.Accept(c)
		want(t, "accept", err, network.ErrorCodeNewSocketLimit)
		u.Drop()
		accept(t, c, l).drop()
		a.drop()
	})
}
