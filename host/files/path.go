package files

import (
	"os"
	"strings"

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

// look returns what is at name, where a link at its end is followed or not.
func (h *Handle) look(name string, follow bool) (os.FileInfo, error) {
	stat := h.root.Lstat
	if follow {
		stat = h.root.Stat
	}
	i, err := stat(name)
	return i, code(err)
}

// lookAt is look for a path whose slash at the end stands for following, and for
// a directory.
func (h *Handle) lookAt(flags types.PathFlags, name string, slash bool) (os.FileInfo, error) {
	i, err := h.look(name, slash || flags&types.PathFlagsSymlinkFollow != 0)
	if err == nil && slash && !i.IsDir() {
		return nil, types.ErrorCodeNotDirectory
	}
	return i, err
}

// StatAt returns what is known of the file at path.
func (h *Handle) StatAt(flags types.PathFlags, path string) (Stat, error) {
	name, slash, err := h.resolve(path)
	if err != nil {
		return Stat{}, err
	}
	i, err := h.lookAt(flags, name, slash)
	if err != nil {
		return Stat{}, err
	}
	return stat(i), nil
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
	if err == nil && absolute(target) {
		return "", types.ErrorCodeNotPermitted
	}
	return target, code(err)
}
