package component

import (
	"context"
	"errors"
	"fmt"

	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/internal/cwasm"
)

// Instance is one instantiation of a component. It belongs to one goroutine at
// a time, but for Cancel.
type Instance struct {
	pre     *InstancePre
	store   *cwasm.Store
	ctx     context.Context
	host    any
	state   *[]componentInstance // what cis is a view of, to give back
	cis     []componentInstance
	owner   *Resettable // whose store it is, nil when it has its own
	cancel  cwasm.Canceler
	watched links
	fault   error // what trapped the instance, nil while it is sound
	closed  bool

	calls []*Call // the crossings in flight, outermost first, and spare ones
	depth int
	first [2]Call  // where calls begins: the host calls in, the guest calls out
	spots [4]*Call // and its backing
	raw   [1]Raw   // for _initialize, which takes no values
}

// componentInstance is the state of one component instance in the graph: its
// handle table and the flags of the canonical ABI.
//
// CanonicalABI.md, section Component Instance State.
type componentInstance struct {
	index    int
	handles  abi.Table
	mayLeave bool
	running  bool // not may_enter
}

// Limits bound what one Instance may take. Zero means the default.
type Limits struct {
	MemoryBytes   int64 // each linear memory; default 4 GiB, Wasmtime's own bound
	Memories      int64 // linear memories; default 32
	TableElements int64 // each table; default 100,000
	Handles       int   // each component instance's handle table; default abi.DefaultMaxHandles
}

const defaultMemories = 32

// InstantiateOptions say what an instance runs with.
type InstantiateOptions struct {
	// Host is the embedder's value that host functions get from Call.Host.
	Host any
	// Limits bound the instance.
	Limits Limits
}

// Instantiate makes an instance and runs the code that its core modules run at
// instantiation. ctx bounds the instance's whole life: when it is cancelled or
// its deadline passes, guest code that runs is interrupted within an epoch tick
// and host functions see ctx done. The caller must Close the instance.
//
// It fails with a *Trap when the code of a core module traps, with an error that
// matches ErrPoolExhausted when the engine's pool is full, and when the limits are
// too narrow for what the component begins with.
//
// Explainer.md, section Instance Definitions.
func (p *InstancePre) Instantiate(ctx context.Context, opts InstantiateOptions) (*Instance, error) {
	return p.instantiate(ctx, opts, false)
}

// instantiate is Instantiate; when it is sealed, code that runs at instantiation
// cannot call the host.
func (p *InstancePre) instantiate(ctx context.Context, opts InstantiateOptions, sealed bool) (*Instance, error) {
	if ctx.Err() != nil {
		return nil, fmt.Errorf("component %s: instantiate: %w", p.name, context.Cause(ctx))
	}
	in := p.newInstance(ctx, opts.Host, opts.Limits.Handles)
	deadline, _ := ctx.Deadline()
	limits := cwasm.Limits{
		MemoryBytes:   opts.Limits.MemoryBytes,
		Memories:      opts.Limits.Memories,
		TableElements: opts.Limits.TableElements,
	}
	if limits.Memories == 0 {
		limits.Memories = defaultMemories
	}
	store, err := p.plan.NewStore(cwasm.StoreOptions{Data: in, Limits: limits, Deadline: deadline, Sealed: sealed})
	if err != nil {
		in.release()
		return nil, fmt.Errorf("component %s: instantiate: %w", p.name, err)
	}
	in.attach(store)
	if err := in.start(); err != nil {
		in.Close()
		return nil, fmt.Errorf("component %s: %w", p.name, err)
	}
	return in, nil
}

// newInstance makes an Instance without a store.
func (p *InstancePre) newInstance(ctx context.Context, host any, handles int) *Instance {
	in := &Instance{pre: p, ctx: ctx, host: host, state: p.take()}
	in.calls = append(in.spots[:0], &in.first[0], &in.first[1])
	in.cis = *in.state
	for i := range in.cis {
		in.cis[i].mayLeave = true
		in.cis[i].handles.SetMax(handles)
	}
	return in
}

// attach gives the Instance its store, and has the end of its context cancel
// what runs there.
func (in *Instance) attach(store *cwasm.Store) {
	in.store, in.cancel = store, store.Canceler()
	if in.ctx.Done() != nil {
		in.pre.watch.add(in)
	}
}

// start makes the core instances and runs a core module's _initialize.
func (in *Instance) start() error {
	if err := in.store.Start(); err != nil {
		return in.failed(err)
	}
	if in.pre.initialize < 0 {
		return nil
	}
	entering := in.pre.entering(in.pre.main)
	in.enter(entering)
	defer in.leave(entering)
	if err := in.call(in.pre.initialize, in.raw[:]); err != nil {
		return fmt.Errorf("instantiate: _initialize: %w", err)
	}
	return nil
}

// Cancel interrupts guest code that runs in the instance. It may be called from
// any goroutine at any time: also when nothing runs, and after Close, when it
// does nothing.
func (in *Instance) Cancel() { in.cancel.Cancel() }

// Fault returns the trap that ended the instance, or nil while it is sound.
func (in *Instance) Fault() error { return in.fault }

// Pre returns what the instance was made from.
func (in *Instance) Pre() *InstancePre { return in.pre }

// Close frees the instance and drops every host resource its handle tables
// still own: those of each component instance in the order of their handles.
// The instance cannot be used after. Closing twice does nothing. Close must not
// be called by a host function of the instance.
//
// If a resource's drop function panics, the others are dropped all the same
// before the panic goes on.
func (in *Instance) Close() {
	if in.closed {
		return
	}
	if in.owner != nil {
		in.detach()
		return
	}
	in.closed = true
	in.pre.watch.remove(in)
	in.store.Close()
	in.release()
}

// release drops what the tables own and gives them back for another use. What
// the instance refers to is let go, should somebody keep the instance.
func (in *Instance) release() {
	done := false
	defer func() {
		if !done {
			return // a drop panicked: these tables are not used again
		}
		in.pre.states.Put(in.state)
		in.state, in.cis, in.calls, in.host = nil, nil, nil, nil
		in.first = [2]Call{}
	}()
	resetAll(in.cis)
	done = true
}

// resetAll empties every table, also those after one whose drops panic.
func resetAll(cis []componentInstance) {
	for i := range cis {
		done := false
		func() {
			defer func() {
				if !done {
					resetAll(cis[i+1:])
				}
			}()
			cis[i].running = false
			cis[i].handles.Reset()
			done = true
		}()
	}
}

// usable says why the instance cannot be called, if it cannot.
func (in *Instance) usable() error {
	switch {
	case in.closed:
		return ErrInstanceClosed
	case in.fault != nil:
		return ErrPoisoned
	}
	return nil
}

// push opens the record of one crossing.
func (in *Instance) push(ci *componentInstance, opts *canonOptions, mem []byte) *Call {
	if in.depth == len(in.calls) {
		in.calls = append(in.calls, new(Call))
	}
	c := in.calls[in.depth]
	in.depth++
	c.inst, c.ci, c.opts, c.mem = in, ci, opts, mem
	return c
}

// pop closes the record of the innermost crossing.
func (in *Instance) pop(c *Call) {
	for i := range c.lends {
		c.lends[i].End()
	}
	c.lends = c.lends[:0]
	c.EndArgs() // of a result, too: it has arrived, or was dropped
	c.fn, c.scope, c.mem, c.stack, c.lifted = nil, nil, nil, nil, 0
	in.depth--
}

// refresh makes the crossing that is now innermost read its memory again, after
// guest code ran inside of it.
func (in *Instance) refresh() {
	if in.depth > 0 {
		in.calls[in.depth-1].mem = nil
	}
}

// call runs a core function and marks the instance when it traps.
func (in *Instance) call(slot int, st []Raw) error {
	if err := in.store.Call(slot, rawToCore(st)); err != nil {
		return in.failed(err)
	}
	return nil
}

// failed records that the instance trapped and returns the error to report.
func (in *Instance) failed(err error) error {
	err = in.cause(err)
	if in.fault == nil {
		in.fault = err
	}
	return err
}

// cause replaces an interruption with the reason for it, where it is known.
func (in *Instance) cause(err error) error {
	why := context.Cause(in.ctx)
	if why == nil && errors.Is(err, cwasm.ErrDeadline) {
		why = context.DeadlineExceeded // the context has yet to notice
	}
	if errors.Is(err, cwasm.ErrInterrupted) && why != nil && !errors.Is(err, why) {
		return fmt.Errorf("%w: %w", why, err)
	}
	return err
}
