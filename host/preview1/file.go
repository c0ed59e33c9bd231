package preview1

import (
	"context"
	"io"

	"github.com/minispin/minispin/host/files"
	"github.com/minispin/minispin/host/wasi/io"
	"github.com/minispin/minispin/wit/bindings/wasi/filesystem/types"
)

// file is an open regular file.
type file struct {
	h     *files.Handle
	at    uint64 // where the next read or write is
	flags fdflags
}

func (f *file) stat() (filetype, rights) {
	r := fileRights
	if f.h.CheckRead() == nil {
		r |= readRights
	}
	if f.h.CheckWrite() == nil {
		r |= writeRights
	}
	return filetypeRegularFile, r
}

func (f *file) read(ctx context.Context, bufs [][]byte) (int, error) {
	n, err := f.readAt(ctx, bufs, f.at)
	f.at += uint64(n)
	return n, err
}

func (f *file) readAt(ctx context.Context, bufs [][]byte, at uint64) (int, error) {
	if err := f.h.CheckRead(); err != nil {
		return 0, fileErrno(err)
	}
	return inSteps(ctx, bufs, func(p []byte, done int) (int, error) {
		return f.h.ReadAt(p, at+uint64(done))
	})
}

func (f *file) write(ctx context.Context, bufs [][]byte) (int, error) {
	if f.flags&flagAppend != 0 {
		return f.append(ctx, bufs)
	}
	n, err := f.writeAt(ctx, bufs, f.at)
	f.at += uint64(n)
	return n, err
}

func (f *file) writeAt(ctx context.Context, bufs [][]byte, at uint64) (int, error) {
	if err := f.h.CheckWrite(); err != nil {
		return 0, fileErrno(err)
	}
	return inSteps(ctx, bufs, func(p []byte, done int) (int, error) {
		return f.h.WriteAt(p, at+uint64(done))
	})
}

// append writes at the end of the file. What one call gives in a few small
// buffers stays together, though others may append to the same file.
func (f *file) append(ctx context.Context, bufs [][]byte) (int, error) {
	if err := f.h.CheckWrite(); err != nil {
		return 0, fileErrno(err)
	}
	if size := length(bufs); len(bufs) > 1 && size <= maxStep {
		whole := make([]byte, 0, size)
		for _, b := range bufs {
			whole = append(whole, b...)
		}
		bufs = [][]byte{whole}
	}
	return inSteps(ctx, bufs, func(p []byte, _ int) (int, error) {
		n, end, err := f.h.Append(p)
		if n > 0 {
			f.at = end
		}
		return n, err
	})
}

// maxStep is the most bytes that are moved between two looks at whether the
// request has ended.
const maxStep = 1 << 20

// inSteps moves bufs one after the other, until move fails or moves less than it
// was given; done is how much has been moved before. A failure after something
// was moved is left to the guest's next call to meet.
func inSteps(ctx context.Context, bufs [][]byte, move func(p []byte, done int) (int, error)) (n int, err error) {
	for _, b := range bufs {
		// The count is an i32 to the guest, and buffers may name the same memory
		// again and again.
		b = b[:min(len(b), maxTransfer-n)]
		for len(b) > 0 {
			if ctx.Err() != nil {
				return n, context.Cause(ctx)
			}
			p := b[:min(len(b), maxStep)]
			m, err := move(p, n)
			n += m
			switch {
			case err == io.EOF || n > 0 && err != nil:
				return n, nil
			case err != nil:
				return 0, fileErrno(err)
			case m < len(p):
				return n, nil
			}
			b = b[m:]
		}
	}
	return n, nil
}

// length returns how many bytes bufs have together.
func length(bufs [][]byte) (n uint64) {
	for _, b := range bufs {
		n += uint64(len(b))
	}
	return n
}

// A regular file is always ready.
func (f *file) pollRead() (wasiio.Event, readiness, error) {
	if err := f.h.CheckRead(); err != nil {
		return nil, nil, fileErrno(err)
	}
	return wasiio.Always(), func() (uint64, bool) {
		size, err := f.h.Size()
		if err != nil || size <= f.at {
			return 0, false
		}
		return size - f.at, false
	}, nil
}

func (f *file) pollWrite() (wasiio.Event, readiness, error) {
	if err := f.h.CheckWrite(); err != nil {
		return nil, nil, fileErrno(err)
	}
	return wasiio.Always(), func() (uint64, bool) { return maxStep, false }, nil
}

func (f *file) close() { f.h.Close() }

// onFile is a function of regular files: do is given the one that parameter 0
// names. A directory is EBADF; a standard stream is refused with the reason
// given.
func onFile(want rights, stream Errno, do func(*call, *file) error) func(*call) error {
	return func(c *call) error {
		open, err := c.fds.use(c.u32(0), want)
		if err != nil {
			return err
		}
		switch d := open.desc.(type) {
		case *file:
			return do(c, d)
		case *directory:
			return errBadf
		}
		return stream
	}
}

// fdPread and fdPwrite are transfers at the offset in parameter 3, which leave
// the position of the file alone.
func fdPread(c *call) error {
	return transfer(c, rightRead|rightSeek, 4, func(d descriptor, ctx context.Context, bufs [][]byte) (int, error) {
		switch d := d.(type) {
		case *file:
			return d.readAt(ctx, bufs, c.u64(3))
		case *directory:
			return d.read(ctx, bufs)
		}
		return 0, errSpipe
	})
}

func fdPwrite(c *call) error {
	return transfer(c, rightWrite|rightSeek, 4, func(d descriptor, ctx context.Context, bufs [][]byte) (int, error) {
		switch d := d.(type) {
		case *file:
			return d.writeAt(ctx, bufs, c.u64(3))
		case *directory:
			return d.write(ctx, bufs)
		}
		return 0, errSpipe
	})
}

// The starting points of fd_seek, type whence.
const (
	whenceSet = 0
	whenceCur = 1
	whenceEnd = 2
)

func fdSeek(c *call, f *file) error {
	offset, whence := int64(c.u64(1)), c.u32(2)
	result, err := record(c.Mem(), c.u32(3), 8)
	if err != nil {
		return err
	}
	var from uint64
	switch whence {
	case whenceSet:
	case whenceCur:
		from = f.at
	case whenceEnd:
		if from, err = f.h.Size(); err != nil {
			return fileErrno(err)
		}
	default:
		return errInval
	}
	// from is at most 2^63-1, so that a sum out of range has the sign bit.
	at := from + uint64(offset)
	switch {
	case int64(at) >= 0:
	case offset > 0:
		return errOverflow
	default:
		return errInval
	}
	f.at = at
	result.PutU64(0, at)
	return nil
}

func fdTell(c *call, f *file) error { return putU64(c.Mem(), c.u32(1), f.at) }

func fdFilestatSetSize(c *call, f *file) error { return fileErrno(f.h.SetSize(c.u64(1))) }

// fdAllocate makes sure that there is room for a range of the file.
func fdAllocate(c *call, f *file) error {
	offset, n := c.u64(1), c.u64(2)
	if n == 0 {
		return errInval
	}
	return fileErrno(f.h.Allocate(offset, n))
}

// fdAdvise takes every advice there is. What the host does about it is nothing:
// the system reads ahead as it is.
func fdAdvise(c *call, f *file) error {
	if c.u32(3) > uint32(types.AdviceNoReuse) {
		return errInval
	}
	return nil
}
