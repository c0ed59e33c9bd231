package stage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/minispin/minispin/manifest"
)

// atOnce is how many files are copied at the same time.
const atOnce = 8

// copy copies the files of the plan to a directory.
func (p *plan) copy(ctx context.Context, to *os.Root) error {
	dirs := maps.Clone(p.dirs)
	for name := range p.files {
		dirs[path.Dir(name)] = true
	}
	for _, name := range slices.Sorted(maps.Keys(dirs)) {
		if err := to.MkdirAll(filepath.FromSlash(name), 0o700); err != nil {
			return fmt.Errorf("making a directory for the files of component %s: %w", p.component.ID, err)
		}
	}
	var total atomic.Int64 // files may grow meanwhile
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for name, it := range p.files {
		g.Go(func() error {
			if err := context.Cause(ctx); err != nil {
				return err
			}
			err := it.copy(to, filepath.FromSlash(name), p.maxBytes-total.Load(), &total)
			if err == nil {
				return nil
			}
			reason := fmt.Sprintf("%q could not be copied: %v", it.from.fromApp(it.name), cause(err))
			return &manifest.Error{Diagnostics: []manifest.Diagnostic{p.component.Diagnose(reason, "", "files", it.entry)}}
		})
	}
	return g.Wait()
}

// copy copies the file to a name under to, with its time of change: guests may tell it to
// clients, and it must not change from one generation to the next. No more than
// most bytes are copied.
func (it *item) copy(to *os.Root, name string, most int64, total *atomic.Int64) error {
	in, err := it.from.root.OpenFile(filepath.FromSlash(it.name), os.O_RDONLY|nonblock, 0)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("it has become %s", kindOf(info.Mode()))
	}
	out, err := to.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return errors.New("another file has the same name where case does not count")
	}
	if err != nil {
		return err
	}
	n, err := io.Copy(out, io.LimitReader(in, most+1))
	total.Add(n)
	if err == nil && n > most {
		err = errors.New("it has grown beyond what a component may have")
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return err
	}
	return to.Chtimes(name, info.ModTime(), info.ModTime())
}

// mount opens the directories of the plan.
func (p *plan) mount() ([]Mount, error) {
	var mounts []Mount
	for _, d := range p.mounts {
		root, err := d.from.root.OpenRoot(filepath.FromSlash(d.name))
		if err != nil {
			reason := fmt.Sprintf("%q: %v", d.from.fromApp(d.name), cause(err))
			return mounts, &manifest.Error{Diagnostics: []manifest.Diagnostic{p.component.Diagnose(reason, "", "files", d.entry)}}
		}
		mounts = append(mounts, Mount{Root: root, Path: d.path})
	}
	return mounts, nil
}
