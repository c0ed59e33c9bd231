package app

import (
	"context"
	"net/netip"

	"github.com/minispin/minispin/host/outbound"
	"github.com/minispin/minispin/host/wasi/sockets"
)

// maxSockets is how many sockets all instances of a component may have open
// together. Each has its own limit beside; but there can be many instances, and the
// process has only so many descriptors.
const maxSockets = 1024

// network is what a component may do with sockets: connect and send to the
// addresses that it may reach, bind UDP to local ones of them, ask for the
// addresses of hosts that its entries for sockets name, and never listen.
type network struct{ policy *outbound.Policy }

var _ sockets.Policy = network{}

// AllowAddress implements sockets.Policy.
func (n network) AllowAddress(_ context.Context, use sockets.Use, addr netip.AddrPort) bool {
	if use == sockets.UseTCPBind {
		return false
	}
	return n.policy.CheckAddr(use.Transport(), addr) == nil
}

// AllowLookup implements sockets.Policy.
func (n network) AllowLookup(_ context.Context, name string) bool {
	return n.policy.CheckLookup(name) == nil
}
