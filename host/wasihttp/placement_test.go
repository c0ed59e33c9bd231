package wasihttp

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/minispin/minispin/component"
)

func TestPlacement(t *testing.T) {
	var p Placement
	returned := func(n int, after time.Duration) {
		for range n {
			p.returned(after)
		}
	}
	check := func(what string, want bool) {
		t.Helper()
		if got := p.here(); got != want {
			t.Errorf("%s: here %t, want %t", what, got, want)
		}
	}
	check("nothing known", false)
	returned(prompts-1, 0)
	check("almost trusted", false)
	returned(1, promptly)
	check("trusted", true)
	returned(1, 2*promptly)
	check("a late one", false)
	returned(prompts, 0)
	check("trusted again", true)
	returned(1, 2*lingering)
	returned(penance+prompts-1, 0)
	check("one that lingered", false)
	returned(1, 0)
	check("made good", true)
	var none *Placement
	none.returned(0)
	if none.here() {
		t.Error("without a placement guests do not run here")
	}
}

// trusting is a placement that runs guests on the goroutine of Serve.
func trusting() *Placement {
	p := &Placement{}
	p.prompt.Store(prompts)
	return p
}

// TestHere has guests run on the goroutine of Serve, to the same effect.
func TestHere(t *testing.T) {
	forEachMode(t, func(t *testing.T, mode string) {
		guest := wasmGuest(t, 0)
		p := trusting()
		s := newPlacedSite(t, mode, p, guest)
		for range 3 {
			req, _ := http.NewRequestWithContext(t.Context(), "POST", s.url+"/echo", strings.NewReader("hello"))
			resp, body, err := s.send(t, req)
			if err != nil || resp.StatusCode != 200 || body != "hello" {
				t.Fatalf("got %v %q, %v", resp, body, err)
			}
			if err := wait(t, "Serve", s.outcomes); err != nil {
				t.Error(err)
			}
			if err := wait(t, "start", s.ended); err != nil {
				t.Error(err)
			}
		}
		if !p.here() {
			t.Error("the guest returned promptly, and is not trusted")
		}
	})
}

// TestPanicHere has the host's side panic on the goroutine of the server.
func TestPanicHere(t *testing.T) {
	s := newPlacedSite(t, "h1", trusting(), func(*state, context.Context, Handle) error { panic("oops") })
	resp, _, err := s.do(t, "GET", "/", "")
	if err != nil || resp.StatusCode != 500 {
		t.Errorf("got %v, %v", resp, err)
	}
	var p *component.PanicError
	if err := wait(t, "Serve", s.outcomes); !errors.As(err, &p) {
		t.Errorf("outcome %v, want a panic", err)
	}
}

// TestLingerHere has a guest work on where Serve should go on: the client has all
// bytes all the same, and the next guest a goroutine of its own.
func TestLingerHere(t *testing.T) {
	release := make(chan struct{})
	p := trusting()
	s := newPlacedSite(t, "h1", p, func(st *state, ctx context.Context, _ Handle) error {
		r := newReply(t, ctx, &st.http).open().give()
		if err := r.write("abc"); err != nil {
			t.Error(err)
		}
		if err := r.body.finish(nil); err != nil {
			t.Error(err)
		}
		<-release
		return ctx.Err()
	})
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	for line := ""; line != "abc\r\n"; {
		if line, err = in.ReadString('\n'); err != nil {
			t.Fatalf("the body does not arrive while the guest works: %v", err)
		}
	}
	time.Sleep(2 * lingering)
	close(release)
	if end, err := in.ReadString('\n'); err != nil || end != "0\r\n" {
		t.Errorf("the end of the body: %q, %v", end, err)
	}
	if err := wait(t, "Serve", s.outcomes); err != nil {
		t.Error(err)
	}
	if p.here() {
		t.Error("a guest that lingered is still trusted")
	}
}

// TestDepartHere ends a guest on the goroutine of Serve whose client leaves.
func TestDepartHere(t *testing.T) {
	forEachMode(t, func(t *testing.T, mode string) {
		entered := make(chan struct{})
		s := newPlacedSite(t, mode, trusting(), func(_ *state, ctx context.Context, _ Handle) error {
			close(entered)
			<-ctx.Done()
			return context.Cause(ctx)
		})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		req, _ := http.NewRequestWithContext(ctx, "GET", s.url, nil)
		go func() {
			<-entered
			cancel()
		}()
		if _, err := s.client.Do(req); err == nil {
			t.Error("a response, of whom?")
		}
		if err := wait(t, "the guest's end", s.ended); !errors.Is(err, context.Canceled) {
			t.Errorf("the guest ended with %v", err)
		}
		if err := wait(t, "Serve", s.outcomes); !errors.Is(err, context.Canceled) {
			t.Errorf("outcome %v", err)
		}
	})
}
