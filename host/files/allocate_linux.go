package files

import "syscall"

// Allocate makes sure that there is room for n bytes of the file from an offset
// on, and that it is at least so long.
func (h *Handle) Allocate(offset, n uint64) error {
	if err := h.CheckWrite(); err != nil {
		return err
	}
	if int64(offset) < 0 || int64(n) < 0 || int64(offset+n) < 0 {
		return code(syscall.EFBIG)
	}
	return code(onDescriptor(h.file, func(fd int) error {
		return again(func() error { return syscall.Fallocate(fd, 0, int64(offset), int64(n)) })
	}))
}
