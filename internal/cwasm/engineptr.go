package cwasm

// #include "cwasm.h"
import "C"

import (
	"unsafe"

	"github.com/bytecodealliance/wasmtime-go/v39"
)

// EngineVersion names the engine this package is built on. It is part of
// [Engine.Fingerprint].
const EngineVersion = "wasmtime-go/v39.0.1"

// The Go API wraps each C object in a struct whose first field is the C
// pointer. Reading that field is the one liberty this package takes with it;
// a test checks that the field is still there.

func configPtr(c *wasmtime.Config) *C.wasm_config_t {
	return *(**C.wasm_config_t)(unsafe.Pointer(c))
}

func enginePtr(e *wasmtime.Engine) *C.wasm_engine_t {
	return *(**C.wasm_engine_t)(unsafe.Pointer(e))
}

func modulePtr(m *wasmtime.Module) *C.wasmtime_module_t {
	return *(**C.wasmtime_module_t)(unsafe.Pointer(m))
}
