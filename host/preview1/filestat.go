package preview1

import (
	"time"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host/files"
	"github.com/minispin/minispin/wit/bindings/wasi/filesystem/types"
)

// filestatSize is the size of a filestat: device at 0, number of the file at 8,
// filetype at 16, count of links at 24, size at 32, times of access, change and
// change of status at 40, 48 and 56.
const filestatSize = 64

// device is the number of the one device that guests' files are on.
const device = 1

func putFilestat(r component.Memory, s files.Stat) {
	clear(r)
	r.PutU64(0, device)
	r.PutU64(8, s.ID())
	r.PutU8(16, uint8(filetypeOf(s.Type)))
	r.PutU64(24, s.Links)
	r.PutU64(32, s.Size)
	r.PutU64(40, timestamp(s.Accessed))
	r.PutU64(48, timestamp(s.Modified))
	r.PutU64(56, timestamp(s.Changed))
}

// timestamp returns t in nanoseconds since 1970; what is not known, or cannot be
// said, is zero.
func timestamp(t time.Time) uint64 {
	if t.Unix() < 0 {
		return 0
	}
	return uint64(t.Unix())*1e9 + uint64(t.Nanosecond())
}

func filetypeOf(t types.DescriptorType) filetype {
	switch t {
	case types.DescriptorTypeBlockDevice:
		return filetypeBlockDevice
	case types.DescriptorTypeCharacterDevice:
		return filetypeCharacterDevice
	case types.DescriptorTypeDirectory:
		return filetypeDirectory
	case types.DescriptorTypeRegularFile:
		return filetypeRegularFile
	case types.DescriptorTypeSocket:
		return filetypeSocketStream
	case types.DescriptorTypeSymbolicLink:
		return filetypeSymbolicLink
	}
	return filetypeUnknown // a FIFO among them: preview 1 has no type for it
}

// fdFilestatGet tells of a stream its filetype and nothing else.
func fdFilestatGet(c *call) error {
	open, err := c.fds.use(c.u32(0), rightStat)
	if err != nil {
		return err
	}
	r, err := record(c.Mem(), c.u32(1), filestatSize)
	if err != nil {
		return err
	}
	h := open.handle()
	if h == nil {
		kind, _ := open.desc.stat()
		clear(r)
		r.PutU8(16, uint8(kind))
		return nil
	}
	s, err := h.Stat()
	if err != nil {
		return fileErrno(err)
	}
	putFilestat(r, s)
	return nil
}

// fdFilestatSetTimes has the parameters descriptor, time of access, time of
// change, fstflags.
func fdFilestatSetTimes(c *call) error {
	h, err := c.handle(rightSetTimes, errNotsup)
	if err != nil {
		return err
	}
	access, change, err := c.times(1)
	if err != nil {
		return err
	}
	return fileErrno(h.SetTimes(access, change))
}

// The bits of fstflags.
const (
	setAccess    = 1 << 0
	setAccessNow = 1 << 1
	setChange    = 1 << 2
	setChangeNow = 1 << 3
)

// times returns the times to set, zero for one to leave: parameter i is that of
// access, the next that of change, and the one after says which to set.
func (c *call) times(i int) (access, change time.Time, err error) {
	flags := c.u32(i + 2)
	if flags&^(setAccess|setAccessNow|setChange|setChangeNow) != 0 ||
		flags&(setAccess|setAccessNow) == setAccess|setAccessNow ||
		flags&(setChange|setChangeNow) == setChange|setChangeNow {
		return access, change, errInval
	}
	now := c.ctx.Clocks.WallNow()
	pick := func(ns uint64, given, current uint32) time.Time {
		switch {
		case flags&given != 0:
			return time.Unix(int64(ns/1e9), int64(ns%1e9))
		case flags&current != 0:
			return now
		}
		return time.Time{}
	}
	return pick(c.u64(i), setAccess, setAccessNow), pick(c.u64(i+1), setChange, setChangeNow), nil
}
