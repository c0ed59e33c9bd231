package main

import (
	"go.uber.org/zap"

	"github.com/minispin/minispin/runtimeconfig"
)

// configured reads the runtime configuration, and returns it with the command as
// it is under it: flags count before what the file says. Without a file both are
// as they were.
func (g *generations) configured() (*upCommand, *runtimeconfig.Config, error) {
	c := g.command
	if c.RuntimeConfig == "" {
		return c, &runtimeconfig.Config{}, nil
	}
	config, err := c.runtimeConfig()
	if err != nil {
		return nil, nil, err
	}
	if g.loads == 0 {
		g.log.Info("using a runtime configuration", zap.String("path", c.RuntimeConfig))
	}
	g.warn(config.Warnings, &g.warnedOfConfig)
	return g.under(config), config, nil
}

// under returns the command as it is under a runtime configuration.
func (g *generations) under(config *runtimeconfig.Config) *upCommand {
	own := *g.command
	if own.LogDir == nil && own.StateDir == nil {
		// A log directory of the file would otherwise come before a state
		// directory of the flags.
		own.LogDir = g.withinPlace(config.LogDir)
	}
	if own.StateDir == nil {
		own.StateDir = g.withinPlace(config.StateDir)
	}
	if own.MaxMemory == 0 {
		own.MaxMemory = config.MaxInstanceMemory
	}
	return &own
}

// withinPlace returns what the application has of a directory for all.
func (g *generations) withinPlace(dir *string) *string {
	if g.placed.name == "" {
		return dir
	}
	return g.placed.within(nil, dir)
}
