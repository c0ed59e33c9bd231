// Command minispin runs Spin applications.
//
// It knows what a person at a terminal, or a supervisor of processes, expects of
// a server: flags, exit codes, signals, where what is printed goes. What it runs is put
// together by package app and served by package httptrigger.
//
// Its one idea is that standard output is for programs and standard error for
// people: the first gets the start listing in a fixed form and nothing else.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/minispin/minispin/bench"
	"github.com/minispin/minispin/cmd/minispin/internal/console"
)

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	if code, child := bench.RunChild(os.Args[1:]); child {
		os.Exit(code)
	}
	// Whoever read our output may go away; that must not end a server. A write
	// then fails as one to a file would.
	signal.Ignore(syscall.SIGPIPE)
	os.Exit(run(os.Args[1:], &process{stdout: os.Stdout, stderr: console.New(os.Stderr)}))
}

// process is what a command has of the process it runs in.
type process struct {
	stdout *os.File
	stderr *console.Console
}

// run runs the command that args name and returns the exit code.
func run(args []string, p *process) int {
	var cli commands
	exited := -1
	parser, err := kong.New(&cli,
		kong.Name("minispin"),
		kong.Description("Runs Spin applications."),
		kong.Writers(p.stdout, p.stderr),
		kong.Exit(func(code int) { exited = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true, WrapUpperBound: 100}),
		grammarVars(),
	)
	if err != nil {
		panic(err) // the grammar is wrong, which the first test finds
	}
	ctx, err := parser.Parse(buildAndUp(args))
	if exited >= 0 {
		return exited // --help or --version
	}
	if err != nil {
		printError(p.stderr.Safe(), err)
		fmt.Fprintln(p.stderr, "\n"+usageHint(ctx, err))
		return exitUsage
	}
	if err := ctx.Run(p); err != nil {
		printError(p.stderr.Safe(), err)
		if _, ok := errors.AsType[*usageError](err); ok {
			fmt.Fprintln(p.stderr, "\n"+usageHint(ctx, err))
			return exitUsage
		}
		return exitFailed
	}
	return exitOK
}

// usageError is a mistake in the arguments that only running the command brings to
// light.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// usageHint says where to read on after a mistake in the arguments.
func usageHint(ctx *kong.Context, err error) string {
	if parse, ok := errors.AsType[*kong.ParseError](err); ok && ctx == nil {
		ctx = parse.Context
	}
	command := ""
	if ctx != nil {
		for n := ctx.Selected(); n != nil && n.Parent != nil; n = n.Parent {
			command = " " + n.Name + command
		}
	}
	return "Try: minispin" + command + " --help"
}

// printError prints err. Errors that were joined stand one below the other.
func printError(w io.Writer, err error) {
	for _, e := range causes(err) {
		fmt.Fprintf(w, "Error: %s\n", e)
	}
}

// causes takes apart what errors.Join joined.
func causes(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	var text []string
	for _, e := range joined.Unwrap() {
		all = append(all, causes(e)...)
		text = append(text, e.Error())
	}
	if strings.Join(text, "\n") != err.Error() {
		return []error{err} // it says something of its own
	}
	return all
}
