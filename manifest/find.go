package manifest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// FileName is the manifest's usual name.
const FileName = "spin.toml"

// maxParents bounds how far up Find looks.
const maxParents = 20

// ErrNotFound is the error [Find] wraps when there is no manifest.
var ErrNotFound = errors.New("no " + FileName + " found")

// Find looks for spin.toml in the directory start and then in up to 20 of its
// parents, not going above the root of a git working tree. It returns the
// manifest's path, which is absolute, or an error that wraps [ErrNotFound].
func Find(start string) (string, error) {
	first, err := filepath.Abs(start)
	if err != nil {
		return "", fmt.Errorf("looking for %s: %w", FileName, err)
	}
	dir := first
	for range maxParents + 1 {
		path := filepath.Join(dir, FileName)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, nil
		}
		// .git is a directory in a clone but a file in a worktree.
		if _, err := os.Stat(filepath.Join(dir, ".git")); err == nil {
			break
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			break
		}
		dir = parent
	}
	where := "in " + first
	if dir != first {
		where += " or its parents up to " + dir
	}
	return "", fmt.Errorf("%w %s; name a manifest with -f", ErrNotFound, where)
}
