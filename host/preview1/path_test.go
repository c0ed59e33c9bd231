package preview1

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/minispin/minispin/host/files"
)

func TestFilestat(t *testing.T) {
	dir, x := mounted(t, files.ReadWrite)
	when := time.Date(2021, 2, 3, 4, 5, 6, 789, time.UTC)
	if err := os.Chtimes(filepath.Join(dir, "a.txt"), when.Add(time.Hour), when); err != nil {
		t.Fatal(err)
	}
	ok(t, x, func(g *guest) {
		stat := func(lookup uint64, path string) (kind filetype, id, links, size, accessed, modified uint64) {
			t.Helper()
			ptr, n := g.name(pathAt, path)
			g.want(success, "path_filestat_get", 3, lookup, ptr, n, 0)
			m := g.Mem()
			return filetype(m.U8(16)), m.U64(8), m.U64(24), m.U64(32), m.U64(40), m.U64(48)
		}
		kind, id, links, size, accessed, modified := stat(0, "a.txt")
		if kind != filetypeRegularFile || links != 1 || size != 10 || accessed != modified+3600e9 || modified != uint64(when.UnixNano()) {
			t.Errorf("a.txt: kind %d, %d links, %d bytes, times %d and %d", kind, links, size, accessed, modified)
		}
		fd := uint64(g.open("a.txt", 0, 0, 0))
		g.want(success, "fd_filestat_get", fd, 0)
		if g.Mem().U64(8) != id || g.Mem().U64(0) != device {
			t.Error("another file by descriptor than by path")
		}
		if _, followed, _, _, _, _ := stat(lookupFollow, "link"); followed != id {
			t.Error("another file by a link")
		}
		if kind, other, _, _, _, _ := stat(0, "link"); kind != filetypeSymbolicLink || other == id {
			t.Errorf("the link itself is of kind %d", kind)
		}
		kind, sub, _, _, _, _ := stat(0, "sub")
		if kind != filetypeDirectory || sub == id {
			t.Errorf("sub is of kind %d", kind)
		}
		g.want(success, "fd_filestat_get", 3, 0)
		if g.Mem().U8(16) != uint8(filetypeDirectory) || g.Mem().U64(8) == sub {
			t.Errorf("the mount: %x", g.at(0, 64))
		}
		for path, want := range map[string]Errno{
			"absent": errNoent, "../x": errPerm, "a.txt/": errNotdir, "a.txt/x": errNotdir, "": errNoent, "\xff": errIlseq,
		} {
			ptr, n := g.name(pathAt, path)
			g.want(want, "path_filestat_get", 3, 0, ptr, n, 0)
			g.want(want, "path_filestat_set_times", 3, 0, ptr, n, 0, 0, setChange)
		}
		ptr, n := g.name(pathAt, "a.txt")
		g.want(errFault, "path_filestat_get", 3, 0, ptr, n, page-63)
		g.want(errFault, "fd_filestat_get", fd, page-63)
		g.want(errInval, "path_filestat_get", 3, 2, ptr, n, 0)

		// Times: given, now, and left as they are.
		g.want(success, "path_filestat_set_times", 3, 0, ptr, n, 5e9, 7e9, setChange)
		if _, _, _, _, a, m := stat(0, "a.txt"); a != accessed || m != 7e9 {
			t.Errorf("times %d and %d", a, m)
		}
		g.want(success, "path_filestat_set_times", 3, 0, ptr, n, 5e9+1, 7e9, setAccess)
		if _, _, _, _, a, m := stat(0, "a.txt"); a != 5e9+1 || m != 7e9 {
			t.Errorf("times %d and %d", a, m)
		}
		before := uint64(time.Now().UnixNano())
		g.want(success, "fd_filestat_set_times", fd, 0, 0, setAccessNow|setChangeNow)
		if _, _, _, _, a, m := stat(0, "a.txt"); a < before || m < before {
			t.Errorf("times %d and %d, before now, %d", a, m, before)
		}
		g.want(success, "fd_filestat_set_times", fd, 0, 0, 0)
		for _, flags := range []uint64{setAccess | setAccessNow, setChange | setChangeNow, 16} {
			g.want(errInval, "fd_filestat_set_times", fd, 0, 0, flags)
			g.want(errInval, "path_filestat_set_times", 3, 0, ptr, n, 0, 0, flags)
		}
		g.want(success, "fd_filestat_set_times", 3, 1e9, 1e9, setAccess|setChange)
	})
}

func TestPaths(t *testing.T) {
	dir, x := mounted(t, files.ReadWrite)
	ok(t, x, func(g *guest) {
		two := func(want Errno, name, a, b string) {
			t.Helper()
			ap, an := g.name(pathAt, a)
			bp, bn := g.name(secondAt, b)
			switch name {
			case "path_rename":
				g.want(want, name, 3, ap, an, 3, bp, bn)
			case "path_link":
				g.want(want, name, 3, 0, ap, an, 3, bp, bn)
			case "path_symlink":
				g.want(want, name, ap, an, 3, bp, bn)
			}
		}
		g.onPath(success, "path_create_directory", "d")
		g.onPath(errExist, "path_create_directory", "d")
		g.onPath(errNoent, "path_create_directory", "x/y")
		g.onPath(errNotdir, "path_create_directory", "a.txt/y")
		g.onPath(errPerm, "path_create_directory", "../d")
		g.onPath(errPerm, "path_create_directory", "/d")
		g.onPath(errIlseq, "path_create_directory", "\xc3\x28")

		two(success, "path_symlink", "../a.txt", "d/l")
		two(errExist, "path_symlink", "x", "d/l")
		two(errPerm, "path_symlink", "/etc", "d/abs")
		two(errPerm, "path_symlink", "x", "../l")
		ptr, n := g.name(pathAt, "d/l")
		g.put(0, "........")
		g.want(success, "path_readlink", 3, ptr, n, 0, 100, resultAt)
		if got := g.at(0, int(g.Mem().U32(resultAt))); got != "../a.txt" {
			t.Errorf("link says %q", got)
		}
		g.put(0, "........")
		g.want(success, "path_readlink", 3, ptr, n, 0, 4, resultAt)
		if g.Mem().U32(resultAt) != 4 || g.at(0, 5) != "../a." {
			t.Errorf("cut off to %d: %q", g.Mem().U32(resultAt), g.at(0, 5))
		}
		g.want(success, "path_readlink", 3, ptr, n, 0, 0, resultAt)
		g.want(errFault, "path_readlink", 3, ptr, n, page-1, 4, resultAt)
		g.want(errFault, "path_readlink", 3, ptr, n, 0, 4, page-3)
		ptr, n = g.name(pathAt, "a.txt")
		g.want(errInval, "path_readlink", 3, ptr, n, 0, 4, resultAt)
		ptr, n = g.name(pathAt, "absent")
		g.want(errNoent, "path_readlink", 3, ptr, n, 0, 4, resultAt)

		two(success, "path_link", "a.txt", "d/hard")
		two(errExist, "path_link", "a.txt", "d/hard")
		two(errNoent, "path_link", "absent", "d/x")
		two(errPerm, "path_link", "../x", "d/x")
		ap, an := g.name(pathAt, "link")
		bp, bn := g.name(secondAt, "d/followed")
		g.want(errInval, "path_link", 3, lookupFollow, ap, an, 3, bp, bn)
		g.want(errBadf, "path_link", 3, 0, ap, an, 50, bp, bn)
		g.want(errBadf, "path_rename", 3, ap, an, 50, bp, bn)
		g.want(errNotdir, "path_rename", 3, ap, an, 1, bp, bn)

		// Names go from one directory to another that is open, too.
		sub := uint64(g.open("sub", openDirectory, 0, 0))
		ap, an = g.name(pathAt, "d/hard")
		bp, bn = g.name(secondAt, "hard")
		g.want(success, "path_rename", 3, ap, an, sub, bp, bn)
		g.want(success, "path_link", sub, 0, bp, bn, 3, ap, an)
		g.want(success, "path_unlink_file", sub, bp, bn)

		two(success, "path_rename", "d/hard", "moved")
		two(errNoent, "path_rename", "d/hard", "moved")
		two(errPerm, "path_rename", "moved", "../out")
		two(errPerm, "path_rename", "../in", "moved")
		two(errNotdir, "path_rename", "moved", "a.txt/x")

		g.onPath(errIsdir, "path_unlink_file", "d")
		g.onPath(errNoent, "path_unlink_file", "absent")
		g.onPath(errNotdir, "path_unlink_file", "moved/")
		g.onPath(errNotdir, "path_remove_directory", "moved")
		g.onPath(errNotempty, "path_remove_directory", "d")
		g.onPath(success, "path_unlink_file", "d/l")
		g.onPath(success, "path_unlink_file", "moved")
		g.onPath(success, "path_remove_directory", "d")
		g.onPath(errNoent, "path_remove_directory", "d")
	})
	if got := contents(t, dir, "a.txt"); got != "0123456789" {
		t.Errorf("the other name was removed too: %q", got)
	}
}
