package wasirc

import (
	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/wit/bindings/wasi/io/poll"
	"github.com/minispin/minispin/wit/bindings/wasi/sockets/network"
	"github.com/minispin/minispin/wit/bindings/wasi/sockets/udp"
	"github.com/minispin/minispin/wit/value"
)

var datagramABI = abi.Record(
	abi.Field{Name: "data", Type: abi.List(abi.U8)},
	abi.Field{Name: "remote-address", Type: network.IPSocketAddressABI},
)

// datagramSocket is a UDP socket that sends and receives by itself, where that of
// 0.2 has a pair of streams for it.
type datagramSocket struct {
	udp.UDPSocket
	in         udp.IncomingDatagramStream // nil until the streams are needed
	out        udp.OutgoingDatagramStream
	connecting bool
	full       bool // the last send found no room
}

// rc1018CreateUDP gives out datagramSockets.
func rc1018CreateUDP(d *derivation) {
	create := function(d.Interface, "create-udp-socket")
	base := create.Call
	create.Call = func(c *component.Call, st []component.Raw) error {
		result := st[1].U32()
		if err := base(c, st); err != nil || c.Mem().U8(result) != 0 {
			return err
		}
		s := c.LiftOwn(udp.UDPSocketResource, c.Mem().U32(result+4)).(udp.UDPSocket)
		c.Mem().PutU32(result+4, c.LowerOwn(udp.UDPSocketResource, &datagramSocket{UDPSocket: s}))
		return nil
	}
}

func rc1018UDP(d *derivation) {
	udpIPv6Only(d)
	put := func(name string, params []abi.Field, ok *abi.Type, fn func(c *component.Call, s *datagramSocket, args []abi.Val) (abi.Val, error)) {
		self := abi.Field{Name: "self", Type: abi.Borrow(udp.UDPSocketResource)}
		d.put("[method]udp-socket."+name,
			&abi.Func{Params: append([]abi.Field{self}, params...), Result: abi.Result(ok, network.ErrorCodeABI)},
			func(c *component.Call, args []abi.Val) (abi.Val, error) {
				s, mine := args[0].Rep().(*datagramSocket)
				if !mine {
					c.Trapf("udp-socket.%s: the socket is one of another version of WASI", name)
				}
				v, err := fn(c, s, args[1:])
				if ok == nil {
					return socketResult(nil, err)
				}
				return socketResult(&v, err)
			})
	}
	put("start-connect", []abi.Field{
		{Name: "network", Type: abi.Borrow(network.NetworkResource)},
		{Name: "remote-address", Type: network.IPSocketAddressABI},
	}, nil, func(c *component.Call, s *datagramSocket, args []abi.Val) (abi.Val, error) {
		return abi.Val{}, s.startConnect(c, socketAddress(args[1]))
	})
	put("finish-connect", nil, nil, func(c *component.Call, s *datagramSocket, _ []abi.Val) (abi.Val, error) {
		return abi.Val{}, s.finishConnect()
	})
	put("receive", []abi.Field{{Name: "max-results", Type: abi.U64}}, abi.List(datagramABI),
		func(c *component.Call, s *datagramSocket, args []abi.Val) (abi.Val, error) {
			return s.receive(c, args[0].Uint())
		})
	put("send", []abi.Field{{Name: "datagrams", Type: abi.List(datagramABI)}}, abi.U64,
		func(c *component.Call, s *datagramSocket, args []abi.Val) (abi.Val, error) {
			n, err := s.send(c, args[0].Elems())
			return abi.U64Val(n), err
		})
}

// startConnect does all that connecting is; the finish only tells so. A socket
// must be bound before, as in 0.2.
func (s *datagramSocket) startConnect(c *component.Call, remote network.IPSocketAddress) error {
	if s.connecting {
		return network.ErrorCodeConcurrencyConflict
	}
	if err := s.open(c, value.Some(remote)); err != nil {
		return err
	}
	s.connecting = true
	return nil
}

func (s *datagramSocket) finishConnect() error {
	if !s.connecting {
		return network.ErrorCodeNotInProgress
	}
	s.connecting = false
	return nil
}

// open takes streams of a remote address, or of none, in place of those there are.
func (s *datagramSocket) open(c *component.Call, remote value.Option[network.IPSocketAddress]) error {
	pair, err := s.Stream(c, remote)
	if err != nil {
		return err
	}
	s.close()
	s.in, s.out = pair.F0, pair.F1
	return nil
}

func (s *datagramSocket) close() {
	if s.in != nil {
		s.in.Drop()
		s.out.Drop()
	}
}

// ready opens the streams of a socket that was not connected.
func (s *datagramSocket) ready(c *component.Call) error {
	if s.in != nil {
		return nil
	}
	return s.open(c, value.None[network.IPSocketAddress]())
}

// receive fails when nothing has come, unless nothing is wanted.
func (s *datagramSocket) receive(c *component.Call, most uint64) (abi.Val, error) {
	if err := s.ready(c); err != nil {
		return abi.Val{}, err
	}
	got, err := s.in.Receive(c, most)
	if err != nil {
		return abi.Val{}, err
	}
	if len(got) == 0 && most > 0 {
		return abi.Val{}, network.ErrorCodeWouldBlock
	}
	list := make([]abi.Val, len(got))
	for i := range got {
		list[i] = abi.RecordVal(abi.BytesVal(got[i].Data), socketAddressVal(got[i].RemoteAddress))
	}
	return abi.ListVal(list...), nil
}

// send fails when there is no room for the first datagram.
func (s *datagramSocket) send(c *component.Call, list []abi.Val) (uint64, error) {
	if err := s.ready(c); err != nil || len(list) == 0 {
		return 0, err
	}
	room, err := s.out.CheckSend(c)
	if err != nil {
		return 0, err
	}
	datagrams := make([]udp.OutgoingDatagram, min(room, uint64(len(list))))
	for i := range datagrams {
		d := list[i].Elems()
		datagrams[i] = udp.OutgoingDatagram{Data: d[0].Bytes(), RemoteAddress: value.Some(socketAddress(d[1]))}
	}
	n, err := s.out.Send(c, datagrams)
	s.full = err == nil && n == 0
	if s.full {
		err = network.ErrorCodeWouldBlock
	}
	return n, err
}

// Subscribe implements wasi:sockets/udp: for room after a send that found none, else
// for datagrams, or for whatever is under way before there can be any.
func (s *datagramSocket) Subscribe(c *component.Call) (poll.Pollable, error) {
	switch err := s.ready(c); {
	case err != nil, s.connecting:
		return s.UDPSocket.Subscribe(c)
	case s.full:
		return s.out.Subscribe(c)
	}
	return s.in.Subscribe(c)
}

// Drop implements wasi:sockets/udp.
func (s *datagramSocket) Drop() {
	s.close()
	s.UDPSocket.Drop()
}

// socketAddress is an ip-socket-address.
func socketAddress(v abi.Val) network.IPSocketAddress {
	a := network.IPSocketAddress{Case: network.IPSocketAddressCase(v.Case())}
	payload, _ := v.Payload()
	f := payload.Elems()
	if a.Case == network.IPSocketAddressIpv4 {
		b := f[1].Elems()
		a.Ipv4.Port = uint16(f[0].Uint())
		a.Ipv4.Address = network.Ipv4Address{F0: uint8(b[0].Uint()), F1: uint8(b[1].Uint()), F2: uint8(b[2].Uint()), F3: uint8(b[3].Uint())}
		return a
	}
	g := func(i int) uint16 { return uint16(f[2].Elems()[i].Uint()) }
	a.Ipv6 = network.Ipv6SocketAddress{
		Port: uint16(f[0].Uint()), FlowInfo: uint32(f[1].Uint()), ScopeID: uint32(f[3].Uint()),
		Address: network.Ipv6Address{F0: g(0), F1: g(1), F2: g(2), F3: g(3), F4: g(4), F5: g(5), F6: g(6), F7: g(7)},
	}
	return a
}

// socketAddressVal is the reverse of socketAddress.
func socketAddressVal(a network.IPSocketAddress) abi.Val {
	if a.Case == network.IPSocketAddressIpv4 {
		b := a.Ipv4.Address
		return abi.PayloadVal(uint32(a.Case), abi.RecordVal(abi.U16Val(a.Ipv4.Port),
			abi.TupleVal(abi.U8Val(b.F0), abi.U8Val(b.F1), abi.U8Val(b.F2), abi.U8Val(b.F3))))
	}
	g := a.Ipv6.Address
	return abi.PayloadVal(uint32(a.Case), abi.RecordVal(abi.U16Val(a.Ipv6.Port), abi.U32Val(a.Ipv6.FlowInfo),
		abi.TupleVal(abi.U16Val(g.F0), abi.U16Val(g.F1), abi.U16Val(g.F2), abi.U16Val(g.F3),
			abi.U16Val(g.F4), abi.U16Val(g.F5), abi.U16Val(g.F6), abi.U16Val(g.F7)),
		abi.U32Val(a.Ipv6.ScopeID)))
}
