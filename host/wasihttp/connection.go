package wasihttp

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"
)

// direction is one of the two ways bytes go over the client's connection.
type direction uint8

const (
	reading direction = iota
	writing
)

// connection guards the use that the guest makes of the client's connection. A
// read or write in progress ends when the guest's context does, which net/http
// can only be told by deadlines; and none is in progress any more once close has
// returned, so that the server can have its connection back.
type connection struct {
	// body is closed to end a read where the writer knows no deadlines.
	body interface{ Close() error }
	rc   http.ResponseController

	mu     sync.Mutex
	ctx    context.Context // the guest's, once it is known
	stop   func() bool     // ends the watch over ctx
	active [2]bool
	closed bool
	ended  bool          // ctx has ended and interrupted what was active
	idle   chan struct{} // closed when nothing is active, if close waits for it
}

// retry is how often a deadline is set again for a use that did not end: whoever
// is around the connection may have put the deadline off in the same moment.
const retry = 2 * time.Millisecond

var longAgo = time.Unix(1, 0)

// enter says what the context of the guest is.
func (c *connection) enter(ctx context.Context) {
	c.mu.Lock()
	if c.ctx == nil {
		c.ctx = ctx
	}
	c.mu.Unlock()
}

// begin announces a use that may have to wait. It fails with errOver, or when
// the guest's context has ended; otherwise end must be called after the use.
func (c *connection) begin(d direction) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return errOver
	}
	if c.ctx != nil {
		if c.ctx.Err() != nil {
			return context.Cause(c.ctx)
		}
		if c.stop == nil {
			c.stop = context.AfterFunc(c.ctx, c.contextEnded)
		}
	}
	c.active[d] = true
	return nil
}

// end announces that a use is over.
func (c *connection) end(d direction) {
	c.mu.Lock()
	c.active[d] = false
	if c.idle != nil && c.active == [2]bool{} {
		close(c.idle)
		c.idle = nil
	}
	c.mu.Unlock()
}

// leave ends the watch over the guest's context.
func (c *connection) leave() {
	c.mu.Lock()
	stop := c.stop
	c.stop = func() bool { return true }
	c.mu.Unlock()
	if stop != nil {
		stop()
	}
}

func (c *connection) contextEnded() {
	c.mu.Lock()
	c.ended = c.active != [2]bool{}
	c.mu.Unlock()
	c.interrupt()
}

// cause returns why the guest's context ended, if that has interrupted a use. To
// net/http, and so to the request's context, an interrupted read looks as if the
// client had left.
func (c *connection) cause() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ended {
		return nil
	}
	return context.Cause(c.ctx)
}

// interrupt makes the uses in progress return, and comes back when they have.
func (c *connection) interrupt() {
	c.mu.Lock()
	for c.active != [2]bool{} {
		if c.idle == nil {
			c.idle = make(chan struct{})
		}
		idle := c.idle
		c.expire()
		c.mu.Unlock()
		select {
		case <-idle:
		case <-time.After(retry):
		}
		c.mu.Lock()
	}
	c.mu.Unlock()
}

// expire sets deadlines in the past for what is in progress.
func (c *connection) expire() {
	if c.active[reading] {
		if err := c.rc.SetReadDeadline(longAgo); err != nil && c.body != nil {
			// Not while the lock is held: closing may wait for the read.
			go c.body.Close()
		}
	}
	if c.active[writing] {
		_ = c.rc.SetWriteDeadline(longAgo)
	}
}

// drainTime and drainBytes bound what is read of a body that the guest has left
// unread, before the connection is given up instead.
const (
	drainTime  = 20 * time.Millisecond
	drainBytes = 256 << 10
)

// drain reads the rest of the body when the connection has been closed to the
// guest, and reports whether it came to its end. net/http would do so itself, but
// only in an exchange that was not full duplex: after one that was, it must not
// find the end of the body when the handler has returned.
func (c *connection) drain(body io.Reader) bool {
	c.mu.Lock()
	c.active[reading] = true
	c.mu.Unlock()
	late := time.AfterFunc(drainTime, c.interrupt)
	_, err := io.CopyN(io.Discard, body, drainBytes)
	late.Stop()
	c.end(reading)
	if err == io.EOF {
		return true
	}
	_ = c.rc.SetReadDeadline(time.Time{})
	return false
}

// close ends all use of the connection and returns when there is none. A read in
// progress, which can only be one ahead of the guest, has some time to find what
// has arrived already. close reports whether it had to be interrupted, after which
// net/http takes the client for gone.
func (c *connection) close(patience time.Duration) (interrupted bool) {
	c.mu.Lock()
	c.closed = true
	if c.active == [2]bool{} {
		c.mu.Unlock()
		return false
	}
	if c.idle == nil {
		c.idle = make(chan struct{})
	}
	idle := c.idle
	c.mu.Unlock()
	if patience > 0 {
		select {
		case <-idle:
			return false
		case <-time.After(patience):
		}
	}
	c.interrupt()
	return true
}
