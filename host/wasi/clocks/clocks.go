// Package clocks is the host of wasi:clocks: a monotonic clock with timers, and
// a wall clock.
//
// Clocks are values, so that an embedder can give a guest other ones; which
// guest gets which is not decided here. Its one idea: an instant is a count of
// nanoseconds in 64 bits that a guest may fill with anything, and every
// difference is taken without wrapping.
package clocks

import (
	"fmt"
	"math"
	"runtime"
	"time"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host/wasi/io"
	"github.com/minispin/minispin/wit/bindings/wasi/clocks/monotonicclock"
	"github.com/minispin/minispin/wit/bindings/wasi/clocks/wallclock"
	"github.com/minispin/minispin/wit/bindings/wasi/io/poll"
)

// Clocks are the clocks of one guest. The zero value has the real ones.
type Clocks struct {
	// Monotonic returns the time since a fixed point and never goes back; nil
	// means the time since the process started. Timers measure real time from
	// the moment they are made, whatever Monotonic says later.
	Monotonic func() time.Duration
	// Wall returns the time of day; nil means time.Now.
	Wall func() time.Time
}

var start = time.Now()

// Now returns the monotonic clock in nanoseconds.
func (k *Clocks) Now() uint64 {
	if k.Monotonic != nil {
		return uint64(max(0, k.Monotonic()))
	}
	return uint64(time.Since(start))
}

// WallNow returns the time of day. Times before 1970, which WASI cannot say,
// are 1970.
func (k *Clocks) WallNow() time.Time {
	now := time.Now()
	if k.Wall != nil {
		now = k.Wall()
	}
	if now.Before(time.Unix(0, 0)) {
		return time.Unix(0, 0)
	}
	return now
}

// Resolution returns the smallest step of both clocks, in nanoseconds.
func Resolution() uint64 {
	if runtime.GOOS == "windows" {
		return 100
	}
	return 1
}

// Until returns how long it is from now to when, both in nanoseconds: zero when
// when is past, and the longest Duration (292 years) when it is further away.
func Until(when, now uint64) time.Duration {
	if when <= now {
		return 0
	}
	return Length(when - now)
}

// Length returns ns nanoseconds as a Duration, at most the longest there is.
func Length(ns uint64) time.Duration {
	return time.Duration(min(ns, math.MaxInt64))
}

// Define adds wasi:clocks/monotonic-clock and wall-clock to l; of gives the
// clocks of the instance that calls.
func Define(l *component.Linker, of func(*component.Call) *Clocks) error {
	for _, i := range []*component.Interface{
		monotonicclock.Bind(func(c *component.Call) monotonicclock.Host { return monotonic{of(c)} }),
		wallclock.Bind(func(c *component.Call) wallclock.Host { return wall{of(c)} }),
	} {
		if err := l.Define(i); err != nil {
			return fmt.Errorf("wasi:clocks: %w", err)
		}
	}
	return nil
}

type monotonic struct{ k *Clocks }

func (m monotonic) Now(*component.Call) (monotonicclock.Instant, error) { return m.k.Now(), nil }

func (m monotonic) Resolution(*component.Call) (monotonicclock.Duration, error) {
	return Resolution(), nil
}

func (m monotonic) SubscribeInstant(_ *component.Call, when monotonicclock.Instant) (poll.Pollable, error) {
	return pollable(Until(when, m.k.Now())), nil
}

func (m monotonic) SubscribeDuration(_ *component.Call, when monotonicclock.Duration) (poll.Pollable, error) {
	return pollable(Length(when)), nil
}

func pollable(d time.Duration) poll.Pollable {
	if d == 0 {
		return wasiio.NewPollable(wasiio.Always(), nil)
	}
	t := wasiio.NewTimer(d)
	return wasiio.NewPollable(t, t.Stop)
}

type wall struct{ k *Clocks }

func (w wall) Now(*component.Call) (wallclock.Datetime, error) {
	now := w.k.WallNow()
	return wallclock.Datetime{Seconds: uint64(now.Unix()), Nanoseconds: uint32(now.Nanosecond())}, nil
}

func (w wall) Resolution(*component.Call) (wallclock.Datetime, error) {
	return wallclock.Datetime{Nanoseconds: uint32(Resolution())}, nil
}
