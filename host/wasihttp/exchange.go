package wasihttp

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/minispin/minispin/host/wasi/io"
	"github.com/minispin/minispin/wit/bindings/wasi/http/types"
)

// flushDelay is how long what a guest has written may be kept back for more to
// come. A guest that flushes gets no more than this: most flush out of habit,
// 4096 bytes at a time as blocking-write-and-flush demands, and each flush would
// be a packet of its own. A read of the request's body flushes at once. It may take
// up to twice as long; see flusher.
const flushDelay = time.Millisecond

// smallWrite is how much net/http takes without ever touching the connection.
const smallWrite = 2 << 10

// exchange is the response to one request on its way to the client, and what is
// decided about it.
type exchange struct {
	w     http.ResponseWriter
	conn  connection
	http1 bool // HTTP/1.1, whose bodies without a length are chunked
	head  bool // a HEAD request: the response has no body

	request  incomingRequest
	outparam responseOutparam

	// giveUp ends the guest's context: nobody waits for the response any more.
	giveUp context.CancelCauseFunc

	mu       sync.Mutex // guards w and what follows
	response *outgoingResponse
	sent     bool // net/http has the head
	pending  int  // bytes that may not have left; the head counts
	flushing bool // the guest asked for it
	trailers []Field
	armed    time.Time // since when due is waited for; zero if it is not
	queued   bool      // with the flusher
	over     bool
	overAt   time.Time
	outcome  error
	here     bool          // the guest runs on the goroutine of Serve; set before it does
	done     chan struct{} // closed when over
}

var _ destination = (*exchange)(nil)

// respond takes the guest's response.
func (e *exchange) respond(r *outgoingResponse) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.over {
		return
	}
	e.response = r
	length, declared, err := r.fields.contentLength()
	switch {
	case err != nil:
		e.settle(&HandlerError{internal(err.Error())})
	case r.body == nil && declared && length > 0 && e.bodyAllowed():
		e.settle(&HandlerError{bodySizeCode(r, 0)})
	case r.body == nil:
		e.settle(nil)
	default:
		e.pending = r.fields.size
		e.arm()
	}
}

func (e *exchange) bodyAllowed() bool {
	return !e.head && e.response.status != http.StatusNoContent && e.response.status != http.StatusNotModified
}

var chunked, zero = []string{"chunked"}, []string{"0"}

// sendHead hands the head to net/http, which keeps it until it has a reason to
// send it.
func (e *exchange) sendHead() {
	if e.sent {
		return
	}
	e.sent = true
	r := e.response
	h := e.w.Header()
	values := make([]string, len(r.fields.list))
	for i := range r.fields.list {
		f := &r.fields.list[i]
		key := http.CanonicalHeaderKey(f.Name)
		if key == "Content-Length" && h[key] != nil {
			continue // the same number again
		}
		if have := h[key]; have != nil {
			h[key] = append(have, f.Value)
			continue
		}
		values[i] = f.Value
		h[key] = values[i : i+1 : i+1]
	}
	if _, ok := h["Content-Type"]; !ok {
		h["Content-Type"] = nil // keeps net/http from guessing one
	}
	switch {
	case h["Content-Length"] != nil:
	case r.body == nil && e.bodyAllowed():
		h["Content-Length"] = zero
	case r.body != nil && e.http1 && e.bodyAllowed() && (r.body.written.Load() > 0 || len(e.trailers) > 0):
		// Left alone, net/http counts a short body and sends a Content-Length
		// that the guest did not set.
		h["Transfer-Encoding"] = chunked
	}
	e.w.WriteHeader(int(r.status))
}

// complete hands over what is left of a response that went well. Unless
// the connection can be used again, the client is told so if it still can be.
func (e *exchange) complete(reusable bool) {
	h := e.w.Header()
	if !reusable && !e.sent {
		h["Connection"] = []string{"close"}
	}
	for _, f := range e.trailers {
		key := http.TrailerPrefix + http.CanonicalHeaderKey(f.Name)
		h[key] = append(h[key], f.Value)
	}
	e.sendHead()
}

// Ready implements wasiio.Event.
func (e *exchange) Ready() bool { return true }

// Block implements wasiio.Event.
func (e *exchange) Block(context.Context) error { return nil }

// Permit implements wasiio.Sink.
func (e *exchange) Permit() (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.over {
		return 0, errOver
	}
	return wasiio.MaxWrite, nil
}

// Write implements wasiio.Sink: the bytes go to net/http from where they are. It
// waits while the client is slow.
func (e *exchange) Write(ctx context.Context, p []byte) error {
	e.conn.enter(ctx)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.over {
		return errOver
	}
	e.sendHead()
	if !e.bodyAllowed() {
		return nil
	}
	e.pending += len(p)
	err := e.use(e.pending > smallWrite, func() error {
		_, err := e.w.Write(p)
		return err
	})
	e.arm()
	return err
}

// Flush implements wasiio.Sink. See flushDelay for what it comes to.
func (e *exchange) Flush(ctx context.Context) error {
	e.conn.enter(ctx)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.over {
		return errOver
	}
	e.flushing = true
	e.arm()
	return nil
}

// use makes one use of the writer. One that may wait for the client is announced
// so that it can be interrupted. A failure means that the client is out of
// reach, and nobody waits for the guest any more.
func (e *exchange) use(mayWait bool, f func() error) error {
	if mayWait {
		if err := e.conn.begin(writing); err != nil {
			return err
		}
		defer e.conn.end(writing)
	}
	err := f()
	if err == nil {
		return nil
	}
	if cause := e.conn.cause(); cause != nil {
		err = cause
	}
	err = coded("writing the response", err)
	e.pending = 0
	if e.settle(&IncompleteError{err}) {
		e.giveUp(err)
	}
	return err
}

// arm sees to it that what is pending leaves after flushDelay.
func (e *exchange) arm() {
	if e.armed.IsZero() && !e.over && (e.pending > 0 || !e.sent) {
		e.wait()
	}
}

// wait has due called after flushDelay.
func (e *exchange) wait() {
	e.armed = time.Now()
	if !e.queued {
		e.queued = true
		flushes.add(e)
	}
}

// due is called by the flusher, unless nothing is waited for any more.
func (e *exchange) due() {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.armed.IsZero():
	case e.over:
		e.armed = time.Time{}
		e.lingers()
	default:
		e.armed = time.Time{}
		e.flush()
	}
}

// flushPending sends what the guest has written, if it has begun to respond.
func (e *exchange) flushPending() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.armed.IsZero() && !e.over {
		e.armed = time.Time{}
		e.flush()
	}
}

func (e *exchange) flush() {
	if e.over || e.response == nil {
		return
	}
	e.sendHead()
	// The failure, if there is one, has settled the exchange.
	_ = e.use(true, func() error {
		err := e.conn.rc.Flush()
		if errors.Is(err, http.ErrNotSupported) {
			return nil
		}
		return err
	})
	e.pending = 0
}

// finish implements destination.
func (e *exchange) finish(trailers []Field) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.over {
		return errOver
	}
	if i := slices.IndexFunc(trailers, func(f Field) bool { return !validTrailer(f.Name) }); i >= 0 {
		err := internal(trailers[i].Name + " cannot be a trailer")
		e.settle(&IncompleteError{err})
		return err
	}
	e.trailers = trailers
	e.settle(nil)
	return nil
}

// abort implements destination.
func (e *exchange) abort(err error) { e.conclude(&IncompleteError{err}) }

// conclude decides the outcome, unless it has been decided.
func (e *exchange) conclude(outcome error) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.settle(outcome)
}

// settle is conclude for those who hold the lock.
func (e *exchange) settle(outcome error) bool {
	if e.over {
		return false
	}
	e.over, e.overAt, e.outcome = true, time.Now(), outcome
	if _, broken := outcome.(*IncompleteError); broken && e.flushing && (e.pending > 0 || !e.sent) {
		// The guest was told that this has left.
		e.sendHead()
		_ = e.use(true, e.conn.rc.Flush)
	}
	e.armed = time.Time{}
	if e.here && outcome == nil {
		// Serve would send the rest, but is still busy with the guest.
		e.wait()
	}
	close(e.done)
	return true
}

// lingers sends what is there of a response that is complete, while its guest
// works on where Serve should go on.
func (e *exchange) lingers() {
	e.sendHead()
	_ = e.conn.rc.Flush() // the server finds out itself, if it cannot
}

// decided reports whether the outcome is.
func (e *exchange) decided() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.over
}

// sinceOver returns how long ago the outcome was decided, 0 if it is not.
func (e *exchange) sinceOver() time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.over {
		return 0
	}
	return time.Since(e.overAt)
}

// bodySizeCode is the error code for a body of n bytes that is not the one
// announced.
func bodySizeCode(r *outgoingResponse, n uint64) types.ErrorCode {
	if r == nil {
		return types.ErrorCode{Case: types.ErrorCodeHTTPRequestBodySize, HTTPRequestBodySize: some(n)}
	}
	return types.ErrorCode{Case: types.ErrorCodeHTTPResponseBodySize, HTTPResponseBodySize: some(n)}
}
