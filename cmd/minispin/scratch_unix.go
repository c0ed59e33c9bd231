//go:build darwin || linux || freebsd || netbsd || openbsd || dragonfly

package main

import (
	"os"
	"syscall"
)

// nonblock keeps an open from waiting where a FIFO has the place of a file.
const nonblock = syscall.O_NONBLOCK

// tryLock locks f until it is closed, unless it is locked by another open file.
func tryLock(f *os.File) (locked, supported bool) {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil, true
}
