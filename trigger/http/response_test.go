package httptrigger

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestResponseFraming(t *testing.T) {
	write := func(parts ...string) func(w http.ResponseWriter, r *Request) error {
		return func(w http.ResponseWriter, r *Request) error {
			for _, p := range parts {
				if p == "" {
					if err := http.NewResponseController(w).Flush(); err != nil {
						return err
					}
				} else if _, err := io.WriteString(w, p); err != nil {
					return err
				}
			}
			return nil
		}
	}
	tests := []struct {
		name    string
		method  string
		execute func(w http.ResponseWriter, r *Request) error
		status  int
		header  http.Header // besides framing
		length  int64
		body    string
		http1   bool // the length is as given over HTTP/1.1 only
	}{
		{"nothing at all", "GET", write(), 200, nil, 0, "", false},
		{"short body without a length", "GET", write("<html>"), 200, nil, -1, "<html>", true},
		{"flush before the body", "GET", write("", "a", "", "b"), 200, nil, -1, "ab", false},
		{"only a flush", "GET", write(""), 200, nil, -1, "", false},
		{"length by the guest", "GET", func(w http.ResponseWriter, r *Request) error {
			w.Header().Set("Content-Length", "2")
			w.Header().Set("content-type", "a/b")
			w.WriteHeader(201)
			return write("ab")(w, r)
		}, 201, http.Header{"Content-Type": {"a/b"}}, 2, "ab", false},
		{"first status counts", "GET", func(w http.ResponseWriter, r *Request) error {
			w.WriteHeader(202)
			w.WriteHeader(203)
			return nil
		}, 202, nil, 0, "", false},
		{"status without a body", "GET", func(w http.ResponseWriter, r *Request) error {
			w.WriteHeader(204)
			return write("dropped")(w, r)
		}, 204, nil, 0, "", false},
		{"not modified", "GET", func(w http.ResponseWriter, r *Request) error {
			w.Header().Set("Etag", `"x"`)
			w.WriteHeader(304)
			return write("dropped")(w, r)
		}, 304, http.Header{"Etag": {`"x"`}}, 0, "", false},
		{"head", "HEAD", func(w http.ResponseWriter, r *Request) error {
			w.Header().Set("Content-Length", "7")
			return write("dropped")(w, r)
		}, 200, nil, 7, "", false},
		{"head without a length", "HEAD", write("dropped"), 200, nil, -1, "", true},
		{"hints first", "GET", func(w http.ResponseWriter, r *Request) error {
			w.Header().Set("Link", "</a>")
			w.WriteHeader(http.StatusEarlyHints)
			return write("x")(w, r)
		}, 200, http.Header{"Link": {"</a>"}}, -1, "x", true},
		{"deleted content type", "GET", func(w http.ResponseWriter, r *Request) error {
			w.Header().Set("Content-Type", "a/b")
			w.Header().Del("Content-Type")
			return write("<html>")(w, r)
		}, 200, nil, -1, "<html>", true},
		{"large body", "GET", func(w http.ResponseWriter, r *Request) error {
			return write(strings.Repeat("x", 300<<10))(w, r)
		}, 200, nil, -1, strings.Repeat("x", 300<<10), false},
	}
	forEachMode(t, func(t *testing.T, mode string) {
		for _, c := range tests {
			t.Run(c.name, func(t *testing.T) {
				s := newSite(t, mode, Options{}, ServerOptions{}, exec("/...", c.execute))
				resp, body := s.get(t, c.method, "/")
				if resp.StatusCode != c.status || body != c.body {
					t.Errorf("%d %.80q", resp.StatusCode, body)
				}
				if resp.ContentLength != c.length && (mode == "h1" || !c.http1) {
					t.Errorf("content length %d, want %d", resp.ContentLength, c.length)
				}
				if mode == "h1" && c.body != "" && c.length < 0 && !slices.Equal(resp.TransferEncoding, []string{"chunked"}) {
					t.Errorf("transfer encoding %q", resp.TransferEncoding)
				}
				delete(resp.Header, "Date")
				delete(resp.Header, "Content-Length")
				want := c.header
				if want == nil {
					want = http.Header{}
				}
				if d := cmp.Diff(want, resp.Header); d != "" {
					t.Errorf("headers (-want +got):\n%s", d)
				}
			})
		}
	})
}

func TestStreaming(t *testing.T) {
	forEachMode(t, func(t *testing.T, mode string) {
		s := newSite(t, mode, Options{}, ServerOptions{}, exec("/...", func(w http.ResponseWriter, r *Request) error {
			rc := http.NewResponseController(w)
			w.Header().Set("Trailer", "X-Sum")
			if err := rc.Flush(); err != nil {
				return err
			}
			n := 0
			buf := make([]byte, 64)
			for {
				m, err := r.Body.Read(buf)
				n += m
				if _, err := w.Write(bytes.ToUpper(buf[:m])); err != nil {
					return err
				}
				if err := rc.Flush(); err != nil {
					return err
				}
				if err == io.EOF {
					w.Header().Set("X-Sum", strings.Repeat("i", n))
					return nil
				}
				if err != nil {
					return err
				}
			}
		}))
		body, bw := io.Pipe()
		req, err := http.NewRequestWithContext(t.Context(), "POST", s.base+"/", body)
		if err != nil {
			t.Fatal(err)
		}
		// The head arrives before any of the body is sent, and every piece
		// comes back before the next one is.
		resp, err := s.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		for _, piece := range []string{"ab", "cd"} {
			io.WriteString(bw, piece)
			got := make([]byte, 2)
			if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != strings.ToUpper(piece) {
				t.Fatalf("%q, %v", got, err)
			}
		}
		bw.Close()
		if rest, err := io.ReadAll(resp.Body); err != nil || len(rest) > 0 {
			t.Errorf("%q, %v", rest, err)
		}
		if sum := resp.Trailer.Get("X-Sum"); sum != "iiii" {
			t.Errorf("trailer %q", sum)
		}
	})
}

func TestGuestWritesMoreThanAnnounced(t *testing.T) {
	forEachMode(t, func(t *testing.T, mode string) {
		s := newSite(t, mode, Options{}, ServerOptions{}, exec("/...", func(w http.ResponseWriter, r *Request) error {
			w.Header().Set("Content-Length", "2")
			_, err := io.WriteString(w, "abcd")
			return err
		}))
		if _, body, err := s.do(t, "GET", "/", ""); err == nil && len(body) > 2 {
			t.Errorf("the client got %q", body)
		}
	})
}

func TestGuestWritesLessThanAnnounced(t *testing.T) {
	forEachMode(t, func(t *testing.T, mode string) {
		s := newSite(t, mode, Options{}, ServerOptions{}, exec("/...", func(w http.ResponseWriter, r *Request) error {
			w.Header().Set("Content-Length", "10")
			_, err := io.WriteString(w, "abcd")
			return err
		}))
		if _, body, err := s.do(t, "GET", "/", ""); err == nil {
			t.Errorf("the client takes %q for complete", body)
		}
	})
}
