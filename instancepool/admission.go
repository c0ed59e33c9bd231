package instancepool

import (
	"context"
	"errors"
	"sync/atomic"
)

// ErrOverloaded is returned when as many requests wait as may, or when the
// engine has no room for one more instance.
var ErrOverloaded = errors.New("too many requests are waiting for an instance")

// admission lets a bounded number of requests run and a bounded number wait for
// their turn.
type admission struct {
	permits chan struct{}
	// slots are the instances that the engine has room for; other pools take
	// from them, too. Nil when the engine sets no bound.
	slots   chan struct{}
	queue   int64
	waiting atomic.Int64
	closed  <-chan struct{} // ends all waiting
}

func newAdmission(running, queue int, slots chan struct{}, closed <-chan struct{}) *admission {
	return &admission{permits: make(chan struct{}, running), slots: slots, queue: int64(max(queue, 0)), closed: closed}
}

// enter waits for a permit, and for a slot after it, never the other way round:
// who waits for a permit keeps nothing from other pools. It fails with
// ErrOverloaded at once when the queue is full, with ctx's cause when that ends
// first, and with ErrClosed.
func (a *admission) enter(ctx context.Context) error {
	if a.tryEnter() {
		return nil
	}
	if a.waiting.Add(1) > a.queue {
		a.waiting.Add(-1)
		return ErrOverloaded
	}
	defer a.waiting.Add(-1)
	if err := a.take(ctx, a.permits); err != nil {
		return err
	}
	if a.slots == nil {
		return nil
	}
	if err := a.take(ctx, a.slots); err != nil {
		<-a.permits
		return err
	}
	return nil
}

func (a *admission) tryEnter() bool {
	select {
	case a.permits <- struct{}{}:
	default:
		return false
	}
	if a.slots == nil {
		return true
	}
	select {
	case a.slots <- struct{}{}:
		return true
	default:
		<-a.permits
		return false
	}
}

func (a *admission) take(ctx context.Context, ch chan<- struct{}) error {
	select {
	case ch <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-a.closed:
		return ErrClosed
	}
}

func (a *admission) leave() {
	if a.slots != nil {
		<-a.slots
	}
	<-a.permits
}
