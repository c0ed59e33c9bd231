package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/minispin/minispin/manifest"
)

// buildCommand is minispin build.
type buildCommand struct {
	Manifest  string   `arg:"" optional:"" help:"The application: a manifest, or a directory with a spin.toml. Without it, spin.toml is looked for here and in the directories above."`
	From      string   `short:"f" aliases:"from-file,file" placeholder:"PATH" help:"The application, named by a flag."`
	Component []string `short:"c" name:"component-id" sep:"none" placeholder:"ID" help:"Build only this component. May be repeated."`
	Profile   string   `placeholder:"NAME" help:"Use this profile's build commands where a component has it."`

	// What these of Spin leave out is not done here at all.
	SkipTargetChecks bool `hidden:""`
	SkipGenerateWits bool `hidden:""`

	Up bool `short:"u" help:"Run the application afterwards. It is then minispin up --build, and takes all of its flags."`
}

// buildAndUp makes of the arguments of minispin build --up those of minispin up
// --build, which are the same but for their names.
func buildAndUp(args []string) []string {
	if len(args) == 0 || args[0] != "build" && args[0] != "b" || slices.Contains(args, "--help") || slices.Contains(args, "-h") {
		return args
	}
	rest := slices.DeleteFunc(slices.Clone(args[1:]), func(arg string) bool { return arg == "-u" || arg == "--up" })
	if len(rest) == len(args)-1 {
		return args
	}
	rest = slices.DeleteFunc(rest, func(arg string) bool { return arg == "--skip-target-checks" || arg == "--skip-generate-wits" })
	return append([]string{"up", "--build"}, rest...)
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
	return namedOnce(c.Manifest, c.From)
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
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	ctx, cancel := untilSignal(stop)
	defer cancel()
	// A command may need a while to clean up. A second signal is for those who do
	// not want to wait for that.
	context.AfterFunc(ctx, func() { signal.Stop(stop) })
	b := &builder{only: c.Component, report: p.stderr.Safe()}
	built, err := b.build(ctx, m)
	switch {
	case err != nil:
		return err
	case built > 0:
		fmt.Fprintf(b.report, "Finished building %s\n", plural(built, "component"))
	case len(c.Component) == 0:
		fmt.Fprintf(b.report, "Nothing to build: no component has a table [component.<id>.build] with a command\n")
	}
	return nil
}

// namedOnce returns an error if both an argument and a flag name the application.
func namedOnce(arg, flag string) error {
	if arg != "" && flag != "" {
		return errors.New("the application is named twice, by an argument and by --from")
	}
	return nil
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

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
