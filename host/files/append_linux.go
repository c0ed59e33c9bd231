package files

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// appendTo writes p at the end of f. The system finds the end and writes in one
// step, so that nothing another process appends is lost.
func appendTo(f *os.File, p []byte) (n int, err error) {
	err = onDescriptor(f, func(fd int) error {
		for n < len(p) {
			m, err := unix.Pwritev2(fd, [][]byte{p[n:]}, 0, unix.RWF_APPEND)
			n += max(m, 0)
			if err != nil && err != unix.EINTR {
				return err
			}
		}
		return nil
	})
	if n == 0 && (errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS)) {
		return appendAtSize(f, p)
	}
	return n, err
}
