package sockets

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"

	"github.com/minispin/minispin/host/wasi/io"
	"github.com/minispin/minispin/wit/bindings/wasi/sockets/network"
)

// kind is the type of a socket.
type kind uint8

const (
	stream kind = iota
	datagram
)

// descriptor is a non-blocking socket that the runtime's poller watches. Its
// socket and the streams of it share it; it is closed when the last is dropped.
// System calls are made by the guest's goroutine; waiting may be done by others.
type descriptor struct {
	file   *os.File
	raw    syscall.RawConn
	refs   int
	closed func() // called once, when the descriptor is

	readable, writable side
}

// side is one direction of a descriptor. One goroutine at a time waits for it:
// the one whose token is in turn.
type side struct{ turn chan struct{} }

// adopt takes over fd, which must not block.
func adopt(fd int) (*descriptor, error) {
	file := os.NewFile(uintptr(fd), "socket")
	if file == nil {
		return nil, errors.New("not a descriptor")
	}
	raw, err := file.SyscallConn()
	if err != nil {
		file.Close()
		return nil, err
	}
	return &descriptor{
		file: file, raw: raw, refs: 1,
		readable: side{make(chan struct{}, 1)},
		writable: side{make(chan struct{}, 1)},
	}, nil
}

// share returns d for one more owner, who must release it.
func (d *descriptor) share() *descriptor {
	d.refs++
	return d
}

func (d *descriptor) release() {
	if d.refs--; d.refs > 0 {
		return
	}
	d.file.Close()
	if d.closed != nil {
		d.closed()
	}
}

// do makes a system call that does not block on the descriptor.
func (d *descriptor) do(call func(fd int) error) error {
	var err error
	if lost := d.raw.Control(func(fd uintptr) {
		for {
			if err = call(int(fd)); err != syscall.EINTR {
				return
			}
		}
	}); lost != nil {
		return lost
	}
	return err
}

// get makes a system call that gives a value.
func get[T any](d *descriptor, call func(fd int) (T, error)) (v T, err error) {
	err = d.do(func(fd int) (err error) {
		v, err = call(fd)
		return err
	})
	return v, err
}

// readEvent is that a read, receive or accept would not block.
func (d *descriptor) readEvent() wasiio.Event {
	return ioEvent{d: d, side: d.readable, ready: canRead, wait: d.raw.Read, deadline: d.file.SetReadDeadline}
}

// writeEvent is that a write or send would not block, or that connecting ended.
func (d *descriptor) writeEvent() wasiio.Event {
	return ioEvent{d: d, side: d.writable, ready: canWrite, wait: d.raw.Write, deadline: d.file.SetWriteDeadline}
}

// ioEvent is readiness of one side of a descriptor.
type ioEvent struct {
	d        *descriptor
	side     side
	ready    func(fd int) bool
	wait     func(func(fd uintptr) (done bool)) error
	deadline func(time.Time) error
}

// Ready implements wasiio.Event. A closed descriptor will not change any more.
func (e ioEvent) Ready() bool {
	ready := false
	err := e.d.raw.Control(func(fd uintptr) { ready = e.ready(int(fd)) })
	return ready || err != nil
}

// Block implements wasiio.Event, on the caller's goroutine: the end of ctx wakes
// the poller through a deadline in the past. Deadlines belong to the side and not
// to the one who waits, so only one waits at a time and leaves none behind.
func (e ioEvent) Block(ctx context.Context) error {
	select {
	case e.side.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-e.side.turn }()

	woken := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(woken)
		e.deadline(time.Unix(1, 0))
	})
	// An error is a descriptor that was closed, or the deadline.
	e.wait(func(fd uintptr) bool { return ctx.Err() != nil || e.ready(int(fd)) })
	if !stop() {
		<-woken
		e.deadline(time.Time{})
	}
	if ctx.Err() != nil && !e.Ready() {
		return context.Cause(ctx)
	}
	return nil
}

// codeOf returns how the guest is to see an error of a system call.
func codeOf(err error) network.ErrorCode {
	var no syscall.Errno
	switch {
	case err == nil:
		return network.ErrorCodeUnknown
	case errors.As(err, &no):
		if code, ok := codes[no]; ok {
			return code
		}
	case errors.Is(err, errors.ErrUnsupported):
		return network.ErrorCodeNotSupported
	}
	return network.ErrorCodeUnknown
}

// result is codeOf, but nil stays nil.
func result(err error) error {
	if err == nil {
		return nil
	}
	return codeOf(err)
}

var codes = map[syscall.Errno]network.ErrorCode{
	syscall.EACCES:          network.ErrorCodeAccessDenied,
	syscall.EPERM:           network.ErrorCodeAccessDenied,
	syscall.EADDRINUSE:      network.ErrorCodeAddressInUse,
	syscall.EADDRNOTAVAIL:   network.ErrorCodeAddressNotBindable,
	syscall.EAFNOSUPPORT:    network.ErrorCodeNotSupported,
	syscall.EPROTONOSUPPORT: network.ErrorCodeNotSupported,
	syscall.EOPNOTSUPP:      network.ErrorCodeNotSupported,
	syscall.EWOULDBLOCK:     network.ErrorCodeWouldBlock,
	syscall.ECONNREFUSED:    network.ErrorCodeConnectionRefused,
	syscall.ECONNRESET:      network.ErrorCodeConnectionReset,
	syscall.EPIPE:           network.ErrorCodeConnectionReset,
	syscall.ECONNABORTED:    network.ErrorCodeConnectionAborted,
	syscall.EHOSTUNREACH:    network.ErrorCodeRemoteUnreachable,
	syscall.ENETUNREACH:     network.ErrorCodeRemoteUnreachable,
	syscall.ENETDOWN:        network.ErrorCodeRemoteUnreachable,
	syscall.ETIMEDOUT:       network.ErrorCodeTimeout,
	syscall.EMSGSIZE:        network.ErrorCodeDatagramTooLarge,
	syscall.EINVAL:          network.ErrorCodeInvalidArgument,
	syscall.EISCONN:         network.ErrorCodeInvalidState,
	syscall.ENOTCONN:        network.ErrorCodeInvalidState,
	syscall.ENOMEM:          network.ErrorCodeOutOfMemory,
	syscall.ENOBUFS:         network.ErrorCodeOutOfMemory,
	syscall.EMFILE:          network.ErrorCodeNewSocketLimit,
	syscall.ENFILE:          network.ErrorCodeNewSocketLimit,
}
