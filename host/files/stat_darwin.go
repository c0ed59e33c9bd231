package files

import (
	"errors"
	"os"
	"syscall"
	"time"
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

// setTimes is not to be had for an open file by the standard library.
func setTimes(*os.File, time.Time, time.Time) error { return errors.ErrUnsupported }
