//go:build unix

package files

import (
	"sync"
	"syscall"
)

// maxOpenInAll is the most that all sessions may have open together.
var maxOpenInAll = sync.OnceValue(func() int64 {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return MaxOpen
	}
	return int64(min(uint64(l.Cur), 1<<20)) / 2
})
