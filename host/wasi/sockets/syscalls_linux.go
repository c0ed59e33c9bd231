package sockets

import "golang.org/x/sys/unix"

const (
	sendFlags = unix.MSG_NOSIGNAL
	// bufferFactor is by how much the system reports a larger buffer than it was
	// asked for: Linux counts its own bookkeeping.
	bufferFactor = 2
	// The longest times and the most probes the system takes.
	maxKeepAliveSeconds = 32767
	maxKeepAliveCount   = 127
)

var optIdle = option{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE}

// quiet: broken connections are kept from raising signals at each send.
func quiet(int) error { return nil }
