package manifest

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

const minimal = `spin_manifest_version = 2
[application]
name = "demo"
[[trigger.http]]
route = "/..."
component = "hello"
[component.hello]
source = "hello.wasm"
allowed_outbound_hosts = ["https://example.com", "bad"]
`

// write writes the files, by path and content, below a new directory.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestLoad(t *testing.T) {
	dir := write(t, map[string]string{
		"spin.toml": minimal, "hello.wasm": "", "sub/other.toml": minimal, "sub/hello.wasm": "",
	})
	for path, want := range map[string]string{
		"":               "spin.toml",
		"spin.toml":      "spin.toml",
		"sub/other.toml": "sub/other.toml",
	} {
		app, err := Load(filepath.Join(dir, path), Options{})
		if err != nil {
			t.Errorf("%q: %v", path, err)
			continue
		}
		full := filepath.Join(dir, filepath.FromSlash(want))
		if app.Path != full || app.Dir != filepath.Dir(full) {
			t.Errorf("%q: App is at %s in %s, want %s", path, app.Path, app.Dir, full)
		}
		if got := app.Resolve(app.Component("hello").Source.Path); got != filepath.Join(filepath.Dir(full), "hello.wasm") {
			t.Errorf("%q: source resolves to %s", path, got)
		}
	}
}

// Whatever the process's directory becomes later, the App must not move.
func TestLoadRelativePath(t *testing.T) {
	dir := write(t, map[string]string{"spin.toml": minimal, "hello.wasm": ""})
	t.Chdir(dir)
	app, err := Load("spin.toml", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !filepath.IsAbs(app.Dir) || !filepath.IsAbs(app.Path) {
		t.Errorf("App is at %s in %s, want absolute paths", app.Path, app.Dir)
	}
}

func TestResolveAbsolute(t *testing.T) {
	dir := t.TempDir()
	if got := (&App{Dir: "elsewhere"}).Resolve(dir); got != dir {
		t.Errorf("absolute path resolves to %s, want %s", got, dir)
	}
}

func TestLoadErrors(t *testing.T) {
	dir := write(t, map[string]string{
		"empty/x":         "",
		"huge.toml":       strings.Repeat("#", maxSize+1),
		"broken.toml":     "a = ",
		"odd/spin.toml/x": "",
		"a.wasm":          "",
	})
	tests := []struct {
		path string
		opts Options
		want string
	}{
		{"nowhere", Options{}, "loading application"},
		{"nowhere.wasm", Options{}, "loading application"},
		{"empty", Options{}, "spin.toml"},
		{"huge.toml", Options{}, "larger than 1 MiB"},
		{"broken.toml", Options{}, "broken.toml:1:4: "},
		{"odd", Options{}, "not a regular file"},
		{"a.wasm", Options{Profile: "p"}, "only a manifest has profiles"},
	}
	for _, test := range tests {
		app, err := Load(filepath.Join(dir, test.path), test.opts)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want one with %q", test.path, err, test.want)
		}
		if app != nil {
			t.Errorf("%s: App beside the error", test.path)
		}
	}
	if _, err := Load(filepath.Join(dir, "nowhere"), Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v does not wrap fs.ErrNotExist", err)
	}
	var e *Error
	if _, err := Load(filepath.Join(dir, "broken.toml"), Options{}); !errors.As(err, &e) {
		t.Errorf("error %T is not an *Error", err)
	}
}

func TestLoadBareComponent(t *testing.T) {
	dir := write(t, map[string]string{"my.app.wasm": "", "Text.WAT": ""})
	for file, name := range map[string]string{"my.app.wasm": "my.app", "Text.WAT": "Text"} {
		app, err := Load(filepath.Join(dir, file), Options{})
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if app.Name != name {
			t.Errorf("%s: name is %q, want %q", file, app.Name, name)
		}
		if len(app.Triggers) != 1 || app.Triggers[0].Route.Path != "/..." || app.Triggers[0].ID != "http-trigger1" ||
			app.Triggers[0].Executor.Type != ExecutorHTTP {
			t.Errorf("%s: triggers are %+v", file, app.Triggers)
		}
		used := app.Used()
		if len(used) != 1 || used[0].ID != "http-trigger1-component" {
			t.Errorf("%s: used components are %+v", file, used)
			continue
		}
		if got := app.Resolve(used[0].Source.Path); got != filepath.Join(dir, file) {
			t.Errorf("%s: source resolves to %s", file, got)
		}
		if d := used[0].Diagnose("is odd", "", "source"); d.String() != "is odd" {
			t.Errorf("%s: diagnostic without a file reads %q", file, d)
		}
	}
}

func TestParseLineEndsAndByteOrderMark(t *testing.T) {
	text := "\ufeff" + strings.ReplaceAll(minimal, "\n", "\r\n") + "sorce = 1\r\n"
	_, err := Parse([]byte(text), "spin.toml", "", Options{Purpose: ToBuild})
	want := "spin.toml:10:1: component.hello.sorce: unknown key\n" +
		"   10 | sorce = 1\n" +
		"      | ^^^^^\n" +
		"      > did you mean \"source\"?"
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestParseNotText(t *testing.T) {
	for _, data := range []string{
		"\"\\u001b[31m\" = 1\n\"\\u001b[31m\" = 1", "\x00asm\x0d\x00\x01\x00", "\xff\xfes\x00p\x00", "a = \"\xff\"", "a = \"\x1b[31m\"",
	} {
		_, err := Parse([]byte(data), "x", "", Options{})
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%q: error %v", data, err)
		} else if !utf8.ValidString(e.Error()) || strings.ContainsAny(e.Error(), "\x00\x1b") {
			t.Errorf("%q: control characters in %q", data, e.Error())
		}
	}
}

func TestDiagnose(t *testing.T) {
	app, err := Parse([]byte(minimal), "spin.toml", "", Options{Purpose: ToBuild})
	if err != nil {
		t.Fatal(err)
	}
	c := app.Component("hello")
	tests := []struct {
		got  Diagnostic
		want string
	}{
		{c.Diagnose("r", "h", "allowed_outbound_hosts", 1), "spin.toml:9:50: component.hello.allowed_outbound_hosts[1]: r"},
		{c.Diagnose("r", "h"), "spin.toml:7:12: component.hello: r"},
		{c.Diagnose("r", "h", "files", 3), "spin.toml:7:12: component.hello.files[3]: r"},
		{app.Triggers[0].Diagnose("r", "h", "route"), "spin.toml:5:9: trigger.http[0].route: r"},
	}
	for _, test := range tests {
		got, _, _ := strings.Cut(test.got.String(), "\n")
		if got != test.want || test.got.Hint != "h" {
			t.Errorf("got %q with hint %q, want %q", got, test.got.Hint, test.want)
		}
	}
	if app.Component("nobody") != nil {
		t.Error("found a component that is not there")
	}
}

func TestFind(t *testing.T) {
	dir := write(t, map[string]string{
		"repo/.git/HEAD":        "",
		"repo/spin.toml":        "",
		"repo/a/b/x":            "",
		"repo/a/spin.toml/x":    "", // a directory of that name is none
		"plain/deep/x":          "",
		"plain/.git":            "", // as in a worktree
		"spin.toml":             "", // beyond the git roots
		"none/.git/HEAD":        "",
		"none/inside/further/x": "",
	})
	tests := []struct{ start, want string }{
		{"repo", "repo/spin.toml"},
		{"repo/a/b", "repo/spin.toml"},
		{"plain/deep", ""},
		{"none/inside/further", ""},
		{".", "spin.toml"},
	}
	for _, test := range tests {
		got, err := Find(filepath.Join(dir, test.start))
		if test.want == "" {
			if !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "-f") {
				t.Errorf("%s: %q, %v; want ErrNotFound with directions", test.start, got, err)
			}
			continue
		}
		if err != nil || got != filepath.Join(dir, filepath.FromSlash(test.want)) {
			t.Errorf("%s: %q, %v; want %s", test.start, got, err, test.want)
		}
	}
}

// Twenty parents are looked into, not twenty-one.
func TestFindStopsAfterTwentyParents(t *testing.T) {
	dir := write(t, map[string]string{"spin.toml": ""})
	at := dir
	for range 21 {
		at = filepath.Join(at, "d")
	}
	if err := os.MkdirAll(at, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := Find(at); !errors.Is(err, ErrNotFound) {
		t.Errorf("21 levels up: %v, want ErrNotFound", err)
	}
	if _, err := Find(filepath.Dir(at)); err != nil {
		t.Errorf("20 levels up: %v", err)
	}
}

// A hostile file may be wrong in very many ways; the report stays readable, and
// is made in reasonable time.
func TestManyErrors(t *testing.T) {
	var b strings.Builder
	b.WriteString(minimal)
	for i := range 5000 {
		b.WriteString("key-" + strings.Repeat("x", i%50) + "-" + strconv.Itoa(i) + " = 1\n")
	}
	_, err := Parse([]byte(b.String()), "spin.toml", "", Options{Purpose: ToBuild})
	var e *Error
	if !errors.As(err, &e) || len(e.Diagnostics) != 5000 {
		t.Fatalf("error is %T", err)
	}
	if text := e.Error(); !strings.HasSuffix(text, "… and 4970 more") {
		t.Errorf("report ends in %q", text[len(text)-40:])
	}
}

func TestTriggerDiagnose(t *testing.T) {
	text := minimal + "[[trigger.redis]]\ncomponent = \"hello\"\nchannel = \"c\"\n"
	app, err := Parse([]byte(text), "spin.toml", "", Options{Purpose: ToBuild})
	if err != nil {
		t.Fatal(err)
	}
	got, _, _ := strings.Cut(app.Other[0].Diagnose("not served", "").String(), "\n")
	if want := "spin.toml:10:11: trigger.redis[0]: not served"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Deeply nested values must end in an error and not on the stack's end.
func TestDeepNesting(t *testing.T) {
	for _, text := range []string{
		"a = " + strings.Repeat("[", maxSize/20) + strings.Repeat("]", maxSize/20),
		"a = " + strings.Repeat("[", maxSize/10),
	} {
		if _, err := Parse([]byte(text), "spin.toml", "", Options{}); err == nil {
			t.Error("nesting without end was accepted")
		}
	}
}

// What the system says of a path through a file differs by system; that it is
// reported, and under the name it has in the manifest, does not.
func TestSourceThroughAFile(t *testing.T) {
	dir := write(t, map[string]string{"hello.wasm": ""})
	text := strings.Replace(minimal, "hello.wasm", "hello.wasm/x.wasm", 1)
	_, err := Parse([]byte(text), "spin.toml", dir, Options{})
	if err == nil || !strings.Contains(err.Error(), `component.hello.source: source "hello.wasm/x.wasm"`) || strings.Contains(err.Error(), dir) {
		t.Errorf("got %v", err)
	}
}
