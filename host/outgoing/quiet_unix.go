//go:build unix

package outgoing

import (
	"errors"
	"net"
	"syscall"
	"time"
)

// keepable says that isQuiet can look at connections.
const keepable = true

// isQuiet reports whether a connection is open and has nothing to be read.
func isQuiet(c net.Conn) bool {
	s, ok := c.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return false
	}
	// The deadline of the last request could have passed.
	if err := c.SetReadDeadline(time.Time{}); err != nil {
		return false
	}
	var b [1]byte
	var rerr error
	err = raw.Read(func(fd uintptr) bool {
		_, rerr = syscall.Read(int(fd), b[:])
		return true
	})
	return err == nil && errors.Is(rerr, syscall.EAGAIN)
}
