package component

import (
	"context"
	"crypto/sha256"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/minispin/minispin/internal/cwasm"
)

const tinyModule = `(module (func (export "_start")) (memory (export "memory") 1))`

// cacheEngine makes an engine with a cache in dir.
func cacheEngine(t testing.TB, dir string) *Engine {
	t.Helper()
	e, err := NewEngine(EngineConfig{CacheDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

func compileWat(t testing.TB, e *Engine, text string) *Component {
	t.Helper()
	return compiled(t, e, "tiny", text)
}

func onlyFile(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("the cache holds %v, %v; want one file", files, err)
	}
	return files[0]
}

// loads reports whether the cache has the module of tinyModule.
func loads(t *testing.T, e *Engine) bool {
	t.Helper()
	wasm, err := cwasm.Wat(tinyModule)
	if err != nil {
		t.Fatal(err)
	}
	m := e.cache.load(e.core, sha256.Sum256(wasm))
	if m == nil {
		return false
	}
	m.Close()
	return true
}

func TestCacheKeepsCode(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "by", "it")
	e := cacheEngine(t, dir)
	if loads(t, e) {
		t.Fatal("an empty cache has the module")
	}
	compileWat(t, e, tinyModule)
	if !loads(t, e) {
		t.Fatal("the module was not kept")
	}
	// What was loaded runs.
	pre, err := NewLinker().Link(compileWat(t, cacheEngine(t, dir), tinyModule))
	if err != nil {
		t.Fatal(err)
	}
	defer pre.Close()
	in, err := pre.Instantiate(context.Background(), InstantiateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	start, ok := pre.CoreFunc("_start")
	if !ok {
		t.Fatal("no _start")
	}
	if err := in.CallCore(start, nil); err != nil {
		t.Fatal(err)
	}
}

// TestCacheRefusesUnfitFiles damages the file in every way it can be damaged.
func TestCacheRefusesUnfitFiles(t *testing.T) {
	flip := func(at func(size int) int) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			b[at(len(b))] ^= 0x10
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	cut := func(n int64) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			st, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			mtime := st.ModTime()
			if err := os.Truncate(path, max(st.Size()-n, 0)); err != nil {
				t.Fatal(err)
			}
			// Not even the right time makes up for it.
			if err := os.Chtimes(path, time.Time{}, mtime); err != nil {
				t.Fatal(err)
			}
		}
	}
	tests := map[string]func(*testing.T, string){
		"first byte":      flip(func(int) int { return 0 }),
		"code":            flip(func(n int) int { return n / 2 }),
		"last code byte":  flip(func(n int) int { return n - trailerSize - 1 }),
		"magic":           flip(func(n int) int { return n - trailerSize }),
		"length":          flip(func(n int) int { return n - trailerSize + len(trailerMagic) }),
		"time":            flip(func(n int) int { return n - trailerSize + len(trailerMagic) + 8 }),
		"hash":            flip(func(n int) int { return n - 1 }),
		"one byte short":  cut(1),
		"half":            cut(8 << 10),
		"without trailer": cut(int64(trailerSize)),
		"empty":           cut(1 << 30),
	}
	if runtime.GOOS != "windows" {
		tests["written by others"] = func(t *testing.T, path string) {
			if err := os.Chmod(path, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		tests["directory"] = func(t *testing.T, path string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, damage := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			e := cacheEngine(t, dir)
			compileWat(t, e, tinyModule)
			path := onlyFile(t, dir)
			damage(t, path)
			if loads(t, e) {
				t.Fatal("the damaged file was loaded")
			}
			if name == "directory" {
				compileWat(t, e, tinyModule) // compiles, and cannot keep it
				return
			}
			compileWat(t, e, tinyModule)
			if onlyFile(t, dir); !loads(t, e) {
				t.Error("the damaged file was not replaced")
			}
		})
	}
}

// A copied file has another time: it is hashed once, and then trusted again.
func TestCacheChecksCopiedFiles(t *testing.T) {
	dir := t.TempDir()
	e := cacheEngine(t, dir)
	compileWat(t, e, tinyModule)
	path := onlyFile(t, dir)
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, time.Time{}, before.ModTime().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	if !loads(t, e) {
		t.Fatal("a sound copy was refused")
	}
	after, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if !after.ModTime().Equal(before.ModTime()) {
		t.Errorf("the time is %v, want %v back", after.ModTime(), before.ModTime())
	}
}

func TestCacheOfAnotherEngine(t *testing.T) {
	dir := t.TempDir()
	compileWat(t, cacheEngine(t, dir), tinyModule)
	e := cacheEngine(t, dir)
	e.cache.fingerprint = "of another machine"
	if loads(t, e) {
		t.Error("code of another fingerprint was loaded")
	}
}

func TestCacheDirectoryOpenToOthers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("file modes do not say who may write")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := NewEngine(EngineConfig{CacheDir: dir}); err == nil {
		t.Error("a directory that others can write was taken")
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := NewEngine(EngineConfig{CacheDir: file}); err == nil {
		t.Error("a file was taken for a directory")
	}
}

func TestCacheSharedByMany(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	for range 8 {
		e := cacheEngine(t, dir)
		wg.Go(func() {
			wasm, err := cwasm.Wat(tinyModule)
			if err != nil {
				t.Error(err)
				return
			}
			for range 4 {
				c, err := e.Compile(context.Background(), "tiny", wasm, CompileOptions{})
				if err != nil {
					t.Error(err)
					return
				}
				c.Close()
			}
		})
	}
	wg.Wait()
	onlyFile(t, dir) // and no temporary one
}
