package instancepool

import (
	"context"
	"errors"
	"sync"
)

// ErrClosed is the error of a request that the pool's Close turned away or
// ended.
var ErrClosed = errors.New("the component is closed")

// run is one request that has been admitted.
type run struct {
	cancel     context.CancelFunc
	ended      bool // by close; settled once the run has left the list
	prev, next *run
}

// runs are the requests under way, so that closing a pool can end them and wait
// for them. A list through the runs themselves costs a request no allocation.
type runs struct {
	mu     sync.Mutex
	first  *run
	closed chan struct{}
	idle   chan struct{} // closed when the last run ends; nil while nobody waits
}

// begin adds r, unless the runs are closed.
func (l *runs) begin(r *run) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isClosed() {
		return false
	}
	if r.next = l.first; r.next != nil {
		r.next.prev = r
	}
	l.first = r
	return true
}

// end removes r.
func (l *runs) end(r *run) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.prev != nil {
		r.prev.next = r.next
	} else {
		l.first = r.next
	}
	if r.next != nil {
		r.next.prev = r.prev
	}
	if l.first == nil && l.idle != nil {
		close(l.idle)
		l.idle = nil
	}
}

// close lets nothing begin any more and cancels what has begun.
func (l *runs) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.isClosed() {
		close(l.closed)
	}
	for r := l.first; r != nil; r = r.next {
		r.ended = true
		r.cancel()
	}
}

// wait returns when nothing runs, or with ctx's cause when that ends first.
func (l *runs) wait(ctx context.Context) error {
	l.mu.Lock()
	if l.first == nil {
		l.mu.Unlock()
		return nil
	}
	if l.idle == nil {
		l.idle = make(chan struct{})
	}
	idle := l.idle
	l.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (l *runs) isClosed() bool {
	select {
	case <-l.closed:
		return true
	default:
		return false
	}
}
