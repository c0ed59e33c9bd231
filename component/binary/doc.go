// Package binary decodes the binary format of WebAssembly components into
// definitions that the rest of the component runtime links and runs.
//
// # What it is for
//
// [Decode] turns the bytes of a component into a [Component]: the list of its
// definitions, in the order in which they stand in the file. [DecodeModule]
// lists the sections, imports and exports of a core module without compiling
// it, and [DecodeComponentTypes] reads the world that a toolchain left in the
// custom sections of a core module that has not been made into a component.
// [NewSkeleton] makes, of a component, a small one that an engine's validator
// judges alike.
//
// # What it must not know
//
// The engine, the canonical ABI, WASI and everything else with behaviour. It
// uses the standard library only. It resolves nothing: an index stays an index,
// an alias stays an alias. Subtyping, the signatures of core functions and the
// other rules of validation are for the engine's validator and the linker.
//
// # The central idea
//
// A component builds about a dozen index spaces, and each definition appends to
// exactly one of them ([Def.Adds] says which). So a component is a program to
// be executed top to bottom, and the decoder keeps it as one: a flat list, from
// which any reader can rebuild the index spaces by walking. The decoder walks
// along while it reads, knows the length of every space at each point, and so
// refuses an index that points ahead or nowhere. Reference cycles cannot be
// written down in an accepted component.
//
// The input is not trusted. Every count is measured against the bytes that are
// left before anything is allocated for it, nesting is bounded, the expanded
// size of types is bounded (a chain of forty pairs would otherwise describe a
// type of a million million members), and [Limits] bounds the rest. An error is
// an [*Error] and tells the byte offset, the section, and what was expected.
//
// The formats are those of the component model's Binary.md, with the pre-1.0
// version number 0x0d.
package binary
