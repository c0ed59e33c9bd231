//go:build !unix

package bench

// pageFaults returns -1: the system does not count them for a process.
func pageFaults() int64 { return -1 }
