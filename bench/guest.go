package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/guests"
	"github.com/minispin/minispin/host/wasi"
	"github.com/minispin/minispin/instancepool"
	"github.com/minispin/minispin/manifest"
	"github.com/minispin/minispin/trigger/http/app"
	"github.com/minispin/minispin/wit/bindings/fermyon/spin1/inboundhttp"
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
		return "routing, header fields for the guest, admission, the strategy, the call, streams for both bodies"
	}
	return "routing, the CGI environment, admission, the strategy, the program's run, parsing its output"
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
	if g.kind == inbound {
		return g.openInbound(ctx, st, s, wasm)
	}
	return g.openServed(ctx, st, s, wasm)
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

// caller is the host's side of one request to inbound-http.
type caller struct{ wasi wasi.Ctx }

// WASI implements wasi.View.
func (c *caller) WASI() *wasi.Ctx { return &c.wasi }

// openInbound prepares a guest that is called as the pool of a server would, and
// no server around it.
func (g *guest) openInbound(ctx context.Context, st *stage, s instancepool.Strategy, wasm []byte) (subject, error) {
	p, err := instancepool.New(ctx, st.engines, instancepool.Config[*inboundhttp.Guest]{
		ID: g.name, Wasm: wasm, Linker: st.linker, Strategy: s,
		Bind:     func(pre *component.InstancePre) (*inboundhttp.Guest, error) { return inboundhttp.NewGuest(pre, "") },
		Limits:   component.Limits{MemoryBytes: app.DefaultMemoryLimit},
		Progress: st.compiling(g.name),
	})
	if err != nil {
		return nil, err
	}
	exchange := func(gate *gate) error {
		return p.Run(ctx, &caller{}, func(in *component.Instance, guest *inboundhttp.Guest) error {
			r, err := guest.HandleRequest(in, valueRequest())
			if err != nil {
				return err
			}
			if gate != nil {
				gate.wait()
			}
			return checkValue(&r)
		})
	}
	return &local{
		exchange: func() error { return exchange(nil) },
		held:     exchange, several: held(s),
		end: p.Close,
	}, nil
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

// openServed prepares a guest as a server does.
func (g *guest) openServed(ctx context.Context, st *stage, s instancepool.Strategy, wasm []byte) (subject, error) {
	// Applications are made of files.
	dir, err := os.MkdirTemp("", "minispin-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "guest.wasm"), wasm, 0o600); err != nil {
		return nil, err
	}
	executor, end := "http", ""
	if g.kind == program {
		executor, end = "wagi", "\n"
	}
	text := fmt.Sprintf(guestManifest, g.name, executor)
	m, err := manifest.Parse([]byte(text), "spin.toml", dir, manifest.Options{Supports: app.Supports})
	if err != nil {
		return nil, err
	}
	a, err := load(ctx, st, m, s, nil)
	if err != nil {
		return nil, err
	}
	request := reference()
	exchange := func(gate *gate) error {
		got, err := a.do(&request, gate)
		if err != nil {
			return err
		}
		return a.explain(got.check(end))
	}
	l := &local{exchange: func() error { return exchange(nil) }, end: a.Close}
	if g.kind == incoming {
		l.held, l.several = exchange, held(s) // the guest is in the middle of writing then
	}
	return l, nil
}

const guestManifest = `spin_manifest_version = 2
[application]
name = %[1]q
[[trigger.http]]
route = "/..."
component = %[1]q
executor = { type = %[2]q }
[component.%[1]s]
source = "guest.wasm"
`
