package stage

import (
	"context"

	"github.com/minispin/minispin/manifest"
)

// Find looks for what is copied for a component of m. It calls dir with every
// directory in which a change can make a difference, and file with every file:
// those that would be copied, and those that are missing or in the way. The paths
// are absolute. Of the options, Dir and Skip matter.
func Find(m *manifest.App, c *manifest.Component, o Options, dir, file func(path string)) {
	if len(c.Files) == 0 {
		return
	}
	p, err := newPlan(context.Background(), m, c, Options{Mode: Copy, Dir: o.Dir, Skip: o.Skip})
	if err != nil {
		dir(m.Dir)
		return
	}
	defer p.close()
	p.seeDir, p.seeFile = dir, file
	p.make()
}
