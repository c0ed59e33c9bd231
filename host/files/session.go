package files

import (
	"os"
	"sync"

	"github.com/minispin/minispin/host/budget"
	"github.com/minispin/minispin/wit/bindings/wasi/filesystem/types"
)

const (
	// MaxOpen is the most files and directories an instance may have open at
	// once, those that are being listed counted twice; more is the error code
	// quota. So is more than there is for all instances: half of the descriptors
	// that the process may have.
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

// A Session is what one instance has of files. Its fields are set before the
// instance is made; the zero Session has no mounts. Like the instance it belongs to
// one goroutine.
type Session struct {
	Mounts []Mount
	// Budget, unless it is nil, bounds what all that share it have open, too. The
	// directories of Mounts cost nothing: they are open anyway.
	Budget *budget.Budget

	open map[resource]struct{}
}

// resource is what a Session has open.
type resource interface {
	// release gives it back to the system and removes it from its Session.
	release()
}

// Preopen returns a new handle to the directory of m.
func (s *Session) Preopen(m Mount) (*Handle, error) {
	h := &Handle{session: s, refs: 1, mount: m.Root, access: m.Access, flags: types.DescriptorFlagsRead, root: m.Root}
	if m.Access == ReadWrite {
		h.flags |= types.DescriptorFlagsMutateDirectory
	}
	if len(s.open) >= MaxOpen {
		return nil, types.ErrorCodeQuota
	}
	s.enter(h)
	return h, nil
}

// process is the budget of all instances there are: half of the descriptors that
// the process may have. The others are for connections.
var process = sync.OnceValue(func() *budget.Budget { return budget.New(descriptors() / 2) })

// take makes room for one more descriptor. Whoever does not come to use it, or has
// closed it, calls giveBack.
func (s *Session) take() error {
	switch {
	case len(s.open) >= MaxOpen || !process().Take():
		return types.ErrorCodeQuota
	case !s.Budget.Take():
		process().GiveBack()
		return types.ErrorCodeQuota
	}
	return nil
}

func (s *Session) giveBack() {
	s.Budget.GiveBack()
	process().GiveBack()
}

// enter puts r among what is open.
func (s *Session) enter(r resource) {
	if s.open == nil {
		s.open = map[resource]struct{}{}
	}
	s.open[r] = struct{}{}
}

// dismiss is the opposite of enter; it reports whether r was open.
func (s *Session) dismiss(r resource) bool {
	_, ok := s.open[r]
	delete(s.open, r)
	return ok
}

// Close closes everything that is still open.
func (s *Session) Close() {
	for r := range s.open {
		r.release()
	}
}
