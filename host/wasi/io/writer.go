package wasiio

import (
	"context"
	"fmt"
	"io"
)

// OutputOptions say how an OutputStream treats its writer.
type OutputOptions struct {
	// Blocking says how long a Write or Flush may take. The zero value is safe
	// for any writer.
	Blocking Blocking
	// Flush pushes out what the writer buffers; nil when it buffers nothing.
	Flush func() error
	// Close is called once when the stream is dropped; it may be nil.
	Close func()
}

// NewOutputStream returns a stream whose every write is a Write to w that is
// over when the guest's call returns: bytes go out in order and nothing is lost
// when the guest ends, and a slow w slows the guest. check-write always permits
// MaxWrite bytes. (A Pipe is the sink that does not make the guest wait.)
func NewOutputStream(w io.Writer, opts OutputOptions) *OutputStream {
	return NewSinkStream(&writerSink{w: w, opts: opts}, opts.Close)
}

// writerSink writes straight through.
type writerSink struct {
	always
	w    io.Writer
	opts OutputOptions
}

func (s *writerSink) Permit() (int, error) { return MaxWrite, nil }

func (s *writerSink) Write(ctx context.Context, p []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.opts.Blocking != MayBlock {
		return writeFull(s.w, p)
	}
	// The goroutine may outlive the call, and p is the guest's memory.
	p = append([]byte(nil), p...)
	return detached(ctx, func() error { return writeFull(s.w, p) })
}

func (s *writerSink) Flush(ctx context.Context) error {
	if s.opts.Flush == nil {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.opts.Blocking != MayBlock {
		return s.opts.Flush()
	}
	return detached(ctx, s.opts.Flush)
}

func writeFull(w io.Writer, p []byte) error {
	n, err := w.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	return err
}

// detached runs f on a goroutine of its own and waits for it until ctx ends.
func detached(ctx context.Context, f func() error) error {
	done := make(chan error, 1)
	go func() {
		var err error
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("panic in a stream's writer: %v", r)
			}
			done <- err
		}()
		err = f()
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
