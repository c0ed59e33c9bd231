package reload

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Pattern is a glob pattern and the directory it starts from. As in Spin, *
// and ? match within a path element, ** any number of whole elements, and [abc],
// [!abc] a character of a set. A pattern without any of these names a file, or a
// directory with everything below it.
type Pattern struct {
	Dir  string // absolute
	Glob string // with slashes
}

// skipped are directories that are not looked into unless a pattern names them:
// they hold what tools make, at times in great numbers.
var skipped = map[string]bool{".git": true, ".spin": true, "node_modules": true, "target": true}

// base splits the pattern into the directory in which to look, and the elements
// to match below it.
func (p Pattern) base() (dir string, rest []string) {
	glob := path.Clean(filepath.ToSlash(p.Glob))
	if vol := filepath.VolumeName(filepath.FromSlash(glob)); vol != "" || strings.HasPrefix(glob, "/") {
		dir, glob = vol+string(filepath.Separator), strings.TrimPrefix(glob[len(vol):], "/")
	} else {
		dir = p.Dir
	}
	elems := strings.Split(glob, "/")
	for len(elems) > 0 && !strings.ContainsAny(elems[0], "*?[") {
		dir = filepath.Join(dir, elems[0])
		elems = elems[1:]
	}
	return dir, elems
}

// find calls dir with every directory that has to be watched to notice a change of
// what the pattern matches, and file with every file that it matches.
func (p Pattern) find(dir, file func(path string)) {
	base, elems := p.base()
	if len(elems) == 0 {
		info, err := os.Stat(base)
		if err != nil || !info.IsDir() {
			file(base) // may be missing, and still to come
			return
		}
		elems = []string{"**"}
	}
	p.walk(base, elems, dir, file, 0)
}

// maxDepth bounds how deep directories are looked into, so that links which lead
// upwards come to an end.
const maxDepth = 32

func (p Pattern) walk(at string, elems []string, dir, file func(string), depth int) {
	if depth > maxDepth {
		return
	}
	dir(at)
	entries, err := os.ReadDir(at)
	if err != nil {
		return
	}
	for _, e := range entries {
		full := filepath.Join(at, e.Name())
		isDir := e.IsDir()
		if e.Type()&fs.ModeSymlink != 0 {
			info, err := os.Stat(full)
			isDir = err == nil && info.IsDir()
		}
		if isDir {
			for _, rest := range after(elems, e.Name()) {
				p.walk(full, rest, dir, file, depth+1)
			}
			continue
		}
		if matchesAll(elems, e.Name()) {
			file(full)
		}
	}
}

// after returns what is left to match below the directory name, in each of the
// ways that elems can match it.
func after(elems []string, name string) (ways [][]string) {
	switch {
	case len(elems) == 0:
		return nil
	case elems[0] == "**":
		if len(elems) > 1 {
			ways = after(elems[1:], name)
		}
		for _, w := range ways {
			if len(w) > 0 && w[0] == "**" {
				return ways // goes everywhere already
			}
		}
		if !skipped[name] {
			ways = append(ways, elems)
		}
	case len(elems) > 1 && matches(elems[0], name):
		ways = append(ways, elems[1:])
	}
	return ways
}

// matchesAll reports whether elems match the file name alone.
func matchesAll(elems []string, name string) bool {
	for len(elems) > 1 && elems[0] == "**" {
		elems = elems[1:]
	}
	return len(elems) == 1 && (elems[0] == "**" || matches(elems[0], name))
}

func matches(elem, name string) bool {
	ok, err := path.Match(strings.ReplaceAll(elem, "[!", "[^"), name)
	return ok && err == nil
}
