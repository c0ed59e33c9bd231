//go:build !(darwin || linux || freebsd || netbsd || openbsd || dragonfly)

package main

import "os"

const nonblock = 0

// tryLock locks nothing: what a killed process leaves stays.
func tryLock(*os.File) (locked, supported bool) { return false, false }
