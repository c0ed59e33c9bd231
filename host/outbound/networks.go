package outbound

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
)

// Networks are the networks that no connection may be made to, whatever the
// manifest allows: block_networks of the runtime configuration. A nil Networks
// blocks nothing.
type Networks struct{ prefixes []netip.Prefix }

// ParseNetworks reads entries of block_networks: networks such as 10.0.0.0/8,
// single addresses, and the word private for every address that is not routed
// globally. Without entries it returns nil.
func ParseNetworks(entries []string) (*Networks, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	n := &Networks{}
	for _, e := range entries {
		if e == "private" {
			n.prefixes = append(n.prefixes, private...)
			continue
		}
		p, err := netip.ParsePrefix(e)
		if a, aerr := netip.ParseAddr(e); err != nil && aerr == nil && a.Zone() == "" {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			return nil, fmt.Errorf(`block_networks: %q is neither a network such as 10.0.0.0/8 nor the word "private"`, e)
		}
		n.prefixes = append(n.prefixes, unmapPrefix(p.Masked()))
	}
	return n, nil
}

// Contain reports whether connections to a are blocked. An address that carries
// another one, as IPv6 addresses do for IPv4 hosts behind a translator, is
// blocked with that one.
func (n *Networks) Contain(a netip.Addr) bool {
	if n == nil {
		return false
	}
	a = a.WithZone("").Unmap()
	if n.contain(a) {
		return true
	}
	if a.IsUnspecified() {
		// The system connects to the loopback address then.
		return n.contain(netip.AddrFrom4([4]byte{127, 0, 0, 1})) || n.contain(netip.IPv6Loopback())
	}
	inner, ok := embedded(a)
	return ok && n.contain(inner)
}

func (n *Networks) contain(a netip.Addr) bool {
	for _, p := range n.prefixes {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

var (
	compatible = netip.MustParsePrefix("::/96")        // RFC 4291, section 2.5.5.1
	nat64      = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052
	sixToFour  = netip.MustParsePrefix("2002::/16")    // RFC 3056
	teredo     = netip.MustParsePrefix("2001::/32")    // RFC 4380
)

// embedded returns the IPv4 address that an IPv6 address leads to.
func embedded(a netip.Addr) (netip.Addr, bool) {
	if !a.Is6() || a == netip.IPv6Loopback() {
		return a, false
	}
	b := a.As16()
	switch {
	case compatible.Contains(a), nat64.Contains(a):
		return netip.AddrFrom4([4]byte(b[12:])), true
	case sixToFour.Contains(a):
		return netip.AddrFrom4([4]byte(b[2:6])), true
	case teredo.Contains(a):
		return netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]}), true
	}
	return a, false
}

// private are the networks that are not globally reachable, by the registries of
// special-purpose addresses (RFC 6890), and those of multicast.
var private = func() (list []netip.Prefix) {
	for _, s := range strings.Fields(`
		0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12
		192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15
		198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4
		::/128 ::1/128 64:ff9b:1::/48 100::/64 2001::/23 2001:db8::/32 3fff::/20
		5f00::/16 fc00::/7 fe80::/10 fec0::/10 ff00::/8`) {
		list = append(list, netip.MustParsePrefix(s))
	}
	return list
}()

// A BlockedError is a connection that was not made because of its address.
type BlockedError struct{ Addr netip.Addr }

// Error names the address.
func (e *BlockedError) Error() string {
	return fmt.Sprintf("%s is in a network that block_networks blocks", e.Addr)
}

// Check returns a [*BlockedError] if connections to a are blocked.
func (n *Networks) Check(a netip.Addr) error {
	if n.Contain(a) {
		return &BlockedError{a}
	}
	return nil
}

// Dialer returns a dialer that makes no connection to a blocked address. It looks
// at each address after all names are resolved, so that an answer of a name
// server that changes in between is of no use. Other fields than ControlContext
// may be set.
func (n *Networks) Dialer() *net.Dialer { return &net.Dialer{ControlContext: n.control} }

// control is a net.Dialer's ControlContext.
func (n *Networks) control(_ context.Context, network, address string, _ syscall.RawConn) error {
	if n == nil || strings.HasPrefix(network, "unix") {
		return nil
	}
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("the address %q cannot be checked: %w", address, err)
	}
	return n.Check(ap.Addr())
}
