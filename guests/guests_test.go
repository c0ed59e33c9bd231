package guests

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestCommitted(t *testing.T) {
	const (
		largest  = 300 << 10
		together = 2 << 20
	)
	// What a path of the building machine starts with.
	paths := []string{"/root/", "/home/", "/work/", "/usr/", "/Users/", ".cargo/"}

	total := 0
	for _, name := range Committed() {
		wasm := Wasm(t, name)
		total += len(wasm)
		if !bytes.HasPrefix(wasm, []byte("\x00asm")) {
			t.Errorf("%s is not WebAssembly", name)
		}
		if len(wasm) > largest {
			t.Errorf("%s has %d bytes, more than %d", name, len(wasm), largest)
		}
		for _, path := range paths {
			if at := bytes.Index(wasm, []byte(path)); at >= 0 {
				t.Errorf("%s contains a path of the machine it was built on: %q", name, wasm[at:min(at+80, len(wasm))])
			}
		}
	}
	if total > together {
		t.Errorf("the committed guests have %d bytes together, more than %d", total, together)
	}
}

func TestBinHoldsOnlyKnownGuests(t *testing.T) {
	found, err := filepath.Glob("bin/*.wasm")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range found {
		if name := strings.TrimSuffix(filepath.Base(file), ".wasm"); !slices.Contains(committed, name) {
			t.Errorf("%s belongs to no guest", file)
		}
	}
}

func TestEveryGuestIsDescribed(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range Names() {
		if !bytes.Contains(readme, []byte("| `"+name+"` |")) {
			t.Errorf("README.md has no row for %s", name)
		}
	}
}

func TestNamesAgreeWithScript(t *testing.T) {
	got, err := build(bash(t), ".", "--list")
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Sorted(slices.Values(Names()))
	if names := slices.Sorted(slices.Values(strings.Fields(got))); !slices.Equal(names, want) {
		t.Errorf("build.sh --list: %q; Names(): %q", names, want)
	}
}

func TestFind(t *testing.T) {
	bash(t)
	const name = "py-wasi-http"

	t.Run("unknown", func(t *testing.T) {
		_, err := find("nobody")
		if err == nil || !strings.Contains(err.Error(), `no guest "nobody"`) || !strings.Contains(err.Error(), "c-wagi") {
			t.Errorf("want an error with the name and the guests there are, got %v", err)
		}
	})
	t.Run("not cached", func(t *testing.T) {
		t.Setenv("MINISPIN_GUEST_CACHE", t.TempDir())
		t.Setenv(BuildEnv, "")
		wantMissing(t, name, "not in the cache")
	})
	t.Run("cached", func(t *testing.T) {
		cache := t.TempDir()
		t.Setenv("MINISPIN_GUEST_CACHE", cache)
		path, err := build(bash(t), ".", "--path", name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(path, cache) {
			t.Fatalf("want a path in %s, got %s", cache, path)
		}
		want := []byte("\x00asm, or so")
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
		if got := Wasm(t, name); !bytes.Equal(got, want) {
			t.Errorf("want the cached file, got %q", got)
		}
	})
	t.Run("no interpreter", func(t *testing.T) {
		t.Setenv("MINISPIN_GUEST_CACHE", t.TempDir())
		t.Setenv(BuildEnv, "build")
		t.Setenv("PATH", onlyScriptTools(t))
		wantMissing(t, name, "python3 is not installed")
	})
	t.Run("broken build", func(t *testing.T) {
		t.Setenv("MINISPIN_GUEST_CACHE", t.TempDir())
		t.Setenv(BuildEnv, "build")
		tools := onlyScriptTools(t)
		t.Setenv("PATH", tools)
		script := "#!/bin/sh\necho no such luck >&2\nexit 1\n"
		if err := os.WriteFile(filepath.Join(tools, "python3"), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		_, err := find(name)
		if err == nil || errors.As(err, new(*missingError)) || !strings.Contains(err.Error(), "no such luck") {
			t.Errorf("want the build's own words, got %v", err)
		}
	})
}

func wantMissing(t *testing.T, name, reason string) {
	t.Helper()
	_, err := find(name)
	var missing *missingError
	if !errors.As(err, &missing) || missing.name != name || !strings.Contains(missing.reason, reason) {
		t.Errorf("want guest %s missing since %s, got %v", name, reason, err)
	}
}

// onlyScriptTools makes a folder with what build.sh needs to find its way, and
// nothing that builds a guest.
func onlyScriptTools(t *testing.T) string {
	dir := t.TempDir()
	for _, tool := range []string{"bash", "sh", "cat", "cut", "dirname", "find", "mkdir", "mktemp", "rm", "sha256sum", "shasum", "sort"} {
		path, err := exec.LookPath(tool)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, exec.ErrNotFound) {
			continue // sha256sum and shasum: one of them is enough
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(dir, tool)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func bash(t *testing.T) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("build.sh is for Unix")
	}
	path, err := exec.LookPath("bash")
	if err != nil {
		t.Skip(err)
	}
	return path
}
