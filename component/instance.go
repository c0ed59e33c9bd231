package component

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/internal/cwasm"
)

// Instance is one instantiation of a component. It belongs to one goroutine at
// a time, but for Cancel.
type Instance struct {
	pre   *InstancePre
	store *cwasm.Store
	ctx   context.Context
	host  any
	cis   []componentInstance
	calls []*Call // the crossings in flight, outermost first
	depth int
	fault error // what trapped the instance, nil while it is sound
	stop  func() bool
}

// componentInstance is the state of one component instance in the graph: its
// handle table and the flags of the canonical ABI.
type componentInstance struct {
	index    int
	handles  abi.Table
	mayLeave bool
	running  bool
}

// Limits bound what one Instance may take. Zero means the default.
type Limits struct {
	MemoryBytes   int64 // each linear memory; default 4 GiB, Wasmtime's own bound
	TableElements int64 // each table; default 100,000
	Handles       int   // each component instance's handle table; default abi.DefaultMaxHandles
}

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
func (p *InstancePre) Instantiate(ctx context.Context, opts InstantiateOptions) (*Instance, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	in := p.take()
	in.ctx, in.host = ctx, opts.Host
	for i := range in.cis {
		in.cis[i].mayLeave = true
		in.cis[i].handles.SetMax(opts.Limits.Handles)
	}
	var deadline time.Time
	if d, ok := ctx.Deadline(); ok {
		deadline = d
	}
	store, err := p.plan.NewStore(cwasm.StoreOptions{
		Data:     in,
		Limits:   cwasm.Limits{MemoryBytes: opts.Limits.MemoryBytes, TableElements: opts.Limits.TableElements},
		Deadline: deadline,
	})
	if err != nil {
		in.release()
		return nil, fmt.Errorf("component %s: instantiate: %w", p.name, err)
	}
	in.store = store
	if ctx.Done() != nil {
		in.stop = context.AfterFunc(ctx, store.Cancel)
	}
	if err := store.Start(); err != nil {
		err = in.cause(err)
		in.Close()
		return nil, fmt.Errorf("component %s: %w", p.name, err)
	}
	if p.initialize >= 0 {
		if err := in.call(p.initialize, nil); err != nil {
			in.Close()
			return nil, fmt.Errorf("component %s: instantiate: _initialize: %w", p.name, err)
		}
	}
	return in, nil
}

// Cancel interrupts guest code that runs in the instance. It may be called from
// any goroutine, also when nothing runs.
func (in *Instance) Cancel() { in.store.Cancel() }

// Fault returns the trap that ended the instance, or nil while it is sound.
func (in *Instance) Fault() error { return in.fault }

// Pre returns what the instance was made from.
func (in *Instance) Pre() *InstancePre { return in.pre }

// Close frees the instance and drops every host resource its handle tables
// still own. The instance must not be used after.
func (in *Instance) Close() {
	if in.stop != nil {
		in.stop()
		in.stop = nil
	}
	in.store.Close()
	in.release()
}

// release drops what the tables own and gives the shell back for another use.
func (in *Instance) release() {
	for i := range in.cis {
		in.cis[i].handles.Reset()
		in.cis[i].running = false
	}
	in.store, in.ctx, in.host, in.fault, in.depth = nil, nil, nil, nil, 0
	in.pre.give(in)
}

// push opens the record of one crossing.
func (in *Instance) push(ci *componentInstance, opts *canonOptions, mem []byte) *Call {
	if in.depth == len(in.calls) {
		in.calls = append(in.calls, &Call{inst: in})
	}
	c := in.calls[in.depth]
	in.depth++
	c.ci, c.opts, c.mem = ci, opts, mem
	return c
}

// pop closes the record of the innermost crossing.
func (in *Instance) pop(c *Call) {
	for i := range c.lends {
		c.lends[i].End()
	}
	c.lends = c.lends[:0]
	c.fn, c.scope, c.mem = nil, nil, nil
	in.depth--
}

// refresh re-reads the memory of the crossing that is now innermost, after guest
// code ran inside of it.
func (in *Instance) refresh() {
	if in.depth == 0 {
		return
	}
	if c := in.calls[in.depth-1]; c.opts.memory >= 0 && in.store.HasSlot(c.opts.memory) {
		c.mem = in.store.Memory(c.opts.memory)
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
	if errors.Is(err, cwasm.ErrInterrupted) && in.ctx != nil && in.ctx.Err() != nil {
		return fmt.Errorf("%w: %w", context.Cause(in.ctx), err)
	}
	return err
}
