//go:build unix

package component

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// ownAndClosed reports why a file or directory could have been written by
// somebody who is neither the user nor root.
func ownAndClosed(st fs.FileInfo) error {
	if st.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("can be written by others (mode %v)", st.Mode().Perm())
	}
	if sys, ok := st.Sys().(*syscall.Stat_t); ok && sys.Uid != 0 && int64(sys.Uid) != int64(os.Geteuid()) {
		return fmt.Errorf("belongs to another user (%d)", sys.Uid)
	}
	return nil
}
