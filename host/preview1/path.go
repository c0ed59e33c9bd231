package preview1

import (
	"unicode/utf8"

	"github.com/minispin/minispin/host/files"
	"github.com/minispin/minispin/wit/bindings/wasi/filesystem/types"
)

// This file has the functions on paths beneath a directory, but for path_open.

// path returns the path whose address is in parameter i and whose length in the
// next.
func (c *call) path(i int) (string, error) {
	n := c.u32(i + 1)
	b, err := span(c.Mem(), c.u32(i), uint64(n))
	switch {
	case err != nil:
		return "", err
	case n > files.MaxPath:
		return "", errNametoolong
	case !utf8.Valid(b):
		return "", errIlseq
	}
	return string(b), nil
}

// onPath is a function of a path beneath a directory: parameters directory, path
// and its length.
func onPath(want rights, do func(h *files.Handle, path string) error) func(*call) error {
	return func(c *call) error {
		_, d, err := c.directory(0, want)
		if err != nil {
			return err
		}
		path, err := c.path(1)
		if err != nil {
			return err
		}
		return fileErrno(do(d.h, path))
	}
}

// onLookup is onPath for a function whose parameters begin with directory,
// lookupflags, path and its length.
func onLookup(want rights, do func(c *call, h *files.Handle, flags types.PathFlags, path string) error) func(*call) error {
	return func(c *call) error {
		_, d, err := c.directory(0, want)
		if err != nil {
			return err
		}
		flags, err := lookupFlags(c.u32(1))
		if err != nil {
			return err
		}
		path, err := c.path(2)
		if err != nil {
			return err
		}
		return do(c, d.h, flags, path)
	}
}

// pathFilestatGet has one more parameter: where the filestat goes.
func pathFilestatGet(c *call, h *files.Handle, flags types.PathFlags, path string) error {
	r, err := record(c.Mem(), c.u32(4), filestatSize)
	if err != nil {
		return err
	}
	s, err := h.StatAt(flags, path)
	if err != nil {
		return fileErrno(err)
	}
	putFilestat(r, s)
	return nil
}

// pathFilestatSetTimes has three more parameters: time of access, time of change,
// fstflags.
func pathFilestatSetTimes(c *call, h *files.Handle, flags types.PathFlags, path string) error {
	access, change, err := c.times(4)
	if err != nil {
		return err
	}
	return fileErrno(h.SetTimesAt(flags, path, access, change))
}

// pathLink has the parameters directory, lookupflags, path, its length; directory,
// path and its length of the new name.
func pathLink(c *call) error {
	_, from, err := c.directory(0, rightLinkSource)
	if err != nil {
		return err
	}
	_, to, err := c.directory(4, rightLinkTarget)
	if err != nil {
		return err
	}
	lookup, err := lookupFlags(c.u32(1))
	if err != nil {
		return err
	}
	return c.onTwo(2, 5, func(old, new string) error { return from.h.Link(lookup, old, to.h, new) })
}

// pathRename has the parameters directory, path, its length; the same of the new
// name.
func pathRename(c *call) error {
	_, from, err := c.directory(0, rightRenameSource)
	if err != nil {
		return err
	}
	_, to, err := c.directory(3, rightRenameTarget)
	if err != nil {
		return err
	}
	return c.onTwo(1, 4, func(old, new string) error { return from.h.Rename(old, to.h, new) })
}

// pathSymlink has the parameters contents of the link, their length, directory,
// path, its length.
func pathSymlink(c *call) error {
	_, d, err := c.directory(2, rightSymlink)
	if err != nil {
		return err
	}
	return c.onTwo(0, 3, d.h.Symlink)
}

// onTwo calls do with the paths at parameters i and j.
func (c *call) onTwo(i, j int, do func(a, b string) error) error {
	a, err := c.path(i)
	if err != nil {
		return err
	}
	b, err := c.path(j)
	if err != nil {
		return err
	}
	return fileErrno(do(a, b))
}

// pathReadlink has the parameters directory, path, its length, buffer, its
// length, where the count of bytes goes. A buffer that is too short gets as much
// as it holds.
func pathReadlink(c *call) error {
	_, d, err := c.directory(0, rightReadlink)
	if err != nil {
		return err
	}
	path, err := c.path(1)
	if err != nil {
		return err
	}
	to, err := span(c.Mem(), c.u32(3), uint64(c.u32(4)))
	if err != nil {
		return err
	}
	count, err := record(c.Mem(), c.u32(5), 4)
	if err != nil {
		return err
	}
	target, err := d.h.Readlink(path)
	if err != nil {
		return fileErrno(err)
	}
	count.PutU32(0, uint32(copy(to, target)))
	return nil
}
