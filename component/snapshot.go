package component

import (
	"context"
	"errors"
	"fmt"

	"github.com/minispin/minispin/internal/cwasm"
)

// This file serves many requests from one instantiation without any of them
// seeing what another left: a Resettable is instantiated once and put back to
// that moment after each request. A request gets an Instance of its own, so that
// whoever keeps one too long holds something closed, not the next request.

// NotResettableError says why instances of a component cannot be put back to the
// state they were instantiated with.
type NotResettableError struct {
	Component string
	Reason    string
}

// Error gives the component and the reason.
func (e *NotResettableError) Error() string {
	return fmt.Sprintf("component %s cannot be reset: %s", e.Component, e.Reason)
}

// ResetSupported says what keeps this system from having an engine whose
// instances can be reset, as an error; nil when nothing does.
func ResetSupported() error { return cwasm.ResetSupported(cwasm.ScanAuto) }

// ResetConfig says how instances are put back. The zero value is the usual
// choice.
type ResetConfig struct {
	// KeepResident is how many bytes of memory pages an instance that waits for
	// its next request may keep of its own, over what all share; when a request
	// wrote more, the system gets them all back. Default 16 MiB.
	KeepResident int64

	// GuardPages has accesses beyond a memory's size caught by inaccessible
	// pages and not by compiled code. Guests that compute long run faster by a
	// tenth to a half; every reset after a memory grew costs ten microseconds
	// more and disturbs whatever else the process runs.
	GuardPages bool
}

func (c *ResetConfig) core() *cwasm.Reset {
	r := &cwasm.Reset{KeepResident: c.KeepResident}
	if c.GuardPages {
		r.Bounds = cwasm.BoundsGuard
	}
	return r
}

// Resettable says why instances of p cannot be reset, nil when they can as far
// as is known. What code does at instantiation shows only then: the first
// InstantiateResettable tells, and Resettable says so from then on. The error is
// a *NotResettableError.
func (p *InstancePre) Resettable() error {
	if e := p.notResettable.Load(); e != nil {
		return e
	}
	return nil
}

// Resettable is an instantiation that serves one request after another, each
// from the state that it was instantiated with. It belongs to one goroutine at
// a time.
//
//	r, err := pre.InstantiateResettable(ctx, limits)
//	for each request {
//		in, err := r.Begin(ctx, host)
//		…              // calls into in
//		err = r.Reset() // or else r.Close()
//	}
type Resettable struct {
	pre     *InstancePre
	store   *cwasm.Store
	handles int
	in      *Instance // of the request under way
	used    bool      // since the last reset
	fault   error     // why it cannot be used any more
	closed  bool
}

var errBusy = errors.New("the instance is serving a request")

// InstantiateResettable makes an instance, runs the code that its core modules
// run at instantiation and takes that moment for the state to go back to. ctx
// bounds the instantiation only. The caller must Close the result.
//
// Code that runs at instantiation may not call the host: what it would learn is
// one request's, and would be every later one's. That, as everything else that
// makes a component unfit, gives a *NotResettableError.
func (p *InstancePre) InstantiateResettable(ctx context.Context, limits Limits) (*Resettable, error) {
	if err := p.Resettable(); err != nil {
		return nil, err
	}
	in, err := p.instantiate(ctx, InstantiateOptions{Limits: limits}, true)
	if err != nil {
		var call *cwasm.HostCallError
		if errors.As(err, &call) {
			e := &NotResettableError{Component: p.name, Reason: "code that runs at instantiation calls " + p.hostName(call.Host)}
			p.notResettable.Store(e)
			return nil, e
		}
		return nil, err
	}
	r := &Resettable{pre: p, store: in.store, handles: limits.Handles}
	if err := r.store.Snapshot(); err != nil {
		in.Close()
		if errors.Is(err, cwasm.ErrSnapshotDiffers) {
			return nil, &NotResettableError{Component: p.name, Reason: "code that runs at instantiation does not always do the same: " + err.Error()}
		}
		return nil, fmt.Errorf("component %s: instantiate: %w", p.name, err)
	}
	in.detach()
	return r, nil
}

func (p *InstancePre) hostName(host int) string {
	if name := p.hostNames[host]; name != "" {
		return name
	}
	return "a built-in of the component model"
}

// Begin opens a request: an Instance in the state of a new one, with host as the
// value that host functions get from Call.Host. ctx bounds the Instance's life,
// as it does for InstancePre.Instantiate. Closing the Instance, or resetting,
// ends the request and drops what it still owns.
func (r *Resettable) Begin(ctx context.Context, host any) (*Instance, error) {
	if err := r.usable(); err != nil {
		return nil, fmt.Errorf("component %s: begin: %w", r.pre.name, err)
	}
	if r.used {
		return nil, fmt.Errorf("component %s: begin: the instance was not reset after its last request", r.pre.name)
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("component %s: begin: %w", r.pre.name, context.Cause(ctx))
	}
	in := r.pre.newInstance(ctx, host, r.handles)
	in.owner = r
	deadline, _ := ctx.Deadline()
	r.store.Renew(in, deadline)
	in.attach(r.store)
	r.in, r.used = in, true
	return in, nil
}

// Reset puts the instance back to the state it was instantiated with, closing
// the Instance of the request before. After an error, which includes any trap
// that the request met, it is fit only for Close.
func (r *Resettable) Reset() error {
	if r.in != nil {
		if r.store.Running() {
			return fmt.Errorf("component %s: reset: %w", r.pre.name, errBusy)
		}
		r.in.Close()
	}
	if err := r.usable(); err != nil {
		return fmt.Errorf("component %s: reset: %w", r.pre.name, err)
	}
	if err := r.store.Reset(); err != nil {
		r.fault = err
		return fmt.Errorf("component %s: %w", r.pre.name, err)
	}
	r.used = false
	return nil
}

func (r *Resettable) usable() error {
	switch {
	case r.closed:
		return ErrInstanceClosed
	case r.in != nil:
		return errBusy
	case r.fault != nil:
		return fmt.Errorf("%w: %w", ErrPoisoned, r.fault)
	}
	return nil
}

// Fault returns what made the instance unfit for further requests, nil while it
// is fit.
func (r *Resettable) Fault() error { return r.fault }

// Resident returns how many bytes of memory pages the instance has of its own,
// over what all instances of its component share.
func (r *Resettable) Resident() int64 { return r.store.Resident() }

// Close frees the instantiation, after closing the Instance of a request that is
// under way. Closing twice does nothing. It must not be called by a host
// function of the instance.
func (r *Resettable) Close() {
	if r.closed {
		return
	}
	r.closed = true
	defer r.store.Close()
	if r.in != nil {
		r.in.Close()
	}
}

// ended takes leave of the request's Instance.
func (r *Resettable) ended(in *Instance) {
	r.in = nil
	if in.fault != nil {
		r.fault = in.fault
	}
}

// detach closes an Instance and leaves its store alone.
func (in *Instance) detach() {
	if in.store.Running() {
		panic("component: Instance.Close while its guest is running")
	}
	in.closed = true
	if in.owner != nil {
		defer in.owner.ended(in)
	}
	in.pre.watch.remove(in)
	in.store = cwasm.ClosedStore()
	in.release()
}
