package stage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minispin/minispin/manifest"
)

// tree makes files below dir. A name that ends in a slash is a directory; the
// content of others is their name.
func tree(t testing.TB, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		full := filepath.Join(dir, filepath.FromSlash(name))
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(full, 0o777); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(full), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(name), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// application returns an application with one component, c, that has these lines
// in its table.
func application(t testing.TB, dir, lines string) *manifest.App {
	t.Helper()
	text := "spin_manifest_version = 2\n[application]\nname = \"a\"\n[[trigger.http]]\nroute = \"/...\"\ncomponent = \"c\"\n" +
		"[component.c]\nsource = \"c.wasm\"\n" + lines
	m, err := manifest.Parse([]byte(text), "spin.toml", dir, manifest.Options{Purpose: manifest.ToBuild, Supports: []manifest.Feature{manifest.FeatureFiles}})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// seen lists what guests see in s: directories with a slash at their end, and
// files, after an = with their content where that is not their name.
func seen(t testing.TB, s *Stage, component string) (list []string) {
	t.Helper()
	for _, m := range s.Mounts(component) {
		err := fs.WalkDir(m.Root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || name == "." {
				return err
			}
			full := strings.TrimSuffix(m.Path, "/") + "/" + name
			if d.IsDir() {
				list = append(list, full+"/")
				return nil
			}
			b, err := fs.ReadFile(m.Root.FS(), name)
			if string(b) != strings.TrimPrefix(full, "/") {
				full += "=" + string(b)
			}
			list = append(list, full)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// prepare prepares the component c of m until the test ends.
func prepare(t testing.TB, m *manifest.App, o Options) (*Stage, error) {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	s, err := Prepare(t.Context(), m, m.Components, o)
	if err == nil {
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	left, readErr := os.ReadDir(o.Dir)
	if readErr != nil || err != nil && len(left) > 0 {
		t.Errorf("%d directories are left after a failure (%v)", len(left), readErr)
	}
	return s, err
}

// site is what most tests copy from.
var site = []string{
	"index.html", "logo.png", "assets/a.js", "assets/a.js.map", "assets/sub/b.js", "assets/sub/.hidden", "assets/empty/",
	"pages/[slug].html", "pages/s.html", "spin.toml", ".spin/logs/c_stdout.txt",
}

func TestCopy(t *testing.T) {
	for name, tt := range map[string]struct {
		lines string
		want  string // as of seen, separated by spaces
		warns string // part of the one warning there is
	}{
		"no files":                 {``, "", ""},
		"empty":                    {`files = []`, "", ""},
		"a file":                   {`files = ["logo.png"]`, "/logo.png", ""},
		"a file in a directory":    {`files = ["assets/sub/b.js"]`, "/assets/ /assets/sub/ /assets/sub/b.js", ""},
		"unclean":                  {`files = ["./assets//sub/../a.js"]`, "/assets/ /assets/a.js", ""},
		"a directory":              {`files = ["assets/sub"]`, "/assets/ /assets/sub/ /assets/sub/.hidden /assets/sub/b.js", ""},
		"a directory with a slash": {`files = ["assets/sub/"]`, "/assets/ /assets/sub/ /assets/sub/.hidden /assets/sub/b.js", ""},
		"one level":                {`files = ["assets/*"]`, "/assets/ /assets/a.js /assets/a.js.map", ""},
		"all levels":               {`files = ["assets/**/*.js"]`, "/assets/ /assets/a.js /assets/sub/ /assets/sub/b.js", ""},
		"two stars at the end":     {`files = ["assets/**"]`, "/assets/ /assets/a.js /assets/a.js.map /assets/sub/ /assets/sub/.hidden /assets/sub/b.js", ""},
		"two stars at the start":   {`files = ["**/b.*"]`, "/assets/ /assets/sub/ /assets/sub/b.js", ""},
		"many ways to match":       {`files = ["**/sub/**/*", "**/**/b.js"]`, "/assets/ /assets/sub/ /assets/sub/.hidden /assets/sub/b.js", ""},
		"sets":                     {`files = ["[!a-h]*.?[nN]?"]`, "/logo.png", ""},
		"everything":               {`files = ["./**/*"]`, "/assets/ /assets/a.js /assets/a.js.map /assets/sub/ /assets/sub/.hidden /assets/sub/b.js /index.html /logo.png /pages/ /pages/[slug].html /pages/s.html /spin.toml", ""},
		"a name before a pattern":  {`files = ["pages/[slug].html"]`, "/pages/ /pages/[slug].html", ""},
		"a pattern and its name":   {`files = ["pages/[s]*.html"]`, "/pages/ /pages/s.html", ""},
		"no match":                 {`files = ["none/*"]`, "", `spin.toml:9:10: component.c.files[0]: "none/*" matches no file`},
		"a backslash":              {`files = ['assets\*']`, "", `> paths are written with slashes: "assets/*"`},
		"state by its name":        {`files = [".spin/logs/*"]`, "/.spin/ /.spin/logs/ /.spin/logs/c_stdout.txt", ""},

		"a directory placed":      {`files = [{ source = "assets", destination = "/static" }]`, "/static/ /static/a.js=assets/a.js /static/a.js.map=assets/a.js.map /static/empty/ /static/sub/ /static/sub/.hidden=assets/sub/.hidden /static/sub/b.js=assets/sub/b.js", ""},
		"a directory at the root": {`files = [{ source = "assets/sub", destination = "/" }]`, "/.hidden=assets/sub/.hidden /b.js=assets/sub/b.js", ""},
		"no destination":          {`files = [{ source = "assets/sub", destination = "" }]`, "/.hidden=assets/sub/.hidden /b.js=assets/sub/b.js", ""},
		"an empty directory":      {`files = [{ source = "assets/empty", destination = "up/loads" }]`, "/up/ /up/loads/", ""},
		"a file placed":           {`files = [{ source = "logo.png", destination = "/img/l.png" }]`, "/img/ /img/l.png=logo.png", ""},
		"a source in brackets":    {`files = [{ source = "pages/[slug].html", destination = "x" }]`, "/x=pages/[slug].html", ""},
		"all there is":            {`files = [{ source = ".", destination = "/app" }]` + "\n" + `exclude_files = ["a*", "p*"]`, "/app/ /app/index.html=index.html /app/logo.png=logo.png /app/spin.toml=spin.toml", ""},
		"outside":                 {`files = [{ source = "../shared", destination = "/" }, { source = "../one.txt", destination = "/1" }]`, "/1=one.txt /s.css=shared/s.css", ""},
		"outside, left out":       {`files = [{ source = "../shared", destination = "/" }]` + "\n" + `exclude_files = ["../shared/*.css"]`, "", "is left out by exclude_files"},

		"twice the same":        {`files = ["assets/*.js", "assets/a.*", "./assets/a.js"]`, "/assets/ /assets/a.js /assets/a.js.map", ""},
		"left out":              {`files = ["assets"]` + "\n" + `exclude_files = ["*.map", "**/.h*"]`, "/assets/ /assets/a.js /assets/empty/ /assets/sub/ /assets/sub/b.js", ""},
		"a directory left out":  {`files = ["assets"]` + "\n" + `exclude_files = ["assets/sub"]`, "/assets/ /assets/a.js /assets/a.js.map /assets/empty/", ""},
		"and with a slash":      {`files = ["assets"]` + "\n" + `exclude_files = ["/assets/sub/"]`, "/assets/ /assets/a.js /assets/a.js.map /assets/empty/", ""},
		"and with stars":        {`files = ["assets/**/*"]` + "\n" + `exclude_files = ["**/sub/**/*"]`, "/assets/ /assets/a.js /assets/a.js.map", ""},
		"all left out":          {`files = ["assets/*"]` + "\n" + `exclude_files = ["assets/*"]`, "", "not left out by exclude_files"},
		"by the path of source": {`files = [{ source = "assets", destination = "/x" }]` + "\n" + `exclude_files = ["x/*", "assets/*.map", "assets/sub"]`, "/x/ /x/a.js=assets/a.js /x/empty/", ""},
		"named by itself":       {`files = ["assets/a.js"]` + "\n" + `exclude_files = ["*.js"]`, "/assets/ /assets/a.js", "named by itself"},
	} {
		t.Run(name, func(t *testing.T) {
			top := t.TempDir()
			dir := filepath.Join(top, "app")
			tree(t, dir, site...)
			tree(t, top, "shared/s.css", "one.txt")
			s, err := prepare(t, application(t, dir, tt.lines), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(seen(t, s, "c"), " "); got != tt.want {
				t.Errorf("guests see\n%s\nand not\n%s", got, tt.want)
			}
			switch {
			case tt.warns == "" && len(s.Warnings) > 0:
				t.Errorf("warnings: %v", s.Warnings)
			case tt.warns != "" && (len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0].String(), tt.warns)):
				t.Errorf("warnings: %v, want one with %q", s.Warnings, tt.warns)
			}
		})
	}
}

func TestCopyErrors(t *testing.T) {
	for name, tt := range map[string]struct {
		lines string
		want  []string // parts of the error
	}{
		"missing":             {`files = ["none.txt"]`, []string{`spin.toml:9:10: component.c.files[0]: "none.txt" does not exist`, "a pattern has one of"}},
		"missing, backslash":  {`files = ['assets\a.js']`, []string{"does not exist", `"assets/a.js"`}},
		"missing, to build":   {"files = [\"none.txt\"]\nbuild.command = \"make\"", []string{`"none.txt" does not exist`, "a pattern has one of", "> if it is made by the build: minispin build -c c"}},
		"missing source":      {`files = [{ source = "none", destination = "/" }]`, []string{`"none" does not exist`, "paths start from"}},
		"missing outside":     {`files = [{ source = "../none", destination = "/" }]`, []string{`"../none" does not exist`}},
		"below a file":        {`files = ["index.html/x"]`, []string{`"index.html/x": not a directory`}},
		"two on one":          {`files = ["logo.png", { source = "index.html", destination = "logo.png" }]`, []string{`9:22`, `"index.html" and "logo.png" are both to be at "/logo.png": the second is that of files[0]`}},
		"two trees":           {`files = [{ source = "assets", destination = "/" }, { source = "../shared", destination = "/" }, { source = "../one.txt", destination = "/s.css" }]`, []string{`"../one.txt" and "../shared/s.css"`}},
		"a file below a file": {`files = ["logo.png", { source = "index.html", destination = "logo.png/x" }]`, []string{`9:22`, `"logo.png" is to be at "/logo.png", where "/logo.png" must be a directory for "/logo.png/x"`, "files[0]"}},
		"and the other way":   {`files = [{ source = "index.html", destination = "logo.png/x" }, "logo.png"]`, []string{`files[1]: "logo.png" is to be at`}},
		"on an empty one":     {`files = [{ source = "assets/empty", destination = "x" }, { source = "index.html", destination = "x" }]`, []string{`"index.html" is to be at "/x", which is a directory`}},
		"a file at the root":  {`files = [{ source = "logo.png", destination = "/" }]`, []string{`"/" is not a valid destination file name`, `destination = "/logo.png"`}},
		"a file at a dot":     {`files = [{ source = "logo.png", destination = "." }]`, []string{"not a valid destination file name"}},
		"a file at dots":      {`files = [{ source = "logo.png", destination = "a/.." }]`, []string{"not a valid destination file name"}},
		"a file with a slash": {`files = [{ source = "logo.png", destination = "img/" }]`, []string{`"img/" is not a valid destination file name`, `destination = "/img/logo.png"`}},
		"all of them":         {`files = ["none.txt", "nor/this", { source = "neither", destination = "/" }]`, []string{"files[0]", "files[1]", "files[2]"}},
	} {
		t.Run(name, func(t *testing.T) {
			top := t.TempDir()
			dir := filepath.Join(top, "app")
			tree(t, dir, site...)
			tree(t, top, "shared/s.css", "one.txt")
			_, err := prepare(t, application(t, dir, tt.lines), Options{})
			wantError(t, err, tt.want...)
		})
	}
}

// wantError checks that err is a mistake in the manifest whose text has some parts.
func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if _, ok := errors.AsType[*manifest.Error](err); !ok {
		t.Fatalf("got %T: %v", err, err)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in\n%v", part, err)
		}
	}
}

func TestDirect(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "app")
	tree(t, dir, site...)
	tree(t, top, "shared/s.css")
	t.Chdir(top) // where sources do not start from
	m := application(t, dir, `files = ["./assets", { source = "pages", destination = "p/" }, { source = "../shared", destination = "/" }]`)
	s, err := prepare(t, m, Options{Mode: Direct})
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, mount := range s.Mounts("c") {
		paths = append(paths, mount.Path)
	}
	if !slices.Equal(paths, []string{"/assets", "/p", "/"}) {
		t.Errorf("mounted at %q", paths)
	}
	tree(t, dir, "assets/new.js")
	if !slices.Contains(seen(t, s, "c"), "/assets/new.js") {
		t.Error("a later file is not seen")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "assets/a.js")); err != nil {
		t.Errorf("after Close: %v", err)
	}
}

func TestDirectErrors(t *testing.T) {
	for name, tt := range map[string]struct {
		lines string
		want  []string
	}{
		"a file":        {`files = ["logo.png"]`, []string{"9:10", `"logo.png" is not a directory`, "without --direct-mounts"}},
		"a file placed": {`files = [{ source = "logo.png", destination = "/x" }]`, []string{`"logo.png" is not a directory`}},
		"a pattern":     {`files = ["assets/**/*"]`, []string{`"assets/**/*" does not exist`}},
		"missing":       {`files = ["none"]`, []string{`"none" does not exist`}},
		"twice":         {`files = ["assets", { source = "pages", destination = "/assets/" }]`, []string{"9:20", `files[0] is mounted at "/assets" already`}},
		"left out":      {"files = [\"assets\"]\nexclude_files = [\"*.map\"]", []string{"10:17", "component.c.exclude_files: nothing can be left out", "without --direct-mounts"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			tree(t, dir, site...)
			_, err := prepare(t, application(t, dir, tt.lines), Options{Mode: Direct})
			wantError(t, err, tt.want...)
		})
	}
}

func TestLimits(t *testing.T) {
	dir := t.TempDir()
	for i := range 20 {
		tree(t, dir, fmt.Sprintf("many/%02d", i))
	}
	m := application(t, dir, `files = ["many/*"]`)
	if _, err := prepare(t, m, Options{MaxFiles: 20, MaxBytes: 20 * int64(len("many/00"))}); err != nil {
		t.Error(err)
	}
	_, err := prepare(t, m, Options{MaxFiles: 19})
	wantError(t, err, "9:10", "more than 19 files", "exclude_files")
	_, err = prepare(t, m, Options{MaxBytes: 100})
	wantError(t, err, "9:10", "more than 100 bytes", "--direct-mounts")
	// Directories count too: an endless tree of them is bounded.
	_, err = prepare(t, application(t, dir, `files = ["many", { source = "many", destination = "/a/b" }]`), Options{MaxFiles: 40})
	wantError(t, err, "files[1]: there are more than 40 files")
}

// The times of copies are those of the originals, and those of one generation do
// not show in another.
func TestGenerations(t *testing.T) {
	dir, work := t.TempDir(), t.TempDir()
	tree(t, dir, "a.txt")
	then := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	if err := os.Chtimes(filepath.Join(dir, "a.txt"), then, then); err != nil {
		t.Fatal(err)
	}
	m := application(t, dir, `files = ["a.txt"]`)
	first, err := prepare(t, m, Options{Dir: work})
	if err != nil {
		t.Fatal(err)
	}
	if info, err := first.Mounts("c")[0].Root.Stat("a.txt"); err != nil || !info.ModTime().Equal(then) {
		t.Errorf("changed at %v (%v)", info.ModTime(), err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a.txt"), []byte("new"), 0o666); err != nil {
		t.Fatal(err)
	}
	second, err := prepare(t, m, Options{Dir: work})
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Mounts("c")[0].Root.WriteFile("a.txt", []byte("written"), 0); err != nil {
		t.Fatal(err)
	}
	if got := seen(t, first, "c"); !slices.Equal(got, []string{"/a.txt"}) {
		t.Errorf("the first generation sees %q", got)
	}
	if b, _ := os.ReadFile(filepath.Join(dir, "a.txt")); string(b) != "new" {
		t.Errorf("the original is %q", b)
	}
	if err := errors.Join(first.Close(), first.Close(), second.Close()); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(work); len(left) != 0 {
		t.Errorf("%d directories are left", len(left))
	}
}

// What the host writes in the application's directory does not come back as a
// file of it.
func TestSkip(t *testing.T) {
	dir := t.TempDir()
	work := filepath.Join(dir, "tmp")
	tree(t, dir, "a.txt", "logs/c.txt", "tmp/", ".spin/x", "sub/.spin/y")
	o := Options{Dir: work, Skip: []string{filepath.Join(dir, "logs")}}
	m := application(t, dir, `files = ["**"]`)
	if _, err := prepare(t, m, o); err != nil {
		t.Fatal(err)
	}
	s, err := prepare(t, m, o)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"/a.txt", "/sub/", "/sub/.spin/", "/sub/.spin/y"}
	if got := seen(t, s, "c"); !slices.Equal(got, want) {
		t.Errorf("guests see %q, want %q", got, want)
	}
	Find(m, m.Components[0], o, func(string) {}, func(path string) {
		if base := filepath.Base(path); base != "a.txt" && base != "y" {
			t.Errorf("found %s", path)
		}
	})
	s, err = prepare(t, application(t, dir, `files = ["logs/*", { source = ".spin", destination = "/" }]`), o)
	if err != nil {
		t.Fatal(err)
	}
	if got := seen(t, s, "c"); !slices.Equal(got, []string{"/logs/", "/logs/c.txt", "/x=.spin/x"}) {
		t.Errorf("named, guests see %q", got)
	}
}

func TestCancelled(t *testing.T) {
	dir, work := t.TempDir(), t.TempDir()
	tree(t, dir, site...)
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	cancel(enough)
	m := application(t, dir, `files = ["assets"]`)
	if _, err := Prepare(ctx, m, m.Components, Options{Dir: work}); !errors.Is(err, enough) {
		t.Errorf("got %v", err)
	}
	if left, _ := os.ReadDir(work); len(left) != 0 {
		t.Errorf("%d directories are left", len(left))
	}
}

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	tree(t, dir, site...)
	m := application(t, dir, `files = ["assets", "none/*"]`)
	warnings, err := Check(t.Context(), m, m.Components, Options{Dir: filepath.Join(dir, "not needed")})
	if err != nil || len(warnings) != 1 {
		t.Errorf("warnings %v, error %v", warnings, err)
	}
	m = application(t, dir, `files = ["none/*", "none"]`)
	warnings, err = Check(t.Context(), m, m.Components, Options{})
	wantError(t, err, `"none" does not exist`)
	if len(warnings) != 1 {
		t.Errorf("with an error, warnings %v", warnings)
	}
}

func TestHostErrors(t *testing.T) {
	dir := t.TempDir()
	tree(t, dir, site...)
	m := application(t, dir, `files = ["assets"]`)
	if _, err := Prepare(t.Context(), m, m.Components, Options{Dir: filepath.Join(dir, "none")}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a directory for copies: %v", err)
	}
	m.Dir = filepath.Join(dir, "nowhere")
	if _, err := Prepare(t.Context(), m, m.Components, Options{Dir: dir}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a directory of the application: %v", err)
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	tree(t, dir, site...)
	m := application(t, dir, `files = ["assets/**/*", "none.txt", "nowhere/*", { source = "pages", destination = "/" }, { source = "gone", destination = "/g" }]
exclude_files = ["*.map"]`)
	var dirs, files []string
	Find(m, m.Components[0], Options{}, func(p string) { dirs = append(dirs, p) }, func(p string) { files = append(files, p) })
	check := func(what string, got []string, want ...string) {
		t.Helper()
		for i, p := range got {
			rel, err := filepath.Rel(dir, p)
			if err != nil {
				t.Fatal(err)
			}
			got[i] = filepath.ToSlash(rel)
		}
		slices.Sort(got)
		slices.Sort(want)
		if got = slices.Compact(got); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	check("directories", dirs, ".", "assets", "assets/sub", "assets/empty", "pages")
	check("files", files, "assets/a.js", "assets/sub/b.js", "assets/sub/.hidden", "none.txt", "pages", "pages/[slug].html", "pages/s.html", "gone")
}

// A file that grows while it is copied does not fill the disk.
func TestGrown(t *testing.T) {
	dir, to := t.TempDir(), t.TempDir()
	tree(t, dir, "0123456789")
	here, err := openPlace(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	defer here.close()
	root, err := os.OpenRoot(to)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	it := item{from: here, name: "0123456789"}
	for _, tt := range []struct {
		most  int64
		fails bool
	}{{9, true}, {10, false}} {
		var total atomic.Int64
		err := it.copy(root, fmt.Sprint(tt.most), tt.most, &total)
		if (err != nil) != tt.fails || total.Load() != 10 {
			t.Errorf("no more than %d: %v, %d copied", tt.most, err, total.Load())
		}
	}
}
