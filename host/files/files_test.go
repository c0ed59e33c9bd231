//go:build unix

package files

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

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
		os.Symlink("/proc/self/root", filepath.Join(dir, "magic")),
		syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o666),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := &Session{}
	h, err = s.Preopen(Mount{Root: root, Path: "/", Access: access})
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
		{0, strings.Repeat("x/", MaxPath), 0, types.ErrorCodeNameTooLong},
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
	want(nil, os.Remove(filepath.Join(dir, "new")), "vanish")
	if size, err := f.Size(); size != 4 || err != nil {
		t.Errorf("a file that has vanished while open: %d, %v", size, err)
	}
	if secret, _ := os.ReadFile(filepath.Join(dir, "../secret")); string(secret) != "secret" {
		t.Errorf("the secret is now %q", secret)
	}
}

// A directory opened without mutate-directory changes nothing, whatever its mount.
func TestRightsOfDescriptor(t *testing.T) {
	_, h := tree(t, ReadWrite)
	d, err := h.Open(0, "sub", 0, read)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.CreateDirectory("x"); err != types.ErrorCodeReadOnly {
		t.Errorf("mkdir: %v", err)
	}
	if _, err := d.Open(0, "../a.txt", 0, read); err != types.ErrorCodeNotPermitted {
		t.Errorf("open above: %v", err)
	}
	if d, err = h.Open(0, "sub", 0, read|mutate); err != nil {
		t.Fatal(err)
	}
	if err := d.CreateDirectory("x"); err != nil {
		t.Errorf("mkdir: %v", err)
	}
}

func TestLimit(t *testing.T) {
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
	last.Close()
	last.Close()
	if _, err := h.Open(0, "a.txt", 0, read); err != nil {
		t.Error(err)
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

// Another process swaps a directory for a link out of the tree, again and again:
// no open gets hold of what is outside.
func TestSwapRace(t *testing.T) {
	dir, h := tree(t, ReadOnly)
	if err := os.WriteFile(filepath.Join(dir, "sub", "secret"), []byte("inside"), 0o666); err != nil {
		t.Fatal(err)
	}
	var stop atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		at, aside := filepath.Join(dir, "sub"), filepath.Join(dir, "aside")
		for !stop.Load() {
			os.Rename(at, aside)
			os.Symlink("..", at)
			os.Remove(at)
			os.Rename(aside, at)
		}
	}()
	opened := 0
	for begin := time.Now(); time.Since(begin) < 300*time.Millisecond; {
		f, err := h.Open(follow, "sub/secret", 0, read)
		if err != nil {
			continue
		}
		opened++
		p := make([]byte, 6)
		if _, err := f.ReadAt(p, 0); err != nil || string(p) != "inside" {
			t.Fatalf("read %q, %v", p, err)
		}
		f.Close()
	}
	stop.Store(true)
	<-done
	if opened == 0 {
		t.Error("the file was never there")
	}
}
