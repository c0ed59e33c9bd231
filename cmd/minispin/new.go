package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/minispin/minispin/manifest"
	"github.com/minispin/minispin/templates"
)

// newCommand is minispin new.
type newCommand struct {
	scaffoldFlags
	Init bool `help:"Make it in the current directory, or in that of --output, even if there is something in it."`
}

// Help is shown by minispin new --help.
func (*newCommand) Help() string {
	return `It makes a directory with a manifest and what the template brings along:

  minispin new -t http-rust hello
  cd hello && minispin build && minispin up

What is not given is asked for on a terminal; elsewhere parameters get their
defaults, and what has none is an error that says how to give it. Nothing is
written over without --allow-overwrite. minispin templates list shows the
templates with their parameters. The application runs under Spin as it is.`
}

// Run makes the application.
func (c *newCommand) Run(p *process) error {
	ask := newPrompter(p)
	t, err := c.template(ask, func(*templates.Template) bool { return true })
	if err != nil {
		return err
	}
	dir := filepath.Clean(c.Output)
	name, id, err := c.name(ask, c.nameOf(dir))
	if err != nil {
		return err
	}
	if c.Output == "" && !c.Init {
		dir = name
	}
	if err := c.vacant(dir); err != nil {
		return err
	}
	values, err := c.values(t, ask, nil)
	if err != nil {
		return err
	}
	files, err := t.Application(templates.Project{Name: name, ID: id, Values: values})
	if err != nil {
		return err
	}
	if files, err = c.writable(dir, files); err != nil {
		return err
	}
	if err := writeFiles(dir, files); err != nil {
		return err
	}
	fmt.Fprintf(p.stderr, "Made the application %s in %s\n", name, dir)
	nextSteps(p.stderr, t, dir)
	return nil
}

// nameOf returns the name that an application in dir gets if none is given; ""
// where nothing suggests one.
func (c *newCommand) nameOf(dir string) string {
	if c.Output == "" && !c.Init {
		return ""
	}
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return ""
	}
	if id, err := templates.ComponentID(filepath.Base(absolute)); err == nil {
		return id
	}
	return ""
}

// vacant returns an error unless an application can be made in dir.
func (c *newCommand) vacant(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("%s is in the way: %w", dir, err)
	case c.AllowOverwrite:
		return nil
	}
	if _, err := os.Stat(filepath.Join(dir, manifest.FileName)); err == nil {
		return fmt.Errorf("%s has an application already\n  > add a component to it by: minispin add -f %s", dir, shellWord(dir))
	}
	if len(entries) > 0 && !c.Init {
		return fmt.Errorf("%s is there already, and not empty\n  > choose another directory by --output, or make the application in it by: --init --output %s", dir, shellWord(dir))
	}
	return nil
}
