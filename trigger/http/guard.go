package httptrigger

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// deadlineGrace is how much longer than the request's context a blocked read or
// write may last. When it is broken off, the server may cancel the context as if
// the client had left; the true reason has to be there before.
const deadlineGrace = 100 * time.Millisecond

// direction is one of the two ways bytes go.
type direction uint8

const (
	fromClient direction = iota
	toClient
)

// guard breaks off reads or writes that a client lets wait too long.
//
// The deadlines of a connection would do the same with less, but over HTTP/2 a
// deadline that passes ends the stream even if nobody reads or writes at that
// time: a guest that thinks for longer than a client may stall would be cut off.
// So there is a deadline only once it has been missed.
type guard struct {
	w     http.ResponseWriter
	dir   direction
	limit time.Duration // 0 for none
	ctx   context.Context
	timer *time.Timer

	mu      sync.Mutex
	waiting bool // between begin and end; a timer that fires late finds it false
}

// begin is called before every read or write, and end after it.
func (g *guard) begin() {
	wait := g.limit
	if end, ok := g.ctx.Deadline(); ok {
		if left := max(0, time.Until(end)) + deadlineGrace; wait <= 0 || left < wait {
			wait = left
		}
	}
	if wait <= 0 {
		return
	}
	g.mu.Lock()
	g.waiting = true
	g.mu.Unlock()
	if g.timer == nil {
		g.timer = time.AfterFunc(wait, g.interrupt)
	} else {
		g.timer.Reset(wait)
	}
}

func (g *guard) end() {
	if g.timer == nil {
		return
	}
	g.timer.Stop()
	g.mu.Lock()
	g.waiting = false
	g.mu.Unlock()
}

// last bounds the writes that the server makes by itself when the handler has
// returned.
func (g *guard) last() {
	if g.limit > 0 {
		g.set(time.Now().Add(g.limit))
	}
}

func (g *guard) interrupt() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.waiting {
		g.set(time.Unix(1, 0)) // long ago
	}
}

// set sets the connection's deadline. A writer that knows no deadlines, such as
// a recorder in a test, does without.
func (g *guard) set(end time.Time) {
	rc := http.NewResponseController(g.w)
	if g.dir == toClient {
		_ = rc.SetWriteDeadline(end)
	} else {
		_ = rc.SetReadDeadline(end)
	}
}
