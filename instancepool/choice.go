package instancepool

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/minispin/minispin/component"
)

// candidates are what Auto chooses from, the best first. The last one can be had
// everywhere.
var candidates = []Strategy{Reset, Pooled, PreInstance}

// UnavailableError says why a strategy cannot be had: the process cannot have
// its engine, or the component cannot be executed by it.
type UnavailableError struct {
	Component string
	Strategy  Strategy
	Err       error // the reason
}

// Error gives the reason, and the strategy to choose instead.
func (e *UnavailableError) Error() string {
	msg := fmt.Sprintf("component %s cannot have the strategy %s: %s", e.Component, e.Strategy, e.reason())
	i := slices.Index(candidates, e.Strategy)
	if i < 0 || i+1 == len(candidates) {
		return msg
	}
	return fmt.Sprintf("%s; use %s, or name none for the best there is", msg, candidates[i+1])
}

// Unwrap returns the reason.
func (e *UnavailableError) Unwrap() error { return e.Err }

// reason is the reason without the component's name, which is known.
func (e *UnavailableError) reason() string {
	if unfit, ok := errors.AsType[*component.NotResettableError](e.Err); ok {
		return unfit.Reason
	}
	return e.Err.Error()
}

// choose starts p under c's strategy, or under the best one that can be had.
func (p *Pool[H]) choose(ctx context.Context, engines *Engines, c Config[H]) error {
	if c.Strategy != Auto {
		return p.start(ctx, engines, c)
	}
	var reasons []string
	for _, s := range candidates {
		c.Strategy = s
		err := p.start(ctx, engines, c)
		obstacle, ok := errors.AsType[*UnavailableError](err)
		if !ok || s == candidates[len(candidates)-1] {
			p.reason = strings.Join(reasons, "; ")
			return err
		}
		reasons = append(reasons, obstacle.reason())
	}
	panic("not reached: the last candidate returns")
}

// start prepares p under c's strategy.
func (p *Pool[H]) start(ctx context.Context, engines *Engines, c Config[H]) error {
	engine, err := engines.get(c.Strategy)
	if err != nil {
		return &UnavailableError{Component: c.ID, Strategy: c.Strategy, Err: err}
	}
	if p.execution, p.handler, err = newExecution(ctx, engine.Engine, c); err != nil {
		if unfit, ok := errors.AsType[*component.NotResettableError](err); ok {
			return &UnavailableError{Component: c.ID, Strategy: c.Strategy, Err: unfit}
		}
		return err
	}
	p.admission = newAdmission(c.MaxInstances, c.Queue, engine.slots, p.runs.closed)
	p.config = c
	return nil
}
