package component_test

import (
	"context"
	"os"
	"testing"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/wit/bindings/fermyon/spin1/httptypes"
	"github.com/minispin/minispin/wit/bindings/fermyon/spin1/inboundhttp"
	"github.com/minispin/minispin/wit/value"
)

// seedRequest is the request that the guest asserts.
func seedRequest() httptypes.Request {
	return httptypes.Request{
		Method: httptypes.MethodPost, URI: "/foo?a=b",
		Headers: httptypes.Headers{{F0: "what", F1: "up"}},
		Body:    value.Some([]byte("hello, world!")),
	}
}

func inboundGuest(t testing.TB, cfg component.EngineConfig) (*component.InstancePre, *inboundhttp.Guest) {
	t.Helper()
	wasm, err := os.ReadFile("../guests/bin/rust-inbound-http.wasm")
	if err != nil {
		t.Fatal(err)
	}
	e, err := component.NewEngine(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	c, err := e.Compile(context.Background(), "rust-inbound-http", wasm, component.CompileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	pre, err := component.NewLinker().Link(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pre.Close)
	g, err := inboundhttp.NewGuest(pre, "")
	if err != nil {
		t.Fatal(err)
	}
	return pre, g
}

var engines = map[string]component.EngineConfig{
	"on-demand": {},
	"pooling":   {Pool: &component.PoolConfig{Instances: 100}},
}

func handleSeed(t testing.TB, pre *component.InstancePre, g *inboundhttp.Guest) {
	in, err := pre.Instantiate(context.Background(), component.InstantiateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	resp, err := g.HandleRequest(in, seedRequest())
	if err != nil {
		t.Fatal(err)
	}
	if resp.Status != 200 || string(resp.Body.V) != "hola, mundo!" {
		t.Fatalf("status %d, body %q", resp.Status, resp.Body.V)
	}
}

func TestInboundHTTPGuest(t *testing.T) {
	for name, cfg := range engines {
		t.Run(name, func(t *testing.T) {
			pre, g := inboundGuest(t, cfg)
			for range 10 {
				handleSeed(t, pre, g)
			}
		})
	}
}

func BenchmarkInboundHTTP(b *testing.B) {
	for name, cfg := range engines {
		b.Run(name, func(b *testing.B) {
			pre, g := inboundGuest(b, cfg)
			b.ReportAllocs()
			for b.Loop() {
				handleSeed(b, pre, g)
			}
		})
	}
}
