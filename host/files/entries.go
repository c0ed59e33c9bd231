package files

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/minispin/minispin/wit/bindings/wasi/filesystem/types"
)

// entriesAtOnce is how many entries of a directory are read together.
const entriesAtOnce = 64

// Entries reads a directory, a few entries at a time.
type Entries struct {
	session *Session
	dir     *os.File
	next    []fs.DirEntry
	over    bool
}

// Entries returns the entries of the directory, without . and .., in no order.
func (h *Handle) Entries() (*Entries, error) {
	if !h.IsDir() {
		return nil, types.ErrorCodeNotDirectory
	}
	if h.flags&types.DescriptorFlagsRead == 0 {
		return nil, types.ErrorCodeBadDescriptor
	}
	if err := h.session.take(); err != nil {
		return nil, err
	}
	f, err := h.root.Open(".")
	if err != nil {
		h.session.giveBack()
		return nil, code(err)
	}
	e := &Entries{session: h.session, dir: f}
	h.session.enter(e)
	return e, nil
}

// Next returns the next entry, or io.EOF. A failure is told once and is the end.
func (e *Entries) Next() (types.DirectoryEntry, error) {
	if len(e.next) == 0 {
		if e.over {
			return types.DirectoryEntry{}, io.EOF
		}
		var err error
		if e.next, err = e.dir.ReadDir(entriesAtOnce); len(e.next) == 0 {
			e.over = true
			if err == nil || err == io.EOF || errors.Is(err, fs.ErrNotExist) { // a directory that was removed is empty
				return types.DirectoryEntry{}, io.EOF
			}
			return types.DirectoryEntry{}, code(err)
		}
	}
	d := e.next[0]
	e.next = e.next[1:]
	return types.DirectoryEntry{Type: typeOf(d.Type()), Name: d.Name()}, nil
}

// Close ends the reading. Further calls have no effect.
func (e *Entries) Close() { e.release() }

func (e *Entries) release() {
	e.over, e.next = true, nil
	if e.session.dismiss(e) {
		e.dir.Close()
		e.session.giveBack()
	}
}
