package sockets

import (
	"net/netip"
	"syscall"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host/wasi/io"
	"github.com/minispin/minispin/wit/bindings/wasi/io/poll"
	"github.com/minispin/minispin/wit/bindings/wasi/sockets/network"
	"github.com/minispin/minispin/wit/bindings/wasi/sockets/udp"
	"github.com/minispin/minispin/wit/value"
)

const (
	// maxDatagrams is the most datagrams one receive gives and one send is
	// permitted.
	maxDatagrams = 16
	// maxDatagram is the most bytes a datagram can have.
	maxDatagram = 64 << 10
)

// udpState is where a UDP socket stands.
type udpState uint8

const (
	udpUnbound udpState = iota
	udpBindStarted
	udpBound
)

// udpSocket is the resource udp-socket.
type udpSocket struct {
	net    *Network
	fd     *descriptor
	family network.IPAddressFamily
	state  udpState
	remote netip.AddrPort // of the streams; invalid when they have none
}

var _ udp.UDPSocket = (*udpSocket)(nil)

// StartBind implements wasi:sockets/udp.
func (s *udpSocket) StartBind(c *component.Call, _ network.Network, local network.IPSocketAddress) error {
	switch s.state {
	case udpBindStarted:
		return network.ErrorCodeConcurrencyConflict
	case udpBound:
		return network.ErrorCodeInvalidState
	}
	addr, err := fromGuest(local, s.family)
	if err != nil {
		return err
	}
	if err := s.net.permit(c, UseUDPBind, addr); err != nil {
		return err
	}
	if err := s.fd.do(func(fd int) error { return bind(fd, addr) }); err != nil {
		return codeOf(err)
	}
	s.state = udpBindStarted
	return nil
}

// FinishBind implements wasi:sockets/udp.
func (s *udpSocket) FinishBind(*component.Call) error {
	if s.state != udpBindStarted {
		return network.ErrorCodeNotInProgress
	}
	s.state = udpBound
	return nil
}

// Stream implements wasi:sockets/udp. Streams of an earlier call are the same
// socket and so have the new remote address as well.
func (s *udpSocket) Stream(c *component.Call, remote value.Option[network.IPSocketAddress]) (none value.Tuple2[udp.IncomingDatagramStream, udp.OutgoingDatagramStream], err error) {
	if s.state != udpBound {
		return none, network.ErrorCodeInvalidState
	}
	var addr netip.AddrPort
	if remote.Set {
		if addr, err = fromGuest(remote.V, s.family); err != nil {
			return none, err
		}
		if err = checkRemote(addr); err != nil {
			return none, err
		}
		if err = s.net.permit(c, UseUDPConnect, addr); err != nil {
			return none, err
		}
	}
	if s.remote.IsValid() {
		if err = s.fd.do(unassociate); err != nil {
			return none, codeOf(err)
		}
		s.remote = netip.AddrPort{}
	}
	if addr.IsValid() {
		if err = s.fd.do(func(fd int) error { return connect(fd, addr) }); err != nil {
			return none, codeOf(err)
		}
		s.remote = addr
	}
	return value.Tuple2[udp.IncomingDatagramStream, udp.OutgoingDatagramStream]{
		F0: &incomingDatagrams{fd: s.fd.share()},
		F1: &outgoingDatagrams{net: s.net, fd: s.fd.share(), family: s.family, remote: addr},
	}, nil
}

// LocalAddress implements wasi:sockets/udp.
func (s *udpSocket) LocalAddress(*component.Call) (network.IPSocketAddress, error) {
	switch s.state {
	case udpUnbound:
		return network.IPSocketAddress{}, network.ErrorCodeInvalidState
	case udpBindStarted:
		return network.IPSocketAddress{}, network.ErrorCodeConcurrencyConflict
	}
	return address(s.fd, localAddress)
}

// RemoteAddress implements wasi:sockets/udp.
func (s *udpSocket) RemoteAddress(*component.Call) (network.IPSocketAddress, error) {
	if !s.remote.IsValid() {
		return network.IPSocketAddress{}, network.ErrorCodeInvalidState
	}
	return toGuest(s.remote), nil
}

// AddressFamily implements wasi:sockets/udp.
func (s *udpSocket) AddressFamily(*component.Call) (network.IPAddressFamily, error) {
	return s.family, nil
}

// UnicastHopLimit implements wasi:sockets/udp.
func (s *udpSocket) UnicastHopLimit(*component.Call) (uint8, error) { return s.fd.hopLimit(s.family) }

// SetUnicastHopLimit implements wasi:sockets/udp.
func (s *udpSocket) SetUnicastHopLimit(_ *component.Call, v uint8) error {
	return s.fd.setHopLimit(s.family, v)
}

// ReceiveBufferSize implements wasi:sockets/udp.
func (s *udpSocket) ReceiveBufferSize(*component.Call) (uint64, error) {
	return s.fd.bufferSize(optReceiveBuffer)
}

// SetReceiveBufferSize implements wasi:sockets/udp.
func (s *udpSocket) SetReceiveBufferSize(_ *component.Call, v uint64) error {
	return s.fd.setBufferSize(optReceiveBuffer, v)
}

// SendBufferSize implements wasi:sockets/udp.
func (s *udpSocket) SendBufferSize(*component.Call) (uint64, error) {
	return s.fd.bufferSize(optSendBuffer)
}

// SetSendBufferSize implements wasi:sockets/udp.
func (s *udpSocket) SetSendBufferSize(_ *component.Call, v uint64) error {
	return s.fd.setBufferSize(optSendBuffer, v)
}

// Subscribe implements wasi:sockets/udp. Binding never waits.
func (s *udpSocket) Subscribe(*component.Call) (poll.Pollable, error) {
	return wasiio.NewPollable(wasiio.Always(), nil), nil
}

// Drop implements wasi:sockets/udp. The descriptor lives on in its streams.
func (s *udpSocket) Drop() { s.fd.release() }

// incomingDatagrams is the resource incoming-datagram-stream.
type incomingDatagrams struct {
	fd  *descriptor
	buf []byte
}

// Receive implements wasi:sockets/udp. Failures, such as that of an earlier
// datagram the other side refused, are told when no datagram came before them.
func (s *incomingDatagrams) Receive(_ *component.Call, maxResults uint64) ([]udp.IncomingDatagram, error) {
	if s.buf == nil {
		s.buf = make([]byte, maxDatagram)
	}
	var list []udp.IncomingDatagram
	for range min(maxResults, maxDatagrams) {
		var from netip.AddrPort
		n, err := get(s.fd, func(fd int) (n int, err error) {
			n, from, err = receiveFrom(fd, s.buf)
			return n, err
		})
		if err != nil {
			if err == syscall.EAGAIN || len(list) > 0 {
				break
			}
			return nil, codeOf(err)
		}
		list = append(list, udp.IncomingDatagram{
			Data:          append([]byte(nil), s.buf[:n]...),
			RemoteAddress: toGuest(from),
		})
	}
	return list, nil
}

// Subscribe implements wasi:sockets/udp.
func (s *incomingDatagrams) Subscribe(*component.Call) (poll.Pollable, error) {
	return wasiio.NewPollable(s.fd.readEvent(), nil), nil
}

// Drop implements wasi:sockets/udp.
func (s *incomingDatagrams) Drop() {
	s.buf = nil
	s.fd.release()
}

// outgoingDatagrams is the resource outgoing-datagram-stream.
type outgoingDatagrams struct {
	net    *Network
	fd     *descriptor
	family network.IPAddressFamily
	remote netip.AddrPort
	permit uint64
}

// CheckSend implements wasi:sockets/udp.
func (s *outgoingDatagrams) CheckSend(*component.Call) (uint64, error) {
	s.permit = 0
	if s.fd.writeEvent().Ready() {
		s.permit = maxDatagrams
	}
	return s.permit, nil
}

// Send implements wasi:sockets/udp. The policy is asked for each datagram of a
// stream without a remote address; the other's was asked for with it.
func (s *outgoingDatagrams) Send(c *component.Call, datagrams []udp.OutgoingDatagram) (uint64, error) {
	if uint64(len(datagrams)) > s.permit {
		c.Trapf("send: %d datagrams are more than the %d that check-send permitted", len(datagrams), s.permit)
	}
	for i := range datagrams {
		err := s.sendOne(c, &datagrams[i])
		if err == nil {
			s.permit--
			continue
		}
		if i > 0 || err == network.ErrorCodeWouldBlock {
			// The guest meets a failure when it sends the next one again.
			return uint64(i), nil
		}
		return 0, err
	}
	return uint64(len(datagrams)), nil
}

func (s *outgoingDatagrams) sendOne(c *component.Call, d *udp.OutgoingDatagram) error {
	to := s.remote
	if d.RemoteAddress.Set {
		var err error
		if to, err = fromGuest(d.RemoteAddress.V, s.family); err != nil {
			return err
		}
	}
	switch {
	case !to.IsValid(), s.remote.IsValid() && to != s.remote:
		return network.ErrorCodeInvalidArgument
	case s.remote.IsValid():
		to = netip.AddrPort{}
	default:
		if err := checkRemote(to); err != nil {
			return err
		}
		if err := s.net.permit(c, UseUDPSend, to); err != nil {
			return err
		}
	}
	return result(s.fd.do(func(fd int) error { return sendTo(fd, d.Data, to) }))
}

// Subscribe implements wasi:sockets/udp.
func (s *outgoingDatagrams) Subscribe(*component.Call) (poll.Pollable, error) {
	return wasiio.NewPollable(s.fd.writeEvent(), nil), nil
}

// Drop implements wasi:sockets/udp.
func (s *outgoingDatagrams) Drop() { s.fd.release() }
