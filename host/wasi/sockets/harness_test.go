//go:build linux || darwin

package sockets

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host/wasi/io"
	"github.com/minispin/minispin/host/wasi/wasitest"
	"github.com/minispin/minispin/wit/bindings/wasi/io/poll"
	"github.com/minispin/minispin/wit/bindings/wasi/sockets/network"
	"github.com/minispin/minispin/wit/bindings/wasi/sockets/tcp"
	"github.com/minispin/minispin/wit/bindings/wasi/sockets/udp"
	"github.com/minispin/minispin/wit/value"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	v4 = network.IPAddressFamilyIpv4
	v6 = network.IPAddressFamilyIpv6
)

// patience is longer than anything on loopback takes.
const patience = 10 * time.Second

// policy allows what its functions allow; a nil function allows everything.
type policy struct {
	address func(Use, netip.AddrPort) bool
	lookup  func(string) bool
}

func (p policy) AllowAddress(_ context.Context, u Use, a netip.AddrPort) bool {
	return p.address == nil || p.address(u, a)
}

func (p policy) AllowLookup(_ context.Context, name string) bool {
	return p.lookup == nil || p.lookup(name)
}

// guest runs body as a guest with the network n, and checks that all sockets are
// closed when it has dropped its handles.
func guest(t *testing.T, n *Network, body func(c *component.Call, h host)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := guestUntil(t, ctx, n, body); err != nil {
		t.Fatal(err)
	}
	if n.open != 0 {
		t.Errorf("%d sockets were left open", n.open)
	}
}

func guestUntil(t *testing.T, ctx context.Context, n *Network, body func(c *component.Call, h host)) error {
	t.Helper()
	return wasitest.Call(t, ctx, nil, func(c *component.Call) error {
		body(c, host{n})
		return nil
	})
}

func allowAll() *Network { return &Network{Policy: policy{}} }

func wasiAddr(s string) network.IPSocketAddress { return toGuest(netip.MustParseAddrPort(s)) }

// at returns a loopback address of the family with that port.
func at(family network.IPAddressFamily, port uint16) network.IPSocketAddress {
	ip := netip.MustParseAddr("127.0.0.1")
	if family == v6 {
		ip = netip.IPv6Loopback()
	}
	return toGuest(netip.AddrPortFrom(ip, port))
}

func portOf(a network.IPSocketAddress) uint16 {
	if a.Case == network.IPSocketAddressIpv4 {
		return a.Ipv4.Port
	}
	return a.Ipv6.Port
}

// families are those this machine has.
func families(t *testing.T) map[string]network.IPAddressFamily {
	m := map[string]network.IPAddressFamily{"ipv4": v4}
	if l, err := net.Listen("tcp6", "[::1]:0"); err == nil {
		l.Close()
		m["ipv6"] = v6
	}
	return m
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func want(t *testing.T, what string, got error, code network.ErrorCode) {
	t.Helper()
	if got != error(code) {
		t.Errorf("%s: %v, want %v", what, got, code)
	}
}

// ok ends the guest, and so the test, with err. FailNow must not be called beneath
// a guest: it would unwind the engine's stack.
func ok(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", what, err)
		panic(err)
	}
}

// wait blocks on the pollable that subscribe gives, and drops it.
func wait(t *testing.T, c *component.Call, subscribe func(*component.Call) (poll.Pollable, error)) {
	t.Helper()
	p := must(subscribe(c))
	defer p.Drop()
	ok(t, "block", p.(*wasiio.Pollable).Block(c))
	if ready := must(p.(*wasiio.Pollable).Ready(c)); !ready {
		t.Error("a pollable that was waited for is not ready")
	}
}

func newTCP(t *testing.T, c *component.Call, h host, family network.IPAddressFamily) *tcpSocket {
	t.Helper()
	s, err := h.CreateTCPSocket(c, family)
	ok(t, "create-tcp-socket", err)
	return s.(*tcpSocket)
}

func newUDP(t *testing.T, c *component.Call, h host, family network.IPAddressFamily) *udpSocket {
	t.Helper()
	s, err := h.CreateUDPSocket(c, family)
	ok(t, "create-udp-socket", err)
	return s.(*udpSocket)
}

// newListener returns a listening socket of the guest's and its port.
func newListener(t *testing.T, c *component.Call, h host, family network.IPAddressFamily) (*tcpSocket, uint16) {
	t.Helper()
	s := newTCP(t, c, h, family)
	ok(t, "start-bind", s.StartBind(c, handle{}, at(family, 0)))
	ok(t, "finish-bind", s.FinishBind(c))
	ok(t, "start-listen", s.StartListen(c))
	ok(t, "finish-listen", s.FinishListen(c))
	return s, portOf(must(s.LocalAddress(c)))
}

// conn is a connection of the guest's with its streams.
type conn struct {
	s   tcp.TCPSocket
	in  *receiveStream
	out *wasiio.OutputStream
}

func (c conn) drop() {
	c.in.Drop()
	c.out.Drop()
	c.s.Drop()
}

func dial(t *testing.T, c *component.Call, h host, family network.IPAddressFamily, port uint16) conn {
	t.Helper()
	s := newTCP(t, c, h, family)
	ok(t, "start-connect", s.StartConnect(c, handle{}, at(family, port)))
	wait(t, c, s.Subscribe)
	streams, err := s.FinishConnect(c)
	ok(t, "finish-connect", err)
	return conn{s, streams.F0.(*receiveStream), streams.F1.(*wasiio.OutputStream)}
}

func accept(t *testing.T, c *component.Call, l *tcpSocket) conn {
	t.Helper()
	wait(t, c, l.Subscribe)
	a, err := l.Accept(c)
	ok(t, "accept", err)
	return conn{a.F0, a.F1.(*receiveStream), a.F2.(*wasiio.OutputStream)}
}

// bindUDP binds s to loopback and returns its port.
func bindUDP(t *testing.T, c *component.Call, s *udpSocket) uint16 {
	t.Helper()
	ok(t, "start-bind", s.StartBind(c, handle{}, at(s.family, 0)))
	wait(t, c, s.Subscribe)
	ok(t, "finish-bind", s.FinishBind(c))
	return portOf(must(s.LocalAddress(c)))
}

type udpStreams struct {
	in  *incomingDatagrams
	out *outgoingDatagrams
}

func (s udpStreams) drop() {
	s.in.Drop()
	s.out.Drop()
}

func streamsOf(t *testing.T, c *component.Call, s *udpSocket, remote value.Option[network.IPSocketAddress]) udpStreams {
	t.Helper()
	p, err := s.Stream(c, remote)
	ok(t, "stream", err)
	return udpStreams{p.F0.(*incomingDatagrams), p.F1.(*outgoingDatagrams)}
}

func toNobody() value.Option[network.IPSocketAddress] { return value.None[network.IPSocketAddress]() }

func datagramTo(data string, to value.Option[network.IPSocketAddress]) []udp.OutgoingDatagram {
	return []udp.OutgoingDatagram{{Data: []byte(data), RemoteAddress: to}}
}
