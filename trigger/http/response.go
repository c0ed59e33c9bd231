package httptrigger

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// bodyAllowed reports whether a response with the status can have a body.
func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// maxWrite is the most that is written to a client under one deadline. It is
// what makes the deadline one for a rate and not for a whole body.
const maxWrite = 64 << 10

// pacer sets deadlines that move along with progress. Setting one costs more
// than the write it guards, so it is renewed once a second at most.
type pacer struct {
	set   func(time.Time) error
	limit time.Duration   // 0 for none
	ctx   context.Context // whose deadline is the latest possible
	armed time.Time
}

// arm puts the deadline off if it is due.
func (p *pacer) arm() {
	end, bounded := p.ctx.Deadline()
	if p.limit <= 0 && !bounded {
		return
	}
	now := time.Now()
	if !p.armed.IsZero() && now.Sub(p.armed) < time.Second {
		return
	}
	p.armed = now
	if p.limit > 0 {
		if next := now.Add(p.limit); !bounded || next.Before(end) {
			end = next
		}
	}
	// What has no deadlines, such as a recorder in a test, works without them.
	_ = p.set(end)
}

// responseWriter is what an executor writes to. It keeps the head back until the
// guest needs it gone, so that a failure before that can still be answered.
type responseWriter struct {
	http.ResponseWriter
	pacer  pacer
	http1  bool // HTTP/1.1, where chunking must be asked for
	status int
	sent   bool // the head has left, in what concerns us
	err    error
}

// WriteHeader sets the status of the response. Like that of net/http it panics
// for what is no status; only the first final status counts. Informational
// responses are sent at once.
func (w *responseWriter) WriteHeader(status int) {
	if status >= 100 && status < 200 && status != http.StatusSwitchingProtocols {
		w.pacer.arm()
		w.ResponseWriter.WriteHeader(status)
		return
	}
	if status < 200 || status > 999 {
		panic("httptrigger: invalid status of a response")
	}
	if w.status == 0 {
		w.status = status
	}
}

// send lets the head go.
func (w *responseWriter) send() {
	if w.sent {
		return
	}
	w.sent = true
	if w.status == 0 {
		w.status = http.StatusOK
	}
	h := w.Header()
	if _, ok := h["Content-Type"]; !ok {
		h["Content-Type"] = nil // an empty entry keeps net/http from guessing one
	}
	w.pacer.arm()
	w.ResponseWriter.WriteHeader(w.status)
}

// Write writes a piece of the body. It blocks while the client is slow and fails
// when the client is gone or has not taken anything for too long. What is
// written to a response that cannot have a body is dropped.
func (w *responseWriter) Write(p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, w.err
	}
	if w.status == 0 {
		w.status = http.StatusOK
	}
	if !bodyAllowed(w.status) {
		return len(p), nil
	}
	if !w.sent {
		// Left alone, net/http counts a short body and sends a Content-Length
		// the guest did not set.
		if h := w.Header(); w.http1 && h["Content-Length"] == nil {
			h["Transfer-Encoding"] = []string{"chunked"}
		}
		w.send()
	}
	for len(p) > 0 && err == nil {
		var m int
		w.pacer.arm()
		m, err = w.ResponseWriter.Write(p[:min(len(p), maxWrite)])
		n += m
		p = p[m:]
	}
	w.note(err)
	return n, err
}

// FlushError sends everything written so far, the head included.
func (w *responseWriter) FlushError() error {
	w.send()
	w.pacer.arm()
	err := http.NewResponseController(w.ResponseWriter).Flush()
	if errors.Is(err, http.ErrNotSupported) {
		return nil
	}
	w.note(err)
	return err
}

// Flush is FlushError for those who look for an http.Flusher.
func (w *responseWriter) Flush() { _ = w.FlushError() }

// Unwrap lets an http.ResponseController reach the server's own writer.
func (w *responseWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// note remembers a failure to reach the client. A body longer than announced is
// the guest's mistake and no such failure.
func (w *responseWriter) note(err error) {
	if err != nil && !errors.Is(err, http.ErrContentLength) {
		w.err = err
	}
}

// reset forgets everything about a response whose head has not been sent.
func (w *responseWriter) reset() {
	clear(w.Header())
	w.status = 0
}

// finish ends a response that went well.
func (w *responseWriter) finish() {
	w.send()
	// The server flushes after the handler has returned.
	w.pacer.arm()
}
