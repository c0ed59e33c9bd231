package preview1

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minispin/minispin/host/files"
)

// randomPaths are what a guest may ask for: what there is, what there is not, and
// what it must not get at.
var randomPaths = []string{
	"a.txt", "sub", "sub/b.txt", "sub/deep", "new", "sub/new", "link", "loop", "escape", "fifo", ".", "..", "/", "",
	"../outside", "escape/x", "sub/../../outside", "a.txt/", "sub/", "new/", "\xff", "a\x00b",
}

// Random calls, most of them nearly right, end with an error number that there is
// and change nothing but what is beneath the mount.
func TestRandomCalls(t *testing.T) {
	const rounds, calls = 20, 1000
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range rounds {
		dir, x := mounted(t, files.Access(r.IntN(2)))
		makeFIFO(t, filepath.Join(dir, "fifo"))
		beside := t.TempDir()
		outside := filepath.Join(filepath.Dir(dir), "outside")
		if err := os.WriteFile(outside, []byte("untouched"), 0o444); err != nil {
			t.Fatal(err)
		}
		x.Files.Mounts = append(x.Files.Mounts, mount(t, beside, "/ro", files.ReadOnly))
		x.Stdin = strings.NewReader("input")
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		err := run(t, ctx, x, func(g *guest) error {
			for range calls {
				f := functions[r.IntN(len(functions))]
				if f.name == "proc_exit" || f.name == "poll_oneoff" {
					continue
				}
				args := g.random(r, f)
				got, err := g.try(f.name, args...)
				if err != nil {
					t.Errorf("%s%v: %v", f.name, args, err)
					return nil
				}
				if _, known := errnoNames[got]; !known {
					t.Errorf("%s%v: %v", f.name, args, got)
				}
				if n := len(stateOf(g.Host().(*view).WASI()).fds); n > files.MaxOpen+3 {
					t.Fatalf("%d descriptors", n)
				}
			}
			return nil
		})
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		if got := contents(t, filepath.Dir(dir), "outside"); got != "untouched" {
			t.Fatalf("a file outside has %q", got)
		}
		if list, err := os.ReadDir(beside); err != nil || len(list) != 0 {
			t.Fatalf("a directory that is read-only has %v, %v", list, err)
		}
		os.Remove(outside)
	}
}

// random makes arguments for a call. Pointers to structures get what their places
// in the parameters ask for most of the time.
func (g *guest) random(r *rand.Rand, f function) []uint64 {
	args := make([]uint64, len(f.params))
	pick := func(of ...uint64) uint64 { return of[r.IntN(len(of))] }
	for i := range args {
		switch {
		case f.params[i] == 'I':
			args[i] = pick(0, 0, 1, 3, 100, 1<<63-1, 1<<63, 1<<64-1, uint64(inheritingRights), uint64(rightRead|rightWrite), uint64(rightRead))
		case i == 0:
			args[i] = pick(0, 1, 2, 3, 3, 3, 3, 4, 4, 5, 6, 7, 8, 600, 1<<32-1)
		default:
			args[i] = pick(0, 0, 1, 2, 3, 3, 4, 8, 100, resultAt, dataAt, listAt, page-1, page, 1<<32-1)
		}
	}
	g.iovecs(listAt, dataAt, 10, dataAt+100, 20, 50, 0)
	if strings.HasPrefix(f.name, "path_") && r.IntN(10) > 0 {
		// Where each function has its paths.
		at := map[string][]int{
			"path_open": {2}, "path_filestat_get": {2}, "path_filestat_set_times": {2},
			"path_link": {2, 5}, "path_rename": {1, 4}, "path_symlink": {0, 3},
		}[f.name]
		if at == nil {
			at = []int{1}
		}
		for j, i := range at {
			args[i], args[i+1] = g.name(uint32(pathAt+j*4096), randomPaths[r.IntN(len(randomPaths))])
		}
		last := len(args) - 1
		if slices.Contains([]string{"path_open", "path_filestat_get", "path_readlink"}, f.name) {
			args[last] = resultAt
		}
		if f.name == "path_open" {
			args[1], args[4], args[7] = pick(0, 1), pick(0, 0, openCreate, openCreate|openTruncate, openDirectory), pick(0, 0, 1, 16)
		}
		for i, fd := range map[string]int{"path_link": 4, "path_rename": 3, "path_symlink": 2} {
			if i == f.name {
				args[fd] = pick(3, 3, 3, 4, 5, 6)
			}
		}
	}
	if strings.HasPrefix(f.name, "fd_") && len(args) > 2 && r.IntN(3) > 0 {
		args[1], args[len(args)-1] = listAt, resultAt
		if f.params[1] == 'i' {
			args[2] = pick(0, 1, 2, 3)
		}
	}
	// Limits of the disk are not what is tried.
	switch f.name {
	case "fd_allocate", "fd_pwrite", "fd_filestat_set_size":
		for i := range args {
			if f.params[i] == 'I' {
				args[i] = pick(0, 1, 1000, 1<<63)
			}
		}
	}
	return args
}
