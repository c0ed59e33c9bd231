package filesystem

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/minispin/minispin/host/budget"
	"github.com/minispin/minispin/host/files"
	"github.com/minispin/minispin/host/wasi/io"
	"github.com/minispin/minispin/wit/bindings/wasi/clocks/wallclock"
	"github.com/minispin/minispin/wit/bindings/wasi/filesystem/types"
	"github.com/minispin/minispin/wit/bindings/wasi/io/ioerror"
	"github.com/minispin/minispin/wit/bindings/wasi/io/streams"
)

const (
	read  = types.DescriptorFlagsRead
	write = types.DescriptorFlagsWrite
)

// mounted returns a directory with a file in it, as a guest gets it.
func mounted(t *testing.T) (dir string, session *files.Session, d types.Descriptor) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.txt"), []byte("contents"), 0o666); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	session = &files.Session{Mounts: []files.Mount{{Root: root, Path: "/", Access: files.ReadWrite}}}
	t.Cleanup(func() {
		session.Close()
		root.Close()
	})
	all, err := host{session}.GetDirectories(nil)
	if err != nil || len(all) != 1 || all[0].F1 != "/" {
		t.Fatalf("directories %v, %v", all, err)
	}
	return dir, session, all[0].F0
}

func open(t *testing.T, d types.Descriptor, path string, flags types.DescriptorFlags) types.Descriptor {
	t.Helper()
	f, err := d.OpenAt(nil, 0, path, 0, flags)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// A stream goes on when its descriptor is dropped, and lets go of the file when it
// is dropped itself.
func TestStreamOutlivesDescriptor(t *testing.T) {
	_, session, d := mounted(t)
	session.Budget = budget.New(1)
	f := open(t, d, "a.txt", read|write)
	in, err := f.ReadViaStream(nil, 3)
	if err != nil {
		t.Fatal(err)
	}
	out, err := f.AppendViaStream(nil)
	if err != nil {
		t.Fatal(err)
	}
	f.Drop()
	if got, err := in.Read(nil, 100); string(got) != "tents" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
	in.Drop()
	if _, err := d.OpenAt(nil, 0, "a.txt", 0, read); err != types.ErrorCodeQuota {
		t.Errorf("while a stream is left: %v", err)
	}
	out.Drop()
	open(t, d, "a.txt", read).Drop()
}

// What a stream fails with is found again by filesystem-error-code, and nothing in
// the failures of others.
func TestFilesystemErrorCode(t *testing.T) {
	_, session, d := mounted(t)
	in, err := open(t, d, "a.txt", read).ReadViaStream(nil, 1<<63)
	if err != nil {
		t.Fatal(err)
	}
	_, err = in.Read(nil, 1)
	failure, ok := err.(streams.StreamError)
	if !ok || failure.Case != streams.StreamErrorLastOperationFailed {
		t.Fatalf("read: %v", err)
	}
	for _, tt := range []struct {
		err  ioerror.Error
		want string
	}{
		{failure.LastOperationFailed, "invalid"},
		{wasiio.NewError(fmt.Errorf("write: %w", types.ErrorCodeQuota)), "quota"},
		{wasiio.NewError(errors.New("connection reset")), ""},
	} {
		got, err := host{session}.FilesystemErrorCode(nil, tt.err)
		if err != nil || got.Set != (tt.want != "") || got.Set && got.V.Error() != tt.want {
			t.Errorf("%v: %v, %v; want %q", tt.err, got, err, tt.want)
		}
	}
	if _, err := in.Read(nil, 1); err == nil || err.(streams.StreamError).Case != streams.StreamErrorClosed {
		t.Errorf("read after a failure: %v", err)
	}
}

// Reads at an offset use one buffer; a read that is refused has none.
func TestRead(t *testing.T) {
	dir, _, d := mounted(t)
	large := make([]byte, maxRead+10)
	large[maxRead] = 'x'
	if err := os.WriteFile(filepath.Join(dir, "large"), large, 0o666); err != nil {
		t.Fatal(err)
	}
	f := open(t, d, "large", read)
	defer f.Drop()
	got, err := f.Read(nil, 1<<40, 0)
	if err != nil || len(got.F0) != maxRead || got.F1 {
		t.Errorf("%d bytes, end %v, %v", len(got.F0), got.F1, err)
	}
	if got, err = f.Read(nil, 100, maxRead); err != nil || len(got.F0) != 10 || got.F0[0] != 'x' || !got.F1 {
		t.Errorf("%q, end %v, %v", got.F0, got.F1, err)
	}
	allocs := testing.AllocsPerRun(20, func() { _, _ = f.Read(nil, 1<<20, 0) })
	if allocs > 1 {
		t.Errorf("%v allocations for a read", allocs)
	}
	w := open(t, d, "large", write)
	defer w.Drop()
	if _, err := w.Read(nil, 1, 0); err != types.ErrorCodeBadDescriptor {
		t.Errorf("read what is open for writing: %v", err)
	}
}

func TestTimestamps(t *testing.T) {
	at := func(seconds uint64, nanoseconds uint32) types.NewTimestamp {
		return types.NewTimestamp{Case: types.NewTimestampTimestamp, Timestamp: wallclock.Datetime{Seconds: seconds, Nanoseconds: nanoseconds}}
	}
	for _, tt := range []struct {
		in   types.NewTimestamp
		want time.Time
		err  error
	}{
		{at(0, 0), time.Unix(0, 0), nil},
		{at(5, 999_999_999), time.Unix(5, 999_999_999), nil},
		{at(5, 1_000_000_000), time.Time{}, types.ErrorCodeInvalid},
		{at(1<<63, 0), time.Time{}, types.ErrorCodeInvalid},
		{types.NewTimestamp{Case: types.NewTimestampNoChange}, time.Time{}, nil},
	} {
		if got, err := timestamp(tt.in); !got.Equal(tt.want) || err != tt.err {
			t.Errorf("%+v: %v, %v; want %v, %v", tt.in, got, err, tt.want, tt.err)
		}
	}
	if got, err := timestamp(types.NewTimestamp{Case: types.NewTimestampNow}); err != nil || time.Since(got).Abs() > time.Minute {
		t.Errorf("now: %v, %v", got, err)
	}
	for _, tt := range []struct {
		in   time.Time
		want bool
	}{{time.Time{}, false}, {time.Unix(-1, 0), false}, {time.Unix(0, 0), true}} {
		if got := datetime(tt.in); got.Set != tt.want {
			t.Errorf("%v: %v", tt.in, got)
		}
	}
}

// A descriptor that was not made here traps; it does not crash.
func TestForeignDescriptor(t *testing.T) {
	_, _, d := mounted(t)
	var foreign struct{ types.Descriptor }
	var code types.ErrorCode
	if _, err := d.IsSameObject(nil, foreign); err == nil || errors.As(err, &code) {
		t.Errorf("is-same-object: %v", err)
	}
	if err := d.RenameAt(nil, "a.txt", foreign, "b"); err == nil || errors.As(err, &code) {
		t.Errorf("rename-at: %v", err)
	}
	if err := d.LinkAt(nil, 0, "a.txt", foreign, "b"); err == nil || errors.As(err, &code) {
		t.Errorf("link-at: %v", err)
	}
}

// A directory has no contents to stream.
func TestStreamOfDirectory(t *testing.T) {
	_, _, d := mounted(t)
	if _, err := d.ReadViaStream(nil, 0); err != types.ErrorCodeIsDirectory {
		t.Errorf("read-via-stream: %v", err)
	}
	if _, err := d.WriteViaStream(nil, 0); err != types.ErrorCodeIsDirectory {
		t.Errorf("write-via-stream: %v", err)
	}
	c := &cursor{h: d.(*descriptor).h}
	if _, err := c.Read(nil); err == io.EOF || err == nil {
		t.Errorf("read: %v", err)
	}
}
