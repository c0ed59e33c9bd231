package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/minispin/minispin/cmd/minispin/internal/guestlog"
	"github.com/minispin/minispin/instancepool"
	"github.com/minispin/minispin/manifest"
	httptrigger "github.com/minispin/minispin/trigger/http"
	"github.com/minispin/minispin/trigger/http/app"
)

var errInterrupted = errors.New("interrupted before the application was ready")

// Run serves the application until a signal ends it.
func (c *upCommand) Run(p *process) error {
	// The second signal is for those who do not want to wait for the first.
	stop := make(chan os.Signal, 2)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)

	log, err := newLogger(p.stderr, c.LogLevel)
	if err != nil {
		return err
	}
	m, err := c.loadManifest(log)
	if err != nil {
		return err
	}
	printWarnings(p.stderr.Safe(), m)
	if len(m.Triggers) == 0 {
		return fmt.Errorf("%s has no HTTP trigger, so there is nothing to run", m.Path)
	}
	tlsConfig, err := c.tlsConfig()
	if err != nil {
		return err
	}
	// Before the components are prepared, which may take a while: a port in use
	// is known at once, and clients that come early wait and are not refused.
	ln, err := c.listen()
	if err != nil {
		return err
	}
	defer ln.Close()
	logs, err := c.openLogs(p, m, log)
	if err != nil {
		return err
	}
	defer logs.Close()

	a, err := c.load(p, m, logs, log, stop)
	if err != nil {
		return err
	}
	// The App is not closed: guests may go on working after their responses are
	// complete, and with the process their engine goes.

	server := httptrigger.NewServer(a, httptrigger.ServerOptions{TLS: tlsConfig, Log: log})
	if err := c.list(p.stdout, a.Listing(server.BaseURL(ln.Addr()))); err != nil {
		return err
	}
	return server.ServeUntil(ln, announce(stop, c.Drain, log), c.Drain)
}

// loadManifest finds and reads the application.
func (c *upCommand) loadManifest(log *zap.Logger) (*manifest.App, error) {
	path := cmp.Or(c.From, c.Manifest)
	if path == "" {
		found, err := manifest.Find(".")
		if err != nil {
			return nil, err
		}
		path = found
		if _, err := os.Stat(manifest.FileName); err == nil {
			path = manifest.FileName // messages are shorter so
		} else {
			log.Info("using a manifest from a directory above", zap.String("path", path))
		}
	}
	return manifest.Load(path, manifest.Options{Strategies: instancepool.Names(), Supports: app.Supports})
}

// printWarnings says what about the manifest stops nothing but is worth knowing.
func printWarnings(w io.Writer, m *manifest.App) {
	warn := func(d manifest.Diagnostic) { fmt.Fprintf(w, "Warning: %s\n", d) }
	for _, d := range m.Warnings {
		warn(d)
	}
	for i := range m.Other {
		t := &m.Other[i]
		warn(t.Diagnose(fmt.Sprintf("triggers of the type %q are not served by this host", t.Type), ""))
	}
}

func (c *upCommand) listen() (net.Listener, error) {
	if c.FindFreePort {
		return httptrigger.ListenNear(context.Background(), c.Listen)
	}
	return httptrigger.Listen(context.Background(), c.Listen)
}

// tlsConfig returns nil for plain text.
func (c *upCommand) tlsConfig() (*tls.Config, error) {
	if c.TLSCert == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
	if err != nil {
		return nil, fmt.Errorf("loading the TLS certificate %s with the key %s: %w", c.TLSCert, c.TLSKey, err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}}, nil
}

// load prepares the components. A signal ends it early.
func (c *upCommand) load(p *process, m *manifest.App, logs *guestlog.Logs, log *zap.Logger, stop <-chan os.Signal) (*app.App, error) {
	strategy, err := fitStrategy(m, c.Strategy, reservable, log)
	if err != nil {
		return nil, err
	}
	providers, err := c.providers(m.Dir)
	if err != nil {
		return nil, err
	}
	progress := startProgress(p.stderr)
	defer progress.stop()
	opts := app.Options{
		Strategy: strategy, Env: c.Env, Variables: providers, Log: log, Output: output{logs},
		CacheDir: c.cacheDir(log), Progress: progress.update,
	}
	if p.stderr.Terminal() {
		opts.OnNotFound = func(path string) {
			log.Info("no route matches a request; the listing above has all there are. Further ones are not mentioned", zap.String("path", path))
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	type result struct {
		app *app.App
		err error
	}
	loaded := make(chan result, 1)
	go func() {
		a, err := app.Load(ctx, m, opts)
		loaded <- result{a, err}
	}()
	select {
	case r := <-loaded:
		return r.app, r.err
	case <-stop:
		// The compilation of a module cannot be broken off; the end of the
		// process takes it along.
		return nil, errInterrupted
	}
}

// cacheDir returns the directory for compiled code, "" for none. That the usual
// one cannot be had is no reason not to serve.
func (c *upCommand) cacheDir(log *zap.Logger) string {
	switch {
	case c.DisableCache:
		return ""
	case c.CacheDir != "":
		return c.CacheDir
	}
	dir, err := os.UserCacheDir()
	if err == nil {
		dir = filepath.Join(dir, "minispin")
		err = os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		log.Warn("compiled code is not kept for the next start", zap.Error(err))
		return ""
	}
	return dir
}

// openLogs opens the log files. Those that were asked for must open; to have
// none in the usual place is no reason not to serve.
func (c *upCommand) openLogs(p *process, m *manifest.App, log *zap.Logger) (*guestlog.Logs, error) {
	var ids []string
	for _, used := range m.Used() {
		ids = append(ids, used.ID)
	}
	o := guestlog.Options{
		Follow: c.Follow, Prefix: c.LogPrefix, Truncate: c.TruncateLogs,
		OnError: func(component string, err error) {
			log.Error("a component's log file is given up", zap.String("component", component), zap.Error(err))
		},
	}
	if !c.Quiet {
		o.Echo = p.stderr.Safe()
	}
	dir, asked := c.logDir(m)
	o.Dir = dir
	logs, err := guestlog.Open(ids, o)
	if err != nil && dir != "" && !asked {
		log.Warn("there are no log files of what components print", zap.Error(err))
		o.Dir = ""
		return guestlog.Open(ids, o)
	}
	if err == nil && dir != "" {
		log.Info("components' output is kept in log files", zap.String("dir", dir))
	}
	return logs, err
}

// logDir returns the directory for log files, "" for none, and whether it was
// asked for.
func (c *upCommand) logDir(m *manifest.App) (dir string, asked bool) {
	switch {
	case c.LogDir != nil:
		return *c.LogDir, true
	case c.StateDir != nil && *c.StateDir == "":
		return "", true
	case c.StateDir != nil:
		return filepath.Join(*c.StateDir, "logs"), true
	case strings.ToLower(filepath.Ext(m.Path)) != ".toml":
		return "", false // a single component is run where it lies, and nothing put beside it
	}
	return filepath.Join(m.Dir, ".spin", "logs"), false
}

// output is a Logs as package app wants it.
type output struct{ logs *guestlog.Logs }

// Writer implements app.Output.
func (o output) Writer(component, request string, stream app.Stream) io.Writer {
	s := guestlog.Stdout
	if stream == app.Stderr {
		s = guestlog.Stderr
	}
	return o.logs.Writer(component, request, s)
}

// list prints the start listing.
func (c *upCommand) list(stdout *os.File, l httptrigger.Listing) error {
	switch {
	case c.Format == "json":
		return l.WriteJSON(stdout)
	case wantsColour(stdout):
		return l.WriteTerminal(stdout)
	}
	return l.WritePlain(stdout)
}

// announce hands signals on and says what they lead to.
func announce(signals <-chan os.Signal, drain time.Duration, log *zap.Logger) <-chan os.Signal {
	out := make(chan os.Signal, 2)
	go func() {
		s := <-signals
		log.Info("stopping: requests in flight may finish, unless another signal comes", zap.Stringer("signal", s), zap.Duration("drain", drain))
		out <- s
		out <- <-signals
	}()
	return out
}
