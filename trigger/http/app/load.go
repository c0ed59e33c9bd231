package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host"
	"github.com/minispin/minispin/instancepool"
	"github.com/minispin/minispin/manifest"
	httptrigger "github.com/minispin/minispin/trigger/http"
)

// What a component gets when its tool.minispin table does not say otherwise.
const (
	// DefaultDeadline bounds a request, the work a guest does after its
	// response included.
	DefaultDeadline = 5 * time.Minute
	// DefaultMemoryLimit bounds each linear memory of a component, in bytes.
	DefaultMemoryLimit = 128 << 20
)

// Supports lists the optional manifest features that applications loaded here
// may use; it is what manifest.Options.Supports should be.
var Supports = []manifest.Feature{manifest.FeatureWAGI}

// Options adjust Load.
type Options struct {
	// Strategy is the strategy of every component, over what the manifest says.
	// Empty leaves it to the manifest.
	Strategy string
	// Env are environment variables for every component, over the manifest's.
	Env map[string]string
	// Log receives a line for every failed request. Nil means no log.
	Log *zap.Logger
	// Output receives what guests print. Nil discards it.
	Output Output
	// CacheDir is a directory for compiled code; empty compiles every time.
	CacheDir string
	// Progress, when set, is told how far the compilation of a component is.
	Progress func(component string, done, total int)
	// OnNotFound is handed to httptrigger.Options.
	OnNotFound func(path string)
}

// App is a loaded application: an http.Handler with the components behind it.
type App struct {
	*httptrigger.Handler
	engines *instancepool.Engines
	pools   []*instancepool.Pool[*handler]
}

// Load compiles and links the components that m's HTTP triggers refer to. Every
// component that cannot be loaded is named in the error. The caller must Close
// the App when no request is under way.
func Load(ctx context.Context, m *manifest.App, opts Options) (*App, error) {
	if err := refuse(m); err != nil {
		return nil, err
	}
	linker := component.NewLinker()
	if err := host.Define(linker); err != nil {
		return nil, err
	}
	a := &App{engines: &instancepool.Engines{CacheDir: opts.CacheDir}}
	l := &loader{app: a, manifest: m, opts: opts, linker: linker, targets: map[targetKey]*target{}}
	routes, err := l.routes(ctx)
	if err == nil {
		a.Handler, err = httptrigger.NewHandler(
			httptrigger.App{Name: m.Name, Version: m.Version, Routes: routes},
			httptrigger.Options{Log: opts.Log, OnNotFound: opts.OnNotFound})
	}
	if err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

// Close frees the components. No request may be under way.
func (a *App) Close() {
	for _, p := range a.pools {
		p.Close()
	}
	a.engines.Close()
}

// refuse makes an error of what the manifest asks for and this host lacks.
func refuse(m *manifest.App) error {
	if len(m.Unsupported) == 0 {
		return nil
	}
	e := &manifest.Error{}
	for _, u := range m.Unsupported {
		e.Diagnostics = append(e.Diagnostics, u.Diagnostic)
	}
	return e
}

type loader struct {
	app      *App
	manifest *manifest.App
	opts     Options
	linker   *component.Linker
	targets  map[targetKey]*target
}

// targetKey tells pools apart: a component may be called in two ways.
type targetKey struct {
	component string
	executor  manifest.ExecutorType
}

// target is a component prepared for one executor.
type target struct {
	id     string
	pool   *instancepool.Pool[*handler]
	env    [][2]string
	output Output
	err    error
}

func (l *loader) routes(ctx context.Context) ([]httptrigger.Route, error) {
	var routes []httptrigger.Route
	var errs []error
	for i := range l.manifest.Triggers {
		t := &l.manifest.Triggers[i]
		if t.ShadowedBy != "" {
			continue
		}
		r := httptrigger.Route{ID: t.Component, Pattern: t.Route.Path, Private: t.Route.Private}
		if s := t.StaticResponse; s != nil {
			r.ID = t.ID
			r.Static = &httptrigger.StaticResponse{Status: s.StatusCode, Header: s.Headers, Body: s.Body}
			routes = append(routes, r)
			continue
		}
		c := l.manifest.Component(t.Component)
		r.Description = c.Description
		key := targetKey{c.ID, t.Executor.Type}
		tg := l.targets[key]
		if tg == nil {
			tg = l.target(ctx, c, t.Executor.Type)
			l.targets[key] = tg
			if tg.err != nil {
				errs = append(errs, tg.err)
			}
		}
		if tg.err == nil {
			r.Executor = tg.executor(t.Executor)
			routes = append(routes, r)
		}
	}
	return routes, errors.Join(errs...)
}

// target prepares a component for an executor.
func (l *loader) target(ctx context.Context, c *manifest.Component, ex manifest.ExecutorType) *target {
	t := &target{id: c.ID, env: environment(c.Environment, l.opts.Env), output: l.opts.Output}
	wasm, err := source(l.manifest, c)
	if err != nil {
		t.err = err
		return t
	}
	s := c.Settings
	cfg := instancepool.Config[*handler]{
		ID: c.ID, Wasm: wasm, Linker: l.linker,
		Strategy:     instancepool.Strategy(s.Strategy),
		Bind:         bindHandler(ex),
		Limits:       component.Limits{MemoryBytes: s.MemoryLimit},
		MaxInstances: s.MaxInstances,
		Deadline:     s.Deadline,
	}
	if l.opts.Strategy != "" {
		cfg.Strategy = instancepool.Strategy(l.opts.Strategy)
	}
	if cfg.Limits.MemoryBytes == 0 {
		cfg.Limits.MemoryBytes = DefaultMemoryLimit
	}
	if cfg.Deadline == 0 {
		cfg.Deadline = DefaultDeadline
	}
	switch {
	case s.Queue == nil:
	case *s.Queue == 0:
		cfg.Queue = -1
	default:
		cfg.Queue = *s.Queue
	}
	if l.opts.Progress != nil {
		cfg.Progress = func(done, total int) { l.opts.Progress(c.ID, done, total) }
	}
	if t.pool, t.err = instancepool.New(ctx, l.app.engines, cfg); t.err == nil {
		l.app.pools = append(l.app.pools, t.pool)
	}
	return t
}

// executor returns the executor for the handler that the component exports.
func (t *target) executor(ex manifest.Executor) httptrigger.Executor {
	h := t.pool.Handler()
	switch {
	case ex.Type == manifest.ExecutorWAGI:
		return &program{target: t, argv: ex.Argv}
	case h.inbound != nil:
		return &inbound{t}
	}
	return &incoming{t}
}

// source reads a component's bytes.
func source(m *manifest.App, c *manifest.Component) ([]byte, error) {
	path := m.Resolve(c.Source.Path)
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("component %s: %w", c.ID, err)
	}
	if strings.EqualFold(filepath.Ext(path), ".wat") {
		if b, err = component.FromText(string(b)); err != nil {
			return nil, fmt.Errorf("component %s: %s: %w", c.ID, path, err)
		}
	}
	return b, nil
}

// environment merges environment variables, sorted by name so that a guest sees
// the same order every time.
func environment(base, over map[string]string) [][2]string {
	all := make(map[string]string, len(base)+len(over))
	for k, v := range base {
		all[k] = v
	}
	for k, v := range over {
		all[k] = v
	}
	env := make([][2]string, 0, len(all))
	for k, v := range all {
		env = append(env, [2]string{k, v})
	}
	sort.Slice(env, func(i, j int) bool { return env[i][0] < env[j][0] })
	return env
}

var _ http.Handler = (*App)(nil)
