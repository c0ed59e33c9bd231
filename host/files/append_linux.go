package files

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// appendTo writes p at the end of f. The system finds the end and writes in one
// step, so that nothing another process appends is lost.
func appendTo(f *os.File, p []byte) (n int, err error) {
	c, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	controlErr := c.Control(func(fd uintptr) {
		for n < len(p) && err == nil {
			var m int
			m, err = unix.Pwritev2(int(fd), [][]byte{p[n:]}, 0, unix.RWF_APPEND)
			if n += max(m, 0); err == unix.EINTR {
				err = nil
			}
		}
	})
	switch {
	case controlErr != nil:
		return n, controlErr
	case n == 0 && (errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS)):
		return appendAtSize(f, p)
	}
	return n, err
}
