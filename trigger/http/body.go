package httptrigger

import (
	"io"
	"net/http"
	"time"
)

// pacedBody is a request body whose reader waits only so long for the next
// byte.
type pacedBody struct {
	io.ReadCloser
	pacer pacer
	ended bool
}

// Read reads what has arrived of the body, and waits for at least one byte.
func (b *pacedBody) Read(p []byte) (int, error) {
	b.pacer.arm()
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF && !b.ended {
		b.ended = true
		// From now on the server listens for the client to leave, which may
		// take any time.
		_ = b.pacer.set(time.Time{})
	}
	return n, err
}

// drainTime is how long the rest of a request body may take to arrive that
// nobody has read. net/http discards it to keep the connection in use.
const drainTime = 5 * time.Second

// boundDrain limits the time the server spends on the unread rest of the body of
// r. HTTP/2 has no such rest: its streams end by themselves.
func boundDrain(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor == 1 && r.Body != nil && r.Body != http.NoBody {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(drainTime))
	}
}
