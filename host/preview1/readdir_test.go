package preview1

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/minispin/minispin/host/files"
)

// entry is a directory entry as the guest reads it.
type entry struct {
	next uint64
	id   uint64
	kind filetype
	name string
}

// readdir reads entries from a cookie on into a buffer of size bytes. It returns
// the complete ones and whether the buffer was filled.
func (g *guest) readdir(fd uint32, cookie uint64, size uint32) (list []entry, full bool) {
	g.t.Helper()
	m := g.Mem()
	m.PutU8(dataAt+size, 0xEE)
	g.want(success, "fd_readdir", uint64(fd), dataAt, uint64(size), cookie, resultAt)
	used := m.U32(resultAt)
	if used > size || m.U8(dataAt+size) != 0xEE {
		g.t.Fatalf("%d bytes used of %d", used, size)
	}
	for at, end := uint32(dataAt), dataAt+used; end-at >= direntSize; {
		n := m.U32(at + 16)
		if end-at-direntSize < n {
			break
		}
		list = append(list, entry{m.U64(at), m.U64(at + 8), filetype(m.U8(at + 20)), g.at(at+direntSize, int(n))})
		at += direntSize + n
	}
	return list, used == size
}

// all reads a directory to its end, as the C library does it: what was cut off is
// asked for again, in a larger buffer when not one entry fits.
func (g *guest) all(fd uint32, size uint32) (list []entry) {
	g.t.Helper()
	cookie := uint64(0)
	for {
		some, full := g.readdir(fd, cookie, size)
		list = append(list, some...)
		switch {
		case !full:
			return list
		case len(some) == 0:
			size *= 2
		default:
			cookie = some[len(some)-1].next
		}
	}
}

func names(list []entry) (all []string) {
	for _, e := range list {
		all = append(all, e.name)
	}
	return all
}

func TestReaddir(t *testing.T) {
	dir, x := mounted(t, files.ReadOnly)
	want := map[string]filetype{
		".": filetypeDirectory, "..": filetypeDirectory, "sub": filetypeDirectory, "a.txt": filetypeRegularFile,
		"link": filetypeSymbolicLink, "escape": filetypeSymbolicLink, "loop": filetypeSymbolicLink, "fifo": filetypeUnknown,
	}
	if !makeFIFO(t, filepath.Join(dir, "fifo")) {
		delete(want, "fifo")
	}
	ok(t, x, func(g *guest) {
		full := g.all(3, 4096)
		for i, e := range full {
			if e.next != uint64(i)+1 {
				t.Errorf("entry %d has the cookie %d", i, e.next)
			}
			if kind, ok := want[e.name]; !ok || kind != e.kind {
				t.Errorf("entry %q of kind %d, want %d", e.name, e.kind, kind)
			}
			ptr, n := g.name(pathAt, e.name)
			if e.name == ".." {
				if e.id != 0 {
					t.Errorf("the directory above has the number %d", e.id)
				}
				continue
			}
			g.want(success, "path_filestat_get", 3, 0, ptr, n, 0)
			if id := g.Mem().U64(8); id != e.id {
				t.Errorf("%q has the number %d here and %d by its path", e.name, e.id, id)
			}
		}
		if len(full) != len(want) || full[0].name != "." || full[1].name != ".." {
			t.Errorf("entries %+v, want %v", full, slices.Sorted(maps.Keys(want)))
		}
		// A buffer of any size gives the same list.
		for size := uint32(1); size < 300; size++ {
			if got := g.all(3, size); !slices.Equal(got, full) {
				t.Fatalf("with %d bytes: %+v, want %+v", size, got, full)
			}
		}
		// Any cookie can be gone on from, in any order.
		for _, i := range []int{5, 0, 3, 1, 6, 2, 4} {
			got, _ := g.readdir(3, uint64(i), 4096)
			if !slices.Equal(got, full[i:]) {
				t.Errorf("from %d: %v, want %v", i, names(got), names(full[i:]))
			}
		}
		for _, cookie := range []uint64{uint64(len(full)), 1000, 1<<64 - 1} {
			if got, more := g.readdir(3, cookie, 4096); len(got) != 0 || more {
				t.Errorf("from %d: %v", cookie, names(got))
			}
		}
		if got, more := g.readdir(3, 0, 0); len(got) != 0 || !more {
			t.Errorf("without a buffer: %v", names(got))
		}
		g.want(errFault, "fd_readdir", 3, page-99, 100, 0, resultAt)
		g.want(errFault, "fd_readdir", 3, dataAt, 100, 0, page-3)
		g.want(errNotdir, "fd_readdir", 0, dataAt, 100, 0, resultAt)
		g.want(errBadf, "fd_readdir", uint64(g.open("sub", 0, 0, 0)), dataAt, 100, 0, resultAt)
		if got := names(g.all(g.open("sub", openDirectory, rightReaddir, 0), 100)); len(got) != 4 {
			t.Errorf("sub has %v", got)
		}
	})
}

// A large directory is read through, back and forth, while it changes: entries that
// stay are given once each.
func TestReaddirChanges(t *testing.T) {
	dir, x := mounted(t, files.ReadWrite)
	const count = 3 * maxWindow
	want := map[string]bool{}
	for i := range count {
		name := fmt.Sprintf("%04d", i)
		want[name] = true
		if err := os.WriteFile(filepath.Join(dir, "sub", name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, e := range []string{".", "..", "b.txt", "deep"} {
		want[e] = true
	}
	ok(t, x, func(g *guest) {
		fd := g.open("sub", openDirectory, rightRead, 0)
		full := g.all(fd, 4096)
		if len(full) != len(want) {
			t.Errorf("%d entries, want %d", len(full), len(want))
		}
		for _, i := range []int{2 * maxWindow, 1, 700, 699, 0} {
			if got, _ := g.readdir(fd, uint64(i), 200); len(got) == 0 || !slices.Equal(got, full[i:i+len(got)]) {
				t.Errorf("from %d: %v, want %v", i, names(got), names(full[i:i+len(got)]))
			}
		}
		// Remove every file as it is seen.
		cookie := uint64(0)
		for {
			some, full := g.readdir(fd, cookie, 500)
			for _, e := range some {
				if !want[e.name] {
					t.Errorf("%q is given twice, or is not there", e.name)
				}
				delete(want, e.name)
				cookie = e.next
				if e.kind == filetypeRegularFile {
					ptr, n := g.name(pathAt, e.name)
					g.want(success, "path_unlink_file", uint64(fd), ptr, n)
				}
			}
			if !full {
				break
			}
		}
		if len(want) != 0 {
			t.Errorf("%d entries were not given", len(want))
		}
		if got := names(g.all(fd, 4096)); len(got) != 3 {
			t.Errorf("left are %v", got)
		}
	})
}

func TestReaddirEndsWithContext(t *testing.T) {
	stop := errors.New("stopped by the test")
	_, x := mounted(t, files.ReadOnly)
	ctx, cancel := context.WithCancelCause(t.Context())
	err := run(t, ctx, x, func(g *guest) error {
		cancel(stop)
		_, err := g.try("fd_readdir", 3, dataAt, 4096, 1000, resultAt)
		return err
	})
	if !errors.Is(err, stop) {
		t.Errorf("got %v, want the context's cause", err)
	}
}

// A directory that was being read when the request ended is closed.
func TestReaddirIsClosed(t *testing.T) {
	_, x := mounted(t, files.ReadOnly)
	before := openDescriptors(t)
	for range 5 {
		ok(t, x, func(g *guest) {
			fd := g.open("sub", 0, rightRead, 0)
			g.readdir(fd, 0, 30)
			g.readdir(3, 0, 30)
			g.want(success, "fd_close", uint64(fd))
			g.open("a.txt", 0, rightRead, 0)
		})
	}
	if after := openDescriptors(t); after > before {
		t.Errorf("%d descriptors of the process are open, %d before", after, before)
	}
}

// openDescriptors returns how many files the process has open.
func openDescriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	return len(list)
}
