package sockets

import "golang.org/x/sys/unix"

const (
	sendFlags    = 0
	bufferFactor = 1
	// The longest times and the most probes that are asked of the system.
	maxKeepAliveSeconds = 32767
	maxKeepAliveCount   = 127
)

var optIdle = option{unix.IPPROTO_TCP, unix.TCP_KEEPALIVE}

// quiet keeps a broken connection from raising a signal.
func quiet(fd int) error {
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_NOSIGPIPE, 1)
}
