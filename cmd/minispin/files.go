package main

import (
	"path/filepath"
	"strings"

	hostfiles "github.com/minispin/minispin/host/files"
	"github.com/minispin/minispin/manifest"
	"github.com/minispin/minispin/trigger/http/app"
	"github.com/minispin/minispin/trigger/http/stage"
)

// fileFlags say how components see the files that the manifest gives them.
type fileFlags struct {
	DirectMounts        bool   `help:"Mount the directories in components' files as they are, in place of copies, so that changes in them show at once. Other entries, and exclude_files, are errors then."`
	AllowTransientWrite bool   `help:"Let components write to their files. What they write to copies is gone with the copies; with --direct-mounts it stays."`
	Temp                string `aliases:"tmp" placeholder:"DIR" help:"Directory for the copies of components' files. They are removed at the end. Default: the system's for temporary files."`
}

// mode returns how files are put in place.
func (f *fileFlags) mode() stage.Mode {
	if f.DirectMounts {
		return stage.Direct
	}
	return stage.Copy
}

// access returns what components may do with them.
func (f *fileFlags) access() hostfiles.Access {
	if f.AllowTransientWrite {
		return hostfiles.ReadWrite
	}
	return hostfiles.ReadOnly
}

// files returns how an application is loaded with its files. The directory for
// copies is made if there are any to be.
func (g *generations) files(m *manifest.App) (app.Files, error) {
	c := g.command
	o := app.Files{Mode: c.mode(), Access: c.access(), Skip: g.written(m)}
	if o.Mode == stage.Direct || !hasFiles(m) {
		return o, nil
	}
	var err error
	o.Dir, err = g.scratch.path()
	return o, err
}

// hasFiles reports whether a component that is loaded has files.
func hasFiles(m *manifest.App) bool {
	for _, c := range m.Used() {
		if len(c.Files) > 0 {
			return true
		}
	}
	return false
}

// written returns what this process writes while it serves m, and which is none of
// its files wherever it is.
func (g *generations) written(m *manifest.App) []string {
	c := g.command
	if config, err := c.runtimeConfig(); err == nil { // otherwise loading says so
		c = g.under(config)
	}
	paths := []string{g.scratch.made(), g.engines.CacheDir, c.CacheDir}
	if dir, _ := c.logDir(m); dir != "" {
		paths = append(paths, dir)
	}
	if socket, ok := strings.CutPrefix(c.Listen, "unix:"); ok {
		paths = append(paths, socket)
	}
	var all []string
	for _, p := range paths {
		if full, err := filepath.Abs(p); err == nil && p != "" {
			all = append(all, full)
		}
	}
	return all
}

// findFiles looks for the files of components, as reload.Inputs has it.
func (g *generations) findFiles(m *manifest.App) func(dir, file func(path string)) {
	if g.command.DirectMounts || !hasFiles(m) {
		return nil // they are read anew each time
	}
	o := stage.Options{Skip: g.written(m)}
	return func(dir, file func(string)) {
		for _, c := range m.Used() {
			stage.Find(m, c, o, dir, file)
		}
	}
}
