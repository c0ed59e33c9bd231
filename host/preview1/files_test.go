package preview1

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/minispin/minispin/host/files"
	"github.com/minispin/minispin/host/wasi"
)

// mounted returns a new directory with a few files in it, and a Ctx that has it
// at the path /.
func mounted(t *testing.T, access files.Access) (dir string, x wasi.Ctx) {
	t.Helper()
	dir = t.TempDir()
	for _, err := range []error{
		os.MkdirAll(filepath.Join(dir, "sub", "deep"), 0o777),
		os.WriteFile(filepath.Join(dir, "a.txt"), []byte("0123456789"), 0o666),
		os.WriteFile(filepath.Join(dir, "sub", "b.txt"), []byte("b"), 0o666),
		os.Symlink("a.txt", filepath.Join(dir, "link")),
		os.Symlink("../outside", filepath.Join(dir, "escape")),
		os.Symlink("loop", filepath.Join(dir, "loop")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	x.Files.Mounts = []files.Mount{mount(t, dir, "/", access)}
	return dir, x
}

func mount(t *testing.T, dir, path string, access files.Access) files.Mount {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return files.Mount{Root: root, Path: path, Access: access}
}

// Where the tests of files keep things in the guest's memory.
const (
	pathAt   = 2048
	secondAt = 6144 // another path
	listAt   = 12288
	dataAt   = 16384
	resultAt = 32
)

// name stores a path and returns its address and length, as arguments.
func (g *guest) name(at uint32, s string) (ptr, n uint64) {
	g.put(at, s)
	return uint64(at), uint64(len(s))
}

// openAs opens a path beneath a directory and returns the error number.
func (g *guest) openAs(dir uint32, lookup uint64, path string, oflags uint64, base rights, fd fdflags) (uint32, Errno) {
	g.t.Helper()
	ptr, n := g.name(pathAt, path)
	errno, err := g.try("path_open", uint64(dir), lookup, ptr, n, oflags, uint64(base), uint64(base), uint64(fd), resultAt)
	if err != nil {
		g.t.Errorf("open %q: %v", path, err)
	}
	return g.Mem().U32(resultAt), errno
}

// open is openAs beneath the first mount, for a call that must succeed.
func (g *guest) open(path string, oflags uint64, base rights, fd fdflags) uint32 {
	g.t.Helper()
	n, errno := g.openAs(3, 0, path, oflags, base, fd)
	if errno != success {
		g.t.Fatalf("open %q: %v", path, errno)
	}
	return n
}

// refuseOpen is openAs for a call that must fail with want.
func (g *guest) refuseOpen(want Errno, dir uint32, path string, oflags uint64, base rights) {
	g.t.Helper()
	if _, errno := g.openAs(dir, 0, path, oflags, base, 0); errno != want {
		g.t.Errorf("open %q beneath %d with oflags %d, rights %b: %v, want %v", path, dir, oflags, base, errno, want)
	}
}

// onPath calls a function of a path beneath the first mount and checks its error
// number.
func (g *guest) onPath(want Errno, name, path string) {
	g.t.Helper()
	ptr, n := g.name(pathAt, path)
	g.want(want, name, 3, ptr, n)
}

// write and read move data at the position of fd.
func (g *guest) write(fd uint32, data string) {
	g.t.Helper()
	g.put(dataAt, data)
	g.iovecs(listAt, dataAt, uint32(len(data)))
	g.want(success, "fd_write", uint64(fd), listAt, 1, resultAt)
	if n := g.Mem().U32(resultAt); int(n) != len(data) {
		g.t.Errorf("wrote %d of %q", n, data)
	}
}

func (g *guest) read(fd, n uint32) string {
	g.t.Helper()
	g.iovecs(listAt, dataAt, n)
	g.want(success, "fd_read", uint64(fd), listAt, 1, resultAt)
	return g.at(dataAt, int(g.Mem().U32(resultAt)))
}

// position returns what fd_tell says.
func (g *guest) position(fd uint32) uint64 {
	g.t.Helper()
	g.want(success, "fd_tell", uint64(fd), resultAt)
	return g.Mem().U64(resultAt)
}

func contents(t *testing.T, dir, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Error(err)
	}
	return string(b)
}

// Mounted directories have the numbers from 3 on, with their paths; what else is
// open has none.
func TestPreopens(t *testing.T) {
	_, x := mounted(t, files.ReadOnly)
	x.Files.Mounts = append(x.Files.Mounts, mount(t, t.TempDir(), "/data", files.ReadWrite))
	ok(t, x, func(g *guest) {
		for fd, path := range map[uint64]string{3: "/", 4: "/data"} {
			n := uint64(len(path))
			g.want(success, "fd_prestat_get", fd, 0)
			if g.Mem().U32(0) != 0 || g.Mem().U32(4) != uint32(n) {
				t.Errorf("prestat of %d: %x", fd, g.at(0, 8))
			}
			g.want(errNametoolong, "fd_prestat_dir_name", fd, 100, n-1)
			g.put(100, "........")
			g.want(success, "fd_prestat_dir_name", fd, 100, n+2)
			if got := g.at(100, len(path)+1); got != path+"." {
				t.Errorf("path of %d is %q, want %q", fd, got, path)
			}
			g.want(errFault, "fd_prestat_get", fd, page-7)
			g.want(errFault, "fd_prestat_dir_name", fd, page-n+1, n)
		}
		for _, fd := range []uint64{0, 2, 5, 1 << 31, 1<<32 - 1} {
			g.want(errBadf, "fd_prestat_get", fd, 0)
			g.want(errBadf, "fd_prestat_dir_name", fd, 0, 100)
		}
		// The lowest number that is free is the next one, and what has it then is not
		// preopened.
		g.want(success, "fd_close", 3)
		if fd, errno := g.openAs(4, 0, ".", 0, 0, 0); fd != 3 || errno != success {
			t.Errorf("opened %d, %v", fd, errno)
		}
		g.want(errBadf, "fd_prestat_get", 3, 0)
		// A preopened directory keeps being one under another number.
		g.want(success, "fd_renumber", 4, 3)
		g.want(success, "fd_prestat_get", 3, 0)
		g.want(errBadf, "fd_prestat_get", 4, 0)
	})
}

func TestPathOpen(t *testing.T) {
	dir, x := mounted(t, files.ReadWrite)
	fifo := makeFIFO(t, filepath.Join(dir, "fifo"))
	type test struct {
		path   string
		lookup uint64
		oflags uint64
		base   rights
		want   Errno
	}
	tests := []test{
		{"a.txt", 0, 0, rightRead, success},
		{"a.txt", 0, 0, rightRead | rightWrite, success},
		{"a.txt", 0, 0, 0, success},
		{"sub/../a.txt", 0, 0, rightRead, success},
		{"sub", 0, 0, rightRead, success},
		{"sub/", 0, openDirectory, rightRead, success},
		{".", 0, openDirectory, inheritingRights &^ rightWrite, success},
		{"link", lookupFollow, 0, rightRead, success},
		{"new", 0, openCreate, rightWrite, success},
		{"new", 0, openCreate, rightWrite, success},
		{"a.txt", 0, openTruncate, 0, success},

		{"new", 0, openCreate | openExclusive, rightWrite, errExist},
		{"absent", 0, 0, rightRead, errNoent},
		{"absent/new", 0, openCreate, rightWrite, errNoent},
		{"a.txt/x", 0, 0, rightRead, errNotdir},
		{"a.txt/", 0, 0, rightRead, errNotdir},
		{"a.txt", 0, openDirectory, rightRead, errNotdir},
		{"sub", 0, 0, rightRead | rightWrite, errIsdir},
		{"sub", 0, openTruncate, 0, errIsdir},
		{"link", 0, 0, rightRead, errLoop},
		{"loop", lookupFollow, 0, rightRead, errLoop},
		{"escape", lookupFollow, 0, rightRead, errPerm},
		{"../x", 0, 0, rightRead, errPerm},
		{"sub/../../x", 0, 0, rightRead, errPerm},
		{"/a.txt", 0, 0, rightRead, errPerm},
		{"", 0, 0, rightRead, errNoent},
		{"a.txt\x00", 0, 0, rightRead, errInval},
		{"\xff", 0, 0, rightRead, errIlseq},
		{strings.Repeat("x", 256), 0, 0, rightRead, errNametoolong},
		{strings.Repeat("x", files.MaxPath+1), 0, 0, rightRead, errNametoolong},
		{"a.txt", 2, 0, rightRead, errInval},
		{"a.txt", 0, 16, rightRead, errInval},
	}
	if fifo {
		tests = append(tests, test{"fifo", 0, 0, rightRead, errPerm}, test{"fifo", 0, 0, rightWrite, errPerm})
	}
	ok(t, x, func(g *guest) {
		for _, tt := range tests {
			fd, errno := g.openAs(3, tt.lookup, tt.path, tt.oflags, tt.base, 0)
			if errno != tt.want {
				t.Errorf("open %.40q, lookup %d, oflags %d, rights %b: %v, want %v", tt.path, tt.lookup, tt.oflags, tt.base, errno, tt.want)
			}
			if errno == success {
				g.want(success, "fd_close", uint64(fd))
			}
		}
		_, errno := g.openAs(3, 0, "a.txt", 0, rightRead, 32)
		if errno != errInval {
			t.Errorf("with fdflags there are not: %v", errno)
		}
		for fd, want := range map[uint32]Errno{1: errNotdir, 77: errBadf, g.open("a.txt", 0, rightRead, 0): errNotdir} {
			g.refuseOpen(want, fd, "a.txt", 0, rightRead)
		}
		// Pointers are looked at before anything is made.
		ptr, n := g.name(pathAt, "unmade")
		g.want(errFault, "path_open", 3, 0, ptr, n, openCreate, 0, 0, 0, page-3)
		g.want(errFault, "path_open", 3, 0, page-1, n, openCreate, 0, 0, 0, resultAt)
		g.want(errFault, "path_open", 3, 0, ptr, 1<<32-1, openCreate, 0, 0, 0, resultAt)
	})
	if _, err := os.Stat(filepath.Join(dir, "unmade")); err == nil {
		t.Error("a call that failed made a file")
	}
	if contents(t, dir, "a.txt") != "" {
		t.Error("not truncated")
	}
}

// Nothing beneath a read-only mount changes, and every way to try says why.
func TestReadOnlyMount(t *testing.T) {
	dir, x := mounted(t, files.ReadOnly)
	ok(t, x, func(g *guest) {
		for _, oflags := range []uint64{0, openCreate, openTruncate} {
			g.refuseOpen(errRofs, 3, "a.txt", oflags, rightWrite)
		}
		g.refuseOpen(errRofs, 3, "a.txt", openTruncate, rightRead)
		g.onPath(errRofs, "path_create_directory", "new")
		g.onPath(errRofs, "path_remove_directory", "sub/deep")
		g.onPath(errRofs, "path_unlink_file", "a.txt")
		a, an := g.name(pathAt, "a.txt")
		b, bn := g.name(secondAt, "b")
		g.want(errRofs, "path_rename", 3, a, an, 3, b, bn)
		g.want(errRofs, "path_link", 3, 0, a, an, 3, b, bn)
		g.want(errRofs, "path_symlink", a, an, 3, b, bn)
		g.want(errRofs, "path_filestat_set_times", 3, 0, a, an, 0, 0, setChange)
		g.want(errRofs, "fd_filestat_set_times", 3, 0, 0, setChange)

		fd := uint64(g.open("a.txt", 0, rightRead, 0))
		g.iovecs(listAt, dataAt, 5)
		g.want(errBadf, "fd_write", fd, listAt, 1, resultAt)
		g.want(errBadf, "fd_pwrite", fd, listAt, 1, 0, resultAt)
		g.want(errBadf, "fd_filestat_set_size", fd, 0)
		g.want(errBadf, "fd_allocate", fd, 0, 100)
		g.want(errRofs, "fd_filestat_set_times", fd, 0, 0, setChange)
		g.want(success, "fd_sync", fd)
		if got := g.read(uint32(fd), 20); got != "0123456789" {
			t.Errorf("read %q", got)
		}
		// A directory in it is no other.
		sub := g.open("sub", 0, rightRead, 0)
		g.refuseOpen(errRofs, sub, "new", openCreate, rightWrite)
	})
	if got := contents(t, dir, "a.txt"); got != "0123456789" {
		t.Errorf("a.txt has %q", got)
	}
}

// An instance has so many descriptors and no more, and gets those back that it
// closes.
func TestDescriptorLimit(t *testing.T) {
	_, x := mounted(t, files.ReadOnly)
	ok(t, x, func(g *guest) {
		var last uint32
		for range files.MaxOpen - 1 { // one is the mount
			last = g.open("a.txt", 0, rightRead, 0)
		}
		g.refuseOpen(errMfile, 3, "a.txt", 0, rightRead)
		g.want(success, "fd_close", uint64(last))
		if fd := g.open("a.txt", 0, rightRead, 0); fd != last {
			t.Errorf("opened %d, want %d", fd, last)
		}
		// A number that another one is moved to gives its file back.
		g.want(success, "fd_renumber", uint64(last), uint64(last)-1)
		if fd := g.open("a.txt", 0, rightRead, 0); fd != last {
			t.Errorf("opened %d, want %d", fd, last)
		}
	})
}

// What is open stays usable when others remove or change it, and what is gone is
// not there: no call does worse than fail.
func TestVanishing(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("what is open cannot be removed")
	}
	dir, x := mounted(t, files.ReadWrite)
	ok(t, x, func(g *guest) {
		f, sub := g.open("a.txt", 0, rightRead|rightWrite, 0), g.open("sub", openDirectory, rightRead, 0)
		g.readdir(sub, 0, 30)
		if err := os.Truncate(filepath.Join(dir, "a.txt"), 4); err != nil {
			t.Fatal(err)
		}
		if got := g.read(f, 20); got != "0123" {
			t.Errorf("read %q of a file cut off", got)
		}
		for _, name := range []string{"a.txt", "sub"} {
			if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		g.write(f, "more")
		g.want(success, "fd_filestat_get", uint64(f), 0)
		if g.Mem().U64(24) != 0 || g.Mem().U64(32) != 8 {
			t.Errorf("%d links, %d bytes", g.Mem().U64(24), g.Mem().U64(32))
		}
		g.refuseOpen(errNoent, 3, "a.txt", 0, rightRead)
		g.refuseOpen(errNoent, sub, "b.txt", 0, rightRead)
		g.refuseOpen(errNoent, sub, "new", openCreate, rightWrite)
		for _, cookie := range []uint64{2, 0} {
			if _, err := g.try("fd_readdir", uint64(sub), dataAt, 4096, cookie, resultAt); err != nil {
				t.Errorf("list what is gone: %v", err)
			}
		}
		g.want(success, "fd_close", uint64(sub))
		g.want(success, "fd_close", uint64(f))
	})
}
