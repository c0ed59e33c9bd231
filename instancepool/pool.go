package instancepool

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/minispin/minispin/component"
)

// Config says what a Pool executes and within which bounds.
type Config[H any] struct {
	// ID is the component's id, for errors.
	ID string
	// Wasm is the component or core module. It must not be changed.
	Wasm []byte
	// Linker has the host interfaces.
	Linker *component.Linker
	// Dependencies are components that meet imports of this one. They run under
	// the same strategy and within the same bounds, as parts of each instance.
	Dependencies []Dependency
	// Strategy is how requests are executed; empty means Auto.
	Strategy Strategy
	// Bind finds the exports that requests call. It runs once for every time
	// the component is linked, which under some strategies is once.
	Bind func(*component.InstancePre) (H, error)
	// Limits bound each instance.
	Limits component.Limits
	// MaxInstances is how many requests run at a time; 0 means
	// DefaultMaxInstances.
	MaxInstances int
	// Queue is how many requests may wait beyond those; 0 means as many as
	// MaxInstances, and a negative number none.
	Queue int
	// Deadline bounds a request from the moment it is admitted; 0 means none.
	Deadline time.Duration
	// IdleTime is how long Reset and Reuse keep an instance that no request
	// needs, give or take as much again; 0 means DefaultIdleTime, and a negative
	// number forever. One instance is kept in any case.
	IdleTime time.Duration
	// MaxRequests is how many requests an instance serves under Reset and Reuse
	// before another takes its place; 0 means any number.
	MaxRequests int
	// Progress is handed on to component.CompileOptions.
	Progress func(done, total int)
}

// Dependency says which imports of a pool's component another one meets.
type Dependency struct {
	// Key selects the imports, and Export what meets them; see package compose.
	Key, Export string
	// Part meets them. Dependencies with the same Part share one instance of it.
	Part *Part
}

// Part is a component that others depend on. It must not be changed.
type Part struct {
	// ID is what errors call it.
	ID   string
	Wasm []byte
	// Linker has the host interfaces for it.
	Linker *component.Linker
	// View makes its host value of the one given to Run; see component.Part.
	View func(host any) any
}

// DefaultMaxInstances is how many requests of one component run at a time when
// its configuration does not say.
const DefaultMaxInstances = 1000

// DefaultIdleTime is how long an instance is kept that no request needs when
// its configuration does not say.
const DefaultIdleTime = 30 * time.Second

// ErrDeadline is the cause of the end of a request that took longer than its
// deadline.
var ErrDeadline = errors.New("the request's deadline passed")

// Pool is one component under one strategy. It may be used from several
// goroutines.
type Pool[H any] struct {
	config    Config[H]
	reason    string // why it is no better strategy, where Auto chose
	execution execution[H]
	handler   H
	admission *admission
	runs      runs
}

// New compiles and links the component in the engine of its strategy. A strategy
// that was asked for and cannot be had is an *UnavailableError.
func New[H any](ctx context.Context, engines *Engines, c Config[H]) (*Pool[H], error) {
	var err error
	if c.Strategy, err = Parse(string(c.Strategy)); err != nil {
		return nil, fmt.Errorf("component %s: %w", c.ID, err)
	}
	if c.MaxInstances == 0 {
		c.MaxInstances = DefaultMaxInstances
	}
	if c.MaxInstances < 0 {
		return nil, fmt.Errorf("component %s: max instances %d: at least one instance is needed", c.ID, c.MaxInstances)
	}
	if c.Queue == 0 {
		c.Queue = c.MaxInstances
	}
	if c.IdleTime == 0 {
		c.IdleTime = DefaultIdleTime
	}
	if c.MaxRequests < 0 {
		return nil, fmt.Errorf("component %s: max requests %d: an instance must serve at least one", c.ID, c.MaxRequests)
	}
	p := &Pool[H]{runs: runs{closed: make(chan struct{})}}
	if err := p.choose(ctx, engines, c); err != nil {
		return nil, err
	}
	p.config.Wasm, p.config.Dependencies = nil, nil // what still needs them has them
	return p, nil
}

// Strategy returns the strategy in use.
func (p *Pool[H]) Strategy() Strategy { return p.config.Strategy }

// Reason says why Auto chose no better strategy than this one: what is in the
// way of Reset, and of Pooled. It is empty where there is nothing to explain.
func (p *Pool[H]) Reason() string { return p.reason }

// Run executes one request: it waits for admission, gives f an instance with
// host as its host value, and ends the instance after. The context that f's
// guest calls run under ends with ctx, at the deadline, when the pool is closed,
// and when f returns; f gets the instance and what Bind found.
//
// The error is f's, or ErrOverloaded, or says why no instance could be had.
// A guest that was ended by the deadline gives an error that is ErrDeadline, one
// that was ended by Close gives ErrClosed.
func (p *Pool[H]) Run(ctx context.Context, host any, f func(*component.Instance, H) error) error {
	if err := p.admission.enter(ctx); err != nil {
		return err
	}
	defer p.admission.leave()

	var r run
	if p.config.Deadline > 0 {
		ctx, r.cancel = context.WithTimeoutCause(ctx, p.config.Deadline, ErrDeadline)
	} else {
		ctx, r.cancel = context.WithCancel(ctx)
	}
	defer r.cancel()
	if !p.runs.begin(&r) {
		return ErrClosed
	}
	err := func() error {
		defer p.runs.end(&r) // also when f panics
		return p.execution.run(ctx, host, f)
	}()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, component.ErrPoolExhausted):
		// A component of several memories takes more of the allocator than
		// the one slot that admission counts.
		return fmt.Errorf("%w: %w", ErrOverloaded, err)
	case r.ended && !errors.Is(err, ErrDeadline):
		return fmt.Errorf("%w: %w", ErrClosed, err)
	case errors.Is(err, component.ErrDeadline) && !errors.Is(err, ErrDeadline):
		// The guest met the deadline a moment before the context did.
		return fmt.Errorf("%w: %w", ErrDeadline, err)
	}
	return err
}

// Wait returns when no request is under way, or with ctx's cause when that ends
// first. It keeps none from coming.
func (p *Pool[H]) Wait(ctx context.Context) error { return p.runs.wait(ctx) }

// Close ends the requests that are under way or wait, and frees the component
// when they have gone. It must not be called by the function given to Run.
func (p *Pool[H]) Close() {
	p.runs.close()
	_ = p.runs.wait(context.Background()) // does not fail
	p.execution.close()
}

// Handler returns what Bind found when the pool was made.
func (p *Pool[H]) Handler() H { return p.handler }
