package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"time"

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
	paths := []string{g.scratch.made(), g.engines.CacheDir, g.command.CacheDir}
	if dir, _ := g.command.logDir(m); dir != "" {
		paths = append(paths, dir)
	}
	if socket, ok := strings.CutPrefix(g.command.Listen, "unix:"); ok {
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

// warnOfFiles prints what is remarkable about files, unless it was so the last time.
func (g *generations) warnOfFiles(found []manifest.Diagnostic) {
	if !reflect.DeepEqual(found, g.warnedOfFiles) {
		for _, d := range found {
			fmt.Fprintf(g.process.stderr.Safe(), "Warning: %s\n", d)
		}
	}
	g.warnedOfFiles = found
}

// scratch is a directory that is there while the process needs it.
type scratch struct {
	parent string // "" is the system's for temporary files

	mu   sync.Mutex
	dir  string
	over bool
}

// path returns the directory, which is made when it is first asked for.
func (s *scratch) path() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return "", errors.New("the process ends")
	}
	if s.dir != "" {
		return s.dir, nil
	}
	if s.parent != "" {
		if err := os.MkdirAll(s.parent, 0o700); err != nil {
			return "", fmt.Errorf("--temp: %w", err)
		}
	}
	dir, err := os.MkdirTemp(s.parent, "minispin-")
	if err != nil {
		return "", fmt.Errorf("making a directory for copies of files (--temp says where): %w", err)
	}
	s.dir, err = filepath.Abs(dir)
	return s.dir, err
}

// made returns the directory if there is one, else "".
func (s *scratch) made() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dir
}

// remove removes the directory and all that is in it. There is none any more.
func (s *scratch) remove() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	if s.dir == "" {
		return nil
	}
	var err error
	for range 5 {
		if err = os.RemoveAll(s.dir); err == nil {
			return nil
		}
		time.Sleep(20 * time.Millisecond) // a load that was interrupted may still be copying
	}
	return fmt.Errorf("removing copies of files: %w", err)
}
