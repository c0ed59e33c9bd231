package preview1

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/guests"
	"github.com/minispin/minispin/host/wasi"
	"github.com/minispin/minispin/host/wasi/cli"
	"github.com/minispin/minispin/host/wasi/wasitest"
)

// Commands made by real toolchains run: arguments, environment, input, output
// and exit code as their standard libraries use them.
func TestCommands(t *testing.T) {
	what := [][2]string{{"what", "up"}}
	tests := []struct {
		guest string
		ctx   wasi.Ctx
		out   string // what the output has in it
		exit  int    // -1 when main returns
	}{
		{"c-wagi", wasi.Ctx{Args: []string{"/foo", "a=b"}, Env: what, Stdin: strings.NewReader("hello, world!")}, "hola, mundo!", -1},
		{"c-wagi", wasi.Ctx{Args: []string{"/foo", "a=b"}, Env: what}, "want hello, world!", -1},
		{"c-wagi", wasi.Ctx{Args: []string{"/"}}, "hello from C", -1},
		{"rust-wagi", wasi.Ctx{Args: []string{"/foo", "a=b"}, Env: what, Stdin: strings.NewReader("hello, world!")}, "hola, mundo!", -1},
		{"rust-wagi", wasi.Ctx{Args: []string{"/exit", "7"}}, "", 7},
		{"rust-wagi", wasi.Ctx{Args: []string{"/env"}, Env: [][2]string{{"NAME", "a value"}}}, "a value", -1},
	}
	for _, tt := range tests {
		t.Run(tt.guest+tt.ctx.Args[0], func(t *testing.T) {
			l := component.NewLinker()
			if err := Define(l); err != nil {
				t.Fatal(err)
			}
			var stdout, stderr bytes.Buffer
			tt.ctx.Stdout, tt.ctx.Stderr = &stdout, &stderr
			err := wasitest.Start(t, t.Context(), &view{ctx: tt.ctx}, l, guests.Wasm(t, tt.guest))
			code := -1
			var exit *cli.Exit
			if errors.As(err, &exit) {
				code, err = exit.Code, nil
			}
			if err != nil || code != tt.exit || !strings.Contains(stdout.String(), tt.out) {
				t.Errorf("exit %d, %v, printed %q and %q; want exit %d and %q", code, err, stdout.String(), stderr.String(), tt.exit, tt.out)
			}
		})
	}
}
