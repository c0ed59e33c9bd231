// Configuration, types and errors: everything off the request path.

#include <stdlib.h>
#include <string.h>

#include "cwasm.h"

// Features the Go API has no setter for. Guard pages and signals stay as the
// sandbox needs them whatever the engine's defaults become.
void cwasm_config_fix(wasm_config_t *config) {
  wasmtime_config_wasm_exceptions_set(config, false);
  wasmtime_config_wasm_custom_page_sizes_set(config, false);
  wasmtime_config_wasm_stack_switching_set(config, false);
  wasmtime_config_signals_based_traps_set(config, true);
  wasmtime_config_memory_reservation_set(config, (uint64_t)4 << 30);
  wasmtime_config_memory_guard_size_set(config, (uint64_t)32 << 20);
}

void cwasm_config_pooling(wasm_config_t *config, const cwasm_pooling *p) {
  wasmtime_pooling_allocation_config_t *c = wasmtime_pooling_allocation_config_new();
  wasmtime_pooling_allocation_config_total_core_instances_set(c, p->instances);
  wasmtime_pooling_allocation_config_total_memories_set(c, p->memories);
  wasmtime_pooling_allocation_config_total_tables_set(c, p->tables);
  wasmtime_pooling_allocation_config_max_memories_per_module_set(c, p->memories_per_module);
  wasmtime_pooling_allocation_config_max_tables_per_module_set(c, p->tables_per_module);
  wasmtime_pooling_allocation_config_max_unused_warm_slots_set(c, p->warm_slots);
  wasmtime_pooling_allocation_config_max_memory_size_set(c, p->memory_bytes);
  wasmtime_pooling_allocation_config_table_elements_set(c, p->table_elements);
  wasmtime_pooling_allocation_config_max_core_instance_size_set(c, p->instance_size);
  wasmtime_pooling_allocation_config_linear_memory_keep_resident_set(c, p->memory_resident);
  wasmtime_pooling_allocation_config_table_keep_resident_set(c, p->table_resident);
  wasmtime_pooling_allocation_strategy_set(config, c);
  wasmtime_pooling_allocation_config_delete(c);
}

static void valtypes(wasm_valtype_vec_t *vec, const uint8_t *kinds, size_t len) {
  wasm_valtype_vec_new_uninitialized(vec, len);
  for (size_t i = 0; i < len; i++) vec->data[i] = wasm_valtype_new(kinds[i]);
}

// cwasm_functype takes the parameters' kinds followed by the results'.
wasm_functype_t *cwasm_functype(const uint8_t *kinds, size_t params, size_t results) {
  wasm_valtype_vec_t p, r;
  valtypes(&p, kinds, params);
  valtypes(&r, kinds + params, results);
  return wasm_functype_new(&p, &r);
}

// cwasm_take_failure moves the error or trap of the last call into out.
void cwasm_take_failure(cwasm_cell *cell, cwasm_failure *out) {
  memset(out, 0, sizeof *out);
  out->code = -1;
  out->trap = cell->trap;
  out->error = cell->error;
  cell->trap = NULL;
  cell->error = NULL;
  if (out->trap != NULL) {
    wasmtime_trap_code_t code;
    if (wasmtime_trap_code(out->trap, &code)) out->code = code;
    // The message repeats the backtrace, which after a stack overflow has
    // thousands of lines and says nothing else.
    if (out->code != WASMTIME_TRAP_CODE_STACK_OVERFLOW) wasm_trap_message(out->trap, &out->message);
    wasm_trap_trace(out->trap, &out->frames);
  } else if (out->error != NULL) {
    wasmtime_error_message(out->error, &out->message);
    wasmtime_error_wasm_trace(out->error, &out->frames);
  }
}

void cwasm_take_error(wasmtime_error_t *error, wasm_byte_vec_t *message) {
  wasmtime_error_message(error, message);
  wasmtime_error_delete(error);
}

void cwasm_frame_get(const cwasm_failure *failure, size_t i, cwasm_frame *out) {
  const wasm_frame_t *frame = failure->frames.data[i];
  memset(out, 0, sizeof *out);
  const wasm_name_t *func = wasmtime_frame_func_name(frame);
  if (func != NULL) {
    out->func = func->data;
    out->func_len = func->size;
  }
  const wasm_name_t *module = wasmtime_frame_module_name(frame);
  if (module != NULL) {
    out->module = module->data;
    out->module_len = module->size;
  }
  out->func_index = wasm_frame_func_index(frame);
  out->func_offset = (uint32_t)wasm_frame_func_offset(frame);
  out->module_offset = (uint32_t)wasm_frame_module_offset(frame);
}

void cwasm_failure_free(cwasm_failure *failure) {
  if (failure->message.data != NULL) wasm_byte_vec_delete(&failure->message);
  if (failure->frames.data != NULL) wasm_frame_vec_delete(&failure->frames);
  if (failure->trap != NULL) wasm_trap_delete(failure->trap);
  if (failure->error != NULL) wasmtime_error_delete(failure->error);
}
