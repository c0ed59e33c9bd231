package app

import (
	"context"

	hostfiles "github.com/minispin/minispin/host/files"
	"github.com/minispin/minispin/manifest"
	"github.com/minispin/minispin/trigger/http/stage"
)

// maxFiles is how many files and directories all instances of a component may have
// open together, beside what is mounted.
const maxFiles = 4096

// Files say how components see the files that the manifest gives them. The zero
// value is Spin's way: copies that nobody can change.
type Files struct {
	// Mode is how they are put in place.
	Mode stage.Mode
	// Access is what components may do with them. What is written to copies is seen
	// by later requests and is gone when the App is closed; what is written to
	// directories that are mounted as they are stays.
	Access hostfiles.Access
	// Dir is the directory in which the App makes one for its copies; empty means the
	// system's for temporary files.
	Dir string
	// Skip are absolute paths of directories and files that the host itself writes,
	// which components do not see unless the manifest names them. Dir is always one.
	Skip []string
}

// putFiles puts the files of all components that are loaded in place. It is done before
// any is compiled, which takes longer than to find that a file is missing.
func (l *loader) putFiles(ctx context.Context) error {
	var used []*manifest.Component
	for _, c := range l.manifest.Components {
		if len(l.executors(c.ID)) > 0 {
			used = append(used, c)
		}
	}
	o := l.opts.Files
	s, err := stage.Prepare(ctx, l.manifest, used, stage.Options{Mode: o.Mode, Dir: o.Dir, Skip: o.Skip})
	if err != nil {
		return err
	}
	l.app.files = s
	if l.opts.Warn != nil {
		for _, d := range s.Warnings {
			l.opts.Warn(d)
		}
	}
	return nil
}

// mounts returns what guests of a component see.
func (l *loader) mounts(component string) []hostfiles.Mount {
	var out []hostfiles.Mount
	for _, m := range l.app.files.Mounts(component) {
		out = append(out, hostfiles.Mount{Root: m.Root, Path: m.Path, Access: l.opts.Files.Access})
	}
	return out
}
