package preview1

import (
	"context"
	"io"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host/files"
	"github.com/minispin/minispin/wit/bindings/wasi/filesystem/types"
)

// maxWindow is how many entries of a directory are kept, so that a guest whose
// buffer was too short for some of them can ask again.
const maxWindow = 256

// listing is the reading of a directory. The cookie of an entry is its number in
// it: "." is 0 and ".." is 1. Entries are read from the system once, in order; to
// go back further than the window reaches is to read the directory anew, in which
// entries that have come or gone since then have other numbers.
type listing struct {
	all    *files.Entries
	first  uint64 // the number of window[0]
	window []types.DirectoryEntry
}

func (l *listing) close() {
	if l.all != nil {
		l.all.Close()
	}
	*l = listing{}
}

// rewind begins the reading of the directory h.
func (l *listing) rewind(h *files.Handle) error {
	l.close()
	all, err := h.Entries()
	if err != nil {
		return err
	}
	l.all = all
	l.window = append(make([]types.DirectoryEntry, 0, maxWindow),
		types.DirectoryEntry{Type: types.DescriptorTypeDirectory, Name: "."},
		types.DirectoryEntry{Type: types.DescriptorTypeDirectory, Name: ".."})
	return nil
}

// at returns entry number i, or io.EOF.
func (l *listing) at(ctx context.Context, h *files.Handle, i uint64) (types.DirectoryEntry, error) {
	if l.all == nil || i < l.first {
		if err := l.rewind(h); err != nil {
			return types.DirectoryEntry{}, err
		}
	}
	for i-l.first >= uint64(len(l.window)) {
		if ctx.Err() != nil {
			return types.DirectoryEntry{}, context.Cause(ctx)
		}
		e, err := l.all.Next()
		if err != nil {
			return types.DirectoryEntry{}, err
		}
		if len(l.window) == maxWindow {
			l.first += maxWindow / 2
			l.window = append(l.window[:0], l.window[maxWindow/2:]...)
		}
		l.window = append(l.window, e)
	}
	return l.window[i-l.first], nil
}

// direntSize is the size of a dirent: the cookie of the next entry at 0, number of
// the file at 8, length of the name at 16, filetype at 20. The name follows.
const direntSize = 24

// fdReaddir fills a buffer with entries from a cookie on: parameters directory,
// buffer, its length, cookie, where the count of bytes goes. The last entry is cut
// off where the buffer ends; a buffer that is not full tells that there are no
// more.
func fdReaddir(c *call) error {
	_, d, err := c.directory(0, rightReaddir)
	if err != nil {
		return err
	}
	buf, err := span(c.Mem(), c.u32(1), uint64(c.u32(2)))
	if err != nil {
		return err
	}
	count, err := record(c.Mem(), c.u32(4), 4)
	if err != nil {
		return err
	}
	cookie := c.u64(3)
	if cookie == 0 {
		// Guests go back to the start to see the directory as it is now.
		if err := d.list.rewind(d.h); err != nil {
			return openErrno(err)
		}
	}
	n := 0
	for ; n < len(buf); cookie++ {
		e, err := d.list.at(c.Context(), d.h, cookie)
		switch {
		case err == io.EOF:
			count.PutU32(0, uint32(n))
			return nil
		case c.Context().Err() != nil:
			return context.Cause(c.Context())
		case err != nil:
			return openErrno(err)
		}
		var head [direntSize]byte
		r := component.Memory(head[:])
		r.PutU64(0, cookie+1)
		r.PutU64(8, d.number(e.Name))
		r.PutU32(16, uint32(len(e.Name)))
		r.PutU8(20, uint8(filetypeOf(e.Type)))
		n += copy(buf[n:], head[:])
		n += copy(buf[n:], e.Name)
	}
	count.PutU32(0, uint32(n))
	return nil
}

// number returns the number of the file that an entry names; zero is one that is
// not known, such as that of the directory above, which is out of reach.
func (d *directory) number(name string) uint64 {
	if name == ".." {
		return 0
	}
	s, err := d.h.StatAt(0, name)
	if err != nil {
		return 0 // it has gone
	}
	return s.ID()
}
