package wasirc

import (
	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/wit/bindings/wasi/sockets/network"
	"github.com/minispin/minispin/wit/bindings/wasi/sockets/tcp"
	"github.com/minispin/minispin/wit/bindings/wasi/sockets/udp"
)

// family is what both kinds of socket know.
type family interface {
	AddressFamily(c *component.Call) (network.IPAddressFamily, error)
}

func tcpIPv6Only(d *derivation) { ipv6Only(d, "tcp-socket", tcp.TCPSocketResource) }
func udpIPv6Only(d *derivation) { ipv6Only(d, "udp-socket", udp.UDPSocketResource) }

// ipv6Only adds the option of that name, which 0.2.0 has no more. Sockets of the
// host speak IPv6 only, which can be asked and said but not changed.
func ipv6Only(d *derivation, socket string, resource *component.ResourceType) {
	self := abi.Field{Name: "self", Type: abi.Borrow(resource)}
	isIPv6 := func(c *component.Call, args []abi.Val) (bool, error) {
		f, err := args[0].Rep().(family).AddressFamily(c)
		return f == network.IPAddressFamilyIpv6, err
	}
	d.put("[method]"+socket+".ipv6-only",
		&abi.Func{Params: []abi.Field{self}, Result: abi.Result(abi.Bool, network.ErrorCodeABI)},
		func(c *component.Call, args []abi.Val) (abi.Val, error) {
			v6, err := isIPv6(c, args)
			if err != nil || !v6 {
				return socketError(network.ErrorCodeNotSupported), err
			}
			v := abi.BoolVal(true)
			return abi.OkVal(&v), nil
		})
	d.put("[method]"+socket+".set-ipv6-only",
		&abi.Func{Params: []abi.Field{self, {Name: "value", Type: abi.Bool}}, Result: abi.Result(nil, network.ErrorCodeABI)},
		func(c *component.Call, args []abi.Val) (abi.Val, error) {
			v6, err := isIPv6(c, args)
			if err != nil || !v6 || !args[1].Bool() {
				return socketError(network.ErrorCodeNotSupported), err
			}
			return abi.OkVal(nil), nil
		})
}

// socketError is a result that failed.
func socketError(code network.ErrorCode) abi.Val {
	v := abi.EnumVal(uint32(code))
	return abi.ErrVal(&v)
}
