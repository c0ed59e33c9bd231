package oracle

/*
#include <stdlib.h>
#include <string.h>
#include "component39.h"

typedef struct oracle_echo {
  size_t calls;
  wasmtime_component_val_t seen;
} oracle_echo;

static wasmtime_error_t *oracle_callback(
    void *data, wasmtime_context_t *ctx, const wasmtime_component_func_type_t *type,
    wasmtime_component_val_t *args, size_t nargs, wasmtime_component_val_t *results, size_t nresults) {
  oracle_echo *e = data;
  if (e->calls++ > 0) wasmtime_component_val_delete(&e->seen);
  wasmtime_component_val_clone(&args[0], &e->seen);
  if (nresults > 0) wasmtime_component_val_clone(&args[0], &results[0]);
  return NULL;
}

// oracle_define gives the linker the import that components may have.
static wasmtime_error_t *oracle_define(wasmtime_component_linker_t *linker, oracle_echo *e) {
  wasmtime_component_linker_instance_t *root = wasmtime_component_linker_root(linker), *api = NULL;
  wasmtime_error_t *err = wasmtime_component_linker_instance_add_instance(root, "host:test/api", 13, &api);
  if (err == NULL) {
    err = wasmtime_component_linker_instance_add_func(api, "f", 1, oracle_callback, e, NULL);
    wasmtime_component_linker_instance_delete(api);
  }
  wasmtime_component_linker_instance_delete(root);
  return err;
}
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"

	// For the library, which its package links.
	_ "github.com/bytecodealliance/wasmtime-go/v39"

	"github.com/minispin/minispin/component/abi"
)

// Engine compiles and runs components. It is never freed.
type Engine struct{ raw *C.wasm_engine_t }

// NewEngine makes an engine with the engine's own defaults.
func NewEngine() *Engine { return &Engine{C.wasm_engine_new()} }

// Outcome is what came of a call.
type Outcome struct {
	Result abi.Val // the zero Val when there is none
	Seen   abi.Val // what the import was last called with; the zero Val when it was not called
	Err    error   // the trap, nil when there was none; Result is zero then
}

// Run instantiates wasm, a component in the binary format, and calls its export
// run of type t once, with post-return. seen is the type of the import's
// parameter, nil when there is no import. The error is of wasm itself: it is not
// valid or cannot be instantiated.
func (e *Engine) Run(wasm []byte, seen *abi.Type, run string, t *abi.Func, args ...abi.Val) (out Outcome, err error) {
	var comp *C.wasmtime_component_t
	if err := failure(C.wasmtime_component_new(e.raw, (*C.uint8_t)(unsafe.SliceData(wasm)), C.size_t(len(wasm)), &comp)); err != nil {
		return out, err
	}
	defer C.wasmtime_component_delete(comp)
	echo := (*C.oracle_echo)(C.calloc(1, C.size_t(unsafe.Sizeof(C.oracle_echo{}))))
	defer C.free(unsafe.Pointer(echo))
	linker := C.wasmtime_component_linker_new(e.raw)
	defer C.wasmtime_component_linker_delete(linker)
	if err := failure(C.oracle_define(linker, echo)); err != nil {
		return out, err
	}
	store := C.wasmtime_store_new(e.raw, nil, nil)
	defer C.wasmtime_store_delete(store)
	ctx := C.wasmtime_store_context(store)
	var inst C.wasmtime_component_instance_t
	if err := failure(C.wasmtime_component_linker_instantiate(linker, ctx, comp, &inst)); err != nil {
		return out, err
	}
	name := C.CString(run)
	defer C.free(unsafe.Pointer(name))
	index := C.wasmtime_component_instance_get_export_index(&inst, ctx, nil, name, C.size_t(len(run)))
	if index == nil {
		return out, fmt.Errorf("no export %q", run)
	}
	defer C.wasmtime_component_export_index_delete(index)
	var fn C.wasmtime_component_func_t
	if !C.wasmtime_component_instance_get_func(&inst, ctx, index, &fn) {
		return out, fmt.Errorf("the export %q is no function", run)
	}
	vals := cVals(len(args) + 1)
	defer C.free(unsafe.Pointer(unsafe.SliceData(vals)))
	for i, a := range args {
		lower(t.Params[i].Type, a, &vals[i])
		defer C.wasmtime_component_val_delete(&vals[i])
	}
	result, n := &vals[len(args)], 0
	if t.Result != nil {
		n = 1
	}
	out.Err = failure(C.wasmtime_component_func_call(&fn, ctx, &vals[0], C.size_t(len(args)), result, C.size_t(n)))
	if out.Err == nil && n > 0 {
		out.Result = lift(t.Result, result)
		C.wasmtime_component_val_delete(result)
	}
	if out.Err == nil {
		if out.Err = failure(C.wasmtime_component_func_post_return(&fn, ctx)); out.Err != nil {
			out.Result = abi.Val{}
		}
	}
	if echo.calls > 0 {
		out.Seen = lift(seen, &echo.seen)
		C.wasmtime_component_val_delete(&echo.seen)
	}
	return out, nil
}

// failure takes an error over.
func failure(e *C.wasmtime_error_t) error {
	if e == nil {
		return nil
	}
	var msg C.wasm_byte_vec_t
	C.wasmtime_error_message(e, &msg)
	defer C.wasm_byte_vec_delete(&msg)
	C.wasmtime_error_delete(e)
	return errors.New(text(msg))
}

// cVals allocates values that C may see, all false.
func cVals(n int) []C.wasmtime_component_val_t {
	p := C.calloc(C.size_t(n), C.size_t(unsafe.Sizeof(C.wasmtime_component_val_t{})))
	return unsafe.Slice((*C.wasmtime_component_val_t)(p), n)
}

func text(v C.wasm_byte_vec_t) string {
	return C.GoStringN(v.data, C.int(v.size))
}
