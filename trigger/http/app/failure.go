package app

import (
	"context"
	"errors"
	"time"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/instancepool"
	httptrigger "github.com/minispin/minispin/trigger/http"
)

// retryAfter is what a client that found no room is told to wait: long enough
// for the requests that run now to end.
const retryAfter = time.Second

// failure says what kind of failure an error of a guest's execution is.
func failure(err error) error {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*httptrigger.Failure](err); ok {
		return f
	}
	f := &httptrigger.Failure{Kind: httptrigger.KindInternal, Err: err}
	switch {
	case errors.Is(err, instancepool.ErrOverloaded), errors.Is(err, instancepool.ErrClosed):
		f.Kind, f.RetryAfter = httptrigger.KindOverload, retryAfter
	case errors.Is(err, instancepool.ErrDeadline), errors.Is(err, context.DeadlineExceeded):
		f.Kind = httptrigger.KindTimeout
	case errors.Is(err, context.Canceled):
		f.Kind = httptrigger.KindClientGone
	case errors.Is(err, component.ErrInterrupted):
		// Nothing but deadline and context interrupts guests. The deadline has
		// passed, and the guest met it a moment before its context did.
		f.Kind = httptrigger.KindTimeout
	case isTrap(err):
		f.Kind = httptrigger.KindTrap
	}
	return f
}

// isTrap reports whether the guest is to blame: it trapped, or gave something
// that the canonical ABI refuses.
func isTrap(err error) bool {
	return !is[*component.PanicError](err) && (is[*component.Trap](err) || is[*abi.Trap](err))
}
