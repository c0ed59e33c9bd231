// Package difftest holds this runtime against the engine's own component
// runtime: random types and values, sound and hostile, through the same bytes in
// both, which must agree on every value and on whether there is a trap. It has
// tests only. They do a hundred checks each; -rapid.checks asks for more.
//
// Its one idea is that two readings of the specification by different people are
// unlikely to be wrong in the same way.
package difftest
