package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/minispin/minispin/cmd/minispin/internal/guestlog"
	"github.com/minispin/minispin/instancepool"
	"github.com/minispin/minispin/manifest"
	httptrigger "github.com/minispin/minispin/trigger/http"
	"github.com/minispin/minispin/trigger/http/app"
	"github.com/minispin/minispin/trigger/http/reload"
)

// generations loads an application, again and again if it changes, and puts
// what was loaded last in the place of what was there before.
type generations struct {
	placed  *placed
	command *upCommand // with the application's own flags
	process *process
	how     serving
	path    string // of the application
	stop    <-chan os.Signal
	log     *zap.Logger

	handler reload.Handler
	engines *instancepool.Engines
	watcher *reload.Watcher // nil if nothing is watched
	baseURL string          // of the application's host
	force   chan struct{}   // makes it load anew

	served  reload.Snapshot
	read    *manifest.App       // for the first generation
	known   *manifest.App       // what can be told of the application, though it may not load
	listing httptrigger.Listing // as printed
	loads   int
	scratch scratch
	cancel  context.CancelFunc
	ended   chan struct{}

	// What there was to warn of the last time.
	warned, warnedOfConfig, warnedOfFiles []manifest.Diagnostic
}

func newGenerations(one *placed, p *process, how serving, path string, engines *instancepool.Engines, stop <-chan os.Signal, log *zap.Logger) *generations {
	if one.name != "" {
		log = log.With(zap.String("app", one.name))
	}
	g := &generations{
		placed: one, command: one.command, process: p, how: how, path: path, stop: stop, log: log,
		scratch: scratch{parent: one.command.Temp},
		engines: engines, force: make(chan struct{}, 1),
	}
	g.handler.OnShutdown = func(err error) { log.Warn("the end of a version of the application", zap.Error(err)) }
	if how.watch {
		g.watcher = reload.NewWatcher(how.debounce, func(err error) { log.Warn("watching", zap.Error(err)) })
	}
	return g
}

// generation is a loaded application with the log files of its components.
type generation struct {
	*app.App
	logs *guestlog.Logs
}

// Shutdown implements reload.App.
func (g *generation) Shutdown(ctx context.Context) error {
	return errors.Join(g.App.Shutdown(ctx), g.logs.Close())
}

// manifest reads the application's manifest.
func (g *generations) manifest() (*manifest.App, error) {
	m, err := manifest.Load(g.path, g.command.manifestOptions(manifest.ToRun))
	if err != nil {
		return nil, err
	}
	if g.loads == 0 || !reflect.DeepEqual(m.Warnings, g.warned) {
		printWarnings(g.process.stderr.Safe(), m)
	}
	g.warned = m.Warnings
	if len(m.Triggers) == 0 {
		return nil, fmt.Errorf("%s has no HTTP trigger, so there is nothing to run", m.Path)
	}
	return m, nil
}

// warn prints what was found, unless it is what was found the last time.
func (g *generations) warn(found []manifest.Diagnostic, last *[]manifest.Diagnostic) {
	if !reflect.DeepEqual(found, *last) {
		for _, d := range found {
			printWarning(g.process.stderr.Safe(), d)
		}
	}
	*last = found
}

// prepare reads the manifest for the first generation, once the application is
// built if it is to be.
func (g *generations) prepare() error {
	if g.command.Build {
		m, err := manifest.Load(g.path, g.command.manifestOptions(manifest.ToBuild))
		if err != nil {
			return err
		}
		ctx, cancel := untilSignal(g.stop)
		defer cancel()
		if err := g.build(ctx, m); err != nil {
			return err
		}
	}
	var err error
	g.read, err = g.manifest()
	return err
}

// build builds the components that are to run, and what they depend on.
func (g *generations) build(ctx context.Context, m *manifest.App) error {
	b := &builder{report: g.process.stderr.Safe(), quiet: g.command.Quiet}
	if len(g.command.Component) > 0 {
		b.only = neededBy(m)
	}
	_, err := b.build(ctx, m)
	return err
}

// neededBy returns the ids of the components that are loaded to run m.
func neededBy(m *manifest.App) []string {
	var ids []string
	for _, c := range m.Used() {
		ids = append(ids, c.ID)
		for _, d := range c.Dependencies {
			if d.Component != "" && !slices.Contains(ids, d.Component) {
				ids = append(ids, d.Component)
			}
		}
	}
	return ids
}

// first loads the first generation. Its errors are the command's.
func (g *generations) first() error {
	if g.watcher != nil {
		load, _ := g.inputs()
		g.served = g.watcher.Scan(load)[0]
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	type result struct {
		app *generation
		err error
	}
	loaded := make(chan result, 1)
	go func() {
		a, err := g.load(ctx, g.read)
		loaded <- result{a, err}
	}()
	select {
	case r := <-loaded:
		if r.err != nil {
			return r.err
		}
		g.handler.Swap(r.app)
		return nil
	case <-g.stop:
		// The compilation of a module cannot be broken off; the end of the
		// process takes it along.
		return errInterrupted
	}
}

// load prepares the components of m.
func (g *generations) load(ctx context.Context, m *manifest.App) (*generation, error) {
	c, config, err := g.configured()
	if err != nil {
		return nil, err
	}
	providers, err := c.providers(m.Dir, config.Providers...)
	if err != nil {
		return nil, err
	}
	files, err := g.files(m)
	if err != nil {
		return nil, err
	}
	logs, err := c.openLogs(g.process, m, g.placed.name, g.log, g.loads > 0)
	if err != nil {
		return nil, err
	}
	if g.loads == 0 && c.DirectMounts && c.AllowTransientWrite && hasFiles(m) {
		g.log.Warn("components may write to directories that are mounted as they are: what they write stays")
	}
	g.loads++
	progress := startProgress(g.process.stderr)
	defer progress.stop()
	opts := app.Options{
		Strategy: c.Strategy, Env: c.Env, Variables: providers, Log: g.log, Output: output{logs},
		Deadline: c.RequestTimeout, MemoryLimit: c.MaxMemory, Base: g.placed.site.Base, Engines: g.engines, DownloadDir: c.downloadDir(), Progress: progress.update,
	}
	config.Apply(&opts.Outgoing)
	if g.process.stderr.Terminal() {
		opts.OnNotFound = func(path string) {
			g.log.Info("no route matches a request; the listing above has all there are. Further ones are not mentioned", zap.String("path", path))
		}
	}
	var remarks []manifest.Diagnostic
	opts.Files, opts.Warn = files, func(d manifest.Diagnostic) { remarks = append(remarks, d) }
	a, err := app.Load(ctx, m, opts)
	g.warn(remarks, &g.warnedOfFiles)
	if err != nil {
		return nil, errors.Join(err, logs.Close())
	}
	return &generation{a, logs}, nil
}

// list prints the listing, unless it was printed before as it is.
func (g *generations) list() error {
	before := g.listing
	if now := g.current(); !reflect.DeepEqual(now, before) {
		return g.command.list(g.process.stdout, now)
	}
	return nil
}

// current returns the listing of the current generation, which is taken to be
// printed then.
func (g *generations) current() httptrigger.Listing {
	if a, ok := g.handler.Current().(*generation); ok {
		g.listing = a.Listing(g.baseURL)
		g.listing.App = g.placed.name
	}
	return g.listing
}

// start keeps the application what its files say, until end.
func (g *generations) start() {
	ctx, cancel := context.WithCancel(context.Background())
	g.cancel, g.ended = cancel, make(chan struct{})
	config := reload.Config{
		Inputs: g.inputs, Load: g.next, Report: g.report, Watcher: g.watcher, Force: g.force,
		Loaded: !g.how.patient, Served: g.served,
	}
	if g.how.build {
		config.Build = func(ctx context.Context) error {
			m, err := manifest.Load(g.path, g.command.manifestOptions(manifest.ToBuild))
			if err != nil {
				return err
			}
			return g.build(ctx, m)
		}
	}
	go func() {
		defer close(g.ended)
		reload.Run(ctx, &g.handler, config)
	}()
}

// rest stops keeping watch.
func (g *generations) rest() {
	if g.cancel != nil {
		g.cancel()
		select {
		case <-g.ended:
		case <-time.After(time.Second): // a module is being compiled
		}
	}
	if g.watcher != nil {
		_ = g.watcher.Close() // nothing is lost
	}
}

// closeLogs closes the log files of the current generation.
func (g *generations) closeLogs() {
	if a, ok := g.handler.Current().(*generation); ok {
		if err := a.logs.Close(); err != nil {
			g.log.Warn("closing log files", zap.Error(err))
		}
	}
}

// removeFiles removes the copies of components' files.
func (g *generations) removeFiles() {
	if err := g.scratch.remove(); err != nil {
		g.log.Warn("at the end", zap.Error(err))
	}
}

// next loads a generation after a change.
func (g *generations) next(ctx context.Context) (reload.App, error) {
	m, err := g.manifest()
	if err != nil {
		return nil, err
	}
	a, err := g.load(ctx, m)
	if err != nil {
		return nil, err
	}
	return a, nil
}

// inputs returns the files that the application is loaded from, and those that it
// is built from. While its manifest cannot be read they are those of the last
// one that could.
func (g *generations) inputs() (load, build reload.Inputs) {
	m, err := manifest.Load(g.path, g.command.manifestOptions(manifest.ToBuild))
	if err == nil {
		g.known = m
	}
	path, err := filepath.Abs(g.path)
	if err != nil {
		path = g.path
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, manifest.FileName)
	}
	load.Files = []string{path}
	if g.known == nil {
		return load, load
	}
	m = g.known
	load.Files = append(load.Files, g.command.files(m.Dir)...)
	for _, c := range m.Used() {
		if c.Source.Path != "" {
			load.Files = append(load.Files, m.Resolve(c.Source.Path))
		}
		for i := range c.Dependencies {
			if path := c.Dependencies[i].Path; path != "" {
				load.Files = append(load.Files, m.Resolve(path))
			}
		}
	}
	load.Find = g.findFiles(m)
	if filepath.Ext(path) == ".toml" {
		build.Files = []string{path}
	}
	for _, c := range m.Components {
		if c.Source.Path != "" {
			build.Exclude = append(build.Exclude, m.Resolve(c.Source.Path))
		}
		if c.Build == nil {
			continue
		}
		for _, glob := range c.Build.Watch {
			build.Patterns = append(build.Patterns, reload.Pattern{Dir: filepath.Join(m.Dir, c.Build.Workdir), Glob: glob})
		}
	}
	return load, build
}

// report tells what has become of a change.
func (g *generations) report(e reload.Event) {
	out := g.process.stderr.Safe()
	here, err := os.Getwd()
	if err != nil {
		here = "." // and paths stay absolute
	}
	var files []string
	for _, p := range e.Paths {
		if rel, err := filepath.Rel(here, p); err == nil && filepath.IsLocal(rel) {
			p = rel
		}
		files = append(files, p)
	}
	const kept = "the application is served as it was"
	consequence := kept
	if g.handler.Current() == nil {
		consequence = "requests are answered with 503 until it can be served"
	}
	switch e.Kind {
	case reload.Building:
		if g.how.clear {
			g.process.stderr.Clear()
		}
	case reload.BuildFailed:
		printError(out, g.placed.explain(e.Err))
		g.log.Warn("the build failed", zap.String("consequence", consequence))
	case reload.LoadFailed:
		printError(out, g.placed.explain(e.Err))
		g.log.Warn("the application was not loaded", zap.String("consequence", consequence), zap.Strings("changed", files))
	case reload.Loaded:
		if err := g.list(); err != nil {
			g.log.Warn("the routes have changed", zap.Error(err))
		}
		g.log.Info("the application was loaded", zap.Strings("changed", files), zap.Duration("took", e.Took.Round(time.Millisecond)))
	case reload.Reverted:
		g.log.Info("the application is again what is being served", zap.Strings("changed", files))
	case reload.OutputIgnored:
		g.log.Warn("files that are to be watched are written by the build itself, and differently each time; they are not watched any more", zap.Strings("files", files))
	}
}
