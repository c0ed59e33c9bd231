package wit

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Load reads the WIT packages in the given folders of the file system and all
// folders below them. All files of a folder belong to one package, whose name
// at least one of them declares. What the packages refer to must be among
// them. Errors in the text are of type *[Error], several joined by
// [errors.Join]; others are about reading files.
func Load(dirs ...string) (*Set, error) {
	l := &loader{}
	for _, dir := range dirs {
		if err := l.walk(os.DirFS(dir), func(name string) string {
			return filepath.Join(dir, filepath.FromSlash(name))
		}); err != nil {
			return nil, err
		}
	}
	return l.finish()
}

// LoadFS is [Load] for packages held elsewhere, such as in an embedded file
// system.
func LoadFS(fsys fs.FS) (*Set, error) {
	l := &loader{}
	if err := l.walk(fsys, func(name string) string { return name }); err != nil {
		return nil, err
	}
	return l.finish()
}

// loader gathers folders of parsed files.
type loader struct {
	folders [][]*file
	errs    []error
}

// walk parses the files of fsys, folder by folder. The function show turns a
// name in fsys into one the user knows.
func (l *loader) walk(fsys fs.FS, show func(string) string) error {
	return fs.WalkDir(fsys, ".", func(dir string, d fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("loading WIT from %s: %w", show(dir), err)
		}
		if !d.IsDir() {
			return nil
		}
		names, err := fs.Glob(fsys, strings.TrimPrefix(dir+"/*.wit", "./"))
		if err != nil {
			return fmt.Errorf("loading WIT from %s: %w", show(dir), err)
		}
		var files []*file
		for _, name := range names {
			src, err := fs.ReadFile(fsys, name)
			if err != nil {
				return fmt.Errorf("loading WIT: %w", err)
			}
			f, err := parseFile(show(name), string(src))
			if err != nil {
				l.errs = append(l.errs, err)
				continue
			}
			files = append(files, f)
		}
		if files != nil {
			l.folders = append(l.folders, files)
		}
		return nil
	})
}

func (l *loader) finish() (*Set, error) {
	if len(l.errs) > 0 {
		return nil, errors.Join(l.errs...)
	}
	set := &Set{}
	owner := map[*file]*Package{}
	for _, files := range l.folders {
		p, err := assemble(files)
		if err != nil {
			l.errs = append(l.errs, err)
			continue
		}
		if old := set.Package(p.ID()); old != nil {
			l.errs = append(l.errs, errorAt(p.Pos, "package %s is already loaded: see %s", p.ID(), old.Pos))
			continue
		}
		for _, f := range files {
			owner[f] = p
		}
		set.Packages = append(set.Packages, p)
	}
	if len(l.errs) > 0 {
		return nil, errors.Join(l.errs...)
	}
	if len(set.Packages) == 0 {
		return nil, errors.New("loading WIT: no package found")
	}
	slices.SortFunc(set.Packages, func(a, b *Package) int { return cmp.Compare(a.ID(), b.ID()) })
	if err := resolve(set, owner); err != nil {
		return nil, err
	}
	return set, nil
}

// assemble makes one package of the files of a folder.
func assemble(files []*file) (*Package, error) {
	p := &Package{}
	for _, f := range files {
		d := f.pkg
		switch {
		case d == nil:
		case p.Name == "":
			p.Pos, p.Namespace, p.Name, p.Version = d.Pos, d.Namespace, d.Name, d.Version
		case p.ID() != d.ID():
			return nil, errorAt(d.Pos, "package is named %s here and %s in the same folder: see %s", d.ID(), p.ID(), p.Pos)
		}
		if d != nil && d.Docs != "" {
			if p.Docs != "" {
				p.Docs += "\n\n"
			}
			p.Docs += d.Docs
		}
		p.Interfaces = append(p.Interfaces, f.ifaces...)
		p.Worlds = append(p.Worlds, f.worlds...)
	}
	if p.Name == "" {
		return nil, errorAt(Pos{files[0].name, 1, 1}, "expected 'package': no file of this folder says which package it belongs to")
	}
	return p, nil
}
