package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"github.com/minispin/minispin/manifest"
)

// watchCommand is minispin watch: minispin up for as long as an application is
// being written.
type watchCommand struct {
	upCommand

	Clear     bool         `help:"Clear the screen before each build."`
	Debounce  milliseconds `short:"d" default:"${debounce}" placeholder:"MS" help:"How long files must be left alone before they are looked at, in milliseconds. Default: ${debounce}."`
	SkipBuild bool         `help:"Do not run the components' build commands, but load what others build."`
}

// milliseconds is a time that is written as a number, or with a unit.
type milliseconds time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *milliseconds) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if n, numErr := strconv.ParseUint(string(text), 10, 31); numErr == nil {
		d, err = time.Duration(n)*time.Millisecond, nil
	}
	if err != nil || d < 0 {
		return fmt.Errorf("%q is not a number of milliseconds", text)
	}
	*m = milliseconds(d)
	return nil
}

// Run builds and serves the application until a signal ends it.
func (c *watchCommand) Run(p *process) error {
	how := serving{watch: true, patient: true, debounce: max(time.Duration(c.Debounce), time.Millisecond), clear: c.Clear}
	if !c.SkipBuild {
		how.build = func(ctx context.Context, m *manifest.App) error {
			return runBuilds(ctx, m, p.stderr.Safe(), c.Quiet)
		}
	}
	return c.serve(p, how)
}

// runBuilds runs the build commands of m's components, those that others depend
// on first. What they print goes to out; that of quiet ones only when they fail.
func runBuilds(ctx context.Context, m *manifest.App, out io.Writer, quiet bool) error {
	for _, c := range buildOrder(m) {
		if c.Build == nil {
			continue
		}
		for _, command := range c.Build.Commands {
			fmt.Fprintf(out, "Building %s: %s\n", c.ID, command)
			cmd := shell(ctx, command)
			cmd.Dir = filepath.Join(m.Dir, filepath.FromSlash(c.Build.Workdir))
			cmd.WaitDelay = time.Second // for what it leaves behind that holds on to the output
			var kept bytes.Buffer
			if cmd.Stdout = out; quiet {
				cmd.Stdout = &kept
			}
			cmd.Stderr = cmd.Stdout
			if err := cmd.Run(); err != nil {
				_, _ = kept.WriteTo(out) // standard error is the last resort
				return fmt.Errorf("building the component %s: the command %q: %w", c.ID, command, err)
			}
		}
	}
	return nil
}

// shell returns a command that the system's shell runs.
func shell(ctx context.Context, command string) *exec.Cmd {
	if runtime.GOOS == "windows" {
		return exec.CommandContext(ctx, "cmd", "/C", command)
	}
	return exec.CommandContext(ctx, "sh", "-c", command)
}
