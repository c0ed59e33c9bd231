package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"reflect"
	"syscall"
	"time"

	"go.uber.org/zap"
	"golang.org/x/term"

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
	command *upCommand
	process *process
	how     serving
	path    string // of the application
	stop    <-chan os.Signal
	log     *zap.Logger

	handler reload.Handler
	engines *instancepool.Engines
	watcher *reload.Watcher // nil if nothing is watched
	baseURL string

	served  reload.Snapshot
	known   *manifest.App       // what can be told of the application, though it may not load
	listing httptrigger.Listing // as printed
	loads   int
	warned  []manifest.Diagnostic // of the manifest that was read last
	cancel  context.CancelFunc
	ended   chan struct{}
}

func newGenerations(c *upCommand, p *process, how serving, path string, stop <-chan os.Signal, log *zap.Logger) (*generations, error) {
	// Before there are engines: what they have reserved there need not be again.
	cannot, err := unavailable(reservable)
	if err != nil {
		return nil, err
	}
	if cannot != nil {
		log.Warn("address space is limited, so that few instances may run at a time; lift the limit, in a shell with ulimit -v unlimited")
	}
	g := &generations{
		command: c, process: p, how: how, path: path, stop: stop, log: log,
		engines: &instancepool.Engines{CacheDir: c.cacheDir(log), Unavailable: cannot},
	}
	g.handler.OnShutdown = func(err error) { log.Warn("the end of a version of the application", zap.Error(err)) }
	if how.watch {
		g.watcher = reload.NewWatcher(how.debounce, func(err error) { log.Warn("watching", zap.Error(err)) })
	}
	return g, nil
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

// first loads the first generation. Its errors are the command's.
func (g *generations) first(m *manifest.App) error {
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
		a, err := g.load(ctx, m)
		loaded <- result{a, err}
	}()
	select {
	case r := <-loaded:
		if r.err != nil {
			return r.err
		}
		g.handler.Swap(r.app)
		return g.list(r.app)
	case <-g.stop:
		// The compilation of a module cannot be broken off; the end of the
		// process takes it along.
		return errInterrupted
	}
}

// load prepares the components of m.
func (g *generations) load(ctx context.Context, m *manifest.App) (*generation, error) {
	c := g.command
	providers, err := c.providers(m.Dir)
	if err != nil {
		return nil, err
	}
	logs, err := c.openLogs(g.process, m, g.log, g.loads > 0)
	if err != nil {
		return nil, err
	}
	g.loads++
	progress := startProgress(g.process.stderr)
	defer progress.stop()
	opts := app.Options{
		Strategy: c.Strategy, Env: c.Env, Variables: providers, Log: g.log, Output: output{logs},
		Engines: g.engines, DownloadDir: c.downloadDir(), Progress: progress.update,
	}
	if g.process.stderr.Terminal() {
		opts.OnNotFound = func(path string) {
			g.log.Info("no route matches a request; the listing above has all there are. Further ones are not mentioned", zap.String("path", path))
		}
	}
	a, err := app.Load(ctx, m, opts)
	if err != nil {
		return nil, errors.Join(err, logs.Close())
	}
	return &generation{a, logs}, nil
}

// list prints the listing, unless it was printed before as it is.
func (g *generations) list(a *generation) error {
	l := a.Listing(g.baseURL)
	if reflect.DeepEqual(l, g.listing) {
		return nil
	}
	g.listing = l
	return g.command.list(g.process.stdout, l)
}

// start keeps the application what its files say, until end.
func (g *generations) start() {
	ctx, cancel := context.WithCancel(context.Background())
	g.cancel, g.ended = cancel, make(chan struct{})
	force := make(chan struct{})
	if g.how.watch || !signal.Ignored(syscall.SIGHUP) { // ignored under nohup
		hangup := make(chan os.Signal, 1)
		signal.Notify(hangup, syscall.SIGHUP)
		go g.hangups(ctx, hangup, force)
	}
	config := reload.Config{
		Inputs: g.inputs, Load: g.next, Report: g.report, Watcher: g.watcher, Force: force,
		Loaded: !g.how.patient, Served: g.served,
	}
	if build := g.how.build; build != nil {
		config.Build = func(ctx context.Context) error {
			m, err := manifest.Load(g.path, g.command.manifestOptions(manifest.ToBuild))
			if err != nil {
				return err
			}
			_, err = build.build(ctx, m)
			return err
		}
	}
	go func() {
		defer close(g.ended)
		reload.Run(ctx, &g.handler, config)
	}()
}

// hangups makes of the signal HUP what it is meant for: the command to load
// anew, or the word that the terminal is gone.
func (g *generations) hangups(ctx context.Context, hangup chan os.Signal, force chan<- struct{}) {
	defer signal.Stop(hangup)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
		}
		if g.process.stderr.Terminal() && !term.IsTerminal(int(os.Stderr.Fd())) {
			if self, err := os.FindProcess(os.Getpid()); err == nil {
				_ = self.Signal(syscall.SIGTERM) // to whom else
			}
			return
		}
		g.log.Info("loading the application anew", zap.String("signal", "hangup"))
		select {
		case force <- struct{}{}:
		case <-ctx.Done():
			return
		}
	}
}

// Shutdown lets the guests of all generations finish that go on working after
// their responses. When ctx ends they are ended, and the error is ctx's cause.
func (g *generations) Shutdown(ctx context.Context) error {
	g.rest()
	g.handler.Close(ctx)
	return context.Cause(ctx)
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

// end stops keeping watch and closes the log files. A generation that was not
// shut down is not closed: guests may go on working after their responses are
// complete, and with the process their engine goes.
func (g *generations) end() {
	g.rest()
	if a, ok := g.handler.Current().(*generation); ok {
		if err := a.logs.Close(); err != nil {
			g.log.Warn("closing log files", zap.Error(err))
		}
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
	for _, c := range m.Used() {
		if c.Source.Path != "" {
			load.Files = append(load.Files, m.Resolve(c.Source.Path))
		}
		for i := range c.Dependencies {
			if path := c.Dependencies[i].Path; path != "" {
				load.Files = append(load.Files, m.Resolve(path))
			}
		}
		for _, f := range c.Files {
			glob := f.Pattern
			if glob == "" {
				glob = f.Source
			}
			load.Patterns = append(load.Patterns, reload.Pattern{Dir: m.Dir, Glob: glob})
		}
	}
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
		printError(out, e.Err)
		g.log.Warn("the build failed", zap.String("consequence", consequence))
	case reload.LoadFailed:
		printError(out, e.Err)
		g.log.Warn("the application was not loaded", zap.String("consequence", consequence), zap.Strings("changed", files))
	case reload.Loaded:
		if a, ok := g.handler.Current().(*generation); ok {
			if err := g.list(a); err != nil {
				g.log.Warn("the routes have changed", zap.Error(err))
			}
		}
		g.log.Info("the application was loaded", zap.Strings("changed", files), zap.Duration("took", e.Took.Round(time.Millisecond)))
	case reload.Reverted:
		g.log.Info("the application is again what is being served", zap.Strings("changed", files))
	case reload.OutputIgnored:
		g.log.Warn("files that are to be watched are written by the build itself, and differently each time; they are not watched any more", zap.Strings("files", files))
	}
}
