package preview1

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host/wasi"
	"github.com/minispin/minispin/host/wasi/cli"
	"github.com/minispin/minispin/host/wasi/clocks"
	"github.com/minispin/minispin/host/wasi/random"
	"github.com/minispin/minispin/host/wasi/wasitest"
)

// view is the host value of an instance.
type view struct{ ctx wasi.Ctx }

func (v *view) WASI() *wasi.Ctx { return &v.ctx }

// guest stands where the guest's code would: it calls functions of the module
// and looks at memory.
type guest struct {
	*component.Call
	t *testing.T
}

// run gives a guest with ctx to body and returns the error of its instance.
func run(t *testing.T, ctx context.Context, x wasi.Ctx, body func(g *guest) error) error {
	t.Helper()
	v := &view{ctx: x}
	defer v.ctx.Files.Close()
	return wasitest.Call(t, ctx, v, func(c *component.Call) error {
		return body(&guest{Call: c, t: t})
	})
}

// ok is run for a guest that ends well.
func ok(t *testing.T, x wasi.Ctx, body func(g *guest)) {
	t.Helper()
	if err := run(t, t.Context(), x, func(g *guest) error { body(g); return nil }); err != nil {
		t.Error(err)
	}
}

// try calls a function and returns its error number, or the error it traps with.
func (g *guest) try(name string, args ...uint64) (Errno, error) {
	g.t.Helper()
	for _, f := range functions {
		if f.name != name {
			continue
		}
		if len(args) != len(f.params) {
			g.t.Fatalf("%s takes %d parameters", name, len(f.params))
		}
		st := make([]component.Raw, max(1, len(args)))
		for i, a := range args {
			st[i].SetU64(a)
		}
		if err := f.core().Call(g.Call, st); err != nil {
			return 0, err
		}
		return Errno(st[0].U32()), nil
	}
	g.t.Fatalf("no function %s", name)
	return 0, nil
}

// want calls a function and checks its error number.
func (g *guest) want(errno Errno, name string, args ...uint64) {
	g.t.Helper()
	if got, err := g.try(name, args...); got != errno || err != nil {
		g.t.Errorf("%s%v: %v, %v; want %v", name, args, got, err, errno)
	}
}

func (g *guest) put(at uint32, s string) { copy(g.Mem()[at:], s) }

func (g *guest) at(at uint32, n int) string { return string(g.Mem()[at : int(at)+n]) }

// iovecs stores a list of address and length pairs at at.
func (g *guest) iovecs(at uint32, list ...uint32) {
	for i, v := range list {
		g.Mem().PutU32(at+uint32(i)*4, v)
	}
}

const page = 65536 // the size of the guest's memory

// A module that imports all of preview 1, with the types its toolchains give,
// links: Wasmtime checks each.
func TestEveryFunctionLinks(t *testing.T) {
	var text strings.Builder
	text.WriteString("(module\n")
	for _, f := range functions {
		fmt.Fprintf(&text, "(import %q %q (func (param", Module, f.name)
		for _, p := range f.params {
			text.WriteString(map[rune]string{'i': " i32", 'I': " i64"}[p])
		}
		text.WriteString(")")
		if f.name != "proc_exit" {
			text.WriteString(" (result i32)")
		}
		text.WriteString("))\n")
	}
	text.WriteString(`(memory (export "memory") 1) (func (export "_start")))`)
	l := component.NewLinker()
	if err := Define(l); err != nil {
		t.Fatal(err)
	}
	if err := wasitest.Start(t, t.Context(), &view{}, l, wasitest.Text(t, text.String())); err != nil {
		t.Error(err)
	}
	if len(functions) != 46 {
		t.Errorf("%d functions, preview 1 has 46", len(functions))
	}
	if err := Define(l); err == nil {
		t.Error("defined twice")
	}
}

func TestWithoutContext(t *testing.T) {
	err := wasitest.Call(t, t.Context(), "no view", func(c *component.Call) error {
		g := &guest{Call: c, t: t}
		_, err := g.try("sched_yield")
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "no WASI context") {
		t.Errorf("got %v", err)
	}
}

func TestArguments(t *testing.T) {
	x := wasi.Ctx{Args: []string{"prog", "", "ä b", "cut\x00here"}, Env: [][2]string{{"B", "2"}, {"A", ""}}}
	ok(t, x, func(g *guest) {
		g.want(success, "args_sizes_get", 0, 4)
		if n, size := g.Mem().U32(0), g.Mem().U32(4); n != 4 || size != 5+1+5+4 {
			t.Errorf("%d arguments of %d bytes", n, size)
		}
		g.want(success, "args_get", 100, 200)
		if got := g.at(200, 16); got != "prog\x00\x00ä b\x00cut\x00\x00" {
			t.Errorf("arguments %q", got)
		}
		for i, want := range []uint32{200, 205, 206, 211} {
			if got := g.Mem().U32(uint32(100 + 4*i)); got != want {
				t.Errorf("argument %d is at %d, want %d", i, got, want)
			}
		}
		g.want(success, "environ_sizes_get", 0, 4)
		if n, size := g.Mem().U32(0), g.Mem().U32(4); n != 2 || size != 4+3 {
			t.Errorf("%d variables of %d bytes", n, size)
		}
		g.want(success, "environ_get", 100, 200)
		if got := g.at(200, 7); got != "B=2\x00A=\x00" {
			t.Errorf("environment %q", got)
		}
		g.want(errFault, "args_sizes_get", page-3, 0)
		g.want(errFault, "args_sizes_get", 0, page-3)
		g.want(errFault, "args_get", page-15, 200)
		g.want(errFault, "args_get", 100, page-14)
		g.want(errFault, "environ_get", 1<<32-1, 1<<32-1)
	})
	ok(t, wasi.Ctx{}, func(g *guest) {
		g.want(success, "args_get", page, page) // nothing to store
		g.want(success, "environ_sizes_get", 0, 4)
	})
}

func TestClocks(t *testing.T) {
	x := wasi.Ctx{Clocks: clocks.Clocks{
		Monotonic: func() time.Duration { return 7 * time.Second },
		Wall:      func() time.Time { return time.Unix(1e9, 5) },
	}}
	ok(t, x, func(g *guest) {
		for id, want := range []uint64{1e18 + 5, 7e9} {
			g.want(success, "clock_time_get", uint64(id), 1, 8)
			if got := g.Mem().U64(8); got != want {
				t.Errorf("clock %d is at %d, want %d", id, got, want)
			}
			g.want(success, "clock_res_get", uint64(id), 8)
			if got := g.Mem().U64(8); got != clocks.Resolution() {
				t.Errorf("clock %d steps by %d", id, got)
			}
		}
		g.want(errNotsup, "clock_time_get", clockProcessCPU, 1, 8)
		g.want(errNotsup, "clock_res_get", clockThreadCPU, 8)
		g.want(errInval, "clock_time_get", 4, 1, 8)
		g.want(errFault, "clock_time_get", 0, 1, page-7)
		g.want(errFault, "clock_res_get", 0, page-7)
	})
}

func TestRandom(t *testing.T) {
	x := wasi.Ctx{Random: random.Sources{Secure: strings.NewReader("randomness")}}
	ok(t, x, func(g *guest) {
		g.want(success, "random_get", 16, 6)
		if got := g.at(16, 7); got != "random\x00" {
			t.Errorf("got %q", got)
		}
		g.want(success, "random_get", page, 0)
		g.want(errFault, "random_get", page-3, 4)
		g.want(errFault, "random_get", 8, 1<<32-1)
		if _, err := g.try("random_get", 0, 100); err == nil {
			t.Error("an exhausted source is no error")
		}
	})
	ok(t, wasi.Ctx{}, func(g *guest) {
		g.want(success, "random_get", 0, page)
		if bytes.Count(g.Mem(), []byte{0}) > page/16 {
			t.Error("not random")
		}
	})
	stop := errors.New("stopped by the test")
	ctx, cancel := context.WithCancelCause(t.Context())
	err := run(t, ctx, wasi.Ctx{}, func(g *guest) error {
		cancel(stop)
		_, err := g.try("random_get", 0, page)
		return err
	})
	if !errors.Is(err, stop) {
		t.Errorf("after the end of the request: %v", err)
	}
}

func TestExit(t *testing.T) {
	for _, code := range []int{0, 3, 255} {
		err := run(t, t.Context(), wasi.Ctx{}, func(g *guest) error {
			_, err := g.try("proc_exit", uint64(code))
			return err
		})
		var exit *cli.Exit
		if !errors.As(err, &exit) || exit.Code != code {
			t.Errorf("exit %d gave %v", code, err)
		}
	}
	ok(t, wasi.Ctx{}, func(g *guest) {
		g.want(errNotsup, "proc_raise", 6)
		g.want(success, "sched_yield")
	})
}

func TestWrite(t *testing.T) {
	var stdout, stderr bytes.Buffer
	ok(t, wasi.Ctx{Stdout: &stdout, Stderr: &stderr}, func(g *guest) {
		g.put(500, "hello world")
		g.iovecs(100, 500, 6, 0, 0, 506, 5)
		g.want(success, "fd_write", 1, 100, 3, 50)
		if n := g.Mem().U32(50); n != 11 || stdout.String() != "hello world" {
			t.Errorf("wrote %d: %q", n, stdout.String())
		}
		g.want(success, "fd_write", 2, 100, 1, 50)
		if n := g.Mem().U32(50); n != 6 || stderr.String() != "hello " {
			t.Errorf("wrote %d: %q", n, stderr.String())
		}
		g.want(success, "fd_write", 1, 100, 0, 50)
		if n := g.Mem().U32(50); n != 0 {
			t.Errorf("wrote %d of nothing", n)
		}

		stdout.Reset()
		g.want(errBadf, "fd_write", 0, 100, 1, 50)
		g.want(errBadf, "fd_write", 3, 100, 1, 50)
		g.want(errBadf, "fd_write", 1<<32-1, 100, 1, 50)
		g.want(errFault, "fd_write", 1, page-7, 1, 50)    // the list
		g.want(errFault, "fd_write", 1, 100, 1<<32-1, 50) // its length
		g.want(errFault, "fd_write", 1, 100, 1, page-3)   // the count
		g.iovecs(100, 500, 6, page-2, 3)                  // one bad buffer spoils it all
		g.want(errFault, "fd_write", 1, 100, 2, 50)
		g.iovecs(100, 1<<32-1, 1<<32-1)
		g.want(errFault, "fd_write", 1, 100, 1, 50)
		if stdout.Len() > 0 {
			t.Errorf("a refused call wrote %q", stdout.String())
		}
	})
}

// A list longer than is looked at is written in part, as buffers that all name
// the whole memory are.
func TestWriteInPart(t *testing.T) {
	var n int64
	ok(t, wasi.Ctx{Stdout: counter{&n}}, func(g *guest) {
		for i := range uint32(8192) {
			g.iovecs(i*8, 0, 1)
		}
		g.want(success, "fd_write", 1, 0, 8192, page-4)
		if got := g.Mem().U32(page - 4); got != maxIovecs || n != maxIovecs {
			t.Errorf("reported %d, wrote %d of 8192", got, n)
		}
	})
}

type counter struct{ n *int64 }

func (c counter) Write(p []byte) (int, error) { *c.n += int64(len(p)); return len(p), nil }

func TestWriteFails(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want Errno
	}{{errors.New("disk full"), errIO}, {io.ErrClosedPipe, errPipe}} {
		ok(t, wasi.Ctx{Stdout: &after{ok: 1, err: tt.err}}, func(g *guest) {
			g.iovecs(100, 500, 6, 500, 5)
			g.want(success, "fd_write", 1, 100, 2, 50)
			if n := g.Mem().U32(50); n != 6 {
				t.Errorf("wrote %d before the failure, want 6", n)
			}
			g.want(errPipe, "fd_write", 1, 100, 2, 50)
		})
		ok(t, wasi.Ctx{Stdout: &after{err: tt.err}}, func(g *guest) {
			g.iovecs(100, 500, 6)
			g.want(tt.want, "fd_write", 1, 100, 1, 50)
			g.want(errPipe, "fd_write", 1, 100, 1, 50)
		})
	}
}

// after fails after some writes.
type after struct {
	ok  int
	err error
}

func (a *after) Write(p []byte) (int, error) {
	if a.ok == 0 {
		return 0, a.err
	}
	a.ok--
	return len(p), nil
}

func TestRead(t *testing.T) {
	ok(t, wasi.Ctx{Stdin: strings.NewReader("hello world")}, func(g *guest) {
		g.iovecs(100, 500, 3, 0, 0, 510, 4)
		g.want(errFault, "fd_read", 0, 100, 3, page-3)
		g.want(errFault, "fd_read", 0, page-8, 2, 50)
		g.want(errBadf, "fd_read", 1, 100, 3, 50)
		g.want(success, "fd_read", 0, 100, 3, 50)
		if n := g.Mem().U32(50); n != 7 || g.at(500, 4) != "hel\x00" || g.at(510, 5) != "lo w\x00" {
			t.Errorf("read %d: %q and %q", n, g.at(500, 4), g.at(510, 5))
		}
		g.iovecs(100, 500, 100)
		g.want(success, "fd_read", 0, 100, 1, 50)
		if n := g.Mem().U32(50); n != 4 || g.at(500, 4) != "orld" {
			t.Errorf("read %d: %q", n, g.at(500, 4))
		}
		for range 2 {
			g.want(success, "fd_read", 0, 100, 1, 50)
			if n := g.Mem().U32(50); n != 0 {
				t.Errorf("read %d after the end", n)
			}
		}
		// A buffer that lies over its own list and over another one.
		g.iovecs(100, 100, 16, 104, 4)
		g.want(success, "fd_read", 0, 100, 2, 50)
	})
	ok(t, wasi.Ctx{}, func(g *guest) {
		g.iovecs(100, 500, 3)
		g.want(success, "fd_read", 0, 100, 1, 50)
		if n := g.Mem().U32(50); n != 0 {
			t.Errorf("read %d from nothing", n)
		}
	})
	ok(t, wasi.Ctx{Stdin: iotest.ErrReader(errors.New("bad sector"))}, func(g *guest) {
		g.iovecs(100, 500, 3)
		g.want(errIO, "fd_read", 0, 100, 1, 50)
	})
}

func TestDescriptors(t *testing.T) {
	var stdout, stderr bytes.Buffer
	ok(t, wasi.Ctx{Stdout: &stdout, Stderr: &stderr}, func(g *guest) {
		g.put(0, strings.Repeat("\xff", 64))
		g.want(success, "fd_fdstat_get", 1, 0)
		if got := binary.LittleEndian.Uint64(g.Mem()[8:]); rights(got) != rightWrite|rightPoll || g.Mem().U64(0) != 0 || g.Mem().U64(16) != 0 {
			t.Errorf("fdstat %x", g.at(0, 24))
		}
		g.want(success, "fd_filestat_get", 0, 0)
		if g.at(0, 64) != strings.Repeat("\x00", 64) {
			t.Errorf("filestat %x", g.at(0, 64))
		}
		g.want(errFault, "fd_fdstat_get", 1, page-23)
		g.want(errFault, "fd_filestat_get", 1, page-63)
		g.want(success, "fd_fdstat_set_flags", 1, 0)
		g.want(errNotsup, "fd_fdstat_set_flags", 1, 4)

		// Rights are given up for good.
		g.want(errNotcap, "fd_fdstat_set_rights", 1, uint64(rightWrite|rightRead), 0)
		g.want(errNotcap, "fd_fdstat_set_rights", 1, uint64(rightWrite), 1)
		g.want(success, "fd_fdstat_set_rights", 1, 0, 0)
		g.want(errNotcap, "fd_fdstat_set_rights", 1, uint64(rightWrite), 0)
		g.iovecs(100, 500, 6)
		g.want(errNotcap, "fd_write", 1, 100, 1, 50)

		// Standard error takes the place of standard output.
		g.want(errBadf, "fd_renumber", 2, 7)
		g.want(errBadf, "fd_renumber", 7, 1)
		g.want(success, "fd_renumber", 2, 2)
		g.want(success, "fd_renumber", 2, 1)
		g.want(success, "fd_write", 1, 100, 1, 50)
		if stdout.Len() != 0 || stderr.Len() != 6 {
			t.Errorf("%d bytes to stdout, %d to stderr", stdout.Len(), stderr.Len())
		}
		g.want(errBadf, "fd_write", 2, 100, 1, 50)
		g.want(success, "fd_close", 1)
		g.want(errBadf, "fd_close", 1)
		g.want(errBadf, "fd_write", 1, 100, 1, 50)
		g.want(errBadf, "fd_fdstat_get", 1, 0)
		g.want(errBadf, "fd_filestat_get", 1, 0)
		g.want(errBadf, "fd_fdstat_set_flags", 1, 0)
		g.want(errBadf, "fd_fdstat_set_rights", 1, 0, 0)
	})
}

// What there is no file, directory or socket for is refused, with the reason:
// on a standard stream, and on a number that is not open.
func TestRefusals(t *testing.T) {
	refused := map[string]Errno{
		"fd_advise": errSpipe, "fd_allocate": errSpipe, "fd_seek": errSpipe, "fd_tell": errSpipe,
		"fd_pread": errSpipe, "fd_pwrite": errSpipe,
		"fd_datasync": errInval, "fd_sync": errInval, "fd_filestat_set_size": errInval,
		"fd_filestat_set_times": errNotsup, "fd_readdir": errNotdir,
		"fd_prestat_get": errBadf, "fd_prestat_dir_name": errBadf,
		"path_create_directory": errNotdir, "path_filestat_get": errNotdir, "path_filestat_set_times": errNotdir,
		"path_link": errNotdir, "path_open": errNotdir, "path_readlink": errNotdir,
		"path_remove_directory": errNotdir, "path_rename": errNotdir, "path_symlink": errNotdir,
		"path_unlink_file": errNotdir,
		"sock_accept":      errNotsock, "sock_recv": errNotsock, "sock_send": errNotsock, "sock_shutdown": errNotsock,
	}
	ok(t, wasi.Ctx{}, func(g *guest) {
		for _, f := range functions {
			want, ok := refused[f.name]
			if !ok {
				continue
			}
			delete(refused, f.name)
			args := make([]uint64, len(f.params)) // every descriptor 0, standard input
			g.want(want, f.name, args...)
			for i := range args {
				args[i] = 3 // not open
			}
			g.want(errBadf, f.name, args...)
		}
	})
	if len(refused) > 0 {
		t.Errorf("not tried: %v", refused)
	}
}

func TestErrnoText(t *testing.T) {
	for e, want := range map[Errno]string{errBadf: "badf", errNotcap: "notcapable", 999: "errno 999"} {
		if e.Error() != want {
			t.Errorf("%d: %q, want %q", uint16(e), e.Error(), want)
		}
	}
}
