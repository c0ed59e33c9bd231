package reload

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
)

// App is a generation of an application.
type App interface {
	http.Handler
	// Shutdown waits for what goes on after the last response and frees what the
	// application holds. When ctx ends it waits no longer.
	Shutdown(ctx context.Context) error
}

// maxRetiring is how many generations may be finishing requests beside the
// current one. The oldest is ended when there are more, since each holds memory.
const maxRetiring = 32

// Handler answers requests with the current generation of an application. It
// may be used by several goroutines at once. Before the first Swap, and after
// Close, it answers 503.
type Handler struct {
	current atomic.Pointer[generation]

	// OnShutdown is told of the failure to shut down a generation. It may be
	// nil, and must be set before the first Swap.
	OnShutdown func(error)

	mu       sync.Mutex
	closed   bool
	retiring []*generation // the oldest first
	done     sync.WaitGroup
}

// generation is an application and how many need it.
type generation struct {
	app App
	// users counts the requests under way, and one more while the generation is
	// current. Once it is 0 it stays so.
	users atomic.Int64
	idle  chan struct{} // closed when users is 0

	ctx context.Context // ends when there is no more patience
	end context.CancelFunc
}

// enter makes the caller a user, unless the generation is at its end.
func (g *generation) enter() bool {
	for {
		n := g.users.Load()
		if n == 0 {
			return false
		}
		if g.users.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (g *generation) leave() {
	if g.users.Add(-1) == 0 {
		close(g.idle)
	}
}

// ServeHTTP answers a request with the generation that is current when it
// arrives.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for {
		g := h.current.Load()
		if g == nil {
			w.Header().Set("Retry-After", "1")
			w.Header()["Content-Type"] = nil // an empty entry keeps net/http from guessing one
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if g.enter() {
			defer g.leave() // also when the application panics
			g.app.ServeHTTP(w, r)
			return
		}
		// It was replaced after it was loaded here: the next one is there.
	}
}

// Swap makes app the current generation. The one it replaces finishes the
// requests it has begun and is shut down then, which is not waited for. A closed
// Handler shuts app down at once.
func (h *Handler) Swap(app App) {
	g := &generation{app: app, idle: make(chan struct{})}
	g.ctx, g.end = context.WithCancel(context.Background())
	g.users.Store(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		h.retire(g)
		return
	}
	if old := h.current.Swap(g); old != nil {
		h.retire(old)
	}
}

// retire lets g go; h.mu is held.
func (h *Handler) retire(g *generation) {
	h.retiring = append(h.retiring, g)
	if len(h.retiring) > maxRetiring {
		h.retiring[0].end()
	}
	g.leave() // what made it current
	h.done.Go(func() {
		defer g.end()
		select {
		case <-g.idle:
		case <-g.ctx.Done():
		}
		err := g.app.Shutdown(g.ctx)
		h.mu.Lock()
		for i := range h.retiring {
			if h.retiring[i] == g {
				h.retiring = append(h.retiring[:i], h.retiring[i+1:]...)
				break
			}
		}
		h.mu.Unlock()
		if err != nil && h.OnShutdown != nil {
			h.OnShutdown(err)
		}
	})
}

// Current returns the current generation, nil if there is none.
func (h *Handler) Current() App {
	if g := h.current.Load(); g != nil {
		return g.app
	}
	return nil
}

// Retiring returns how many generations finish their requests.
func (h *Handler) Retiring() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.retiring)
}

// Close shuts down all generations and waits for them. When ctx ends, so does
// their patience with requests under way.
func (h *Handler) Close(ctx context.Context) {
	h.mu.Lock()
	h.closed = true
	if g := h.current.Swap(nil); g != nil {
		h.retire(g)
	}
	for _, g := range h.retiring {
		stop := context.AfterFunc(ctx, g.end)
		defer stop()
	}
	h.mu.Unlock()
	h.done.Wait()
}
