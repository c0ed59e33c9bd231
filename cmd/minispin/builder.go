package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/minispin/minispin/manifest"
)

// builder runs the build commands of an application's components. It is the one
// way in which minispin build, up --build and watch do so.
type builder struct {
	// only are the ids of the components to build; empty means all of them.
	only []string
	// report is told which command runs, and what came of all of them.
	report io.Writer
	// quiet keeps back what commands print, unless they fail.
	quiet bool
}

var errBuildInterrupted = errors.New("interrupted")

// cleanUp is how long a command may go on that was told to end.
const cleanUp = 10 * time.Second

// build builds the components of m, those that others depend on before these; the
// first command that fails ends it. It returns the number of components built.
// When ctx ends, the command that runs gets the signal that is ctx's cause, or
// TERM, and is waited for.
func (b *builder) build(ctx context.Context, m *manifest.App) (built int, err error) {
	for _, id := range b.only {
		if m.Component(id) == nil {
			var known []string
			for _, c := range m.Components {
				known = append(known, c.ID)
			}
			return 0, fmt.Errorf("there is no component %q to build; there are: %s", id, strings.Join(known, ", "))
		}
	}
	for _, c := range buildOrder(m) {
		if len(b.only) > 0 && !slices.Contains(b.only, c.ID) {
			continue
		}
		if c.Build == nil || len(c.Build.Commands) == 0 {
			if len(b.only) > 0 {
				fmt.Fprintf(b.report, "Component %s has no build command\n", c.ID)
			}
			continue
		}
		if err := b.component(ctx, m, c); err != nil {
			return built, err
		}
		built++
	}
	return built, nil
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

// component runs the commands of one component.
func (b *builder) component(ctx context.Context, m *manifest.App, c *manifest.Component) error {
	dir := filepath.Join(m.Dir, filepath.FromSlash(c.Build.Workdir))
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return &manifest.Error{Diagnostics: []manifest.Diagnostic{c.Diagnose(
			fmt.Sprintf("there is no directory %s to build in", dir), "workdir starts from the manifest's directory", "build", "workdir")}}
	}
	for _, command := range c.Build.Commands {
		fmt.Fprintf(b.report, "Building component %s with `%s`\n", c.ID, command)
		if err := b.run(ctx, dir, command); err != nil {
			return fmt.Errorf("building component %s: `%s`: %w", c.ID, command, err)
		}
	}
	return nil
}

// run runs a command by the shell in dir. Standard output is kept for the results
// of minispin itself, so that of the command goes where its errors go. It is handed
// the terminal itself, if there is one: compilers then show colours and progress.
func (b *builder) run(ctx context.Context, dir, command string) error {
	output := os.Stderr
	if b.quiet {
		// A file and no pipe, which would have to be read until everything that the
		// command has started in the background ends.
		kept, err := os.CreateTemp("", "minispin-build-")
		if err != nil {
			return fmt.Errorf("keeping what it prints: %w", err)
		}
		defer os.Remove(kept.Name())
		defer kept.Close()
		output = kept
	}
	cmd := shell(ctx, command)
	cmd.Dir = dir
	cmd.Stdout, cmd.Stderr = output, output
	cmd.WaitDelay = cleanUp
	group(cmd)
	cmd.Cancel = func() error { return interrupt(cmd, context.Cause(ctx)) }
	err := cmd.Run()
	if ctx.Err() != nil {
		return errBuildInterrupted
	}
	if err != nil && b.quiet {
		if _, seekErr := output.Seek(0, io.SeekStart); seekErr == nil {
			_, _ = io.Copy(b.report, output) // standard error is the last resort
		}
	}
	return err
}

// shell returns a command that the system's shell runs.
func shell(ctx context.Context, command string) *exec.Cmd {
	if runtime.GOOS == "windows" {
		return exec.CommandContext(ctx, "cmd", "/C", command)
	}
	return exec.CommandContext(ctx, "sh", "-c", command)
}

// interruption is a signal that ended something.
type interruption struct{ signal os.Signal }

// Error implements error.
func (i interruption) Error() string { return "signal: " + i.signal.String() }

// interrupt passes the signal that is cause on to a command, TERM if it is none.
// An interrupt from the terminal has reached the command already; once more does
// no harm.
func interrupt(cmd *exec.Cmd, cause error) error {
	signal := os.Signal(syscall.SIGTERM)
	if i, ok := errors.AsType[interruption](cause); ok {
		signal = i.signal
	}
	err := signalGroup(cmd, signal)
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		err = cmd.Process.Kill() // there are no signals here
	}
	return err
}

// untilSignal returns a context that ends with the next signal from stop, which
// is then its cause. The caller must cancel it.
func untilSignal(stop <-chan os.Signal) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(context.Background())
	go func() {
		select {
		case s := <-stop:
			cancel(interruption{s})
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(context.Canceled) }
}
