//go:build !unix

package files

// maxOpenInAll is the most that all sessions may have open together. The system
// has no limit of its own.
func maxOpenInAll() int64 { return 1 << 19 }
