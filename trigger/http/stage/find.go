package stage

import (
	"context"

	"github.com/minispin/minispin/manifest"
)

// Find looks for what is copied for a component of m. It calls dir with every
// directory in which a change can make a difference, and file with every file:
// those that would be copied, and those that are missing or in the way. The paths
// are absolute.
func Find(m *manifest.App, c *manifest.Component, dir, file func(path string)) {
	if len(c.Files) == 0 {
		return
	}
	here, err := openPlace(m.Dir, "")
	if err != nil {
		dir(m.Dir)
		return
	}
	defer here.close()
	p := newPlan(context.Background(), m, c, here, Options{Mode: Copy})
	defer p.close()
	p.seeDir, p.seeFile = dir, file
	p.make()
}
