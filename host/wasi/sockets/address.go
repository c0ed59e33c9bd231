package sockets

import (
	"net/netip"

	"github.com/minispin/minispin/wit/bindings/wasi/sockets/network"
)

// fromGuest returns an address of the guest for a socket of the family. The
// family must be the same, and an IPv4 address in an IPv6 form is none: IPv6
// sockets here speak IPv6 only. The flow label is not used. A scope is refused:
// the interfaces of the machine are not the guest's to choose from.
func fromGuest(a network.IPSocketAddress, family network.IPAddressFamily) (netip.AddrPort, error) {
	if uint8(a.Case) != uint8(family) {
		return netip.AddrPort{}, network.ErrorCodeInvalidArgument
	}
	if a.Case == network.IPSocketAddressIpv4 {
		t := a.Ipv4.Address
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{t.F0, t.F1, t.F2, t.F3}), a.Ipv4.Port), nil
	}
	t := a.Ipv6.Address
	var b [16]byte
	for i, group := range [8]uint16{t.F0, t.F1, t.F2, t.F3, t.F4, t.F5, t.F6, t.F7} {
		b[2*i], b[2*i+1] = byte(group>>8), byte(group)
	}
	addr := netip.AddrFrom16(b)
	if addr.Is4In6() || a.Ipv6.ScopeID != 0 {
		return netip.AddrPort{}, network.ErrorCodeInvalidArgument
	}
	return netip.AddrPortFrom(addr, a.Ipv6.Port), nil
}

// toGuest is the reverse of fromGuest.
func toGuest(a netip.AddrPort) network.IPSocketAddress {
	ip := addressToGuest(a.Addr())
	if ip.Case == network.IPAddressIpv4 {
		return network.IPSocketAddress{
			Case: network.IPSocketAddressIpv4,
			Ipv4: network.Ipv4SocketAddress{Port: a.Port(), Address: ip.Ipv4},
		}
	}
	return network.IPSocketAddress{
		Case: network.IPSocketAddressIpv6,
		Ipv6: network.Ipv6SocketAddress{Port: a.Port(), Address: ip.Ipv6},
	}
}

func addressToGuest(a netip.Addr) network.IPAddress {
	if a.Is4() {
		b := a.As4()
		return network.IPAddress{
			Case: network.IPAddressIpv4,
			Ipv4: network.Ipv4Address{F0: b[0], F1: b[1], F2: b[2], F3: b[3]},
		}
	}
	b := a.As16()
	group := func(i int) uint16 { return uint16(b[2*i])<<8 | uint16(b[2*i+1]) }
	return network.IPAddress{
		Case: network.IPAddressIpv6,
		Ipv6: network.Ipv6Address{
			F0: group(0), F1: group(1), F2: group(2), F3: group(3),
			F4: group(4), F5: group(5), F6: group(6), F7: group(7),
		},
	}
}

var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// isUnicast reports whether a can be one machine's, or any of this one's.
func isUnicast(a netip.Addr) bool { return !a.IsMulticast() && a != broadcast }

// checkRemote refuses addresses that nobody can be at: a wildcard, or port 0.
func checkRemote(a netip.AddrPort) error {
	if a.Addr().IsUnspecified() || a.Port() == 0 {
		return network.ErrorCodeInvalidArgument
	}
	return nil
}
