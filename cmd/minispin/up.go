package main

import (
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
func (c *upCommand) Run(p *process) error { return c.serve(p, serving{watch: c.Watch}) }

// serving is how a command serves an application.
type serving struct {
	watch    bool          // load anew what changes
	debounce time.Duration // see reload.NewWatcher
	// patient commands begin without an application that can be served, and wait
	// for one.
	patient bool
	build   bool // before it is loaded, and when what it is built from changes
	clear   bool // the screen, before it is built or loaded
}

// serve serves the application until a signal ends it.
func (c *upCommand) serve(p *process, how serving) error {
	defer raiseHeap()()
	// The second signal is for those who do not want to wait for the first.
	stop := make(chan os.Signal, 2)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)

	log, err := newLogger(p.stderr, c.LogLevel)
	if err != nil {
		return err
	}
	apps, err := newApplications(c, p, how, stop, log)
	if err != nil {
		return err
	}
	if !how.patient {
		if err := apps.each((*generations).prepare); err != nil {
			return err
		}
	}
	tlsConfig, err := c.tlsConfig(log)
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
	handler, err := apps.handler()
	if err != nil {
		return err
	}
	if c.AccessLog {
		handler = httptrigger.AccessLog(handler, log)
	}
	server := httptrigger.NewServer(handler, httptrigger.ServerOptions{
		TLS: tlsConfig, Log: log,
		MaxHeaderBytes: c.MaxHead, ReadHeaderTimeout: c.HeadTimeout, IdleTimeout: c.IdleTimeout,
	})
	apps.at(server, ln.Addr())
	defer apps.end()
	if !how.patient {
		if err := apps.first(); err != nil {
			return err
		}
	}
	apps.start()
	signals := announce(stop, c.Drain, log)
	if err := server.ServeUntil(ln, signals, c.Drain); err != nil {
		return err // what was cut off is not waited for; its guests go with the process
	}
	return shutDown(apps, signals, c.Drain)
}

// grace is how long guests get to end that have been told to.
const grace = 2 * time.Second

// shutDown lets guests finish that go on working after their responses, for as
// long as requests may take to, or until a signal. A guest that does not end
// when it is told to, as it waits for something outside, is left to the end of
// the process.
func shutDown(a interface{ Shutdown(context.Context) error }, signals <-chan os.Signal, drain time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(context.Background(), drain, errors.New("they took too long"))
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- a.Shutdown(ctx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	case <-signals:
		cancel()
	}
	select {
	case err := <-done:
		return err
	case <-time.After(grace):
		return errors.New("guests did not end at shutdown")
	}
}

// findManifest returns the path of the application, and says where it was found if
// that is not plain.
func (c *upCommand) findManifest(log *zap.Logger) (string, error) {
	path, err := findManifest(c.Manifest, c.From)
	if err == nil && c.Manifest == "" && c.From == "" && path != manifest.FileName {
		log.Info("using a manifest from a directory above", zap.String("path", path))
	}
	return path, err
}

// loadManifest finds and reads the application.
func (c *upCommand) loadManifest(log *zap.Logger) (*manifest.App, error) {
	path, err := c.findManifest(log)
	if err != nil {
		return nil, err
	}
	return manifest.Load(path, c.manifestOptions(manifest.ToRun))
}

// manifestOptions says how the command reads manifests.
func (c *upCommand) manifestOptions(purpose manifest.Purpose) manifest.Options {
	return manifest.Options{Purpose: purpose, Profile: c.Profile, Only: c.Component, Strategies: instancepool.Names(), Supports: app.Supports}
}

// printWarnings says what about the manifest stops nothing but is worth knowing.
func printWarnings(w io.Writer, m *manifest.App) {
	for _, d := range m.Warnings {
		printWarning(w, d)
	}
	for i := range m.Other {
		t := &m.Other[i]
		printWarning(w, t.Diagnose(fmt.Sprintf("triggers of the type %q are not served by this host", t.Type), ""))
	}
}

func printWarning(w io.Writer, d manifest.Diagnostic) { fmt.Fprintf(w, "Warning: %s\n", d) }

func (c *upCommand) listen() (net.Listener, error) {
	if c.FindFreePort {
		return httptrigger.ListenNear(context.Background(), c.Listen)
	}
	return httptrigger.Listen(context.Background(), c.Listen)
}

// tlsConfig returns nil for plain text.
func (c *upCommand) tlsConfig(log *zap.Logger) (*tls.Config, error) {
	if c.TLSCert == "" {
		return nil, nil
	}
	cert, err := httptrigger.LoadCertificate(c.TLSCert, c.TLSKey, log)
	if err != nil {
		return nil, err
	}
	return &tls.Config{GetCertificate: cert.Get}, nil
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

// downloadDir returns the directory for downloads, "" for the usual one. They
// are kept even where compiled code is not.
func (c *upCommand) downloadDir() string {
	if c.CacheDir == "" {
		return ""
	}
	return filepath.Join(c.CacheDir, "downloads")
}

// openLogs opens the log files, maybe again for another generation. Those that
// were asked for must open; to have none in the usual place is no reason not to
// serve.
func (c *upCommand) openLogs(p *process, m *manifest.App, name string, log *zap.Logger, again bool) (*guestlog.Logs, error) {
	var ids []string
	for _, used := range m.Used() {
		ids = append(ids, used.ID)
	}
	o := guestlog.Options{
		Application: name, Follow: c.Follow, Prefix: c.LogPrefix, Truncate: c.TruncateLogs && !again,
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
	if err == nil && dir != "" && !again {
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
func (c *upCommand) list(stdout *os.File, l listing) error {
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
