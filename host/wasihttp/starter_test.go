package wasihttp

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/minispin/minispin/host/wasi/io"
	"github.com/minispin/minispin/wit/bindings/wasi/http/types"
	"github.com/minispin/minispin/wit/value"
)

// starter is a Starter whose requests are all begun without waiting.
type starter struct {
	receive func(*http.Request) (*http.Response, error)
	started int
}

func (s *starter) Send(*http.Request, Timeouts) (*http.Response, error) {
	return nil, code(types.ErrorCodeConfigurationError)
}

func (s *starter) Start(r *http.Request, _ Timeouts) func() (*http.Response, error) {
	if s.receive == nil {
		return nil
	}
	s.started++
	return func() (*http.Response, error) { return s.receive(r) }
}

func answers(text string) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(text))}, nil
	}
}

func begin(t *testing.T, s *starter, ctx context.Context) *futureResponse {
	t.Helper()
	x := &Ctx{Outgoing: s}
	r := newOutgoing(t, x)
	if err := r.SetAuthority(nil, value.Some("a.example")); err != nil {
		t.Fatal(err)
	}
	f := x.send(ctx, r, Timeouts{})
	t.Cleanup(f.Drop)
	return f
}

// taken returns the outcome of a future that has one.
func taken(t *testing.T, f *futureResponse) error {
	t.Helper()
	got, err := f.Get(nil)
	if err != nil || !got.Set || got.V.IsErr {
		t.Fatalf("get = %v, %v", got, err)
	}
	if got.V.OK.IsErr {
		return got.V.OK.Err
	}
	return nil
}

// TestStarter waits in every way for a response that is received where it is
// waited for.
func TestStarter(t *testing.T) {
	t.Run("block", func(t *testing.T) {
		s := &starter{receive: answers("x")}
		f := begin(t, s, t.Context())
		if got, _ := f.Get(nil); got.Set {
			t.Error("there is a response before anybody waited")
		}
		if err := f.Block(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := taken(t, f); err != nil || s.started != 1 {
			t.Errorf("%v, started %d times", err, s.started)
		}
		if err := f.Block(t.Context()); err != nil {
			t.Errorf("block again: %v", err)
		}
	})
	t.Run("poll among others", func(t *testing.T) {
		f := begin(t, &starter{receive: answers("x")}, t.Context())
		timer := wasiio.NewTimer(time.Minute)
		defer timer.Stop()
		ready, err := wasiio.Poll(t.Context(), []wasiio.Event{timer, f})
		if err != nil || len(ready) != 1 || ready[0] != 1 {
			t.Fatalf("ready %v, %v", ready, err)
		}
		if err := taken(t, f); err != nil {
			t.Error(err)
		}
	})
	t.Run("ask without waiting", func(t *testing.T) {
		f := begin(t, &starter{receive: answers("x")}, t.Context())
		for end := time.Now().Add(10 * time.Second); ; {
			got, err := f.Get(nil)
			if err != nil {
				t.Fatal(err)
			}
			if got.Set {
				break
			}
			if time.Now().After(end) {
				t.Fatal("nothing comes to who only asks")
			}
			time.Sleep(time.Millisecond)
		}
	})
	t.Run("failure", func(t *testing.T) {
		f := begin(t, &starter{receive: func(*http.Request) (*http.Response, error) { return nil, code(types.ErrorCodeLoopDetected) }}, t.Context())
		if err := f.Block(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := taken(t, f); caseOf(err) != types.ErrorCodeLoopDetected {
			t.Errorf("got %v", err)
		}
	})
	t.Run("panic", func(t *testing.T) {
		f := begin(t, &starter{receive: func(*http.Request) (*http.Response, error) { panic("as asked") }}, t.Context())
		if err := f.Block(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := taken(t, f); caseOf(err) != types.ErrorCodeInternalError {
			t.Errorf("got %v", err)
		}
	})
	t.Run("the guest ends", func(t *testing.T) {
		over := errors.New("over")
		ctx, cancel := context.WithCancelCause(t.Context())
		f := begin(t, &starter{receive: func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, context.Cause(r.Context())
		}}, ctx)
		time.AfterFunc(10*time.Millisecond, func() { cancel(over) })
		if err := f.Block(ctx); err != over {
			t.Errorf("block = %v", err)
		}
	})
	t.Run("dropped", func(t *testing.T) {
		var sent *http.Request
		s := &starter{}
		s.receive = func(r *http.Request) (*http.Response, error) { sent = r; return nil, io.EOF }
		f := begin(t, s, t.Context())
		receive := f.receive
		f.Drop()
		_, _ = receive()
		if sent.Context().Err() == nil {
			t.Error("the request goes on without its future")
		}
	})
	t.Run("not begun", func(t *testing.T) {
		f := begin(t, &starter{}, t.Context())
		if err := f.Block(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := taken(t, f); caseOf(err) != types.ErrorCodeConfigurationError {
			t.Errorf("got %v, want the outcome of Send", err)
		}
	})
}

// TestFlusher holds back the head of a response and a short body, no longer than
// twice flushDelay on a machine with nothing else to do, and not because of another exchange whose
// client is slow.
func TestFlusher(t *testing.T) {
	var f flusher
	stuck, due := &exchange{}, &exchange{w: noWriter{}, response: &outgoingResponse{status: 204, fields: &Fields{}}}
	stuck.mu.Lock()
	stuck.armed, stuck.queued = time.Now(), true
	f.add(stuck)
	due.mu.Lock()
	due.armed, due.queued, due.pending = time.Now(), true, 1
	f.add(due)
	due.mu.Unlock()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		due.mu.Lock()
		sent := due.sent
		due.mu.Unlock()
		if sent {
			break
		}
		if time.Now().After(end) {
			t.Fatal("nothing was sent")
		}
	}
	stuck.armed = time.Time{} // nothing is left to do
	stuck.mu.Unlock()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		f.mu.Lock()
		idle := !f.ticking && len(f.waiting) == 0
		f.mu.Unlock()
		if idle {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the timer goes on with nothing to wait for")
		}
	}
}

type noWriter struct{}

func (noWriter) Header() http.Header         { return http.Header{} }
func (noWriter) Write(p []byte) (int, error) { return len(p), nil }
func (noWriter) WriteHeader(int)             {}
