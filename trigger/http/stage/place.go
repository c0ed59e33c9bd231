package stage

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/minispin/minispin/manifest"
)

// place is an opened directory, out of which no name and no symbolic link leads.
// Names in it are clean and have slashes.
type place struct {
	root *os.Root
	path string // of the host, absolute
	// outside is the way from the application's directory, with slashes; "" for that
	// directory itself.
	outside string
}

func openPlace(path, outside string) (*place, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	return &place{root: root, path: path, outside: outside}, nil
}

func (p *place) close() { _ = p.root.Close() } // it was only read

// host returns the path that a name in p has for the host.
func (p *place) host(name string) string { return filepath.Join(p.path, filepath.FromSlash(name)) }

// fromApp returns the path of a name in p as exclude_files see it.
func (p *place) fromApp(name string) string { return path.Join(p.outside, name) }

func (p *place) stat(name string) (fs.FileInfo, error) { return p.root.Stat(filepath.FromSlash(name)) }

// entries returns what is in a directory, sorted.
func (p *place) entries(name string) ([]fs.DirEntry, error) {
	f, err := p.root.Open(filepath.FromSlash(name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, err
}

// locate returns where a source of the manifest is. A place other than here is
// the caller's to close.
func locate(m *manifest.App, here *place, source string) (at *place, name string, err error) {
	if local := filepath.FromSlash(source); filepath.IsLocal(local) {
		return here, path.Clean(filepath.ToSlash(local)), nil
	}
	full := m.Resolve(source)
	dir, name := full, "."
	info, err := os.Stat(full)
	if err != nil {
		return nil, "", err
	}
	if !info.IsDir() {
		dir, name = filepath.Dir(full), filepath.Base(full)
	}
	outside := filepath.ToSlash(dir)
	if rel, err := filepath.Rel(m.Dir, dir); err == nil {
		outside = filepath.ToSlash(rel)
	}
	at, err = openPlace(dir, outside)
	return at, name, err
}

// escapes reports whether err is that of an os.Root about a path that leads out of
// it. Package os has no name for that.
func escapes(err error) bool {
	at, ok := errors.AsType[*fs.PathError](err)
	return ok && at.Err.Error() == "path escapes from parent"
}

// cause returns what went wrong without the path, which is in another form than
// the one in the manifest.
func cause(err error) error {
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		return at.Err
	}
	return err
}

// kindOf says what a file is that is neither regular nor a directory.
func kindOf(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeNamedPipe != 0:
		return "a FIFO"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "no regular file"
}
