//go:build unix

package stage

import "syscall"

// nonblock keeps an open from waiting for the other end of a FIFO that came there
// since it was looked at.
const nonblock = syscall.O_NONBLOCK
