package wasiio

import (
	"context"
	"fmt"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/wit/bindings/wasi/io/poll"
)

// Event is something that has happened or not, and stays happened until the
// guest acts on it: the substance of a pollable.
type Event interface {
	// Ready reports whether the event has happened. It never waits, but may
	// start what makes the event happen.
	Ready() bool
	// Block waits for the event. It returns the cause of ctx when ctx ends
	// first, and no other error: a failed source has happened.
	Block(ctx context.Context) error
}

// Signaler is an Event that can be waited for without a goroutine that blocks.
type Signaler interface {
	Event
	// Signal starts what makes the event happen and returns a channel that is
	// closed when it has.
	Signal() <-chan struct{}
}

// Pollable is the resource wasi:io/poll pollable. All pollables that guests hold
// are made by NewPollable, whatever host made them.
type Pollable struct {
	event Event
	drop  func()
}

var _ poll.Pollable = (*Pollable)(nil)

// NewPollable returns the resource for e; drop, which may be nil, is called once
// when the guest has dropped it.
func NewPollable(e Event, drop func()) *Pollable { return &Pollable{event: e, drop: drop} }

// Ready implements wasi:io/poll.
func (p *Pollable) Ready(*component.Call) (bool, error) { return p.event.Ready(), nil }

// Block implements wasi:io/poll.
func (p *Pollable) Block(c *component.Call) error { return p.event.Block(c.Context()) }

// Drop implements wasi:io/poll.
func (p *Pollable) Drop() {
	if p.drop != nil {
		p.drop()
	}
}

// Always returns an Event that has happened.
func Always() Event { return always{} }

type always struct{}

func (always) Ready() bool                     { return true }
func (always) Block(ctx context.Context) error { return nil }

// OnClose returns an Event that happens when ch is closed.
func OnClose(ch <-chan struct{}) Signaler { return onClose(ch) }

type onClose <-chan struct{}

func (e onClose) Ready() bool {
	select {
	case <-e:
		return true
	default:
		return false
	}
}

func (e onClose) Block(ctx context.Context) error {
	if e.Ready() {
		return nil
	}
	select {
	case <-e:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (e onClose) Signal() <-chan struct{} { return e }

// Poll waits until at least one of events has happened and returns the
// positions of all that have, in order. It returns the cause of ctx when that
// ends first. events must not be empty.
func Poll(ctx context.Context, events []Event) ([]uint32, error) {
	if len(events) == 1 {
		// On the caller's goroutine, where a stream reads without another one.
		if err := events[0].Block(ctx); err != nil {
			return nil, err
		}
		return []uint32{0}, nil
	}
	for {
		if ready := allReady(events); ready != nil {
			return ready, nil
		}
		if err := waitAny(ctx, events); err != nil {
			return nil, err
		}
	}
}

func allReady(events []Event) (ready []uint32) {
	for i, e := range events {
		if e.Ready() {
			ready = append(ready, uint32(i))
		}
	}
	return ready
}

// maxPoll is the most pollables one poll may list; a longer list traps. A list may
// name one pollable many times, so the bound on handles does not bound it, and
// each that can only block costs a goroutine while it is waited for.
const maxPoll = 4096

// pollHost is the free function of wasi:io/poll.
type pollHost struct{}

func (pollHost) Poll(c *component.Call, in []poll.Pollable) ([]uint32, error) {
	if len(in) == 0 {
		c.Trapf("poll: the list of pollables is empty")
	}
	if len(in) > maxPoll {
		c.Trapf("poll: a list of %d pollables is longer than the %d that one poll takes", len(in), maxPoll)
	}
	events := make([]Event, len(in))
	for i, p := range in {
		mine, ok := p.(*Pollable)
		if !ok {
			return nil, fmt.Errorf("poll: a pollable is of the unknown Go type %T", p)
		}
		events[i] = mine.event
	}
	return Poll(c.Context(), events)
}
