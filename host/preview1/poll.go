package preview1

import (
	"errors"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host/wasi/clocks"
	"github.com/minispin/minispin/host/wasi/io"
)

// maxSubscriptions is the most subscriptions one poll may have. Each costs host
// memory, and a guest has a handful.
const maxSubscriptions = 4096

// The sizes of records and the tags of poll_oneoff, types subscription and
// event.
const (
	subscriptionSize = 48
	eventSize        = 32

	tagClock = 0
	tagRead  = 1
	tagWrite = 2

	flagAbsolute = 1 << 0
	flagHangup   = 1 << 0
)

// subscription is one thing waited for.
type subscription struct {
	userdata uint64
	tag      uint8
	event    wasiio.Event
	ready    readiness // of a descriptor
	failure  Errno     // why it cannot be waited for; an event at once
}

// pollOneoff waits until one of the subscriptions at parameter 0 has happened
// and stores the events of all that have at parameter 1; parameter 2 says how
// many subscriptions there are and parameter 3 where the count of events goes.
func pollOneoff(c *call) error {
	n := c.u32(2)
	if n == 0 || n > maxSubscriptions {
		return errInval
	}
	in, err := record(c.Mem(), c.u32(0), uint64(n)*subscriptionSize)
	if err != nil {
		return err
	}
	out, err := record(c.Mem(), c.u32(1), uint64(n)*eventSize)
	if err != nil {
		return err
	}
	count, err := record(c.Mem(), c.u32(3), 4)
	if err != nil {
		return err
	}

	subs := make([]subscription, n)
	events := make([]wasiio.Event, n)
	for i := range subs {
		if err := subs[i].parse(c, in[i*subscriptionSize:][:subscriptionSize]); err != nil {
			return err
		}
		events[i] = subs[i].event
	}
	defer func() {
		for _, e := range events {
			if t, ok := e.(*wasiio.Timer); ok {
				t.Stop()
			}
		}
	}()
	happened, err := wasiio.Poll(c.Context(), events)
	if err != nil {
		return err
	}
	for i, s := range happened {
		subs[s].put(out[i*eventSize:][:eventSize])
	}
	count.PutU32(0, uint32(len(happened)))
	return nil
}

// parse reads a subscription: userdata at 0, tag at 8, and from 16 either a
// clock (id at 16, timeout at 24, precision at 32, flags at 40) or a descriptor.
// What is wrong with what it names is told by its event, and wakes the poll.
func (s *subscription) parse(c *call, r component.Memory) error {
	s.userdata, s.tag = r.U64(0), r.U8(8)
	var err error
	switch s.tag {
	case tagClock:
		s.event, err = clockEvent(&c.ctx.Clocks, r)
	case tagRead, tagWrite:
		var open *openFile
		if open, err = c.fds.use(r.U32(16), rightPoll); err != nil {
			break
		}
		if s.tag == tagRead {
			s.event, s.ready, err = open.desc.pollRead()
		} else {
			s.event, s.ready, err = open.desc.pollWrite()
		}
	default:
		return errInval
	}
	if err != nil {
		if !errors.As(err, &s.failure) {
			return err
		}
		s.event = wasiio.Always()
	}
	return nil
}

func clockEvent(k *clocks.Clocks, r component.Memory) (wasiio.Event, error) {
	now, err := clockNow(k, r.U32(16))
	if err != nil {
		return nil, err
	}
	timeout, flags := r.U64(24), r.U16(40)
	if flags&^flagAbsolute != 0 {
		return nil, errInval
	}
	d := clocks.Length(timeout)
	if flags&flagAbsolute != 0 {
		d = clocks.Until(timeout, now)
	}
	return wasiio.NewTimer(d), nil
}

// put stores the event of s: userdata at 0, error at 8, type at 10, and of a
// descriptor the count of bytes at 16 and flags at 24.
func (s *subscription) put(r component.Memory) {
	clear(r)
	r.PutU64(0, s.userdata)
	r.PutU16(8, uint16(s.failure))
	r.PutU8(10, s.tag)
	if s.ready == nil || s.failure != success {
		return
	}
	n, hangup := s.ready()
	r.PutU64(16, n)
	if hangup {
		r.PutU16(24, flagHangup)
	}
}
