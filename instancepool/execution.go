package instancepool

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/component/compose"
)

// use is what the caller of Run does with an instance.
type use[H any] func(*component.Instance, H) error

// execution is what a strategy does for each request. It may be used from
// several goroutines.
type execution[H any] interface {
	// run gives f an instance for the time of one request. ctx bounds it.
	run(ctx context.Context, host any, f use[H]) error
	// close frees what is kept. No run may be under way.
	close()
}

// newExecution prepares the component under its strategy and returns what Bind
// found besides.
func newExecution[H any](ctx context.Context, e *component.Engine, c Config[H]) (execution[H], H, error) {
	l, err := load(ctx, e, c, nil)
	if err != nil {
		var none H
		return nil, none, err
	}
	switch c.Strategy {
	case Cold, Precompiled:
		// Loading it once has shown that it can be, and has put the code where
		// Precompiled finds it.
		x := &anew[H]{config: c, engine: e}
		if c.Strategy == Precompiled {
			x.decoded = l.components
		}
		l.close()
		return x, l.handler, nil
	case Reset:
		x := &resetting[H]{linked: l, limits: c.Limits, maxRequests: c.MaxRequests}
		x.idle.period = c.IdleTime
		if err := x.prepare(ctx, c.Deadline); err != nil {
			l.close()
			return nil, l.handler, err
		}
		return x, l.handler, nil
	case Reuse:
		x := &reusing[H]{linked: l, limits: c.Limits, maxRequests: c.MaxRequests}
		x.idle.period = c.IdleTime
		return x, l.handler, nil
	}
	return &fresh[H]{linked: l, limits: c.Limits}, l.handler, nil
}

// linked is a component that has been compiled, linked and bound.
type linked[H any] struct {
	components []*component.Component // the main one first
	decoded    []*component.Component // the same, of an earlier time; nil the first time
	pre        *component.InstancePre
	handler    H
}

func load[H any](ctx context.Context, e *component.Engine, c Config[H], decoded []*component.Component) (*linked[H], error) {
	l := &linked[H]{decoded: decoded}
	err := l.load(ctx, e, c)
	if err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

func (l *linked[H]) load(ctx context.Context, e *component.Engine, c Config[H]) error {
	main, err := l.part(ctx, e, &Part{ID: c.ID, Wasm: c.Wasm, Linker: c.Linker}, c.Progress)
	if err != nil {
		return err
	}
	if err := l.compose(ctx, e, main, c.Dependencies); err != nil {
		return fmt.Errorf("component %s: %w", c.ID, err)
	}
	if l.pre, err = component.LinkParts(main); err != nil {
		return err
	}
	l.handler, err = c.Bind(l.pre)
	return err
}

// part compiles a component, or gets its compiled code once more.
func (l *linked[H]) part(ctx context.Context, e *component.Engine, p *Part, progress func(done, total int)) (*component.Part, error) {
	var comp *component.Component
	var err error
	if n := len(l.components); n < len(l.decoded) {
		comp, err = l.decoded[n].Reload(ctx)
	} else {
		comp, err = e.Compile(ctx, p.ID, p.Wasm, component.CompileOptions{Progress: progress})
	}
	if err != nil {
		return nil, err
	}
	l.components = append(l.components, comp)
	return &component.Part{Name: p.ID, Component: comp, Linker: p.Linker, View: p.View}, nil
}

// compose binds the imports of main to the dependencies, each compiled once.
func (l *linked[H]) compose(ctx context.Context, e *component.Engine, main *component.Part, dependencies []Dependency) error {
	if len(dependencies) == 0 {
		return nil
	}
	parts := map[*Part]*component.Part{}
	bound := make([]compose.Dependency, len(dependencies))
	for i, d := range dependencies {
		p := parts[d.Part]
		if p == nil {
			var err error
			if p, err = l.part(ctx, e, d.Part, nil); err != nil {
				return fmt.Errorf("dependency %q: %w", d.Key, err)
			}
			parts[d.Part] = p
		}
		bound[i] = compose.Dependency{Key: d.Key, Export: d.Export, Part: p}
	}
	return compose.Bind(main, bound...)
}

func (l *linked[H]) close() {
	if l.pre != nil {
		l.pre.Close()
	}
	for _, c := range l.components {
		c.Close()
	}
}

// fresh makes an instance for every request of a component that is linked: the
// strategies PreInstance and Pooled, by the engine.
type fresh[H any] struct {
	*linked[H]
	limits component.Limits
}

func (x *fresh[H]) run(ctx context.Context, host any, f use[H]) error {
	in, err := x.pre.Instantiate(ctx, component.InstantiateOptions{Host: host, Limits: x.limits})
	if err != nil {
		return err
	}
	defer in.Close()
	return f(in, x.handler)
}

// anew does everything for every request: the strategies Cold, and Precompiled
// by an engine that keeps code on disk.
type anew[H any] struct {
	config  Config[H]
	engine  *component.Engine
	decoded []*component.Component // closed, for Precompiled
}

func (x *anew[H]) run(ctx context.Context, host any, f use[H]) error {
	c := x.config
	c.Progress = nil
	l, err := load(ctx, x.engine, c, x.decoded)
	if err != nil {
		return err
	}
	defer l.close()
	return (&fresh[H]{linked: l, limits: c.Limits}).run(ctx, host, f)
}

func (*anew[H]) close() {}

// resetting puts an instance back after every request: the strategy Reset.
type resetting[H any] struct {
	*linked[H]
	limits      component.Limits
	maxRequests int // of an instance; 0 for any number
	idle        idle[*kept[*component.Resettable]]
}

// maxPrepare bounds the first instantiation, which nobody's deadline does.
const maxPrepare = 5 * time.Second

// prepare makes the first instance, which shows whether the component can be
// reset. That it cannot be instantiated is for its requests to meet, as it is
// under the other strategies.
func (x *resetting[H]) prepare(ctx context.Context, deadline time.Duration) error {
	limit := maxPrepare
	if deadline > 0 {
		limit = min(limit, deadline)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, ErrDeadline)
	defer cancel()
	r, err := x.pre.InstantiateResettable(ctx, x.limits)
	var unfit *component.NotResettableError
	switch {
	case err == nil:
		x.idle.put(&kept[*component.Resettable]{instance: r})
	case errors.As(err, &unfit):
		return err
	}
	return nil
}

func (x *resetting[H]) run(ctx context.Context, host any, f use[H]) error {
	k, ok := x.idle.take()
	if !ok {
		r, err := x.pre.InstantiateResettable(ctx, x.limits)
		if err != nil {
			return err
		}
		k = &kept[*component.Resettable]{instance: r}
	}
	keep := false
	defer func() {
		if !keep {
			k.Close() // also when f panics
		}
	}()
	r := k.instance
	in, err := r.Begin(ctx, host)
	if err != nil {
		return err
	}
	err = f(in, x.handler)
	// An instance that a request left in any doubt is not used again: a failed
	// reset is no failure of the request.
	if in.Fault() == nil && ctx.Err() == nil && k.lasts(x.maxRequests) && r.Reset() == nil {
		keep = true
		x.idle.put(k)
	}
	return err
}

func (x *resetting[H]) close() {
	x.idle.closeAll()
	x.linked.close()
}

// reusing keeps instances as requests leave them: the strategy Reuse.
type reusing[H any] struct {
	*linked[H]
	limits      component.Limits
	maxRequests int // of an instance; 0 for any number
	idle        idle[*kept[*component.Reusable]]
}

func (x *reusing[H]) run(ctx context.Context, host any, f use[H]) error {
	k, ok := x.idle.take()
	if !ok {
		r, err := x.pre.InstantiateReusable(ctx, host, x.limits)
		if err != nil {
			return err
		}
		k = &kept[*component.Reusable]{instance: r}
	}
	keep := false
	defer func() {
		if !keep {
			k.Close() // also when f panics
		}
	}()
	r := k.instance
	in, err := r.Begin(ctx, host)
	if err != nil {
		return err
	}
	err = f(in, x.handler)
	r.End()
	if r.Fault() == nil && ctx.Err() == nil && k.lasts(x.maxRequests) {
		keep = true
		x.idle.put(k)
	}
	return err
}

func (x *reusing[H]) close() {
	x.idle.closeAll()
	x.linked.close()
}

var (
	_ execution[int] = (*fresh[int])(nil)
	_ execution[int] = (*anew[int])(nil)
	_ execution[int] = (*resetting[int])(nil)
	_ execution[int] = (*reusing[int])(nil)
)
