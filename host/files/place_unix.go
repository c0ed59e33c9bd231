//go:build linux || darwin

package files

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// A place is a name in an open directory.
type place struct {
	dir  *os.File
	fd   int
	name string
}

// place finds the directory that name is in. The error is a code.
func (h *Handle) place(name string) (*place, error) {
	in, last, err := h.split(name)
	if err != nil {
		return nil, err
	}
	dir, err := h.root.OpenFile(in, os.O_RDONLY|unix.O_DIRECTORY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, code(err)
	}
	return &place{dir: dir, fd: int(dir.Fd()), name: last}, nil
}

func (p *place) close() { p.dir.Close() }

func (p *place) isDir() (bool, error) {
	var s unix.Stat_t
	err := again(func() error { return unix.Fstatat(p.fd, p.name, &s, unix.AT_SYMLINK_NOFOLLOW) })
	return s.Mode&unix.S_IFMT == unix.S_IFDIR, err
}

func (p *place) mkdir() error {
	return again(func() error { return unix.Mkdirat(p.fd, p.name, 0o777) })
}

func (p *place) rmdir() error {
	return again(func() error { return unix.Unlinkat(p.fd, p.name, unix.AT_REMOVEDIR) })
}

func (p *place) unlink() error { return again(func() error { return unix.Unlinkat(p.fd, p.name, 0) }) }

func (p *place) symlink(target string) error {
	return again(func() error { return unix.Symlinkat(target, p.fd, p.name) })
}

func (p *place) link(to *place) error {
	return again(func() error { return unix.Linkat(p.fd, p.name, to.fd, to.name, 0) })
}

func (p *place) rename(to *place) error {
	return again(func() error { return unix.Renameat(p.fd, p.name, to.fd, to.name) })
}

// setTimes sets the times of the link at p; a zero time leaves one as it is.
func (p *place) setTimes(access, change time.Time) error {
	times := make([]unix.Timespec, 2)
	for i, t := range []time.Time{access, change} {
		if t.IsZero() {
			times[i].Nsec = utimeOmit
			continue
		}
		var err error
		if times[i], err = unix.TimeToTimespec(t); err != nil {
			return err
		}
	}
	return again(func() error { return unix.UtimesNanoAt(p.fd, p.name, times, unix.AT_SYMLINK_NOFOLLOW) })
}
