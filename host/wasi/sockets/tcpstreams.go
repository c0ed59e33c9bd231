package sockets

import (
	"context"
	"io"
	"sync"
	"syscall"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host/wasi/io"
	"github.com/minispin/minispin/wit/bindings/wasi/io/poll"
	"github.com/minispin/minispin/wit/bindings/wasi/io/streams"
)

// maxTransfer is the most bytes one read gives and one write is permitted, and so
// the most that is buffered for one connection in each direction.
const maxTransfer = 64 << 10

// receiveStream is the input-stream of a connection. It holds no bytes: a read
// is a read of the descriptor.
type receiveStream struct {
	fd   *descriptor
	buf  []byte // made by the first read
	over bool   // closed, or its failure was told
	shut bool   // by tcp-socket.shutdown
}

var _ streams.InputStream = (*receiveStream)(nil)

// Read implements wasi:io/streams.
func (s *receiveStream) Read(_ *component.Call, length uint64) ([]byte, error) {
	if s.over || s.shut {
		return nil, wasiio.Closed()
	}
	if length == 0 {
		return nil, nil
	}
	if s.buf == nil {
		s.buf = make([]byte, maxTransfer)
	}
	n, err := get(s.fd, func(fd int) (int, error) { return read(fd, s.buf[:min(length, maxTransfer)]) })
	switch {
	case err == syscall.EAGAIN:
		return nil, nil
	case err != nil:
		s.over = true
		return nil, wasiio.Failed(codeOf(err))
	case n == 0:
		s.over = true
		return nil, wasiio.Closed()
	}
	return s.buf[:n:n], nil
}

// BlockingRead implements wasi:io/streams.
func (s *receiveStream) BlockingRead(c *component.Call, length uint64) ([]byte, error) {
	for {
		b, err := s.Read(c, length)
		if len(b) > 0 || err != nil || length == 0 {
			return b, err
		}
		if err := s.fd.readEvent().Block(c.Context()); err != nil {
			return nil, err
		}
	}
}

// Skip implements wasi:io/streams.
func (s *receiveStream) Skip(c *component.Call, length uint64) (uint64, error) {
	b, err := s.Read(c, length)
	return uint64(len(b)), err
}

// BlockingSkip implements wasi:io/streams.
func (s *receiveStream) BlockingSkip(c *component.Call, length uint64) (uint64, error) {
	b, err := s.BlockingRead(c, length)
	return uint64(len(b)), err
}

// Subscribe implements wasi:io/streams.
func (s *receiveStream) Subscribe(*component.Call) (poll.Pollable, error) {
	return wasiio.NewPollable(receiveEvent{s}, nil), nil
}

// Drop implements wasi:io/streams.
func (s *receiveStream) Drop() {
	s.over = true
	s.buf = nil
	s.fd.release()
}

// receiveEvent is that a read would not find nothing.
type receiveEvent struct{ s *receiveStream }

func (e receiveEvent) Ready() bool { return e.s.over || e.s.shut || e.s.fd.readEvent().Ready() }

func (e receiveEvent) Block(ctx context.Context) error {
	if e.s.over || e.s.shut {
		return nil
	}
	return e.s.fd.readEvent().Block(ctx)
}

// sendSink is the output-stream of a connection. What the system does not take
// at once is sent by a goroutine, and nothing more is permitted until it has.
type sendSink struct {
	fd *descriptor

	mu     sync.Mutex
	rest   chan struct{} // closed when the goroutine has ended; nil when none was needed
	err    error         // what sending came to
	closed bool          // by shutdown
	stop   context.CancelFunc
}

var _ wasiio.Sink = (*sendSink)(nil)

// sending returns the channel of the goroutine that is at work, or nil.
func (s *sendSink) sending() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rest
}

// Permit implements wasiio.Sink.
func (s *sendSink) Permit() (int, error) {
	s.mu.Lock()
	rest, err := s.rest, s.err
	if err == nil && s.closed {
		err = io.ErrClosedPipe
	}
	s.mu.Unlock()
	if err != nil || rest != nil || !s.fd.writeEvent().Ready() {
		return 0, err
	}
	return maxTransfer, nil
}

// Write implements wasiio.Sink. A permit may be spent in several writes: those
// that come while the goroutine is at work wait for it.
func (s *sendSink) Write(ctx context.Context, p []byte) error {
	if rest := s.sending(); rest != nil {
		if err := wasiio.OnClose(rest).Block(ctx); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	if s.closed {
		return io.ErrClosedPipe
	}
	for len(p) > 0 {
		n, err := get(s.fd, func(fd int) (int, error) { return send(fd, p) })
		if err == syscall.EAGAIN {
			break
		}
		if err != nil {
			s.err = codeOf(err)
			return s.err
		}
		p = p[n:]
	}
	if len(p) > 0 {
		s.sendLater(ctx, append([]byte(nil), p...))
	}
	return nil
}

// sendLater starts the goroutine, which ends when all is sent, with ctx, or when
// the descriptor is closed.
func (s *sendSink) sendLater(ctx context.Context, p []byte) {
	ctx, s.stop = context.WithCancel(ctx)
	stop, done := s.stop, make(chan struct{})
	s.rest = done
	writable := s.fd.writeEvent()
	go func() {
		defer close(done)
		defer stop()
		err := sendAll(ctx, s.fd, writable, p)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.rest, s.err = nil, err
		if s.closed && err == nil {
			s.err = result(s.fd.do(func(fd int) error { return shutdown(fd, false, true) }))
		}
	}()
}

func sendAll(ctx context.Context, d *descriptor, writable wasiio.Event, p []byte) error {
	for len(p) > 0 {
		if err := writable.Block(ctx); err != nil {
			return err
		}
		n, err := get(d, func(fd int) (int, error) { return send(fd, p) })
		if err != nil && err != syscall.EAGAIN {
			return codeOf(err)
		}
		p = p[max(n, 0):]
	}
	return nil
}

// Flush implements wasiio.Sink. Bytes are on their way already, so it starts
// nothing; a blocking-flush waits for the permit, which comes after them.
func (s *sendSink) Flush(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Ready implements wasiio.Event.
func (s *sendSink) Ready() bool {
	n, err := s.Permit()
	return n > 0 || err != nil
}

// Block implements wasiio.Event.
func (s *sendSink) Block(ctx context.Context) error {
	for !s.Ready() {
		var next wasiio.Event = s.fd.writeEvent()
		if rest := s.sending(); rest != nil {
			next = wasiio.OnClose(rest)
		}
		if err := next.Block(ctx); err != nil {
			return err
		}
	}
	return nil
}

// close ends the stream for the guest, and reports whether bytes are still being
// sent: their goroutine then shuts the connection down after them.
func (s *sendSink) close() (later bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return s.rest != nil
}

// drop gives up what was not sent: a guest that wants it sent flushes.
func (s *sendSink) drop() {
	s.mu.Lock()
	s.closed = true
	stop, rest := s.stop, s.rest
	s.mu.Unlock()
	if rest != nil {
		stop()
		<-rest
	}
	s.fd.release()
}
