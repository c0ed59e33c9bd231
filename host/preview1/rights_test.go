package preview1

import (
	"testing"

	"github.com/minispin/minispin/host/files"
)

// Every function that needs a right says so when it was given up, and the right
// is gone from what is opened beneath, when the directory does not pass it on.
func TestRightsGivenUp(t *testing.T) {
	_, x := mounted(t, files.ReadWrite)
	ok(t, x, func(g *guest) {
		ap, an := g.name(pathAt, "a.txt")
		const f = 4
		calls := []struct {
			right rights
			name  string
			args  []uint64
		}{
			{rightCreateDirectory, "path_create_directory", []uint64{3, ap, an}},
			{rightCreateFile, "path_open", []uint64{3, 0, ap, an, openCreate, 0, 0, 0, resultAt}},
			{rightLinkSource, "path_link", []uint64{3, 0, ap, an, 3, ap, an}},
			{rightLinkTarget, "path_link", []uint64{3, 0, ap, an, 3, ap, an}},
			{rightOpen, "path_open", []uint64{3, 0, ap, an, 0, 0, 0, 0, resultAt}},
			{rightReaddir, "fd_readdir", []uint64{3, dataAt, 100, 0, resultAt}},
			{rightReadlink, "path_readlink", []uint64{3, ap, an, 0, 0, resultAt}},
			{rightRenameSource, "path_rename", []uint64{3, ap, an, 3, ap, an}},
			{rightRenameTarget, "path_rename", []uint64{3, ap, an, 3, ap, an}},
			{rightPathStat, "path_filestat_get", []uint64{3, 0, ap, an, 0}},
			{rightPathSetSize, "path_open", []uint64{3, 0, ap, an, openTruncate, 0, 0, 0, resultAt}},
			{rightPathSetTimes, "path_filestat_set_times", []uint64{3, 0, ap, an, 0, 0, 0}},
			{rightSymlink, "path_symlink", []uint64{ap, an, 3, ap, an}},
			{rightRemoveDirectory, "path_remove_directory", []uint64{3, ap, an}},
			{rightUnlink, "path_unlink_file", []uint64{3, ap, an}},
			{rightStat, "fd_filestat_get", []uint64{3, 0}},
			{rightSetTimes, "fd_filestat_set_times", []uint64{3, 0, 0, 0}},
			{rightSync, "fd_sync", []uint64{3}},
			{rightDatasync, "fd_datasync", []uint64{3}},
			{rightSetFlags, "fd_fdstat_set_flags", []uint64{3, 0}},

			{rightRead, "fd_read", []uint64{f, listAt, 0, resultAt}},
			{rightRead, "fd_pread", []uint64{f, listAt, 0, 0, resultAt}},
			{rightSeek, "fd_pread", []uint64{f, listAt, 0, 0, resultAt}},
			{rightWrite, "fd_write", []uint64{f, listAt, 0, resultAt}},
			{rightWrite, "fd_pwrite", []uint64{f, listAt, 0, 0, resultAt}},
			{rightSeek, "fd_seek", []uint64{f, 0, 0, resultAt}},
			{rightTell, "fd_tell", []uint64{f, resultAt}},
			{rightAdvise, "fd_advise", []uint64{f, 0, 0, 0}},
			{rightAllocate, "fd_allocate", []uint64{f, 0, 1}},
			{rightSetSize, "fd_filestat_set_size", []uint64{f, 10}},
			{rightSync, "fd_sync", []uint64{f}},
			{rightDatasync, "fd_datasync", []uint64{f}},
			{rightStat, "fd_filestat_get", []uint64{f, 0}},
			{rightSetTimes, "fd_filestat_set_times", []uint64{f, 0, 0, 0}},
			{rightSetFlags, "fd_fdstat_set_flags", []uint64{f, 0}},
		}
		for _, tt := range calls {
			// Given up, on a descriptor opened for this.
			args := append([]uint64(nil), tt.args...)
			var fd uint32
			if args[0] == f {
				fd = g.open("a.txt", 0, rightRead|rightWrite, 0)
				args[0] = uint64(fd)
			} else {
				fd = g.open(".", 0, rightRead, 0)
				for i := range args {
					if args[i] == 3 {
						args[i] = uint64(fd)
					}
				}
			}
			g.want(success, "fd_fdstat_get", uint64(fd), 0)
			base, inheriting := g.Mem().U64(8), g.Mem().U64(16)
			if base&uint64(tt.right) == 0 {
				t.Errorf("%s: the right %b is not there", tt.name, tt.right)
			}
			g.want(success, "fd_fdstat_set_rights", uint64(fd), base&^uint64(tt.right), inheriting)
			g.want(errNotcap, tt.name, args...)
			g.want(success, "fd_close", uint64(fd))
		}

		d := g.open(".", 0, rightRead, 0)
		g.want(success, "fd_fdstat_get", uint64(d), 0)
		base, inheriting := g.Mem().U64(8), g.Mem().U64(16)
		g.want(errNotcap, "fd_fdstat_set_rights", uint64(d), base, inheriting|1<<40)
		g.want(success, "fd_fdstat_set_rights", uint64(d), base, inheriting&^uint64(rightWrite|rightSeek))
		g.refuseOpen(errNotcap, d, "a.txt", 0, rightWrite)
		sub, errno := g.openAs(d, 0, "sub", 0, rightRead, 0)
		if errno != success {
			t.Fatal(errno)
		}
		g.refuseOpen(errNotcap, sub, "b.txt", 0, rightWrite)
		fd, errno := g.openAs(sub, 0, "b.txt", 0, rightRead, 0)
		if errno != success {
			t.Fatal(errno)
		}
		g.want(errNotcap, "fd_seek", uint64(fd), 0, 0, resultAt)
	})
}

// A directory is no file, and a file no directory.
func TestKinds(t *testing.T) {
	_, x := mounted(t, files.ReadWrite)
	ok(t, x, func(g *guest) {
		fd := uint64(g.open("a.txt", 0, rightRead|rightWrite, 0))
		g.iovecs(listAt, dataAt, 1)
		g.want(errIsdir, "fd_read", 3, listAt, 1, resultAt)
		g.want(errIsdir, "fd_pread", 3, listAt, 1, 0, resultAt)
		g.want(errBadf, "fd_write", 3, listAt, 1, resultAt)
		g.want(errBadf, "fd_pwrite", 3, listAt, 1, 0, resultAt)
		g.want(errBadf, "fd_seek", 3, 0, 0, resultAt)
		g.want(errBadf, "fd_tell", 3, resultAt)
		g.want(errBadf, "fd_advise", 3, 0, 0, 0)
		g.want(errBadf, "fd_allocate", 3, 0, 1)
		g.want(errBadf, "fd_filestat_set_size", 3, 0)
		g.want(success, "fd_sync", 3)
		g.want(success, "fd_datasync", 3)
		g.want(errNotdir, "fd_readdir", fd, dataAt, 100, 0, resultAt)
		g.want(errNotdir, "path_open", fd, 0, pathAt, 5, 0, 0, 0, 0, resultAt)
		g.want(errNotsock, "sock_recv", fd, 0, 0, 0, 0, 0)
		g.want(errNotsock, "sock_shutdown", 3, 0)
	})
}
