//go:build linux || darwin

package files

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/minispin/minispin/wit/bindings/wasi/filesystem/types"
)

// opened opens a directory beneath h.
func opened(t *testing.T, h *Handle, path string) *Handle {
	t.Helper()
	d, err := h.Open(0, path, types.OpenFlagsDirectory, read)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Names go from one open directory to another beneath the same mount, and nowhere
// else.
func TestBetweenDirectories(t *testing.T) {
	dir, h := tree(t, ReadWrite)
	if err := h.CreateDirectory("other"); err != nil {
		t.Fatal(err)
	}
	sub, other := opened(t, h, "sub"), opened(t, h, "other")
	for _, step := range []struct {
		what string
		err  error
		want error
		at   string // what is there after all of them
	}{
		{"link", h.Link(0, "a.txt", sub, "linked"), nil, "back"},
		{"rename", sub.Rename("linked", other, "moved"), nil, "back"},
		{"rename up", other.Rename("moved", h, "back"), nil, "back"},
		{"rename a directory", h.Rename("other", sub, "inner"), nil, "sub/inner"},
		{"from a directory that has moved", other.CreateDirectory("new"), nil, "sub/inner/new"},
		{"a directory over an empty one", other.Rename("new", sub, "inner/new/"), nil, "sub/inner/new"},
		{"a directory into itself", sub.Rename("inner", other, "x"), types.ErrorCodeInvalid, "sub/inner"},
		{"over a full one", h.Rename("sub", sub, "inner"), types.ErrorCodeInvalid, "sub"},
		{"above the new directory", h.Rename("a.txt", sub, "../stolen"), types.ErrorCodeNotPermitted, "a.txt"},
		{"above the old directory", sub.Rename("../a.txt", h, "stolen"), types.ErrorCodeNotPermitted, "a.txt"},
		{"link above", sub.Link(0, "../a.txt", h, "stolen"), types.ErrorCodeNotPermitted, "a.txt"},
		{"link a link", h.Link(0, "outside", sub, "outside"), nil, "sub/outside"},
		{"link a directory", h.Link(0, "sub", h, "sub2"), types.ErrorCodeNotPermitted, "sub"},
		{"link over", h.Link(0, "a.txt", h, "back"), types.ErrorCodeExist, "back"},
		{"a file to a name with a slash", h.Rename("a.txt", h, "b/"), types.ErrorCodeNotDirectory, "a.txt"},
		{"link to a name with a slash", h.Link(0, "a.txt", h, "b/"), types.ErrorCodeNoEntry, "a.txt"},
		{"link to a directory with a slash", h.Link(0, "a.txt", h, "sub/"), types.ErrorCodeExist, "a.txt"},
		{"link to a file with a slash", h.Link(0, "a.txt", h, "back/"), types.ErrorCodeNotDirectory, "a.txt"},
		{"symlink to a name with a slash", h.Symlink("a.txt", "b/"), types.ErrorCodeNoEntry, "a.txt"},
		{"symlink to a directory with a slash", h.Symlink("a.txt", "sub/"), types.ErrorCodeExist, "sub"},
		{"symlink to a file with a slash", h.Symlink("a.txt", "back/"), types.ErrorCodeNotDirectory, "back"},
		{"a file over a directory", h.Rename("a.txt", h, "sub"), types.ErrorCodeIsDirectory, "a.txt"},
		{"a directory over a file", h.Rename("sub", h, "a.txt"), types.ErrorCodeNotDirectory, "sub"},
	} {
		if step.err != step.want {
			t.Errorf("%s: %v, want %v", step.what, step.err, step.want)
		}
		if _, err := os.Lstat(filepath.Join(dir, step.at)); err != nil {
			t.Errorf("%s: %v", step.what, err)
		}
	}
	if _, err := sub.Open(follow, "outside", 0, read); err != types.ErrorCodeNotPermitted {
		t.Errorf("open through the link's second name: %v", err)
	}
	file, err := h.Open(0, "a.txt", 0, read)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Rename("a.txt", file, "x"); err != types.ErrorCodeNotDirectory {
		t.Errorf("rename into a file: %v", err)
	}
}

func TestBetweenMounts(t *testing.T) {
	_, h := tree(t, ReadWrite)
	_, other := tree(t, ReadWrite)
	_, readOnly := tree(t, ReadOnly)
	for what, got := range map[string]error{
		"rename": h.Rename("a.txt", other, "x"),
		"link":   h.Link(0, "a.txt", other, "x"),
	} {
		if got != types.ErrorCodeCrossDevice {
			t.Errorf("%s: %v", what, got)
		}
	}
	for what, got := range map[string]error{
		"rename to":   h.Rename("a.txt", readOnly, "x"),
		"rename from": readOnly.Rename("a.txt", h, "x"),
		"link to":     h.Link(0, "a.txt", readOnly, "x"),
		"link from":   readOnly.Link(0, "a.txt", h, "x"),
	} {
		if got != types.ErrorCodeReadOnly {
			t.Errorf("%s what is read-only: %v", what, got)
		}
	}
}

func TestSetTimes(t *testing.T) {
	dir, h := tree(t, ReadWrite)
	f, err := h.Open(0, "a.txt", 0, read)
	if err != nil {
		t.Fatal(err)
	}
	first, second := time.Unix(1_000_000_000, 123_456_000), time.Unix(1_100_000_000, 654_321_000)
	late := time.Unix(1<<40, 0)
	for _, tt := range []struct {
		what           string
		err, want      error
		path           string
		access, change time.Time
	}{
		{"a file", f.SetTimes(first, second), nil, "a.txt", first, second},
		{"half of a file's", f.SetTimes(time.Time{}, first), nil, "a.txt", first, first},
		{"a directory", h.SetTimes(first, second), nil, ".", first, second},
		{"by name", h.SetTimesAt(0, "sub/", second, first), nil, "sub", second, first},
		{"through a link", h.SetTimesAt(follow, "intosub", first, second), nil, "sub", first, second},
		{"a link", h.SetTimesAt(0, "outside", second, second), nil, "outside", second, second},
		{"half of a link's", h.SetTimesAt(0, "outside", first, time.Time{}), nil, "outside", first, second},
		{"through a link that leads out", h.SetTimesAt(follow, "outside", first, first), types.ErrorCodeNotPermitted, "outside", first, second},
		{"too late", f.SetTimes(first, late), types.ErrorCodeOverflow, "a.txt", first, first},
		{"too late by name", h.SetTimesAt(0, "sub", late, first), types.ErrorCodeOverflow, "sub", first, second},
		{"of no file", h.SetTimesAt(0, "a.txt/", first, first), types.ErrorCodeNotDirectory, "a.txt", first, first},
	} {
		if tt.err != tt.want {
			t.Errorf("%s: %v, want %v", tt.what, tt.err, tt.want)
		}
	}
	for path, want := range map[string][2]time.Time{
		"a.txt": {first, first}, "sub": {first, second}, "outside": {first, second},
	} {
		i, err := os.Lstat(filepath.Join(dir, path))
		if err != nil {
			t.Fatal(err)
		}
		// To follow a link is an access.
		if got := stat(i); !got.Modified.Equal(want[1]) || path != "outside" && !got.Accessed.Equal(want[0]) {
			t.Errorf("%s was used %v, changed %v; want %v", path, got.Accessed, got.Modified, want)
		}
	}
	if after, err := os.Lstat(filepath.Join(dir, "../secret")); err != nil || !after.ModTime().After(second) {
		t.Errorf("the secret has changed: %v", err)
	}
}
