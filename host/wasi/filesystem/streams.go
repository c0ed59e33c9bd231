package filesystem

import (
	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host/files"
	"github.com/minispin/minispin/host/wasi/io"
	"github.com/minispin/minispin/wit/bindings/wasi/io/streams"
)

// cursor reads and writes a file from an offset of its own on.
type cursor struct {
	h  *files.Handle
	at uint64
}

// Read implements io.Reader.
func (c *cursor) Read(p []byte) (int, error) {
	n, err := c.h.ReadAt(p, c.at)
	c.at += uint64(n)
	if n > 0 {
		err = nil // told by the next read, if it is still so
	}
	return n, err
}

// Write implements io.Writer.
func (c *cursor) Write(p []byte) (int, error) {
	n, err := c.h.WriteAt(p, c.at)
	c.at += uint64(n)
	return n, err
}

// tail writes at the end of a file.
type tail struct{ h *files.Handle }

// Write implements io.Writer.
func (t tail) Write(p []byte) (int, error) {
	n, _, err := t.h.Append(p)
	return n, err
}

// ReadViaStream implements wasi:filesystem/types. A regular file never makes a
// reader wait, so the guest's goroutine reads it.
func (d *descriptor) ReadViaStream(_ *component.Call, offset uint64) (streams.InputStream, error) {
	if err := d.h.CheckRead(); err != nil {
		return nil, err
	}
	d.h.Retain()
	return wasiio.NewInputStream(&cursor{d.h, offset}, wasiio.InputOptions{Blocking: wasiio.NeverBlocks, Close: d.h.Close}), nil
}

// WriteViaStream implements wasi:filesystem/types.
func (d *descriptor) WriteViaStream(_ *component.Call, offset uint64) (streams.OutputStream, error) {
	if err := d.h.CheckWrite(); err != nil {
		return nil, err
	}
	d.h.Retain()
	return wasiio.NewOutputStream(&cursor{d.h, offset}, wasiio.OutputOptions{Blocking: wasiio.NeverBlocks, Close: d.h.Close}), nil
}

// AppendViaStream implements wasi:filesystem/types.
func (d *descriptor) AppendViaStream(*component.Call) (streams.OutputStream, error) {
	if err := d.h.CheckWrite(); err != nil {
		return nil, err
	}
	d.h.Retain()
	return wasiio.NewOutputStream(tail{d.h}, wasiio.OutputOptions{Blocking: wasiio.NeverBlocks, Close: d.h.Close}), nil
}
