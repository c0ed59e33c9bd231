//go:build !linux

package files

import "os"

// appendTo writes p at the end of f.
func appendTo(f *os.File, p []byte) (int, error) { return appendAtSize(f, p) }
