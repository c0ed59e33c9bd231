package files

import (
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func (s *Stat) fromSystem(i os.FileInfo) {
	sys, ok := i.Sys().(*syscall.Stat_t)
	if !ok {
		return
	}
	s.Device, s.Inode, s.Links = uint64(sys.Dev), sys.Ino, uint64(sys.Nlink)
	s.Accessed = time.Unix(sys.Atimespec.Unix())
	s.Changed = time.Unix(sys.Ctimespec.Unix())
}

// utimeOmit, in the place of nanoseconds, leaves a time as it is.
const utimeOmit = -2

// setTimes sets the times of an open file, as exactly as the system's call for
// descriptors can: to a microsecond.
func setTimes(f *os.File, access, change time.Time) error {
	i, err := f.Stat()
	if err != nil {
		return err
	}
	now := stat(i)
	if access.IsZero() {
		access = now.Accessed
	}
	if change.IsZero() {
		change = now.Modified
	}
	return onDescriptor(f, func(fd int) error {
		return unix.Futimes(fd, []unix.Timeval{unix.NsecToTimeval(access.UnixNano()), unix.NsecToTimeval(change.UnixNano())})
	})
}
