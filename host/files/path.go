package files

import (
	"os"
	"strings"
	"time"

	"github.com/minispin/minispin/wit/bindings/wasi/filesystem/types"
)

// resolve checks that h is a directory and path one to look up beneath it. It
// returns path without slashes at its end, and whether there were any: then it
// must be a directory's.
func (h *Handle) resolve(path string) (name string, slash bool, err error) {
	switch {
	case !h.IsDir():
		return "", false, types.ErrorCodeNotDirectory
	case path == "":
		return "", false, types.ErrorCodeNoEntry
	case len(path) > MaxPath:
		return "", false, types.ErrorCodeNameTooLong
	case strings.IndexByte(path, 0) >= 0:
		return "", false, types.ErrorCodeInvalid
	case path[0] == '/':
		return "", false, types.ErrorCodeNotPermitted
	}
	name = strings.TrimRight(path, "/")
	return name, len(name) < len(path), nil
}

// change is resolve for a call that changes the directory.
func (h *Handle) change(path string) (name string, slash bool, err error) {
	if name, slash, err = h.resolve(path); err == nil {
		err = h.mutable()
	}
	return name, slash, err
}

// look returns what is at name, where a link is followed or not. A path with a
// slash at its end follows always, and must be a directory's.
func (h *Handle) look(flags types.PathFlags, name string, slash bool) (os.FileInfo, error) {
	if slash || flags&types.PathFlagsSymlinkFollow != 0 {
		i, err := h.root.Stat(name)
		if err == nil && slash && !i.IsDir() {
			return nil, types.ErrorCodeNotDirectory
		}
		return i, code(err)
	}
	i, err := h.root.Lstat(name)
	return i, code(err)
}

// StatAt returns what is known of the file at path.
func (h *Handle) StatAt(flags types.PathFlags, path string) (Stat, error) {
	name, slash, err := h.resolve(path)
	if err != nil {
		return Stat{}, err
	}
	i, err := h.look(flags, name, slash)
	if err != nil {
		return Stat{}, err
	}
	return stat(i), nil
}

// SetTimesAt is SetTimes for the file at path. The times of a symbolic link
// itself cannot be set.
func (h *Handle) SetTimesAt(flags types.PathFlags, path string, access, change time.Time) error {
	name, slash, err := h.change(path)
	if err != nil {
		return err
	}
	i, err := h.look(flags, name, slash)
	if err != nil {
		return err
	}
	if i.Mode()&os.ModeSymlink != 0 {
		return types.ErrorCodeUnsupported
	}
	return code(h.root.Chtimes(name, access, change))
}

// CreateDirectory makes a directory at path.
func (h *Handle) CreateDirectory(path string) error {
	name, _, err := h.change(path)
	if err != nil {
		return err
	}
	return code(h.root.Mkdir(name, 0o777))
}

// RemoveDirectory removes the empty directory at path.
func (h *Handle) RemoveDirectory(path string) error {
	name, _, err := h.change(path)
	if err != nil {
		return err
	}
	i, err := h.root.Lstat(name)
	if err == nil && !i.IsDir() {
		return types.ErrorCodeNotDirectory
	}
	if err == nil {
		err = h.root.Remove(name)
	}
	return code(err)
}

// Unlink removes the name at path, which is no directory's.
func (h *Handle) Unlink(path string) error {
	name, slash, err := h.change(path)
	if err != nil {
		return err
	}
	i, err := h.root.Lstat(name)
	switch {
	case err != nil:
		return code(err)
	case i.IsDir():
		return types.ErrorCodeIsDirectory
	case slash:
		return types.ErrorCodeNotDirectory
	}
	return code(h.root.Remove(name))
}

// Readlink returns where the symbolic link at path points. What it says of an
// absolute path is the host's business and not permitted.
func (h *Handle) Readlink(path string) (string, error) {
	name, slash, err := h.resolve(path)
	if err != nil {
		return "", err
	}
	if slash {
		return "", types.ErrorCodeInvalid
	}
	target, err := h.root.Readlink(name)
	if err == nil && strings.HasPrefix(target, "/") {
		return "", types.ErrorCodeNotPermitted
	}
	return target, code(err)
}

// Symlink makes a symbolic link at path that says target, which must be relative.
func (h *Handle) Symlink(target, path string) error {
	name, slash, err := h.change(path)
	switch {
	case err != nil:
		return err
	case slash || target == "":
		return types.ErrorCodeNoEntry
	case len(target) > MaxPath:
		return types.ErrorCodeNameTooLong
	case target[0] == '/':
		return types.ErrorCodeNotPermitted
	}
	return code(h.root.Symlink(target, name))
}

// both resolves two paths of which the second is beneath to. Names can only be
// moved within one open directory: there is no other way that is safe on every
// system.
func (h *Handle) both(oldPath string, to *Handle, newPath string) (from, into string, err error) {
	if from, _, err = h.change(oldPath); err != nil {
		return "", "", err
	}
	into, slash, err := to.change(newPath)
	if err != nil {
		return "", "", err
	}
	if same, err := h.Same(to); err != nil || !same {
		return "", "", types.ErrorCodeCrossDevice
	}
	if slash || strings.HasSuffix(oldPath, "/") {
		i, err := h.root.Lstat(from)
		if err != nil {
			return "", "", code(err)
		}
		if !i.IsDir() {
			return "", "", types.ErrorCodeNotDirectory
		}
	}
	return from, into, nil
}

// Link gives the file at oldPath a second name, newPath beneath to. Symbolic links
// are not followed, nor are they linked to.
func (h *Handle) Link(flags types.PathFlags, oldPath string, to *Handle, newPath string) error {
	from, into, err := h.both(oldPath, to, newPath)
	if err != nil {
		return err
	}
	if flags&types.PathFlagsSymlinkFollow != 0 {
		return types.ErrorCodeInvalid
	}
	return code(h.root.Link(from, into))
}

// Rename moves what is at oldPath to newPath beneath to.
func (h *Handle) Rename(oldPath string, to *Handle, newPath string) error {
	from, into, err := h.both(oldPath, to, newPath)
	if err != nil {
		return err
	}
	return code(h.root.Rename(from, into))
}
