package wasiio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/minispin/minispin/wit/bindings/wasi/io/streams"
)

var errStop = errors.New("stopped by the test")

// endingIn returns a context that ends after d with the cause errStop.
func endingIn(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeoutCause(context.Background(), d, errStop)
	t.Cleanup(cancel)
	return ctx
}

// caseOf returns the case of a stream-error, or what else err is.
func caseOf(err error) string {
	if e, ok := err.(streams.StreamError); ok {
		return e.Case.String()
	}
	return fmt.Sprint(err)
}

// slow gives its chunks one by one, each after a while, then err.
type slow struct {
	every  time.Duration
	chunks []string
	err    error
	reads  int
}

func (s *slow) Read(p []byte) (int, error) {
	s.reads++
	time.Sleep(s.every)
	if len(s.chunks) == 0 {
		return 0, s.err
	}
	n := copy(p, s.chunks[0])
	s.chunks = s.chunks[1:]
	return n, nil
}

func TestInputTakesAllThenEnds(t *testing.T) {
	broken := errors.New("the disk is on fire")
	tests := []struct {
		name string
		r    func() io.Reader
		want string
		ends []string // how the stream ends, call by call
	}{
		{"end", func() io.Reader { return strings.NewReader("some bytes") }, "some bytes", []string{"closed", "closed"}},
		{"empty", func() io.Reader { return strings.NewReader("") }, "", []string{"closed", "closed"}},
		{"end with the data", func() io.Reader { return iotest.DataErrReader(strings.NewReader("abc")) }, "abc", []string{"closed"}},
		{"one byte at a time", func() io.Reader { return iotest.OneByteReader(strings.NewReader("abc")) }, "abc", []string{"closed"}},
		{"failure", func() io.Reader { return io.MultiReader(strings.NewReader("ab"), iotest.ErrReader(broken)) }, "ab",
			[]string{"last-operation-failed", "closed", "closed"}},
		{"no progress", func() io.Reader { return stuck{} }, "", []string{"last-operation-failed", "closed"}},
		{"longer than the buffer", func() io.Reader { return strings.NewReader(strings.Repeat("x", readAhead+5)) },
			strings.Repeat("x", readAhead+5), []string{"closed"}},
		{"panic", func() io.Reader { return panicking{} }, "", []string{"last-operation-failed", "closed"}},
	}
	for _, tt := range tests {
		for _, b := range []Blocking{MayBlock, EndsWithContext, NeverBlocks} {
			if tt.name == "panic" && b != MayBlock {
				continue // on the guest's goroutine, where it is recovered at the boundary
			}
			t.Run(fmt.Sprintf("%s/%d", tt.name, b), func(t *testing.T) {
				s := NewInputStream(tt.r(), InputOptions{Blocking: b})
				defer s.Drop()
				var got strings.Builder
				for {
					p, err := s.WaitRead(context.Background(), 7)
					if err != nil {
						if c := caseOf(err); c != tt.ends[0] {
							t.Errorf("ended with %s, want %s", c, tt.ends[0])
						}
						break
					}
					if len(p) == 0 || len(p) > 7 {
						t.Fatalf("a blocking read of 7 gave %d bytes", len(p))
					}
					got.Write(p)
				}
				if got.String() != tt.want {
					t.Errorf("read %d bytes %.20q, want %d", got.Len(), got.String(), len(tt.want))
				}
				for _, want := range tt.ends[1:] {
					if _, err := s.TryRead(0); caseOf(err) != want {
						t.Errorf("after the end: %s, want %s", caseOf(err), want)
					}
				}
			})
		}
	}
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("a bug") }

func TestInputErrorIsKept(t *testing.T) {
	broken := errors.New("the disk is on fire")
	s := NewInputStream(iotest.ErrReader(broken), InputOptions{})
	_, err := s.WaitRead(context.Background(), 1)
	e, ok := err.(streams.StreamError)
	if !ok || !errors.Is(e.LastOperationFailed.(error), broken) {
		t.Fatalf("got %v, want the reader's own error inside", err)
	}
	if text, _ := e.LastOperationFailed.ToDebugString(nil); text != broken.Error() {
		t.Errorf("to-debug-string gave %q", text)
	}
}

// A read that need not wait never waits, and a guest that only ever asks in a
// loop gets its bytes all the same.
func TestInputTryRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &slow{every: time.Second, chunks: []string{"hello"}, err: io.EOF}
		s := NewInputStream(r, InputOptions{Blocking: EndsWithContext})
		defer s.Drop()
		begin := time.Now()
		for range 2 {
			if p, err := s.TryRead(10); len(p) != 0 || err != nil {
				t.Fatalf("got %q, %v from a reader with nothing", p, err)
			}
		}
		if !time.Now().Equal(begin) {
			t.Error("a read that must not wait has waited")
		}
		time.Sleep(1500 * time.Millisecond)
		if p, err := s.TryRead(3); string(p) != "hel" || err != nil {
			t.Errorf("got %q, %v", p, err)
		}
		if p, err := s.TryRead(10); string(p) != "lo" || err != nil {
			t.Errorf("got %q, %v", p, err)
		}
		if p, err := s.WaitRead(context.Background(), 10); caseOf(err) != "closed" {
			t.Errorf("got %q, %v", p, err)
		}
	})
}

// The usual loop of guests (wait, read, wait) makes every Read on the guest's
// own goroutine.
func TestInputNoGoroutine(t *testing.T) {
	var onRead string
	r := readerFunc(func(p []byte) (int, error) {
		onRead = goroutine()
		return copy(p, "xy"), nil
	})
	s := NewInputStream(r, InputOptions{Blocking: EndsWithContext})
	defer s.Drop()
	for range 5 {
		if p, err := s.TryRead(10); len(p) != 0 || err != nil {
			t.Fatalf("read before waiting: %q, %v", p, err)
		}
		if _, err := Poll(context.Background(), []Event{s.Event()}); err != nil {
			t.Fatal(err)
		}
		if p, err := s.TryRead(10); string(p) != "xy" || err != nil {
			t.Fatalf("got %q, %v", p, err)
		}
		if own := goroutine(); onRead != own {
			t.Fatalf("read on %s, the guest is on %s", onRead, own)
		}
	}
}

// goroutine names the goroutine that calls it.
func goroutine() string {
	stack := make([]byte, 64)
	name, _, _ := strings.Cut(string(stack[:runtime.Stack(stack, false)]), " [")
	return name
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestInputEndsWithContext(t *testing.T) {
	t.Run("a reader that nothing interrupts", func(t *testing.T) {
		r, w := io.Pipe()
		s := NewInputStream(r, InputOptions{Close: func() { r.Close() }})
		for _, wait := range []func(context.Context) error{
			func(ctx context.Context) error { _, err := s.WaitRead(ctx, 1); return err },
			s.Event().Block,
		} {
			if err := wait(endingIn(t, 10*time.Millisecond)); !errors.Is(err, errStop) {
				t.Errorf("got %v, want the context's cause", err)
			}
		}
		s.Drop()
		w.Close()
	})
	t.Run("a reader that ends with the context", func(t *testing.T) {
		r, w := io.Pipe()
		defer w.Close()
		ctx := endingIn(t, 10*time.Millisecond)
		defer context.AfterFunc(ctx, func() { r.CloseWithError(errors.New("connection closed")) })()
		s := NewInputStream(r, InputOptions{Blocking: EndsWithContext})
		defer s.Drop()
		if _, err := s.WaitRead(ctx, 1); !errors.Is(err, errStop) {
			t.Errorf("got %v, want the context's cause and not the reader's error", err)
		}
	})
	t.Run("already over", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(errStop)
		s := NewInputStream(readerFunc(func([]byte) (int, error) { t.Error("read"); return 0, io.EOF }), InputOptions{})
		if _, err := s.WaitRead(ctx, 1); !errors.Is(err, errStop) {
			t.Errorf("got %v", err)
		}
	})
}

// What was read ahead before the context ended is not lost for a later call.
func TestInputKeepsReadAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewInputStream(&slow{every: time.Minute, chunks: []string{"late"}, err: io.EOF}, InputOptions{})
		if _, err := s.WaitRead(endingIn(t, time.Second), 9); !errors.Is(err, errStop) {
			t.Fatalf("got %v", err)
		}
		if p, err := s.WaitRead(context.Background(), 9); string(p) != "late" || err != nil {
			t.Errorf("got %q, %v", p, err)
		}
		s.Drop()
	})
}

func TestInputDrop(t *testing.T) {
	r, w := io.Pipe()
	closed := 0
	s := NewInputStream(r, InputOptions{Close: func() { closed++; r.Close() }})
	ev := s.Event()
	if ev.Ready() {
		t.Error("ready with nothing there")
	}
	s.Drop() // with a read under way
	s.Drop()
	if closed != 1 {
		t.Errorf("closed %d times", closed)
	}
	if _, err := w.Write([]byte("x")); err == nil {
		t.Error("the reader was not closed")
	}
	// A pollable may outlive its stream: it has happened.
	if !ev.Ready() || ev.Block(context.Background()) != nil {
		t.Error("a pollable of a dropped stream does not happen")
	}
	if _, err := s.TryRead(1); caseOf(err) != "closed" {
		t.Errorf("read after drop: %v", err)
	}
}
