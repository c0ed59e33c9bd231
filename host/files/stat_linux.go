package files

import (
	"os"
	"strconv"
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
	s.Accessed = time.Unix(sys.Atim.Unix())
	s.Changed = time.Unix(sys.Ctim.Unix())
}

// utimeOmit, in the place of nanoseconds, leaves a time as it is.
const utimeOmit = unix.UTIME_OMIT

// setTimes sets the times of an open file. Its name may be another file's by now,
// so it is named by its descriptor.
func setTimes(f *os.File, access, change time.Time) error {
	return onDescriptor(f, func(fd int) error {
		return os.Chtimes("/proc/self/fd/"+strconv.Itoa(fd), access, change)
	})
}
