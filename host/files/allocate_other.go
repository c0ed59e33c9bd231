//go:build !linux

package files

import "github.com/minispin/minispin/wit/bindings/wasi/filesystem/types"

// Allocate is not to be had by the standard library of this system.
func (h *Handle) Allocate(offset, n uint64) error {
	if err := h.CheckWrite(); err != nil {
		return err
	}
	return types.ErrorCodeUnsupported
}
