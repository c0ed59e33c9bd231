//go:build unix

package files

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/minispin/minispin/host/budget"
	"github.com/minispin/minispin/wit/bindings/wasi/filesystem/types"
)

const (
	read   = types.DescriptorFlagsRead
	write  = types.DescriptorFlagsWrite
	mutate = types.DescriptorFlagsMutateDirectory
	follow = types.PathFlagsSymlinkFollow
)

// tree makes a directory with a secret beside it, and a session with it mounted.
func tree(t *testing.T, access Access) (dir string, h *Handle) {
	t.Helper()
	top := t.TempDir()
	dir = filepath.Join(top, "mounted")
	for _, err := range []error{
		os.MkdirAll(filepath.Join(dir, "sub"), 0o777),
		os.WriteFile(filepath.Join(top, "secret"), []byte("secret"), 0o666),
		os.WriteFile(filepath.Join(dir, "a.txt"), []byte("contents"), 0o666),
		os.Symlink("a.txt", filepath.Join(dir, "inside")),
		os.Symlink("../secret", filepath.Join(dir, "outside")),
		os.Symlink(filepath.Join(top, "secret"), filepath.Join(dir, "absolute")),
		os.Symlink("outside", filepath.Join(dir, "chain")),
		os.Symlink("..", filepath.Join(dir, "up")),
		os.Symlink("loop", filepath.Join(dir, "loop")),
		os.Symlink("sub/later", filepath.Join(dir, "dangling")),
		os.Symlink("sub", filepath.Join(dir, "intosub")),
		os.Symlink("/proc/self/root", filepath.Join(dir, "magic")),
		syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o666),
		socket(filepath.Join(dir, "socket")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := &Session{Mounts: []Mount{{Root: root, Path: "/", Access: access}}}
	h, err = s.Preopen(s.Mounts[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		root.Close()
		if len(s.open) != 0 {
			t.Errorf("%d handles are open after Close", len(s.open))
		}
	})
	return dir, h
}

// socket makes a socket that nobody listens at.
func socket(path string) error {
	l, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	return l.Close()
}

func TestOpen(t *testing.T) {
	_, h := tree(t, ReadOnly)
	for _, tt := range []struct {
		pf   types.PathFlags
		path string
		of   types.OpenFlags
		want error
	}{
		{0, "a.txt", 0, nil},
		{0, "./sub/../a.txt", 0, nil},
		{0, "sub/", 0, nil},
		{0, ".", types.OpenFlagsDirectory, nil},
		{follow, "inside", 0, nil},
		{0, "inside", 0, types.ErrorCodeLoop},
		{follow, "outside", 0, types.ErrorCodeNotPermitted},
		{follow, "absolute", 0, types.ErrorCodeNotPermitted},
		{follow, "chain", 0, types.ErrorCodeNotPermitted},
		{follow, "up/secret", 0, types.ErrorCodeNotPermitted},
		{0, "up/secret", 0, types.ErrorCodeNotPermitted},
		{follow, "magic/etc/passwd", 0, types.ErrorCodeNotPermitted},
		{follow, "loop", 0, types.ErrorCodeLoop},
		{0, "../secret", 0, types.ErrorCodeNotPermitted},
		{0, "sub/../../secret", 0, types.ErrorCodeNotPermitted},
		{0, "..", 0, types.ErrorCodeNotPermitted},
		{0, "/a.txt", 0, types.ErrorCodeNotPermitted},
		{0, "fifo", 0, types.ErrorCodeNotPermitted},
		{0, "a.txt/", 0, types.ErrorCodeNotDirectory},
		{0, "a.txt/b", 0, types.ErrorCodeNotDirectory},
		{0, "a.txt", types.OpenFlagsDirectory, types.ErrorCodeNotDirectory},
		{0, "", 0, types.ErrorCodeNoEntry},
		{0, "absent", 0, types.ErrorCodeNoEntry},
		{0, "a\x00b", 0, types.ErrorCodeInvalid},
		{0, strings.Repeat("x", 256), 0, types.ErrorCodeNameTooLong},
		{0, strings.Repeat("x", MaxPath), 0, types.ErrorCodeNameTooLong},
		{0, strings.Repeat("./", MaxPath/2-1) + ".", 0, nil},
		{0, strings.Repeat("sub/../", MaxPath/8) + "a.txt", 0, types.ErrorCodeNameTooLong},
		{0, strings.Repeat("x/", MaxPath), 0, types.ErrorCodeNameTooLong},
		{0, "socket", 0, types.ErrorCodeNotPermitted},
		{0, "fifo", types.OpenFlagsDirectory, types.ErrorCodeNotDirectory},
		{0, "sub/..", 0, nil},
		{0, "sub//.//../a.txt", 0, nil},
		{0, "inside/", 0, types.ErrorCodeNotDirectory},
		{follow, "dangling", 0, types.ErrorCodeNoEntry},
		{0, "intosub/", 0, nil},
		{0, "intosub/../a.txt", 0, nil},
		{0, "intosub", types.OpenFlagsDirectory, types.ErrorCodeLoop},
		{0, "magic/", 0, types.ErrorCodeNotPermitted},
		{0, "new", types.OpenFlagsCreate, types.ErrorCodeReadOnly},
		{0, "a.txt", types.OpenFlagsTruncate, types.ErrorCodeReadOnly},
	} {
		got, err := h.Open(tt.pf, tt.path, tt.of, read)
		if err != tt.want {
			t.Errorf("open %.40q with %d, %d: %v, want %v", tt.path, tt.pf, tt.of, err, tt.want)
		}
		if err == nil {
			got.Close()
		}
	}
	if _, err := h.Open(0, "a.txt", 0, write); err != types.ErrorCodeReadOnly {
		t.Errorf("open for writing: %v", err)
	}
	f, err := h.Open(0, "a.txt", 0, read)
	if err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 20)
	if n, err := f.ReadAt(p, 2); string(p[:n]) != "ntents" || err != io.EOF {
		t.Errorf("read %q, %v", p[:n], err)
	}
	if _, err := f.Open(0, "x", 0, read); err != types.ErrorCodeNotDirectory {
		t.Errorf("open beneath a file: %v", err)
	}
	if err := f.SetTimes(time.Now(), time.Now()); err != types.ErrorCodeReadOnly {
		t.Errorf("set-times: %v", err)
	}
}

// A directory that is removed, or closed, while it is listed.
func TestEntriesEnd(t *testing.T) {
	dir, h := tree(t, ReadOnly)
	d, err := h.Open(0, "sub", types.OpenFlagsDirectory, read)
	if err != nil {
		t.Fatal(err)
	}
	removed, err := d.Entries()
	if err != nil {
		t.Fatal(err)
	}
	closed, err := d.Entries()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "sub")); err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for range 2 {
		for _, e := range []*Entries{removed, closed} {
			if _, err := e.Next(); err != io.EOF {
				t.Errorf("next: %v, want the end", err)
			}
		}
	}
}

// Every call that would change something is refused where nothing may be.
func TestReadOnly(t *testing.T) {
	dir, h := tree(t, ReadOnly)
	before, _ := os.ReadDir(dir)
	for name, err := range map[string]error{
		"mkdir": h.CreateDirectory("d"), "rmdir": h.RemoveDirectory("sub"), "unlink": h.Unlink("a.txt"),
		"symlink": h.Symlink("a.txt", "l"), "link": h.Link(0, "a.txt", h, "l"), "rename": h.Rename("a.txt", h, "b"),
		"times": h.SetTimesAt(0, "a.txt", time.Now(), time.Now()), "own times": h.SetTimes(time.Now(), time.Now()),
	} {
		if err != types.ErrorCodeReadOnly {
			t.Errorf("%s: %v", name, err)
		}
	}
	if after, _ := os.ReadDir(dir); len(after) != len(before) {
		t.Error("the directory has changed")
	}
}

func TestReadWrite(t *testing.T) {
	dir, h := tree(t, ReadWrite)
	want := func(want, got error, what string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	want(nil, h.CreateDirectory("d/"), "mkdir")
	want(types.ErrorCodeExist, h.CreateDirectory("d"), "mkdir again")
	want(types.ErrorCodeNotPermitted, h.CreateDirectory("../d"), "mkdir outside")
	want(types.ErrorCodeNotPermitted, h.CreateDirectory("up/d"), "mkdir through a link")
	want(types.ErrorCodeNotPermitted, h.Rename("a.txt", h, "../stolen"), "rename out")
	want(types.ErrorCodeNotPermitted, h.Rename("../secret", h, "stolen"), "rename in")
	want(types.ErrorCodeNotPermitted, h.Link(0, "../secret", h, "stolen"), "link in")
	want(types.ErrorCodeNotPermitted, h.Symlink("/etc", "etc"), "absolute symlink")
	want(types.ErrorCodeInvalid, h.Symlink("a\x00b", "etc"), "symlink with NUL")
	want(types.ErrorCodeNameTooLong, h.Symlink(strings.Repeat("x", MaxPath+1), "etc"), "long symlink")
	want(types.ErrorCodeNoEntry, h.Symlink("", "etc"), "empty symlink")
	want(types.ErrorCodeExist, h.CreateDirectory("."), "mkdir .")
	want(types.ErrorCodeExist, h.CreateDirectory("sub/../"), "mkdir ..")
	want(types.ErrorCodeNotPermitted, h.CreateDirectory("sub/../.."), "mkdir ../..")
	want(types.ErrorCodeInvalid, h.RemoveDirectory("sub/."), "rmdir .")
	want(types.ErrorCodeInvalid, h.Rename("sub/..", h, "x"), "rename ..")
	want(types.ErrorCodeInvalid, h.Rename("a.txt", h, "sub/."), "rename to .")
	want(types.ErrorCodeNotPermitted, h.Unlink(".."), "unlink ..")
	want(types.ErrorCodeNoEntry, h.Unlink("absent"), "unlink nothing")
	want(types.ErrorCodeNotDirectory, h.Unlink("inside/"), "unlink a link with a slash")
	want(types.ErrorCodeNotDirectory, h.RemoveDirectory("intosub"), "rmdir a link")
	want(types.ErrorCodeInvalid, h.Link(follow, "inside", h, "l"), "link to where a link points")
	want(nil, h.Symlink("../secret", "l"), "symlink")
	_, err := h.Open(follow, "l", 0, read)
	want(types.ErrorCodeNotPermitted, err, "open through it")
	_, err = h.Open(follow, "l", types.OpenFlagsCreate|types.OpenFlagsTruncate, write)
	want(types.ErrorCodeNotPermitted, err, "truncate through it")
	want(nil, h.Link(0, "a.txt", h, "hard"), "link")
	want(nil, h.Rename("hard", h, "d/moved"), "rename")
	want(types.ErrorCodeNotDirectory, h.Rename("a.txt/", h, "b"), "rename with a slash")
	want(types.ErrorCodeIsDirectory, h.Unlink("d"), "unlink a directory")
	want(types.ErrorCodeNotDirectory, h.RemoveDirectory("a.txt"), "rmdir a file")
	want(types.ErrorCodeNotEmpty, h.RemoveDirectory("d"), "rmdir")
	want(nil, h.Unlink("d/moved"), "unlink")
	want(nil, h.RemoveDirectory("d"), "rmdir")

	f, err := h.Open(0, "new", types.OpenFlagsCreate|types.OpenFlagsExclusive, read|write)
	want(nil, err, "create")
	_, err = h.Open(0, "new", types.OpenFlagsCreate|types.OpenFlagsExclusive, read|write)
	want(types.ErrorCodeExist, err, "create again")
	_, err = f.WriteAt([]byte("12345"), 3)
	want(nil, err, "write")
	_, end, err := f.Append([]byte("6"))
	want(nil, err, "append")
	if got, _ := os.ReadFile(filepath.Join(dir, "new")); string(got) != "\x00\x00\x00123456" || end != 9 {
		t.Errorf("wrote %q, end %d", got, end)
	}
	want(nil, f.SetSize(4), "set-size")
	want(types.ErrorCodeFileTooLarge, f.SetSize(1<<63), "set-size beyond any")
	_, err = f.WriteAt([]byte("x"), 1<<63-1)
	want(types.ErrorCodeFileTooLarge, err, "write beyond any")
	_, err = f.ReadAt(nil, 1<<63)
	want(types.ErrorCodeInvalid, err, "read beyond any")
	want(nil, f.Sync(), "sync")
	want(nil, h.Sync(), "sync a directory")
	want(nil, os.Remove(filepath.Join(dir, "new")), "vanish")
	if size, err := f.Size(); size != 4 || err != nil {
		t.Errorf("a file that has vanished while open: %d, %v", size, err)
	}
	if secret, _ := os.ReadFile(filepath.Join(dir, "../secret")); string(secret) != "secret" {
		t.Errorf("the secret is now %q", secret)
	}
}

// What may be changed in a directory is its mount's business: C libraries open the
// directories in which they go on to change names for reading alone.
func TestRightsAreInherited(t *testing.T) {
	_, h := tree(t, ReadWrite)
	d, err := h.Open(0, "sub", types.OpenFlagsDirectory, read)
	if err != nil {
		t.Fatal(err)
	}
	if d.Flags() != read|mutate {
		t.Errorf("flags %b", d.Flags())
	}
	if err := d.CreateDirectory("x"); err != nil {
		t.Errorf("mkdir: %v", err)
	}
	if _, err := d.Open(0, "../a.txt", 0, read); err != types.ErrorCodeNotPermitted {
		t.Errorf("open above: %v", err)
	}
	if _, err := h.Open(0, "sub", 0, read|write); err != types.ErrorCodeIsDirectory {
		t.Errorf("open for writing: %v", err)
	}
	_, h = tree(t, ReadOnly)
	if d, err = h.Open(0, "sub", types.OpenFlagsDirectory, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Entries(); err != types.ErrorCodeBadDescriptor {
		t.Errorf("entries of what was not opened for reading: %v", err)
	}
	if d.Flags() != 0 {
		t.Errorf("flags %b", d.Flags())
	}
	if err := d.CreateDirectory("x"); err != types.ErrorCodeReadOnly {
		t.Errorf("mkdir: %v", err)
	}
	if _, err := h.Open(0, "sub", 0, read|mutate); err != types.ErrorCodeReadOnly {
		t.Errorf("open to change: %v", err)
	}
}

func TestLimit(t *testing.T) {
	before := process().Held()
	_, h := tree(t, ReadOnly)
	var last *Handle
	for range MaxOpen - 1 {
		f, err := h.Open(0, "a.txt", 0, read)
		if err != nil {
			t.Fatal(err)
		}
		last = f
	}
	if _, err := h.Open(0, "a.txt", 0, read); err != types.ErrorCodeQuota {
		t.Errorf("one too many: %v", err)
	}
	if _, err := h.Entries(); err != types.ErrorCodeQuota {
		t.Errorf("a listing too many: %v", err)
	}
	last.Close()
	last.Close()
	if got := process().Held() - before; got != MaxOpen-2 {
		t.Errorf("%d descriptors are counted", got)
	}
	e, err := h.Entries()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Open(0, "sub", 0, read); err != types.ErrorCodeQuota {
		t.Errorf("one beside a listing: %v", err)
	}
	e.Close()
	e.Close()
	h.session.Close()
	h.session.Close()
	if got := process().Held(); got != before {
		t.Errorf("%d descriptors are counted after Close, want %d", got, before)
	}
}

// What all instances have open together is bounded, too.
func TestLimitOfProcess(t *testing.T) {
	_, h := tree(t, ReadOnly)
	others := 0
	for process().Take() {
		others++
	}
	process().GiveBack() // what there is room for
	defer func() {
		for range others - 1 {
			process().GiveBack()
		}
	}()
	f, err := h.Open(0, "a.txt", 0, read)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Open(0, "sub", 0, read); err != types.ErrorCodeQuota {
		t.Errorf("one too many: %v", err)
	}
	if _, err := h.Entries(); err != types.ErrorCodeQuota {
		t.Errorf("a listing too many: %v", err)
	}
	if _, err := h.session.Preopen(h.session.Mounts[0]); err != nil {
		t.Errorf("a directory that is open anyway: %v", err)
	}
	f.Close()
	if _, err := h.Open(0, "sub", 0, read); err != nil {
		t.Error(err)
	}
}

// So is what the instances of one component have.
func TestBudget(t *testing.T) {
	before := process().Held()
	_, a := tree(t, ReadWrite)
	_, b := tree(t, ReadWrite)
	shared := budget.New(3)
	a.session.Budget, b.session.Budget = shared, shared
	f, err := a.Open(0, "a.txt", 0, read)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Entries(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Open(0, "sub", 0, read); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Open(0, "new", types.OpenFlagsCreate, read); err != types.ErrorCodeQuota {
		t.Errorf("one too many: %v", err)
	}
	if _, err := a.StatAt(0, "new"); err != types.ErrorCodeNoEntry {
		t.Errorf("what could not be opened has been made: %v", err)
	}
	if _, err := a.Entries(); err != types.ErrorCodeQuota {
		t.Errorf("a listing too many: %v", err)
	}
	f.Close()
	for range 3 { // a failure costs nothing
		if _, err := a.Open(0, "absent", 0, read); err != types.ErrorCodeNoEntry {
			t.Errorf("open nothing: %v", err)
		}
	}
	if _, err := a.Open(0, "new", types.OpenFlagsCreate, read); err != nil {
		t.Error(err)
	}
	a.session.Close()
	b.session.Close()
	if shared.Held() != 0 || process().Held() != before {
		t.Errorf("%d are counted after Close, %d in the process", shared.Held(), process().Held()-before)
	}
}

func TestEntries(t *testing.T) {
	dir, h := tree(t, ReadOnly)
	e, err := h.Entries()
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	seen := map[string]types.DescriptorType{}
	for {
		d, err := e.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		seen[d.Name] = d.Type
	}
	all, _ := os.ReadDir(dir)
	if len(seen) != len(all) || seen["fifo"] != types.DescriptorTypeFifo || seen["inside"] != types.DescriptorTypeSymbolicLink {
		t.Errorf("entries %v", seen)
	}
}
