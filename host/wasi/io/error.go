package wasiio

import (
	"errors"
	"io"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/wit/bindings/wasi/io/ioerror"
	"github.com/minispin/minispin/wit/bindings/wasi/io/streams"
)

// ErrClosed is what a Reader, Writer or Sink returns for a stream that has been
// closed in good order: the guest sees stream-error closed. io.EOF and
// io.ErrClosedPipe mean the same.
var ErrClosed = errors.New("stream closed")

// Error is the resource wasi:io/error: the Go error beneath a failed stream.
// Hosts that can say more about an error (http-error-code) find it with
// errors.As on an Error they are given.
type Error struct{ Err error }

// NewError returns the resource for err.
func NewError(err error) *Error { return &Error{Err: err} }

// Error returns the text of the error beneath.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the error beneath.
func (e *Error) Unwrap() error { return e.Err }

// ToDebugString implements wasi:io/error.
func (e *Error) ToDebugString(*component.Call) (string, error) { return e.Err.Error(), nil }

// Drop implements wasi:io/error.
func (e *Error) Drop() {}

var _ ioerror.Error = (*Error)(nil)

// Closed returns stream-error closed.
func Closed() error { return streams.StreamError{Case: streams.StreamErrorClosed} }

// Failed returns stream-error last-operation-failed with err in it.
func Failed(err error) error {
	return streams.StreamError{
		Case:                streams.StreamErrorLastOperationFailed,
		LastOperationFailed: NewError(err),
	}
}

// isEnd reports whether err is the orderly end of a stream.
func isEnd(err error) bool {
	return err == io.EOF || err == io.ErrClosedPipe || err == ErrClosed
}

// ending is the end a stream has come to. A failure is told once; after that
// the stream is closed.
type ending struct {
	err  error
	told bool
}

func (e *ending) over() bool { return e.err != nil }

func (e *ending) set(err error) {
	if e.err == nil {
		e.err = err
	}
}

// report returns the end as the guest is to see it.
func (e *ending) report() error {
	if e.told || isEnd(e.err) {
		return Closed()
	}
	e.told = true
	return Failed(e.err)
}
