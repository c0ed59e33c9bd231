package wasihttp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"syscall"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/wit/bindings/wasi/http/types"
	"github.com/minispin/minispin/wit/bindings/wasi/io/ioerror"
	"github.com/minispin/minispin/wit/value"
)

// ErrNoResponse is the outcome of a guest that gave up its response-outparam, or
// returned, without an answer.
var ErrNoResponse = errors.New("the guest gave no response")

// HandlerError is the outcome of a guest that answered with an error in place of
// a response, or with a response that no HTTP client could be sent.
type HandlerError struct {
	Code types.ErrorCode
}

// Error returns the name of the code with its details.
func (e *HandlerError) Error() string { return "the guest answered with the error " + describe(e.Code) }

// Unwrap returns the code.
func (e *HandlerError) Unwrap() error { return e.Code }

// IncompleteError is the outcome of a response that broke off after the guest had
// set its head. Bytes of it may have left; then the connection, or the stream of
// HTTP/2, has to be aborted, so that the client can tell.
type IncompleteError struct {
	Err error // why
}

// Error returns the reason.
func (e *IncompleteError) Error() string { return "the response broke off: " + e.Err.Error() }

// Unwrap returns the reason.
func (e *IncompleteError) Unwrap() error { return e.Err }

var (
	errCutOff     = errors.New("the guest dropped the body without finishing it")
	errUnfinished = errors.New("the guest returned without finishing the body")
	// errOver is what the guest gets from the client's half once the outcome of
	// the exchange is decided.
	errOver = fmt.Errorf("%w: the exchange with the client is over", code(types.ErrorCodeConnectionTerminated))
)

// code returns the error code of a case that has no payload.
func code(c types.ErrorCodeCase) types.ErrorCode { return types.ErrorCode{Case: c} }

// internal returns the error code internal-error.
func internal(text string) types.ErrorCode {
	return types.ErrorCode{Case: types.ErrorCodeInternalError, InternalError: value.Some(text)}
}

// describe words a code for a log.
func describe(c types.ErrorCode) string {
	if c.Case == types.ErrorCodeInternalError && c.InternalError.Set {
		return fmt.Sprintf("internal-error(%q)", c.InternalError.V)
	}
	return c.Error()
}

// ErrorCode returns the error code that tells a guest of err: the ErrorCode in
// its chain if there is one, otherwise what the errors of net and net/http mean.
// What nobody has foreseen is an HTTP-protocol-error.
func ErrorCode(err error) types.ErrorCode {
	if c, ok := errors.AsType[types.ErrorCode](err); ok {
		return c
	}
	if e, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return types.ErrorCode{Case: types.ErrorCodeHTTPRequestBodySize, HTTPRequestBodySize: value.Some(uint64(e.Limit))}
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		return dnsCode(e)
	}
	op, isOp := errors.AsType[*net.OpError](err)
	switch {
	case isTimeout(err):
		switch {
		case isOp && op.Op == "dial":
			return code(types.ErrorCodeConnectionTimeout)
		case isOp && op.Op == "write":
			return code(types.ErrorCodeConnectionWriteTimeout)
		}
		return code(types.ErrorCodeConnectionReadTimeout)
	case errors.Is(err, syscall.ECONNREFUSED), isOp && op.Op == "dial":
		return code(types.ErrorCodeConnectionRefused)
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, net.ErrClosed),
		errors.Is(err, context.Canceled):
		return code(types.ErrorCodeConnectionTerminated)
	}
	return code(types.ErrorCodeHTTPProtocolError)
}

func dnsCode(e *net.DNSError) types.ErrorCode {
	if e.IsTimeout {
		return code(types.ErrorCodeDNSTimeout)
	}
	return types.ErrorCode{Case: types.ErrorCodeDNSError, DNSError: types.DNSErrorPayload{
		Rcode: value.Some("address not available"), InfoCode: value.Some(uint16(0)),
	}}
}

func isTimeout(err error) bool {
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}

// coded returns err with its error code in the chain, where http-error-code
// finds it.
func coded(doing string, err error) error {
	return fmt.Errorf("%w: %s: %w", ErrorCode(err), doing, err)
}

// HTTPErrorCode implements types.Host.
func (host) HTTPErrorCode(_ *component.Call, e ioerror.Error) (value.Option[types.ErrorCode], error) {
	// The errors of other hosts' streams are errors, too, but have no code.
	if err, ok := e.(error); ok {
		if c, ok := errors.AsType[types.ErrorCode](err); ok {
			return value.Some(c), nil
		}
	}
	return value.None[types.ErrorCode](), nil
}
