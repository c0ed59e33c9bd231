package stage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/minispin/minispin/manifest"
	"github.com/minispin/minispin/manifest/glob"
)

// plan is what the files of one component come to.
type plan struct {
	ctx       context.Context
	app       *manifest.App
	component *manifest.Component
	here      *place   // of the application
	elsewhere []*place // of sources outside of it
	excludes  []*glob.Pattern
	skip      []string
	mode      Mode
	maxFiles  int
	maxBytes  int64

	files    map[string]item // by the path for guests, without its first slash
	dirs     map[string]bool // directories for guests, which may be empty
	mounts   []direct
	bytes    int64
	full     bool // one of the limits was reached
	problems []manifest.Diagnostic
	warnings []manifest.Diagnostic
	failures map[int]int // problems of each entry

	// What is told of directories and files that matter; nil for nobody.
	seeDir, seeFile func(path string)
}

// item is a file that is to be copied.
type item struct {
	from  *place
	name  string // in it
	entry int    // of files
}

// direct is a directory that is to be mounted.
type direct struct {
	from  *place
	name  string
	path  string // for guests
	entry int
}

// newPlan returns the plan before anything is planned. It must be closed.
func newPlan(ctx context.Context, m *manifest.App, c *manifest.Component, o Options) (*plan, error) {
	here, err := openPlace(m.Dir, "")
	if err != nil {
		return nil, err
	}
	p := &plan{
		ctx: ctx, app: m, component: c, here: here, mode: o.Mode,
		maxFiles: cmp.Or(o.MaxFiles, MaxFiles), maxBytes: cmp.Or(o.MaxBytes, MaxBytes),
		files: map[string]item{}, dirs: map[string]bool{}, failures: map[int]int{},
		seeDir: func(string) {}, seeFile: func(string) {},
	}
	p.skip = append([]string{filepath.Join(m.Dir, stateDir)}, o.Skip...)
	if dir, err := filepath.Abs(o.Dir); err == nil && o.Dir != "" {
		p.skip = append(p.skip, dir)
	}
	for _, text := range c.ExcludeFiles {
		if g, err := glob.Parse(text); err == nil { // what is wrong with it the manifest's reader has said
			p.excludes = append(p.excludes, g)
		}
	}
	return p, nil
}

func (p *plan) close() {
	p.here.close()
	for _, at := range p.elsewhere {
		at.close()
	}
}

// shownProblems bounds the problems of one entry: a directory with sockets in it
// may have hundreds.
const shownProblems = 5

// fail notes a problem of an entry.
func (p *plan) fail(entry int, reason, hint string) {
	p.failures[entry]++
	if n := p.failures[entry]; n <= shownProblems {
		p.problems = append(p.problems, p.component.Diagnose(reason, hint, "files", entry))
	}
}

func (p *plan) warn(entry int, reason, hint string) {
	p.warnings = append(p.warnings, p.component.Diagnose(reason, hint, "files", entry))
}

// make plans all entries.
func (p *plan) make() {
	if p.mode == Direct && len(p.component.ExcludeFiles) > 0 {
		p.problems = append(p.problems, p.component.Diagnose(
			"nothing can be left out of directories that are mounted as they are",
			"run it without --direct-mounts", "exclude_files"))
	}
	for i, f := range p.component.Files {
		switch {
		case p.mode == Direct && f.Pattern != "":
			p.direct(i, f.Pattern, f.Pattern)
		case p.mode == Direct:
			p.direct(i, f.Source, f.Destination)
		case f.Pattern != "":
			p.pattern(i, f.Pattern)
		default:
			p.placement(i, f.Source, f.Destination)
		}
	}
	if p.mode == Copy {
		p.checkParents()
	}
}

// pattern plans an entry that is a string: what is there by that name, or else
// what it matches as a pattern.
func (p *plan) pattern(entry int, text string) {
	name := path.Clean(text)
	info, err := p.here.stat(name)
	if err != nil && !escapes(err) && glob.Has(text) {
		p.glob(entry, text)
		return
	}
	p.seeFile(p.here.host(name))
	if err != nil {
		hint := "a pattern has one of the characters * ? [ in it"
		if strings.Contains(text, `\`) {
			hint = fmt.Sprintf("paths are written with slashes: %q", strings.ReplaceAll(text, `\`, "/"))
		}
		p.unreachable(entry, p.here, name, text, err, hint)
		return
	}
	p.source(entry, p.here, name, name, info)
}

// glob plans what a pattern matches.
func (p *plan) glob(entry int, text string) {
	g, err := glob.Parse(text)
	if err != nil {
		p.fail(entry, fmt.Sprintf("%q %v", text, err), "")
		return
	}
	w := &walk{plan: p, entry: entry, at: p.here, elems: g.Elements(), base: ".", to: "."}
	w.start()
	if w.found > 0 || p.failures[entry] > 0 {
		return
	}
	switch {
	case w.excluded > 0:
		p.warn(entry, fmt.Sprintf("%q matches no file that is not left out by exclude_files", text), "")
	case strings.Contains(text, `\`):
		p.warn(entry, fmt.Sprintf("%q matches no file", text), fmt.Sprintf("paths are written with slashes: %q", strings.ReplaceAll(text, `\`, "/")))
	default:
		p.warn(entry, fmt.Sprintf("%q matches no file", text), "")
	}
}

// placement plans an entry that has a source and a destination.
func (p *plan) placement(entry int, source, destination string) {
	at, name, info := p.find(entry, source)
	if info == nil {
		return
	}
	to := path.Clean(strings.TrimLeft(destination, "/"))
	if !info.IsDir() && (to == "." || strings.HasSuffix(destination, "/") || path.Base(destination) == "..") {
		p.fail(entry, fmt.Sprintf("%q is not a valid destination file name, and %q is a file", destination, source),
			fmt.Sprintf("write { source = %q, destination = %q }", source, path.Join("/", to, path.Base(name))))
		return
	}
	p.source(entry, at, name, to, info)
}

// find returns a source of the manifest. Without info the reason has been told.
func (p *plan) find(entry int, source string) (*place, string, fs.FileInfo) {
	p.seeFile(p.app.Resolve(source))
	at, name, err := locate(p.app, p.here, source)
	if at == nil {
		at, name = p.here, source
	} else if at != p.here {
		p.elsewhere = append(p.elsewhere, at)
	}
	var info fs.FileInfo
	if err == nil {
		info, err = at.stat(name)
	}
	if err != nil {
		p.unreachable(entry, at, name, source, err, "paths start from the directory of the manifest")
		return nil, "", nil
	}
	return at, name, info
}

// unreachable tells why what the manifest calls text is not to be had. hint is for
// something that is not there.
func (p *plan) unreachable(entry int, at *place, name, text string, err error, hint string) {
	switch {
	case escapes(err):
		p.leadsOut(entry, at, name)
	case errors.Is(err, fs.ErrNotExist):
		reason := fmt.Sprintf("%q does not exist", text)
		if to, err := os.Readlink(at.host(name)); err == nil {
			reason, hint = fmt.Sprintf("%q is a symbolic link to %q, which does not exist", text, to), ""
		}
		if b := p.component.Build; b != nil && len(b.Commands) > 0 {
			hint = strings.TrimPrefix(hint+"\nif it is made by the build: minispin build -c "+p.component.ID, "\n")
		}
		p.fail(entry, reason, hint)
	default:
		p.fail(entry, fmt.Sprintf("%q: %v", text, cause(err)), "")
	}
}

// leadsOut tells of a symbolic link out of a place.
func (p *plan) leadsOut(entry int, at *place, name string) {
	what := "the application's directory"
	if at != p.here {
		what = fmt.Sprintf("the source %q", at.outside)
	}
	hint := "leave it out by exclude_files, or name the place itself that it leads to as a source"
	to, err := os.Readlink(at.host(name))
	switch {
	case err != nil: // a directory on the way is the link
		p.fail(entry, fmt.Sprintf("%q leads out of %s by a symbolic link", at.fromApp(name), what), hint)
	case path.IsAbs(to):
		p.fail(entry, fmt.Sprintf("%q is a symbolic link to %q, and an absolute path counts as out of %s", at.fromApp(name), to, what),
			hint+";\na link within the directory has to be relative")
	default:
		p.fail(entry, fmt.Sprintf("%q is a symbolic link to %q, out of %s", at.fromApp(name), to, what), hint)
	}
}

// source plans a file, or a directory with all that is in it.
func (p *plan) source(entry int, at *place, name, to string, info fs.FileInfo) {
	switch {
	case info.IsDir():
		every, err := glob.Parse("**")
		if err != nil {
			panic(err)
		}
		w := &walk{plan: p, entry: entry, at: at, elems: every.Elements(), base: name, to: to, tree: true}
		w.start()
		if w.found == 0 && w.excluded > 0 && p.failures[entry] == 0 {
			p.warn(entry, fmt.Sprintf("everything in %q is left out by exclude_files", at.fromApp(name)), "")
		}
	case info.Mode().IsRegular():
		if p.excluded(at.fromApp(name)) {
			p.warn(entry, fmt.Sprintf("%q is there although exclude_files matches it: it is named by itself", at.fromApp(name)), "")
		}
		p.add(entry, at, name, to, info.Size())
	default:
		p.special(entry, at, name, info.Mode())
	}
}

// special tells of something that cannot be copied.
func (p *plan) special(entry int, at *place, name string, mode fs.FileMode) {
	p.fail(entry, fmt.Sprintf("%q is %s, which guests cannot have", at.fromApp(name), kindOf(mode)),
		"leave it out by exclude_files")
}

// excluded reports whether exclude_files matches a path. One that has nothing
// special in it and names a directory matches all that is in it.
func (p *plan) excluded(name string) bool {
	for _, g := range p.excludes {
		if g.Match(name) {
			return true
		}
		if lit, ok := g.Literal(); ok && strings.HasPrefix(name, lit+"/") {
			return true
		}
	}
	return false
}

// pruned reports whether exclude_files matches all that a directory has.
func (p *plan) pruned(name string) bool {
	return slices.ContainsFunc(p.excludes, func(g *glob.Pattern) bool { return g.MatchAllBelow(name) })
}

// add plans a file at the path to for guests.
func (p *plan) add(entry int, at *place, name, to string, size int64) {
	p.seeFile(at.host(name))
	it := item{from: at, name: name, entry: entry}
	if other, taken := p.files[to]; taken {
		if other.from.host(other.name) != at.host(name) {
			p.fail(entry, fmt.Sprintf("%q and %q are both to be at %q: the second is that of files[%d]",
				at.fromApp(name), other.from.fromApp(other.name), "/"+to, other.entry), "")
		}
		return
	}
	p.files[to] = it
	p.bytes += size
	p.checkLimits(entry)
}

// addDir plans a directory at the path to for guests.
func (p *plan) addDir(entry int, to string) {
	if to != "." {
		p.dirs[to] = true
		p.checkLimits(entry)
	}
}

func (p *plan) checkLimits(entry int) {
	const hint = "leave some out by exclude_files, or run it with --direct-mounts, which copies nothing"
	switch {
	case p.full:
	case len(p.files)+len(p.dirs) > p.maxFiles:
		p.full = true
		p.fail(entry, fmt.Sprintf("there are more than %d files for the component", p.maxFiles), hint)
	case p.bytes > p.maxBytes:
		p.full = true
		p.fail(entry, fmt.Sprintf("the files for the component have more than %d bytes", p.maxBytes), hint)
	}
}

// checkParents looks for files in the places of directories.
func (p *plan) checkParents() {
	reported := map[string]bool{}
	for _, to := range slices.Sorted(maps.Keys(p.files)) {
		for dir := path.Dir(to); dir != "."; dir = path.Dir(dir) {
			file, ok := p.files[dir]
			if !ok || reported[dir] {
				continue
			}
			reported[dir] = true
			it := p.files[to]
			first, second := file, it
			if first.entry > second.entry {
				first, second = second, first
			}
			p.fail(second.entry, fmt.Sprintf("%q is to be at %q, where %q must be a directory for %q",
				file.from.fromApp(file.name), "/"+dir, "/"+dir, "/"+to), fmt.Sprintf("the other entry is files[%d]", first.entry))
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(p.dirs)) {
		if file, ok := p.files[dir]; ok && !reported[dir] {
			p.fail(file.entry, fmt.Sprintf("%q is to be at %q, which is a directory for another entry",
				file.from.fromApp(file.name), "/"+dir), "")
		}
	}
}

// direct plans a directory that is mounted.
func (p *plan) direct(entry int, source, destination string) {
	at, name, info := p.find(entry, source)
	if info == nil {
		return
	}
	if !info.IsDir() {
		p.fail(entry, fmt.Sprintf("%q is not a directory, and only directories can be mounted as they are", source),
			"mount the directory it is in, or run it without --direct-mounts")
		return
	}
	to := path.Join("/", destination)
	for _, m := range p.mounts {
		if m.path == to {
			p.fail(entry, fmt.Sprintf("files[%d] is mounted at %q already", m.entry, to), "")
			return
		}
	}
	p.mounts = append(p.mounts, direct{from: at, name: name, path: to, entry: entry})
}
