package sockets

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host/budget"
	"github.com/minispin/minispin/wit/bindings/wasi/sockets/instancenetwork"
	"github.com/minispin/minispin/wit/bindings/wasi/sockets/ipnamelookup"
	"github.com/minispin/minispin/wit/bindings/wasi/sockets/network"
	"github.com/minispin/minispin/wit/bindings/wasi/sockets/tcp"
	"github.com/minispin/minispin/wit/bindings/wasi/sockets/tcpcreatesocket"
	"github.com/minispin/minispin/wit/bindings/wasi/sockets/udp"
	"github.com/minispin/minispin/wit/bindings/wasi/sockets/udpcreatesocket"
)

const (
	// DefaultMaxSockets is how many sockets an instance may have open, where
	// Network does not say otherwise.
	DefaultMaxSockets = 128
	// maxLookups is how many look-ups of an instance may be under way.
	maxLookups = 16
	// maxBuffer is the largest buffer, in bytes, that a guest may ask the system
	// to keep for a socket in each direction. Larger wishes are cut down to it.
	maxBuffer = 1 << 20
)

// Network is the network of one instance. The zero value denies everything.
// Like the instance it belongs to one goroutine.
type Network struct {
	// Policy decides which addresses may be used; nil denies all.
	Policy Policy
	// MaxSockets is how many sockets may be open at a time, accepted connections
	// among them; 0 means DefaultMaxSockets. One more is new-socket-limit.
	MaxSockets int
	// Budget, unless it is nil, bounds the sockets of all that share it, too.
	Budget *budget.Budget
	// Resolver looks names up; nil means net.DefaultResolver.
	Resolver Resolver

	open    int           // sockets with a descriptor
	lookups chan struct{} // a token for each that is under way
}

// Resolver looks up the addresses of a host; *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Define adds all interfaces of wasi:sockets to l; of gives the network of the
// instance that calls.
func Define(l *component.Linker, of func(*component.Call) *Network) error {
	at := func(c *component.Call) host { return host{of(c)} }
	for _, i := range []*component.Interface{
		network.Bind(),
		tcp.Bind(),
		udp.Bind(),
		instancenetwork.Bind(func(c *component.Call) instancenetwork.Host { return at(c) }),
		ipnamelookup.Bind(func(c *component.Call) ipnamelookup.Host { return at(c) }),
		tcpcreatesocket.Bind(func(c *component.Call) tcpcreatesocket.Host { return at(c) }),
		udpcreatesocket.Bind(func(c *component.Call) udpcreatesocket.Host { return at(c) }),
	} {
		if err := l.Define(i); err != nil {
			return fmt.Errorf("wasi:sockets: %w", err)
		}
	}
	return nil
}

// host is the free functions of wasi:sockets.
type host struct{ n *Network }

// handle is the resource network. There is one network for an instance, and
// holding a handle of it grants nothing: the policy does.
type handle struct{}

func (handle) Drop() {}

func (h host) InstanceNetwork(*component.Call) (network.Network, error) { return handle{}, nil }

func (h host) CreateTCPSocket(_ *component.Call, family network.IPAddressFamily) (tcp.TCPSocket, error) {
	d, err := h.n.create(family, stream)
	if err != nil {
		return nil, err
	}
	return &tcpSocket{net: h.n, fd: d, family: family, backlog: defaultBacklog}, nil
}

func (h host) CreateUDPSocket(_ *component.Call, family network.IPAddressFamily) (udp.UDPSocket, error) {
	d, err := h.n.create(family, datagram)
	if err != nil {
		return nil, err
	}
	return &udpSocket{net: h.n, fd: d, family: family}, nil
}

// create opens a descriptor and counts it until it is closed. A guest that has no
// policy gets none: it could not use it for anything.
func (n *Network) create(family network.IPAddressFamily, kind kind) (*descriptor, error) {
	if n.Policy == nil {
		return nil, network.ErrorCodeAccessDenied
	}
	if !n.take() {
		return nil, network.ErrorCodeNewSocketLimit
	}
	d, err := newDescriptor(family, kind)
	if err != nil {
		n.giveBack()
		return nil, codeOf(err)
	}
	d.closed = n.giveBack
	return d, nil
}

// take counts one more socket, if there may be one.
func (n *Network) take() bool {
	limit := n.MaxSockets
	if limit == 0 {
		limit = DefaultMaxSockets
	}
	if n.open >= limit || !n.Budget.Take() {
		return false
	}
	n.open++
	return true
}

func (n *Network) giveBack() {
	n.open--
	n.Budget.GiveBack()
}

func (n *Network) resolver() Resolver {
	if n.Resolver == nil {
		return net.DefaultResolver
	}
	return n.Resolver
}

// permit asks the policy.
func (n *Network) permit(c *component.Call, use Use, addr netip.AddrPort) error {
	if n.Policy == nil || !n.Policy.AllowAddress(c.Context(), use, addr) {
		return network.ErrorCodeAccessDenied
	}
	return nil
}
