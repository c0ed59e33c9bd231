package filesystem

import (
	"fmt"
	"io"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host/files"
	"github.com/minispin/minispin/wit/bindings/wasi/clocks/wallclock"
	"github.com/minispin/minispin/wit/bindings/wasi/filesystem/types"
	"github.com/minispin/minispin/wit/value"
)

// maxRead is the most bytes one read at an offset gives.
const maxRead = 256 << 10

// buffers are for reads at an offset: a descriptor has one from its first read on.
var buffers = sync.Pool{New: func() any { return new([maxRead]byte) }}

// descriptor is the resource descriptor.
type descriptor struct {
	h   *files.Handle
	buf *[maxRead]byte
}

var _ types.Descriptor = (*descriptor)(nil)

// Drop implements wasi:filesystem/types.
func (d *descriptor) Drop() {
	d.h.Close()
	if d.buf != nil {
		buffers.Put(d.buf)
		d.buf = nil
	}
}

// Advise implements wasi:filesystem/types. The system knows best as it is.
func (d *descriptor) Advise(_ *component.Call, _, _ uint64, _ types.Advice) error {
	if d.h.IsDir() {
		return types.ErrorCodeBadDescriptor
	}
	return nil
}

// SyncData implements wasi:filesystem/types.
func (d *descriptor) SyncData(*component.Call) error { return d.h.Sync() }

// Sync implements wasi:filesystem/types.
func (d *descriptor) Sync(*component.Call) error { return d.h.Sync() }

// GetFlags implements wasi:filesystem/types.
func (d *descriptor) GetFlags(*component.Call) (types.DescriptorFlags, error) {
	return d.h.Flags(), nil
}

// GetType implements wasi:filesystem/types.
func (d *descriptor) GetType(*component.Call) (types.DescriptorType, error) { return d.h.Type(), nil }

// SetSize implements wasi:filesystem/types.
func (d *descriptor) SetSize(_ *component.Call, size uint64) error { return d.h.SetSize(size) }

// SetTimes implements wasi:filesystem/types.
func (d *descriptor) SetTimes(_ *component.Call, access, change types.NewTimestamp) error {
	a, c, err := timestamps(access, change)
	if err != nil {
		return err
	}
	return d.h.SetTimes(a, c)
}

// SetTimesAt implements wasi:filesystem/types.
func (d *descriptor) SetTimesAt(_ *component.Call, flags types.PathFlags, path string, access, change types.NewTimestamp) error {
	a, c, err := timestamps(access, change)
	if err != nil {
		return err
	}
	return d.h.SetTimesAt(flags, path, a, c)
}

// timestamps returns the times to set, zero for one to leave.
func timestamps(access, change types.NewTimestamp) (a, c time.Time, err error) {
	if a, err = timestamp(access); err == nil {
		c, err = timestamp(change)
	}
	return a, c, err
}

func timestamp(t types.NewTimestamp) (time.Time, error) {
	switch t.Case {
	case types.NewTimestampNow:
		return time.Now(), nil
	case types.NewTimestampTimestamp:
		if int64(t.Timestamp.Seconds) < 0 || t.Timestamp.Nanoseconds >= 1e9 {
			return time.Time{}, types.ErrorCodeInvalid
		}
		return time.Unix(int64(t.Timestamp.Seconds), int64(t.Timestamp.Nanoseconds)), nil
	}
	return time.Time{}, nil
}

// Read implements wasi:filesystem/types. The bytes are copied to the guest before
// it can call again.
func (d *descriptor) Read(_ *component.Call, length, offset uint64) (value.Tuple2[[]byte, bool], error) {
	if d.buf == nil {
		if err := d.h.CheckRead(); err != nil {
			return value.Tuple2[[]byte, bool]{}, err
		}
		d.buf = buffers.Get().(*[maxRead]byte)
	}
	p := d.buf[:min(length, maxRead)]
	n, err := d.h.ReadAt(p, offset)
	if err != nil && err != io.EOF {
		return value.Tuple2[[]byte, bool]{}, err
	}
	return value.Tuple2[[]byte, bool]{F0: p[:n], F1: err == io.EOF}, nil
}

// Write implements wasi:filesystem/types.
func (d *descriptor) Write(_ *component.Call, p []byte, offset uint64) (uint64, error) {
	n, err := d.h.WriteAt(p, offset)
	if n > 0 {
		err = nil // the next write tells
	}
	return uint64(n), err
}

// ReadDirectory implements wasi:filesystem/types.
func (d *descriptor) ReadDirectory(*component.Call) (types.DirectoryEntryStream, error) {
	e, err := d.h.Entries()
	if err != nil {
		return nil, err
	}
	return &entries{e}, nil
}

// entries is the resource directory-entry-stream.
type entries struct{ all *files.Entries }

// ReadDirectoryEntry implements wasi:filesystem/types.
func (e *entries) ReadDirectoryEntry(*component.Call) (value.Option[types.DirectoryEntry], error) {
	entry, err := e.all.Next()
	if err == io.EOF {
		return value.None[types.DirectoryEntry](), nil
	}
	if err != nil {
		return value.None[types.DirectoryEntry](), err
	}
	if !utf8.ValidString(entry.Name) { // and on with the next one
		return value.None[types.DirectoryEntry](), types.ErrorCodeIllegalByteSequence
	}
	return value.Some(entry), nil
}

// Drop implements wasi:filesystem/types.
func (e *entries) Drop() { e.all.Close() }

// CreateDirectoryAt implements wasi:filesystem/types.
func (d *descriptor) CreateDirectoryAt(_ *component.Call, path string) error {
	return d.h.CreateDirectory(path)
}

// Stat implements wasi:filesystem/types.
func (d *descriptor) Stat(*component.Call) (types.DescriptorStat, error) {
	return lower(d.h.Stat())
}

// StatAt implements wasi:filesystem/types.
func (d *descriptor) StatAt(_ *component.Call, flags types.PathFlags, path string) (types.DescriptorStat, error) {
	return lower(d.h.StatAt(flags, path))
}

func lower(s files.Stat, err error) (types.DescriptorStat, error) {
	if err != nil {
		return types.DescriptorStat{}, err
	}
	return types.DescriptorStat{
		Type: s.Type, LinkCount: s.Links, Size: s.Size,
		DataAccessTimestamp:       datetime(s.Accessed),
		DataModificationTimestamp: datetime(s.Modified),
		StatusChangeTimestamp:     datetime(s.Changed),
	}, nil
}

func datetime(t time.Time) value.Option[wallclock.Datetime] {
	if t.Unix() < 0 { // not known, or from before what a datetime can say
		return value.None[wallclock.Datetime]()
	}
	return value.Some(wallclock.Datetime{Seconds: uint64(t.Unix()), Nanoseconds: uint32(t.Nanosecond())})
}

// OpenAt implements wasi:filesystem/types.
func (d *descriptor) OpenAt(_ *component.Call, pf types.PathFlags, path string, of types.OpenFlags, flags types.DescriptorFlags) (types.Descriptor, error) {
	h, err := d.h.Open(pf, path, of, flags)
	if err != nil {
		return nil, err
	}
	return &descriptor{h: h}, nil
}

// ReadlinkAt implements wasi:filesystem/types.
func (d *descriptor) ReadlinkAt(_ *component.Call, path string) (string, error) {
	target, err := d.h.Readlink(path)
	if err == nil && !utf8.ValidString(target) {
		err = types.ErrorCodeIllegalByteSequence
	}
	return target, err
}

// RemoveDirectoryAt implements wasi:filesystem/types.
func (d *descriptor) RemoveDirectoryAt(_ *component.Call, path string) error {
	return d.h.RemoveDirectory(path)
}

// UnlinkFileAt implements wasi:filesystem/types.
func (d *descriptor) UnlinkFileAt(_ *component.Call, path string) error { return d.h.Unlink(path) }

// SymlinkAt implements wasi:filesystem/types.
func (d *descriptor) SymlinkAt(_ *component.Call, target, path string) error {
	return d.h.Symlink(target, path)
}

// LinkAt implements wasi:filesystem/types.
func (d *descriptor) LinkAt(_ *component.Call, flags types.PathFlags, path string, to types.Descriptor, newPath string) error {
	t, err := own(to)
	if err != nil {
		return err
	}
	return d.h.Link(flags, path, t, newPath)
}

// RenameAt implements wasi:filesystem/types.
func (d *descriptor) RenameAt(_ *component.Call, path string, to types.Descriptor, newPath string) error {
	t, err := own(to)
	if err != nil {
		return err
	}
	return d.h.Rename(path, t, newPath)
}

// IsSameObject implements wasi:filesystem/types.
func (d *descriptor) IsSameObject(_ *component.Call, other types.Descriptor) (bool, error) {
	o, err := own(other)
	if err != nil {
		return false, err
	}
	same, err := d.h.Same(o)
	return same && err == nil, nil // the function has no error; a lost file is no other
}

// MetadataHash implements wasi:filesystem/types.
func (d *descriptor) MetadataHash(*component.Call) (types.MetadataHashValue, error) {
	return hash(d.h.Stat())
}

// MetadataHashAt implements wasi:filesystem/types.
func (d *descriptor) MetadataHashAt(_ *component.Call, flags types.PathFlags, path string) (types.MetadataHashValue, error) {
	return hash(d.h.StatAt(flags, path))
}

func hash(s files.Stat, err error) (types.MetadataHashValue, error) {
	if err != nil {
		return types.MetadataHashValue{}, err
	}
	return s.Hash(), nil
}

// own returns the handle of a descriptor: all that guests hold are made here.
func own(d types.Descriptor) (*files.Handle, error) {
	mine, ok := d.(*descriptor)
	if !ok {
		return nil, fmt.Errorf("a descriptor is of the unknown Go type %T", d)
	}
	return mine.h, nil
}
