package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"

	"go.uber.org/zap"
	"golang.org/x/term"

	"github.com/minispin/minispin/instancepool"
	httptrigger "github.com/minispin/minispin/trigger/http"
)

// applications are those that a command serves on one listener, each of which is
// loaded anew for itself.
type applications struct {
	command *upCommand
	process *process
	how     serving
	log     *zap.Logger
	all     []*generations
	baseURL string

	cancel context.CancelFunc // of watching for the signal HUP
}

// newApplications finds the applications.
func newApplications(c *upCommand, p *process, how serving, stop <-chan os.Signal, log *zap.Logger) (*applications, error) {
	all, err := c.applications()
	if err != nil {
		return nil, err
	}
	paths := make([]string, len(all))
	for i, one := range all {
		if paths[i], err = one.command.findManifest(log); err != nil {
			return nil, one.explain(err)
		}
	}
	// Before there are engines: what they have reserved there need not be again.
	cannot, err := unavailable(reservable)
	if err != nil {
		return nil, err
	}
	if cannot != nil {
		log.Warn("address space is limited, so that few instances may run at a time; lift the limit, in a shell with ulimit -v unlimited")
	}
	if c.DisablePooling {
		cannot = map[instancepool.Strategy]error{instancepool.Pooled: errors.New("there is no pool, as --disable-pooling asks")}
	}
	engines := &instancepool.Engines{CacheDir: c.cacheDir(log), Unavailable: cannot}
	a := &applications{command: c, process: p, how: how, log: log}
	for i, one := range all {
		a.all = append(a.all, newGenerations(one, p, how, paths[i], engines, stop, log))
	}
	return a, nil
}

// each calls f for each application. Its errors say of which they are, and are
// joined; the first interruption ends it.
func (a *applications) each(f func(*generations) error) error {
	var errs []error
	for _, g := range a.all {
		err := f(g)
		if errors.Is(err, errInterrupted) || errors.Is(err, errBuildInterrupted) {
			return err
		}
		for _, e := range causes(err) {
			errs = append(errs, g.placed.explain(e))
		}
	}
	return errors.Join(errs...)
}

// handler returns what answers the requests.
func (a *applications) handler() (http.Handler, error) {
	if len(a.all) == 1 && a.all[0].placed.name == "" {
		return &a.all[0].handler, nil
	}
	var sites []httptrigger.Site
	for _, g := range a.all {
		site := g.placed.site
		site.Handler = &g.handler
		sites = append(sites, site)
	}
	return httptrigger.NewSites(sites)
}

// at tells the applications where the server listens.
func (a *applications) at(server *httptrigger.Server, addr net.Addr) {
	a.baseURL = server.BaseURL(addr)
	for _, g := range a.all {
		g.baseURL = a.baseURL
		if hosts := g.placed.site.Hosts; len(hosts) > 0 {
			g.baseURL = withHost(a.baseURL, addr, hosts[0])
		}
	}
}

// withHost returns the URL of a server as clients write it that know it by the
// name host.
func withHost(baseURL string, addr net.Addr, host string) string {
	scheme, _, _ := strings.Cut(baseURL, "://")
	scheme, _, _ = strings.Cut(scheme, "+") // of a Unix socket
	tcp, ok := addr.(*net.TCPAddr)
	if !ok || scheme == "http" && tcp.Port == 80 || scheme == "https" && tcp.Port == 443 {
		return scheme + "://" + host
	}
	_, port, _ := net.SplitHostPort(tcp.String())
	return scheme + "://" + host + ":" + port
}

// first loads the first generation of each application and prints the listing.
func (a *applications) first() error {
	if err := a.each((*generations).first); err != nil {
		return err
	}
	if a.all[0].placed.name == "" {
		return a.all[0].list()
	}
	all := httptrigger.Listings{BaseURL: a.baseURL}
	for _, g := range a.all {
		all.Apps = append(all.Apps, g.current())
	}
	return a.command.list(a.process.stdout, all)
}

// start keeps the applications what their files say, until they rest.
func (a *applications) start() {
	var ctx context.Context
	ctx, a.cancel = context.WithCancel(context.Background())
	if a.how.watch || !signal.Ignored(syscall.SIGHUP) { // ignored under nohup
		hangup := make(chan os.Signal, 1)
		signal.Notify(hangup, syscall.SIGHUP)
		go a.hangups(ctx, hangup)
	}
	for _, g := range a.all {
		g.start()
	}
}

// hangups makes of the signal HUP what it is meant for: the command to load
// anew, or the word that the terminal is gone.
func (a *applications) hangups(ctx context.Context, hangup chan os.Signal) {
	defer signal.Stop(hangup)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
		}
		if a.process.stderr.Terminal() && !term.IsTerminal(int(os.Stderr.Fd())) {
			if self, err := os.FindProcess(os.Getpid()); err == nil {
				_ = self.Signal(syscall.SIGTERM) // to whom else
			}
			return
		}
		a.log.Info("loading the application anew", zap.String("signal", "hangup"))
		for _, g := range a.all {
			select {
			case g.force <- struct{}{}:
			default: // it is about to
			}
		}
	}
}

// Shutdown lets the guests of all applications finish that go on working after
// their responses. When ctx ends they are ended, and the error is ctx's cause.
func (a *applications) Shutdown(ctx context.Context) error {
	a.rest()
	var g sync.WaitGroup
	for _, one := range a.all {
		g.Go(func() { one.handler.Close(ctx) })
	}
	g.Wait()
	return context.Cause(ctx)
}

// rest stops keeping watch.
func (a *applications) rest() {
	if a.cancel != nil {
		a.cancel()
	}
	var g sync.WaitGroup
	for _, one := range a.all {
		g.Go(one.rest)
	}
	g.Wait()
}

// end stops keeping watch, closes the log files and removes copies of files.
// Generations that were not shut down are not closed: guests may go on working
// after their responses are complete, and with the process their engine goes.
func (a *applications) end() {
	a.rest()
	for _, g := range a.all {
		g.closeLogs()
		g.removeFiles()
	}
}

// listing is a start listing, of one application or of several.
type listing interface {
	WritePlain(w io.Writer) error
	WriteTerminal(w io.Writer) error
	WriteJSON(w io.Writer) error
}
