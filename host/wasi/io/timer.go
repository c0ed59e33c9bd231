package wasiio

import (
	"context"
	"time"
)

// Timer is the event that a point in time has come. It costs a runtime timer
// while it is waited for, and no goroutine.
type Timer struct {
	at    time.Time
	timer *time.Timer
	done  chan struct{} // closed by timer
}

var _ Signaler = (*Timer)(nil)

// NewTimer returns the event that d has passed from now; it has happened at once
// when d is not positive. Stop frees it.
func NewTimer(d time.Duration) *Timer { return &Timer{at: time.Now().Add(d)} }

// Ready implements Event.
func (t *Timer) Ready() bool { return !time.Now().Before(t.at) }

// Block implements Event.
func (t *Timer) Block(ctx context.Context) error {
	d := time.Until(t.at)
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Signal implements Signaler.
func (t *Timer) Signal() <-chan struct{} {
	if t.done == nil {
		done := make(chan struct{})
		t.done = done
		t.timer = time.AfterFunc(time.Until(t.at), func() { close(done) })
	}
	return t.done
}

// Stop gives the runtime timer back. The event still happens, but a channel
// from Signal may not tell of it.
func (t *Timer) Stop() {
	if t.timer != nil {
		t.timer.Stop()
	}
}
