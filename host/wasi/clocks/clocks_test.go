package clocks

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host/wasi/wasitest"
	"github.com/minispin/minispin/wit/bindings/wasi/clocks/wallclock"
	"github.com/minispin/minispin/wit/bindings/wasi/io/poll"
)

func TestUntil(t *testing.T) {
	const longest = time.Duration(math.MaxInt64)
	for _, tt := range []struct {
		when, now uint64
		want      time.Duration
	}{
		{0, 0, 0}, {5, 5, 0}, {4, 5, 0}, {0, math.MaxUint64, 0},
		{6, 5, 1}, {1e9, 0, time.Second},
		{math.MaxInt64, 0, longest}, {math.MaxInt64 + 1, 0, longest}, {math.MaxUint64, 1, longest},
	} {
		if got := Until(tt.when, tt.now); got != tt.want {
			t.Errorf("from %d to %d: %v, want %v", tt.now, tt.when, got, tt.want)
		}
	}
}

func TestRealClocks(t *testing.T) {
	var k Clocks
	a := k.Now()
	time.Sleep(time.Millisecond)
	if b := k.Now(); b < a+uint64(time.Millisecond) {
		t.Errorf("from %d to %d in a millisecond", a, b)
	}
	if d := time.Since(k.WallNow()); d < 0 || d > time.Minute {
		t.Errorf("the wall clock is %v late", d)
	}
}

func TestWallClock(t *testing.T) {
	for _, tt := range []struct {
		at   time.Time
		want wallclock.Datetime
	}{
		{time.Unix(1_700_000_000, 123), wallclock.Datetime{Seconds: 1_700_000_000, Nanoseconds: 123}},
		{time.Unix(0, 0), wallclock.Datetime{}},
		{time.Unix(-1, 5), wallclock.Datetime{}}, // before 1970
	} {
		w := wall{&Clocks{Wall: func() time.Time { return tt.at }}}
		if got, err := w.Now(nil); got != tt.want || err != nil {
			t.Errorf("%v: %+v, %v", tt.at, got, err)
		}
	}
	if got, err := (wall{}).Resolution(nil); got.Seconds != 0 || got.Nanoseconds == 0 || err != nil {
		t.Errorf("resolution %+v, %v", got, err)
	}
}

// Timers happen when they should, also for values no clock reaches.
func TestTimers(t *testing.T) {
	hour := monotonic{&Clocks{Monotonic: func() time.Duration { return time.Hour }}}
	tests := []struct {
		name      string
		subscribe func() (poll.Pollable, error)
		after     time.Duration // negative: not in a century
	}{
		{"instant ahead", func() (poll.Pollable, error) { return hour.SubscribeInstant(nil, 3605e9) }, 5 * time.Second},
		{"instant now", func() (poll.Pollable, error) { return hour.SubscribeInstant(nil, 3600e9) }, 0},
		{"instant past", func() (poll.Pollable, error) { return hour.SubscribeInstant(nil, 0) }, 0},
		{"instant never", func() (poll.Pollable, error) { return hour.SubscribeInstant(nil, math.MaxUint64) }, -1},
		{"duration", func() (poll.Pollable, error) { return hour.SubscribeDuration(nil, 7e9) }, 7 * time.Second},
		{"no duration", func() (poll.Pollable, error) { return hour.SubscribeDuration(nil, 0) }, 0},
		{"endless duration", func() (poll.Pollable, error) { return hour.SubscribeDuration(nil, math.MaxUint64) }, -1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, err := tt.subscribe()
				if err != nil {
					t.Fatal(err)
				}
				defer p.Drop()
				if tt.after < 0 {
					time.Sleep(100 * 365 * 24 * time.Hour)
					if ready, _ := p.Ready(nil); ready {
						t.Error("has happened")
					}
					return
				}
				if tt.after > 0 {
					time.Sleep(tt.after - 1)
					if ready, _ := p.Ready(nil); ready {
						t.Error("has happened a nanosecond early")
					}
					time.Sleep(time.Nanosecond)
				}
				if ready, _ := p.Ready(nil); !ready {
					t.Error("has not happened")
				}
			})
		})
	}
}

func TestDefine(t *testing.T) {
	l := component.NewLinker()
	of := func(*component.Call) *Clocks { return &Clocks{} }
	if err := Define(l, of); err != nil {
		t.Fatal(err)
	}
	if Define(l, of) == nil {
		t.Error("defined twice")
	}
}

func TestBlock(t *testing.T) {
	err := wasitest.Call(t, t.Context(), nil, func(c *component.Call) error {
		p, err := monotonic{&Clocks{}}.SubscribeDuration(c, uint64(5*time.Millisecond))
		if err != nil {
			return err
		}
		defer p.Drop()
		begin := time.Now()
		if err := p.Block(c); err != nil {
			return err
		}
		if d := time.Since(begin); d < 4*time.Millisecond {
			t.Errorf("blocked for %v, want 5ms", d)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
