//go:build unix

package fork

// #cgo noescape minispin_bench_fork
// #cgo nocallback minispin_bench_fork
// #include "fork.h"
import "C"

import (
	"fmt"
	"syscall"
	"unsafe"
)

// Exchange forks, has the child answer the reference request and check the
// answer, and waits for its end. It fails if there was no child, or the child was
// not content. It may be used from several goroutines.
func Exchange() error { return exchange("hello, world!") }

// exchange is Exchange with another body.
func exchange(body string) error {
	status := C.minispin_bench_fork((*C.char)(unsafe.Pointer(unsafe.StringData(body))), C.size_t(len(body)))
	if status < 0 {
		return fmt.Errorf("fork: %w", syscall.Errno(-status))
	}
	return outcome(syscall.WaitStatus(status))
}

// outcome says what the status of a child means.
func outcome(s syscall.WaitStatus) error {
	switch {
	case s.Signaled():
		return fmt.Errorf("fork: the child was ended by the signal %v", s.Signal())
	case !s.Exited():
		return fmt.Errorf("fork: the child has the status %#x and has not ended", uint32(s))
	case s.ExitStatus() != 0:
		return fmt.Errorf("fork: the child found the exchange wrong (exit code %d)", s.ExitStatus())
	}
	return nil
}
