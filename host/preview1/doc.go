// Package preview1 is the host of WASI preview 1, the core module
// wasi_snapshot_preview1 that older toolchains import beside, or instead of, a
// component's interfaces.
//
// All 46 functions are linked, so that every such module instantiates.
// Arguments, environment, clocks, randomness, the three standard streams,
// polling and exit do what they say. A guest has no directories and no sockets
// here: the rest answers as it does on a host that opened none, with the error
// number that says why, and never with success it did not have.
//
// What the functions work on comes from wasi.Ctx, the same streams and clocks
// that the WASI 0.2 interfaces of the instance have; a module may use both. The
// package knows nothing of the embedder. Its one idea: a function is Go code
// over checked guest memory that returns an Errno; one place turns that into
// the guest's result, and any other error into a trap.
//
// Pointers need no alignment. A range that leaves the guest's memory is EFAULT,
// found before anything is done: no call has half an effect because of it.
package preview1
