package stage

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/minispin/minispin/manifest"
)

// What a component may have, unless Options say otherwise.
const (
	// MaxFiles is the most files and directories that are copied for a component.
	MaxFiles = 100_000
	// MaxBytes is the most bytes that are copied for a component.
	MaxBytes = 2 << 30
)

// Mode says how guests come to files.
type Mode int

const (
	// Copy makes copies, all of a component in one directory, which it sees at /.
	Copy Mode = iota
	// Direct mounts directories as they are. Entries that are not directories, and
	// exclude_files, are errors.
	Direct
)

// Options adjust Prepare.
type Options struct {
	Mode Mode
	// Dir is the directory in which the directory of copies is made; empty means the
	// system's for temporary files. It must exist.
	Dir string
	// Skip are absolute paths of directories and files that the host itself writes.
	// Like .spin beside the manifest, they are none of an application's files unless
	// it names them. Dir is always one.
	Skip []string
	// MaxFiles and MaxBytes replace the constants where they are not 0.
	MaxFiles int
	MaxBytes int64
}

// A Mount is a directory for guests. Its Root is the Stage's.
type Mount struct {
	Root *os.Root
	Path string // clean and absolute, such as / or /assets
}

// A Stage has the files of an application's components in place until it is closed.
type Stage struct {
	// Warnings are findings that stop nothing, in the order of the manifest.
	Warnings []manifest.Diagnostic

	mounts map[string][]Mount
	dir    string // of the copies; "" if there are none
}

// Prepare puts the files of components of m in place. What cannot be had as the
// manifest says is a *manifest.Error that lists all of it; nothing is copied then.
// The caller must Close the Stage.
func Prepare(ctx context.Context, m *manifest.App, components []*manifest.Component, o Options) (*Stage, error) {
	s := &Stage{mounts: map[string][]Mount{}}
	plans, err := s.plan(ctx, m, components, o)
	defer func() {
		for _, p := range plans {
			p.close()
		}
	}()
	if err != nil {
		return nil, err
	}
	if err := s.put(ctx, plans, o); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Check is Prepare without anything being copied or opened. It returns the
// warnings.
func Check(ctx context.Context, m *manifest.App, components []*manifest.Component, o Options) ([]manifest.Diagnostic, error) {
	s := &Stage{}
	plans, err := s.plan(ctx, m, components, o)
	for _, p := range plans {
		p.close()
	}
	return s.Warnings, err
}

// plan plans for each of the components that have files. What is planned must be
// closed, also after an error.
func (s *Stage) plan(ctx context.Context, m *manifest.App, components []*manifest.Component, o Options) (plans []*plan, err error) {
	var problems []manifest.Diagnostic
	for _, c := range components {
		if len(c.Files) == 0 {
			continue
		}
		p, err := newPlan(ctx, m, c, o)
		if err != nil {
			return plans, fmt.Errorf("looking for the files of component %s: %w", c.ID, err)
		}
		plans = append(plans, p)
		p.make()
		problems = append(problems, p.problems...)
		s.Warnings = append(s.Warnings, p.warnings...)
	}
	if err := context.Cause(ctx); err != nil {
		return plans, fmt.Errorf("looking for the files of components: %w", err)
	}
	manifest.SortDiagnostics(s.Warnings)
	if len(problems) > 0 {
		manifest.SortDiagnostics(problems)
		return plans, &manifest.Error{Diagnostics: problems}
	}
	return plans, nil
}

// put does what the plans say.
func (s *Stage) put(ctx context.Context, plans []*plan, o Options) error {
	if o.Mode == Direct {
		for _, p := range plans {
			mounts, err := p.mount()
			s.mounts[p.component.ID] = mounts
			if err != nil {
				return err
			}
		}
		return nil
	}
	var err error
	if s.dir, err = os.MkdirTemp(o.Dir, "minispin-files-"); err != nil {
		return fmt.Errorf("making a directory for the files of components: %w", err)
	}
	for _, p := range plans {
		root, err := newRoot(s.dir, p.component.ID)
		if err != nil {
			return fmt.Errorf("making a directory for the files of component %s: %w", p.component.ID, err)
		}
		s.mounts[p.component.ID] = []Mount{{Root: root, Path: "/"}}
		if err := p.copy(ctx, root); err != nil {
			return err
		}
	}
	return nil
}

// newRoot makes a directory and opens it.
func newRoot(parent, name string) (*os.Root, error) {
	at, err := os.OpenRoot(parent)
	if err != nil {
		return nil, err
	}
	defer at.Close()
	if err := at.Mkdir(name, 0o700); err != nil {
		return nil, err
	}
	return at.OpenRoot(name)
}

// Mounts returns the directories of the component with an id; none if it has no
// files.
func (s *Stage) Mounts(component string) []Mount { return s.mounts[component] }

// Close removes the copies. No guest may use them any more.
func (s *Stage) Close() error {
	for _, mounts := range s.mounts {
		for _, m := range mounts {
			_ = m.Root.Close() // it was only read
		}
	}
	s.mounts = nil
	if s.dir == "" {
		return nil
	}
	dir := s.dir
	s.dir = ""
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("removing copies of files: %w", err)
	}
	return nil
}
