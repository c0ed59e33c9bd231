// Package cli is the host of wasi:cli: what a program is started with, its
// standard streams, and how it ends.
//
// It knows nothing of where output goes or what an exit code means to the
// embedder. Its one idea: a standard stream exists once for each instance and
// handles come and go; dropping one closes nothing.
package cli

import (
	"fmt"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host/wasi/io"
	"github.com/minispin/minispin/wit/bindings/wasi/cli/environment"
	"github.com/minispin/minispin/wit/bindings/wasi/cli/exit"
	"github.com/minispin/minispin/wit/bindings/wasi/cli/stderr"
	"github.com/minispin/minispin/wit/bindings/wasi/cli/stdin"
	"github.com/minispin/minispin/wit/bindings/wasi/cli/stdout"
	"github.com/minispin/minispin/wit/bindings/wasi/cli/terminalinput"
	"github.com/minispin/minispin/wit/bindings/wasi/cli/terminaloutput"
	"github.com/minispin/minispin/wit/bindings/wasi/cli/terminalstderr"
	"github.com/minispin/minispin/wit/bindings/wasi/cli/terminalstdin"
	"github.com/minispin/minispin/wit/bindings/wasi/cli/terminalstdout"
	"github.com/minispin/minispin/wit/bindings/wasi/io/streams"
	"github.com/minispin/minispin/wit/value"
)

// Exit is the error of a call in which the guest ended its program (wasi:cli
// exit, or preview 1 proc_exit). It also ends the instance, and with code zero
// is no failure; embedders look for it with errors.As.
type Exit struct{ Code int }

func (e *Exit) Error() string { return fmt.Sprintf("the program exited with code %d", e.Code) }

// Program is what one instance sees of the program it runs as.
type Program interface {
	// Arguments returns the command line, the program's name first.
	Arguments() []string
	// Environment returns the variables as name and value, in order.
	Environment() [][2]string
	// StdinStream returns the standard input, the same for the whole life of the
	// instance; StdoutStream and StderrStream likewise.
	StdinStream() *wasiio.InputStream
	StdoutStream() *wasiio.OutputStream
	StderrStream() *wasiio.OutputStream
}

// Define adds the interfaces of wasi:cli that a program imports to l; of gives
// the program of the instance that calls.
func Define(l *component.Linker, of func(*component.Call) Program) error {
	for _, i := range []*component.Interface{
		environment.Bind(func(c *component.Call) environment.Host { return host{of(c)} }),
		exit.Bind(func(c *component.Call) exit.Host { return host{of(c)} }),
		stdin.Bind(func(c *component.Call) stdin.Host { return host{of(c)} }),
		stdout.Bind(func(c *component.Call) stdout.Host { return host{of(c)} }),
		stderr.Bind(func(c *component.Call) stderr.Host { return host{of(c)} }),
		terminalinput.Bind(),
		terminaloutput.Bind(),
		terminalstdin.Bind(func(*component.Call) terminalstdin.Host { return noTerminal{} }),
		terminalstdout.Bind(func(*component.Call) terminalstdout.Host { return noTerminal{} }),
		terminalstderr.Bind(func(*component.Call) terminalstderr.Host { return noTerminal{} }),
	} {
		if err := l.Define(i); err != nil {
			return fmt.Errorf("wasi:cli: %w", err)
		}
	}
	return nil
}

type host struct{ p Program }

func (h host) GetArguments(*component.Call) ([]string, error) { return h.p.Arguments(), nil }

func (h host) GetEnvironment(*component.Call) ([]value.Tuple2[string, string], error) {
	env := h.p.Environment()
	list := make([]value.Tuple2[string, string], len(env))
	for i, kv := range env {
		list[i] = value.Tuple2[string, string]{F0: kv[0], F1: kv[1]}
	}
	return list, nil
}

// InitialCwd is none: a guest has no directory but those it was given.
func (h host) InitialCwd(*component.Call) (value.Option[string], error) {
	return value.None[string](), nil
}

func (h host) Exit(_ *component.Call, status value.Result[value.Unit, value.Unit]) error {
	if status.IsErr {
		return &Exit{Code: 1}
	}
	return &Exit{}
}

func (h host) ExitWithCode(_ *component.Call, code uint8) error { return &Exit{Code: int(code)} }

func (h host) GetStdin(*component.Call) (streams.InputStream, error) {
	return inputHandle{h.p.StdinStream()}, nil
}

func (h host) GetStdout(*component.Call) (streams.OutputStream, error) {
	return outputHandle{h.p.StdoutStream()}, nil
}

func (h host) GetStderr(*component.Call) (streams.OutputStream, error) {
	return outputHandle{h.p.StderrStream()}, nil
}

// inputHandle is a standard stream as one handle sees it: dropping it leaves
// the stream to the next.
type inputHandle struct{ *wasiio.InputStream }

func (inputHandle) Drop() {}

type outputHandle struct{ *wasiio.OutputStream }

func (outputHandle) Drop() {}

// noTerminal says of each standard stream that it is not a terminal, also when
// the host's own is: guests do not get to paint on it.
type noTerminal struct{}

func (noTerminal) GetTerminalStdin(*component.Call) (value.Option[terminalinput.TerminalInput], error) {
	return value.None[terminalinput.TerminalInput](), nil
}

func (noTerminal) GetTerminalStdout(*component.Call) (value.Option[terminaloutput.TerminalOutput], error) {
	return value.None[terminaloutput.TerminalOutput](), nil
}

func (noTerminal) GetTerminalStderr(*component.Call) (value.Option[terminaloutput.TerminalOutput], error) {
	return value.None[terminaloutput.TerminalOutput](), nil
}
