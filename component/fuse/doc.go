// Package fuse recognises core modules that a component could do without: those
// that toolchains add only to tie the others together. The linker asks it and
// leaves such modules out of what has to be instantiated for each request.
//
// It knows the form of modules. It must not know the engine, linking or
// instances; what may be left out where is decided by who asks.
//
// Its one idea is exactness. A module is recognised when it is, section by
// section and byte by byte, what the toolchain would have written for its types.
// Anything else is somebody's own code and stays.
package fuse
