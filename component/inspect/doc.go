// Package inspect describes a component without running it: what it imports and
// exports, as WIT, which core modules it holds, and for each import whether a
// linker meets it and why not.
//
// Its one idea is that all of this is a matter of types. The component's
// definitions are run in the abstract, as linking runs them, but what belongs to
// core modules is passed over; so nothing is compiled, and components that cannot
// be linked, or use forms that the runtime lacks, are described like all others.
//
// It knows nothing of Spin, HTTP or WASI. Which interfaces are there only to deny
// is told by the caller.
package inspect
