package files

import (
	"hash/maphash"
	"os"
	"time"

	"github.com/minispin/minispin/wit/bindings/wasi/filesystem/types"
)

// Stat is what is known of a file. A zero time is not known.
type Stat struct {
	Type   types.DescriptorType
	Device uint64 // 0 where the system does not tell
	Inode  uint64 // the same
	Links  uint64
	Size   uint64 // in bytes
	// Accessed, Modified and Changed are the times of last access, of last
	// change, and of last change of the status.
	Accessed, Modified, Changed time.Time
}

func stat(i os.FileInfo) Stat {
	s := Stat{Type: typeOf(i.Mode()), Links: 1, Size: uint64(max(i.Size(), 0)), Modified: i.ModTime()}
	s.fromSystem(i)
	return s
}

func typeOf(m os.FileMode) types.DescriptorType {
	switch {
	case m.IsRegular():
		return types.DescriptorTypeRegularFile
	case m.IsDir():
		return types.DescriptorTypeDirectory
	case m&os.ModeSymlink != 0:
		return types.DescriptorTypeSymbolicLink
	case m&os.ModeNamedPipe != 0:
		return types.DescriptorTypeFifo
	case m&os.ModeSocket != 0:
		return types.DescriptorTypeSocket
	case m&os.ModeCharDevice != 0:
		return types.DescriptorTypeCharacterDevice
	case m&os.ModeDevice != 0:
		return types.DescriptorTypeBlockDevice
	}
	return types.DescriptorTypeUnknown
}

// seeds are the process's own, so that a hash tells a guest nothing of the host's
// device and inode numbers.
var seeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

// Hash returns a hash of s, equal for the same file unchanged.
func (s Stat) Hash() types.MetadataHashValue {
	key := struct {
		device, inode, size uint64
		modified, changed   int64
	}{s.Device, s.Inode, s.Size, nanoseconds(s.Modified), nanoseconds(s.Changed)}
	return types.MetadataHashValue{
		Lower: maphash.Comparable(seeds[0], key),
		Upper: maphash.Comparable(seeds[1], key),
	}
}

func nanoseconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

// ID returns a number for the file, the same as long as the process runs: equal
// for two names of one file, and otherwise for no two. It is zero where the system
// does not tell files apart.
func (s Stat) ID() uint64 {
	if s.Inode == 0 {
		return 0
	}
	return maphash.Comparable(seeds[0], [2]uint64{s.Device, s.Inode})
}
