package cwasm

// #include "cwasm.h"
import "C"

import (
	"runtime/debug"
	"unsafe"
)

// cwasmEnterGo is the one way from guests into Go. It returns 0, or 1 after
// putting the failure of the host function into the store.
//
//export cwasmEnterGo
func cwasmEnterGo(store, host C.uint32_t, st *C.wasmtime_val_raw_t, n C.size_t, mem *C.uint8_t, memLen C.size_t) C.int {
	s := storeAt(uint32(store))
	if s.sealed {
		s.hostErr = &HostCallError{Host: int(host)}
		return 1
	}
	if err := s.enterHost(
		&s.plan.hosts[host],
		unsafe.Slice((*Raw)(unsafe.Pointer(st)), int(n)),
		unsafe.Slice((*byte)(mem), int(memLen)),
	); err != nil {
		s.hostErr = err
		return 1
	}
	return 0
}

// enterHost calls the host function and turns a panic into an error: it must
// not unwind through the C frames below.
func (s *Store) enterHost(h *HostImport, st []Raw, mem []byte) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return h.Func(s, st, mem)
}
