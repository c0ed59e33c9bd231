package preview1

import (
	"fmt"

	"github.com/minispin/minispin/wit/bindings/wasi/io/streams"
)

// Errno is an error number of preview 1, type errno; zero is success.
type Errno uint16

// The error numbers this host gives, by their names in preview 1.
const (
	success    Errno = 0
	errBadf    Errno = 8
	errFault   Errno = 21
	errInval   Errno = 28
	errIO      Errno = 29
	errNotdir  Errno = 54
	errNotsock Errno = 57
	errNotsup  Errno = 58
	errPipe    Errno = 64
	errSpipe   Errno = 70
	errNotcap  Errno = 76
)

var errnoNames = map[Errno]string{
	success: "success", errBadf: "badf", errFault: "fault", errInval: "inval", errIO: "io",
	errNotdir: "notdir", errNotsock: "notsock", errNotsup: "notsup", errPipe: "pipe",
	errSpipe: "spipe", errNotcap: "notcapable",
}

// Error returns the number's name in preview 1.
func (e Errno) Error() string {
	if name, ok := errnoNames[e]; ok {
		return name
	}
	return fmt.Sprintf("errno %d", uint16(e))
}

// streamErrno turns the error of a stream into an error number; what is none
// (the end of the request) stays as it is and traps.
func streamErrno(err error) error {
	e, ok := err.(streams.StreamError)
	switch {
	case !ok:
		return err
	case e.Case == streams.StreamErrorClosed:
		return errPipe
	}
	return errIO
}
