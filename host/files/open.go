package files

import (
	"errors"
	"os"

	"github.com/minispin/minispin/wit/bindings/wasi/filesystem/types"
)

const (
	contents  = types.DescriptorFlagsRead | types.DescriptorFlagsWrite
	integrity = types.DescriptorFlagsFileIntegritySync | types.DescriptorFlagsDataIntegritySync
	// changing are the ways of opening that can change something.
	changing = types.DescriptorFlagsWrite | types.DescriptorFlagsMutateDirectory
)

// errChanged says that a name stands for something else than a moment ago.
var errChanged = errors.New("replaced while it was opened")

// maxTries is how often a file that is replaced again and again is looked for.
const maxTries = 16

// Open opens the file or directory at path, by the rules of open-at. Anything
// else that is found there is not-permitted, and is not waited for. What may be
// changed beneath h may be beneath a directory opened from it.
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
	if err := h.session.take(); err != nil {
		return nil, err
	}
	o := opening{h: h, name: name, follow: slash || pf&types.PathFlagsSymlinkFollow != 0, wantDir: wantDir, of: of, flags: flags}
	err = errChanged
	for n := 0; n < maxTries && err == errChanged; n++ {
		var opened *Handle
		if opened, err = o.try(); err == nil {
			h.session.enter(opened)
			return opened, nil
		}
	}
	h.session.giveBack()
	if err == errChanged {
		return nil, types.ErrorCodeBusy
	}
	return nil, code(err)
}

// opening is what Open was asked for.
type opening struct {
	h       *Handle
	name    string
	follow  bool
	wantDir bool
	of      types.OpenFlags
	flags   types.DescriptorFlags
}

// try looks at what is there first: to open a device can already have an effect.
func (o *opening) try() (*Handle, error) {
	found, err := o.h.look(o.name, o.follow)
	switch {
	case err == types.ErrorCodeNoEntry && o.of&types.OpenFlagsCreate != 0:
		return o.file(nil)
	case err != nil:
		return nil, err
	case o.of&types.OpenFlagsExclusive != 0 && o.of&types.OpenFlagsCreate != 0:
		return nil, types.ErrorCodeExist
	case found.Mode()&os.ModeSymlink != 0:
		return nil, types.ErrorCodeLoop
	case found.IsDir():
		if o.flags&types.DescriptorFlagsWrite != 0 || o.of&(types.OpenFlagsCreate|types.OpenFlagsTruncate) != 0 {
			return nil, types.ErrorCodeIsDirectory
		}
		return o.directory(found)
	case o.wantDir:
		return nil, types.ErrorCodeNotDirectory
	case !found.Mode().IsRegular():
		return nil, types.ErrorCodeNotPermitted
	}
	return o.file(found)
}

// file opens a regular file; found is what was seen there before, nil for
// nothing.
func (o *opening) file(found os.FileInfo) (*Handle, error) {
	mode := os.O_RDONLY
	switch {
	case o.flags&contents == types.DescriptorFlagsWrite:
		mode = os.O_WRONLY
	case o.flags&types.DescriptorFlagsWrite != 0 || o.of&types.OpenFlagsTruncate != 0:
		mode = os.O_RDWR
	}
	exclusive := o.of&types.OpenFlagsExclusive != 0
	if o.of&types.OpenFlagsCreate != 0 {
		mode |= os.O_CREATE
		if exclusive || found == nil && !o.follow {
			// What has come there since, a link perhaps, was not looked at.
			mode |= os.O_EXCL
		}
	}
	if o.flags&integrity != 0 {
		mode |= os.O_SYNC
	}
	f, err := o.h.root.OpenFile(o.name, mode|nonblock, 0o666)
	if err != nil {
		if mode&os.O_EXCL != 0 && !exclusive && errors.Is(err, os.ErrExist) {
			return nil, errChanged
		}
		return nil, err
	}
	// What is open now need not be what was seen. It is in the tree in any case,
	// so that all there is to see to is that no link was followed.
	i, err := f.Stat()
	switch {
	case err != nil:
	case !i.Mode().IsRegular():
		err = types.ErrorCodeNotPermitted
	case found != nil && !o.follow && !os.SameFile(i, found):
		err = errChanged
	case o.of&types.OpenFlagsTruncate != 0 && i.Size() > 0:
		err = f.Truncate(0)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	h := o.h
	return &Handle{session: h.session, refs: 1, mount: h.mount, access: h.access, flags: o.flags &^ types.DescriptorFlagsMutateDirectory, file: f}, nil
}

// directory opens a directory; found is what was seen there before.
func (o *opening) directory(found os.FileInfo) (*Handle, error) {
	// With the dot at its end the name itself is opened as a directory on the
	// way, or not at all: os.Root waits for a FIFO that is asked for in its place.
	r, err := o.h.root.OpenRoot(o.name + "/.")
	if err != nil {
		return nil, err
	}
	if !o.follow {
		if i, err := r.Stat("."); err != nil || !os.SameFile(i, found) {
			r.Close()
			return nil, errChanged
		}
	}
	h := o.h
	flags := o.flags&types.DescriptorFlagsRead | h.flags&types.DescriptorFlagsMutateDirectory
	return &Handle{session: h.session, refs: 1, mount: h.mount, access: h.access, flags: flags, root: r}, nil
}
