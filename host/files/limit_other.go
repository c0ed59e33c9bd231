//go:build !unix

package files

// descriptors returns how many descriptors the process may have. The system has no
// limit of its own.
func descriptors() int { return 1 << 20 }
