// Package oracle runs components on the engine's own component runtime, to hold
// ours against it. It is for tests: C cannot stand in test files, so it stands
// here, and nothing but tests may import the package, which TestOnlyTests in
// component/difftest sees to.
//
// A component has one import at most, host:test/api with a function f of one
// parameter, which is noted and given back as the result, if there is one; so no
// call ever comes from C into Go.
package oracle
