package preview1

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/minispin/minispin/host/files"
)

func TestFilePosition(t *testing.T) {
	dir, x := mounted(t, files.ReadWrite)
	ok(t, x, func(g *guest) {
		fd := g.open("a.txt", 0, rightRead|rightWrite, 0)
		f := uint64(fd)
		if got := g.read(fd, 3); got != "012" || g.position(fd) != 3 {
			t.Errorf("read %q, now at %d", got, g.position(fd))
		}
		for _, tt := range []struct {
			offset int64
			whence uint64
			want   Errno
			at     uint64
		}{
			{2, whenceCur, success, 5},
			{-1, whenceCur, success, 4},
			{0, whenceCur, success, 4},
			{-3, whenceEnd, success, 7},
			{100, whenceEnd, success, 110},
			{1<<63 - 1, whenceSet, success, 1<<63 - 1},
			{1, whenceCur, errOverflow, 1<<63 - 1},
			{1<<63 - 1, whenceCur, errOverflow, 1<<63 - 1},
			{-1 << 63, whenceCur, errInval, 1<<63 - 1},
			{-1, whenceSet, errInval, 1<<63 - 1},
			{-11, whenceEnd, errInval, 1<<63 - 1},
			{0, 3, errInval, 1<<63 - 1},
			{8, whenceSet, success, 8},
		} {
			g.want(tt.want, "fd_seek", f, uint64(tt.offset), tt.whence, resultAt)
			if got := g.Mem().U64(resultAt); tt.want == success && got != tt.at {
				t.Errorf("seek %d from %d: result %d, want %d", tt.offset, tt.whence, got, tt.at)
			}
			if got := g.position(fd); got != tt.at {
				t.Errorf("seek %d from %d: at %d, want %d", tt.offset, tt.whence, got, tt.at)
			}
		}
		g.want(errFault, "fd_seek", f, 0, whenceSet, page-7)
		g.want(errFault, "fd_tell", f, page-7)
		if g.position(fd) != 8 {
			t.Error("a seek that failed moved")
		}
		g.write(fd, "XYZ")
		if got := g.read(fd, 5); got != "" || g.position(fd) != 11 {
			t.Errorf("read %q at the end, at %d", got, g.position(fd))
		}

		// At an offset, in several buffers, and the position stays.
		g.iovecs(listAt, dataAt, 2, 0, 0, dataAt+10, 3)
		g.want(success, "fd_pread", f, listAt, 3, 7, resultAt)
		if n := g.Mem().U32(resultAt); n != 4 || g.at(dataAt, 2) != "7X" || g.at(dataAt+10, 2) != "YZ" {
			t.Errorf("pread %d: %q, %q", n, g.at(dataAt, 2), g.at(dataAt+10, 2))
		}
		g.put(dataAt, "ab")
		g.put(dataAt+10, "cde")
		g.want(success, "fd_pwrite", f, listAt, 3, 1, resultAt)
		if g.Mem().U32(resultAt) != 5 || g.position(fd) != 11 {
			t.Errorf("pwrite %d, at %d", g.Mem().U32(resultAt), g.position(fd))
		}
		g.want(errInval, "fd_pread", f, listAt, 3, 1<<63, resultAt)
		g.want(errFbig, "fd_pwrite", f, listAt, 3, 1<<63-1, resultAt)
		if got := contents(t, dir, "a.txt"); got != "0abcde67XYZ" {
			t.Errorf("file has %q", got)
		}
		g.want(success, "fd_filestat_set_size", f, 3)
		g.want(errFbig, "fd_filestat_set_size", f, 1<<63)
		if runtime.GOOS == "linux" {
			g.want(success, "fd_allocate", f, 2, 3)
			g.want(errFbig, "fd_allocate", f, 1<<63-1, 2)
		} else {
			g.want(errNotsup, "fd_allocate", f, 2, 3)
			g.want(success, "fd_filestat_set_size", f, 5)
		}
		g.want(errInval, "fd_allocate", f, 0, 0)
		if got := contents(t, dir, "a.txt"); got != "0ab\x00\x00" {
			t.Errorf("file has %q", got)
		}
		for advice := range uint64(6) {
			g.want(success, "fd_advise", f, 0, 10, advice)
		}
		g.want(errInval, "fd_advise", f, 0, 10, 6)
		g.want(success, "fd_sync", f)
		g.want(success, "fd_datasync", f)

		// Two descriptors of one file have a position each.
		other := g.open("a.txt", 0, rightRead, 0)
		if g.position(other) != 0 || g.position(fd) != 11 {
			t.Errorf("positions %d and %d", g.position(other), g.position(fd))
		}
		// What it was opened for is what it does.
		w := g.open("a.txt", 0, rightWrite, 0)
		g.iovecs(listAt, dataAt, 2)
		g.want(errBadf, "fd_read", uint64(w), listAt, 1, resultAt)
		g.want(errBadf, "fd_write", uint64(other), listAt, 1, resultAt)
		g.want(errBadf, "fd_pread", uint64(w), listAt, 1, 0, resultAt)
	})
}

func TestAppend(t *testing.T) {
	dir, x := mounted(t, files.ReadWrite)
	ok(t, x, func(g *guest) {
		fd := g.open("a.txt", 0, rightRead|rightWrite, flagAppend)
		f := uint64(fd)
		g.put(dataAt, "first")
		g.put(dataAt+100, "second")
		g.iovecs(listAt, dataAt, 5, dataAt+100, 6)
		g.want(success, "fd_write", f, listAt, 2, resultAt)
		if g.Mem().U32(resultAt) != 11 || g.position(fd) != 21 {
			t.Errorf("wrote %d, at %d", g.Mem().U32(resultAt), g.position(fd))
		}
		g.want(success, "fd_seek", f, 0, whenceSet, resultAt)
		if got := g.read(fd, 2); got != "01" {
			t.Errorf("read %q", got)
		}
		g.want(success, "fd_fdstat_get", f, 0)
		if g.Mem().U8(0) != uint8(filetypeRegularFile) || g.Mem().U16(2) != uint16(flagAppend) {
			t.Errorf("fdstat %x", g.at(0, 24))
		}
		g.want(errInval, "fd_fdstat_set_flags", f, uint64(flagSync))
		g.want(errInval, "fd_fdstat_set_flags", f, 64)
		g.want(success, "fd_fdstat_set_flags", f, uint64(flagNonblock))
		g.write(fd, "AB")
		s := g.open("s", openCreate, rightWrite, flagSync|flagDsync|flagRsync)
		g.want(success, "fd_fdstat_set_flags", uint64(s), uint64(flagSync|flagDsync|flagRsync|flagAppend))
		g.write(s, "synced")
		g.want(success, "fd_fdstat_set_flags", 3, 0)
		g.want(errNotsup, "fd_fdstat_set_flags", 3, uint64(flagAppend))
	})
	if got := contents(t, dir, "a.txt"); got != "01AB456789firstsecond" {
		t.Errorf("file has %q", got)
	}
}

func TestPollFiles(t *testing.T) {
	_, x := mounted(t, files.ReadWrite)
	ok(t, x, func(g *guest) {
		fd := g.open("a.txt", 0, rightRead|rightWrite, 0)
		r := g.open("a.txt", 0, rightRead, 0)
		g.read(fd, 4)
		g.wantEvents(g.poll(
			sub{userdata: 1, tag: tagRead, id: fd},
			sub{userdata: 2, id: clockMonotonic, timeout: 1 << 63},
			sub{userdata: 3, tag: tagWrite, id: fd},
			sub{userdata: 4, tag: tagWrite, id: r},
			sub{userdata: 5, tag: tagRead, id: 3},
		),
			event{userdata: 1, tag: tagRead, n: 6},
			event{userdata: 3, tag: tagWrite, n: maxStep},
			event{userdata: 4, tag: tagWrite, errno: errBadf},
			event{userdata: 5, tag: tagRead, errno: errBadf})
		g.want(success, "fd_seek", uint64(fd), 100, whenceSet, resultAt)
		g.wantEvents(g.poll(sub{userdata: 6, tag: tagRead, id: fd}), event{userdata: 6, tag: tagRead})
	})
}

// One call reads and writes no more than its request has time for, whatever its
// list of buffers adds up to.
func TestTransfersEndWithContext(t *testing.T) {
	stop := errors.New("stopped by the test")
	dir, x := mounted(t, files.ReadWrite)
	if err := os.Truncate(filepath.Join(dir, "a.txt"), 1<<40); err != nil {
		t.Skip(err)
	}
	for _, name := range []string{"fd_read", "fd_pread", "fd_write", "fd_pwrite"} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			err := run(t, ctx, x, func(g *guest) error {
				fd := uint64(g.open("a.txt", 0, rightRead|rightWrite, 0))
				g.iovecs(listAt, dataAt, 40000)
				cancel(stop)
				args := []uint64{fd, listAt, 1, resultAt}
				if strings.HasPrefix(name, "fd_p") {
					args = []uint64{fd, listAt, 1, 0, resultAt}
				}
				_, err := g.try(name, args...)
				return err
			})
			if !errors.Is(err, stop) {
				t.Errorf("got %v, want the context's cause", err)
			}
		})
	}
	// The count fits an i32, and buffers beyond the first thousand wait for the
	// next call.
	ok(t, x, func(g *guest) {
		fd := uint64(g.open("a.txt", 0, rightRead, 0))
		for i := range uint32(1100) {
			g.iovecs(listAt+i*8, 40000, 1000)
		}
		g.want(success, "fd_read", fd, listAt, 1100, resultAt)
		if n := g.Mem().U32(resultAt); n != maxIovecs*1000 {
			t.Errorf("read %d", n)
		}
	})
}
