package preview1

import "context"

// This file has the functions on file descriptors, and those on directories and
// sockets, of which there are none to name.

func fdRead(c *call) error {
	return transfer(c, rightRead, descriptor.read)
}

func fdWrite(c *call) error {
	return transfer(c, rightWrite, descriptor.write)
}

// transfer moves bytes between a descriptor and a list of buffers: parameters
// fd, list, length of list, where the count of bytes goes.
func transfer(c *call, right rights, move func(d descriptor, ctx context.Context, bufs [][]byte) (int, error)) error {
	d, err := c.fds.use(c.u32(0), right)
	if err != nil {
		return err
	}
	bufs, err := iovecs(c.Mem(), c.u32(1), c.u32(2))
	if err != nil {
		return err
	}
	count, err := record(c.Mem(), c.u32(3), 4)
	if err != nil {
		return err
	}
	n, err := move(d, c.Context(), bufs)
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
	r.PutU64(8, uint64(f.rights))
	return nil
}

// fdFdstatSetFlags takes no flags but none: a stream cannot append or be made
// not to wait.
func fdFdstatSetFlags(c *call) error {
	if _, err := c.fds.get(c.u32(0)); err != nil {
		return err
	}
	if c.u32(1) != 0 {
		return errNotsup
	}
	return nil
}

// fdFdstatSetRights gives rights up; they cannot be won back.
func fdFdstatSetRights(c *call) error {
	f, err := c.fds.get(c.u32(0))
	if err != nil {
		return err
	}
	base, inheriting := rights(c.u64(1)), rights(c.u64(2))
	if base&^f.rights != 0 || inheriting != 0 {
		return errNotcap
	}
	f.rights = base
	return nil
}

// filestat has 64 bytes, of which a stream has nothing to say but the filetype
// at 16.
func fdFilestatGet(c *call) error {
	f, err := c.fds.get(c.u32(0))
	if err != nil {
		return err
	}
	r, err := record(c.Mem(), c.u32(1), 64)
	if err != nil {
		return err
	}
	clear(r)
	kind, _ := f.desc.stat()
	r.PutU8(16, uint8(kind))
	return nil
}

// onDescriptor answers a function that no open descriptor has, with the reason,
// or EBADF when the number in parameter 0 is not open.
func onDescriptor(reason Errno) func(*call) error {
	return func(c *call) error { return c.refuse(0, reason) }
}

func (c *call) refuse(param int, reason Errno) error {
	if _, err := c.fds.get(c.u32(param)); err != nil {
		return err
	}
	return reason
}

// noDirectory answers the functions that list preopened directories: a number
// that is none is EBADF, which ends the guest's search.
func noDirectory(*call) error { return errBadf }

func pathLink(c *call) error {
	if _, err := c.fds.get(c.u32(4)); err != nil {
		return err
	}
	return c.refuse(0, errNotdir)
}

func pathRename(c *call) error {
	if _, err := c.fds.get(c.u32(3)); err != nil {
		return err
	}
	return c.refuse(0, errNotdir)
}

func pathSymlink(c *call) error { return c.refuse(2, errNotdir) }

func notSupported(*call) error { return errNotsup }
