package preview1

import (
	"github.com/minispin/minispin/wit/bindings/wasi/filesystem/types"
)

// fdflags are how a descriptor works, preview 1 type fdflags.
type fdflags uint32

const (
	flagAppend fdflags = 1 << iota
	flagDsync
	flagNonblock
	flagRsync
	flagSync

	// syncFlags cannot be changed while a file is open.
	syncFlags = flagDsync | flagRsync | flagSync
	allFlags  = flagAppend | flagNonblock | syncFlags
)

// The bits of lookupflags and of oflags.
const (
	lookupFollow = 1 << 0

	openCreate    = 1 << 0
	openDirectory = 1 << 1
	openExclusive = 1 << 2
	openTruncate  = 1 << 3
)

// openFlags are the bits of oflags as files know them.
var openFlags = [...]struct {
	bit  uint32
	flag types.OpenFlags
	need rights // of the directory
}{
	{openCreate, types.OpenFlagsCreate, rightCreateFile},
	{openDirectory, types.OpenFlagsDirectory, 0},
	{openExclusive, types.OpenFlagsExclusive, 0},
	{openTruncate, types.OpenFlagsTruncate, rightPathSetSize},
}

// pathOpen opens a file or directory: parameters directory, lookupflags, path,
// its length, oflags, rights, rights to pass on, fdflags, where the number goes.
// Of the rights only reading and writing have a meaning (see rights).
func pathOpen(c *call) error {
	oflags, base, fd := c.u32(4), rights(c.u64(5)), fdflags(c.u32(7))
	need := rightOpen
	var how types.OpenFlags
	for _, f := range openFlags {
		if oflags&f.bit != 0 {
			how |= f.flag
			need |= f.need
			oflags &^= f.bit
		}
	}
	open, d, err := c.directory(0, need)
	if err != nil {
		return err
	}
	lookup, err := lookupFlags(c.u32(1))
	if err != nil {
		return err
	}
	if oflags != 0 || fd&^allFlags != 0 {
		return errInval
	}
	if base&inheritingRights&^open.inheriting != 0 {
		return errNotcap
	}
	path, err := c.path(2)
	if err != nil {
		return err
	}
	result, err := record(c.Mem(), c.u32(8), 4)
	if err != nil {
		return err
	}

	mode := syncMode(fd)
	if base&(rightRead|rightReaddir) != 0 {
		mode |= types.DescriptorFlagsRead
	}
	if base&rightWrite != 0 {
		mode |= types.DescriptorFlagsWrite
	}
	h, err := d.h.Open(lookup, path, how, mode)
	if err != nil {
		return openErrno(err)
	}
	opened := openFile{desc: &file{h: h, flags: fd}}
	if h.IsDir() {
		opened = openFile{desc: &directory{h: h}, inheriting: open.inheriting}
	}
	_, has := opened.desc.stat()
	opened.rights = has & open.inheriting
	result.PutU32(0, c.fds.open(opened))
	return nil
}

func lookupFlags(bits uint32) (types.PathFlags, error) {
	switch bits {
	case 0:
		return 0, nil
	case lookupFollow:
		return types.PathFlagsSymlinkFollow, nil
	}
	return 0, errInval
}

func syncMode(f fdflags) (mode types.DescriptorFlags) {
	if f&flagDsync != 0 {
		mode |= types.DescriptorFlagsDataIntegritySync
	}
	if f&flagSync != 0 {
		mode |= types.DescriptorFlagsFileIntegritySync
	}
	if f&flagRsync != 0 {
		mode |= types.DescriptorFlagsRequestedWriteSync
	}
	return mode
}
