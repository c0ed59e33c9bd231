package component_test

import (
	"context"
	"testing"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/wit/bindings/fermyon/spin1/inboundhttp"
)

func needReset(t testing.TB) {
	t.Helper()
	if err := component.ResetSupported(); err != nil {
		t.Skip(err)
	}
}

// resetGuest makes a resettable instantiation of the guest that asserts the
// request it gets.
func resetGuest(t testing.TB) (*component.Resettable, *inboundhttp.Guest) {
	t.Helper()
	needReset(t)
	pre, g := inboundGuest(t, component.EngineConfig{Reset: &component.ResetConfig{}})
	r, err := pre.InstantiateResettable(context.Background(), component.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r, g
}

// serve handles one request with a resettable instantiation.
func serve(t testing.TB, r *component.Resettable, g *inboundhttp.Guest) {
	in, err := r.Begin(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	seed(t, in, g)
	if err := r.Reset(); err != nil {
		t.Fatal(err)
	}
}

// seed calls the guest and checks its answer.
func seed(t testing.TB, in *component.Instance, g *inboundhttp.Guest) {
	resp, err := g.HandleRequest(in, seedRequest())
	if err != nil {
		t.Fatal(err)
	}
	if resp.Status != 200 || string(resp.Body.V) != "hola, mundo!" {
		t.Fatalf("status %d, body %q", resp.Status, resp.Body.V)
	}
}

func TestResetInboundHTTPGuest(t *testing.T) {
	r, g := resetGuest(t)
	fresh := component.StateOf(r)
	for i := range 200 {
		serve(t, r, g)
		if diff := component.CompareState(component.StateOf(r), fresh); diff != "" {
			t.Fatalf("after request %d: %s", i, diff)
		}
	}
}

// One run, one guest, one request: a fresh instance from the pool, one that is
// put back, and one that is used again with whatever the last request left.
func BenchmarkResetInboundHTTP(b *testing.B) {
	b.Run("pooled", func(b *testing.B) {
		pre, g := inboundGuest(b, component.EngineConfig{Pool: &component.PoolConfig{Instances: 100}})
		b.ReportAllocs()
		for b.Loop() {
			handleSeed(b, pre, g)
		}
	})
	b.Run("reset", func(b *testing.B) {
		r, g := resetGuest(b)
		b.ReportAllocs()
		for b.Loop() {
			serve(b, r, g)
		}
		b.ReportMetric(float64(r.Resident()), "resident-B")
	})
	b.Run("reuse", func(b *testing.B) {
		pre, g := inboundGuest(b, component.EngineConfig{})
		in, err := pre.Instantiate(context.Background(), component.InstantiateOptions{})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(in.Close)
		b.ReportAllocs()
		for b.Loop() {
			seed(b, in, g)
		}
	})
	b.Run("reset alone", func(b *testing.B) {
		r, _ := resetGuest(b)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := r.Begin(context.Background(), nil); err != nil {
				b.Fatal(err)
			}
			if err := r.Reset(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
