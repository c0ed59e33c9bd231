package main

import (
	"fmt"
	"strconv"
	"time"
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
	how := serving{watch: true, patient: true, debounce: max(time.Duration(c.Debounce), time.Millisecond), build: !c.SkipBuild, clear: c.Clear}
	return c.serve(p, how)
}
