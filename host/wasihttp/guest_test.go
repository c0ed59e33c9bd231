package wasihttp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/wit/bindings/wasi/http/types"
)

func TestReferenceExchange(t *testing.T) {
	forEachMode(t, func(t *testing.T, mode string) {
		s := newSite(t, mode, wasmGuest(t, 0))
		req, _ := http.NewRequestWithContext(t.Context(), "POST", s.url+"/foo?a=b", strings.NewReader("hello, world!"))
		req.Header.Set("What", "up")
		resp, body, err := s.send(t, req)
		if err != nil || resp.StatusCode != 200 || body != "hola, mundo!" {
			t.Fatalf("%v %q %v", resp, body, err)
		}
		if err := wait(t, "Serve", s.outcomes); err != nil {
			t.Error(err)
		}
		if got, want := headerNames(resp.Header), []string{"Content-Type"}; mode == "h1" && !slices.Equal(got, want) {
			t.Errorf("response has the fields %q, want %q", got, want)
		}
		if mode == "h1" && !slices.Equal(resp.TransferEncoding, []string{"chunked"}) {
			t.Errorf("a body without a length has the transfer encoding %q, want chunked", resp.TransferEncoding)
		}
	})
}

func TestRequestAsSeen(t *testing.T) {
	forEachMode(t, func(t *testing.T, mode string) {
		s := newSite(t, mode, wasmGuest(t, 0))
		req, _ := http.NewRequestWithContext(t.Context(), "PROPFIND", s.url+"/headers?x=%2f&y", nil)
		req.Header["X-B"] = []string{"2", "1"}
		req.Header.Set("X-A", "\xe4")
		req.Header.Set("User-Agent", "")
		_, body, err := s.send(t, req)
		if err != nil {
			t.Fatal(err)
		}
		want := "method: PROPFIND\npath-with-query: /headers?x=%2f&y\nscheme: http\nauthority: " + s.addr +
			"\nx-a: \ufffd\nx-b: 2\nx-b: 1\n"
		if body != want {
			t.Errorf("the guest saw\n%s\nwant\n%s", body, want)
		}
	})
}

func TestEchoWhileTheRequestGoesOn(t *testing.T) {
	forEachMode(t, func(t *testing.T, mode string) {
		s := newSite(t, mode, wasmGuest(t, 0))
		pr, pw := io.Pipe()
		req, _ := http.NewRequestWithContext(t.Context(), "POST", s.url+"/echo", pr)
		go pw.Write([]byte("first"))
		resp, err := s.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		buf := make([]byte, 100)
		for i, chunk := range []string{"first", "second", "third"} {
			if i > 0 {
				if _, err := io.WriteString(pw, chunk); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := io.ReadFull(resp.Body, buf[:len(chunk)]); err != nil || string(buf[:len(chunk)]) != chunk {
				t.Fatalf("got %q, %v; want %q", buf[:len(chunk)], err, chunk)
			}
		}
		pw.Close()
		if rest, err := io.ReadAll(resp.Body); err != nil || len(rest) > 0 {
			t.Fatalf("after the end: %q, %v", rest, err)
		}
		if err := wait(t, "Serve", s.outcomes); err != nil {
			t.Error(err)
		}
	})
}

func TestLargeEcho(t *testing.T) {
	forEachMode(t, func(t *testing.T, mode string) {
		s := newSite(t, mode, wasmGuest(t, 0))
		body := strings.Repeat("0123456789abcdef", 1<<17) // 2 MiB
		_, got, err := s.do(t, "PUT", "/echo", body)
		if err != nil || got != body {
			t.Fatalf("%d bytes came back of %d, %v", len(got), len(body), err)
		}
	})
}

func TestTrailers(t *testing.T) {
	forEachMode(t, func(t *testing.T, mode string) {
		for _, text := range []string{"", "with a body"} {
			s := newSite(t, mode, wasmGuest(t, 0))
			req, _ := http.NewRequestWithContext(t.Context(), "POST", s.url+"/trailers", io.MultiReader(strings.NewReader(text)))
			req.ContentLength = -1
			req.Trailer = http.Header{"X-Sum": {"42"}, "Keep-Alive": {"no"}}
			delete(req.Trailer, "Keep-Alive")
			resp, body, err := s.send(t, req)
			if err != nil || body != text {
				t.Fatalf("%q %v", body, err)
			}
			if got := resp.Trailer.Get("X-Sum"); got != "42" || len(resp.Trailer) != 1 {
				t.Errorf("body %q: trailers %v, want X-Sum: 42", text, resp.Trailer)
			}
		}
	})
}

func TestNoTrailers(t *testing.T) {
	forEachMode(t, func(t *testing.T, mode string) {
		s := newSite(t, mode, wasmGuest(t, 0))
		resp, body, err := s.do(t, "POST", "/trailers", "x")
		if err != nil || body != "x" || len(resp.Trailer) > 0 {
			t.Fatalf("%q, trailers %v, %v", body, resp.Trailer, err)
		}
	})
}

func TestStreamIsFlushedNotTooOften(t *testing.T) {
	forEachMode(t, func(t *testing.T, mode string) {
		s := newSite(t, mode, wasmGuest(t, 0))
		const n = 2000
		_, body, err := s.do(t, "GET", fmt.Sprintf("/stream?n=%d&size=10", n), "")
		if err != nil || len(body) != 10*n {
			t.Fatalf("%d bytes, %v", len(body), err)
		}
		if flushes := wait(t, "Serve", s.flushes); flushes > n/4 {
			t.Errorf("%d flushes for %d small writes, each of which the guest flushed", flushes, n)
		}
	})
}

func TestPollTogether(t *testing.T) {
	forEachMode(t, func(t *testing.T, mode string) {
		s := newSite(t, mode, wasmGuest(t, 0))
		pr, pw := io.Pipe()
		go func() {
			time.Sleep(10 * time.Millisecond)
			io.WriteString(pw, "some bytes")
			pw.Close()
		}()
		req, _ := http.NewRequestWithContext(t.Context(), "POST", s.url+"/poll?a=300&b=400", pr)
		_, body, err := s.send(t, req)
		if want := "body: 10 bytes\ntimer a\ntimer b\n"; err != nil || body != want {
			t.Errorf("got %q, %v; want %q", body, err, want)
		}
	})
}

// TestFailures has the ways in which a guest can fail. What the client gets
// where nothing was flushed depends on how much time passed: a status, or a
// response that breaks off.
func TestFailures(t *testing.T) {
	isCode := func(c types.ErrorCodeCase) func(error) bool {
		return func(err error) bool {
			code, ok := errors.AsType[types.ErrorCode](err)
			return ok && code.Case == c
		}
	}
	isTrap := func(err error) bool {
		_, ok := errors.AsType[*component.Trap](err)
		return ok
	}
	tests := []struct {
		path       string
		is         func(error) bool
		incomplete bool
		body       string // what the client gets before the response breaks off
	}{
		{"/error", isCode(types.ErrorCodeInternalError), false, ""},
		{"/no-response", func(err error) bool { return err == ErrNoResponse }, false, ""},
		{"/trap", isTrap, false, ""},
		{"/trap-after-head", isTrap, true, "so far, so good"},
		{"/bad-length", isCode(types.ErrorCodeHTTPResponseBodySize), true, ""},
		{"/loop", func(err error) bool { return errors.Is(err, errDeadline) }, false, ""},
		{"/sleep?ms=60000", func(err error) bool { return errors.Is(err, errDeadline) }, false, ""},
	}
	forEachMode(t, func(t *testing.T, mode string) {
		for _, test := range tests {
			t.Run(test.path, func(t *testing.T) {
				s := newSite(t, mode, wasmGuest(t, 300*time.Millisecond))
				resp, body, err := s.do(t, "GET", test.path, "")
				outcome := wait(t, "Serve", s.outcomes)
				if !test.is(outcome) {
					t.Errorf("Serve returned %v", outcome)
				}
				if _, incomplete := errors.AsType[*IncompleteError](outcome); incomplete != test.incomplete {
					t.Errorf("Serve returned %#v; incomplete: want %t", outcome, test.incomplete)
				}
				clean := err == nil && resp.StatusCode == 500 && body == ""
				switch {
				case test.body != "":
					if err == nil || body != test.body {
						t.Errorf("client got %q, %v; want %q and an error", body, err, test.body)
					}
				case test.incomplete && err != nil:
				case !clean:
					t.Errorf("client got %v %q %v, want 500 and no body", resp, body, err)
				}
				wait(t, "the guest's end", s.ended)
				select {
				case err := <-s.late:
					t.Errorf("the failure was reported again: %v", err)
				default:
				}
			})
		}
	})
}

func TestErrorIsHandlerError(t *testing.T) {
	s := newSite(t, "h1", wasmGuest(t, 0))
	if _, _, err := s.do(t, "GET", "/error", ""); err != nil {
		t.Fatal(err)
	}
	outcome := wait(t, "Serve", s.outcomes)
	if want := `the guest answered with the error internal-error("as asked")`; outcome == nil || outcome.Error() != want {
		t.Errorf("got %v, want %s", outcome, want)
	}
}

func TestClientLeaves(t *testing.T) {
	tests := []struct{ name, method, path string }{
		{"computing", "GET", "/loop"},
		{"sleeping", "GET", "/sleep?ms=600000"},
		{"reading", "POST", "/echo"},
		{"polling", "POST", "/poll?a=600000&b=600000"},
		{"writing", "GET", "/stream?n=1000000&size=65536"},
	}
	forEachMode(t, func(t *testing.T, mode string) {
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				s := newSite(t, mode, wasmGuest(t, 0))
				ctx, cancel := context.WithCancel(t.Context())
				var body io.Reader
				hangUp := func() {}
				if test.method == "POST" {
					pr, pw := io.Pipe()
					hangUp = func() { pw.CloseWithError(errors.New("the client has left")) }
					body = pr
				}
				req, _ := http.NewRequestWithContext(ctx, test.method, s.url+test.path, body)
				go func() {
					<-s.entered
					time.Sleep(20 * time.Millisecond)
					cancel()
					// The client ends the connection, and then waits for its own body.
					hangUp()
				}()
				if resp, err := s.client.Do(req); err == nil {
					<-ctx.Done()
					resp.Body.Close()
				}
				if err := wait(t, "Serve", s.outcomes); err == nil {
					t.Error("Serve returned no error")
				}
				wait(t, "the guest's end", s.ended)
				if len(s.late) > 0 {
					t.Errorf("a guest that was ended was reported: %v", <-s.late)
				}
			})
		}
	})
}

// TestDeadlineInBody has a deadline pass that only the guest's context knows of,
// while the guest waits for a client that stands still.
func TestDeadlineInBody(t *testing.T) {
	tests := []struct{ name, method, path string }{
		{"reading", "POST", "/echo"},
		{"polling", "POST", "/poll?a=600000&b=600000"},
		{"writing", "GET", "/stream?n=1000000&size=65536"},
	}
	forEachMode(t, func(t *testing.T, mode string) {
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				s := newSite(t, mode, wasmGuest(t, 200*time.Millisecond))
				var body io.Reader
				if test.method == "POST" {
					pr, pw := io.Pipe()
					defer pw.Close()
					body = pr
				}
				req, _ := http.NewRequestWithContext(t.Context(), test.method, s.url+test.path, body)
				begun := time.Now()
				resp, err := s.client.Do(req)
				outcome := wait(t, "Serve", s.outcomes)
				if err == nil {
					resp.Body.Close()
				}
				if took := time.Since(begun); took > 3*time.Second {
					t.Errorf("Serve took %v", took)
				}
				// The engine may meet the deadline a moment before the context does.
				if !errors.Is(outcome, errDeadline) && !errors.Is(outcome, component.ErrDeadline) {
					t.Errorf("Serve returned %v", outcome)
				}
				wait(t, "the guest's end", s.ended)
			})
		}
	})
}

// TestRequestBodyBreaksOff has the connection end in the middle of the body.
func TestRequestBodyBreaksOff(t *testing.T) {
	s := newSite(t, "h1", wasmGuest(t, 0))
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "POST /foo HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc")
	wait(t, "the request", s.entered)
	conn.Close()
	if err := wait(t, "Serve", s.outcomes); err == nil {
		// The guest sees the failure and answers 400, if it is quick.
		t.Log("the guest answered in time")
	}
	wait(t, "the guest's end", s.ended)
}

// TestKeepAlive sees that a connection can be used again after every kind of
// body that the guest leaves alone.
func TestKeepAlive(t *testing.T) {
	s := newSite(t, "h1", wasmGuest(t, 0))
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	for i := range 3 {
		fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
		var got bytes.Buffer
		buf := make([]byte, 4096)
		for !strings.HasSuffix(got.String(), "\r\n0\r\n\r\n") {
			n, err := conn.Read(buf)
			if err != nil {
				t.Fatalf("request %d: %v after %q", i, err, got.String())
			}
			got.Write(buf[:n])
		}
		if !strings.Contains(got.String(), "5\r\nhello\r\n") {
			t.Errorf("request %d: %q", i, got.String())
		}
	}
}

func TestHeadRequest(t *testing.T) {
	forEachMode(t, func(t *testing.T, mode string) {
		s := newSite(t, mode, wasmGuest(t, 0))
		resp, body, err := s.do(t, "HEAD", "/", "")
		if err != nil || resp.StatusCode != 200 || body != "" {
			t.Fatalf("%v %q %v", resp, body, err)
		}
		if err := wait(t, "Serve", s.outcomes); err != nil {
			t.Error(err)
		}
	})
}
