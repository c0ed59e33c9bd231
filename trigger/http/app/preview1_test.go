package app

import (
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	hostfiles "github.com/minispin/minispin/host/files"
	"github.com/minispin/minispin/instancepool"
	"github.com/minispin/minispin/manifest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func preview1App(t *testing.T) *manifest.App {
	return withFiles(t,
		application(t, guest{id: "files", source: "rust-preview1", extra: `files = [{ source = "tree", destination = "/tree" }]`}),
		map[string]string{"tree/a.txt": "0123456789", "tree/sub/b.txt": "b"})
}

// A core module uses its files by Rust's standard library, as a component with
// those of the manifest mounted: the same transcript in every request, by every
// strategy. Under reuse the C library remembers its directories from before.
func TestPreview1Files(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("systems differ in what they say of some failures")
	}
	for _, tt := range []struct {
		access hostfiles.Access
		golden string
	}{
		{hostfiles.ReadOnly, "read-only.txt"},
		{hostfiles.ReadWrite, "read-write.txt"},
	} {
		golden := filepath.Join("testdata", "preview1", tt.golden)
		t.Run(tt.golden, func(t *testing.T) {
			forEachStrategy(t, func(t *testing.T, m mode) {
				s := serveApp(t, m, preview1App(t), Options{Files: Files{Access: tt.access}})
				for i := range 3 {
					got := s.do(t, "GET", "/write?/tree", "")
					if got.StatusCode != 200 {
						t.Fatalf("status %d, %q", got.StatusCode, got.body)
					}
					if *update && i == 0 {
						if err := os.WriteFile(golden, []byte(got.body), 0o666); err != nil {
							t.Fatal(err)
						}
					}
					want, err := os.ReadFile(golden)
					if err != nil {
						t.Fatal(err)
					}
					if diff := cmp.Diff(string(want), got.body); diff != "" {
						t.Errorf("request %d (-want +got):\n%s", i, diff)
					}
				}
			})
		})
	}
}

// What a request leaves open is closed with it, also where its instance goes on to
// serve others; the directories are where they were.
func TestPreview1KeepsNoFiles(t *testing.T) {
	const opened = "open: ()\nread_to_string: \"0123456789\"\n"
	forEachStrategy(t, func(t *testing.T, m mode) {
		s := serveApp(t, m, preview1App(t), Options{})
		s.expect(t, "GET", "/keep?/tree/a.txt", "", 200, "nothing was kept\n"+opened)
		want := "nothing was kept\n" + opened
		if m.strategy == instancepool.Reuse {
			want = "read what was kept: Uncategorized\n" + opened // EBADF
		}
		for range 2 {
			s.noGuests(t) // or it could be another instance that answers
			s.expect(t, "GET", "/keep?/tree/a.txt", "", 200, want)
		}
		s.expect(t, "GET", "/sleep?20", "", 200, "waited: true\n")
	})
}

// A program that answers by the executor wagi has its component's files, too.
func TestPreview1Program(t *testing.T) {
	forEachMode(t, func(t *testing.T, m mode) {
		s := serveApp(t, m, withFiles(t,
			application(t, guest{id: "program", source: "c-preview1", executor: "wagi", extra: `files = ["a.txt", "sub/b.txt"]`}),
			map[string]string{"a.txt": "0123456789", "sub/b.txt": "b"}), Options{})
		for range 2 {
			a := s.do(t, "GET", "/", "")
			for _, line := range []string{
				`fd_prestat_dir_name 3 tag=0 "/": ok`, "path_open a.txt lookup=0 how=0 read: ok",
				"path_open made lookup=0 how=5 write: rofs", "path_filestat_get type=3, another file: ok", "# the end",
			} {
				if !strings.Contains(a.body, line+"\n") {
					t.Errorf("status %d, without %q:\n%s", a.StatusCode, line, a.body)
				}
			}
		}
	})
}
