package files

import (
	"os"

	"github.com/minispin/minispin/wit/bindings/wasi/filesystem/types"
)

// changing are the ways of opening that can change something.
const changing = types.DescriptorFlagsWrite | types.DescriptorFlagsMutateDirectory

// Open opens the file or directory at path, by the rules of open-at. Anything
// else that is found there is not-permitted, and is not waited for.
func (h *Handle) Open(pf types.PathFlags, path string, of types.OpenFlags, flags types.DescriptorFlags) (*Handle, error) {
	name, slash, err := h.resolve(path)
	if err != nil {
		return nil, err
	}
	if flags&changing != 0 || of&(types.OpenFlagsCreate|types.OpenFlagsTruncate) != 0 {
		if err := h.mutable(); err != nil {
			return nil, err
		}
	}
	wantDir := slash || of&types.OpenFlagsDirectory != 0
	if wantDir && of&(types.OpenFlagsCreate|types.OpenFlagsExclusive|types.OpenFlagsTruncate) != 0 {
		return nil, types.ErrorCodeInvalid
	}
	if len(h.session.open) >= MaxOpen {
		return nil, types.ErrorCodeQuota
	}

	// Looked at first: to open a device can already have an effect.
	found, err := h.look(pf, name, slash)
	switch {
	case err == types.ErrorCodeNoEntry && of&types.OpenFlagsCreate != 0:
		return h.openFile(name, of, flags, nil)
	case err != nil:
		return nil, err
	case of&types.OpenFlagsExclusive != 0 && of&types.OpenFlagsCreate != 0:
		return nil, types.ErrorCodeExist
	case found.Mode()&os.ModeSymlink != 0:
		return nil, types.ErrorCodeLoop
	case found.IsDir():
		if flags&types.DescriptorFlagsWrite != 0 || of&types.OpenFlagsTruncate != 0 {
			return nil, types.ErrorCodeIsDirectory
		}
		return h.openDir(name, flags, found)
	case wantDir:
		return nil, types.ErrorCodeNotDirectory
	case !found.Mode().IsRegular():
		return nil, types.ErrorCodeNotPermitted
	}
	return h.openFile(name, of, flags, found)
}

// openFile opens a regular file; found is what was seen there before, nil for
// nothing.
func (h *Handle) openFile(name string, of types.OpenFlags, flags types.DescriptorFlags, found os.FileInfo) (*Handle, error) {
	mode := os.O_RDONLY
	switch flags & (types.DescriptorFlagsRead | types.DescriptorFlagsWrite) {
	case types.DescriptorFlagsWrite:
		mode = os.O_WRONLY
	case types.DescriptorFlagsRead | types.DescriptorFlagsWrite:
		mode = os.O_RDWR
	}
	if of&types.OpenFlagsCreate != 0 {
		mode |= os.O_CREATE
		if found == nil {
			// What has come there since, a link perhaps, was not looked at.
			mode |= os.O_EXCL
		}
	}
	if flags&(types.DescriptorFlagsFileIntegritySync|types.DescriptorFlagsDataIntegritySync) != 0 {
		mode |= os.O_SYNC
	}
	f, err := h.root.OpenFile(name, mode|nonblock, 0o666)
	if err != nil {
		return nil, code(err)
	}
	// What is open now need not be what was seen.
	i, err := f.Stat()
	if err == nil && (!i.Mode().IsRegular() || found != nil && !os.SameFile(i, found)) {
		err = types.ErrorCodeNotPermitted
	}
	if err == nil && of&types.OpenFlagsTruncate != 0 && found != nil {
		err = h.truncate(name, f, flags)
	}
	opened := &Handle{session: h.session, refs: 1, access: h.access, flags: flags &^ types.DescriptorFlagsMutateDirectory, file: f}
	if err == nil {
		err = h.session.admit(opened)
	}
	if err != nil {
		f.Close()
		return nil, code(err)
	}
	return opened, nil
}

// truncate empties the file f once it is known to be the right one. A file that
// is not open for writing is opened again for it.
func (h *Handle) truncate(name string, f *os.File, flags types.DescriptorFlags) error {
	if flags&types.DescriptorFlagsWrite != 0 {
		return f.Truncate(0)
	}
	w, err := h.root.OpenFile(name, os.O_WRONLY|nonblock, 0)
	if err != nil {
		return err
	}
	defer w.Close()
	a, err := f.Stat()
	if err != nil {
		return err
	}
	if b, err := w.Stat(); err != nil || !os.SameFile(a, b) {
		return types.ErrorCodeNotPermitted
	}
	return w.Truncate(0)
}

func (h *Handle) openDir(name string, flags types.DescriptorFlags, found os.FileInfo) (*Handle, error) {
	r, err := h.root.OpenRoot(name)
	if err != nil {
		return nil, code(err)
	}
	i, err := r.Stat(".")
	if err == nil && !os.SameFile(i, found) {
		err = types.ErrorCodeNotPermitted
	}
	opened := &Handle{session: h.session, refs: 1, access: h.access, flags: flags, root: r, owned: true}
	if err == nil {
		err = h.session.admit(opened)
	}
	if err != nil {
		r.Close()
		return nil, code(err)
	}
	return opened, nil
}
