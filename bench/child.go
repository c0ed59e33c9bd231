package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// The arguments that make this program a child of a measurement.
const (
	argForks  = "bench:forks"  // measure forks, as asked on standard input
	argAnswer = "bench:answer" // answer one request and exit
)

// ready says that RunChild was called: the program can be started again as a
// child.
var ready bool

// RunChild lets the program be what two of the native rows need beside it. A
// program that uses this package calls it first thing in main, with the
// arguments after its name. If they are those of a child, RunChild does its work
// and returns true with the code to exit with at once.
func RunChild(args []string) (code int, child bool) {
	ready = true
	if len(args) == 0 {
		return 0, false
	}
	var err error
	switch args[0] {
	case argForks:
		err = serveSamples(os.Stdin, os.Stdout, measureForks)
	case argAnswer:
		err = answerOnce(args[1:], os.Getenv(headerName), os.Stdin, os.Stdout)
	default:
		return 0, false
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1, true
	}
	return 0, true
}

var errNotReady = errors.New("the program does not call bench.RunChild, so that it cannot be started as a child")

// command returns this program with the arguments of a child.
func command(ctx context.Context, args ...string) (*exec.Cmd, error) {
	if !ready {
		return nil, errNotReady
	}
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Args[0] = os.Args[0]
	return cmd, nil
}

// order is what a child is told to measure, reply what it says of it. Either is
// a line of JSON.
type order struct{ N, Parallel int }

type reply struct {
	Sample Sample
	Error  string `json:",omitempty"`
}

// serveSamples measures what is asked, until nothing is asked any more.
func serveSamples(r io.Reader, w io.Writer, measure func(n, parallel int) (Sample, error)) error {
	in, out := json.NewDecoder(r), json.NewEncoder(w)
	for {
		var o order
		if err := in.Decode(&o); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("reading an order: %w", err)
		}
		s, err := measure(o.N, o.Parallel)
		rep := reply{Sample: s}
		if err != nil {
			rep.Error = err.Error()
		}
		if err := out.Encode(rep); err != nil {
			return fmt.Errorf("writing a sample: %w", err)
		}
	}
}

// remote is a subject in a child process.
type remote struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *json.Decoder
}

// openChild starts the child of the fork row.
func openChild(ctx context.Context, _ *stage) (subject, error) {
	cmd, err := command(ctx, argForks)
	if err != nil {
		return nil, err
	}
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &remote{cmd: cmd, in: in, out: json.NewDecoder(bufio.NewReader(out))}
	if _, err := c.measure(1, 1); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *remote) measure(n, parallel int) (Sample, error) {
	var r reply
	if err := json.NewEncoder(c.in).Encode(order{n, parallel}); err != nil {
		return r.Sample, fmt.Errorf("asking the child process: %w", err)
	}
	if err := c.out.Decode(&r); err != nil {
		return r.Sample, fmt.Errorf("what the child process says: %w", err)
	}
	if r.Error != "" {
		return r.Sample, errors.New(r.Error)
	}
	return r.Sample, nil
}

// close lets the child end. How it ends does not matter any more.
func (c *remote) close() {
	_ = c.in.Close()
	_ = c.cmd.Wait()
}

// answerOnce is the handler of the spawn row: a program that is started for one
// request.
func answerOnce(args []string, what string, in io.Reader, out io.Writer) error {
	got, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	if len(args) != 2 || args[0] != method || args[1] != target || what != headerValue || string(got) != body {
		return fmt.Errorf("the request is wrong: %q, %s=%q, body %q", args, headerName, what, got)
	}
	_, err = io.WriteString(out, spawnAnswer)
	return err
}

const spawnAnswer = "content-type: " + answerType + "\n\n" + answerBody

// openSpawn prepares the spawn row.
func openSpawn(ctx context.Context, _ *stage) (subject, error) {
	exchange := func() error {
		cmd, err := command(ctx, argAnswer, method, target)
		if err != nil {
			return err
		}
		var out, stderr strings.Builder
		cmd.Env = []string{headerName + "=" + headerValue}
		cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(body), &out, &stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%w: %s", err, strings.TrimSpace(stderr.String()))
		}
		if out.String() != spawnAnswer {
			return fmt.Errorf("the answer is wrong: %q", out.String())
		}
		return nil
	}
	if err := exchange(); err != nil {
		return nil, err
	}
	return &local{exchange: exchange}, nil
}
