package wasiio

import (
	"context"
	"errors"
	"io"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host/wasi/wasitest"
	"github.com/minispin/minispin/wit/bindings/wasi/io/poll"
)

// blocker is an Event that can only block.
type blocker struct {
	after time.Duration
	at    time.Time
}

func newBlocker(after time.Duration) *blocker { return &blocker{after, time.Now().Add(after)} }

func (b *blocker) Ready() bool { return !time.Now().Before(b.at) }

func (b *blocker) Block(ctx context.Context) error {
	select {
	case <-time.After(time.Until(b.at)):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

type panicEvent struct{}

func (panicEvent) Ready() bool                 { return false }
func (panicEvent) Block(context.Context) error { panic("a bug") }

func never() Event { return OnClose(make(chan struct{})) }

func TestPoll(t *testing.T) {
	stream := func(every time.Duration) Event {
		return NewInputStream(&slow{every: every, err: io.EOF}, InputOptions{}).Event()
	}
	tests := []struct {
		name   string
		events func() []Event
		want   []uint32
		after  time.Duration
	}{
		{"one", func() []Event { return []Event{NewTimer(time.Second)} }, []uint32{0}, time.Second},
		{"one ready", func() []Event { return []Event{Always()} }, []uint32{0}, 0},
		{"past timer", func() []Event { return []Event{never(), NewTimer(-5)} }, []uint32{1}, 0},
		{"all ready ones", func() []Event { return []Event{Always(), never(), Always()} }, []uint32{0, 2}, 0},
		{"first of timers", func() []Event { return []Event{NewTimer(3 * time.Second), NewTimer(time.Second), never()} }, []uint32{1}, time.Second},
		{"same moment", func() []Event { return []Event{NewTimer(time.Second), never(), NewTimer(time.Second)} }, []uint32{0, 2}, time.Second},
		{"first of blockers", func() []Event { return []Event{newBlocker(3 * time.Second), newBlocker(time.Second)} }, []uint32{1}, time.Second},
		{"blocker and timer", func() []Event { return []Event{newBlocker(time.Hour), NewTimer(time.Second)} }, []uint32{1}, time.Second},
		{"stream and timer", func() []Event { return []Event{stream(time.Second), NewTimer(2 * time.Second)} }, []uint32{0}, time.Second},
		{"timer and stream", func() []Event { return []Event{NewTimer(time.Second), stream(2 * time.Second)} }, []uint32{0}, time.Second},
		{"many", func() []Event {
			return []Event{never(), never(), never(), never(), newBlocker(time.Hour), never(), NewTimer(time.Second)}
		}, []uint32{6}, time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				got, err := Poll(t.Context(), tt.events())
				if err != nil || !reflect.DeepEqual(got, tt.want) {
					t.Errorf("got %v, %v; want %v", got, err, tt.want)
				}
				if d := time.Since(begin); d != tt.after {
					t.Errorf("after %v, want %v", d, tt.after)
				}
				// Whatever was started besides is bounded by its own source;
				// the bubble fails the test when a goroutine is left for good.
				time.Sleep(5 * time.Second)
			})
		})
	}
}

func TestPollEndsWithContext(t *testing.T) {
	tests := map[string][]Event{
		"one":       {never()},
		"timer":     {NewTimer(time.Hour)},
		"signalers": {never(), NewTimer(time.Hour)},
		"blockers":  {newBlocker(time.Hour), never()},
		"six":       {never(), never(), never(), never(), never(), never()},
	}
	for name, events := range tests {
		t.Run(name, func(t *testing.T) {
			begin := time.Now()
			if got, err := Poll(endingIn(t, 10*time.Millisecond), events); !errors.Is(err, errStop) {
				t.Errorf("got %v, %v; want the context's cause", got, err)
			}
			if d := time.Since(begin); d > 10*time.Second {
				t.Errorf("after %v", d)
			}
			for _, e := range events {
				if tm, ok := e.(*Timer); ok {
					tm.Stop()
				}
			}
		})
	}
}

// counted counts the calls of Block that have not returned.
type counted struct {
	Event
	running *atomic.Int32
}

func (c counted) Block(ctx context.Context) error {
	c.running.Add(1)
	defer c.running.Add(-1)
	return c.Event.Block(ctx)
}

func TestPollLeavesNothingRunning(t *testing.T) {
	var running atomic.Int32
	event := func(after time.Duration) Event { return counted{newBlocker(after), &running} }
	for range 20 {
		if _, err := Poll(t.Context(), []Event{event(time.Hour), event(time.Millisecond), event(time.Hour)}); err != nil {
			t.Fatal(err)
		}
		if n := running.Load(); n != 0 {
			t.Fatalf("%d events are still waited for after a poll", n)
		}
	}
}

func TestPollCarriesPanics(t *testing.T) {
	defer func() {
		if r := recover(); r != "a bug" {
			t.Errorf("recovered %v, want the event's panic on this goroutine", r)
		}
	}()
	_, _ = Poll(t.Context(), []Event{panicEvent{}, never()})
	t.Error("no panic")
}

// TestPollLists passes the host function of wasi:io/poll lists of many lengths.
func TestPollLists(t *testing.T) {
	for _, tt := range []struct {
		n    int
		trap string // in the error; "" when the list is taken
	}{
		{0, "the list of pollables is empty"},
		{1, ""},
		{5, ""},
		{maxPoll, ""},
		{maxPoll + 1, "longer than the 4096 that one poll takes"},
	} {
		list := make([]poll.Pollable, tt.n)
		p := NewPollable(newBlocker(time.Millisecond), nil)
		for i := range list {
			list[i] = p
		}
		var got []uint32
		err := wasitest.Call(t, t.Context(), nil, func(c *component.Call) (err error) {
			got, err = pollHost{}.Poll(c, list)
			return err
		})
		// They get ready while they are looked at, so that not all need be seen to be.
		if tt.trap == "" && (err != nil || len(got) == 0 || len(got) > tt.n) {
			t.Errorf("%d pollables: %d are ready, %v", tt.n, len(got), err)
		}
		if tt.trap != "" && (err == nil || !strings.Contains(err.Error(), tt.trap)) {
			t.Errorf("%d pollables: %v, want a trap that says %q", tt.n, err, tt.trap)
		}
	}
}

func TestBlockingOf(t *testing.T) {
	r, w := io.Pipe()
	defer r.Close()
	for _, tt := range []struct {
		v    any
		want Blocking
	}{
		{strings.NewReader(""), NeverBlocks}, {io.Discard, NeverBlocks}, {&strings.Builder{}, NeverBlocks},
		{w, MayBlock}, {bounded{}, EndsWithContext},
	} {
		if got := BlockingOf(tt.v); got != tt.want {
			t.Errorf("%T: %d, want %d", tt.v, got, tt.want)
		}
	}
}

type bounded struct{}

func (bounded) Blocking() Blocking { return EndsWithContext }
