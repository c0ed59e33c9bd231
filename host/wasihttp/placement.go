package wasihttp

import (
	"sync/atomic"
	"time"
)

// Placement decides on which goroutine the guests of a handler run, and learns
// from how they behave. A guest on a goroutine of its own may go on working when
// its response is complete, and the client does not notice. But most guests
// return at once, and for them the way to the other goroutine and back, which
// wakes another processor twice, can cost more than all of their work. So once
// a number of guests have returned promptly, the next ones are called where Serve
// is called. The first of those that does not return promptly has its bytes sent
// all the same, but the client learns only when the guest returns that there are no
// more, unless the response has announced its length; guests have goroutines of
// their own again then, until many have returned promptly.
//
// The zero value has learnt nothing. A Placement may be used by several
// goroutines at once, and is shared by the requests for one handler.
type Placement struct {
	// prompt is how many guests in a row returned promptly. It counts from below
	// zero after one that took its time.
	prompt atomic.Int32
}

const (
	// prompts is how many guests in a row have to return promptly before the next
	// one is trusted to, and penance how many more after one that lingered.
	prompts = 32
	penance = 1000
	// promptly is how long a guest may take to return when its response is
	// complete. One that takes longer may have had to wait for a processor; one
	// that takes lingering has work to do.
	promptly  = time.Millisecond
	lingering = 10 * time.Millisecond
)

// here reports whether the next guest may run on the caller's goroutine.
func (p *Placement) here() bool { return p != nil && p.prompt.Load() >= prompts }

// returned notes how long a guest took to return when its response was complete.
func (p *Placement) returned(after time.Duration) {
	if p == nil {
		return
	}
	n := p.prompt.Load()
	next := n
	switch {
	case after > lingering:
		next = -penance
	case after > promptly:
		next = min(n, 0)
	case n < prompts:
		next = n + 1
	}
	if next != n {
		p.prompt.CompareAndSwap(n, next) // what is missed the next guest will show
	}
}
