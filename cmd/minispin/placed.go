package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	httptrigger "github.com/minispin/minispin/trigger/http"
)

// placed is an application of those that a command serves on one listener.
type placed struct {
	// name is what messages call it; "" if there is no other.
	name string
	site httptrigger.Site // without its handler
	// command has the flags of the command, with the application's own over them.
	command *upCommand
}

// applications returns the applications that the flags name: those of --app, or
// else the one.
func (c *upCommand) applications() ([]*placed, error) {
	if len(c.App) == 0 {
		return []*placed{{command: c}}, nil
	}
	for _, flag := range []struct {
		name, key string
		set       bool
	}{
		{"an argument", "from", c.Manifest != ""}, {"--from", "from", c.From != ""},
		{"--component-id", "component-id", len(c.Component) > 0},
		{"--profile", "profile", c.Profile != ""}, {"--follow", "follow", len(c.Follow) > 0},
	} {
		if flag.set {
			return nil, fmt.Errorf("--app: %s is for one application; write it within, as in --app host=a.example,%s=VALUE", flag.name, flag.key)
		}
	}
	var all []*placed
	var sites []httptrigger.Site
	dirs := map[string]bool{}
	for i, text := range c.App {
		p, err := c.place(text)
		if err != nil {
			return nil, fmt.Errorf("--app, number %d: %w", i+1, err) // without the text, which may have secrets
		}
		dir := p.dir()
		if dirs[dir] {
			return nil, fmt.Errorf("--app, number %d: another application is called %s, too; give one of them another name, as in name=%s2", i+1, p.name, p.name)
		}
		dirs[dir] = true
		all, sites = append(all, p), append(sites, p.site)
	}
	if _, err := httptrigger.NewSites(sites); err != nil {
		return nil, fmt.Errorf("--app: %w", err)
	}
	return all, nil
}

// place reads an --app: keys and values, separated by commas, most of them flags
// for the application alone.
func (c *upCommand) place(text string) (*placed, error) {
	own := *c
	own.App, own.Env, own.Variable = nil, maps.Clone(c.Env), slices.Clone(c.Variable)
	p := &placed{command: &own}
	var logDir, stateDir *string
	for pair := range strings.SplitSeq(text, ",") {
		key, value, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, errors.New(`a part of it has no "=": write KEY=VALUE,KEY=VALUE; a value with a comma has to come from a file, as in variable=@FILE.json`)
		}
		switch key {
		case "name":
			p.name = value
		case "host":
			p.site.Hosts = append(p.site.Hosts, value)
		case "prefix":
			p.site.Base = value
		case "from":
			own.From = value
		case "profile":
			own.Profile = value
		case "component-id":
			own.Component = append(own.Component, value)
		case "variable":
			own.Variable = append(own.Variable, value)
		case "env":
			name, v, ok := strings.Cut(value, "=")
			if !ok || name == "" {
				return nil, errors.New("env: write env=NAME=VALUE")
			}
			if own.Env == nil {
				own.Env = map[string]string{}
			}
			own.Env[name] = v
		case "runtime-config-file":
			own.RuntimeConfig = value
		case "strategy":
			own.Strategy = value
		case "request-timeout":
			d, err := time.ParseDuration(value)
			if err != nil {
				return nil, fmt.Errorf("request-timeout: %q is no time, such as 30s", value)
			}
			own.RequestTimeout = d
		case "max-instance-memory":
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				return nil, fmt.Errorf("max-instance-memory: %q is no number of bytes", value)
			}
			own.MaxMemory = n
		case "follow":
			own.Follow = append(own.Follow, value)
		case "log-dir":
			logDir = &value
		case "state-dir":
			stateDir = &value
		default:
			return nil, fmt.Errorf("there is no key %q; there are name, host, prefix, from, profile, component-id, variable, env, runtime-config-file, strategy, request-timeout, max-instance-memory, follow, log-dir, state-dir", key)
		}
	}
	if own.From == "" {
		return nil, errors.New("it does not say where the application is: from=PATH")
	}
	if p.name == "" && len(p.site.Hosts) > 0 {
		p.name = p.site.Hosts[0] + p.site.Base
	}
	p.name = cmp.Or(p.name, p.site.Base, "default")
	if strings.Trim(p.dir(), ".") == "" {
		return nil, fmt.Errorf("%q cannot be its name", p.name)
	}
	own.LogDir, own.StateDir = p.within(logDir, c.LogDir), p.within(stateDir, c.StateDir)
	return p, nil
}

// within returns the directory the application has for itself: its own, or one
// in that for all. "" stays, as it means none.
func (p *placed) within(own, all *string) *string {
	switch {
	case own != nil:
		return own
	case all == nil || *all == "":
		return all
	}
	dir := filepath.Join(*all, p.dir())
	return &dir
}

// dir returns the application's name as that of a directory.
func (p *placed) dir() string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, r) {
			return '~'
		}
		return r
	}, p.name)
}

// explain adds to an error which application it is about.
func (p *placed) explain(err error) error {
	if err == nil || p.name == "" {
		return err
	}
	return fmt.Errorf("application %s: %w", p.name, err)
}
