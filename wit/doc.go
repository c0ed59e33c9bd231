// Package wit reads WIT, the interface definition language of the component
// model, into a resolved tree.
//
// It exists for two readers: the generator in wit/bindgen, which turns the
// interfaces a host implements into Go, and the commands that show a user what
// a component asks for. It knows the language only: nothing of Wasm binaries,
// of memory layouts or of Go code is in here.
//
// Its one central idea is that a tree comes out finished. [Load] takes whole
// packages, and when it returns without an error every name in every package
// leads to exactly one definition: a [Ref] has its [TypeDef], a [Use] its
// [Interface], an [Include] its [World], and a resource named in the place of
// a type has become the [Own] handle it stands for. No reader of the tree ever
// looks a name up.
//
// The grammar is that of WIT.md. Packages nested in braces inside one file are
// refused; everything asynchronous is parsed, and left to the reader to refuse.
package wit
