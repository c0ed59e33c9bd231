package component

import (
	"fmt"

	"github.com/minispin/minispin/internal/cwasm"
)

// This file gives host functions a slot of the plan.
//
// Only exports of core instances have slots, and only what has a slot can be
// called from here. A component may all the same lift, or take as realloc or
// destructor, a core function that it made by lowering. Such a function is sent
// through a core module that exports what it imports.

// forward returns a slot that holds the host function it.
func (k *linking) forward(it coreItem) (int, error) {
	if err := k.spend(forwardWork); err != nil {
		return -1, err
	}
	m, err := k.compileHere(forwarder(*it.typ.Func))
	if err != nil {
		return -1, fmt.Errorf("forward a lowered function: %w", err)
	}
	slot := k.slot()
	k.steps = append(k.steps, cwasm.Step{
		Module:  m,
		Imports: []cwasm.Import{it.asImport()},
		Fetch:   []cwasm.Fetch{{Export: "", Slot: slot}},
	})
	return slot, nil
}

// compileHere compiles a core module that the linker itself wrote.
func (k *linking) compileHere(wasm []byte) (*cwasm.Module, error) {
	m, err := k.main.engine.core.Compile(wasm)
	if err == nil {
		k.forwards = append(k.forwards, m)
	}
	return m, err
}

// forwardWork is the work that compiling a forwarder counts for: it takes about
// as long as a thousand definitions do.
const forwardWork = 1_000

// closeForwards gives up the modules that were written here, once the plan holds them.
func (k *linking) closeForwards() {
	for _, m := range k.forwards {
		m.Close()
	}
	k.forwards = nil
}

// forwarder is a core module that imports a function of type t from "" "" and
// exports it as "".
func forwarder(t cwasm.FuncType) []byte {
	types := append([]byte{1, 0x60}, kindBytes(t.Params)...)
	types = append(types, kindBytes(t.Results)...)
	b := []byte("\x00asm\x01\x00\x00\x00\x01")
	b = append(b, byte(len(types)))
	b = append(b, types...)
	b = append(b, 2, 5, 1, 0, 0, 0, 0) // import "" "" (func (type 0))
	return append(b, 7, 4, 1, 0, 0, 0) // export "" (func 0)
}

// kindBytes encodes a list of at most 17 number types: canon lower makes no
// longer ones.
func kindBytes(kinds []cwasm.ValKind) []byte {
	b := []byte{byte(len(kinds))}
	for _, k := range kinds {
		b = append(b, 0x7f-byte(k)) // i32, i64, f32, f64
	}
	return b
}
