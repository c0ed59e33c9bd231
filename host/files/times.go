package files

import (
	"os"
	"time"

	"github.com/minispin/minispin/wit/bindings/wasi/filesystem/types"
)

// The last time that can be set: systems are told them in nanoseconds.
var lastTime = time.Unix(0, 1<<63-1)

// settable checks times that are to be set.
func settable(access, change time.Time) error {
	if access.After(lastTime) || change.After(lastTime) {
		return types.ErrorCodeOverflow
	}
	return nil
}

// SetTimes sets the times of last access and change; a zero time leaves one as
// it is.
func (h *Handle) SetTimes(access, change time.Time) error {
	if err := h.mutable(); err != nil {
		return err
	}
	if err := settable(access, change); err != nil {
		return err
	}
	if h.IsDir() {
		return code(h.root.Chtimes(".", access, change))
	}
	return code(setTimes(h.file, access, change))
}

// SetTimesAt is SetTimes for the file at path, or for the symbolic link there if
// that is not followed.
func (h *Handle) SetTimesAt(flags types.PathFlags, path string, access, change time.Time) error {
	name, slash, err := h.change(path)
	if err == nil {
		err = settable(access, change)
	}
	if err != nil {
		return err
	}
	i, err := h.lookAt(flags, name, slash)
	if err != nil {
		return err
	}
	if i.Mode()&os.ModeSymlink != 0 {
		p, err := h.place(name)
		if err != nil {
			return err
		}
		defer p.close()
		return code(p.setTimes(access, change))
	}
	return code(h.root.Chtimes(name, access, change))
}
