// Package cwasm runs core WebAssembly modules on Wasmtime.
//
// It is the only package of minispin that contains cgo, and the only one that
// knows which version of the engine is in use. It knows nothing of the
// component model, of WASI or of HTTP: it compiles modules, links them into a
// fixed graph of core instances, and calls their functions.
//
// The central idea is the [Plan]. Everything that can be decided once is
// decided when the plan is made: which module is instantiated in which order,
// where each import comes from, and which exports are wanted afterwards, each
// under a small integer called a slot. Making a fresh [Store] from a plan is
// then a single call into C, and so is calling a function in it; nothing on
// that path looks anything up by name in Go.
//
// On an engine with [Config].Reset a store can be put back to the moment after
// it was started, see [Store.Reset]: the state of a fresh store for a fraction
// of its price.
//
// # Rules of this layer
//
// Guests call the host through one exported Go function. It finds the host
// function by an index kept in the engine's environment pointer, and the
// store by an index kept in C memory; no Go pointer is ever stored in C.
// An error or a panic of a host function becomes a trap, never an unwinding
// through C frames.
//
// A view of guest memory is valid until guest code runs again, because guest
// code may grow, and so move, its memory. Views handed to a host function are
// read just before it is called; afterwards [Store.Memory], [Store.CallMem]
// and [Store.Realloc] give fresh ones.
//
// A Store belongs to one goroutine at a time. [Store.Cancel] is the exception
// and may be called from anywhere at any time.
//
// Every object is closed by its owner, once; no finalizers stand in for a
// forgotten Close. Built with the tag "invariants", [OpenObjects] tells what
// is still open and where it was made.
package cwasm
