package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/minispin/minispin/manifest"
)

// buildCommand is minispin build.
type buildCommand struct {
	Manifest  string   `arg:"" optional:"" help:"The application: a manifest, or a directory with a spin.toml. Without it, spin.toml is looked for here and in the directories above."`
	From      string   `short:"f" aliases:"from-file,file" placeholder:"PATH" help:"The application, named by a flag."`
	Component []string `short:"c" name:"component-id" sep:"none" placeholder:"ID" help:"Build only this component. May be repeated."`
	Profile   string   `placeholder:"NAME" help:"Use this profile's build commands where a component has it."`
}

// Help is shown by minispin build --help.
func (*buildCommand) Help() string {
	return `Each component says in the manifest how it is built:

  [component.hello.build]
  command = "cargo build --target wasm32-wasip1 --release"
  workdir = "hello"

A command is run by the shell, in workdir, which starts from the manifest's
directory. A list of commands is run in order. Components are built in the order
of the manifest, those that others depend on before these; the first command that
fails ends it.`
}

// AfterApply is called by kong when everything is parsed.
func (c *buildCommand) AfterApply() error {
	if c.Manifest != "" && c.From != "" {
		return errors.New("the application is named twice, by an argument and by --from")
	}
	return nil
}

// Run builds the components.
func (c *buildCommand) Run(p *process) error {
	path, err := findManifest(c.Manifest, c.From)
	if err != nil {
		return err
	}
	m, err := manifest.Load(path, manifest.Options{Purpose: manifest.ToBuild, Profile: c.Profile})
	if err != nil {
		return err
	}
	return buildComponents(m, c.Component, p.stderr.Safe())
}

// findManifest returns the path of the application that an argument or a flag
// names, or else of the nearest spin.toml.
func findManifest(arg, flag string) (string, error) {
	for _, path := range []string{arg, flag} {
		if path != "" {
			return path, nil
		}
	}
	if _, err := os.Stat(manifest.FileName); err == nil {
		return manifest.FileName, nil // messages are shorter so
	}
	return manifest.Find(".")
}

// buildComponents runs the build commands of the components with the given ids,
// of all if there are none. What it reports goes to w; what the commands print
// goes where this process prints its errors, as it comes.
func buildComponents(m *manifest.App, ids []string, w io.Writer) error {
	for _, id := range ids {
		if m.Component(id) == nil {
			var known []string
			for _, c := range m.Components {
				known = append(known, c.ID)
			}
			return fmt.Errorf("there is no component %q to build; there are: %s", id, strings.Join(known, ", "))
		}
	}
	built := 0
	for _, c := range buildOrder(m) {
		if len(ids) > 0 && !slices.Contains(ids, c.ID) {
			continue
		}
		if c.Build == nil || len(c.Build.Commands) == 0 {
			if len(ids) > 0 {
				fmt.Fprintf(w, "Component %s has no build command\n", c.ID)
			}
			continue
		}
		if err := buildComponent(m, c, w); err != nil {
			return err
		}
		built++
	}
	switch {
	case built > 0:
		fmt.Fprintf(w, "Finished building %s\n", plural(built, "component"))
	case len(ids) == 0:
		fmt.Fprintf(w, "Nothing to build: no component has a table [component.<id>.build] with a command\n")
	}
	return nil
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// buildOrder returns the components in the order of the manifest, but each after
// those it depends on.
func buildOrder(m *manifest.App) []*manifest.Component {
	var order []*manifest.Component
	seen := map[string]bool{}
	var visit func(c *manifest.Component)
	visit = func(c *manifest.Component) {
		if c == nil || seen[c.ID] {
			return
		}
		seen[c.ID] = true
		for _, d := range c.Dependencies {
			visit(m.Component(d.Component))
		}
		order = append(order, c)
	}
	for _, c := range m.Components {
		visit(c)
	}
	return order
}

// buildComponent runs the commands of one component.
func buildComponent(m *manifest.App, c *manifest.Component, w io.Writer) error {
	dir := filepath.Join(m.Dir, filepath.FromSlash(c.Build.Workdir))
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return &manifest.Error{Diagnostics: []manifest.Diagnostic{c.Diagnose(
			fmt.Sprintf("there is no directory %s to build in", dir), "workdir starts from the manifest's directory", "build", "workdir")}}
	}
	for _, command := range c.Build.Commands {
		fmt.Fprintf(w, "Building component %s with `%s`\n", c.ID, command)
		if err := runShell(dir, command); err != nil {
			return fmt.Errorf("building component %s: `%s`: %w", c.ID, command, err)
		}
	}
	return nil
}

// runShell runs command by the shell in dir, with the streams of this process.
// Standard output is kept for the results of minispin itself, so the command's
// goes to standard error.
func runShell(dir, command string) error {
	cmd := shell(context.Background(), command)
	cmd.Dir = dir
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	// An interrupt from the terminal reaches the command as well, and it may need
	// a while to clean up; this process ends after it.
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(stop)
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		return err
	case s := <-stop:
		cmd.Process.Signal(s)
		<-ended
		return errors.New("interrupted")
	}
}
