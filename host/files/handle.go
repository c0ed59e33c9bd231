package files

import (
	"io"
	"os"
	"sync"

	"github.com/minispin/minispin/wit/bindings/wasi/filesystem/types"
)

// A Handle is an open file or directory. The errors of its methods are of the
// type types.ErrorCode, but for io.EOF.
type Handle struct {
	session *Session
	mount   *os.Root // of the Mount it comes from
	access  Access   // of the same
	flags   types.DescriptorFlags
	refs    int

	file *os.File // of a regular file
	root *os.Root // of a directory; mount itself, or closed with the handle
}

// Retain makes one more Close necessary: a stream goes on when the descriptor it
// came from is closed.
func (h *Handle) Retain() { h.refs++ }

// Close gives the handle up. Further calls have no effect.
func (h *Handle) Close() {
	if h.refs--; h.refs == 0 {
		h.release()
	}
}

func (h *Handle) release() {
	h.refs = 0
	if !h.session.dismiss(h) {
		return
	}
	switch {
	case h.file != nil:
		h.file.Close()
	case h.root != h.mount:
		h.root.Close()
	default:
		return
	}
	h.session.giveBack()
}

// Flags returns what the handle was opened for.
func (h *Handle) Flags() types.DescriptorFlags { return h.flags }

// IsDir reports whether h is a directory's.
func (h *Handle) IsDir() bool { return h.root != nil }

// Type returns regular-file or directory: there are no handles of others.
func (h *Handle) Type() types.DescriptorType {
	if h.IsDir() {
		return types.DescriptorTypeDirectory
	}
	return types.DescriptorTypeRegularFile
}

// CheckRead and CheckWrite return the error that ReadAt and WriteAt would of a
// handle whose contents may not be read or written.
func (h *Handle) CheckRead() error  { return h.content(types.DescriptorFlagsRead) }
func (h *Handle) CheckWrite() error { return h.content(types.DescriptorFlagsWrite) }

func (h *Handle) content(need types.DescriptorFlags) error {
	switch {
	case h.IsDir():
		return types.ErrorCodeIsDirectory
	case h.flags&need == 0:
		return types.ErrorCodeBadDescriptor
	}
	return nil
}

// ReadAt reads into p at an offset in bytes. It returns less than len(p) only
// with an error; at the end that is io.EOF.
func (h *Handle) ReadAt(p []byte, offset uint64) (int, error) {
	if err := h.CheckRead(); err != nil {
		return 0, err
	}
	if int64(offset) < 0 {
		return 0, types.ErrorCodeInvalid
	}
	n, err := h.file.ReadAt(p, int64(offset))
	if err == io.EOF {
		return n, err
	}
	return n, code(err)
}

// WriteAt writes p at an offset in bytes.
func (h *Handle) WriteAt(p []byte, offset uint64) (int, error) {
	if err := h.CheckWrite(); err != nil {
		return 0, err
	}
	if int64(offset) < 0 || int64(offset)+int64(len(p)) < 0 {
		return 0, types.ErrorCodeFileTooLarge
	}
	n, err := h.file.WriteAt(p, int64(offset))
	return n, code(err)
}

// Append writes p at the end of the file, wherever that is by then, and returns
// the offset after it.
func (h *Handle) Append(p []byte) (n int, end uint64, err error) {
	if err := h.CheckWrite(); err != nil {
		return 0, 0, err
	}
	n, err = appendTo(h.file, p)
	if n == 0 && err != nil {
		return 0, 0, code(err)
	}
	end, sizeErr := h.Size()
	if err == nil {
		err = sizeErr
	}
	return n, end, code(err)
}

// appending lets one guest at a time find the end of a file and write there.
var appending sync.Mutex

// appendAtSize is appendTo where the system has no call for it: two processes
// that append to one file may overwrite what the other wrote.
func appendAtSize(f *os.File, p []byte) (int, error) {
	appending.Lock()
	defer appending.Unlock()
	i, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return f.WriteAt(p, i.Size())
}

// Size returns how many bytes the file has.
func (h *Handle) Size() (uint64, error) {
	s, err := h.Stat()
	return s.Size, err
}

// SetSize cuts the file off or extends it with zeros.
func (h *Handle) SetSize(size uint64) error {
	if err := h.CheckWrite(); err != nil {
		return err
	}
	if int64(size) < 0 {
		return types.ErrorCodeFileTooLarge
	}
	return code(h.file.Truncate(int64(size)))
}

// Sync waits until what was written is stored; of a directory, its names.
func (h *Handle) Sync() error {
	switch {
	case h.access != ReadWrite:
		return nil // nothing was written through it
	case !h.IsDir():
		return code(h.file.Sync())
	}
	d, err := h.root.Open(".")
	if err != nil {
		return code(err)
	}
	defer d.Close()
	return code(d.Sync())
}

// mutable checks that something may be changed besides contents.
func (h *Handle) mutable() error {
	if h.access != ReadWrite {
		return types.ErrorCodeReadOnly
	}
	return nil
}

// info returns what the system knows of the file now.
func (h *Handle) info() (os.FileInfo, error) {
	if h.IsDir() {
		i, err := h.root.Stat(".")
		return i, code(err)
	}
	i, err := h.file.Stat()
	return i, code(err)
}

// Stat returns what is known of the file now.
func (h *Handle) Stat() (Stat, error) {
	i, err := h.info()
	if err != nil {
		return Stat{}, err
	}
	return stat(i), nil
}

// Same reports whether both handles are of one file.
func (h *Handle) Same(other *Handle) (bool, error) {
	a, err := h.info()
	if err != nil {
		return false, err
	}
	b, err := other.info()
	return err == nil && os.SameFile(a, b), err
}
