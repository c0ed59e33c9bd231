package wasiio

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

func permit(t *testing.T, p *Pipe, want int) {
	t.Helper()
	if n, err := p.Permit(); n != want || err != nil {
		t.Errorf("permit %d, %v; want %d", n, err, want)
	}
}

func TestPipeHoldsOneWrite(t *testing.T) {
	p := NewPipe()
	permit(t, p, MaxWrite)
	for _, part := range []string{"he", "llo"} { // two writes under one permit
		if err := p.Write(t.Context(), []byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	permit(t, p, 0)
	if p.Ready() {
		t.Error("ready while full")
	}
	signal := p.Signal()
	b := make([]byte, 3)
	if n, err := p.Read(b); n != 3 || err != nil || string(b) != "hel" {
		t.Fatalf("read %d, %v", n, err)
	}
	permit(t, p, 0)
	select {
	case <-signal:
		t.Error("signalled before all was read")
	default:
	}
	if n, err := p.Read(b); n != 2 || err != nil || string(b[:n]) != "lo" {
		t.Fatalf("read %d, %v", n, err)
	}
	<-signal
	permit(t, p, MaxWrite)
}

func TestPipeEnds(t *testing.T) {
	broken := errors.New("the peer went away")
	t.Run("writer closes", func(t *testing.T) {
		p := NewPipe()
		_ = p.Write(t.Context(), []byte("rest"))
		p.CloseWrite(nil)
		p.CloseWrite(broken)
		if b, err := io.ReadAll(p); string(b) != "rest" || err != nil {
			t.Errorf("read %q, %v", b, err)
		}
		if _, err := p.Permit(); err != ErrClosed {
			t.Errorf("permit after close: %v", err)
		}
		if err := p.Write(t.Context(), []byte("x")); err != ErrClosed {
			t.Errorf("write after close: %v", err)
		}
	})
	t.Run("writer fails", func(t *testing.T) {
		p := NewPipe()
		_ = p.Write(t.Context(), []byte("rest"))
		p.CloseWrite(broken)
		if b, err := io.ReadAll(p); string(b) != "rest" || err != broken {
			t.Errorf("read %q, %v", b, err)
		}
	})
	t.Run("reader closes", func(t *testing.T) {
		p := NewPipe()
		_ = p.Write(t.Context(), []byte("rest"))
		p.Close()
		p.CloseRead(broken)
		if _, err := p.Permit(); err != ErrClosed || !p.Ready() {
			t.Errorf("permit %v, ready %v", err, p.Ready())
		}
		if _, err := p.Read(make([]byte, 1)); err != io.ErrClosedPipe {
			t.Errorf("read after close: %v", err)
		}
	})
	t.Run("reader fails", func(t *testing.T) {
		p := NewPipe()
		s := NewSinkStream(p, nil)
		p.CloseRead(broken)
		for _, want := range []string{"last-operation-failed", "closed"} {
			if _, err := s.CheckWrite(nil); caseOf(err) != want {
				t.Errorf("check-write: %v, want %s", err, want)
			}
		}
	})
}

func TestPipeWakes(t *testing.T) {
	for name, wake := range map[string]func(p *Pipe){
		"reader takes": func(p *Pipe) { _, _ = p.Read(make([]byte, 10)) },
		"reader ends":  func(p *Pipe) { p.Close() },
		"writer ends":  func(p *Pipe) { p.CloseWrite(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := NewPipe()
				_ = p.Write(t.Context(), []byte("x"))
				time.AfterFunc(time.Second, func() { wake(p) })
				if err := p.Block(endingIn(t, time.Hour)); err != nil {
					t.Error(err)
				}
			})
		})
	}
	for name, wake := range map[string]func(p *Pipe){
		"writer writes": func(p *Pipe) { _ = p.Write(context.Background(), []byte("x")) },
		"reader ends":   func(p *Pipe) { p.Close() },
		"writer ends":   func(p *Pipe) { p.CloseWrite(nil) },
	} {
		t.Run("read until "+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := NewPipe()
				time.AfterFunc(time.Second, func() { wake(p) })
				_, _ = p.Read(make([]byte, 10))
				if _, err := p.Permit(); name == "writer writes" && err != nil {
					t.Error(err)
				}
			})
		})
	}
	if err := fullPipe().Block(endingIn(t, 10*time.Millisecond)); !errors.Is(err, errStop) {
		t.Errorf("got %v, want the context's cause", err)
	}
}

func fullPipe() *Pipe {
	p := NewPipe()
	_ = p.Write(context.Background(), []byte("x"))
	return p
}

// All bytes go through a pipe in order, whatever the sizes of the two ends.
func TestPipeCarriesEverything(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	sent := make([]byte, 300_000)
	for i := range sent {
		sent[i] = byte(rng.Uint32())
	}
	p := NewPipe()
	s := NewSinkStream(p, func() { p.CloseWrite(nil) })
	go func() {
		defer s.Drop()
		for rest := sent; len(rest) > 0; {
			n := min(len(rest), 1+rng.IntN(9000))
			if err := s.WriteAll(context.Background(), rest[:n]); err != nil {
				t.Error(err)
				return
			}
			rest = rest[n:]
		}
	}()
	got, err := io.ReadAll(p)
	if err != nil || !bytes.Equal(got, sent) {
		t.Errorf("read %d bytes, %v; want %d", len(got), err, len(sent))
	}
}
