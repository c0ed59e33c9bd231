//go:build linux || darwin

package files

import (
	"os"

	"golang.org/x/sys/unix"
)

// onDescriptor makes system calls with the descriptor of f, which stays open
// meanwhile.
func onDescriptor(f *os.File, calls func(fd int) error) error {
	c, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failure error
	if err := c.Control(func(fd uintptr) { failure = calls(int(fd)) }); err != nil {
		return err
	}
	return failure
}

// again makes a system call until it is not interrupted.
func again(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}
