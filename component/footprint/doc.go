// Package footprint says what state of a core module its code can change.
//
// Whoever wants to put an instance back to an earlier moment has to know all
// that may have changed since: linear memories, mutable globals, tables, and
// which passive segments were dropped. Declarations tell of the first, and of the
// others too little: the central idea is one walk over every function body that
// knows the length of each instruction and the meaning of a dozen of them.
//
// Most of that state has no name outside the module. [Module.Expose] gives it
// one, by adding to the export section; no instruction is changed.
//
// The package is pure Go and knows nothing of engines, of components or of how
// state is put back. It does not validate: what it walks over without complaint
// may still be refused by an engine.
package footprint
