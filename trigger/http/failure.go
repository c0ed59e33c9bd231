package httptrigger

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"
)

// Kind says what went wrong while a request was executed. It decides the answer
// to the client and is a field of the log line.
type Kind uint8

// The kinds of failure. In brackets the answer as long as the head of the
// response has not left.
const (
	// KindInternal is a failure of the host [500].
	KindInternal Kind = iota
	// KindTrap is a guest that trapped [500].
	KindTrap
	// KindGuestError is a guest that reported an error in place of a response
	// [500].
	KindGuestError
	// KindNoResponse is a guest that returned without a response [500].
	KindNoResponse
	// KindTimeout is a guest that did not finish in time [504].
	KindTimeout
	// KindOverload is a request that found no room [503 with Retry-After].
	KindOverload
	// KindClientGone is a client that left before the response was complete. It
	// is nobody's fault here and is logged at debug level only [nothing].
	KindClientGone
)

var kindNames = [...]string{
	KindInternal: "internal", KindTrap: "trap", KindGuestError: "guest-error", KindNoResponse: "no-response",
	KindTimeout: "timeout", KindOverload: "overload", KindClientGone: "client-gone",
}

// String returns the kind as the log shows it.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// Failure is the error of an [Executor] that knows what went wrong. An error
// that is none is taken for a timeout or a departed client if the request's
// context says so, and for KindInternal otherwise.
type Failure struct {
	Kind Kind
	Err  error // the cause

	// RetryAfter is when a client turned away with KindOverload may come back.
	// It is rounded up to seconds; the smallest value sent is 1.
	RetryAfter time.Duration

	// Status is the status of the answer, if it is not the one of Kind; 0 means
	// it is. Message is the body of the answer, none being the rule: it is for
	// explanations a client is meant to read, never for the text of an error.
	Status  int
	Message string
}

// Error returns the kind and the cause.
func (f *Failure) Error() string {
	if f.Err == nil {
		return f.Kind.String()
	}
	return f.Kind.String() + ": " + f.Err.Error()
}

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Backtracer is implemented by errors that know where the guest was.
type Backtracer interface {
	error
	// Backtrace returns the frames of the guest's stack, the innermost first.
	Backtrace() []string
}

// ErrUnknownComponent is returned by [Handler.ServeComponent] for an id that no
// route of the application has.
var ErrUnknownComponent = errors.New("unknown component")

// classify finds out what err, the error of an executor, means. writeErr is the
// error of the last write to the client, if there was one.
func classify(ctx context.Context, err, writeErr error) *Failure {
	if f, ok := errors.AsType[*Failure](err); ok {
		return f
	}
	kind := KindInternal
	switch {
	// The deadline comes first: a client is often gone because it was late.
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		kind = KindTimeout
	case ctx.Err() != nil, writeErr != nil,
		errors.Is(err, http.ErrAbortHandler),
		errors.Is(err, os.ErrDeadlineExceeded): // the client stalled
		kind = KindClientGone
	}
	return &Failure{Kind: kind, Err: err}
}

// status returns the status that answers the failure.
func (f *Failure) status() int {
	if f.Status >= 200 && f.Status <= 999 {
		return f.Status
	}
	switch f.Kind {
	case KindTimeout:
		return http.StatusGatewayTimeout
	case KindOverload:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// retryAfter returns the value of a Retry-After header in seconds.
func (f *Failure) retryAfter() int64 {
	return max(1, int64((f.RetryAfter+time.Second-1)/time.Second))
}
