package reload

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestPatterns(t *testing.T) {
	dir := t.TempDir()
	for _, f := range []string{
		"Cargo.toml", "src/lib.rs", "src/deep/er/mod.rs", "src/notes.txt", "target/debug/x.rs", ".git/a.rs",
		"node_modules/m/index.js", "static/a.html", "static/sub/b.html", "a1.py", "ab.py",
	} {
		write(t, filepath.Join(dir, f), f)
	}
	for _, test := range []struct {
		glob string
		want string
	}{
		{"src/**/*.rs", "src/deep/er/mod.rs src/lib.rs"},
		{"**/*.rs", "src/deep/er/mod.rs src/lib.rs"},
		{"target/**/*.rs", "target/debug/x.rs"},
		{"*/debug/*.rs", "target/debug/x.rs"},
		{"Cargo.toml", "Cargo.toml"},
		{"./Cargo.toml", "Cargo.toml"},
		{"static", "static/a.html static/sub/b.html"},
		{"static/*", "static/a.html"},
		{"static/**", "static/a.html static/sub/b.html"},
		{"static/**/*", "static/a.html static/sub/b.html"},
		{"s*/*.html", "static/a.html"},
		{"s*/**/**/*.html", "static/a.html static/sub/b.html"},
		{"a?.py", "a1.py ab.py"},
		{"a[0-9].py", "a1.py"},
		{"a[!0-9].py", "ab.py"},
		{"to-come.toml", "to-come.toml"},
		{"none/*.rs", ""},
		{"[bad", ""},
	} {
		var got []string
		dirs := 0
		Pattern{dir, test.glob}.find(func(string) { dirs++ }, func(f string) {
			rel, err := filepath.Rel(dir, f)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, filepath.ToSlash(rel))
		})
		slices.Sort(got)
		if s := strings.Join(slices.Compact(got), " "); s != test.want {
			t.Errorf("%s: got %q, want %q", test.glob, s, test.want)
		}
		if dirs > 20 {
			t.Errorf("%s: %d directories", test.glob, dirs)
		}
	}
}

func TestPatternOfALoop(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.rs"), "")
	if err := os.Symlink(dir, filepath.Join(dir, "loop")); err != nil {
		t.Skip(err)
	}
	n := 0
	Pattern{dir, "**/*.rs"}.find(func(string) {}, func(string) { n++ })
	if n == 0 || n > maxDepth+1 {
		t.Errorf("%d files", n)
	}
}

// TestNoticed has ways in which a file comes to have other content, each of which
// must end a Wait and change the snapshot.
func TestNoticed(t *testing.T) {
	for _, test := range []struct {
		name   string
		setUp  func(t *testing.T, dir string)
		change func(t *testing.T, dir string)
	}{
		{"written", nil, func(t *testing.T, dir string) { write(t, filepath.Join(dir, "app.wasm"), "new") }},
		{"of the same length", nil, func(t *testing.T, dir string) { write(t, filepath.Join(dir, "app.wasm"), "OLD") }},
		{"replaced by renaming", nil, func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, ".app.wasm.swp"), "new")
			rename(t, filepath.Join(dir, ".app.wasm.swp"), filepath.Join(dir, "app.wasm"))
		}},
		{"moved away and written anew", nil, func(t *testing.T, dir string) {
			rename(t, filepath.Join(dir, "app.wasm"), filepath.Join(dir, "app.wasm~"))
			write(t, filepath.Join(dir, "app.wasm"), "new")
		}},
		{"removed", nil, func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, "app.wasm")); err != nil {
				t.Error(err)
			}
		}},
		{"with its directory", nil, func(t *testing.T, dir string) {
			if err := os.RemoveAll(filepath.Join(dir, "build")); err != nil {
				t.Error(err)
			}
			write(t, filepath.Join(dir, "build/release/out.wasm"), "new")
		}},
		{"in a directory that was replaced", nil, func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "next/release/out.wasm"), "new")
			rename(t, filepath.Join(dir, "build"), filepath.Join(dir, "old"))
			rename(t, filepath.Join(dir, "next"), filepath.Join(dir, "build"))
		}},
		{"by a link that was replaced", func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "v1/linked.wasm"), "old")
			write(t, filepath.Join(dir, "v2/linked.wasm"), "new")
			link(t, "v1", filepath.Join(dir, "current"))
			link(t, filepath.Join("current", "linked.wasm"), filepath.Join(dir, "linked.wasm"))
		}, func(t *testing.T, dir string) {
			link(t, "v2", filepath.Join(dir, "tmp"))
			rename(t, filepath.Join(dir, "tmp"), filepath.Join(dir, "current"))
		}},
		{"behind a link", func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "elsewhere/real.wasm"), "old")
			link(t, filepath.Join("elsewhere", "real.wasm"), filepath.Join(dir, "linked.wasm"))
		}, func(t *testing.T, dir string) { write(t, filepath.Join(dir, "elsewhere/real.wasm"), "new") }},
		{"in a new directory of a pattern", nil, func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "src/new/mod.rs"), "mod")
		}},
		{"that was to come", nil, func(t *testing.T, dir string) { write(t, filepath.Join(dir, "a/b/later.wasm"), "new") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "app.wasm"), "old")
			write(t, filepath.Join(dir, "build/release/out.wasm"), "old")
			write(t, filepath.Join(dir, "src/lib.rs"), "lib")
			if test.setUp != nil {
				if runtime.GOOS == "windows" {
					t.Skip("symbolic links need a privilege here")
				}
				test.setUp(t, dir)
			}
			w := NewWatcher(10*time.Millisecond, func(err error) { t.Log(err) })
			defer w.Close()
			in := Inputs{Patterns: []Pattern{{dir, "src/**/*.rs"}}}
			for _, f := range []string{"app.wasm", "build/release/out.wasm", "linked.wasm", "a/b/later.wasm"} {
				in.Files = append(in.Files, filepath.Join(dir, f))
			}
			before := w.Scan(in)[0]
			if again := w.Scan(in)[0]; len(before.Changed(again)) != 0 {
				t.Fatalf("changed by themselves: %v", before.Changed(again))
			}
			test.change(t, dir)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			for {
				if err := w.Wait(ctx); err != nil {
					t.Fatal("the change was not noticed")
				}
				if len(before.Changed(w.Scan(in)[0])) > 0 {
					return
				}
			}
		})
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, to, path string) {
	t.Helper()
	if err := os.Symlink(to, path); err != nil {
		t.Fatal(err)
	}
}

func TestExcluded(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a"), "a")
	write(t, filepath.Join(dir, "out"), "out")
	w := NewWatcher(0, nil)
	defer w.Close()
	s := w.Scan(Inputs{Patterns: []Pattern{{dir, "*"}}, Exclude: []string{filepath.Join(dir, "out")}})[0]
	if len(s) != 1 {
		t.Errorf("got %v", s)
	}
}

func TestWaitInTheMidstOfEvents(t *testing.T) {
	dir := t.TempDir()
	w := NewWatcher(40*time.Millisecond, nil)
	defer w.Close()
	w.Scan(Inputs{Files: []string{filepath.Join(dir, "a")}})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			_ = os.WriteFile(filepath.Join(dir, "noise"), nil, 0o644)
			time.Sleep(5 * time.Millisecond)
		}
	}()
	defer func() { cancel(); <-done }()
	limit, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	if err := w.Wait(limit); err != nil {
		t.Error("Wait waits for ever when something happens all the time")
	}
}

func TestPollingWithoutEvents(t *testing.T) {
	var warned error
	w := NewWatcher(0, func(err error) { warned = err })
	w.Close()
	w.fs = nil
	w.pollFor(os.ErrPermission)
	path := filepath.Join(t.TempDir(), "a")
	before := w.Scan(Inputs{Files: []string{path}})[0]
	write(t, path, "new")
	if err := w.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(before.Changed(w.Scan(Inputs{Files: []string{path}})[0])) != 1 || warned == nil {
		t.Errorf("not noticed, or no warning: %v", warned)
	}
}
