//go:build !linux && !darwin

package files

import (
	"errors"
	"os"
	"time"

	"github.com/minispin/minispin/wit/bindings/wasi/filesystem/types"
)

// A place is a name beneath a directory.
type place struct {
	root *os.Root
	name string
}

// place checks the name. The error is a code.
func (h *Handle) place(name string) (*place, error) {
	if _, _, err := h.split(name); err != nil {
		return nil, err
	}
	return &place{h.root, name}, nil
}

func (p *place) close() {}

func (p *place) isDir() (bool, error) {
	i, err := p.root.Lstat(p.name)
	return err == nil && i.IsDir(), err
}

func (p *place) mkdir() error { return p.root.Mkdir(p.name, 0o777) }

func (p *place) rmdir() error {
	dir, err := p.isDir()
	switch {
	case err != nil:
		return err
	case !dir:
		return types.ErrorCodeNotDirectory
	}
	return p.root.Remove(p.name)
}

func (p *place) unlink() error { return p.root.Remove(p.name) }

func (p *place) symlink(target string) error { return p.root.Symlink(target, p.name) }

// link and rename know no way between two open directories.
func (p *place) link(to *place) error {
	if p.root != to.root {
		return types.ErrorCodeCrossDevice
	}
	return p.root.Link(p.name, to.name)
}

func (p *place) rename(to *place) error {
	if p.root != to.root {
		return types.ErrorCodeCrossDevice
	}
	return p.root.Rename(p.name, to.name)
}

// setTimes is not to be had for a link itself.
func (p *place) setTimes(access, change time.Time) error { return errors.ErrUnsupported }
