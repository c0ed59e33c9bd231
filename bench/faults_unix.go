//go:build unix

package bench

import "golang.org/x/sys/unix"

// pageFaults returns how many page faults the process has taken so far, those of
// children it has waited for included.
func pageFaults() int64 {
	var n int64
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var u unix.Rusage
		if unix.Getrusage(who, &u) != nil {
			return -1
		}
		n += int64(u.Minflt) + int64(u.Majflt)
	}
	return n
}
