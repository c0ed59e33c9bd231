//go:build !linux && !darwin

package files

import (
	"errors"
	"os"
	"time"
)

func (s *Stat) fromSystem(os.FileInfo) {}

// setTimes is not to be had for an open file by the standard library.
func setTimes(*os.File, time.Time, time.Time) error { return errors.ErrUnsupported }
