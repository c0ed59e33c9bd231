package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/minispin/minispin/bench"
	"github.com/minispin/minispin/instancepool"
	"github.com/minispin/minispin/manifest"
	"github.com/minispin/minispin/trigger/http/app"
	"github.com/minispin/minispin/trigger/http/spinheader"
)

// benchCommand is minispin bench.
type benchCommand struct {
	Manifest string `arg:"" optional:"" help:"An application to measure: a manifest, a directory with a spin.toml, or a single .wasm file. Without it, guests that are part of minispin answer the reference request."`

	Strategy []string      `default:"all" placeholder:"NAME" help:"Strategies to measure, separated by commas: ${strategies}, or all. Default: all."`
	Guest    []string      `placeholder:"NAME" help:"Guests to measure, separated by commas, or all, or native. Default: all."`
	Runs     int           `default:"${bench_runs}" placeholder:"N" help:"How often each row is measured, in turn with the others. Default: ${bench_runs}."`
	Time     time.Duration `default:"${bench_time}" placeholder:"TIME" help:"How long a row is measured for each time. Default: ${bench_time}."`
	Parallel int           `default:"1" placeholder:"N" help:"How many requests are made at a time. Default: 1."`

	Method string            `placeholder:"NAME" help:"Method of the request to the application. Default: GET, or POST if there is a body."`
	Path   string            `placeholder:"PATH" help:"Path of the request to the application, with its query. Default: /."`
	Header []string          `sep:"none" placeholder:"NAME:VALUE" help:"A header field of the request to the application. May be repeated."`
	Body   string            `placeholder:"TEXT" help:"Body of the request to the application; @FILE takes it from a file."`
	Env    map[string]string `short:"e" mapsep:"none" placeholder:"NAME=VALUE" help:"An environment variable for all components of the application. May be repeated."`

	variableFlags

	Format string `enum:"table,json,go" default:"table" placeholder:"FORM" help:"What is printed: a table, json, or go, the format of Go's benchmarks, which benchstat reads. Default: table."`
	HTML   string `name:"html" placeholder:"FILE" help:"Write a page with the figures to this file, too."`

	CacheDir     string `placeholder:"DIR" help:"Directory for compiled code. Default: minispin in the user's cache directory."`
	DisableCache bool   `env:"DISABLE_WASMTIME_CACHE" help:"Keep no compiled code."`
}

// AfterApply is called by kong when everything is parsed. Its errors are mistakes
// in the arguments.
func (c *benchCommand) AfterApply() error {
	if c.Runs < 1 {
		return errors.New("--runs: at least one is needed, and six for a confidence interval")
	}
	if c.Time <= 0 {
		return errors.New("--time: it must be more than none; write 200ms, for instance")
	}
	if c.Parallel < 1 {
		return errors.New("--parallel: at least one is needed")
	}
	if c.Manifest != "" {
		if len(c.Guest) > 0 {
			return errors.New("--guest: the guests are measured without an application; leave one of them out")
		}
		if _, err := (bench.Choice{Strategies: c.Strategy}).Parse(); err != nil {
			return err
		}
		_, err := c.request()
		return err
	}
	for _, flag := range []struct {
		name string
		set  bool
	}{
		{"--method", c.Method != ""}, {"--path", c.Path != ""}, {"--header", len(c.Header) > 0},
		{"--body", c.Body != ""}, {"--env", len(c.Env) > 0}, {"--variable", len(c.Variable) > 0}, {"--runtime-config-file", c.RuntimeConfig != "" && os.Getenv("RUNTIME_CONFIG_FILE") == ""},
	} {
		if flag.set {
			return fmt.Errorf("%s is for an application of yours: name its manifest", flag.name)
		}
	}
	_, err := bench.Rows(bench.Choice{Guests: c.Guest, Strategies: c.Strategy})
	return err
}

// request returns the request that the flags describe.
func (c *benchCommand) request() (bench.Request, error) {
	q := bench.Request{Path: cmp.Or(c.Path, "/"), Header: http.Header{}, Body: []byte(c.Body)}
	if !strings.HasPrefix(q.Path, "/") {
		return q, fmt.Errorf("--path: %q does not begin with a slash", q.Path)
	}
	for _, field := range c.Header {
		name, value, ok := strings.Cut(field, ":")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !ok || !spinheader.ValidName(name) || !spinheader.ValidValue(value) {
			return q, fmt.Errorf("--header: %q is no header field; write NAME:VALUE", field)
		}
		q.Header.Add(name, value)
	}
	if path, ok := strings.CutPrefix(c.Body, "@"); ok {
		var err error
		if q.Body, err = os.ReadFile(path); err != nil {
			return q, fmt.Errorf("--body: %w", err)
		}
	}
	q.Method = http.MethodGet
	if len(q.Body) > 0 {
		q.Method = http.MethodPost
	}
	if c.Method != "" {
		if !spinheader.ValidName(c.Method) { // both are tokens
			return q, fmt.Errorf("--method: %q is no method", c.Method)
		}
		q.Method = c.Method
	}
	return q, nil
}

// Run measures, and prints the report.
func (c *benchCommand) Run(p *process) error {
	defer raiseHeap()() // as the server does
	log, err := newLogger(p.stderr, "warn")
	if err != nil {
		return err
	}
	choice, err := c.choice()
	if err != nil {
		return err
	}
	title := "The reference exchange"
	var rows []bench.Row
	if c.Manifest == "" {
		rows, err = bench.Rows(choice)
	} else {
		rows, title, err = c.appRows(p, choice)
	}
	if err != nil {
		return err
	}
	var page *os.File
	if c.HTML != "" { // that it cannot be written is known before there is something to lose
		if page, err = os.Create(c.HTML); err != nil {
			return err
		}
		defer page.Close()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// What is under way ends first; a second signal is for those who cannot wait.
	context.AfterFunc(ctx, stop)
	report, err := bench.Run(ctx, rows, bench.Options{
		Runs: c.Runs, Time: c.Time, Parallel: c.Parallel, CacheDir: c.cacheDir(log), Log: log, Progress: p.stderr.Status,
	})
	p.stderr.Status("")
	if ctx.Err() != nil {
		return errors.New("interrupted before all was measured")
	}
	if err != nil {
		return err
	}
	report.Title, report.Date = title, time.Now().UTC().Format(time.RFC3339)
	if page != nil {
		if err := writePage(page, report); err != nil {
			return err
		}
	}
	return c.print(p.stdout, report)
}

func writePage(f *os.File, r *bench.Report) error {
	var b bytes.Buffer
	err := r.WriteHTML(&b)
	if err == nil {
		_, err = f.Write(b.Bytes())
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}

func (c *benchCommand) print(w io.Writer, r *bench.Report) error {
	switch c.Format {
	case "json":
		return r.WriteJSON(w)
	case "go":
		return r.WriteGo(w)
	}
	return r.WriteTable(w)
}

// choice returns what is to be measured, as far as the address space allows.
func (c *benchCommand) choice() (bench.Choice, error) {
	choice := bench.Choice{Guests: c.Guest, Strategies: c.Strategy}
	if !reservable(instanceSpace) {
		return choice, errNoSpace
	}
	// Each guest has an engine of its own for it.
	if !reservable(6 * pooledSpace) {
		choice.Unavailable = map[instancepool.Strategy]string{
			instancepool.Pooled: errNoPool.Error(),
		}
	}
	return choice, nil
}

// appRows returns the rows for the application, and the title of their report.
func (c *benchCommand) appRows(p *process, choice bench.Choice) ([]bench.Row, string, error) {
	q, err := c.request()
	if err != nil {
		return nil, "", err
	}
	m, err := manifest.Load(c.Manifest, manifest.Options{Strategies: instancepool.Names(), Supports: app.Supports})
	if err != nil {
		return nil, "", err
	}
	printWarnings(p.stderr.Safe(), m)
	if len(m.Triggers) == 0 {
		return nil, "", fmt.Errorf("%s has no HTTP trigger, so there is nothing to measure", m.Path)
	}
	config, err := c.runtimeConfig()
	if err != nil {
		return nil, "", err
	}
	providers, err := c.providers(m.Dir, config.Providers...)
	if err != nil {
		return nil, "", err
	}
	given := bench.Given{Env: c.Env, Variables: providers}
	config.Apply(&given.Outgoing)
	rows, err := bench.AppRows(m, q, given, choice)
	return rows, fmt.Sprintf("%s %s of the application %s", q.Method, q.Path, m.Name), err
}

// cacheDir is that of up.
func (c *benchCommand) cacheDir(log *zap.Logger) string {
	up := upCommand{CacheDir: c.CacheDir, DisableCache: c.DisableCache}
	return up.cacheDir(log)
}
