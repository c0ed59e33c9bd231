package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/component/binary"
	"github.com/minispin/minispin/guests"
	"github.com/minispin/minispin/host/wasi"
	"github.com/minispin/minispin/host/wasi/cli"
	"github.com/minispin/minispin/host/wasihttp"
	"github.com/minispin/minispin/instancepool"
	"github.com/minispin/minispin/trigger/http/app"
	"github.com/minispin/minispin/wit/bindings/fermyon/spin1/inboundhttp"
	"github.com/minispin/minispin/wit/bindings/wasi/http/incominghandler"
)

// kind is the interface that a guest is called through.
type kind int

const (
	inbound  kind = iota // fermyon:spin/inbound-http
	incoming             // wasi:http/incoming-handler
	program              // WAGI
)

// includes says what the figures of a kind include.
func includes(k kind) string {
	switch k {
	case inbound:
		return "admission, the strategy, the call with the request as a value"
	case incoming:
		return "admission, the strategy, the call, the resources of request and response, streams for both bodies"
	}
	return "admission, the strategy, the program's run with arguments, environment, standard input and output"
}

// guest is one of the guests that come with the source.
type guest struct {
	name string
	kind kind
	// usual are the strategies that are measured when none is named.
	usual []instancepool.Strategy
}

var (
	perRequest = []instancepool.Strategy{instancepool.PreInstance, instancepool.Pooled, instancepool.Reset}
	served     = append(slices.Clip(perRequest), instancepool.Reuse)
)

// known are the guests that do the reference exchange.
var known = []guest{
	{"rust-inbound-http", inbound, instancepool.Strategies()},
	{"rust-wasi-http", incoming, served},
	{"rust-spin-sdk5", incoming, served},
	{"rust-wagi", program, perRequest},
	{"py-inbound-http", inbound, served},
	{"js-wasi-http", incoming, served},
	{"rust-spin-sdk5-wasip2", incoming, served},
	{"c-wagi", program, perRequest},
	{"py-wasi-http", incoming, served},
	{"py-spin-sdk3", incoming, served},
}

// usualGuests are those measured when none is named: the first of known.
func usualGuests() []string { return guestNames()[:6] }

func guestNames() []string {
	var names []string
	for _, g := range known {
		names = append(names, g.name)
	}
	return names
}

func findGuest(name string) *guest {
	for i := range known {
		if known[i].name == name {
			return &known[i]
		}
	}
	return nil
}

// open prepares the guest under a strategy.
func (g *guest) open(ctx context.Context, st *stage, s instancepool.Strategy) (subject, error) {
	wasm, err := guests.Load(g.name)
	if err != nil {
		return nil, err
	}
	switch g.kind {
	case inbound:
		return openPool(ctx, g, st, s, wasm, func(pre *component.InstancePre) (*inboundhttp.Guest, error) {
			return inboundhttp.NewGuest(pre, "")
		}, callInbound)
	case incoming:
		return openPool(ctx, g, st, s, wasm, bindIncoming, callIncoming(&wasihttp.Placement{}))
	}
	return openPool(ctx, g, st, s, wasm, bindProgram, callProgram)
}

// maxHeld is how many requests are held at a time to see what one keeps.
const maxHeld = 16

// held is how many under a strategy.
func held(s instancepool.Strategy) int {
	if s == instancepool.Cold {
		return 2 // it compiles for each
	}
	return maxHeld
}

// caller is the host's side of one request.
type caller struct{ wasi wasi.Ctx }

// WASI implements wasi.View.
func (c *caller) WASI() *wasi.Ctx { return &c.wasi }

// httpCaller is a caller for guests on wasi:http.
type httpCaller struct {
	caller
	http wasihttp.Ctx
}

// HTTP implements wasihttp.View.
func (c *httpCaller) HTTP() *wasihttp.Ctx { return &c.http }

// call makes an exchange with a guest that was bound as H. Where it can, it
// passes the gate while the guest is alive, if there is one.
type call[H any] func(ctx context.Context, p *instancepool.Pool[H], g *gate) error

// openPool prepares a guest to be called as the pool of a server would call it,
// and no server around it.
func openPool[H any](ctx context.Context, g *guest, st *stage, s instancepool.Strategy, wasm []byte,
	bind func(*component.InstancePre) (H, error), exchange call[H],
) (subject, error) {
	p, err := instancepool.New(ctx, st.engines, instancepool.Config[H]{
		ID: g.name, Wasm: wasm, Linker: st.linker, Strategy: s, Bind: bind,
		Limits:   component.Limits{MemoryBytes: app.DefaultMemoryLimit},
		Progress: st.compiling(g.name),
	})
	if err != nil {
		return nil, err
	}
	l := &local{exchange: func() error { return exchange(ctx, p, nil) }, end: p.Close}
	if g.kind != program {
		l.held, l.several = func(g *gate) error { return exchange(ctx, p, g) }, held(s)
	}
	return l, nil
}

func callInbound(ctx context.Context, p *instancepool.Pool[*inboundhttp.Guest], g *gate) error {
	return p.Run(ctx, &caller{}, func(in *component.Instance, guest *inboundhttp.Guest) error {
		r, err := guest.HandleRequest(in, valueRequest())
		if err != nil {
			return err
		}
		if g != nil {
			g.wait()
		}
		return checkValue(&r)
	})
}

// bindIncoming finds the handler of whatever version of WASI 0.2 it is.
func bindIncoming(pre *component.InstancePre) (*incominghandler.Guest, error) {
	for _, name := range pre.Exports() {
		if binary.SameTrack(name, incominghandler.InterfaceName) {
			return incominghandler.NewGuest(pre, name)
		}
	}
	return nil, fmt.Errorf("%s exports no %s", pre.Name(), incominghandler.InterfaceName)
}

// callIncoming holds the guest in the middle of writing, if it has to.
func callIncoming(p *wasihttp.Placement) call[*incominghandler.Guest] {
	return func(ctx context.Context, pool *instancepool.Pool[*incominghandler.Guest], g *gate) error {
		q := reference()
		r, err := q.make()
		if err != nil {
			return err
		}
		c, a := &httpCaller{}, newAnswer(g)
		err = c.http.Serve(a, &wasihttp.Request{
			Request: r, Scheme: "http", Authority: r.Host, PathWithQuery: r.RequestURI,
			Headers: wasihttp.FieldsOf(r.Header), Placement: p,
		}, func(ctx context.Context, handle wasihttp.Handle) error {
			defer c.wasi.Close()
			return pool.Run(ctx, c, handle)
		})
		if err != nil {
			return err
		}
		return a.check()
	}
}

func bindProgram(pre *component.InstancePre) (*component.CoreExport, error) {
	f, ok := pre.CoreFunc("_start")
	if !ok {
		return nil, fmt.Errorf("%s has no _start", pre.Name())
	}
	return f, nil
}

// printed is what a program prints in answer to the reference request.
const printed = "content-type: " + answerType + "\n\n" + answerBody + "\n"

func callProgram(ctx context.Context, p *instancepool.Pool[*component.CoreExport], _ *gate) error {
	var out bytes.Buffer
	c := &caller{}
	defer c.wasi.Close()
	path, query, _ := strings.Cut(target, "?")
	c.wasi.Args = []string{path, query}
	c.wasi.Env = [][2]string{{headerName, headerValue}}
	c.wasi.Stdin = strings.NewReader(body)
	c.wasi.Stdout = &out
	err := p.Run(ctx, c, func(in *component.Instance, start *component.CoreExport) error { return in.CallCore(start, nil) })
	if exit, ok := errors.AsType[*cli.Exit](err); ok && exit.Code == 0 {
		err = nil
	}
	if err != nil {
		return err
	}
	if got := out.String(); got != printed {
		return fmt.Errorf("the program printed %q, want %q", got, printed)
	}
	return nil
}

// compiling returns a function that tells how far a compilation is.
func (st *stage) compiling(name string) func(done, total int) {
	if st.progress == nil {
		return nil
	}
	return func(done, total int) {
		st.progress(fmt.Sprintf("preparing %s: %d of %d modules compiled", name, done, total))
	}
}
