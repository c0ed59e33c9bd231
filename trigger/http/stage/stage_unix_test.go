//go:build unix

package stage

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// link makes symbolic links below dir, each written name->target.
func link(t *testing.T, dir string, links ...string) {
	t.Helper()
	for _, l := range links {
		name, target, _ := strings.Cut(l, "->")
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLinks(t *testing.T) {
	for name, tt := range map[string]struct {
		links []string
		lines string
		want  string // as of seen, or if it begins with "error " part of the error
	}{
		"to a file":           {[]string{"a/l->../index.html"}, `files = ["a"]`, "/a/ /a/l=index.html"},
		"to a directory":      {[]string{"a/l->../assets/sub"}, `files = ["a/**/*.js"]`, "/a/ /a/l/ /a/l/b.js=assets/sub/b.js"},
		"named":               {[]string{"l->assets/sub"}, `files = ["l"]`, "/l/ /l/.hidden=assets/sub/.hidden /l/b.js=assets/sub/b.js"},
		"placed":              {[]string{"l->index.html"}, `files = [{ source = "l", destination = "x" }]`, "/x=index.html"},
		"out":                 {[]string{"a/l->../../secret"}, `files = ["a/*"]`, `error 9:10: component.c.files[0]: "a/l" is a symbolic link to "../../secret", out of the application's directory`},
		"out, absolute":       {[]string{"a/l->/etc/hostname"}, `files = ["a"]`, "error an absolute path counts as out of"},
		"out, named":          {[]string{"l->../secret"}, `files = ["l"]`, "error out of the application's directory"},
		"out, placed":         {[]string{"l->../shared"}, `files = [{ source = "l", destination = "/" }]`, "error name the place itself that it leads to"},
		"out, on the way":     {[]string{"l->../shared"}, `files = ["l/s.css"]`, "error leads out of the application's directory by a symbolic link"},
		"out, a directory":    {[]string{"a/l->../../shared"}, `files = ["a/**/*.css"]`, "error out of the application's directory"},
		"out, but not asked":  {[]string{"a/l->../../secret", "a/m->../index.html"}, `files = ["a/m*"]`, "/a/ /a/m=index.html"},
		"out, left out":       {[]string{"a/l->../../secret", "a/d->../../shared", "a/m->../index.html"}, "files = [\"a\"]\nexclude_files = [\"a/l\", \"a/d\"]", "/a/ /a/m=index.html"},
		"to nothing":          {[]string{"a/.#lock->user@host:1", "a/m->../index.html"}, `files = ["a"]`, "/a/ /a/m=index.html"},
		"to nothing, named":   {[]string{"l->none"}, `files = ["l"]`, `error "l" is a symbolic link to "none", which does not exist`},
		"round":               {[]string{"a/b/up->.."}, `files = ["a"]`, `error "a/b/up" is a directory that it is itself in`},
		"round, left out":     {[]string{"a/b/up->..", "a/m->../index.html"}, "files = [\"a\"]\nexclude_files = [\"a/b/up\"]", "/a/ /a/b/ /a/m=index.html"},
		"to itself":           {[]string{"a/l->l"}, `files = ["a"]`, "/a/"},
		"to itself, named":    {[]string{"l->l"}, `files = ["l"]`, "error too many levels of symbolic links"},
		"out of a source":     {[]string{"../shared/l->../secret"}, `files = [{ source = "../shared", destination = "/" }]`, `error out of the source "../shared"`},
		"a destination":       {[]string{"d->/"}, `files = [{ source = "index.html", destination = "/d/x" }]`, "/d/ /d/x=index.html"},
		"of the manifest dir": {[]string{"a/state->../.spin"}, `files = ["a"]`, "/a/ /a/state/ /a/state/logs/ /a/state/logs/c_stdout.txt=.spin/logs/c_stdout.txt"},
	} {
		t.Run(name, func(t *testing.T) {
			top := t.TempDir()
			dir := filepath.Join(top, "app")
			tree(t, dir, site...)
			tree(t, top, "shared/s.css", "secret")
			link(t, dir, tt.links...)
			s, err := prepare(t, application(t, dir, tt.lines), Options{})
			if part, ok := strings.CutPrefix(tt.want, "error "); ok {
				wantError(t, err, part)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(seen(t, s, "c"), " "); got != tt.want {
				t.Errorf("guests see\n%s\nand not\n%s", got, tt.want)
			}
			if len(s.Warnings) > 0 {
				t.Errorf("warnings: %v", s.Warnings)
			}
		})
	}
}

func TestDirectLinks(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "app")
	tree(t, dir, site...)
	tree(t, top, "shared/s.css")
	link(t, dir, "in->assets", "out->../shared")
	s, err := prepare(t, application(t, dir, `files = ["in"]`), Options{Mode: Direct})
	if err != nil || !slices.Contains(seen(t, s, "c"), "/in/a.js=assets/a.js") {
		t.Errorf("a link within: %v", err)
	}
	_, err = prepare(t, application(t, dir, `files = ["out"]`), Options{Mode: Direct})
	wantError(t, err, "out of the application's directory")
}

func TestSpecialFiles(t *testing.T) {
	dir := t.TempDir()
	tree(t, dir, site...)
	if err := syscall.Mkfifo(filepath.Join(dir, "assets/fifo"), 0o666); err != nil {
		t.Fatal(err)
	}
	link(t, dir, "assets/l->fifo")
	for lines, want := range map[string][]string{
		`files = ["assets/*"]`:                                   {`9:10: component.c.files[0]: "assets/fifo" is a FIFO`, `"assets/l" is a FIFO`},
		`files = ["assets/fifo"]`:                                {"is a FIFO", "exclude_files"},
		`files = [{ source = "assets", destination = "/" }]`:     {"is a FIFO"},
		`files = [{ source = "/dev/null", destination = "/n" }]`: {`is a device`},
	} {
		done := make(chan error, 1)
		go func() {
			_, err := prepare(t, application(t, dir, lines), Options{})
			done <- err
		}()
		select {
		case err := <-done:
			wantError(t, err, want...)
		case <-time.After(10 * time.Second):
			t.Fatalf("%s waits", lines)
		}
	}
	if _, err := prepare(t, application(t, dir, `files = ["assets/*.js", "assets/**/b*"]`), Options{}); err != nil {
		t.Errorf("where it does not match: %v", err)
	}
	if _, err := prepare(t, application(t, dir, "files = [\"assets\"]\nexclude_files = [\"**/fifo\", \"assets/l\"]"), Options{}); err != nil {
		t.Errorf("where it is left out: %v", err)
	}
}

func TestManySpecialFiles(t *testing.T) {
	dir, err := os.MkdirTemp("", "s") // names of sockets are short
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for _, name := range []string{"1", "2", "3", "4", "5", "6", "7"} {
		l, err := net.Listen("unix", filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
	}
	_, err = prepare(t, application(t, dir, `files = ["*[0-9]"]`), Options{})
	wantError(t, err, `"5" is a socket`)
	if strings.Contains(err.Error(), `"6"`) {
		t.Errorf("too many of one kind:\n%v", err)
	}
}

func TestUnreadable(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("for the superuser everything is readable")
	}
	dir := t.TempDir()
	tree(t, dir, "a/x", "b/x")
	for path, mode := range map[string]os.FileMode{"a/x": 0, "b": 0} {
		if err := os.Chmod(filepath.Join(dir, path), mode); err != nil {
			t.Fatal(err)
		}
	}
	defer os.Chmod(filepath.Join(dir, "b"), 0o700)
	_, err := prepare(t, application(t, dir, `files = ["a"]`), Options{})
	wantError(t, err, `"a/x" could not be copied: permission denied`)
	_, err = prepare(t, application(t, dir, `files = ["b/*"]`), Options{})
	wantError(t, err, `"b": permission denied`)
}
