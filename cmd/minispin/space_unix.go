//go:build linux || darwin

package main

import "golang.org/x/sys/unix"

// reservable reports whether n bytes of address space can be reserved in one
// piece.
func reservable(n uint64) bool {
	b, err := unix.Mmap(-1, 0, int(n), unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if err != nil {
		return false
	}
	return unix.Munmap(b) == nil
}
