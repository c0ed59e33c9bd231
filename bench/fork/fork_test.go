//go:build unix

package fork

import (
	"strings"
	"sync"
	"syscall"
	"testing"
)

func TestExchange(t *testing.T) {
	if err := Exchange(); err != nil {
		t.Error(err)
	}
	for _, body := range []string{"", "hello", "hello, world?", "hello, world!!"} {
		if err := exchange(body); err == nil || !strings.Contains(err.Error(), "exit code 1") {
			t.Errorf("the body %q: got %v, want the child's exit code", body, err)
		}
	}
}

// TestConcurrently forks while other threads run Go code, allocate and are
// interrupted by the runtime's signals.
func TestConcurrently(t *testing.T) {
	var wg sync.WaitGroup
	stop := make(chan struct{})
	wg.Go(func() {
		for garbage := []byte(nil); ; {
			select {
			case <-stop:
				return
			default:
				garbage = append(garbage[:0:0], make([]byte, 1<<12)...)
			}
		}
	})
	var forks sync.WaitGroup
	for range 4 {
		forks.Go(func() {
			for range 25 {
				if err := Exchange(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	forks.Wait()
	close(stop)
	wg.Wait()
	if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); err != syscall.ECHILD {
		t.Errorf("a child is left: %d, %v", pid, err)
	}
}

func TestOutcome(t *testing.T) {
	for _, test := range []struct {
		status syscall.WaitStatus
		want   string
	}{
		{0, ""},
		{1 << 8, "exit code 1"},
		{syscall.WaitStatus(syscall.SIGKILL), "killed"},
		{0x7f | syscall.WaitStatus(syscall.SIGSTOP)<<8, "has not ended"},
	} {
		err := outcome(test.status)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("status %#x: got %v, want %q", uint32(test.status), err, test.want)
		}
	}
}
