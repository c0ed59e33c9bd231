package app

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host/denied"
	hostvariables "github.com/minispin/minispin/host/variables"
	"github.com/minispin/minispin/host/wasi"
	"github.com/minispin/minispin/host/wasihttp"
	"github.com/minispin/minispin/instancepool"
	"github.com/minispin/minispin/manifest"
	"github.com/minispin/minispin/variables"
)

// This file gives components their dependencies.
//
// A dependency is linked with the same host interfaces as the component itself.
// What it may use is decided by the host value that these interfaces find: of
// the component's configuration it has the sets that it inherits and nothing
// else, so that it is denied the rest just as a component is that was never
// granted it.

// inheritance is a set of names of configuration sets, as inherit_configuration
// lists them.
type inheritance [capabilities]bool

// The sets of configuration that can be inherited.
const (
	aiModels = iota
	allowedOutboundHosts
	environmentVariables
	files
	keyValueStores
	sqliteDatabases
	applicationVariables
	capabilities
)

var capabilityNames = [capabilities]string{
	aiModels:             "ai_models",
	allowedOutboundHosts: "allowed_outbound_hosts",
	environmentVariables: "environment",
	files:                "files",
	keyValueStores:       "key_value_stores",
	sqliteDatabases:      "sqlite_databases",
	applicationVariables: "variables",
}

// dependencies prepares what meets the imports of c. Dependencies on one file
// that inherit the same are one part, so that a type which one of its interfaces
// defines is the same to the others.
func (l *loader) dependencies(ctx context.Context, c *manifest.Component) ([]instancepool.Dependency, error) {
	type origin struct {
		source  string
		inherit inheritance
	}
	parts := map[origin]*instancepool.Part{}
	var out []instancepool.Dependency
	for i := range c.Dependencies {
		d := &c.Dependencies[i]
		wasm, source, err := l.dependencySource(ctx, d)
		if err != nil {
			return nil, fmt.Errorf("component %s: dependency %q: %w", c.ID, d.Name, err)
		}
		o := origin{source: source}
		for set, name := range capabilityNames {
			o.inherit[set] = c.Inherits(d, name)
		}
		if parts[o] == nil {
			n, inherit := len(parts), o.inherit
			parts[o] = &instancepool.Part{
				ID: source, Wasm: wasm, Linker: l.linker,
				View: func(host any) any { return host.(*state).dependency(n, inherit) },
			}
		}
		out = append(out, instancepool.Dependency{Key: d.Name, Export: d.Export, Part: parts[o]})
	}
	// The errors of composition come in an order that does not change.
	slices.SortFunc(out, func(a, b instancepool.Dependency) int { return strings.Compare(a.Key, b.Key) })
	return out, nil
}

// dependencySource returns a dependency's bytes, and what they are called.
func (l *loader) dependencySource(ctx context.Context, d *manifest.Dependency) (wasm []byte, name string, err error) {
	switch {
	case d.Path != "":
		wasm, err = l.file(d.Path)
		return wasm, d.Path, err
	case d.Component != "":
		c := l.manifest.Component(d.Component)
		wasm, err = l.source(ctx, c)
		return wasm, "component " + c.ID, err
	case d.URL != "":
		wasm, err = l.download(ctx, d.URL, d.Digest)
		return wasm, d.Digest, err
	}
	return nil, "", fmt.Errorf("it has no file; download it and name it by its path")
}

// dependency is the host value of a component's dependency: a view of the
// component's own state that shows what is inherited. A host interface that
// looks for a view which dependency does not offer finds nothing granted.
type dependency struct {
	wasi      wasi.Ctx
	http      *wasihttp.Ctx
	variables *variables.Component
	of        *state
}

// dependency returns the view of dependency n, made when it is first asked for.
func (s *state) dependency(n int, inherit inheritance) *dependency {
	for len(s.dependencies) <= n {
		s.dependencies = append(s.dependencies, nil)
	}
	if s.dependencies[n] == nil {
		s.dependencies[n] = s.newDependency(inherit)
	}
	return s.dependencies[n]
}

func (s *state) newDependency(inherit inheritance) *dependency {
	d := &dependency{http: &wasihttp.Ctx{}, of: s}
	d.wasi = wasi.Ctx{
		Stdin: s.wasi.Stdin, Stdout: s.wasi.Stdout, Stderr: s.wasi.Stderr,
		Clocks: s.wasi.Clocks, Random: s.wasi.Random,
	}
	if inherit[environmentVariables] {
		d.wasi.Args, d.wasi.Env = s.wasi.Args, s.wasi.Env
	}
	if inherit[allowedOutboundHosts] {
		d.http = &s.http
		d.wasi.Network.Policy = s.wasi.Network.Policy
		d.wasi.Network.Budget = s.wasi.Network.Budget
	}
	if inherit[files] {
		d.wasi.Files.Mounts, d.wasi.Files.Budget = s.wasi.Files.Mounts, s.wasi.Files.Budget
	}
	if inherit[applicationVariables] {
		d.variables = s.variables
	}
	return d
}

// WASI implements wasi.View.
func (d *dependency) WASI() *wasi.Ctx { return &d.wasi }

// HTTP implements wasihttp.View.
func (d *dependency) HTTP() *wasihttp.Ctx { return d.http }

// Variables implements hostvariables.View.
func (d *dependency) Variables() *variables.Component { return d.variables }

// Denied implements denied.Observer.
func (d *dependency) Denied(c *component.Call, iface, function string) {
	d.of.Denied(c, iface, function)
}

var (
	_ denied.Observer    = (*dependency)(nil)
	_ wasi.View          = (*dependency)(nil)
	_ wasihttp.View      = (*dependency)(nil)
	_ hostvariables.View = (*dependency)(nil)
)
