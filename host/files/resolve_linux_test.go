package files

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/minispin/minispin/wit/bindings/wasi/filesystem/types"
)

// randomTree fills dir with directories, files and links to each other, to above
// and to nowhere.
func randomTree(t *testing.T, r *rand.Rand, dir string) {
	t.Helper()
	dirs, names := []string{"."}, []string{"a", "b", "c", "d"}
	for range 30 {
		at := filepath.Join(dirs[r.IntN(len(dirs))], names[r.IntN(len(names))])
		full := filepath.Join(dir, at)
		var err error
		switch r.IntN(3) {
		case 0:
			if err = os.Mkdir(full, 0o777); err == nil {
				dirs = append(dirs, at)
			}
		case 1:
			var f *os.File
			if f, err = os.OpenFile(full, os.O_CREATE|os.O_EXCL, 0o666); err == nil {
				f.Close()
			}
		case 2:
			err = os.Symlink(randomPath(r, true), full)
		}
		if err != nil && !errors.Is(err, fs.ErrExist) {
			t.Fatal(err)
		}
	}
}

// randomPath returns a path of a few names, dots, and slashes in odd places.
func randomPath(r *rand.Rand, link bool) string {
	parts := []string{"a", "b", "c", "d", "a", "b", "..", ".", "..", "/"}
	var p []string
	for range 1 + r.IntN(5) {
		p = append(p, parts[r.IntN(len(parts))])
	}
	path := strings.Join(p, "/")
	if r.IntN(4) == 0 {
		path += "/"
	}
	if !link || r.IntN(10) > 0 {
		path = strings.TrimLeft(path, "/")
	}
	if path == "" {
		return "."
	}
	return path
}

// beneath opens a path as the kernel does that lets none lead out.
func beneath(dir int, path string, flags int) (fs.FileInfo, error) {
	fd, err := unix.Openat2(dir, path, &unix.OpenHow{
		Flags: uint64(flags | unix.O_RDONLY | unix.O_CLOEXEC | unix.O_NONBLOCK), Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_MAGICLINKS,
	})
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), path)
	defer f.Close()
	return f.Stat()
}

// TestResolve holds how paths are resolved against the kernel's own way of keeping
// them beneath a directory, in random trees.
func TestResolve(t *testing.T) {
	trees, reached, refused := 60, 0, 0
	if testing.Short() {
		trees = 10
	}
	for seed := range uint64(trees) {
		r := rand.New(rand.NewPCG(seed, 0))
		dir := filepath.Join(t.TempDir(), "mounted")
		if err := os.Mkdir(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		randomTree(t, r, dir)
		root, err := os.OpenRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		s := &Session{}
		h, err := s.Preopen(Mount{Root: root})
		if err != nil {
			t.Fatal(err)
		}
		kernel, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		for range 300 {
			path := randomPath(r, false)
			pf, flags := types.PathFlags(0), unix.O_NOFOLLOW
			if r.IntN(2) == 0 {
				pf, flags = follow, 0
			}
			want, err := beneath(kernel, path, flags)
			if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) {
				t.Skip("the kernel has no such way: ", err)
			}
			if err != nil {
				refused++
			} else {
				reached++
			}
			if trouble := differ(h, pf, path, want, err); trouble != "" {
				t.Errorf("tree %d, flags %d: %q: %s", seed, pf, path, trouble)
			}
		}
		unix.Close(kernel)
		s.Close()
		root.Close()
	}
	if reached < trees*10 || refused < trees*10 {
		t.Errorf("%d paths were reached, %d refused: too few to say anything", reached, refused)
	}
}

// differ opens path and says what is different from what the kernel made of it.
func differ(h *Handle, pf types.PathFlags, path string, want fs.FileInfo, wantErr error) string {
	f, err := h.Open(pf, path, 0, read)
	if err != nil {
		if wantErr == nil {
			return fmt.Sprintf("%v, and the kernel finds it", err)
		}
		// Which of several reasons comes first may differ, but not whether it leads
		// out: the kernel says EXDEV of that.
		if escapes := errors.Is(wantErr, unix.EXDEV); escapes != (err == types.ErrorCodeNotPermitted) {
			return fmt.Sprintf("%v, and the kernel says %v", err, wantErr)
		}
		return ""
	}
	defer f.Close()
	if wantErr != nil {
		return fmt.Sprintf("opened, and the kernel says %v", wantErr)
	}
	if i, err := f.info(); err != nil || !os.SameFile(i, want) {
		return fmt.Sprintf("another file, %v", err)
	}
	return ""
}
