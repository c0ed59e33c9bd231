package preview1

import (
	"context"

	"github.com/minispin/minispin/host/wasi/io"
	"github.com/minispin/minispin/wit/bindings/wasi/io/streams"
)

// input is a standard input.
type input struct{ s *wasiio.InputStream }

func (input) stat() (filetype, rights) { return filetypeUnknown, inputRights }

func (f input) read(ctx context.Context, bufs [][]byte) (int, error) {
	got, err := f.s.WaitRead(ctx, length(bufs))
	if e, ok := err.(streams.StreamError); ok && e.Case == streams.StreamErrorClosed {
		return 0, nil
	}
	if err != nil {
		return 0, streamErrno(err)
	}
	n := 0
	for _, b := range bufs {
		n += copy(b, got[n:])
	}
	return n, nil
}

func (input) write(context.Context, [][]byte) (int, error) { return 0, errBadf }

func (f input) pollRead() (wasiio.Event, readiness, error) {
	return f.s.Event(), func() (uint64, bool) {
		n := f.s.Buffered()
		return uint64(n), n == 0
	}, nil
}

func (input) pollWrite() (wasiio.Event, readiness, error) { return nil, nil, errBadf }

// close leaves the stream open: the instance may have other handles to it.
func (input) close() {}

// output is a standard output or error.
type output struct{ s *wasiio.OutputStream }

func (output) stat() (filetype, rights) { return filetypeUnknown, outputRights }

func (output) read(context.Context, [][]byte) (int, error) { return 0, errBadf }

func (f output) write(ctx context.Context, bufs [][]byte) (int, error) {
	n := 0
	for _, b := range bufs {
		// The count is an i32 to the guest, and buffers may name the same memory
		// again and again.
		b = b[:min(len(b), maxTransfer-n)]
		for len(b) > 0 {
			part := b[:min(len(b), wasiio.MaxWrite)]
			if err := f.s.WriteAll(ctx, part); err != nil {
				if err = streamErrno(err); n > 0 && isErrno(err) {
					return n, nil // the guest learns of the failure at its next write
				}
				return n, err
			}
			n += len(part)
			b = b[len(part):]
		}
	}
	return n, nil
}

// maxTransfer is the most bytes one call reads or writes.
const maxTransfer = 1<<31 - 1

func isErrno(err error) bool {
	_, ok := err.(Errno)
	return ok
}

func (output) pollRead() (wasiio.Event, readiness, error) { return nil, nil, errBadf }

func (f output) pollWrite() (wasiio.Event, readiness, error) {
	return f.s.Event(), func() (uint64, bool) { return wasiio.MaxWrite, false }, nil
}

func (output) close() {}
