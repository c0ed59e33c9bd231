package preview1

import "context"

// This file has the functions that work on every kind of file descriptor, and
// those on sockets, of which there are none to name.

func fdRead(c *call) error { return transfer(c, rightRead, 3, descriptor.read) }

func fdWrite(c *call) error { return transfer(c, rightWrite, 3, descriptor.write) }

// transfer moves bytes between a descriptor and a list of buffers: parameters
// fd, list, length of list, and at result where the count of bytes goes.
func transfer(c *call, want rights, result int, move func(d descriptor, ctx context.Context, bufs [][]byte) (int, error)) error {
	open, err := c.fds.use(c.u32(0), want)
	if err != nil {
		return err
	}
	bufs, err := iovecs(c.Mem(), c.u32(1), c.u32(2))
	if err != nil {
		return err
	}
	count, err := record(c.Mem(), c.u32(result), 4)
	if err != nil {
		return err
	}
	n, err := move(open.desc, c.Context(), bufs)
	if err != nil {
		return err
	}
	count.PutU32(0, uint32(n))
	return nil
}

func fdClose(c *call) error { return c.fds.close(c.u32(0)) }

func fdRenumber(c *call) error { return c.fds.renumber(c.u32(0), c.u32(1)) }

// fdstat has 24 bytes: filetype at 0, flags at 2, base rights at 8, inheriting
// rights at 16.
func fdFdstatGet(c *call) error {
	f, err := c.fds.get(c.u32(0))
	if err != nil {
		return err
	}
	r, err := record(c.Mem(), c.u32(1), 24)
	if err != nil {
		return err
	}
	clear(r)
	kind, _ := f.desc.stat()
	r.PutU8(0, uint8(kind))
	if d, ok := f.desc.(*file); ok {
		r.PutU16(2, uint16(d.flags))
	}
	r.PutU64(8, uint64(f.rights))
	r.PutU64(16, uint64(f.inheriting))
	return nil
}

// fdFdstatSetFlags lets a file append, or end that. What is not a file takes no
// flags but none: it cannot append or be made not to wait.
func fdFdstatSetFlags(c *call) error {
	open, err := c.fds.use(c.u32(0), rightSetFlags)
	if err != nil {
		return err
	}
	flags := fdflags(c.u32(1))
	f, ok := open.desc.(*file)
	switch {
	case flags&^allFlags != 0:
		return errInval
	case !ok && flags != 0:
		return errNotsup
	case !ok:
		return nil
	case (flags^f.flags)&syncFlags != 0:
		return errInval
	}
	f.flags = flags
	return nil
}

// fdFdstatSetRights gives rights up; they cannot be won back.
func fdFdstatSetRights(c *call) error {
	f, err := c.fds.get(c.u32(0))
	if err != nil {
		return err
	}
	base, inheriting := rights(c.u64(1)), rights(c.u64(2))
	if base&^f.rights != 0 || inheriting&^f.inheriting != 0 {
		return errNotcap
	}
	f.rights, f.inheriting = base, inheriting
	return nil
}

// fdSync stores what was written, contents and all else: the system makes no
// difference that is worth one here.
func fdSync(want rights) func(*call) error {
	return func(c *call) error {
		h, err := c.handle(want, errInval)
		if err != nil {
			return err
		}
		return fileErrno(h.Sync())
	}
}

// onDescriptor answers a function that no open descriptor has, with the reason,
// or EBADF when the number in parameter 0 is not open.
func onDescriptor(reason Errno) func(*call) error {
	return func(c *call) error {
		if _, err := c.fds.get(c.u32(0)); err != nil {
			return err
		}
		return reason
	}
}

func notSupported(*call) error { return errNotsup }
