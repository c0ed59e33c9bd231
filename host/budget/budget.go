// Package budget bounds what several instances have of something together, such
// as files or sockets, where a bound for each of them alone would let many have
// too much.
//
// It knows nothing of what is counted. Its one idea: whoever is to make one more
// thing takes a place for it first, and gives it back when the thing is gone.
package budget

import "sync/atomic"

// A Budget is how many things its users may have together, those included that an
// instance kept when it went on to its next request. It may be used by several
// goroutines at once. A nil Budget has no bound.
type Budget struct {
	max  int64
	held atomic.Int64
}

// New returns a budget of max things.
func New(max int) *Budget { return &Budget{max: int64(max)} }

// Take makes room for one more thing, and reports whether there was any. Whoever
// does not come to use it, or is done with it, calls GiveBack.
func (b *Budget) Take() bool {
	if b == nil {
		return true
	}
	if b.held.Add(1) > b.max {
		b.held.Add(-1)
		return false
	}
	return true
}

// GiveBack undoes a Take that there was room for.
func (b *Budget) GiveBack() {
	if b != nil {
		b.held.Add(-1)
	}
}

// Held returns how many things there are at the moment.
func (b *Budget) Held() int {
	if b == nil {
		return 0
	}
	return int(b.held.Load())
}
