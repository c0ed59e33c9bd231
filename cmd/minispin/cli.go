package main

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/minispin/minispin/bench"
	"github.com/minispin/minispin/instancepool"
	httptrigger "github.com/minispin/minispin/trigger/http"
	"github.com/minispin/minispin/trigger/http/reload"
)

// commands is the grammar of the command line.
type commands struct {
	Up         upCommand         `cmd:"" aliases:"u" help:"Run an application."`
	Watch      watchCommand      `cmd:"" aliases:"w" help:"Run an application, and build and load it anew when its files change."`
	Inspect    inspectCommand    `cmd:"" help:"Say what a component imports and exports, and whether it can run here."`
	Build      buildCommand      `cmd:"" aliases:"b" help:"Run the build commands of an application's components."`
	New        newCommand        `cmd:"" aliases:"n" help:"Make a new application from a template."`
	Add        addCommand        `cmd:"" aliases:"a" help:"Add a component from a template to an application."`
	Templates  templatesCommand  `cmd:"" help:"List the templates that new and add have."`
	Doctor     doctorCommand     `cmd:"" help:"Look for what keeps an application from running."`
	Bench      benchCommand      `cmd:"" help:"Measure what a request costs by every strategy."`
	Completion completionCommand `cmd:"" help:"Print what makes a shell complete minispin's command lines."`
	Complete   completeCommand   `cmd:"" hidden:"" help:"Complete a command line."`
	Version    kong.VersionFlag  `help:"Print the version."`
}

// upCommand is minispin up. Flags that Spin has as well have its names, its
// environment variables and its meaning.
type upCommand struct {
	Manifest string `arg:"" optional:"" help:"The application: a manifest, a directory with a spin.toml, or a single .wasm file. Without it, spin.toml is looked for here and in the directories above."`
	From     string `short:"f" aliases:"from-file,file" placeholder:"PATH" help:"The application, named by a flag."`

	Component    []string      `short:"c" name:"component-id" sep:"none" placeholder:"ID" help:"Run only this component, and those that it may call at http://<id>.spin.internal. May be repeated."`
	App          []string      `sep:"none" placeholder:"KEY=VALUE,..." help:"One of several applications on the same listener, where it is and its own flags: host=NAME and prefix=/PATH for the requests it gets, from=PATH, and name, profile, component-id, variable, env, runtime-config-file, strategy, request-timeout, max-instance-memory, follow, log-dir, state-dir. Repeated for each application."`
	Profile      string        `placeholder:"NAME" help:"Use this profile of the components that define it, the manifest as it stands for the others."`
	Listen       string        `env:"SPIN_HTTP_LISTEN_ADDR" default:"${listen}" placeholder:"ADDR" help:"Where to listen: a host and a port, 0 for any free one; or unix: and the path of a socket. Default: ${listen}."`
	Build        bool          `env:"SPIN_ALWAYS_BUILD" help:"Run the components' build commands first."`
	FindFreePort bool          `help:"If the port is in use, try those above it."`
	TLSCert      string        `name:"tls-cert" env:"SPIN_TLS_CERT" and:"tls" placeholder:"FILE" help:"Serve HTTPS with this certificate chain, in PEM."`
	TLSKey       string        `name:"tls-key" env:"SPIN_TLS_KEY" and:"tls" placeholder:"FILE" help:"The private key of the certificate, in PEM."`
	AccessLog    bool          `help:"Write a line to the log for every request, without its query."`
	MaxHead      int           `name:"max-header-bytes" aliases:"http1-max-buf-size" env:"SPIN_HTTP1_MAX_BUF_SIZE" default:"${max_head}" placeholder:"BYTES" help:"Largest request head, at least 8192. A larger one is answered with 431. Default: ${max_head}."`
	HeadTimeout  time.Duration `name:"header-timeout" default:"${head_timeout}" placeholder:"TIME" help:"How long a client may take to send the head of a request. Default: ${head_timeout}."`
	IdleTimeout  time.Duration `default:"${idle_timeout}" placeholder:"TIME" help:"How long a connection is kept without a request. Default: ${idle_timeout}."`
	Drain        time.Duration `default:"10s" placeholder:"TIME" help:"How long requests in flight may take to end after a signal to stop. Default: 10s."`
	Watch        bool          `help:"Load the application anew when its manifest, a component or a file of one changes, without closing the socket. A version that does not load leaves the old one in place. The signal HUP does the same at any time."`
	Format       string        `enum:"plain,json" default:"plain" help:"Form of the start listing: plain or json."`

	Strategy string            `placeholder:"NAME" help:"How components are executed, over what the manifest says: ${strategies}."`
	Env      map[string]string `short:"e" mapsep:"none" placeholder:"NAME=VALUE" help:"An environment variable for all components, over the manifest's. May be repeated."`

	RequestTimeout time.Duration `placeholder:"TIME" help:"How long a request may take, its response and the work after it included, over what the manifest says. Default: 5m."`
	MaxMemory      int64         `name:"max-instance-memory" env:"SPIN_MAX_INSTANCE_MEMORY" placeholder:"BYTES" help:"Largest size of each memory of an instance, over what the manifest says. Default: 134217728."`
	DisablePooling bool          `help:"Reserve no address space for a pool of instances: the strategy pooled is not to be had."`

	variableFlags
	fileFlags
	refusedFlags

	Quiet        bool     `short:"q" aliases:"sh,shush" xor:"echo" help:"Do not show what components print."`
	Follow       []string `sep:"none" xor:"echo" placeholder:"ID" help:"Show what this component prints, and others not. May be repeated."`
	LogPrefix    bool     `help:"Begin each line a component prints with its id and the request's."`
	LogDir       *string  `short:"L" env:"SPIN_LOG_DIR" placeholder:"DIR" help:"Directory for what components print, a file for each of their streams; \"\" for no files. Default: logs in the state directory."`
	TruncateLogs bool     `help:"Empty the log files first."`
	StateDir     *string  `placeholder:"DIR" help:"Directory for what is kept between runs; \"\" for nothing. Default: .spin beside the manifest."`
	LogLevel     string   `env:"MINISPIN_LOG_LEVEL" enum:"debug,info,warn,error" default:"info" placeholder:"LEVEL" help:"Least level of the host's own log: debug, info, warn or error. Default: info."`

	CacheDir     string `placeholder:"DIR" help:"Directory for compiled code and downloads. Default: minispin in the user's cache directory."`
	DisableCache bool   `env:"DISABLE_WASMTIME_CACHE" help:"Compile at every start."`
}

func grammarVars() kong.Vars {
	return kong.Vars{
		"version":      version(),
		"listen":       httptrigger.DefaultListenAddr,
		"max_head":     strconv.Itoa(httptrigger.DefaultMaxHeaderBytes),
		"head_timeout": httptrigger.DefaultReadHeaderTimeout.String(),
		"idle_timeout": httptrigger.DefaultIdleTimeout.String(),
		"debounce":     strconv.FormatInt(reload.DefaultDebounce.Milliseconds(), 10),
		"strategies":   strings.Join(instancepool.Names(), " or "),
		"bench_runs":   strconv.Itoa(bench.DefaultRuns),
		"bench_time":   bench.DefaultTime.String(),
	}
}

// pageSize is the unit of a guest's memory, in bytes.
const pageSize = 64 << 10

// AfterApply is called by kong when everything is parsed. Its errors are mistakes
// in the arguments.
func (c *upCommand) AfterApply() error {
	if err := namedOnce(c.Manifest, c.From); err != nil {
		return err
	}
	all, err := c.applications()
	if err != nil {
		return err
	}
	for _, one := range all {
		if _, err := instancepool.Parse(one.command.Strategy); err != nil {
			return one.explain(fmt.Errorf("--strategy: %w", err))
		}
		if err := one.command.checkLimits(); err != nil {
			return one.explain(err)
		}
	}
	for name := range c.Env {
		if name == "" {
			return errors.New("--env: a variable has no name; write NAME=VALUE")
		}
	}
	if c.MaxHead < 8192 {
		return fmt.Errorf("--max-header-bytes: %d is less than 8192", c.MaxHead)
	}
	if c.HeadTimeout <= 0 || c.IdleTimeout <= 0 {
		return errors.New("--header-timeout and --idle-timeout: a time is needed, as clients that say nothing would stay for ever")
	}
	if c.Drain < 0 {
		return errors.New("--drain: a negative time")
	}
	return nil
}

// checkLimits reports limits that are none.
func (c *upCommand) checkLimits() error {
	if c.RequestTimeout < 0 {
		return errors.New("--request-timeout: a negative time")
	}
	if c.MaxMemory < 0 || c.MaxMemory > 0 && c.MaxMemory < pageSize {
		return fmt.Errorf("--max-instance-memory: %d is less than a page of memory, %d bytes", c.MaxMemory, pageSize)
	}
	return nil
}

// version describes the program by what the Go toolchain put into it.
func version() string {
	own, engine := "unknown", "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		if info.Main.Version != "" {
			own = info.Main.Version
		}
		for _, m := range info.Deps {
			if strings.HasPrefix(m.Path, "github.com/bytecodealliance/wasmtime-go/") {
				engine = m.Version
			}
		}
	}
	return fmt.Sprintf("minispin %s (wasmtime-go %s, %s, %s/%s)", own, engine, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
