//go:build linux || darwin

package sockets

import (
	"fmt"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/minispin/minispin/wit/bindings/wasi/sockets/network"
)

// newDescriptor opens a socket of the family.
func newDescriptor(family network.IPAddressFamily, kind kind) (*descriptor, error) {
	domain, typ := unix.AF_INET, unix.SOCK_STREAM
	if family == network.IPAddressFamilyIpv6 {
		domain = unix.AF_INET6
	}
	if kind == datagram {
		typ = unix.SOCK_DGRAM
	}
	fd, err := openPrivate(func() (int, error) { return unix.Socket(domain, typ, 0) })
	if err != nil {
		return nil, err
	}
	if domain == unix.AF_INET6 {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1)
	}
	if err == nil && kind == stream {
		// A server that is started anew must get its port back at once.
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	}
	if err == nil {
		err = quiet(fd)
	}
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	return adopt(fd)
}

// openPrivate makes a descriptor that does not block and is not inherited by
// child processes, on systems too that cannot do so in one step.
func openPrivate(open func() (int, error)) (int, error) {
	syscall.ForkLock.RLock()
	fd, err := open()
	if err == nil {
		unix.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return -1, err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// acceptOn takes one connection of a listener.
func acceptOn(fd int) (*descriptor, error) {
	conn, err := openPrivate(func() (int, error) {
		fd, _, err := unix.Accept(fd)
		return fd, err
	})
	if err != nil {
		return nil, err
	}
	if err := quiet(conn); err != nil {
		unix.Close(conn)
		return nil, err
	}
	return adopt(conn)
}

func polled(fd int, events int16) bool {
	fds := []unix.PollFd{{Fd: int32(fd), Events: events}}
	n, err := unix.Poll(fds, 0)
	return n > 0 && err == nil
}

func canRead(fd int) bool  { return polled(fd, unix.POLLIN) }
func canWrite(fd int) bool { return polled(fd, unix.POLLOUT) }

func bind(fd int, a netip.AddrPort) error { return unix.Bind(fd, sockaddr(a)) }

func listen(fd, backlog int) error { return unix.Listen(fd, backlog) }

func connect(fd int, a netip.AddrPort) error { return unix.Connect(fd, sockaddr(a)) }

// inProgress reports whether err of connect says that it is under way.
func inProgress(err error) bool { return err == unix.EINPROGRESS || err == unix.EALREADY }

// pendingError takes the error that the socket has come to, if any.
func pendingError(fd int) error {
	no, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && no != 0 {
		err = syscall.Errno(no)
	}
	return err
}

func localAddress(fd int) (netip.AddrPort, error) { return addressOf(unix.Getsockname(fd)) }

func peerAddress(fd int) (netip.AddrPort, error) { return addressOf(unix.Getpeername(fd)) }

func shutdown(fd int, receive, send bool) error {
	how := unix.SHUT_RDWR
	switch {
	case !send:
		how = unix.SHUT_RD
	case !receive:
		how = unix.SHUT_WR
	}
	return unix.Shutdown(fd, how)
}

func read(fd int, p []byte) (int, error) { return unix.Read(fd, p) }

func send(fd int, p []byte) (int, error) { return unix.SendmsgN(fd, p, nil, nil, sendFlags) }

// sendTo sends one datagram; the zero address is that the socket is connected to.
func sendTo(fd int, p []byte, to netip.AddrPort) error {
	var sa unix.Sockaddr
	if to.IsValid() {
		sa = sockaddr(to)
	}
	_, err := unix.SendmsgN(fd, p, nil, sa, sendFlags)
	return err
}

// receiveFrom takes one datagram.
func receiveFrom(fd int, p []byte) (int, netip.AddrPort, error) {
	n, sa, err := unix.Recvfrom(fd, p, 0)
	if err != nil {
		return 0, netip.AddrPort{}, err
	}
	from, err := addressOf(sa, nil)
	return n, from, err
}

func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}
	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
}

func addressOf(sa unix.Sockaddr, err error) (netip.AddrPort, error) {
	if err != nil {
		return netip.AddrPort{}, err
	}
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port)), nil
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr), uint16(sa.Port)), nil
	}
	return netip.AddrPort{}, fmt.Errorf("an address of the type %T", sa)
}

// option is a socket option that is a number.
type option struct{ level, name int }

var (
	optKeepAlive     = option{unix.SOL_SOCKET, unix.SO_KEEPALIVE}
	optNoDelay       = option{unix.IPPROTO_TCP, unix.TCP_NODELAY}
	optInterval      = option{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL}
	optCount         = option{unix.IPPROTO_TCP, unix.TCP_KEEPCNT}
	optHopLimit4     = option{unix.IPPROTO_IP, unix.IP_TTL}
	optHopLimit6     = option{unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS}
	optReceiveBuffer = option{unix.SOL_SOCKET, unix.SO_RCVBUF}
	optSendBuffer    = option{unix.SOL_SOCKET, unix.SO_SNDBUF}
)

func (d *descriptor) option(o option) (int, error) {
	return get(d, func(fd int) (int, error) { return unix.GetsockoptInt(fd, o.level, o.name) })
}

func (d *descriptor) setOption(o option, v int) error {
	return d.do(func(fd int) error { return unix.SetsockoptInt(fd, o.level, o.name, v) })
}

// unassociate takes the remote address of a UDP socket away, by connecting it to
// an address of no family (AF_UNSPEC). Linux then forgets a port that it chose
// itself, so the socket is bound to it again.
func unassociate(fd int) error {
	local, err := localAddress(fd)
	if err != nil {
		return err
	}
	var none [unix.SizeofSockaddrInet4]byte
	_, _, no := unix.Syscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&none)), unsafe.Sizeof(none))
	if no != 0 && no != unix.EAFNOSUPPORT {
		// macOS says EAFNOSUPPORT although it has done it.
		return no
	}
	if now, err := localAddress(fd); err != nil || now.Port() == local.Port() {
		return err
	}
	return bind(fd, local)
}
