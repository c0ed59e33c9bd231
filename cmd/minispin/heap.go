package main

import (
	"os"
	"runtime"
)

// heapFloor is how much the garbage collector takes for live at least, in bytes.
// A host of guests has little on its own heap, a few megabytes, and makes
// garbage for every request: measured by what is live, the collector would run
// dozens of times a second and take up to a fifth of the time. The floor is
// never touched and so takes no memory; what it allows is as much garbage again.
const heapFloor = 32 << 20

// raiseHeap sets the floor, unless the user has views of their own, until the
// function that it returns is called.
func raiseHeap() (lower func()) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	floor := make([]byte, heapFloor)
	return func() { runtime.KeepAlive(floor) }
}
