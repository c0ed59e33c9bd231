package sockets

import (
	"context"
	"math"
	"net/netip"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host/wasi/io"
	"github.com/minispin/minispin/wit/bindings/wasi/io/poll"
	"github.com/minispin/minispin/wit/bindings/wasi/io/streams"
	"github.com/minispin/minispin/wit/bindings/wasi/sockets/network"
	"github.com/minispin/minispin/wit/bindings/wasi/sockets/tcp"
	"github.com/minispin/minispin/wit/value"
)

// defaultBacklog is how many connections wait to be accepted unless the guest
// says otherwise, and the most it can have.
const (
	defaultBacklog = 128
	maxBacklog     = 4096
)

// tcpState is where a TCP socket stands between its start and finish functions.
type tcpState uint8

const (
	unbound tcpState = iota
	bindStarted
	bound
	connecting
	connected
	listenStarted
	listening
	failed // connecting failed; nothing can be done with the socket
)

// tcpSocket is the resource tcp-socket. Binding and listening are done by their
// start: the finish only tells so.
type tcpSocket struct {
	net     *Network
	fd      *descriptor
	family  network.IPAddressFamily
	state   tcpState
	backlog int

	// The streams, once connected, for shutdown to end.
	in  *receiveStream
	out *sendSink
}

var _ tcp.TCPSocket = (*tcpSocket)(nil)

// StartBind implements wasi:sockets/tcp.
func (s *tcpSocket) StartBind(c *component.Call, _ network.Network, local network.IPSocketAddress) error {
	switch s.state {
	case unbound:
	case bindStarted:
		return network.ErrorCodeConcurrencyConflict
	default:
		return network.ErrorCodeInvalidState
	}
	addr, err := fromGuest(local, s.family)
	if err != nil {
		return err
	}
	if !isUnicast(addr.Addr()) {
		return network.ErrorCodeInvalidArgument
	}
	if err := s.net.permit(c, UseTCPBind, addr); err != nil {
		return err
	}
	if err := s.fd.do(func(fd int) error { return bind(fd, addr) }); err != nil {
		return codeOf(err)
	}
	s.state = bindStarted
	return nil
}

// FinishBind implements wasi:sockets/tcp.
func (s *tcpSocket) FinishBind(*component.Call) error {
	if s.state != bindStarted {
		return network.ErrorCodeNotInProgress
	}
	s.state = bound
	return nil
}

// StartConnect implements wasi:sockets/tcp.
func (s *tcpSocket) StartConnect(c *component.Call, _ network.Network, remote network.IPSocketAddress) error {
	switch s.state {
	case unbound, bound:
	case connecting, bindStarted, listenStarted:
		return network.ErrorCodeConcurrencyConflict
	default:
		return network.ErrorCodeInvalidState
	}
	addr, err := fromGuest(remote, s.family)
	if err != nil {
		return err
	}
	if err := checkRemote(addr); err != nil {
		return err
	}
	if !isUnicast(addr.Addr()) {
		return network.ErrorCodeInvalidArgument
	}
	if err := s.net.permit(c, UseTCPConnect, addr); err != nil {
		return err
	}
	err = s.fd.do(func(fd int) error { return connect(fd, addr) })
	if err != nil && !inProgress(err) {
		s.state = failed
		return codeOf(err)
	}
	s.state = connecting
	return nil
}

// FinishConnect implements wasi:sockets/tcp.
func (s *tcpSocket) FinishConnect(*component.Call) (none value.Tuple2[streams.InputStream, streams.OutputStream], err error) {
	if s.state != connecting {
		return none, network.ErrorCodeNotInProgress
	}
	if !s.fd.writeEvent().Ready() {
		return none, network.ErrorCodeWouldBlock
	}
	err = s.fd.do(func(fd int) error {
		if err := pendingError(fd); err != nil {
			return err
		}
		_, err := peerAddress(fd)
		return err
	})
	if err != nil {
		s.state = failed
		return none, codeOf(err)
	}
	in, out := s.connected()
	return value.Tuple2[streams.InputStream, streams.OutputStream]{F0: in, F1: out}, nil
}

// connected makes the streams of a socket that has a peer.
func (s *tcpSocket) connected() (streams.InputStream, streams.OutputStream) {
	s.state = connected
	s.in = &receiveStream{fd: s.fd.share()}
	s.out = &sendSink{fd: s.fd.share()}
	return s.in, wasiio.NewSinkStream(s.out, s.out.drop)
}

// StartListen implements wasi:sockets/tcp.
func (s *tcpSocket) StartListen(*component.Call) error {
	switch s.state {
	case bound:
	case listenStarted, bindStarted, connecting:
		return network.ErrorCodeConcurrencyConflict
	default:
		return network.ErrorCodeInvalidState
	}
	if err := s.fd.do(func(fd int) error { return listen(fd, s.backlog) }); err != nil {
		return codeOf(err)
	}
	s.state = listenStarted
	return nil
}

// FinishListen implements wasi:sockets/tcp.
func (s *tcpSocket) FinishListen(*component.Call) error {
	if s.state != listenStarted {
		return network.ErrorCodeNotInProgress
	}
	s.state = listening
	return nil
}

// Accept implements wasi:sockets/tcp. A connection that was given up by the other
// side before it was accepted is passed over.
func (s *tcpSocket) Accept(*component.Call) (none value.Tuple3[tcp.TCPSocket, streams.InputStream, streams.OutputStream], err error) {
	if s.state != listening {
		return none, network.ErrorCodeInvalidState
	}
	if !s.net.take() {
		return none, network.ErrorCodeNewSocketLimit
	}
	for {
		fd, err := get(s.fd, acceptOn)
		switch code := codeOf(err); {
		case err == nil:
			fd.closed = s.net.giveBack
			conn := &tcpSocket{net: s.net, fd: fd, family: s.family, backlog: defaultBacklog}
			in, out := conn.connected()
			return value.Tuple3[tcp.TCPSocket, streams.InputStream, streams.OutputStream]{F0: conn, F1: in, F2: out}, nil
		case code == network.ErrorCodeConnectionAborted:
		default:
			s.net.giveBack()
			return none, code
		}
	}
}

// LocalAddress implements wasi:sockets/tcp.
func (s *tcpSocket) LocalAddress(*component.Call) (network.IPSocketAddress, error) {
	switch s.state {
	case unbound:
		return network.IPSocketAddress{}, network.ErrorCodeInvalidState
	case bindStarted:
		return network.IPSocketAddress{}, network.ErrorCodeConcurrencyConflict
	}
	return address(s.fd, localAddress)
}

// RemoteAddress implements wasi:sockets/tcp.
func (s *tcpSocket) RemoteAddress(*component.Call) (network.IPSocketAddress, error) {
	if s.state != connected {
		return network.IPSocketAddress{}, network.ErrorCodeInvalidState
	}
	return address(s.fd, peerAddress)
}

// address asks for one of the addresses of a socket.
func address(d *descriptor, which func(fd int) (netip.AddrPort, error)) (network.IPSocketAddress, error) {
	a, err := get(d, which)
	if err != nil {
		return network.IPSocketAddress{}, codeOf(err)
	}
	return toGuest(a), nil
}

// IsListening implements wasi:sockets/tcp.
func (s *tcpSocket) IsListening(*component.Call) (bool, error) { return s.state == listening, nil }

// AddressFamily implements wasi:sockets/tcp.
func (s *tcpSocket) AddressFamily(*component.Call) (network.IPAddressFamily, error) {
	return s.family, nil
}

// SetListenBacklogSize implements wasi:sockets/tcp.
func (s *tcpSocket) SetListenBacklogSize(_ *component.Call, v uint64) error {
	if v == 0 {
		return network.ErrorCodeInvalidArgument
	}
	switch s.state {
	case connecting, connected, failed:
		return network.ErrorCodeInvalidState
	}
	s.backlog = int(min(v, maxBacklog))
	if s.state == listenStarted || s.state == listening {
		return result(s.fd.do(func(fd int) error { return listen(fd, s.backlog) }))
	}
	return nil
}

// KeepAliveEnabled implements wasi:sockets/tcp.
func (s *tcpSocket) KeepAliveEnabled(*component.Call) (bool, error) { return s.fd.flag(optKeepAlive) }

// SetKeepAliveEnabled implements wasi:sockets/tcp.
func (s *tcpSocket) SetKeepAliveEnabled(_ *component.Call, on bool) error {
	return s.fd.setFlag(optKeepAlive, on)
}

// NoDelay reports whether small writes are sent without waiting for more. 0.2 has
// no such option; older versions of wasi:sockets do.
func (s *tcpSocket) NoDelay(*component.Call) (bool, error) { return s.fd.flag(optNoDelay) }

// SetNoDelay changes what NoDelay reports.
func (s *tcpSocket) SetNoDelay(_ *component.Call, on bool) error { return s.fd.setFlag(optNoDelay, on) }

// KeepAliveIdleTime implements wasi:sockets/tcp.
func (s *tcpSocket) KeepAliveIdleTime(*component.Call) (uint64, error) { return s.fd.seconds(optIdle) }

// SetKeepAliveIdleTime implements wasi:sockets/tcp.
func (s *tcpSocket) SetKeepAliveIdleTime(_ *component.Call, ns uint64) error {
	return s.fd.setSeconds(optIdle, ns)
}

// KeepAliveInterval implements wasi:sockets/tcp.
func (s *tcpSocket) KeepAliveInterval(*component.Call) (uint64, error) {
	return s.fd.seconds(optInterval)
}

// SetKeepAliveInterval implements wasi:sockets/tcp.
func (s *tcpSocket) SetKeepAliveInterval(_ *component.Call, ns uint64) error {
	return s.fd.setSeconds(optInterval, ns)
}

// KeepAliveCount implements wasi:sockets/tcp.
func (s *tcpSocket) KeepAliveCount(*component.Call) (uint32, error) {
	v, err := s.fd.option(optCount)
	return uint32(min(max(v, 0), math.MaxInt32)), result(err)
}

// SetKeepAliveCount implements wasi:sockets/tcp.
func (s *tcpSocket) SetKeepAliveCount(_ *component.Call, n uint32) error {
	if n == 0 {
		return network.ErrorCodeInvalidArgument
	}
	return result(s.fd.setOption(optCount, int(min(n, maxKeepAliveCount))))
}

// HopLimit implements wasi:sockets/tcp.
func (s *tcpSocket) HopLimit(*component.Call) (uint8, error) { return s.fd.hopLimit(s.family) }

// SetHopLimit implements wasi:sockets/tcp.
func (s *tcpSocket) SetHopLimit(_ *component.Call, v uint8) error {
	return s.fd.setHopLimit(s.family, v)
}

// ReceiveBufferSize implements wasi:sockets/tcp.
func (s *tcpSocket) ReceiveBufferSize(*component.Call) (uint64, error) {
	return s.fd.bufferSize(optReceiveBuffer)
}

// SetReceiveBufferSize implements wasi:sockets/tcp.
func (s *tcpSocket) SetReceiveBufferSize(_ *component.Call, v uint64) error {
	return s.fd.setBufferSize(optReceiveBuffer, v)
}

// SendBufferSize implements wasi:sockets/tcp.
func (s *tcpSocket) SendBufferSize(*component.Call) (uint64, error) {
	return s.fd.bufferSize(optSendBuffer)
}

// SetSendBufferSize implements wasi:sockets/tcp.
func (s *tcpSocket) SetSendBufferSize(_ *component.Call, v uint64) error {
	return s.fd.setBufferSize(optSendBuffer, v)
}

// Subscribe implements wasi:sockets/tcp.
func (s *tcpSocket) Subscribe(*component.Call) (poll.Pollable, error) {
	return wasiio.NewPollable(tcpEvent{s}, nil), nil
}

// Shutdown implements wasi:sockets/tcp. The streams see it too: the one for input
// ends, and the one for output is closed.
func (s *tcpSocket) Shutdown(_ *component.Call, how tcp.ShutdownType) error {
	if s.state != connected {
		return network.ErrorCodeInvalidState
	}
	receive := how != tcp.ShutdownTypeSend
	send := how != tcp.ShutdownTypeReceive
	if receive {
		s.in.shut = true
	}
	if send && s.out.close() {
		// What is still to be sent goes first.
		if send = false; !receive {
			return nil
		}
	}
	return result(s.fd.do(func(fd int) error { return shutdown(fd, receive, send) }))
}

// Drop implements wasi:sockets/tcp. The descriptor lives on in its streams.
func (s *tcpSocket) Drop() { s.fd.release() }

// tcpEvent is that a finish or an accept would not be answered with would-block.
// What that depends on is what the socket is at when it is asked.
type tcpEvent struct{ s *tcpSocket }

func (e tcpEvent) event() wasiio.Event {
	switch e.s.state {
	case connecting:
		return e.s.fd.writeEvent()
	case listening:
		return e.s.fd.readEvent()
	}
	return wasiio.Always()
}

func (e tcpEvent) Ready() bool                     { return e.event().Ready() }
func (e tcpEvent) Block(ctx context.Context) error { return e.event().Block(ctx) }
