package wasi_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"go.uber.org/goleak"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/host/wasi"
	"github.com/minispin/minispin/host/wasi/cli"
	"github.com/minispin/minispin/host/wasi/wasitest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type view struct{ ctx wasi.Ctx }

func (v *view) WASI() *wasi.Ctx { return &v.ctx }

// cat is the guest of testdata/cat.wat, linked.
func cat(t *testing.T) *component.InstancePre {
	t.Helper()
	text, err := os.ReadFile("testdata/cat.wat")
	if err != nil {
		t.Fatal(err)
	}
	l := component.NewLinker()
	if err := wasi.Define(l); err != nil {
		t.Fatal(err)
	}
	return wasitest.Link(t, l, wasitest.Text(t, string(text)))
}

// call calls an export with plain parameters in a new instance.
func call(t *testing.T, ctx context.Context, pre *component.InstancePre, host any, name string, params ...uint64) (err error) {
	t.Helper()
	f, err := pre.Export("", name, nil)
	if err != nil {
		t.Fatal(err)
	}
	in, err := pre.Instantiate(ctx, component.InstantiateOptions{Host: host})
	if err != nil {
		return err
	}
	defer in.Close()
	c, st := in.Enter(f)
	defer c.Leave(&err)
	for i, p := range params {
		st[i].SetU64(p)
	}
	return c.Invoke()
}

const noExit = uint64(0xffffffff) // -1 as s32

func TestGuest(t *testing.T) {
	long := strings.Repeat("a line of text\n", 10_000)
	tests := []struct {
		name  string
		stdin io.Reader
		want  string
	}{
		{"text", strings.NewReader("some text that takes several reads"), "some text that takes several reads"},
		{"nothing", nil, ""},
		{"slow", iotest.OneByteReader(strings.NewReader("abc")), "abc"},
		{"long", strings.NewReader(long), long},
	}
	pre := cat(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			v := &view{wasi.Ctx{Stdin: tt.stdin, Stdout: &out}}
			if err := call(t, t.Context(), pre, v, "run", 0, noExit); err != nil || out.String() != tt.want {
				t.Errorf("printed %d bytes, %v; want %d", out.Len(), err, len(tt.want))
			}
		})
	}
}

func TestGuestExits(t *testing.T) {
	pre := cat(t)
	for status := range 2 {
		err := call(t, t.Context(), pre, &view{}, "run", 0, uint64(status))
		var exit *cli.Exit
		if !errors.As(err, &exit) || exit.Code != status {
			t.Errorf("exit with status %d gave %v", status, err)
		}
	}
}

func TestGuestSleeps(t *testing.T) {
	pre := cat(t)
	begin := time.Now()
	if err := call(t, t.Context(), pre, &view{}, "run", uint64(20*time.Millisecond), noExit); err != nil {
		t.Error(err)
	}
	if d := time.Since(begin); d < 20*time.Millisecond {
		t.Errorf("slept %v, want 20ms", d)
	}
}

// A guest that waits, whatever for, ends with its request.
func TestGuestEndsWithContext(t *testing.T) {
	pre := cat(t)
	stop := errors.New("stopped by the test")
	in, inw := io.Pipe()
	defer inw.Close()
	outr, out := io.Pipe()
	defer outr.Close()
	for name, x := range map[string]wasi.Ctx{
		"sleep": {},
		"read":  {Stdin: in},
		"write": {Stdin: strings.NewReader("text"), Stdout: out},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Millisecond, stop)
			defer cancel()
			if err := call(t, ctx, pre, &view{x}, "run", 1<<64-1, noExit); !errors.Is(err, stop) {
				t.Errorf("got %v, want the context's cause", err)
			}
		})
	}
}

func TestGuestTraps(t *testing.T) {
	pre := cat(t)
	var trap *abi.Trap
	if err := call(t, t.Context(), pre, &view{}, "poll-none"); !errors.As(err, &trap) || !strings.Contains(err.Error(), "empty") {
		t.Errorf("poll of nothing: %v", err)
	}
	if err := call(t, t.Context(), pre, nil, "run", 0, noExit); err == nil || !strings.Contains(err.Error(), "no WASI context") {
		t.Errorf("an instance without a context: %v", err)
	}
}

func TestDefineTwice(t *testing.T) {
	l := component.NewLinker()
	if err := wasi.Define(l); err != nil {
		t.Fatal(err)
	}
	if err := wasi.Define(l); err == nil || !strings.Contains(err.Error(), "wasi:io") {
		t.Errorf("got %v", err)
	}
}

func TestAttached(t *testing.T) {
	type a struct{ n int }
	type b struct{ n int }
	var x, y wasi.Ctx
	wasi.Attached[a](&x).n = 1
	wasi.Attached[b](&x).n = 2
	if got := wasi.Attached[a](&x).n; got != 1 {
		t.Errorf("kept %d, want 1", got)
	}
	if got := wasi.Attached[a](&y).n; got != 0 {
		t.Errorf("another context has %d", got)
	}
}
