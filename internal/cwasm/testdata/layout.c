// Compiled by header_test.go twice: with the engine's headers before ours, so
// that the compiler compares the prototypes, and with ours alone. The layouts
// asserted below must hold both times.

#ifdef REAL
#include <wasm.h>
#include <wasmtime.h>
#define CWASM_REAL_HEADERS
#endif
#include "wasmtime39.h"

#define SIZE(type, size) _Static_assert(sizeof(type) == (size), "size of " #type)
#define AT(type, field, offset) _Static_assert(offsetof(type, field) == (offset), "offset of " #type "." #field)
#define SAME(value, number) _Static_assert((value) == (number), "value of " #value)

SIZE(wasm_byte_vec_t, 16);
AT(wasm_byte_vec_t, size, 0);
AT(wasm_byte_vec_t, data, 8);
SIZE(wasm_frame_vec_t, 16);
AT(wasm_frame_vec_t, size, 0);
AT(wasm_frame_vec_t, data, 8);
SIZE(wasm_importtype_vec_t, 16);
AT(wasm_importtype_vec_t, data, 8);
SIZE(wasm_exporttype_vec_t, 16);
AT(wasm_exporttype_vec_t, data, 8);
SIZE(wasm_limits_t, 8);
AT(wasm_limits_t, min, 0);
AT(wasm_limits_t, max, 4);
SIZE(wasm_valtype_vec_t, 16);
AT(wasm_valtype_vec_t, size, 0);
AT(wasm_valtype_vec_t, data, 8);

SIZE(wasmtime_val_raw_t, 16);
_Static_assert(_Alignof(wasmtime_val_raw_t) == 8, "alignment of a raw value");
AT(wasmtime_val_raw_t, i32, 0);
AT(wasmtime_val_raw_t, i64, 0);
AT(wasmtime_val_raw_t, f64, 0);
AT(wasmtime_val_raw_t, v128, 0);

SIZE(wasmtime_func_t, 16);
SIZE(wasmtime_memory_t, 24);
SIZE(wasmtime_table_t, 24);
SIZE(wasmtime_global_t, 24);
SIZE(wasmtime_instance_t, 16);
SIZE(wasmtime_extern_union_t, 24);
SIZE(wasmtime_extern_t, 32);
AT(wasmtime_extern_t, kind, 0);
AT(wasmtime_extern_t, of, 8);

SIZE(wasmtime_valunion_t, 24);
SIZE(wasmtime_val_t, 32);
AT(wasmtime_val_t, kind, 0);
AT(wasmtime_val_t, of, 8);
AT(wasmtime_val_t, of.i32, 8);
AT(wasmtime_val_t, of.f64, 8);
AT(wasmtime_val_t, of.funcref, 8);
AT(wasmtime_val_t, of.v128, 8);
SIZE(wasmtime_linear_memory_t, 32);
AT(wasmtime_linear_memory_t, env, 0);
AT(wasmtime_linear_memory_t, get_memory, 8);
AT(wasmtime_linear_memory_t, grow_memory, 16);
AT(wasmtime_linear_memory_t, finalizer, 24);
SIZE(wasmtime_memory_creator_t, 24);
AT(wasmtime_memory_creator_t, env, 0);
AT(wasmtime_memory_creator_t, new_memory, 8);
AT(wasmtime_memory_creator_t, finalizer, 16);

SIZE(wasmtime_extern_kind_t, 1);
SIZE(wasmtime_update_deadline_kind_t, 1);
SIZE(wasmtime_trap_code_t, 1);

SAME(WASMTIME_EXTERN_FUNC, 0);
SAME(WASMTIME_EXTERN_GLOBAL, 1);
SAME(WASMTIME_EXTERN_TABLE, 2);
SAME(WASMTIME_EXTERN_MEMORY, 3);
SAME(WASMTIME_I32, 0);
SAME(WASMTIME_I64, 1);
SAME(WASMTIME_F32, 2);
SAME(WASMTIME_F64, 3);
SAME(WASMTIME_V128, 4);
SAME(WASMTIME_FUNCREF, 5);
SAME(WASMTIME_UPDATE_DEADLINE_CONTINUE, 0);
SAME(WASMTIME_TRAP_CODE_STACK_OVERFLOW, 0);

// The numbers errors.go and types.go use.
#ifdef REAL
SAME(WASMTIME_TRAP_CODE_MEMORY_OUT_OF_BOUNDS, 1);
SAME(WASMTIME_TRAP_CODE_HEAP_MISALIGNED, 2);
SAME(WASMTIME_TRAP_CODE_TABLE_OUT_OF_BOUNDS, 3);
SAME(WASMTIME_TRAP_CODE_INDIRECT_CALL_TO_NULL, 4);
SAME(WASMTIME_TRAP_CODE_BAD_SIGNATURE, 5);
SAME(WASMTIME_TRAP_CODE_INTEGER_OVERFLOW, 6);
SAME(WASMTIME_TRAP_CODE_INTEGER_DIVISION_BY_ZERO, 7);
SAME(WASMTIME_TRAP_CODE_BAD_CONVERSION_TO_INTEGER, 8);
SAME(WASMTIME_TRAP_CODE_UNREACHABLE_CODE_REACHED, 9);
SAME(WASMTIME_TRAP_CODE_INTERRUPT, 10);
SAME(WASMTIME_TRAP_CODE_OUT_OF_FUEL, 12);
SAME(WASM_I32, 0);
SAME(WASM_I64, 1);
SAME(WASM_F32, 2);
SAME(WASM_F64, 3);
SAME(WASM_EXTERNREF, 128);
SAME(WASM_FUNCREF, 129);
#endif
