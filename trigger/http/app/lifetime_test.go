package app

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/minispin/minispin/internal/cwasm"
	httptrigger "github.com/minispin/minispin/trigger/http"
)

// get sends a request to the handler without a socket, so that the server's end
// does not come first.
func (s *site) get(t *testing.T) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	s.app.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/", nil))
	return w
}

func TestCloseEndsGuests(t *testing.T) {
	forEachMode(t, func(t *testing.T, m mode) {
		s := serveText(t, m, textGuest{handle: "(call $answer) " + endless}, "")
		for range 3 {
			s.expect(t, "GET", "/", "", 200, "")
		}
		if !s.busy() {
			t.Fatal("no guest goes on after its response")
		}
		start := time.Now()
		s.app.Close()
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("closing took %v", took)
		}
		if n := cwasm.LiveStores(); n != 0 {
			t.Errorf("%d instances are left", n)
		}
		eventually(t, "the log to say so of each guest", func() bool {
			return s.logs.FilterField(kindField(httptrigger.KindOverload)).Len() == 3
		})
		if w := s.get(t); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("after Close: %d %v", w.Code, w.Header())
		}
	})
}

// busy is some hundred milliseconds of work.
const busy = "(loop $l (global.set $n (i32.add (global.get $n) (i32.const 1))) (br_if $l (i32.lt_u (global.get $n) (i32.const 300000000))))"

func TestShutdownWaitsForGuests(t *testing.T) {
	forEachMode(t, func(t *testing.T, m mode) {
		finished := make(chan struct{}, 1)
		s := serveText(t, m, textGuest{handle: "(call $answer) " + busy + " (call $fault)", fault: func() { finished <- struct{}{} }}, "")
		s.expect(t, "GET", "/", "", 200, "")
		if err := s.app.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		select {
		case <-finished:
		default:
			t.Error("the guest was not waited for")
		}
		s.quiet(t)
	})
}

func TestShutdownLosesPatience(t *testing.T) {
	forEachMode(t, func(t *testing.T, m mode) {
		s := serveText(t, m, textGuest{handle: "(call $answer) " + endless}, "")
		s.expect(t, "GET", "/", "", 200, "")
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if err := s.app.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if n := cwasm.LiveStores(); n != 0 {
			t.Errorf("%d instances are left", n)
		}
	})
}
