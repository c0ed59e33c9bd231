package wasihttp

import (
	"sync"
	"time"
)

// flusher tells exchanges when to send what they keep back. One timer is there
// for all of them: to set one for each response would wake the thread that waits
// for the network, and nearly all responses are over before it is due.
type flusher struct {
	mu      sync.Mutex
	waiting []*exchange
	timer   *time.Timer // runs while anything waits
	ticking bool
}

var flushes flusher

// add has e told after flushDelay, or up to twice that. The caller holds e.mu.
func (f *flusher) add(e *exchange) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting = append(f.waiting, e)
	f.tickLater()
}

func (f *flusher) tickLater() {
	switch {
	case f.ticking:
		return
	case f.timer == nil:
		f.timer = time.AfterFunc(flushDelay, f.tick)
	default:
		f.timer.Reset(flushDelay)
	}
	f.ticking = true
}

func (f *flusher) tick() {
	f.mu.Lock()
	due := f.waiting
	f.waiting = nil
	f.mu.Unlock()

	now := time.Now()
	later := due[:0]
	for _, e := range due {
		// Who has the lock may be waiting for a client. Nobody else does.
		if !e.mu.TryLock() {
			later = append(later, e)
			continue
		}
		switch {
		case e.armed.IsZero():
			e.queued = false
		case now.Sub(e.armed) < flushDelay:
			later = append(later, e)
		default:
			e.queued = false
			go e.due()
		}
		e.mu.Unlock()
	}
	clear(due[len(later):])

	f.mu.Lock()
	defer f.mu.Unlock()
	f.ticking = false
	if f.waiting = append(later, f.waiting...); len(f.waiting) > 0 {
		f.tickLater()
	}
}
