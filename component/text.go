package component

import "github.com/minispin/minispin/internal/cwasm"

// FromText turns the text format, of a component or a core module, into the
// binary format that Compile takes. It knows the forms that Wasmtime 39 knows, and
// fails, with the place in text, at any other.
func FromText(text string) ([]byte, error) { return cwasm.Wat(text) }
