package app

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

// A chunk comes back before the next one is sent, so that neither body can have
// been gathered on the way.
func TestBodiesStream(t *testing.T) {
	forEachMode(t, func(t *testing.T, m mode) {
		s := serve(t, m, application(t, guest{id: "wasi", source: "rust-wasi-http"}))
		body := newFeed("chunk 0")
		resp, err := s.send(t.Context(), "POST", "/echo", body)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		got := make([]byte, len("chunk 0"))
		for i := range 5 {
			want := "chunk " + string(rune('0'+i))
			if i > 0 {
				if _, err := io.WriteString(body.w, want); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != want {
				t.Fatalf("got %q %v, want %q", got, err, want)
			}
		}
		if err := body.w.Close(); err != nil {
			t.Fatal(err)
		}
		if rest, err := io.ReadAll(resp.Body); err != nil || len(rest) > 0 {
			t.Errorf("after the end: %q %v", rest, err)
		}
		s.quiet(t)
	})
}

func TestLargeBodies(t *testing.T) {
	forEachMode(t, func(t *testing.T, m mode) {
		s := serve(t, m, application(t, guest{id: "wasi", source: "rust-wasi-http"}))
		sent := make([]byte, 3<<20)
		for i := range sent {
			sent[i] = byte(i ^ i>>8 ^ i>>16) // a piece lost or out of order shows
		}
		for _, path := range []string{"/echo", "/trailers"} {
			resp, err := s.send(t.Context(), "POST", path, bytes.NewReader(sent))
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || !bytes.Equal(got, sent) {
				t.Errorf("%s: %d bytes came back of %d (%v), or not the same", path, len(got), len(sent), err)
			}
		}
		a := s.do(t, "GET", "/stream?n=30&size=100000", "")
		if a.err != nil || len(a.body) != 3_000_000 {
			t.Fatalf("got %d bytes, %v", len(a.body), a.err)
		}
		for i := range 30 {
			if part := a.body[i*100_000:][:100_000]; strings.Count(part, string(rune('a'+i%26))) != len(part) {
				t.Errorf("chunk %d is not as it was written", i)
			}
		}
		s.quiet(t)
	})
}

func TestTrailers(t *testing.T) {
	forEachMode(t, func(t *testing.T, m mode) {
		s := serve(t, m, application(t, guest{id: "wasi", source: "rust-wasi-http"}))
		req, err := http.NewRequestWithContext(t.Context(), "POST", s.base+"/trailers", struct{ io.Reader }{strings.NewReader("the body")})
		if err != nil {
			t.Fatal(err)
		}
		req.Trailer = http.Header{"X-Sum": {"42"}, "X-Several": {"a", "b"}}
		resp, err := s.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || string(body) != "the body" {
			t.Errorf("body %q %v", body, err)
		}
		if got := resp.Trailer; len(got) != 2 || got.Get("X-Sum") != "42" || strings.Join(got.Values("X-Several"), ",") != "a,b" {
			t.Errorf("trailers %v", got)
		}
		// Without trailers in the request there are none in the response.
		a := s.expect(t, "POST", "/trailers", "plain", 200, "plain")
		if len(a.Trailer) != 0 {
			t.Errorf("trailers %v", a.Trailer)
		}
		s.quiet(t)
	})
}

// A client that breaks off its upload is told apart from one that ends it: the
// guest must not take half a body for a whole one.
func TestUploadBreaksOff(t *testing.T) {
	forEachMode(t, func(t *testing.T, m mode) {
		s := serve(t, m, application(t,
			guest{id: "wasi", source: "rust-wasi-http"},
			guest{id: "inbound", source: "rust-inbound-http", route: "/inbound/..."},
			guest{id: "wagi", source: "rust-wagi", route: "/cgi/...", executor: "wagi"},
		))
		for path, component := range map[string]string{"/trailers": "wasi", "/inbound/foo": "inbound", "/cgi/echo": "wagi"} {
			body := io.MultiReader(strings.NewReader("half of the body"), brokenReader{})
			if resp, err := s.send(t.Context(), "POST", path, body); err == nil {
				// The guest may have answered, with an error of its own.
				if resp.StatusCode == 200 {
					t.Errorf("%s: half a body is answered with 200", path)
				}
				resp.Body.Close()
				s.noGuests(t)
				s.logs.TakeAll()
				continue
			}
			eventually(t, path+": the request to end", func() bool {
				for _, e := range s.logs.All() {
					if f := e.ContextMap(); f["component"] == component && f["kind"] == "client-gone" {
						return true
					}
				}
				return component == "wasi" && !s.busy() // it answers 400, to nobody
			})
			s.quiet(t)
		}
	})
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("the client gives up") }
