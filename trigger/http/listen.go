package httptrigger

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strconv"
	"syscall"
)

// DefaultListenAddr is where a command listens that was told nothing else.
const DefaultListenAddr = "127.0.0.1:3000"

// portTries is how many ports ListenNear looks at.
const portTries = 10

// Listen listens for TCP connections on addr, a host name or IP address with a
// port, or at "unix:" and a path, on a Unix socket. Of the addresses of a name
// 127.0.0.1 is preferred and then the first one; port 0 is any free one.
func Listen(ctx context.Context, addr string) (net.Listener, error) {
	if path, ok := unixPath(addr); ok {
		return listenUnix(ctx, path)
	}
	ap, err := resolve(ctx, addr)
	if err != nil {
		return nil, err
	}
	ln, err := listen(ctx, ap)
	if addressInUse(err) {
		return nil, fmt.Errorf("cannot listen on %s: the address is in use; choose another with --listen, as in --listen %s, or let --find-free-port look for one: %w",
			ap, netip.AddrPortFrom(ap.Addr(), nextPort(ap.Port())), err)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", ap, err)
	}
	return ln, nil
}

// ListenNear is like Listen but tries the next higher ports, ten in all, as long
// as they are in use.
func ListenNear(ctx context.Context, addr string) (net.Listener, error) {
	if _, ok := unixPath(addr); ok {
		return Listen(ctx, addr) // which has no port
	}
	ap, err := resolve(ctx, addr)
	if err != nil {
		return nil, err
	}
	first := ap.Port()
	for range portTries {
		ln, err := listen(ctx, ap)
		if err == nil {
			return ln, nil
		}
		if !addressInUse(err) {
			return nil, fmt.Errorf("cannot listen on %s: %w", ap, err)
		}
		if ap.Port() == 65535 {
			break
		}
		ap = netip.AddrPortFrom(ap.Addr(), ap.Port()+1)
	}
	return nil, fmt.Errorf("cannot listen on %s: the ports %d to %d are all in use; choose a lower or another one with --listen",
		ap.Addr(), first, ap.Port())
}

func listen(ctx context.Context, ap netip.AddrPort) (net.Listener, error) {
	network := "tcp"
	if ap.Addr().Is4() {
		network = "tcp4" // "tcp" would take 0.0.0.0 for all addresses of both families
	}
	var lc net.ListenConfig
	return lc.Listen(ctx, network, ap.String())
}

// resolve finds the address to listen on.
func resolve(ctx context.Context, addr string) (netip.AddrPort, error) {
	host, portText, err := net.SplitHostPort(addr)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("listen address %q is not of the form HOST:PORT: %w", addr, err)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("listen address %q: the port is not a number from 0 to 65535", addr)
	}
	if host == "" {
		return netip.AddrPort{}, fmt.Errorf("listen address %q has no host; all interfaces are 0.0.0.0 or [::]", addr)
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("listen address %q: %w", addr, err)
	}
	return netip.AddrPortFrom(prefer(ips), uint16(port)), nil
}

// prefer chooses among the addresses of a name, of which there is at least one.
func prefer(ips []netip.Addr) netip.Addr {
	for i := range ips {
		ips[i] = ips[i].Unmap()
	}
	if loopback := netip.AddrFrom4([4]byte{127, 0, 0, 1}); slices.Contains(ips, loopback) {
		return loopback
	}
	return ips[0]
}

// nextPort returns a port to suggest in place of one that is taken.
func nextPort(port uint16) uint16 {
	if port == 65535 {
		return 0
	}
	return port + 1
}

// addressInUse reports whether err says that the address is taken.
func addressInUse(err error) bool {
	const windowsAddrInUse = syscall.Errno(10048) // WSAEADDRINUSE, unlike Windows' syscall.EADDRINUSE
	return errors.Is(err, syscall.EADDRINUSE) || runtime.GOOS == "windows" && errors.Is(err, windowsAddrInUse)
}
