//go:build unix

package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	hostfiles "github.com/minispin/minispin/host/files"
	"github.com/minispin/minispin/instancepool"
	"github.com/minispin/minispin/trigger/http/stage"
)

// serveTree serves rust-filesystem with a directory mounted at / and an empty one
// at /other, and returns the former. Beside it is a file called secret.
func serveTree(t *testing.T, m mode, access hostfiles.Access) (*site, string) {
	t.Helper()
	app := withFiles(t, application(t, guest{id: "fs", source: "rust-filesystem", extra: `files = [{ source = "tree", destination = "/" }, { source = "other", destination = "/other" }]`}),
		map[string]string{"tree/a.txt": "contents", "tree/sub/inner.txt": "inner", "other/x": "x", "secret": "secret"})
	dir := filepath.Join(app.Dir, "tree")
	for _, err := range []error{
		os.Symlink("a.txt", filepath.Join(dir, "inside")),
		os.Symlink("../secret", filepath.Join(dir, "outside")),
		os.Symlink(filepath.Join(dir, "a.txt"), filepath.Join(dir, "absolute")),
		os.Symlink("..", filepath.Join(dir, "up")),
		os.Symlink("loop", filepath.Join(dir, "loop")),
		os.Symlink("/proc/self/root", filepath.Join(dir, "magic")),
		syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o666),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if access == hostfiles.ReadWrite {
		if err := os.Symlink("sub/later", filepath.Join(dir, "dangling")); err != nil {
			t.Fatal(err)
		}
	} else if runtime.GOOS == "linux" { // other systems have no such names
		if err := errors.Join(os.WriteFile(filepath.Join(dir, "\xff"), nil, 0o666), os.Symlink("\xff", filepath.Join(dir, "bad"))); err != nil {
			t.Fatal(err)
		}
	}
	return serveApp(t, m, app, Options{Files: Files{Mode: stage.Direct, Access: access}}), dir
}

// repeated is a text that a transcript has many times.
var repeated = regexp.MustCompile(`<(\S+)\*(\d+)>`)

// transcript reads a file of testdata/filesystem: lines of a script, each with what
// comes of it. It returns the script, and the guest's answer to it.
func transcript(t *testing.T, name string) (script, want string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "filesystem", name))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(strings.ReplaceAll(string(text), "\r", "")) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		command, outcome, ok := strings.Cut(line, ": ")
		if !ok {
			t.Fatalf("%s: %q has no outcome", name, line)
		}
		command = repeated.ReplaceAllStringFunc(command, func(s string) string {
			m := repeated.FindStringSubmatch(s)
			n, _ := strconv.Atoi(m[2])
			return strings.Repeat(m[1], n)
		})
		script += command + "\n"
		want += command[:min(len(command), 60)] + ": " + outcome + "\n"
	}
	return script, want
}

// expectTranscript sends the script of a transcript, and tells of each line that
// had another outcome.
func (s *site) expectTranscript(t *testing.T, name string) {
	t.Helper()
	script, want := transcript(t, name)
	a := s.do(t, "POST", "/script", script)
	got, lines := strings.Split(a.body, "\n"), strings.Split(want, "\n")
	if len(got) != len(lines) {
		t.Errorf("%s: %d lines, want %d", name, len(got), len(lines))
	}
	for i := range min(len(got), len(lines)) {
		if got[i] != lines[i] {
			t.Errorf("%s: %s, want %s", name, got[i], lines[i])
		}
	}
}

// TestFilesystem has a guest call every function of wasi:filesystem, with what it
// refuses as well.
func TestFilesystem(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the transcripts are those of Linux")
	}
	for access, name := range []string{hostfiles.ReadOnly: "read-only.txt", hostfiles.ReadWrite: "read-write.txt"} {
		t.Run(strings.TrimSuffix(name, ".txt"), func(t *testing.T) {
			forEachReuse(t, func(t *testing.T, m mode) {
				s, dir := serveTree(t, m, hostfiles.Access(access))
				for range 2 {
					s.expectTranscript(t, name)
				}
				s.quiet(t)
				if secret, err := os.ReadFile(filepath.Join(dir, "../secret")); string(secret) != "secret" {
					t.Errorf("the secret is %q, %v", secret, err)
				}
			})
		})
	}
}

// TestFilesystemSync waits for the disk, which can take long: once is enough.
func TestFilesystemSync(t *testing.T) {
	s, _ := serveTree(t, mode{instancepool.PreInstance, "h1"}, hostfiles.ReadWrite)
	s.expectTranscript(t, "sync.txt")
}

// TestStandardLibrary works with files as programs do.
func TestStandardLibrary(t *testing.T) {
	forEachReuse(t, func(t *testing.T, m mode) {
		s, _ := serveTree(t, m, hostfiles.ReadWrite)
		for range 2 {
			s.expect(t, "GET", "/std?/sub", "", 200, "hello, World!; 5 bytes; a copy linked; hello; Some(NotFound)")
			s.expect(t, "GET", "/std?/other", "", 200, "hello, World!; 5 bytes; a copy linked; hello; Some(NotFound)")
		}
		s.expect(t, "GET", "/std?/elsewhere/../..", "", 200, "PermissionDenied")
		s.quiet(t)
		s, _ = serveTree(t, m, hostfiles.ReadOnly)
		s.expect(t, "GET", "/std?/sub", "", 200, "ReadOnlyFilesystem")
	})
}

// TestFileBodies answers with a file, by way of the guest's memory and not.
func TestFileBodies(t *testing.T) {
	forEachReuse(t, func(t *testing.T, m mode) {
		s, dir := serveTree(t, m, hostfiles.ReadOnly)
		large := strings.Repeat("0123456789abcdef", 1<<20/16) + "end"
		if err := os.WriteFile(filepath.Join(dir, "large"), []byte(large), 0o666); err != nil {
			t.Fatal(err)
		}
		for _, how := range []string{"/read", "/splice"} {
			for range 2 {
				s.expect(t, "GET", how+"?a.txt", "", 200, "contents")
				if a := s.do(t, "GET", how+"?large", ""); a.body != large {
					t.Errorf("%s: %d bytes, want %d", how, len(a.body), len(large))
				}
			}
		}
	})
}

// TestFilesAreClosed lets a guest open as many files as it may and forget them:
// they are closed with its handles.
func TestFilesAreClosed(t *testing.T) {
	if openFiles() == 0 {
		t.Skip("open files cannot be counted here")
	}
	forEachReuse(t, func(t *testing.T, m mode) {
		var script strings.Builder
		for i := range 1000 {
			fmt.Fprintf(&script, "open f%d / a.txt read\nkeep f%d\n", i, i)
		}
		s, _ := serveTree(t, m, hostfiles.ReadOnly)
		s.expect(t, "POST", "/script", "preopens\n", 200, "preopens: / /other\n")
		s.noGuests(t)
		before := openFiles()
		a := s.do(t, "POST", "/script", script.String())
		opened := strings.Count(a.body, "read: done")
		if refused := strings.Count(a.body, "read: error quota"); opened < hostfiles.MaxOpen-10 || opened+refused != 1000 {
			t.Errorf("%d files were opened, %d refused", opened, refused)
		}
		if m.strategy == instancepool.Reuse {
			s.noGuests(t) // or it could be another instance that answers
			s.expect(t, "POST", "/script", "kept f7\nread f7 3 0\n", 200, "kept f7: done\nread f7 3 0: \"con\"\n")
			s.app.Close()
			before -= 2 // the directories themselves
		}
		eventually(t, "files to be closed", func() bool { return openFiles() <= before })
	})
}
