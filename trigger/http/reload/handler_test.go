package reload

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a generation that knows whether it is used after its end.
type fake struct {
	name  string
	block chan struct{} // if not nil, requests wait for it
	began chan struct{}

	over     atomic.Bool
	shutdown chan struct{}
	late     atomic.Int64 // requests after the end
	err      error
}

func newFake(name string) *fake {
	return &fake{name: name, began: make(chan struct{}, 100), shutdown: make(chan struct{})}
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f.block != nil {
		f.began <- struct{}{}
		<-f.block
	}
	if f.over.Load() {
		f.late.Add(1)
	}
	_, _ = w.Write([]byte(f.name))
}

func (f *fake) Shutdown(ctx context.Context) error {
	f.over.Store(true)
	close(f.shutdown)
	return f.err
}

func get(h http.Handler) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	return w
}

func TestWithoutAGeneration(t *testing.T) {
	var h Handler
	if w := get(&h); w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("before the first generation: %d %v", w.Code, w.Header())
	}
	if h.Current() != nil {
		t.Error("there is a current generation")
	}
	a := newFake("a")
	h.Swap(a)
	if w := get(&h); w.Body.String() != "a" || h.Current() != App(a) {
		t.Errorf("got %q", w.Body)
	}
	h.Close(t.Context())
	if !a.over.Load() {
		t.Error("Close has not shut down the generation")
	}
	if w := get(&h); w.Code != 503 {
		t.Errorf("after Close: %d", w.Code)
	}
	b := newFake("b")
	h.Swap(b)
	<-b.shutdown
	if w := get(&h); w.Code != 503 {
		t.Errorf("a generation given to a closed handler answers: %d", w.Code)
	}
	h.Close(t.Context())
}

func TestRequestsFinishWhereTheyBegan(t *testing.T) {
	var h Handler
	var told error
	h.OnShutdown = func(err error) { told = err }
	a := newFake("a")
	a.block = make(chan struct{})
	a.err = errors.New("not clean")
	h.Swap(a)
	answer := make(chan string)
	go func() { answer <- get(&h).Body.String() }()
	<-a.began
	h.Swap(newFake("b"))
	if got := get(&h).Body.String(); got != "b" {
		t.Errorf("a later request is answered by %q", got)
	}
	select {
	case <-a.shutdown:
		t.Fatal("the old generation was shut down with a request under way")
	case <-time.After(20 * time.Millisecond):
	}
	if n := h.Retiring(); n != 1 {
		t.Errorf("%d generations retire", n)
	}
	close(a.block)
	if got := <-answer; got != "a" {
		t.Errorf("the request was answered by %q", got)
	}
	<-a.shutdown
	h.Close(t.Context())
	if a.late.Load() != 0 || told == nil || h.Retiring() != 0 {
		t.Errorf("late requests %d, error %v, retiring %d", a.late.Load(), told, h.Retiring())
	}
}

func TestCloseLosesPatience(t *testing.T) {
	var h Handler
	a := newFake("a")
	a.block = make(chan struct{})
	h.Swap(a)
	done := make(chan struct{})
	go func() { defer close(done); get(&h) }()
	<-a.began
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	h.Close(ctx)
	<-a.shutdown
	close(a.block)
	<-done
}

func TestOldGenerationsAreBounded(t *testing.T) {
	var h Handler
	first := newFake("first")
	first.block = make(chan struct{})
	h.Swap(first)
	var all sync.WaitGroup
	blocked := []*fake{first}
	for i := range maxRetiring + 1 {
		f := blocked[len(blocked)-1]
		all.Go(func() { get(&h) })
		<-f.began
		f = newFake(strconv.Itoa(i))
		f.block = make(chan struct{})
		blocked = append(blocked, f)
		h.Swap(f)
	}
	<-first.shutdown
	for _, f := range blocked {
		close(f.block)
	}
	all.Wait()
	h.Close(t.Context())
}

func TestPanicsLeaveNoUser(t *testing.T) {
	var h Handler
	h.Swap(panicking{})
	func() {
		defer func() { _ = recover() }()
		get(&h)
	}()
	h.Close(t.Context()) // would wait for ever
}

type panicking struct{}

func (panicking) ServeHTTP(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
func (panicking) Shutdown(context.Context) error               { return nil }

func TestSwapUnderLoad(t *testing.T) {
	var h Handler
	h.Swap(newFake("0"))
	ctx, stop := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for last := 0; ctx.Err() == nil; {
				w := get(&h)
				n, err := strconv.Atoi(w.Body.String())
				if err != nil || n < last {
					t.Errorf("got %q (%d) after %d", w.Body, w.Code, last)
					return
				}
				last = n
			}
		})
	}
	var all []*fake
	for i := range 1000 {
		f := newFake(strconv.Itoa(i + 1))
		all = append(all, f)
		for h.Retiring() >= maxRetiring-1 { // more would be ended
			time.Sleep(time.Millisecond)
		}
		h.Swap(f)
	}
	stop()
	clients.Wait()
	h.Close(t.Context())
	for _, f := range all {
		if !f.over.Load() || f.late.Load() != 0 {
			t.Fatalf("generation %s: over %v, %d requests after", f.name, f.over.Load(), f.late.Load())
		}
	}
}
