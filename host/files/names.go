package files

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/minispin/minispin/wit/bindings/wasi/filesystem/types"
)

// The calls that change what names there are. None of them follows a link at the
// end of a path, so each is made in two steps: os.Root finds the directory that
// the name is in, and the call is made for the name in that open directory.

// absolute reports whether a link that says target leads away from where it is.
func absolute(target string) bool {
	return target != "" && (target[0] == '/' || os.IsPathSeparator(target[0])) || filepath.VolumeName(target) != ""
}

// dots reports whether the last part of name is a dot or two.
func dots(name string) bool {
	last := name[strings.LastIndexByte(name, '/')+1:]
	return last == "." || last == ".."
}

// split returns the directory that name is in, and its last part. That is no dot
// or two: what a directory is called in itself cannot be changed.
func (h *Handle) split(name string) (dir, last string, err error) {
	if dots(name) {
		if _, err := h.root.Stat(name); err != nil {
			return "", "", code(err)
		}
		return "", "", types.ErrorCodeInvalid
	}
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		return name[:i], name[i+1:], nil
	}
	return ".", name, nil
}

// changeName resolves path for a call that changes one name, and calls do with it.
func (h *Handle) changeName(path string, do func(p *place, slash bool) error) error {
	name, slash, err := h.change(path)
	if err != nil {
		return err
	}
	p, err := h.place(name)
	if err != nil {
		return err
	}
	defer p.close()
	return code(do(p, slash))
}

// CreateDirectory makes a directory at path.
func (h *Handle) CreateDirectory(path string) error {
	err := h.changeName(path, func(p *place, _ bool) error { return p.mkdir() })
	if err == types.ErrorCodeInvalid && dots(strings.TrimRight(path, "/")) {
		return types.ErrorCodeExist
	}
	return err
}

// RemoveDirectory removes the empty directory at path.
func (h *Handle) RemoveDirectory(path string) error {
	return h.changeName(path, func(p *place, _ bool) error { return p.rmdir() })
}

// Unlink removes the name at path, which is no directory's.
func (h *Handle) Unlink(path string) error {
	return h.changeName(path, func(p *place, slash bool) error {
		dir, err := p.isDir()
		switch {
		case err != nil:
			return err
		case dir:
			return types.ErrorCodeIsDirectory
		case slash:
			return types.ErrorCodeNotDirectory
		}
		return p.unlink()
	})
}

// Symlink makes a symbolic link at path that says target, which must be relative.
func (h *Handle) Symlink(target, path string) error {
	return h.changeName(path, func(p *place, slash bool) error {
		switch {
		case target == "":
			return types.ErrorCodeNoEntry
		case len(target) > MaxPath:
			return types.ErrorCodeNameTooLong
		case strings.IndexByte(target, 0) >= 0:
			return types.ErrorCodeInvalid
		case absolute(target):
			return types.ErrorCodeNotPermitted
		case slash:
			return p.noDirectory()
		}
		return p.symlink(target)
	})
}

// noDirectory says why what is no directory cannot be made at a name with a slash
// after it.
func (p *place) noDirectory() error {
	dir, err := p.isDir()
	switch {
	case err != nil:
		return err
	case dir:
		return types.ErrorCodeExist
	}
	return types.ErrorCodeNotDirectory
}

// changeNames resolves two paths of which the second is beneath to, and calls do
// with them. Nothing goes from one mount to another, even where the system could.
func (h *Handle) changeNames(oldPath string, to *Handle, newPath string, do func(from, into *place, newSlash bool) error) error {
	name, slash, err := h.change(oldPath)
	if err != nil {
		return err
	}
	newName, newSlash, err := to.change(newPath)
	if err != nil {
		return err
	}
	if h.mount != to.mount {
		return types.ErrorCodeCrossDevice
	}
	from, err := h.place(name)
	if err != nil {
		return err
	}
	defer from.close()
	into, err := to.place(newName)
	if err != nil {
		return err
	}
	defer into.close()
	if slash {
		if err := from.isDirectory(); err != nil {
			return code(err)
		}
	}
	return code(do(from, into, newSlash))
}

// isDirectory returns why there is no directory at p, if there is none.
func (p *place) isDirectory() error {
	dir, err := p.isDir()
	if err == nil && !dir {
		err = types.ErrorCodeNotDirectory
	}
	return err
}

// Link gives the file at oldPath a second name, newPath beneath to. A symbolic
// link there is not followed but gets the second name itself. Both must be
// beneath one mount.
func (h *Handle) Link(flags types.PathFlags, oldPath string, to *Handle, newPath string) error {
	if flags&types.PathFlagsSymlinkFollow != 0 {
		if _, _, err := h.change(oldPath); err != nil {
			return err
		}
		return types.ErrorCodeInvalid
	}
	return h.changeNames(oldPath, to, newPath, func(from, into *place, newSlash bool) error {
		dir, err := from.isDir()
		switch {
		case err != nil:
			return err
		case newSlash && !dir:
			return into.noDirectory()
		}
		return from.link(into)
	})
}

// Rename moves what is at oldPath to newPath beneath to. Both must be beneath one
// mount.
func (h *Handle) Rename(oldPath string, to *Handle, newPath string) error {
	return h.changeNames(oldPath, to, newPath, func(from, into *place, newSlash bool) error {
		if newSlash {
			if err := from.isDirectory(); err != nil {
				return err
			}
		}
		return from.rename(into)
	})
}
