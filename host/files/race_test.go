//go:build linux || darwin

package files

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/minispin/minispin/wit/bindings/wasi/filesystem/types"
)

// whileSwapping runs use again and again for a while, as another goroutine runs
// swap, and fails when one use takes long.
func whileSwapping(t *testing.T, swap, use func()) {
	t.Helper()
	stop, swapped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(swapped)
		for {
			select {
			case <-stop:
				return
			default:
				swap()
			}
		}
	}()
	used := make(chan struct{})
	go func() {
		defer close(used)
		for begin := time.Now(); time.Since(begin) < 300*time.Millisecond; {
			use()
		}
	}()
	select {
	case <-used:
	case <-time.After(30 * time.Second):
		t.Error("an open does not return")
	}
	close(stop)
	<-swapped
}

// Another process swaps a directory for a link out of the tree, again and again:
// no call gets hold of what is outside.
func TestSwapForLink(t *testing.T) {
	dir, h := tree(t, ReadWrite)
	if err := os.WriteFile(filepath.Join(dir, "sub", "secret"), []byte("inside"), 0o666); err != nil {
		t.Fatal(err)
	}
	at, aside := filepath.Join(dir, "sub"), filepath.Join(dir, "aside")
	calls, opened := 0, 0
	whileSwapping(t, func() {
		os.Rename(at, aside)
		os.Symlink("..", at)
		os.Remove(at)
		os.Rename(aside, at)
	}, func() {
		h.CreateDirectory("sub/made")
		h.Link(0, "a.txt", h, "sub/linked")
		h.Rename("sub/linked", h, "sub/moved")
		h.Unlink("sub/moved")
		h.SetTimesAt(follow, "sub/secret", time.Unix(1, 0), time.Unix(1, 0))
		calls++
		f, err := h.Open(follow, "sub/secret", 0, read)
		if err != nil {
			return
		}
		opened++
		p := make([]byte, 6)
		if _, err := f.ReadAt(p, 0); err != nil || string(p) != "inside" {
			t.Errorf("read %q, %v", p, err)
		}
		f.Close()
	})
	if opened == 0 {
		t.Errorf("the file was never there, in %d calls", calls)
	}
	outside, err := os.ReadDir(filepath.Dir(dir))
	if err != nil || len(outside) != 2 {
		t.Errorf("outside there are now %v, %v", outside, err)
	}
	if i, err := os.Stat(filepath.Join(dir, "../secret")); err != nil || i.ModTime().Unix() == 1 {
		t.Errorf("the secret's time is %v, %v", i.ModTime(), err)
	}
}

// A link at the end of a path is not followed when that is not asked for, be it
// swapped in at any moment.
func TestSwapForLinkAtEnd(t *testing.T) {
	dir, h := tree(t, ReadWrite)
	if err := os.WriteFile(filepath.Join(dir, "sub", "victim"), []byte("victim"), 0o666); err != nil {
		t.Fatal(err)
	}
	at, link, file := filepath.Join(dir, "at"), filepath.Join(dir, "link"), filepath.Join(dir, "file")
	whileSwapping(t, func() {
		os.WriteFile(file, []byte("x"), 0o666)
		os.Rename(file, at)
		os.Symlink("sub/victim", link)
		os.Rename(link, at)
		os.Remove(at)
	}, func() {
		for _, of := range []types.OpenFlags{0, types.OpenFlagsCreate, types.OpenFlagsCreate | types.OpenFlagsTruncate} {
			f, err := h.Open(0, "at", of, read|write)
			switch {
			case err == nil:
				if size, err := f.Size(); err != nil || size > 1 {
					t.Errorf("flags %b opened a file of %d bytes, %v", of, size, err)
				}
				f.Close()
			case err != types.ErrorCodeLoop && err != types.ErrorCodeNoEntry && err != types.ErrorCodeBusy:
				t.Errorf("flags %b: %v", of, err)
			}
		}
	})
	if got, err := os.ReadFile(filepath.Join(dir, "sub", "victim")); string(got) != "victim" {
		t.Errorf("the victim is %q, %v", got, err)
	}
}

// A file or a directory is swapped for a FIFO: nobody waits for its other end.
func TestSwapForFIFO(t *testing.T) {
	for _, kind := range []string{"file", "directory"} {
		t.Run(kind, func(t *testing.T) {
			dir, h := tree(t, ReadOnly)
			at, aside, fifo := filepath.Join(dir, "at"), filepath.Join(dir, "aside"), filepath.Join(dir, "fifo")
			var err error
			if kind == "file" {
				err = os.WriteFile(at, nil, 0o666)
			} else {
				err = os.Mkdir(at, 0o777)
			}
			if err != nil {
				t.Fatal(err)
			}
			opened := 0
			whileSwapping(t, func() {
				os.Rename(at, aside)
				os.Rename(fifo, at)
				os.Rename(at, fifo)
				os.Rename(aside, at)
			}, func() {
				for _, pf := range []types.PathFlags{0, follow} {
					f, err := h.Open(pf, "at", 0, read)
					if err == nil {
						if !f.IsDir() != (kind == "file") {
							t.Error("opened something else")
						}
						opened++
						f.Close()
					}
					if _, err := h.Open(pf, "at/x", 0, read); err == nil {
						t.Error("opened what is not there")
					}
				}
			})
			if opened == 0 {
				t.Error("it was never there")
			}
		})
	}
}

// A file that is replaced as deployments do it, by a rename, can be opened at any
// moment, and two guests that make the same file both get it.
func TestReplaced(t *testing.T) {
	dir, h := tree(t, ReadWrite)
	at, next := filepath.Join(dir, "at"), filepath.Join(dir, "next")
	if err := os.WriteFile(at, []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
	whileSwapping(t, func() {
		if err := errors.Join(os.WriteFile(next, []byte("x"), 0o666), os.Rename(next, at)); err != nil {
			t.Error(err)
		}
	}, func() {
		for _, pf := range []types.PathFlags{0, follow} {
			f, err := h.Open(pf, "at", types.OpenFlagsCreate, read|write)
			if err != nil {
				t.Errorf("flags %b: %v", pf, err)
				return
			}
			f.Close()
		}
	})
	made, other := filepath.Join(dir, "made"), syscall.O_CREAT|syscall.O_RDWR
	whileSwapping(t, func() {
		if f, err := os.OpenFile(made, other, 0o666); err == nil {
			f.Close()
		}
		os.Remove(made)
	}, func() {
		f, err := h.Open(0, "made", types.OpenFlagsCreate, read|write)
		if err != nil && err != types.ErrorCodeBusy {
			t.Errorf("create: %v", err)
			return
		}
		if err == nil {
			f.Close()
		}
	})
}

// Many that append to one file lose nothing.
func TestAppendTogether(t *testing.T) {
	dir, h := tree(t, ReadWrite)
	const writers, times = 4, 100
	done := make(chan error, writers)
	for range writers {
		f, err := h.Open(0, "log", types.OpenFlagsCreate, write)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			for range times {
				if n, end, err := f.Append([]byte("line\n")); n != 5 || end < 5 || err != nil {
					done <- errors.Join(err, errors.New("a short write"))
					return
				}
			}
			done <- nil
		}()
	}
	for range writers {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if i, err := os.Stat(filepath.Join(dir, "log")); err != nil || i.Size() != writers*times*5 {
		t.Errorf("the file has %d bytes, %v", i.Size(), err)
	}
}
