package wasiio

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/wit/bindings/wasi/io/poll"
	"github.com/minispin/minispin/wit/bindings/wasi/io/streams"
)

// readAhead is the size of a stream's buffer, and so the most bytes one read
// gives.
const readAhead = 64 << 10

var buffers = sync.Pool{New: func() any { return new([readAhead]byte) }}

// InputOptions say how an InputStream treats its reader.
type InputOptions struct {
	// Blocking says how long a Read may take. The zero value is safe for any
	// reader.
	Blocking Blocking
	// Close is called once when the stream is dropped; it may be nil. It should
	// make a Read in progress return.
	Close func()
}

// InputStream is the resource wasi:io/streams input-stream over an io.Reader.
// Its end (io.EOF) is stream-error closed; any other error of the reader is
// last-operation-failed once, with an Error that wraps it, and closed after.
type InputStream struct {
	r    io.Reader
	opts InputOptions

	buf   *[readAhead]byte
	data  []byte // what is read and not yet taken, in buf
	end   ending // applies once data is empty
	ahead *readingAhead

	// dry is set by a read that found nothing and has not been waited for yet.
	dry     bool
	dropped bool
}

// readingAhead is one Read made on another goroutine. The goroutine owns the
// stream's buffer, n and err until it closes done.
type readingAhead struct {
	done chan struct{}
	n    int
	err  error
}

var _ streams.InputStream = (*InputStream)(nil)

// NewInputStream returns a stream of what r gives. r is read by one goroutine at
// a time, not always the same; the stream reads ahead of the guest.
func NewInputStream(r io.Reader, opts InputOptions) *InputStream {
	return &InputStream{r: r, opts: opts}
}

// Read implements wasi:io/streams.
func (s *InputStream) Read(c *component.Call, length uint64) ([]byte, error) {
	return s.TryRead(length)
}

// BlockingRead implements wasi:io/streams.
func (s *InputStream) BlockingRead(c *component.Call, length uint64) ([]byte, error) {
	return s.WaitRead(c.Context(), length)
}

// Skip implements wasi:io/streams.
func (s *InputStream) Skip(c *component.Call, length uint64) (uint64, error) {
	b, err := s.TryRead(length)
	return uint64(len(b)), err
}

// BlockingSkip implements wasi:io/streams.
func (s *InputStream) BlockingSkip(c *component.Call, length uint64) (uint64, error) {
	b, err := s.WaitRead(c.Context(), length)
	return uint64(len(b)), err
}

// Subscribe implements wasi:io/streams.
func (s *InputStream) Subscribe(*component.Call) (poll.Pollable, error) {
	return NewPollable(s.Event(), nil), nil
}

// Drop implements wasi:io/streams.
func (s *InputStream) Drop() {
	if s.dropped {
		return
	}
	s.dropped = true
	if s.opts.Close != nil {
		s.opts.Close()
	}
	s.end.set(ErrClosed)
	s.data = nil
	if s.ahead == nil && s.buf != nil {
		buffers.Put(s.buf)
	}
	// A buffer that another goroutine still reads into is left to the collector.
	s.buf = nil
}

// TryRead takes at most length bytes that are there now. The result is a view
// that is valid until the stream is used again; it is empty when nothing is
// there yet. Its errors are of the type streams.StreamError.
func (s *InputStream) TryRead(length uint64) ([]byte, error) {
	if !s.ready() && length > 0 {
		switch {
		case s.opts.Blocking == NeverBlocks:
			s.readHere()
		case s.dry:
			// The guest asks again and again and does not wait: without this it
			// would never get anything.
			s.readAhead()
		default:
			// It will most likely wait now, which needs no goroutine.
			s.dry = true
		}
	}
	return s.take(length)
}

// WaitRead is TryRead, but waits for at least one byte. It returns the cause of
// ctx when that ends first.
func (s *InputStream) WaitRead(ctx context.Context, length uint64) ([]byte, error) {
	if length > 0 {
		if err := s.wait(ctx); err != nil {
			return nil, err
		}
	}
	return s.take(length)
}

// Buffered returns how many bytes are there now. After the stream's Event has
// happened, zero means that it has ended.
func (s *InputStream) Buffered() int {
	s.ready()
	return len(s.data)
}

// Event returns the event that the stream has bytes or has ended.
func (s *InputStream) Event() Event { return inputEvent{s} }

// ready reports whether there are bytes, or the stream has ended.
func (s *InputStream) ready() bool {
	if len(s.data) > 0 || s.end.over() {
		return true
	}
	if s.ahead == nil {
		return false
	}
	select {
	case <-s.ahead.done:
		s.arrive(s.ahead.n, s.ahead.err)
		s.ahead = nil
		return len(s.data) > 0 || s.end.over()
	default:
		return false
	}
}

// take gives the first bytes of what is there.
func (s *InputStream) take(length uint64) ([]byte, error) {
	if len(s.data) == 0 && s.end.over() {
		return nil, s.end.report()
	}
	n := min(length, uint64(len(s.data)))
	b := s.data[:n:n]
	s.data = s.data[n:]
	return b, nil
}

// wait blocks until ready, on this goroutine where the reader allows it.
func (s *InputStream) wait(ctx context.Context) error {
	s.dry = false
	for !s.ready() {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		if s.ahead == nil && s.opts.Blocking != MayBlock {
			s.readHere()
			continue
		}
		s.readAhead()
		select {
		case <-s.ahead.done:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if len(s.data) == 0 && ctx.Err() != nil {
		// Most likely the end of the request, not of the stream.
		return context.Cause(ctx)
	}
	return nil
}

func (s *InputStream) buffer() []byte {
	if s.buf == nil {
		s.buf = buffers.Get().(*[readAhead]byte)
	}
	return s.buf[:]
}

// readHere reads on the caller's goroutine.
func (s *InputStream) readHere() { s.arrive(readSome(s.r, s.buffer())) }

// readAhead sees to it that a read is being made on another goroutine.
func (s *InputStream) readAhead() {
	if s.ahead != nil {
		return
	}
	a := &readingAhead{done: make(chan struct{})}
	r, buf := s.r, s.buffer()
	s.ahead, s.dry = a, false
	go func() {
		defer close(a.done)
		// A panic here would end the process: nobody up the stack recovers it.
		defer func() {
			if r := recover(); r != nil {
				a.n, a.err = 0, fmt.Errorf("panic in a stream's reader: %v", r)
			}
		}()
		a.n, a.err = readSome(r, buf)
	}()
}

// arrive takes in what a read gave.
func (s *InputStream) arrive(n int, err error) {
	if s.dropped {
		return
	}
	s.data = s.buf[:n]
	if err != nil {
		s.end.set(err)
	}
}

// readSome reads until there is a byte or an error. A reader that keeps giving
// neither breaks the io.Reader contract and must not hold the guest for ever.
func readSome(r io.Reader, buf []byte) (int, error) {
	for range 100 {
		n, err := r.Read(buf)
		if n > 0 || err != nil {
			return n, err
		}
	}
	return 0, io.ErrNoProgress
}

// inputEvent is readiness of an InputStream.
type inputEvent struct{ s *InputStream }

var _ Signaler = inputEvent{}

func (e inputEvent) Ready() bool {
	s := e.s
	if s.ready() {
		return true
	}
	if s.opts.Blocking == NeverBlocks {
		s.readHere()
		return true
	}
	s.readAhead()
	return s.ready()
}

func (e inputEvent) Block(ctx context.Context) error { return e.s.wait(ctx) }

func (e inputEvent) Signal() <-chan struct{} {
	if e.Ready() {
		return closedChan
	}
	return e.s.ahead.done
}

var closedChan = func() chan struct{} {
	ch := make(chan struct{})
	close(ch)
	return ch
}()
