package wasirc

import (
	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/wit/bindings/wasi/sockets/ipnamelookup"
	"github.com/minispin/minispin/wit/bindings/wasi/sockets/network"
	"github.com/minispin/minispin/wit/bindings/wasi/sockets/tcp"
	"github.com/minispin/minispin/wit/value"
)

// rc1018TCP has other names for some options, and no-delay.
func rc1018TCP(d *derivation) {
	tcpIPv6Only(d)
	for from, to := range map[string]string{
		"keep-alive-enabled": "keep-alive",
		"hop-limit":          "unicast-hop-limit",
	} {
		d.rename("[method]tcp-socket."+from, "[method]tcp-socket."+to, "")
		d.rename("[method]tcp-socket.set-"+from, "[method]tcp-socket.set-"+to, "value")
	}
	self := abi.Field{Name: "self", Type: abi.Borrow(tcp.TCPSocketResource)}
	d.put("[method]tcp-socket.no-delay",
		&abi.Func{Params: []abi.Field{self}, Result: abi.Result(abi.Bool, network.ErrorCodeABI)},
		func(c *component.Call, args []abi.Val) (abi.Val, error) {
			s, ok := args[0].Rep().(eager)
			if !ok {
				return socketError(network.ErrorCodeNotSupported), nil
			}
			on, err := s.NoDelay(c)
			v := abi.BoolVal(on)
			return socketResult(&v, err)
		})
	d.put("[method]tcp-socket.set-no-delay",
		&abi.Func{Params: []abi.Field{self, {Name: "value", Type: abi.Bool}}, Result: abi.Result(nil, network.ErrorCodeABI)},
		func(c *component.Call, args []abi.Val) (abi.Val, error) {
			s, ok := args[0].Rep().(eager)
			if !ok {
				return socketError(network.ErrorCodeNotSupported), nil
			}
			return socketResult(nil, s.SetNoDelay(c, args[1].Bool()))
		})
}

// eager is a TCP socket that can be told not to wait for more to send.
type eager interface {
	NoDelay(c *component.Call) (bool, error)
	SetNoDelay(c *component.Call, on bool) error
}

// socketResult is a result<_, error-code>; an error of another type is a trap.
func socketResult(ok *abi.Val, err error) (abi.Val, error) {
	if err == nil {
		return abi.OkVal(ok), nil
	}
	if code, is := err.(network.ErrorCode); is {
		return socketError(code), nil
	}
	return abi.Val{}, err
}

// rc1018Lookup can be asked for addresses of one family. Whether addresses can be
// reached is nobody's to say, so that include-unavailable changes nothing.
func rc1018Lookup(d *derivation) {
	resolve := function(d.Interface, "resolve-addresses")
	base := resolve.Call
	resolve.Type = &abi.Func{
		Params: append(append([]abi.Field(nil), resolve.Type.Params...),
			abi.Field{Name: "address-family", Type: abi.Option(network.IPAddressFamilyABI)},
			abi.Field{Name: "include-unavailable", Type: abi.Bool}),
		Result: resolve.Type.Result,
	}
	resolve.Call = func(c *component.Call, st []component.Raw) error {
		limited, family, result := st[3].U32() != 0, st[4].U32(), st[6].U32()
		if !limited {
			st[3] = st[6]
			return base(c, st)
		}
		want := network.LiftIPAddressFamily(family)
		st[3] = st[6]
		if err := base(c, st); err != nil || c.Mem().U8(result) != 0 {
			return err
		}
		// The stream that the guest has been given becomes one of the family.
		all := c.LiftOwn(ipnamelookup.ResolveAddressStreamResource, c.Mem().U32(result+4)).(ipnamelookup.ResolveAddressStream)
		c.Mem().PutU32(result+4, c.LowerOwn(ipnamelookup.ResolveAddressStreamResource, &familyStream{ResolveAddressStream: all, family: want}))
		return nil
	}
}

// familyStream gives the addresses of one family that a look-up finds. To find
// none is a failure.
type familyStream struct {
	ipnamelookup.ResolveAddressStream
	family network.IPAddressFamily
	found  bool
}

// ResolveNextAddress implements wasi:sockets/ip-name-lookup.
func (s *familyStream) ResolveNextAddress(c *component.Call) (value.Option[network.IPAddress], error) {
	for {
		a, err := s.ResolveAddressStream.ResolveNextAddress(c)
		switch {
		case err != nil:
			return a, err
		case !a.Set && !s.found:
			return a, network.ErrorCodeNameUnresolvable
		case !a.Set:
			return a, nil
		case uint8(a.V.Case) == uint8(s.family):
			s.found = true
			return a, nil
		}
	}
}
