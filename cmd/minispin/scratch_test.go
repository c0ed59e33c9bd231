//go:build darwin || linux

package main

import (
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestScratch(t *testing.T) {
	parent := filepath.Join(t.TempDir(), "new", "parent")
	alive := &scratch{parent: parent}
	dir, err := alive.path()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := alive.path(); again != dir || err != nil || alive.made() != dir {
		t.Errorf("asked again: %q, %v", again, err)
	}
	// One whose process was killed, and others that look like it.
	dead := &scratch{parent: parent}
	left, err := dead.path()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(left, "copy"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := dead.lock.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"minispin-somebody", "other"} {
		if err := os.Mkdir(filepath.Join(parent, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(parent, "other", scratchLock), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(parent, "other"), filepath.Join(parent, "minispin-link")); err != nil {
		t.Fatal(err)
	}

	third := &scratch{parent: parent}
	if _, err := third.path(); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{dir: true, left: false, filepath.Join(parent, "minispin-somebody"): true, filepath.Join(parent, "other", scratchLock): true} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s: %v", path, err)
		}
	}
	for _, s := range []*scratch{alive, third, {}} {
		if err := s.remove(); err != nil {
			t.Error(err)
		}
		if _, err := s.path(); err == nil {
			t.Error("there is a directory after the end")
		}
	}
	if got := names(t, parent); !slices.Equal(got, []string{"minispin-link", "minispin-somebody", "other"}) {
		t.Errorf("left: %q", got)
	}
}

// Processes that start together do not take each other's directories away.
func TestScratchTogether(t *testing.T) {
	parent := t.TempDir()
	all := make([]scratch, 50)
	var g sync.WaitGroup
	for i := range all {
		all[i].parent = parent
		g.Go(func() {
			if _, err := all[i].path(); err != nil {
				t.Error(err)
			}
		})
	}
	g.Wait()
	if got := names(t, parent); len(got) != len(all) {
		t.Errorf("%d directories for %d processes", len(got), len(all))
	}
	for i := range all {
		if err := all[i].remove(); err != nil {
			t.Error(err)
		}
	}
}
