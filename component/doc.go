// Package component runs WebAssembly components on Wasmtime's core API.
//
// A component is decoded, linked, and lifted and lowered here, in Go; every
// core module inside it is compiled and run by Wasmtime. Three types stand for
// three moments, and each is made once for all that follow it:
//
//	Component    decoded bytes and compiled core modules
//	InstancePre  a Component linked with host interfaces: nothing is looked up
//	             by name after this
//	Instance     one instantiation, with its own memories, tables and handles
//
// Linking is an abstract run of the component: its definitions are walked once
// with the real imports in hand, nested components are entered with their real
// arguments, and what remains is a flat list of core instantiations and a list
// of functions that cross the component boundary. Instantiating is replaying
// that list, in one call into Wasmtime.
//
// Core modules that an encoder added only to tie the others together are left
// out of the list (see package fuse and the file elide.go), so that many
// components are a single core instance, linked ahead of time.
//
// Where every request is to find a fresh instance and making one is too dear, a
// Resettable is instantiated once and put back to that moment after each
// request; package footprint says of which components that can be done.
//
// Host interfaces are given to a Linker, usually by the generated bindings
// under wit/bindings; a HostFunc receives flattened core values and a Call,
// through which it reads guest memory in place, moves handles and allocates.
//
// Several components can be linked as one: LinkParts meets imports of some with
// exports of others, each with a Linker of its own, and the result is a plan like
// any other. Package compose says which exports meet which imports.
//
// A core module that carries a component-type custom section (what the usual
// toolchains leave before the last encoding step) is linked the same way: its
// core imports and exports have the component model's canonical names and the
// section gives their types.
//
// # What it promises
//
// Components are shown to the engine's own validator before anything else is
// done with them (see the file validate.go), which gives early and clear errors
// and is not what safety rests on.
//
// A hostile component or guest can make every step fail, but not go wrong. All
// pointers, lengths and handles that a guest gives are checked where they are
// used, and views of memory are read again after guest code ran. Core functions
// are called without the engine's own check, so their types are compared when
// they are linked. What a small file can unfold to is bounded. A trap, a host
// function's error or panic, or the end of the context poisons the Instance:
// calls fail with ErrPoisoned from then on. Host values that a guest owns are
// dropped once, at the latest by Instance.Close; so are those that a trap finds on
// the way from one side to the other.
//
// The package knows nothing of Spin, of HTTP or of WASI.
package component
