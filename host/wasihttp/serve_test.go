package wasihttp

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host/wasi/io"
	"github.com/minispin/minispin/wit/bindings/wasi/http/types"
	"github.com/minispin/minispin/wit/value"
)

// goGuest is a guest written in Go: it uses the resources as the bindings would,
// in the place of handle.
func goGuest(f func(ctx context.Context, x *Ctx)) startFunc {
	return func(s *state, ctx context.Context, _ Handle) error {
		f(ctx, &s.http)
		return s.http.exchange.outcomeOf(nil)
	}
}

// reply is a response of a Go guest in the making.
type reply struct {
	t    testing.TB
	ctx  context.Context
	x    *Ctx
	resp *outgoingResponse
	body *outgoingBody
}

func newReply(t testing.TB, ctx context.Context, x *Ctx, fields ...string) *reply {
	h := host{x}
	f, err := h.FieldsFromList(nil, entriesOf(fields...))
	if err != nil {
		t.Error(err)
	}
	r, err := h.NewOutgoingResponse(nil, f)
	if err != nil {
		t.Error(err)
	}
	return &reply{t: t, ctx: ctx, x: x, resp: r.(*outgoingResponse)}
}

func (r *reply) open() *reply {
	b, err := r.resp.Body(nil)
	if err != nil {
		r.t.Errorf("body: %v", err)
		return r
	}
	r.body = b.(*outgoingBody)
	return r
}

// give sets the outparam, as ResponseOutparamSet does.
func (r *reply) give() *reply {
	e := &r.x.exchange
	e.conn.enter(r.ctx)
	e.respond(r.resp)
	if r.body != nil {
		_ = r.resp.held.moveTo(r.ctx, r.body, e)
	}
	return r
}

func (r *reply) write(s string) error { return bodySink{r.body}.Write(r.ctx, []byte(s)) }
func (r *reply) flush() error         { return bodySink{r.body}.Flush(r.ctx) }

func caseOf(err error) types.ErrorCodeCase {
	c, _ := errors.AsType[types.ErrorCode](err)
	return c.Case
}

func TestResponses(t *testing.T) {
	tests := []struct {
		name   string
		method string
		guest  func(t *testing.T, ctx context.Context, x *Ctx)
		status int
		body   string
		length int64 // as the client sees it over HTTP/1.1
		fields map[string]string
	}{
		{"no body", "GET", func(t *testing.T, ctx context.Context, x *Ctx) {
			newReply(t, ctx, x, "x-a", "1", "x-a", "2").give()
		}, 200, "", 0, map[string]string{"X-A": "1,2"}},
		{"empty body", "GET", func(t *testing.T, ctx context.Context, x *Ctx) {
			r := newReply(t, ctx, x).open().give()
			if err := r.body.finish(nil); err != nil {
				t.Error(err)
			}
		}, 200, "", 0, nil},
		{"chunked body", "GET", func(t *testing.T, ctx context.Context, x *Ctx) {
			r := newReply(t, ctx, x).open().give()
			r.write("abc")
			r.body.finish(nil)
		}, 200, "abc", -1, nil},
		{"declared length", "GET", func(t *testing.T, ctx context.Context, x *Ctx) {
			r := newReply(t, ctx, x, "content-length", "3", "content-length", "3", "content-type", "a/b").open().give()
			r.write("abc")
			r.body.finish(nil)
		}, 200, "abc", 3, map[string]string{"Content-Length": "3", "Content-Type": "a/b"}},
		{"dropped, but as long as declared", "GET", func(t *testing.T, ctx context.Context, x *Ctx) {
			r := newReply(t, ctx, x, "content-length", "3").open().give()
			r.write("abc")
			r.body.Drop()
		}, 200, "abc", 3, nil},
		{"written and finished before it is given", "GET", func(t *testing.T, ctx context.Context, x *Ctx) {
			r := newReply(t, ctx, x).open()
			r.write("abc")
			r.flush()
			if err := r.body.finish([]Field{{"x-t", "v"}}); err != nil {
				t.Error(err)
			}
			r.give()
		}, 200, "abc", -1, nil},
		{"head", "HEAD", func(t *testing.T, ctx context.Context, x *Ctx) {
			newReply(t, ctx, x, "content-length", "10").give()
		}, 200, "", 10, nil},
		{"head with a body", "HEAD", func(t *testing.T, ctx context.Context, x *Ctx) {
			r := newReply(t, ctx, x, "content-length", "10").open().give()
			if err := r.body.finish(nil); err != nil {
				t.Error(err)
			}
		}, 200, "", 10, nil},
		{"no content", "GET", func(t *testing.T, ctx context.Context, x *Ctx) {
			r := newReply(t, ctx, x)
			if err := r.resp.SetStatusCode(nil, 204); err != nil {
				t.Error(err)
			}
			r.open().give()
			if err := r.write("not to be sent"); err != nil {
				t.Error(err)
			}
			r.body.finish(nil)
		}, 204, "", 0, nil},
		{"not modified", "GET", func(t *testing.T, ctx context.Context, x *Ctx) {
			r := newReply(t, ctx, x, "etag", "x")
			r.resp.SetStatusCode(nil, 304)
			r.give()
		}, 304, "", 0, map[string]string{"Etag": "x"}},
		{"unusual status", "GET", func(t *testing.T, ctx context.Context, x *Ctx) {
			r := newReply(t, ctx, x)
			r.resp.SetStatusCode(nil, 999)
			r.give()
		}, 999, "", 0, nil},
	}
	forEachMode(t, func(t *testing.T, mode string) {
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				s := newSite(t, mode, goGuest(func(ctx context.Context, x *Ctx) { test.guest(t, ctx, x) }))
				resp, body, err := s.do(t, test.method, "/", "")
				if err != nil {
					t.Fatal(err)
				}
				if err := wait(t, "Serve", s.outcomes); err != nil {
					t.Errorf("Serve returned %v", err)
				}
				if resp.StatusCode != test.status || body != test.body {
					t.Errorf("got %d %q, want %d %q", resp.StatusCode, body, test.status, test.body)
				}
				if mode == "h1" && resp.ContentLength != test.length {
					t.Errorf("content length %d, want %d", resp.ContentLength, test.length)
				}
				for name, want := range test.fields {
					if got := strings.Join(resp.Header[name], ","); got != want {
						t.Errorf("%s: %q, want %q", name, got, want)
					}
				}
				if _, ok := resp.Header["Content-Type"]; ok && test.fields["Content-Type"] == "" {
					t.Errorf("a content type was guessed: %q", resp.Header["Content-Type"])
				}
			})
		}
	})
}

func TestResponsesThatFail(t *testing.T) {
	tests := []struct {
		name  string
		guest func(t *testing.T, ctx context.Context, x *Ctx)
		is    func(err error) bool
	}{
		{"nothing", func(*testing.T, context.Context, *Ctx) {}, func(err error) bool { return err == ErrNoResponse }},
		{"outparam dropped", func(t *testing.T, ctx context.Context, x *Ctx) { x.exchange.outparam.Drop() },
			func(err error) bool { return err == ErrNoResponse }},
		{"body dropped", func(t *testing.T, ctx context.Context, x *Ctx) {
			r := newReply(t, ctx, x).open().give()
			r.write("abc")
			r.body.Drop()
		}, func(err error) bool { return errors.Is(err, errCutOff) }},
		{"body dropped before it is given", func(t *testing.T, ctx context.Context, x *Ctx) {
			r := newReply(t, ctx, x).open()
			r.body.Drop()
			r.give()
		}, func(err error) bool { return errors.Is(err, errCutOff) }},
		{"body left", func(t *testing.T, ctx context.Context, x *Ctx) { newReply(t, ctx, x).open().give() },
			func(err error) bool { return errors.Is(err, errUnfinished) }},
		{"too short", func(t *testing.T, ctx context.Context, x *Ctx) {
			r := newReply(t, ctx, x, "content-length", "4").open().give()
			r.write("abc")
			err := r.body.finish(nil)
			if c, _ := errors.AsType[types.ErrorCode](err); c.HTTPResponseBodySize != value.Some(uint64(3)) {
				t.Errorf("finish = %v", err)
			}
		}, func(err error) bool { return caseOf(err) == types.ErrorCodeHTTPResponseBodySize }},
		{"too long", func(t *testing.T, ctx context.Context, x *Ctx) {
			r := newReply(t, ctx, x, "content-length", "4").open().give()
			r.write("abc")
			if err := r.write("de"); caseOf(err) != types.ErrorCodeHTTPResponseBodySize {
				t.Errorf("write = %v", err)
			}
			if err := r.write("f"); err == nil {
				t.Error("a broken body takes more")
			}
			if err := r.body.finish(nil); caseOf(err) != types.ErrorCodeHTTPResponseBodySize {
				t.Errorf("finish = %v", err)
			}
		}, func(err error) bool { return caseOf(err) == types.ErrorCodeHTTPResponseBodySize }},
		{"length without a body", func(t *testing.T, ctx context.Context, x *Ctx) {
			newReply(t, ctx, x, "content-length", "4").give()
		}, func(err error) bool { return caseOf(err) == types.ErrorCodeHTTPResponseBodySize }},
		{"two lengths", func(t *testing.T, ctx context.Context, x *Ctx) {
			r := newReply(t, ctx, x, "content-length", "4", "content-length", "5")
			if _, err := r.resp.Body(nil); err != value.Failed {
				t.Errorf("body = %v", err)
			}
			r.give()
		}, func(err error) bool { return caseOf(err) == types.ErrorCodeInternalError }},
		{"trailer that is none", func(t *testing.T, ctx context.Context, x *Ctx) {
			r := newReply(t, ctx, x).open().give()
			if err := r.body.finish([]Field{{"content-length", "1"}}); caseOf(err) != types.ErrorCodeInternalError {
				t.Errorf("finish = %v", err)
			}
		}, func(err error) bool { return caseOf(err) == types.ErrorCodeInternalError }},
		{"panic", func(*testing.T, context.Context, *Ctx) { panic("as asked") }, func(err error) bool {
			p, ok := errors.AsType[*component.PanicError](err)
			return ok && p.Value == "as asked"
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t, "h1", goGuest(func(ctx context.Context, x *Ctx) { test.guest(t, ctx, x) }))
			if resp, body, err := s.do(t, "GET", "/", ""); err == nil && (resp.StatusCode != 500 || body != "") {
				t.Errorf("the client got %d %q", resp.StatusCode, body)
			}
			if err := wait(t, "Serve", s.outcomes); !test.is(err) {
				t.Errorf("Serve returned %v", err)
			}
		})
	}
}

func TestSetStatusCode(t *testing.T) {
	r := newReply(t, t.Context(), &Ctx{}).resp
	for status, ok := range map[uint16]bool{0: false, 99: false, 100: false, 103: false, 199: false, 200: true, 404: true, 600: true, 999: true, 1000: false, 65535: false} {
		if err := r.SetStatusCode(nil, status); (err == nil) != ok {
			t.Errorf("set-status-code(%d) = %v", status, err)
		}
	}
}

func TestTakenOnce(t *testing.T) {
	x := &Ctx{}
	r := newReply(t, t.Context(), x).open()
	if _, err := r.resp.Body(nil); err != value.Failed {
		t.Errorf("second body: %v", err)
	}
	stream, err := r.body.Write(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.body.Write(nil); err != value.Failed {
		t.Errorf("second write: %v", err)
	}
	if err := (host{x}).OutgoingBodyFinish(nil, r.body, value.None[types.Trailers]()); err == nil {
		t.Error("a body can be finished while its stream is alive")
	} else if _, ok := err.(types.ErrorCode); ok {
		t.Errorf("finish with a living stream is no trap: %v", err)
	}
	stream.Drop()
	if err := (host{x}).OutgoingBodyFinish(nil, r.body, value.None[types.Trailers]()); err != nil {
		t.Error(err)
	}
	var req incomingRequest
	if _, err := req.Consume(nil); err != nil {
		t.Error(err)
	}
	if _, err := req.Consume(nil); err != value.Failed {
		t.Errorf("second consume: %v", err)
	}
}

func TestTooManyBodies(t *testing.T) {
	x := &Ctx{}
	var last *reply
	for range MaxOutgoingBodies {
		last = newReply(t, t.Context(), x).open()
	}
	if _, err := newReply(t, t.Context(), x).resp.Body(nil); err == nil || err == value.Failed {
		t.Errorf("one body too many: %v", err)
	}
	last.body.Drop()
	newReply(t, t.Context(), x).open()
}

// TestWorkAfterTheResponse has a guest go on when its response is complete, and
// fail then.
func TestWorkAfterTheResponse(t *testing.T) {
	forEachMode(t, func(t *testing.T, mode string) {
		release := make(chan struct{})
		failure := errors.New("too late to matter")
		s := newSite(t, mode, func(st *state, ctx context.Context, _ Handle) error {
			newReply(t, ctx, &st.http).give()
			<-release
			if err := ctx.Err(); err != nil {
				t.Errorf("the guest was ended: %v", err)
			}
			if _, err := st.http.exchange.request.body.source.Read(make([]byte, 1)); caseOf(err) != types.ErrorCodeConnectionTerminated {
				t.Errorf("the request's body can be read: %v", err)
			}
			return failure
		})
		pr, pw := io.Pipe()
		req, _ := http.NewRequestWithContext(t.Context(), "POST", s.url, pr)
		go func() {
			pw.Write([]byte("abc"))
			pw.Close()
		}()
		resp, err := s.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if err := wait(t, "Serve", s.outcomes); err != nil {
			t.Error(err)
		}
		time.Sleep(10 * time.Millisecond) // for a wrong end of the context to arrive
		close(release)
		if err := wait(t, "the late failure", s.late); err != failure {
			t.Errorf("reported %v", err)
		}
	})
}

// TestHeadLeavesByItself sees that a guest need not flush.
func TestHeadLeavesByItself(t *testing.T) {
	forEachMode(t, func(t *testing.T, mode string) {
		release := make(chan struct{})
		s := newSite(t, mode, goGuest(func(ctx context.Context, x *Ctx) {
			r := newReply(t, ctx, x).open().give()
			r.write("abc")
			<-release
			r.body.finish(nil)
		}))
		req, _ := http.NewRequestWithContext(t.Context(), "GET", s.url, nil)
		resp, err := s.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		buf := make([]byte, 3)
		if _, err := io.ReadFull(resp.Body, buf); err != nil || string(buf) != "abc" {
			t.Errorf("%q, %v", buf, err)
		}
		close(release)
	})
}

// TestFlushedBytesReachTheClient sees that what was flushed is not taken back
// when the guest fails at once.
func TestFlushedBytesReachTheClient(t *testing.T) {
	forEachMode(t, func(t *testing.T, mode string) {
		s := newSite(t, mode, goGuest(func(ctx context.Context, x *Ctx) {
			r := newReply(t, ctx, x).open().give()
			r.write("abc")
			r.flush()
			r.body.Drop()
		}))
		resp, body, err := s.do(t, "GET", "/", "")
		if err == nil || body != "abc" {
			t.Errorf("got %v %q %v, want abc and an error", resp, body, err)
		}
	})
}

// TestUnreadBody sees that a connection survives a guest that leaves some of the
// request's body unread, or is closed in good order.
func TestUnreadBody(t *testing.T) {
	for name, size := range map[string]int{"small": 100, "large": 4 << 20} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "h1", goGuest(func(ctx context.Context, x *Ctx) {
				if _, err := x.exchange.request.body.source.Read(make([]byte, 10)); err != nil {
					t.Error(err)
				}
				newReply(t, ctx, x).give()
			}))
			for range 3 {
				req, _ := http.NewRequestWithContext(t.Context(), "POST", s.url, io.MultiReader(strings.NewReader(strings.Repeat("x", size))))
				resp, _, err := s.send(t, req)
				if size > drainBytes && (errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)) {
					continue // closed, and noticed while the client was still sending
				}
				if err != nil {
					t.Fatal(err)
				}
				if closed := size > drainBytes; resp.Close != closed {
					t.Errorf("connection: close is %t, want %t", resp.Close, closed)
				}
			}
		})
	}
}

// TestReadAheadWhenTheResponseIsComplete has a read of the request's body in
// progress that nobody waits for any more.
func TestReadAheadWhenTheResponseIsComplete(t *testing.T) {
	forEachMode(t, func(t *testing.T, mode string) {
		s := newSite(t, mode, goGuest(func(ctx context.Context, x *Ctx) {
			x.exchange.conn.enter(ctx)
			body := wasiio.NewInputStream(&x.exchange.request.body.source, wasiio.InputOptions{Blocking: wasiio.EndsWithContext})
			body.Event().Ready() // starts to read
			newReply(t, ctx, x).give()
		}))
		pr, pw := io.Pipe()
		defer pw.Close()
		req, _ := http.NewRequestWithContext(t.Context(), "POST", s.url, pr)
		resp, err := s.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if err := wait(t, "Serve", s.outcomes); err != nil {
			t.Error(err)
		}
		if mode == "h1" && !resp.Close {
			t.Error("the client was not told that the connection is at its end")
		}
		pw.Close()
		if resp, _, err := s.do(t, "POST", "/", "x"); err != nil || resp.StatusCode != 200 {
			t.Errorf("the request after it: %v %v", resp, err)
		}
	})
}

func TestInstanceThatCannotBeHad(t *testing.T) {
	full := errors.New("no room")
	s := newSite(t, "h1", func(*state, context.Context, Handle) error { return full })
	if resp, _, err := s.do(t, "GET", "/", ""); err != nil || resp.StatusCode != 500 {
		t.Errorf("%v %v", resp, err)
	}
	if err := wait(t, "Serve", s.outcomes); err != full {
		t.Errorf("Serve returned %v", err)
	}
}
