package preview1

import (
	"context"

	"github.com/minispin/minispin/host/files"
	"github.com/minispin/minispin/host/wasi/io"
)

// directory is an open directory.
type directory struct {
	h       *files.Handle
	preopen bool   // it was there from the start,
	path    string // at this path
	list    listing
}

func (*directory) stat() (filetype, rights) { return filetypeDirectory, directoryRights }

func (*directory) read(context.Context, [][]byte) (int, error) { return 0, errIsdir }

// write is never open to a directory, whatever was asked for.
func (*directory) write(context.Context, [][]byte) (int, error) { return 0, errBadf }

func (*directory) pollRead() (wasiio.Event, readiness, error)  { return nil, nil, errBadf }
func (*directory) pollWrite() (wasiio.Event, readiness, error) { return nil, nil, errBadf }

func (d *directory) close() {
	d.list.close()
	d.h.Close()
}

// directory returns the directory that a parameter names.
func (c *call) directory(param int, want rights) (*openFile, *directory, error) {
	open, err := c.fds.use(c.u32(param), want)
	if err != nil {
		return nil, nil, err
	}
	d, ok := open.desc.(*directory)
	if !ok {
		return nil, nil, errNotdir
	}
	return open, d, nil
}

// handle returns what f is of package files, nil for a standard stream.
func (f *openFile) handle() *files.Handle {
	switch d := f.desc.(type) {
	case *file:
		return d.h
	case *directory:
		return d.h
	}
	return nil
}

// handle returns the file or directory that parameter 0 names. A standard stream
// is refused with the reason given.
func (c *call) handle(want rights, stream Errno) (*files.Handle, error) {
	open, err := c.fds.use(c.u32(0), want)
	if err != nil {
		return nil, err
	}
	if h := open.handle(); h != nil {
		return h, nil
	}
	return nil, stream
}

// preopened returns the directory that parameter 0 names if it was there from
// the start. Any other number is EBADF, which ends a guest's search for them.
func (c *call) preopened() (*directory, error) {
	open, err := c.fds.get(c.u32(0))
	if err != nil {
		return nil, err
	}
	if d, ok := open.desc.(*directory); ok && d.preopen {
		return d, nil
	}
	return nil, errBadf
}

// prestat has 8 bytes: the tag at 0, which is zero for a directory, and the
// length of its path at 4.
func fdPrestatGet(c *call) error {
	d, err := c.preopened()
	if err != nil {
		return err
	}
	r, err := record(c.Mem(), c.u32(1), 8)
	if err != nil {
		return err
	}
	r.PutU32(0, 0)
	r.PutU32(4, uint32(len(d.path)))
	return nil
}

func fdPrestatDirName(c *call) error {
	d, err := c.preopened()
	if err != nil {
		return err
	}
	to, err := span(c.Mem(), c.u32(1), uint64(c.u32(2)))
	if err != nil {
		return err
	}
	if len(to) < len(d.path) {
		return errNametoolong
	}
	copy(to, d.path)
	return nil
}
