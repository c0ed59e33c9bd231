//go:build !windows

package console

import "os"

// enableEscapes reports whether the terminal f obeys escape sequences.
func enableEscapes(*os.File) bool { return true }
