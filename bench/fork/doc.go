// Package fork answers the reference exchange of the benchmarks in a process
// made by fork(2), which is what a server that gives every request a process of
// its own pays at the least.
//
// It knows the exchange and nothing else: neither how it is timed nor what it is
// compared with. Its one idea is that no Go code may run in the child: fork
// copies the calling thread alone, and a Go runtime without its other threads is
// not one. So fork, handler and exit are C, here and not in internal/cwasm, which
// is the only other package with cgo: that one speaks to the engine, this one
// must be what it is compared with and share nothing with it.
//
// What a fork costs grows with the memory of the process that makes it. A
// figure worth telling is therefore taken in a process that does nothing else.
package fork
