package sockets

import (
	"context"
	"net/netip"
)

// Use is what a guest wants to do with an address.
type Use uint8

const (
	// UseTCPBind binds a TCP socket to a local address, which may be a
	// wildcard and may leave the port open (0). A listener needs no more.
	UseTCPBind Use = iota
	// UseTCPConnect connects a TCP socket to a remote address.
	UseTCPConnect
	// UseUDPBind binds a UDP socket to a local address, as UseTCPBind.
	UseUDPBind
	// UseUDPConnect sets the one remote address of a UDP socket's streams.
	UseUDPConnect
	// UseUDPSend sends a datagram to a remote address.
	UseUDPSend
)

var useNames = [...]string{"TCP bind", "TCP connect", "UDP bind", "UDP connect", "UDP send"}

// String names the use, as in "TCP connect".
func (u Use) String() string {
	if int(u) < len(useNames) {
		return useNames[u]
	}
	return "unknown use"
}

// Transport returns the protocol of u: "tcp" or "udp".
func (u Use) Transport() string {
	if u <= UseTCPConnect {
		return "tcp"
	}
	return "udp"
}

// Policy decides what a guest may do with the network. What it does not allow
// the guest is told as access-denied. Its methods are called on the goroutine
// that runs the guest; ctx is that of the guest's call. A policy may be shared
// by instances that run at the same time.
type Policy interface {
	// AllowAddress reports whether the guest may put addr to that use. An
	// address is never an IPv4 one in an IPv6 form, and has no zone. It is asked
	// for every operation anew, for each datagram sent too.
	AllowAddress(ctx context.Context, use Use, addr netip.AddrPort) bool
	// AllowLookup reports whether the guest may ask the resolver for name, which
	// is syntactically the name of a host. Names that are addresses are not
	// asked for.
	AllowLookup(ctx context.Context, name string) bool
}
