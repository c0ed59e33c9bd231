package cli

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host/wasi/io"
	"github.com/minispin/minispin/wit/value"
)

type program struct {
	args []string
	env  [][2]string
}

func (p program) Arguments() []string              { return p.args }
func (p program) Environment() [][2]string         { return p.env }
func (program) StdinStream() *wasiio.InputStream   { return nil }
func (program) StdoutStream() *wasiio.OutputStream { return nil }
func (program) StderrStream() *wasiio.OutputStream { return nil }

func TestEnvironment(t *testing.T) {
	h := host{program{[]string{"prog", "-v"}, [][2]string{{"B", "2"}, {"A", "1"}, {"B", "3"}}}}
	env, err := h.GetEnvironment(nil)
	want := []value.Tuple2[string, string]{{F0: "B", F1: "2"}, {F0: "A", F1: "1"}, {F0: "B", F1: "3"}}
	if d := cmp.Diff(want, env); d != "" || err != nil {
		t.Errorf("environment, %v (-want +got):\n%s", err, d)
	}
	if args, err := h.GetArguments(nil); err != nil || !cmp.Equal(args, []string{"prog", "-v"}) {
		t.Errorf("arguments %q, %v", args, err)
	}
	if cwd, err := h.InitialCwd(nil); err != nil || cwd.Set {
		t.Errorf("initial-cwd %v, %v", cwd, err)
	}
}

func TestExit(t *testing.T) {
	h := host{}
	for _, tt := range []struct {
		err  error
		code int
	}{
		{h.Exit(nil, value.OK[value.Unit, value.Unit](value.Unit{})), 0},
		{h.Exit(nil, value.Err[value.Unit](value.Unit{})), 1},
		{h.ExitWithCode(nil, 200), 200},
	} {
		if e, ok := tt.err.(*Exit); !ok || e.Code != tt.code {
			t.Errorf("got %v, want exit code %d", tt.err, tt.code)
		}
	}
}

func TestNoTerminal(t *testing.T) {
	var none noTerminal
	in, err1 := none.GetTerminalStdin(nil)
	out, err2 := none.GetTerminalStdout(nil)
	errs, err3 := none.GetTerminalStderr(nil)
	if in.Set || out.Set || errs.Set || err1 != nil || err2 != nil || err3 != nil {
		t.Error("a standard stream is a terminal")
	}
}

func TestDefine(t *testing.T) {
	l := component.NewLinker()
	of := func(*component.Call) Program { return program{} }
	if err := Define(l, of); err != nil {
		t.Fatal(err)
	}
	if n := len(l.Interfaces()); n != 10 {
		t.Errorf("%d interfaces: %q", n, l.Interfaces())
	}
	if Define(l, of) == nil {
		t.Error("defined twice")
	}
}
