package files

import (
	"os"

	"github.com/minispin/minispin/wit/bindings/wasi/filesystem/types"
)

const (
	// MaxOpen is the most files and directories an instance may have open at
	// once; more is the error code quota. The limit is the guest's alone: the
	// process has descriptors for many instances.
	MaxOpen = 512
	// MaxPath is the length in bytes of the longest path that is looked at; a
	// longer one is name-too-long.
	MaxPath = 4096
)

// A Mount is a directory that is given to guests. Its Root may serve any number
// of instances at the same time, and stays the embedder's to close.
type Mount struct {
	Root *os.Root
	// Path is where the guest sees it, such as "/".
	Path string
	// Access says what may be done beneath it.
	Access Access
}

// Access says what guests may do beneath a Mount.
type Access uint8

const (
	ReadOnly  Access = iota // look at it
	ReadWrite               // and change it
)

// A Session is what one instance has of files. Mounts is set before the instance
// is made; the zero Session has none. Like the instance it belongs to one
// goroutine.
type Session struct {
	Mounts []Mount

	open map[*Handle]struct{}
}

// Preopen returns a new handle to the directory of m.
func (s *Session) Preopen(m Mount) (*Handle, error) {
	h := &Handle{session: s, root: m.Root, access: m.Access, flags: types.DescriptorFlagsRead}
	if m.Access == ReadWrite {
		h.flags |= types.DescriptorFlagsMutateDirectory
	}
	return h, s.admit(h)
}

// admit counts h among the open handles.
func (s *Session) admit(h *Handle) error {
	if len(s.open) >= MaxOpen {
		return types.ErrorCodeQuota
	}
	if s.open == nil {
		s.open = map[*Handle]struct{}{}
	}
	s.open[h] = struct{}{}
	h.refs = 1
	return nil
}

// Close closes everything that is still open.
func (s *Session) Close() {
	for h := range s.open {
		h.refs = 1
		h.Close()
	}
}
