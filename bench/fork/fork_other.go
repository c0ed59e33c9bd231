//go:build !unix

package fork

import "errors"

// Exchange fails: there is no fork on this system.
func Exchange() error { return errors.ErrUnsupported }
