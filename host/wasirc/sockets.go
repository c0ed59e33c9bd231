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

func tcpOptions(i *component.Interface) { ipv6Only(i, "tcp-socket", tcp.TCPSocketResource) }
func udpOptions(i *component.Interface) { ipv6Only(i, "udp-socket", udp.UDPSocketResource) }

// ipv6Only adds the option of that name, which 0.2.0 has no more. Sockets of the
// host speak IPv6 only, which can be asked and said but not changed.
func ipv6Only(i *component.Interface, socket string, resource *component.ResourceType) {
	self := abi.Field{Name: "self", Type: abi.Borrow(resource)}
	isIPv6 := func(c *component.Call, handle uint32) (bool, error) {
		f, err := c.LiftBorrow(resource, handle).(family).AddressFamily(c)
		return f == network.IPAddressFamilyIpv6, err
	}
	i.Funcs = append(i.Funcs,
		component.Func{
			Name: "[method]" + socket + ".ipv6-only",
			Type: &abi.Func{Params: []abi.Field{self}, Result: abi.Result(abi.Bool, network.ErrorCodeABI)},
			Call: func(c *component.Call, st []component.Raw) error {
				v6, err := isIPv6(c, st[0].U32())
				if err != nil {
					return err
				}
				// The payload, a bool or an error-code, is a byte after the case.
				at := st[1].U32()
				c.Mem().Check(at, 2, 1)
				if v6 {
					c.Mem().PutU8(at, 0)
					c.Mem().PutU8(at+1, 1)
				} else {
					c.Mem().PutU8(at, 1)
					c.Mem().PutU8(at+1, uint8(network.ErrorCodeNotSupported))
				}
				return nil
			},
		},
		component.Func{
			Name: "[method]" + socket + ".set-ipv6-only",
			Type: &abi.Func{Params: []abi.Field{self, {Name: "value", Type: abi.Bool}}, Result: abi.Result(nil, network.ErrorCodeABI)},
			Call: func(c *component.Call, st []component.Raw) error {
				v6, err := isIPv6(c, st[0].U32())
				if err != nil {
					return err
				}
				at := st[2].U32()
				c.Mem().Check(at, 2, 1)
				if v6 && st[1].U32() != 0 {
					c.Mem().PutU8(at, 0)
				} else {
					c.Mem().PutU8(at, 1)
					c.Mem().PutU8(at+1, uint8(network.ErrorCodeNotSupported))
				}
				return nil
			},
		},
	)
}
