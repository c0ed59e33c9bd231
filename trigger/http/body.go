package httptrigger

import (
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// guardedBody is a request body whose reader waits only so long for the next
// byte.
type guardedBody struct {
	io.ReadCloser
	guard guard
	ended atomic.Bool // the end was reached, and the body was well-formed up to there
}

// Read reads what has arrived of the body, and waits for at least one byte.
func (b *guardedBody) Read(p []byte) (int, error) {
	b.guard.begin()
	n, err := b.ReadCloser.Read(p)
	b.guard.end()
	if err == io.EOF {
		b.ended.Store(true)
	}
	return n, err
}

// drainTime is how long the rest of a request body may take to arrive that
// nobody has read. It is discarded to keep the connection in use.
const drainTime = 2 * time.Second

// boundDrain limits the time the server spends on the unread rest of the body of
// r. HTTP/2 has no such rest: its streams end by themselves.
func boundDrain(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor == 1 && r.Body != nil && r.Body != http.NoBody {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(drainTime))
	}
}

// drain discards the rest of the body and reports whether it has reached the
// end.
func (b *guardedBody) drain() bool {
	if !b.ended.Load() {
		_ = http.NewResponseController(b.guard.w).SetReadDeadline(time.Now().Add(drainTime))
		_, err := io.Copy(io.Discard, b.ReadCloser)
		b.ended.Store(err == nil)
	}
	return b.ended.Load()
}
