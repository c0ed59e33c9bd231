package stage

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/minispin/minispin/manifest/glob"
)

// stateDir is the directory beside the manifest in which the host keeps logs and
// other state. It is no part of the application, and patterns have to name it.
const stateDir = ".spin"

// maxDepth bounds how deep directories are looked into.
const maxDepth = 100

// walk goes through directories for one entry, and plans the files that match.
//
// A pattern may match a path in several ways, which are followed together: what is
// left to match at a directory is a set of positions in elems.
type walk struct {
	*plan
	entry int
	at    *place
	elems []glob.Element
	base  string // the directory in at to begin with
	to    string // where it is for guests
	tree  bool   // directories are planned too

	above    []fs.FileInfo // directories on the way down
	found    int           // files that match, excluded the others
	excluded int
}

func (w *walk) start() {
	info, err := w.at.stat(w.base)
	if err != nil {
		w.unreachable(w.entry, w.at, w.base, w.at.fromApp(w.base), err, "")
		return
	}
	w.dir(w.base, info, []int{0})
}

// dir looks into a directory.
func (w *walk) dir(name string, info fs.FileInfo, positions []int) {
	if w.full || w.ctx.Err() != nil {
		return
	}
	if slices.ContainsFunc(w.above, func(a fs.FileInfo) bool { return os.SameFile(a, info) }) {
		w.fail(w.entry, fmt.Sprintf("%q is a directory that it is itself in, by a symbolic link", w.at.fromApp(name)), "leave it out by exclude_files")
		return
	}
	if len(w.above) == maxDepth {
		w.fail(w.entry, fmt.Sprintf("%q: directories are nested more than %d deep", w.at.fromApp(name), maxDepth), "")
		return
	}
	w.above = append(w.above, info)
	defer func() { w.above = w.above[:len(w.above)-1] }()

	w.seeDir(w.at.host(name))
	if w.tree {
		w.addDir(w.entry, w.guestPath(name))
	}
	if only, ok := w.only(positions); ok {
		// Not listed: there may be very many others, or no right to see them.
		child := path.Join(name, only)
		if info, err := w.at.root.Lstat(filepath.FromSlash(child)); err == nil {
			w.visit(child, fs.FileInfoToDirEntry(info), positions)
		}
		return
	}
	entries, err := w.at.entries(name)
	if err != nil {
		w.fail(w.entry, fmt.Sprintf("%q: %v", w.at.fromApp(name), cause(err)), "")
		return
	}
	for _, e := range entries {
		child := path.Join(name, e.Name())
		if slices.Contains(w.skip, w.at.host(child)) {
			continue
		}
		w.visit(child, e, positions)
	}
}

// guestPath returns where guests see a name.
func (w *walk) guestPath(name string) string {
	if w.base != "." {
		name = strings.TrimPrefix(name, w.base) // name is in base
	}
	return path.Join(w.to, name)
}

// visit looks at what is in a directory with some positions.
func (w *walk) visit(name string, e fs.DirEntry, positions []int) {
	next := w.step(positions, path.Base(name))
	if len(next) == 0 {
		return
	}
	matches := w.accepts(next)
	known := w.at.fromApp(name)
	excluded := w.plan.excluded(known)

	info, err := e.Info()
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		info, err = w.at.stat(name)
	}
	switch {
	case escapes(err):
		w.seeFile(w.at.host(name))
		if matches && !excluded || w.leadsToDir(name) && !w.pruned(known) {
			w.leadsOut(w.entry, w.at, name)
		}
	case err != nil:
		// It has gone since, or is a link to nothing: editors leave such links beside
		// files as locks.
	case info.IsDir():
		if w.pruned(known) {
			w.excluded++
		} else {
			w.dir(name, info, next)
		}
	case !matches:
	case excluded:
		w.excluded++
	case info.Mode().IsRegular():
		w.found++
		w.add(w.entry, w.at, name, w.guestPath(name), info.Size())
	default:
		w.seeFile(w.at.host(name))
		w.special(w.entry, w.at, name, info.Mode())
	}
}

// leadsToDir reports whether a link out of the place leads to a directory, in
// which there may be something that matches.
func (w *walk) leadsToDir(name string) bool {
	info, err := os.Stat(w.at.host(name))
	return err == nil && info.IsDir()
}

// only returns the one name that can match next, if there is just one.
func (w *walk) only(positions []int) (string, bool) {
	if len(positions) != 1 || positions[0] >= len(w.elems) {
		return "", false
	}
	return w.elems[positions[0]].Literal()
}

// step returns the positions after a name.
func (w *walk) step(positions []int, name string) []int {
	var next []int
	add := func(n int) {
		if !slices.Contains(next, n) {
			next = append(next, n)
		}
	}
	for _, n := range positions {
		for ; n < len(w.elems); n++ {
			if !w.elems[n].Recursive() {
				if w.elems[n].Match(name) {
					add(n + 1)
				}
				break
			}
			add(n) // and ** may also be none, so that the next element is tried too
		}
	}
	return next
}

// accepts reports whether nothing more needs to match: a pattern that ends in **
// matches all that is below.
func (w *walk) accepts(positions []int) bool {
	return slices.ContainsFunc(positions, func(n int) bool {
		return n == len(w.elems) || n == len(w.elems)-1 && w.elems[n].Recursive()
	})
}
