package preview1

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/minispin/minispin/host/wasi"
	"github.com/minispin/minispin/host/wasi/clocks"
)

// sub is a subscription as the guest writes it.
type sub struct {
	userdata uint64
	tag      uint8
	id       uint32 // clock or descriptor
	timeout  uint64
	flags    uint16
}

// event is an event as the guest reads it.
type event struct {
	userdata uint64
	errno    Errno
	tag      uint8
	n        uint64
	flags    uint16
}

const (
	subsAt   = 1024
	eventsAt = 8192
	countAt  = 16
)

// subscribe stores subscriptions at subsAt.
func (g *guest) subscribe(subs []sub) {
	for i, s := range subs {
		r := uint32(subsAt + i*subscriptionSize)
		g.Mem().PutU64(r, s.userdata)
		g.Mem().PutU8(r+8, s.tag)
		g.Mem().PutU32(r+16, s.id)
		g.Mem().PutU64(r+24, s.timeout)
		g.Mem().PutU16(r+40, s.flags)
	}
}

// poll polls subs and returns the events.
func (g *guest) poll(subs ...sub) []event {
	g.t.Helper()
	g.subscribe(subs)
	g.want(success, "poll_oneoff", subsAt, eventsAt, uint64(len(subs)), countAt)
	events := make([]event, g.Mem().U32(countAt))
	for i := range events {
		r := uint32(eventsAt + i*eventSize)
		events[i] = event{g.Mem().U64(r), Errno(g.Mem().U16(r + 8)), g.Mem().U8(r + 10), g.Mem().U64(r + 16), g.Mem().U16(r + 24)}
	}
	return events
}

func (g *guest) wantEvents(got []event, want ...event) {
	g.t.Helper()
	if len(got) != len(want) {
		g.t.Errorf("events %+v, want %+v", got, want)
		return
	}
	for i := range got {
		if got[i] != want[i] {
			g.t.Errorf("event %d is %+v, want %+v", i, got[i], want[i])
		}
	}
}

func TestPollClocks(t *testing.T) {
	const ms = uint64(time.Millisecond)
	ok(t, wasi.Ctx{}, func(g *guest) {
		begin := time.Now()
		g.wantEvents(g.poll(
			sub{userdata: 1, id: clockMonotonic, timeout: 1 << 63},
			sub{userdata: 2, id: clockMonotonic, timeout: 20 * ms},
			sub{userdata: 3, id: clockRealtime, timeout: 1<<64 - 1},
		), event{userdata: 2})
		if d := time.Since(begin); d < 20*time.Millisecond || d > 20*time.Second {
			t.Errorf("after %v, want 20ms", d)
		}
		now := uint64(time.Now().UnixNano())
		begin = time.Now()
		g.wantEvents(g.poll(sub{userdata: 4, id: clockRealtime, timeout: now + 20*ms, flags: flagAbsolute}), event{userdata: 4})
		if d := time.Since(begin); d < 15*time.Millisecond || d > 20*time.Second {
			t.Errorf("after %v, want 20ms", d)
		}
		g.wantEvents(g.poll(sub{userdata: 5, id: clockRealtime, timeout: now, flags: flagAbsolute}), event{userdata: 5})
		g.wantEvents(g.poll(sub{userdata: 6, id: clockMonotonic, timeout: 0}), event{userdata: 6})
		// What cannot be waited for is told at once.
		g.wantEvents(g.poll(
			sub{userdata: 7, id: clockThreadCPU},
			sub{userdata: 8, id: clockMonotonic, timeout: 1 << 63},
			sub{userdata: 9, id: 77},
			sub{userdata: 10, id: clockMonotonic, flags: 2},
		), event{userdata: 7, errno: errNotsup}, event{userdata: 9, errno: errInval}, event{userdata: 10, errno: errInval})
	})
	// An absolute time is measured by the guest's own clock.
	x := wasi.Ctx{Clocks: clocks.Clocks{Monotonic: func() time.Duration { return time.Hour }}}
	ok(t, x, func(g *guest) {
		g.wantEvents(g.poll(
			sub{userdata: 1, id: clockMonotonic, timeout: 3700e9, flags: flagAbsolute},
			sub{userdata: 2, id: clockMonotonic, timeout: 3600e9, flags: flagAbsolute},
		), event{userdata: 2})
	})
}

func TestPollStreams(t *testing.T) {
	const far = 1 << 63
	ok(t, wasi.Ctx{Stdin: strings.NewReader("hello")}, func(g *guest) {
		g.wantEvents(g.poll(
			sub{userdata: 1, tag: tagRead, id: 0},
			sub{userdata: 2, tag: tagWrite, id: 1},
			sub{userdata: 3, id: clockMonotonic, timeout: far},
		), event{userdata: 1, tag: tagRead, n: 5}, event{userdata: 2, tag: tagWrite, n: 1 << 20})
		g.iovecs(100, 500, 9)
		g.want(success, "fd_read", 0, 100, 1, 50)
		g.wantEvents(g.poll(sub{userdata: 4, tag: tagRead, id: 0}), event{userdata: 4, tag: tagRead, flags: flagHangup})
		g.wantEvents(g.poll(
			sub{userdata: 5, tag: tagRead, id: 9}, sub{userdata: 6, tag: tagWrite, id: 0}, sub{userdata: 7, tag: tagRead, id: 2},
		),
			event{userdata: 5, tag: tagRead, errno: errBadf},
			event{userdata: 6, tag: tagWrite, errno: errBadf},
			event{userdata: 7, tag: tagRead, errno: errBadf})
		g.want(success, "fd_fdstat_set_rights", 1, uint64(rightWrite), 0)
		g.wantEvents(g.poll(sub{userdata: 8, tag: tagWrite, id: 1}), event{userdata: 8, tag: tagWrite, errno: errNotcap})
	})

	r, w := io.Pipe()
	defer w.Close()
	ok(t, wasi.Ctx{Stdin: r}, func(g *guest) {
		// Nothing there: the clock comes first, and the bytes are not lost.
		g.wantEvents(g.poll(
			sub{userdata: 1, tag: tagRead, id: 0},
			sub{userdata: 2, id: clockMonotonic, timeout: uint64(5 * time.Millisecond)},
		), event{userdata: 2})
		go func() { _, _ = w.Write([]byte("late")) }()
		g.wantEvents(g.poll(sub{userdata: 3, tag: tagRead, id: 0}), event{userdata: 3, tag: tagRead, n: 4})
	})
}

func TestPollRefusals(t *testing.T) {
	ok(t, wasi.Ctx{}, func(g *guest) {
		g.subscribe([]sub{{id: clockMonotonic, timeout: 1 << 63}})
		g.want(errInval, "poll_oneoff", subsAt, eventsAt, 0, countAt)
		g.want(errInval, "poll_oneoff", subsAt, eventsAt, maxSubscriptions+1, countAt)
		g.want(errFault, "poll_oneoff", page-47, eventsAt, 1, countAt)
		g.want(errFault, "poll_oneoff", subsAt, page-31, 1, countAt)
		g.want(errFault, "poll_oneoff", subsAt, eventsAt, 1, page-3)
		g.subscribe([]sub{{tag: 3}})
		g.want(errInval, "poll_oneoff", subsAt, eventsAt, 1, countAt)
	})
}

// Every call that can wait ends with the request.
func TestWaitsEndWithContext(t *testing.T) {
	stop := errors.New("stopped by the test")
	in, inw := io.Pipe()
	defer inw.Close()
	outr, out := io.Pipe()
	defer outr.Close()
	tests := map[string]func(g *guest) error{
		"sleep": func(g *guest) error {
			g.subscribe([]sub{{id: clockMonotonic, timeout: 1 << 63}})
			_, err := g.try("poll_oneoff", subsAt, eventsAt, 1, countAt)
			return err
		},
		"poll": func(g *guest) error {
			g.subscribe([]sub{{id: clockMonotonic, timeout: 1 << 63}, {tag: tagRead}})
			_, err := g.try("poll_oneoff", subsAt, eventsAt, 2, countAt)
			return err
		},
		"read": func(g *guest) error {
			g.iovecs(100, 500, 9)
			_, err := g.try("fd_read", 0, 100, 1, 50)
			return err
		},
		"write": func(g *guest) error {
			g.iovecs(100, 500, 9)
			_, err := g.try("fd_write", 1, 100, 1, 50)
			return err
		},
	}
	for name, body := range tests {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Millisecond, stop)
			defer cancel()
			if err := run(t, ctx, wasi.Ctx{Stdin: in, Stdout: out}, body); !errors.Is(err, stop) {
				t.Errorf("got %v, want the context's cause", err)
			}
		})
	}
}
