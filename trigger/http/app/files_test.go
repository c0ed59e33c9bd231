package app

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	hostfiles "github.com/minispin/minispin/host/files"
	"github.com/minispin/minispin/instancepool"
	"github.com/minispin/minispin/internal/cwasm"
	"github.com/minispin/minispin/manifest"
	"github.com/minispin/minispin/trigger/http/stage"
)

// withFiles reads the manifest of an application in a directory of its own, in
// which there are files with these contents.
func withFiles(t testing.TB, text string, contents map[string]string) *manifest.App {
	t.Helper()
	dir := t.TempDir()
	for name, content := range contents {
		full := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(full), 0o777), os.WriteFile(full, []byte(content), 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	m, err := manifest.Parse([]byte(text), "spin.toml", dir, manifest.Options{Strategies: instancepool.Names(), Supports: Supports})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// fileServers are the guests that serve files: a component, and a core module.
var fileServers = []string{"rust-files", "rust-files-wasip1"}

var siteFiles = map[string]string{
	"static/index.html": "<h1>hello</h1>", "static/css/style.css": "body {}", "static/empty.txt": "",
	"static/a b.txt": "blank", "static/secret.key": "secret", "conf.json": "{}",
	"static/large.bin": strings.Repeat("0123456789abcdef", 20_000),
}

const fileLines = `files = [{ source = "static", destination = "/" }, { source = "conf.json", destination = "etc/app.json" }]
exclude_files = ["*.key"]`

func TestFileServer(t *testing.T) {
	for _, server := range fileServers {
		t.Run(server, func(t *testing.T) {
			forEachMode(t, func(t *testing.T, m mode) {
				work := t.TempDir()
				s := serveApp(t, m, withFiles(t, application(t, guest{id: "fs", source: server, route: "/files/...", extra: fileLines}), siteFiles), Options{Files: Files{Dir: work}})
				for range 2 {
					if a := s.expect(t, "GET", "/files/", "", 200, "<h1>hello</h1>"); a.Header.Get("Content-Type") != "text/html" {
						t.Errorf("content type %q", a.Header.Get("Content-Type"))
					}
					s.expect(t, "GET", "/files/css/style.css", "", 200, "body {}")
					s.expect(t, "GET", "/files/empty.txt", "", 200, "")
					s.expect(t, "GET", "/files/a%20b.txt", "", 200, "blank")
					s.expect(t, "GET", "/files/large.bin", "", 200, siteFiles["static/large.bin"])
					s.expect(t, "GET", "/files/etc/app.json", "", 200, "{}")
					s.expect(t, "GET", "/files/?list", "", 200, "a b.txt\ncss/\nempty.txt\netc/\nindex.html\nlarge.bin\n")
					s.expect(t, "GET", "/files/absent", "", 404, "NotFound\n")
					s.expect(t, "GET", "/files/css", "", 404, "NotFound\n") // it has no index
					s.expect(t, "GET", "/files/secret.key", "", 404, "NotFound\n")
					for _, path := range []string{"/files/../../../../etc/passwd", "/files/%2e%2e/conf.json", "/files//etc/passwd", "/files/css/..%2f..%2fspin.toml"} {
						if a := s.do(t, "GET", path, ""); a.StatusCode == 200 {
							t.Errorf("%s: %q", path, a.body)
						}
					}
				}
				if s.app.Close(); len(entries(t, work)) > 0 {
					t.Errorf("after Close there are %q", entries(t, work))
				}
			})
		})
	}
}

func entries(t testing.TB, dir string) (names []string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

// Whether guests may write, and where what they write goes.
func TestWriting(t *testing.T) {
	for _, server := range fileServers {
		for _, tt := range []struct {
			name  string
			files Files
			may   bool
			stays bool // in the application's own directory
		}{
			{"copies", Files{}, false, false},
			{"direct", Files{Mode: stage.Direct}, false, false},
			{"copies to write to", Files{Access: hostfiles.ReadWrite}, true, false},
			{"direct to write to", Files{Mode: stage.Direct, Access: hostfiles.ReadWrite}, true, true},
		} {
			t.Run(server+"/"+tt.name, func(t *testing.T) {
				m := withFiles(t, application(t, guest{id: "fs", source: server, extra: `files = [{ source = "static", destination = "/" }]`}), siteFiles)
				tt.files.Dir = t.TempDir()
				s := serveApp(t, mode{instancepool.PreInstance, "h1"}, m, Options{Files: tt.files})
				own := func(name string) string {
					b, err := os.ReadFile(filepath.Join(m.Dir, "static", name))
					if err != nil {
						return "absent"
					}
					return string(b)
				}
				if !tt.may {
					for _, path := range []string{"/new.txt", "/empty.txt"} {
						if a := s.do(t, "PUT", path, "written"); a.StatusCode != 403 || a.body != "ReadOnlyFilesystem\n" {
							t.Errorf("PUT %s: %d %q", path, a.StatusCode, a.body)
						}
					}
					if a := s.do(t, "DELETE", "/empty.txt", ""); a.StatusCode != 403 || a.body != "ReadOnlyFilesystem\n" {
						t.Errorf("DELETE: %d %q", a.StatusCode, a.body)
					}
					s.expect(t, "GET", "/empty.txt", "", 200, "")
					s.expect(t, "GET", "/new.txt", "", 404, "NotFound\n")
					return
				}
				s.expect(t, "PUT", "/new.txt", "written", 200, "written\n")
				s.expect(t, "GET", "/new.txt", "", 200, "written")
				s.expect(t, "DELETE", "/empty.txt", "", 200, "deleted\n")
				s.expect(t, "GET", "/empty.txt", "", 404, "NotFound\n")
				wantNew, wantEmpty := "absent", ""
				if tt.stays {
					wantNew, wantEmpty = "written", "absent"
				}
				if got := own("new.txt"); got != wantNew {
					t.Errorf("new.txt of the application: %q, want %q", got, wantNew)
				}
				if got := own("empty.txt"); got != wantEmpty {
					t.Errorf("empty.txt of the application: %q, want %q", got, wantEmpty)
				}
			})
		}
	}
}

// Directories that are mounted as they are show what is in them now.
func TestDirectMounts(t *testing.T) {
	m := withFiles(t, application(t, guest{id: "fs", source: "rust-files", extra: `files = ["static", { source = "static/css", destination = "/" }]`}), siteFiles)
	s := serveApp(t, mode{instancepool.PreInstance, "h1"}, m, Options{Files: Files{Mode: stage.Direct}})
	s.expect(t, "GET", "/static/index.html", "", 200, "<h1>hello</h1>")
	s.expect(t, "GET", "/style.css", "", 200, "body {}")
	if err := os.WriteFile(filepath.Join(m.Dir, "static/index.html"), []byte("changed"), 0o666); err != nil {
		t.Fatal(err)
	}
	s.expect(t, "GET", "/static/index.html", "", 200, "changed")
}

// Each component sees its own files and no others.
func TestFilesOfEach(t *testing.T) {
	m := withFiles(t, application(t,
		guest{id: "one", source: "rust-files", route: "/one/...", extra: `files = ["conf.json"]`},
		guest{id: "two", source: "rust-files", route: "/two/...", extra: `files = ["static/**/*.css"]`},
		guest{id: "none", source: "rust-files", route: "/none/..."},
	), siteFiles)
	s := serveApp(t, mode{instancepool.PreInstance, "h1"}, m, Options{})
	s.expect(t, "GET", "/one/?list", "", 200, "conf.json\n")
	s.expect(t, "GET", "/two/?list", "", 200, "static/\n")
	s.expect(t, "GET", "/two/static/css/style.css", "", 200, "body {}")
	s.expect(t, "GET", "/two/conf.json", "", 404, "NotFound\n")
	if a := s.do(t, "GET", "/none/?list", ""); a.StatusCode == 200 {
		t.Errorf("without files: %q", a.body)
	}
}

// Files that cannot be had are told of all together, before anything is compiled.
func TestFilesNotLoaded(t *testing.T) {
	text := application(t,
		guest{id: "one", source: "rust-files", route: "/one", extra: `files = ["absent.txt"]`},
		guest{id: "two", source: "rust-files", route: "/two", extra: `files = ["static", { source = "conf.json", destination = "/" }]`})
	work := t.TempDir()
	open := len(cwasm.OpenObjects())
	a, err := Load(t.Context(), withFiles(t, text, siteFiles), Options{Files: Files{Dir: work}, Progress: func(string, int, int) {
		t.Error("something is compiled")
	}})
	if err == nil {
		a.Close()
		t.Fatal("the application is loaded")
	}
	for _, part := range []string{`component.one.files[0]: "absent.txt" does not exist`, "component.two.files[1]:", "not a valid destination file name"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in the error: %v", part, err)
		}
	}
	if len(entries(t, work)) > 0 || len(cwasm.OpenObjects()) != open {
		t.Errorf("left: %q, %v", entries(t, work), cwasm.OpenObjects())
	}

	// What comes after them fails, and the copies go.
	text = application(t, guest{id: "c", source: file(t, "c.wat", []byte("(component)")), extra: `files = ["static"]`})
	if a, err = Load(t.Context(), withFiles(t, text, siteFiles), Options{Files: Files{Dir: work}}); err == nil {
		a.Close()
		t.Fatal("the application is loaded")
	}
	if len(entries(t, work)) > 0 {
		t.Errorf("left: %q", entries(t, work))
	}
}

func TestFilesWarning(t *testing.T) {
	var told []manifest.Diagnostic
	m := withFiles(t, application(t, guest{id: "fs", source: "rust-files", extra: `files = ["static", "none/*"]`}), siteFiles)
	serveApp(t, mode{instancepool.PreInstance, "h1"}, m, Options{Warn: func(d manifest.Diagnostic) { told = append(told, d) }})
	if len(told) != 1 || told[0].Key != "component.fs.files[1]" {
		t.Errorf("told %v", told)
	}
}

// reader is a program that answers with the contents of the file a.txt.
const reader = `(module
  (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "a.txt")
  (data (i32.const 16) "content-type: text/plain\n\n")
  (data (i32.const 72) "\00\01\00\00\64\00\00\00")
  (data (i32.const 88) "\10\00\00\00\1a\00\00\00\00\01\00\00")
  (func (export "_start")
    (if (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 5) (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 64))
      (then unreachable))
    (if (call $read (i32.load (i32.const 64)) (i32.const 72) (i32.const 1) (i32.const 100))
      (then unreachable))
    (drop (call $write (i32.const 1) (i32.const 88) (i32.const 2) (i32.const 104)))))`

func TestFilesOfPrograms(t *testing.T) {
	forEachMode(t, func(t *testing.T, m mode) {
		text := application(t, guest{id: "p", source: file(t, "p.wat", []byte(reader)), executor: "wagi", extra: `files = ["a.txt"]`})
		s := serveApp(t, m, withFiles(t, text, map[string]string{"a.txt": "read by a program"}), Options{})
		for range 2 {
			s.expect(t, "GET", "/", "", 200, "read by a program")
		}
	})
}
