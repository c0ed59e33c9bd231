package reload

import (
	"crypto/sha256"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Inputs are the files that something is made from.
type Inputs struct {
	Files    []string // absolute paths; one that does not exist may come
	Patterns []Pattern
	// Find, if set, names more files: it calls dir with every directory in which a
	// change can make a difference to what they are, and file with every file. It is
	// called again to find what has come meanwhile.
	Find func(dir, file func(path string))
	// Exclude are absolute paths that Patterns do not match: what a build makes
	// is none of its inputs.
	Exclude []string
}

// Snapshot is what was in files at a time: a digest for each. A file that does
// not exist, or cannot be read, is not in it.
type Snapshot map[string][sha256.Size]byte

// Changed returns the paths of the files that differ between s and newer, sorted.
func (s Snapshot) Changed(newer Snapshot) []string {
	var paths []string
	for p, d := range s {
		if n, ok := newer[p]; !ok || n != d {
			paths = append(paths, p)
		}
	}
	for p := range newer {
		if _, ok := s[p]; !ok {
			paths = append(paths, p)
		}
	}
	slices.Sort(paths)
	return paths
}

// without returns s without some paths.
func (s Snapshot) without(paths map[string]bool) Snapshot {
	if len(paths) == 0 {
		return s
	}
	out := Snapshot{}
	for p, d := range s {
		if !paths[p] {
			out[p] = d
		}
	}
	return out
}

// find returns the files there are to look at, and the directories in which a
// change can have an effect on what they are or have in them.
func (in Inputs) find() (files, dirs map[string]bool) {
	files, dirs = map[string]bool{}, map[string]bool{}
	for _, f := range in.Files {
		files[f] = true
	}
	exclude := map[string]bool{}
	for _, f := range in.Exclude {
		exclude[f] = true
	}
	addDir := func(dir string) { trail(dir, dirs); dirs[existing(dir)] = true }
	for _, p := range in.Patterns {
		p.find(addDir, func(file string) {
			if !exclude[file] {
				files[file] = true
			}
		})
	}
	if in.Find != nil {
		in.Find(addDir, func(file string) { files[file] = true })
	}
	for f := range files {
		trail(f, dirs)
	}
	return files, dirs
}

// maxLinks is how many symbolic links are followed for a path, as in the kernel.
const maxLinks = 40

// trail adds the directories to dirs in which a change can make path lead
// elsewhere: that of the file itself, and those of all symbolic links on the way.
// In place of a directory that does not exist stands the one it would be in.
func trail(path string, dirs map[string]bool) {
	links := 0
again:
	vol := filepath.VolumeName(path)
	at := vol + string(filepath.Separator)
	rest := strings.TrimPrefix(path[len(vol):], string(filepath.Separator))
	for rest != "" {
		elem, more, _ := strings.Cut(rest, string(filepath.Separator))
		next := filepath.Join(at, elem)
		if to, err := os.Readlink(next); err == nil && links < maxLinks {
			links++
			dirs[existing(at)] = true
			if !filepath.IsAbs(to) {
				to = filepath.Join(at, to)
			}
			path = filepath.Join(to, more)
			goto again
		}
		at, rest = next, more
	}
	dirs[existing(filepath.Dir(path))] = true
}

// existing returns dir, or if there is no such directory the nearest one above.
func existing(dir string) string {
	for {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			return dir
		}
		dir = up
	}
}

// settled is how old a change must be for size and time to tell later ones
// apart: clocks of file systems are coarse.
const settled = 2 * time.Second

// digests hashes files, and does not read again what cannot have changed.
type digests map[string]seen

type seen struct {
	info   os.FileInfo
	sum    [sha256.Size]byte
	hashed time.Time
}

// of returns the digest of a file.
func (d digests) of(path string) (sum [sha256.Size]byte, ok bool) {
	// Before it is opened: to open a FIFO is to wait for who writes to it.
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		delete(d, path)
		return sum, false
	}
	f, err := os.Open(path)
	if err != nil {
		delete(d, path)
		return sum, false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return sum, false
	}
	if s, ok := d[path]; ok && os.SameFile(s.info, info) && s.info.Size() == info.Size() &&
		s.info.ModTime().Equal(info.ModTime()) && s.hashed.Sub(info.ModTime()) > settled {
		return s.sum, true
	}
	now := time.Now()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return sum, false
	}
	h.Sum(sum[:0])
	d[path] = seen{info, sum, now}
	return sum, true
}
