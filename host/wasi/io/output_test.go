package wasiio_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host/wasi/io"
	"github.com/minispin/minispin/host/wasi/wasitest"
	"github.com/minispin/minispin/wit/bindings/wasi/io/streams"
)

func closedCase(err error) bool {
	e, ok := err.(streams.StreamError)
	return ok && e.Case == streams.StreamErrorClosed
}

func failedCase(err error) bool {
	e, ok := err.(streams.StreamError)
	return ok && e.Case == streams.StreamErrorLastOperationFailed
}

func TestOutputBudget(t *testing.T) {
	tests := []struct {
		name string
		body func(c *component.Call, s *wasiio.OutputStream) error
		trap string // of the message, empty for none
		want string
	}{
		{"write without a permit", func(c *component.Call, s *wasiio.OutputStream) error {
			return s.Write(c, []byte("x"))
		}, "write: 1 bytes are more than the 0", ""},
		{"write nothing without a permit", func(c *component.Call, s *wasiio.OutputStream) error {
			return s.Write(c, nil)
		}, "", ""},
		{"write within the permit", func(c *component.Call, s *wasiio.OutputStream) error {
			if n, err := s.CheckWrite(c); n != wasiio.MaxWrite || err != nil {
				return fmt.Errorf("check-write gave %d, %w", n, err)
			}
			return errors.Join(s.Write(c, []byte("a")), s.WriteZeroes(c, 2), s.Write(c, []byte("b")), s.BlockingFlush(c))
		}, "", "a\x00\x00b"},
		{"write over the permit", func(c *component.Call, s *wasiio.OutputStream) error {
			_, _ = s.CheckWrite(c)
			return s.Write(c, make([]byte, wasiio.MaxWrite+1))
		}, "more than the 1048576", ""},
		{"permit spent", func(c *component.Call, s *wasiio.OutputStream) error {
			_, _ = s.CheckWrite(c)
			_ = s.WriteZeroes(c, wasiio.MaxWrite)
			return s.Write(c, []byte("x"))
		}, "more than the 0", ""},
		{"zeroes over the permit", func(c *component.Call, s *wasiio.OutputStream) error {
			_, _ = s.CheckWrite(c)
			return s.WriteZeroes(c, 1<<63)
		}, "write-zeroes: 9223372036854775808 bytes", ""},
		{"blocking write needs no permit", func(c *component.Call, s *wasiio.OutputStream) error {
			return errors.Join(s.BlockingWriteAndFlush(c, []byte("ab")), s.BlockingWriteZeroesAndFlush(c, 1))
		}, "", "ab\x00"},
		{"blocking write of 4097", func(c *component.Call, s *wasiio.OutputStream) error {
			return s.BlockingWriteAndFlush(c, make([]byte, 4097))
		}, "4097 bytes are more than the 4096", ""},
		{"blocking zeroes of 4097", func(c *component.Call, s *wasiio.OutputStream) error {
			return s.BlockingWriteZeroesAndFlush(c, 4097)
		}, "4097 bytes are more than the 4096", ""},
		{"a blocking write ends the permit", func(c *component.Call, s *wasiio.OutputStream) error {
			_, _ = s.CheckWrite(c)
			_ = s.BlockingWriteAndFlush(c, []byte("a"))
			return s.Write(c, []byte("b"))
		}, "more than the 0", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got bytes.Buffer
			s := wasiio.NewOutputStream(&got, wasiio.OutputOptions{Blocking: wasiio.NeverBlocks})
			err := wasitest.Call(t, t.Context(), nil, func(c *component.Call) error { return tt.body(c, s) })
			if tt.trap == "" {
				if err != nil || got.String() != tt.want {
					t.Errorf("wrote %q, %v; want %q", got.String(), err, tt.want)
				}
			} else if err == nil || !strings.Contains(err.Error(), tt.trap) {
				t.Errorf("got %v, want a trap with %q", err, tt.trap)
			}
		})
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestOutputFailure(t *testing.T) {
	broken := errors.New("disk full")
	for _, b := range []wasiio.Blocking{wasiio.MayBlock, wasiio.EndsWithContext} {
		err := wasitest.Call(t, t.Context(), nil, func(c *component.Call) error {
			s := wasiio.NewOutputStream(failing{broken}, wasiio.OutputOptions{Blocking: b})
			err := s.BlockingWriteAndFlush(c, []byte("x"))
			if e, ok := err.(streams.StreamError); !failedCase(err) || !ok || !errors.Is(e.LastOperationFailed.(error), broken) {
				t.Errorf("write: %v, want last-operation-failed", err)
			}
			for name, err := range map[string]error{
				"write": s.BlockingWriteAndFlush(c, []byte("x")), "flush": s.Flush(c), "blocking-flush": s.BlockingFlush(c),
			} {
				if !closedCase(err) {
					t.Errorf("%s after the failure: %v, want closed", name, err)
				}
			}
			if _, err := s.CheckWrite(c); !closedCase(err) {
				t.Errorf("check-write after the failure: %v, want closed", err)
			}
			if !s.Event().Ready() {
				t.Error("a failed stream is not ready")
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	err := wasitest.Call(t, t.Context(), nil, func(c *component.Call) error {
		s := wasiio.NewOutputStream(failing{wasiio.ErrClosed}, wasiio.OutputOptions{})
		if err := s.BlockingWriteAndFlush(c, []byte("x")); !closedCase(err) {
			t.Errorf("write to a closed writer: %v, want closed", err)
		}
		short := wasiio.NewOutputStream(failing{nil}, wasiio.OutputOptions{})
		if err := short.BlockingWriteAndFlush(c, []byte("x")); !failedCase(err) {
			t.Errorf("short write: %v, want last-operation-failed", err)
		}
		flush := wasiio.NewOutputStream(io.Discard, wasiio.OutputOptions{Flush: func() error { return broken }})
		if err := flush.Flush(c); !failedCase(err) {
			t.Errorf("flush: %v, want last-operation-failed", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// Every call that can wait ends with the context, and traps with its cause.
func TestBlockingCallsEndWithContext(t *testing.T) {
	stop := errors.New("stopped by the test")
	full := func() *wasiio.Pipe {
		p := wasiio.NewPipe()
		_ = p.Write(context.Background(), []byte("x"))
		return p
	}
	pr, _ := io.Pipe() // nobody writes: reads block
	defer pr.Close()
	unread, pw := io.Pipe() // nobody reads: writes block
	defer unread.Close()
	silent := func() *wasiio.InputStream {
		return wasiio.NewInputStream(pr, wasiio.InputOptions{})
	}
	free := func() *wasiio.OutputStream { return wasiio.NewOutputStream(io.Discard, wasiio.OutputOptions{}) }
	tests := map[string]func(c *component.Call) error{
		"blocking-read":  func(c *component.Call) error { _, err := silent().BlockingRead(c, 1); return err },
		"blocking-skip":  func(c *component.Call) error { _, err := silent().BlockingSkip(c, 1); return err },
		"blocking-flush": func(c *component.Call) error { return wasiio.NewSinkStream(full(), nil).BlockingFlush(c) },
		"blocking-write-and-flush": func(c *component.Call) error {
			return wasiio.NewSinkStream(full(), nil).BlockingWriteAndFlush(c, []byte("x"))
		},
		"blocking-write-zeroes-and-flush": func(c *component.Call) error {
			return wasiio.NewSinkStream(full(), nil).BlockingWriteZeroesAndFlush(c, 5)
		},
		"blocking-splice, full": func(c *component.Call) error {
			_, err := wasiio.NewSinkStream(full(), nil).BlockingSplice(c, silent(), 5)
			return err
		},
		"blocking-splice, silent": func(c *component.Call) error {
			_, err := free().BlockingSplice(c, silent(), 5)
			return err
		},
		"write to a writer that blocks": func(c *component.Call) error {
			s := wasiio.NewOutputStream(pw, wasiio.OutputOptions{})
			_, _ = s.CheckWrite(c)
			return s.Write(c, []byte("x"))
		},
		"flush of a writer that blocks": func(c *component.Call) error {
			s := wasiio.NewOutputStream(io.Discard, wasiio.OutputOptions{Flush: func() error { _, err := pw.Write([]byte("x")); return err }})
			return s.Flush(c)
		},
		"pollable.block": func(c *component.Call) error {
			p, _ := silent().Subscribe(c)
			return p.Block(c)
		},
		"pollable.block, output": func(c *component.Call) error {
			p, _ := wasiio.NewSinkStream(full(), nil).Subscribe(c)
			return p.Block(c)
		},
	}
	for name, body := range tests {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeoutCause(context.Background(), 20*time.Millisecond, stop)
			defer cancel()
			if err := wasitest.Call(t, ctx, nil, body); !errors.Is(err, stop) {
				t.Errorf("got %v, want the context's cause", err)
			}
		})
	}
}

func TestSplice(t *testing.T) {
	broken := errors.New("bad source")
	err := wasitest.Call(t, t.Context(), nil, func(c *component.Call) error {
		var got bytes.Buffer
		out := wasiio.NewOutputStream(&got, wasiio.OutputOptions{Blocking: wasiio.NeverBlocks})
		in := wasiio.NewInputStream(strings.NewReader("0123456789"), wasiio.InputOptions{Blocking: wasiio.NeverBlocks})
		if n, err := out.Splice(c, in, 4); n != 4 || err != nil {
			t.Errorf("splice: %d, %v", n, err)
		}
		if n, err := out.Splice(c, in, 0); n != 0 || err != nil {
			t.Errorf("splice of nothing: %d, %v", n, err)
		}
		if n, err := out.BlockingSplice(c, in, 100); n != 6 || err != nil {
			t.Errorf("blocking-splice: %d, %v", n, err)
		}
		if got.String() != "0123456789" {
			t.Errorf("spliced %q", got.String())
		}
		if _, err := out.BlockingSplice(c, in, 1); !closedCase(err) {
			t.Errorf("splice from an ended stream: %v, want closed", err)
		}
		bad := wasiio.NewInputStream(failingReader{broken}, wasiio.InputOptions{})
		if _, err := out.BlockingSplice(c, bad, 1); !failedCase(err) {
			t.Errorf("splice from a failed stream: %v, want last-operation-failed", err)
		}
		// Without room nothing is taken from the source.
		pipe := wasiio.NewPipe()
		_ = pipe.Write(c.Context(), []byte("x"))
		in = wasiio.NewInputStream(strings.NewReader("abc"), wasiio.InputOptions{Blocking: wasiio.NeverBlocks})
		if n, err := wasiio.NewSinkStream(pipe, nil).Splice(c, in, 3); n != 0 || err != nil {
			t.Errorf("splice into a full pipe: %d, %v", n, err)
		}
		if b, err := in.Read(c, 9); string(b) != "abc" || err != nil {
			t.Errorf("left in the source: %q, %v", b, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

type failingReader struct{ err error }

func (f failingReader) Read([]byte) (int, error) { return 0, f.err }

func TestOutputDrop(t *testing.T) {
	closed := 0
	s := wasiio.NewOutputStream(io.Discard, wasiio.OutputOptions{Close: func() { closed++ }})
	s.Drop()
	s.Drop()
	if closed != 1 {
		t.Errorf("closed %d times", closed)
	}
	if err := s.WriteAll(t.Context(), []byte("x")); !closedCase(err) {
		t.Errorf("write after drop: %v, want closed", err)
	}
}
