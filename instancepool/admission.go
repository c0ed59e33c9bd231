package instancepool

import (
	"context"
	"errors"
	"sync/atomic"
)

// ErrOverloaded is returned when as many requests wait as may.
var ErrOverloaded = errors.New("too many requests are waiting for an instance")

// admission lets a bounded number of requests run and a bounded number wait for
// their turn.
type admission struct {
	permits chan struct{}
	queue   int64
	waiting atomic.Int64
}

func newAdmission(running, queue int) *admission {
	return &admission{permits: make(chan struct{}, running), queue: int64(queue)}
}

// enter waits for a permit. It fails with ErrOverloaded at once when the queue
// is full, and with ctx's cause when that ends first.
func (a *admission) enter(ctx context.Context) error {
	select {
	case a.permits <- struct{}{}:
		return nil
	default:
	}
	if a.waiting.Add(1) > a.queue {
		a.waiting.Add(-1)
		return ErrOverloaded
	}
	defer a.waiting.Add(-1)
	select {
	case a.permits <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (a *admission) leave() { <-a.permits }
