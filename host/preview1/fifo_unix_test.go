//go:build unix

package preview1

import (
	"syscall"
	"testing"
)

// makeFIFO makes a FIFO that nobody has open, and reports whether there is one.
func makeFIFO(t *testing.T, path string) bool {
	t.Helper()
	if err := syscall.Mkfifo(path, 0o666); err != nil {
		t.Fatal(err)
	}
	return true
}
