package wasiio

import (
	"context"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/wit/bindings/wasi/io/poll"
	"github.com/minispin/minispin/wit/bindings/wasi/io/streams"
)

const (
	// MaxWrite is the most bytes one write may carry: what check-write permits
	// at most.
	MaxWrite = 1 << 20
	// maxBlockingWrite is the most bytes blocking-write-and-flush may carry, by
	// its definition in wasi:io.
	maxBlockingWrite = 4096
)

// Sink is where the bytes of an OutputStream go. As an Event it is the sink's
// readiness: it permits a write, or has failed.
//
// An error of a method is the end of the stream, unless ctx has ended.
// ErrClosed, io.EOF and io.ErrClosedPipe are an orderly end.
type Sink interface {
	Event
	// Permit returns how many bytes may be written now, at most MaxWrite. Zero
	// means not now; Block waits for more.
	Permit() (int, error)
	// Write takes p, which is no longer than the permit and is not the sink's
	// to keep.
	Write(ctx context.Context, p []byte) error
	// Flush starts to push out what is buffered, and may make Permit zero until
	// that is done.
	Flush(ctx context.Context) error
}

// OutputStream is the resource wasi:io/streams output-stream over a Sink.
type OutputStream struct {
	sink    Sink
	onDrop  func()
	end     ending
	permit  int // what the last check-write gave, less what was written since
	dropped bool
}

var _ streams.OutputStream = (*OutputStream)(nil)

// NewSinkStream returns a stream that writes to sink; drop, which may be nil, is
// called once when the guest has dropped it.
func NewSinkStream(sink Sink, drop func()) *OutputStream {
	return &OutputStream{sink: sink, onDrop: drop}
}

// CheckWrite implements wasi:io/streams.
func (s *OutputStream) CheckWrite(*component.Call) (uint64, error) {
	s.permit = 0
	if s.end.over() {
		return 0, s.end.report()
	}
	n, err := s.sink.Permit()
	if err != nil {
		s.end.set(err)
		return 0, s.end.report()
	}
	s.permit = n
	return uint64(n), nil
}

// Write implements wasi:io/streams.
func (s *OutputStream) Write(c *component.Call, contents []byte) error {
	s.spend(c, "write", uint64(len(contents)))
	return s.write(c.Context(), contents)
}

// WriteZeroes implements wasi:io/streams.
func (s *OutputStream) WriteZeroes(c *component.Call, length uint64) error {
	s.spend(c, "write-zeroes", length)
	return s.write(c.Context(), zeroes(length))
}

// BlockingWriteAndFlush implements wasi:io/streams.
func (s *OutputStream) BlockingWriteAndFlush(c *component.Call, contents []byte) error {
	if len(contents) > maxBlockingWrite {
		c.Trapf("blocking-write-and-flush: %d bytes are more than the %d it may carry", len(contents), maxBlockingWrite)
	}
	return s.WriteAll(c.Context(), contents)
}

// BlockingWriteZeroesAndFlush implements wasi:io/streams.
func (s *OutputStream) BlockingWriteZeroesAndFlush(c *component.Call, length uint64) error {
	if length > maxBlockingWrite {
		c.Trapf("blocking-write-zeroes-and-flush: %d bytes are more than the %d it may carry", length, maxBlockingWrite)
	}
	return s.WriteAll(c.Context(), zeroes(length))
}

// Flush implements wasi:io/streams.
func (s *OutputStream) Flush(c *component.Call) error { return s.flush(c.Context()) }

// BlockingFlush implements wasi:io/streams.
func (s *OutputStream) BlockingFlush(c *component.Call) error {
	if err := s.flush(c.Context()); err != nil {
		return err
	}
	_, err := s.await(c.Context())
	return err
}

// Subscribe implements wasi:io/streams.
func (s *OutputStream) Subscribe(*component.Call) (poll.Pollable, error) {
	return NewPollable(s.Event(), nil), nil
}

// Splice implements wasi:io/streams.
func (s *OutputStream) Splice(c *component.Call, src streams.InputStream, length uint64) (uint64, error) {
	n, err := s.CheckWrite(c)
	s.permit = 0
	if err != nil || n == 0 || length == 0 {
		return 0, err
	}
	b, err := src.Read(c, min(n, length))
	if err != nil {
		return 0, err
	}
	return uint64(len(b)), s.write(c.Context(), b)
}

// BlockingSplice implements wasi:io/streams.
func (s *OutputStream) BlockingSplice(c *component.Call, src streams.InputStream, length uint64) (uint64, error) {
	s.permit = 0
	n, err := s.await(c.Context())
	if err != nil || length == 0 {
		return 0, err
	}
	b, err := src.BlockingRead(c, min(uint64(n), length))
	if err != nil {
		return 0, err
	}
	return uint64(len(b)), s.write(c.Context(), b)
}

// Drop implements wasi:io/streams.
func (s *OutputStream) Drop() {
	if s.dropped {
		return
	}
	s.dropped = true
	s.end.set(ErrClosed)
	if s.onDrop != nil {
		s.onDrop()
	}
}

// WriteAll writes all of p, in as many steps as the sink wants, flushes, and
// waits until the sink takes bytes again. Its errors are of the type
// streams.StreamError, or the cause of ctx when that ends first.
func (s *OutputStream) WriteAll(ctx context.Context, p []byte) error {
	s.permit = 0
	for len(p) > 0 {
		n, err := s.await(ctx)
		if err != nil {
			return err
		}
		n = min(n, len(p))
		if err := s.write(ctx, p[:n]); err != nil {
			return err
		}
		p = p[n:]
	}
	if err := s.flush(ctx); err != nil {
		return err
	}
	_, err := s.await(ctx)
	return err
}

// Event returns the event that check-write would permit bytes or fail.
func (s *OutputStream) Event() Event {
	if s.end.over() {
		return Always()
	}
	return s.sink
}

// spend traps unless the last check-write permits n bytes.
func (s *OutputStream) spend(c *component.Call, what string, n uint64) {
	if n > uint64(s.permit) {
		c.Trapf("%s: %d bytes are more than the %d that check-write permitted", what, n, s.permit)
	}
	s.permit -= int(n)
}

func (s *OutputStream) write(ctx context.Context, p []byte) error {
	if s.end.over() {
		return s.end.report()
	}
	if len(p) == 0 {
		return nil
	}
	return s.after(ctx, s.sink.Write(ctx, p))
}

func (s *OutputStream) flush(ctx context.Context) error {
	if s.end.over() {
		return s.end.report()
	}
	return s.after(ctx, s.sink.Flush(ctx))
}

// after turns an error of the sink into what the guest gets: the end of the
// stream, or a trap when the error only tells that the request is over.
func (s *OutputStream) after(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	s.end.set(err)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return s.end.report()
}

// await waits until the sink permits bytes, and returns how many.
func (s *OutputStream) await(ctx context.Context) (int, error) {
	for {
		if s.end.over() {
			return 0, s.end.report()
		}
		n, err := s.sink.Permit()
		if err != nil {
			s.end.set(err)
			continue
		}
		if n > 0 {
			return n, nil
		}
		if err := s.sink.Block(ctx); err != nil {
			return 0, err
		}
	}
}

var zeroPage [MaxWrite]byte

// zeroes returns length zero bytes; length is at most MaxWrite, as every permit.
func zeroes(length uint64) []byte { return zeroPage[:length] }
