package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host"
	"github.com/minispin/minispin/host/budget"
	hostfiles "github.com/minispin/minispin/host/files"
	"github.com/minispin/minispin/host/outgoing"
	"github.com/minispin/minispin/host/wasihttp"
	"github.com/minispin/minispin/instancepool"
	"github.com/minispin/minispin/manifest"
	"github.com/minispin/minispin/manifest/fetch"
	httptrigger "github.com/minispin/minispin/trigger/http"
	"github.com/minispin/minispin/trigger/http/stage"
	"github.com/minispin/minispin/variables"
)

// What a component gets when its tool.minispin table does not say otherwise.
const (
	// DefaultDeadline bounds a request, the work a guest does after its
	// response included.
	DefaultDeadline = 5 * time.Minute
	// DefaultMemoryLimit bounds each linear memory of a component, in bytes.
	DefaultMemoryLimit = 128 << 20
)

// h2cVariable is the environment variable of Spin that lists hosts, separated by
// commas, which speak HTTP/2 without TLS.
const h2cVariable = "SPIN_OUTBOUND_H2C_PRIOR_KNOWLEDGE"

// Supports lists the optional manifest features that applications loaded here
// may use; it is what manifest.Options.Supports should be.
var Supports = []manifest.Feature{manifest.FeatureDependencies, manifest.FeatureWAGI, manifest.FeatureTemplates, manifest.FeatureSourceURL, manifest.FeatureFiles}

// Options adjust Load.
type Options struct {
	// Strategy is the strategy of every component, over what the manifest says.
	// Empty leaves it to the manifest, and what that leaves open to
	// instancepool.Auto.
	Strategy string
	// Unavailable are strategies that must not be used in this process, with the
	// reason. It does not matter if Engines is set.
	Unavailable map[instancepool.Strategy]error
	// Deadline bounds a request to any component, and MemoryLimit each of its
	// memories, in bytes, over what the manifest says. Zero leaves it to the manifest.
	Deadline    time.Duration
	MemoryLimit int64
	// Env are environment variables for every component, over the manifest's.
	Env map[string]string
	// Variables are asked for the values of the application's variables, in this
	// order. A required one that none can have a value for is an error.
	Variables []variables.Provider
	// Log receives a line for every failed request. Nil means no log.
	Log *zap.Logger
	// Output receives what guests print. Nil discards it.
	Output Output
	// CacheDir is a directory for compiled code; empty compiles every time.
	CacheDir string
	// Engines, when set, are used in place of engines of the App's own, and
	// stay open when it is closed: applications that are loaded one after the
	// other, or serve side by side, then share their address space. CacheDir is theirs.
	Engines *instancepool.Engines
	// DownloadDir is a directory for components that the manifest names by URL;
	// empty means the user's usual one.
	DownloadDir string
	// Files say how components see the files that the manifest gives them.
	Files Files
	// Base is the path that the application is at, as in "/shop"; "" is the root.
	Base string
	// Warn, when set, is told of what about the manifest stops nothing but shows only
	// when its files are looked at.
	Warn func(manifest.Diagnostic)
	// Progress, when set, is told how far the compilation of a component is.
	Progress func(component string, done, total int)
	// OnNotFound is handed to httptrigger.Options.
	OnNotFound func(path string)
	// Outgoing adjusts how the components send requests. Its Application is set
	// by Load.
	Outgoing outgoing.Options
}

// App is a loaded application: an http.Handler with the components behind it.
type App struct {
	*httptrigger.Handler
	engines  *instancepool.Engines // nil if they are not the App's own
	pools    []*instancepool.Pool[*handler]
	outgoing *outgoing.Client
	bodies   bodies
	files    *stage.Stage
	log      *zap.Logger
}

// Load compiles and links the components that m's HTTP triggers refer to. Every
// component that cannot be loaded is named in the error. The caller must Close
// the App.
func Load(ctx context.Context, m *manifest.App, opts Options) (*App, error) {
	return load(ctx, m, opts, host.Define)
}

// load is Load with host interfaces of the caller's choice.
func load(ctx context.Context, m *manifest.App, opts Options, define func(*component.Linker) error) (*App, error) {
	if err := refuse(m); err != nil {
		return nil, err
	}
	values, err := resolver(ctx, m, opts.Variables)
	if err != nil {
		return nil, err
	}
	linker := component.NewLinker()
	if err := define(linker); err != nil {
		return nil, err
	}
	a := &App{}
	if opts.Engines == nil {
		a.engines = &instancepool.Engines{CacheDir: opts.CacheDir, Unavailable: opts.Unavailable}
		opts.Engines = a.engines
	}
	if opts.Log == nil {
		opts.Log = zap.NewNop()
	}
	a.log = opts.Log
	opts.Outgoing.Application = itself{a}
	if opts.Outgoing.H2C == nil {
		opts.Outgoing.H2C = strings.FieldsFunc(os.Getenv(h2cVariable), func(c rune) bool { return c == ',' || c == ' ' })
	}
	a.outgoing = outgoing.NewClient(opts.Outgoing)
	l := &loader{
		app: a, manifest: m, opts: opts, linker: linker, variables: values,
		targets: map[string]*target{}, sources: map[string][]byte{},
	}
	err = l.putFiles(ctx)
	var routes []httptrigger.Route
	if err == nil {
		routes, err = l.routes(ctx)
	}
	if err == nil {
		a.Handler, err = httptrigger.NewHandler(
			httptrigger.App{Name: m.Name, Version: m.Version, Base: opts.Base, Routes: routes},
			httptrigger.Options{Log: opts.Log, OnNotFound: opts.OnNotFound})
	}
	if err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

// Shutdown waits until no guest is at work any more, those included that go on
// after their responses, and closes the App. If ctx ends first the rest are
// ended, and the error is ctx's cause. There should be no more requests: the
// server that had the App has been shut down.
func (a *App) Shutdown(ctx context.Context) error {
	var err error
	for _, p := range a.pools {
		if err = p.Wait(ctx); err != nil {
			err = fmt.Errorf("guests were ended at shutdown: %w", err)
			break
		}
	}
	a.Close()
	return err
}

// Close ends the guests that are at work, waits for them and frees the
// components. Requests that come later are turned away with 503.
func (a *App) Close() {
	// All pools take leave together: together they wait no longer than for the
	// slowest guest.
	var g sync.WaitGroup
	for _, p := range a.pools {
		g.Go(p.Close)
	}
	g.Wait()
	a.pools = nil
	a.outgoing.Close()
	if a.files != nil {
		if err := a.files.Close(); err != nil {
			a.log.Warn("closing the application", zap.Error(err))
		}
	}
	if a.engines != nil {
		a.engines.Close()
	}
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

// resolver returns what gives m's variables their values, once all required ones
// are known to have some.
func resolver(ctx context.Context, m *manifest.App, providers []variables.Provider) (*variables.Resolver, error) {
	var declared []variables.Variable
	for _, v := range m.Variables {
		declared = append(declared, variables.Variable{Name: v.Name, Default: v.Default, Secret: v.Secret})
	}
	r := variables.NewResolver(declared, providers...)
	if err := r.Check(ctx); err != nil {
		return nil, fmt.Errorf("application %s: %w", m.Name, err)
	}
	return r, nil
}

type loader struct {
	app       *App
	manifest  *manifest.App
	opts      Options
	linker    *component.Linker
	variables *variables.Resolver
	targets   map[string]*target // by component
	sources   map[string][]byte  // by path
}

// target is a component prepared for the executors of its triggers, which share
// it: it is compiled once, and its limits hold for all of them together.
type target struct {
	id        string
	pool      *instancepool.Pool[*handler]
	env       [][2]string
	variables *variables.Component
	sender    *outgoing.Component
	network   network
	sockets   *budget.Budget
	files     *budget.Budget
	placement wasihttp.Placement
	maxBody   int64 // of a request that a guest takes whole, in bytes
	bodies    *bodies
	mounts    []hostfiles.Mount
	denials   denials
	output    Output
	log       *zap.Logger
	err       error
}

// routes prepares the components that routes lead to, and returns the routes.
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
		tg := l.targets[c.ID]
		if tg == nil {
			tg = l.target(ctx, c)
			l.targets[c.ID] = tg
			if tg.err != nil {
				errs = append(errs, tg.err)
			}
		}
		if tg.err == nil {
			r.Executor = tg.executor(t.Executor)
			r.Strategy, r.StrategyReason = string(tg.pool.Strategy()), tg.pool.Reason()
			routes = append(routes, r)
		}
	}
	return routes, errors.Join(errs...)
}

// executors lists the types of executors that requests to a component go
// through, each once.
func (l *loader) executors(component string) []manifest.ExecutorType {
	var types []manifest.ExecutorType
	for i := range l.manifest.Triggers {
		t := &l.manifest.Triggers[i]
		if t.Component == component && t.ShadowedBy == "" && !slices.Contains(types, t.Executor.Type) {
			types = append(types, t.Executor.Type)
		}
	}
	return types
}

// target prepares a component.
func (l *loader) target(ctx context.Context, c *manifest.Component) *target {
	t := &target{id: c.ID, env: environment(c.Environment, l.opts.Env), output: l.opts.Output, log: l.opts.Log}
	policy, err := l.policy(ctx, c)
	if err != nil {
		t.err = err
		return t
	}
	t.sender = l.app.outgoing.Component(policy)
	t.network, t.sockets = network{policy}, budget.New(maxSockets)
	t.mounts, t.files = l.mounts(c.ID), budget.New(maxFiles)
	wasm, err := l.source(ctx, c)
	if err != nil {
		t.err = err
		return t
	}
	if t.variables, err = l.variables.Component(c.Variables); err != nil {
		t.err = fmt.Errorf("component %s: %w", c.ID, err)
		return t
	}
	s := c.Settings
	executors := l.executors(c.ID)
	cfg := instancepool.Config[*handler]{
		ID: c.ID, Wasm: wasm, Linker: l.linker,
		Strategy:     instancepool.Strategy(cmp.Or(l.opts.Strategy, s.Strategy)),
		Bind:         binder(executors),
		Limits:       component.Limits{MemoryBytes: cmp.Or(l.opts.MemoryLimit, s.MemoryLimit, DefaultMemoryLimit)},
		MaxInstances: s.MaxInstances,
		Deadline:     cmp.Or(l.opts.Deadline, s.Deadline, DefaultDeadline),
		MaxRequests:  s.MaxRequests,
		IdleTime:     s.IdleTime,
	}
	if cfg.Strategy == instancepool.Reuse && slices.Contains(executors, manifest.ExecutorWAGI) {
		t.err = fmt.Errorf("component %s cannot have the strategy %s: a program that the WAGI executor runs ends with its request, so there is nothing to keep; use %s or %s",
			c.ID, instancepool.Reuse, instancepool.Reset, instancepool.Pooled)
		return t
	}
	t.maxBody, t.bodies = min(maxWholeBody, cfg.Limits.MemoryBytes), &l.app.bodies
	t.denials.log, t.denials.component = t.log, t.id
	switch {
	case s.Queue == nil:
	case *s.Queue == 0:
		cfg.Queue = -1
	default:
		cfg.Queue = *s.Queue
	}
	if cfg.Dependencies, t.err = l.dependencies(ctx, c); t.err != nil {
		return t
	}
	if l.opts.Progress != nil {
		cfg.Progress = func(done, total int) { l.opts.Progress(c.ID, done, total) }
	}
	if t.pool, t.err = instancepool.New(ctx, l.opts.Engines, cfg); t.err == nil {
		l.app.pools = append(l.app.pools, t.pool)
		l.remark(c, t.pool)
	}
	return t
}

// remark logs what may surprise about a component's strategy.
func (l *loader) remark(c *manifest.Component, p *instancepool.Pool[*handler]) {
	strategy := zap.String("strategy", string(p.Strategy()))
	if reason := p.Reason(); reason != "" {
		l.opts.Log.Info("a component cannot have the strategy reset", zap.String("component", c.ID), strategy, zap.String("reason", reason))
	}
	if p.Strategy() == instancepool.Reset || p.Strategy() == instancepool.Reuse {
		return
	}
	var idle []string
	if c.Settings.MaxRequests != 0 {
		idle = append(idle, "max_requests")
	}
	if c.Settings.IdleTime != 0 {
		idle = append(idle, "idle_time")
	}
	if len(idle) > 0 {
		l.opts.Log.Warn("settings have no effect: the component's strategy keeps no instances", zap.String("component", c.ID), strategy, zap.Strings("settings", idle))
	}
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

// source returns a component's bytes. A file that several components share is
// read once.
func (l *loader) source(ctx context.Context, c *manifest.Component) ([]byte, error) {
	var b []byte
	var err error
	if c.Source.URL != "" {
		b, err = l.download(ctx, c.Source.URL, c.Source.Digest)
	} else {
		b, err = l.file(c.Source.Path)
	}
	if err != nil {
		return nil, fmt.Errorf("component %s: %w", c.ID, err)
	}
	return b, nil
}

// file returns the bytes of a component by its path in the manifest.
func (l *loader) file(path string) ([]byte, error) {
	path = l.manifest.Resolve(path)
	if b, ok := l.sources[path]; ok {
		return b, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if strings.EqualFold(filepath.Ext(path), ".wat") {
		if b, err = component.FromText(string(b)); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	l.sources[path] = b
	return b, nil
}

// download returns the bytes that a URL and a digest name.
func (l *loader) download(ctx context.Context, url, digest string) ([]byte, error) {
	dir := l.opts.DownloadDir
	if dir == "" {
		var err error
		if dir, err = fetch.DefaultDir(); err != nil {
			return nil, err
		}
	}
	cache := fetch.Cache{Dir: dir}
	return cache.Get(ctx, url, digest)
}

// environment merges environment variables, sorted by name so that a guest sees
// the same order every time.
func environment(base, over map[string]string) [][2]string {
	all := maps.Clone(base)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, over)
	env := make([][2]string, 0, len(all))
	for _, k := range slices.Sorted(maps.Keys(all)) {
		env = append(env, [2]string{k, all[k]})
	}
	return env
}

// itself is an App as its own components reach it.
type itself struct{ *App }

// ServeHTTP implements outgoing.Application. Paths start where the application is.
func (a itself) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.ServeSelf(w, r) }

var _ http.Handler = (*App)(nil)
