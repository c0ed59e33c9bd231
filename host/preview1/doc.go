// Package preview1 is the host of WASI preview 1, the core module
// wasi_snapshot_preview1 that older toolchains import beside, or instead of, a
// component's interfaces.
//
// All 46 functions are linked, so that every such module instantiates.
// Arguments, environment, clocks, randomness, the three standard streams,
// files, polling and exit do what they say. There are no sockets here: their
// functions answer as on a host that opened none, with the error number that
// says why, and never with success they did not have.
//
// What the functions work on comes from wasi.Ctx, the same streams, clocks and
// files that the WASI 0.2 interfaces of the instance have; a module may use
// both. Directories that are mounted have the numbers from 3 on. The package
// knows nothing of the embedder, and nothing of how a path is kept within its
// directory: that is the business of package files. Its one idea: a function is
// Go code over checked guest memory that returns an Errno; one place turns that
// into the guest's result, and any other error into a trap.
//
// Pointers need no alignment. A range that leaves the guest's memory is EFAULT,
// found before anything is done: no call has half an effect because of it.
package preview1
