package instancepool

import (
	"slices"
	"sync"
	"time"
)

// idle keeps instantiations between requests, the one used last on top: it is
// the one whose memory is in the processor's caches, and those at the bottom
// show how many are not needed. What lay at the bottom for a whole period is
// closed, so that a crowd of requests does not leave its memory taken for good.
type idle[T interface{ Close() }] struct {
	period time.Duration // negative: nothing is closed

	mu     sync.Mutex
	free   []T
	least  int         // the fewest there were in this period
	timer  *time.Timer // of the period's end; nil while there is no period
	closed bool

	closing sync.WaitGroup // what sweep has taken out
}

func (l *idle[T]) take() (v T, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.free); n > 0 {
		v, l.free = l.free[n-1], l.free[:n-1]
		l.least = min(l.least, n-1)
		return v, true
	}
	return v, false
}

func (l *idle[T]) put(v T) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.free = append(l.free, v)
	// The last one stays, and so a load of one request at a time needs no timer.
	if len(l.free) > 1 && l.timer == nil && l.period > 0 {
		l.least = len(l.free)
		l.timer = time.AfterFunc(l.period, l.sweep)
	}
}

// sweep ends a period: what was not needed in it is closed.
func (l *idle[T]) sweep() {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return
	}
	n := max(0, min(l.least, len(l.free)-1))
	unused := slices.Clone(l.free[:n])
	l.free = slices.Delete(l.free, 0, n)
	if l.least = len(l.free); l.least > 1 {
		l.timer.Reset(l.period)
	} else {
		l.timer = nil
	}
	l.closing.Add(1)
	l.mu.Unlock()
	defer l.closing.Done()
	for _, v := range unused {
		v.Close() // takes a while: requests need not wait for it
	}
}

// closeAll closes what is kept. Nothing may be put after.
func (l *idle[T]) closeAll() {
	l.mu.Lock()
	l.closed = true
	if l.timer != nil {
		l.timer.Stop()
	}
	free := l.free
	l.free = nil
	l.mu.Unlock()
	l.closing.Wait()
	for _, v := range free {
		v.Close()
	}
}

// kept is an instantiation with the number of requests that it has served.
type kept[T interface{ Close() }] struct {
	instance T
	requests int
}

// lasts counts a request and reports whether the instantiation may serve another
// one, given how many it may serve in all; 0 stands for any number.
func (k *kept[T]) lasts(most int) bool {
	k.requests++
	return most == 0 || k.requests < most
}

// Close closes the instantiation.
func (k *kept[T]) Close() { k.instance.Close() }
