//go:build !linux && !darwin

package main

// reservable reports whether n bytes of address space can be reserved. No limit
// of it is known here.
func reservable(uint64) bool { return true }
