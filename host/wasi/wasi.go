// Package wasi brings the WASI 0.2 hosts together: io, clocks, random, cli,
// filesystem and sockets, each in a package of its own beneath this one.
//
// What a guest sees of WASI is a Ctx, made by the embedder for each instance
// and found through the value the instance was given (View). The package knows
// nothing of who the embedder is, opens nothing by itself and logs nothing. Its
// one idea: the zero Ctx is a working one, with no arguments, no environment,
// empty input, output that goes nowhere, and real clocks and randomness.
package wasi

import (
	"fmt"
	"io"
	"strings"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host/files"
	"github.com/minispin/minispin/host/wasi/cli"
	"github.com/minispin/minispin/host/wasi/clocks"
	"github.com/minispin/minispin/host/wasi/filesystem"
	"github.com/minispin/minispin/host/wasi/io"
	"github.com/minispin/minispin/host/wasi/random"
	"github.com/minispin/minispin/host/wasi/sockets"
)

// Ctx is the WASI side of one instance. Its fields are set before the instance
// is made and not changed after. Like the instance it belongs to one goroutine.
type Ctx struct {
	// Args is the command line, the program's name first.
	Args []string
	// Env is the environment, as names and values in the order guests see.
	Env [][2]string

	// Stdin is the standard input; nil means empty. It is read ahead.
	Stdin io.Reader
	// Stdout and Stderr take what the guest prints; nil means nowhere. What they
	// say of their blocking (wasiio.BlockingOf) decides on which goroutine they
	// are called: one that may block is called on its own, waited for until the
	// context ends, and may then still be in its last Write.
	Stdout, Stderr io.Writer

	// Clocks and Random may be given to make a guest predictable.
	Clocks clocks.Clocks
	Random random.Sources

	// Network is what the guest may reach through sockets: nothing without a
	// policy.
	Network sockets.Network

	// Files is what the guest has of files: nothing without mounts. What a core
	// module opens is closed with the Ctx; what a component opens is in its table of
	// handles, and goes with that.
	Files files.Session

	inHandles      *files.Session // what a component has open of Files
	stdin          *wasiio.InputStream
	stdout, stderr *wasiio.OutputStream
	attached       []any
}

var _ cli.Program = (*Ctx)(nil)

// View is implemented by the value that an embedder gives to each instance
// (component.InstantiateOptions.Host).
type View interface{ WASI() *Ctx }

// Of returns the Ctx of the instance that calls. An instance without one is a
// mistake of the embedder and traps.
func Of(c *component.Call) *Ctx {
	v, ok := c.Host().(View)
	if !ok {
		c.Trapf("the instance has no WASI context: its host value is a %T", c.Host())
	}
	return v.WASI()
}

// Define adds every WASI 0.2 interface there is a host for to l.
func Define(l *component.Linker) error {
	if err := wasiio.Define(l); err != nil {
		return fmt.Errorf("define WASI: %w", err)
	}
	if err := clocks.Define(l, func(c *component.Call) *clocks.Clocks { return &Of(c).Clocks }); err != nil {
		return fmt.Errorf("define WASI: %w", err)
	}
	if err := random.Define(l, func(c *component.Call) *random.Sources { return &Of(c).Random }); err != nil {
		return fmt.Errorf("define WASI: %w", err)
	}
	if err := cli.Define(l, func(c *component.Call) cli.Program { return Of(c) }); err != nil {
		return fmt.Errorf("define WASI: %w", err)
	}
	if err := sockets.Define(l, func(c *component.Call) *sockets.Network { return &Of(c).Network }); err != nil {
		return fmt.Errorf("define WASI: %w", err)
	}
	if err := filesystem.Define(l, func(c *component.Call) *files.Session { return Of(c).filesOfHandles() }); err != nil {
		return fmt.Errorf("define WASI: %w", err)
	}
	return nil
}

func (x *Ctx) filesOfHandles() *files.Session {
	if x.inHandles == nil {
		// Apart from x: where handles outlive a request, x should not.
		x.inHandles = &files.Session{Mounts: x.Files.Mounts, Budget: x.Files.Budget}
	}
	return x.inHandles
}

// Arguments implements cli.Program.
func (x *Ctx) Arguments() []string { return x.Args }

// Environment implements cli.Program.
func (x *Ctx) Environment() [][2]string { return x.Env }

// StdinStream implements cli.Program.
func (x *Ctx) StdinStream() *wasiio.InputStream {
	if x.stdin == nil {
		r := x.Stdin
		if r == nil {
			r = strings.NewReader("")
		}
		x.stdin = wasiio.NewInputStream(r, wasiio.InputOptions{Blocking: wasiio.BlockingOf(r)})
	}
	return x.stdin
}

// StdoutStream implements cli.Program.
func (x *Ctx) StdoutStream() *wasiio.OutputStream { return output(&x.stdout, x.Stdout) }

// StderrStream implements cli.Program.
func (x *Ctx) StderrStream() *wasiio.OutputStream { return output(&x.stderr, x.Stderr) }

func output(s **wasiio.OutputStream, w io.Writer) *wasiio.OutputStream {
	if *s == nil {
		if w == nil {
			w = io.Discard
		}
		*s = wasiio.NewOutputStream(w, wasiio.OutputOptions{Blocking: wasiio.BlockingOf(w)})
	}
	return *s
}

// Close closes the files that the instance left open, lets go of the standard
// input, and gives its buffer to the next instance. The instance must have ended.
func (x *Ctx) Close() {
	x.Files.Close()
	if x.stdin != nil {
		x.stdin.Drop()
	}
}

// Attached returns the T that belongs to x, the zero T when it is first asked
// for: a place for what other hosts keep for the life of an instance, such as a
// table of descriptors.
func Attached[T any](x *Ctx) *T {
	for _, a := range x.attached {
		if t, ok := a.(*T); ok {
			return t
		}
	}
	t := new(T)
	x.attached = append(x.attached, t)
	return t
}
