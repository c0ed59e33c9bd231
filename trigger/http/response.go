package httptrigger

import (
	"errors"
	"net/http"
)

// bodyAllowed reports whether a response with the status can have a body.
func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// maxWrite is the most that is written to a client in one go. It is what makes
// the limit on a stalled client one for a rate and not for a whole body.
const maxWrite = 64 << 10

// responseWriter is what an executor writes to. It keeps the head back until the
// guest needs it gone, so that a failure before that can still be answered.
type responseWriter struct {
	http.ResponseWriter
	guard  guard
	chunks bool         // HTTP/1.1, where chunking must be asked for
	body   *guardedBody // of an HTTP/1 request that has one
	status int
	sent   bool // the head has left, in what concerns us
	duplex bool // it has left before the end of the request's body
	err    error
}

// WriteHeader sets the status of the response. Like that of net/http it panics
// for what is no status; only the first final status counts. Informational
// responses are sent at once.
func (w *responseWriter) WriteHeader(status int) {
	if status >= 100 && status < 200 && status != http.StatusSwitchingProtocols {
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

var chunked = []string{"chunked"}

// send lets the head go while the guest is still at work.
func (w *responseWriter) send() {
	if w.sent {
		return
	}
	if w.body != nil && !w.body.ended.Load() {
		// Guests may answer before they read. Without this net/http reads the
		// body itself, to throw it away, before the first byte leaves.
		w.duplex = true
		_ = http.NewResponseController(w.ResponseWriter).EnableFullDuplex()
	}
	w.sendHead()
}

func (w *responseWriter) sendHead() {
	w.sent = true
	if w.status == 0 {
		w.status = http.StatusOK
	}
	h := w.Header()
	if _, ok := h["Content-Type"]; !ok {
		h["Content-Type"] = nil // an empty entry keeps net/http from guessing one
	}
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
		if h := w.Header(); w.chunks && h["Content-Length"] == nil {
			h["Transfer-Encoding"] = chunked
		}
		w.send()
	}
	for len(p) > 0 && err == nil {
		var m int
		w.guard.begin()
		m, err = w.ResponseWriter.Write(p[:min(len(p), maxWrite)])
		w.guard.end()
		n += m
		p = p[m:]
	}
	w.note(err)
	return n, err
}

// FlushError sends everything written so far, the head included.
func (w *responseWriter) FlushError() error {
	w.send()
	w.guard.begin()
	err := http.NewResponseController(w.ResponseWriter).Flush()
	w.guard.end()
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
	if !w.sent {
		w.sendHead()
	}
	if w.duplex && !w.body.ended.Load() {
		// In this case net/http would go on to the next request wherever the
		// body broke off, and take for a request what a client has put there.
		w.Flush()
		if !w.body.drain() {
			panic(http.ErrAbortHandler)
		}
	}
	w.guard.last()
}
