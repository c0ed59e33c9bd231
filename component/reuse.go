package component

import (
	"context"
	"fmt"
)

// Reusable is an instantiation that serves one request after another, each in
// the state that the one before left: memory, globals and handles. It belongs
// to one goroutine at a time.
//
//	r, err := pre.InstantiateReusable(ctx, host, limits)
//	for each request {
//		in, err := r.Begin(ctx, host)
//		…       // calls into in
//		r.End()
//	}
//	r.Close()
type Reusable struct{ in *Instance }

// InstantiateReusable makes an instance and runs the code that its core modules
// run at instantiation, with host as the value that host functions get from
// Call.Host. ctx bounds the instantiation only. It fails as Instantiate does. The
// caller must Close the result.
func (p *InstancePre) InstantiateReusable(ctx context.Context, host any, limits Limits) (*Reusable, error) {
	in, err := p.instantiate(ctx, InstantiateOptions{Host: host, Limits: limits}, false)
	if err != nil {
		return nil, err
	}
	r := &Reusable{in}
	r.End()
	return r, nil
}

// Begin opens a request and returns the Instance, the same for every request.
// host is what host functions get from Call.Host from now on; host resources
// that the guest kept from an earlier request stay what they were. ctx bounds
// the request as it does a new Instance's life: until End, its end interrupts
// guest code. After a trap the Reusable is fit only for Close.
func (r *Reusable) Begin(ctx context.Context, host any) (*Instance, error) {
	in := r.in
	if err := in.usable(); err != nil {
		return nil, fmt.Errorf("component %s: begin: %w", in.pre.name, err)
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("component %s: begin: %w", in.pre.name, context.Cause(ctx))
	}
	in.ctx, in.host = ctx, host
	deadline, _ := ctx.Deadline()
	in.store.Renew(in, deadline)
	in.attach(in.store)
	return in, nil
}

// End ends the request: its context has no hold on the instance any more.
func (r *Reusable) End() {
	r.in.pre.watch.remove(r.in)
}

// Fault returns the trap that ended the instance, nil while it is sound.
func (r *Reusable) Fault() error { return r.in.fault }

// Close frees the instantiation and drops the host resources that it still owns.
// Closing twice does nothing.
func (r *Reusable) Close() { r.in.Close() }
