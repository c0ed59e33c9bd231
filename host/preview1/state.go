package preview1

import (
	"context"

	"github.com/minispin/minispin/host/wasi"
	"github.com/minispin/minispin/host/wasi/io"
)

// descriptor is what an open file descriptor stands for. A method that its kind
// does not have returns the error number that says so.
type descriptor interface {
	// stat returns the file type and the rights that a descriptor of its kind has.
	stat() (filetype, rights)
	// read waits for bytes and fills bufs from the front. Zero bytes is the end.
	read(ctx context.Context, bufs [][]byte) (int, error)
	// write writes bufs in order and returns how much of them.
	write(ctx context.Context, bufs [][]byte) (int, error)
	// pollRead and pollWrite return what poll_oneoff waits for, and what it then
	// reports.
	pollRead() (wasiio.Event, readiness, error)
	pollWrite() (wasiio.Event, readiness, error)
	// close is called once, when the guest closes the last number for it.
	close()
}

// readiness tells, of a descriptor that is ready, how many bytes are to be had
// and whether its other end is gone.
type readiness func() (n uint64, hangup bool)

type filetype uint8

// The file types this host has, preview 1 type filetype. A standard stream is
// never a character device: guests would take it for a terminal.
const (
	filetypeUnknown         filetype = 0
	filetypeBlockDevice     filetype = 1
	filetypeCharacterDevice filetype = 2
	filetypeDirectory       filetype = 3
	filetypeRegularFile     filetype = 4
	filetypeSocketStream    filetype = 6
	filetypeSymbolicLink    filetype = 7
)

// State is the table of open file descriptors of one instance. Like the Ctx it
// is attached to, it lasts for one request under every strategy: a guest that
// keeps numbers of descriptors from an earlier request finds the streams and the
// preopened directories where they were, and nothing else.
//
// What its descriptors hold of the system belongs to the Ctx's Files, which the
// embedder closes.
type State struct {
	fds    []openFile
	opened bool
}

// openFile is a place in the table; it is free when desc is nil.
type openFile struct {
	desc       descriptor
	rights     rights // that the guest has not given up
	inheriting rights // that are passed on to what is opened beneath it
}

// stateOf returns the table of the instance that has ctx. When it is new the
// standard streams are in it, and after them the directories that are mounted.
func stateOf(ctx *wasi.Ctx) *State {
	s := wasi.Attached[State](ctx)
	if !s.opened {
		s.opened = true
		s.open(openFile{desc: input{ctx.StdinStream()}, rights: inputRights})
		s.open(openFile{desc: output{ctx.StdoutStream()}, rights: outputRights})
		s.open(openFile{desc: output{ctx.StderrStream()}, rights: outputRights})
		for _, m := range ctx.Files.Mounts {
			h, err := ctx.Files.Preopen(m)
			if err != nil {
				break // the instance has no more room, as it will find
			}
			s.open(openFile{
				desc:   &directory{h: h, preopen: true, path: m.Path},
				rights: directoryRights, inheriting: inheritingRights,
			})
		}
	}
	return s
}

// open puts f into the first free place and returns its number.
func (s *State) open(f openFile) uint32 {
	for i := range s.fds {
		if s.fds[i].desc == nil {
			s.fds[i] = f
			return uint32(i)
		}
	}
	s.fds = append(s.fds, f)
	return uint32(len(s.fds) - 1)
}

// get returns the open file with number fd, or EBADF.
func (s *State) get(fd uint32) (*openFile, error) {
	if uint64(fd) >= uint64(len(s.fds)) || s.fds[fd].desc == nil {
		return nil, errBadf
	}
	return &s.fds[fd], nil
}

// use returns the open file with number fd if it still has all the rights in
// want that its kind has; ENOTCAPABLE says that they were given up.
func (s *State) use(fd uint32, want rights) (*openFile, error) {
	f, err := s.get(fd)
	if err != nil {
		return nil, err
	}
	if _, had := f.desc.stat(); had&want&^f.rights != 0 {
		return nil, errNotcap
	}
	return f, nil
}

// close frees the number fd.
func (s *State) close(fd uint32) error {
	f, err := s.get(fd)
	if err != nil {
		return err
	}
	f.desc.close()
	*f = openFile{}
	return nil
}

// renumber closes the file with number to and moves from there.
func (s *State) renumber(from, to uint32) error {
	f, err := s.get(from)
	if err != nil {
		return err
	}
	if _, err := s.get(to); err != nil || from == to {
		return err
	}
	moved := *f
	*f = openFile{}
	s.fds[to].desc.close()
	s.fds[to] = moved
	return nil
}
