package component

import (
	"unsafe"

	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/internal/cwasm"
)

// The ABI and the engine layer each define their own raw value, so that neither
// depends on the other. Both are the engine's sixteen bytes.
var (
	_ [unsafe.Sizeof(abi.Raw{})]byte  = [unsafe.Sizeof(cwasm.Raw{})]byte{}
	_ [unsafe.Alignof(abi.Raw{})]byte = [unsafe.Alignof(cwasm.Raw{})]byte{}
)

func coreToRaw(st []cwasm.Raw) []Raw {
	return unsafe.Slice((*Raw)(unsafe.Pointer(unsafe.SliceData(st))), len(st))
}

func rawToCore(st []Raw) []cwasm.Raw {
	return unsafe.Slice((*cwasm.Raw)(unsafe.Pointer(unsafe.SliceData(st))), len(st))
}
