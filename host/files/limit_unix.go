//go:build unix

package files

import "syscall"

// descriptors returns how many descriptors the process may have.
func descriptors() int {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 2 * MaxOpen
	}
	return int(min(uint64(l.Cur), 1<<20))
}
