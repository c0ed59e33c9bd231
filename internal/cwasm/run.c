// Making, calling and closing stores: the request path.

#include <stdlib.h>
#include <string.h>

#include "cwasm.h"

// Defined in Go: returns 0, or 1 when the host function failed.
extern int cwasmEnterGo(uint32_t store, uint32_t host, wasmtime_val_raw_t *st, size_t len, uint8_t *mem,
                        size_t mem_len);

uint64_t cwasm_now;

void cwasm_nop(void) {}

// The clock is written before the epoch moves, so that a guest stopped by this
// tick compares its deadline with this tick's time.
void cwasm_tick(wasm_engine_t *engine, uint64_t now) {
  __atomic_store_n(&cwasm_now, now, __ATOMIC_SEQ_CST);
  wasmtime_engine_increment_epoch(engine);
}

static uint32_t interruption(cwasm_cell *cell) {
  if (__atomic_load_n(&cell->cancelled, __ATOMIC_RELAXED) == cell->generation) return CWASM_CANCELED;
  uint64_t deadline = __atomic_load_n(&cell->deadline, __ATOMIC_RELAXED);
  if (deadline != 0 && __atomic_load_n(&cwasm_now, __ATOMIC_RELAXED) >= deadline) return CWASM_DEADLINE;
  return CWASM_NOT_INTERRUPTED;
}

static wasmtime_error_t *on_epoch(wasmtime_context_t *context, void *data, uint64_t *delta,
                                  wasmtime_update_deadline_kind_t *kind) {
  (void)context;
  cwasm_cell *cell = data;
  cell->interrupted = interruption(cell);
  if (cell->interrupted) return wasmtime_error_new("interrupted");
  *delta = 1;
  *kind = WASMTIME_UPDATE_DEADLINE_CONTINUE;
  return NULL;
}

static void read_memory(cwasm_cell *cell, uint32_t slot) {
  const wasmtime_extern_t *e = &cell->slots[slot];
  if (e->kind != WASMTIME_EXTERN_MEMORY) {
    cell->mem = NULL;
    cell->mem_len = 0;
    return;
  }
  cell->mem = wasmtime_memory_data(cell->context, &e->of.memory);
  cell->mem_len = wasmtime_memory_data_size(cell->context, &e->of.memory);
}

static wasm_trap_t *enter_host(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *st, size_t len) {
  const cwasm_host *host = env;
  cwasm_cell *cell = wasmtime_context_get_data(wasmtime_caller_context(caller));
  uint8_t *mem = NULL;
  size_t mem_len = 0;
  if (host->mem_slot >= 0) {
    read_memory(cell, (uint32_t)host->mem_slot);
    mem = cell->mem;
    mem_len = cell->mem_len;
  }
  if (cwasmEnterGo(cell->index, host->index, st, len, mem, mem_len) == 0) return NULL;
  return wasmtime_trap_new("host function failed", 20);
}

wasmtime_error_t *cwasm_define(wasmtime_linker_t *linker, const char *module, size_t module_len, const char *name,
                               size_t name_len, const wasm_functype_t *type, cwasm_host *host) {
  return wasmtime_linker_define_func_unchecked(linker, module, module_len, name, name_len, type, enter_host, host,
                                               NULL);
}

// cwasm_reserve gives the cell the arrays its plan needs, keeping those it has
// when they are large enough. It returns 0, or -1 when there is no memory.
int cwasm_reserve(cwasm_cell *cell, const cwasm_plan *plan) {
  size_t externs = (size_t)plan->slots_len + plan->host_externs_len + plan->imports_max;
  size_t size = externs * sizeof(wasmtime_extern_t) + 2 * (size_t)plan->raw_len * sizeof(wasmtime_val_raw_t);
  if (size > cell->area_size || cell->area == NULL) {
    void *area = malloc(size ? size : 1);
    if (area == NULL) return -1;
    free(cell->area);
    cell->area = area;
    cell->area_size = size;
  }
  cell->plan = plan;
  cell->args = cell->area;
  cell->spill = cell->args + plan->raw_len;
  cell->slots = (wasmtime_extern_t *)(cell->spill + plan->raw_len);
  cell->externs = cell->slots + plan->slots_len;
  cell->scratch = cell->externs + plan->host_externs_len;
  for (uint32_t i = 0; i < plan->slots_len; i++) cell->slots[i].kind = CWASM_EMPTY_SLOT;
  return 0;
}

static bool run_step(cwasm_cell *cell, const cwasm_step *step) {
  wasmtime_instance_t instance;
  if (step->pre != NULL) {
    cell->error = wasmtime_instance_pre_instantiate(step->pre, cell->context, &instance, &cell->trap);
  } else {
    for (uint32_t i = 0; i < step->imports_len; i++) {
      const cwasm_import *from = &step->imports[i];
      cell->scratch[i] = from->from_slot ? cell->slots[from->index] : cell->externs[from->index];
    }
    cell->error = wasmtime_instance_new(cell->context, step->module, cell->scratch, step->imports_len, &instance,
                                        &cell->trap);
  }
  if (cell->error != NULL || cell->trap != NULL) return false;
  for (uint32_t i = 0; i < step->fetches_len; i++) {
    const cwasm_fetch *fetch = &step->fetches[i];
    wasmtime_extern_t item;
    if (!wasmtime_instance_export_get(cell->context, &instance, fetch->name, fetch->name_len, &item)) {
      cell->error = wasmtime_error_new("export vanished");
      return false;
    }
    cell->slots[fetch->slot] = item;
  }
  return true;
}

// cwasm_instantiate makes the store and all instances of the cell's plan. On
// failure the store is still there, for its error to be read and for
// cwasm_close.
int cwasm_instantiate(cwasm_cell *cell) {
  const cwasm_plan *plan = cell->plan;
  cell->interrupted = interruption(cell);
  if (cell->interrupted) return CWASM_INTERRUPTED;
  cell->store = wasmtime_store_new(plan->engine, cell, NULL);
  cell->context = wasmtime_store_context(cell->store);
  wasmtime_store_limiter(cell->store, cell->max_memory, cell->max_table, cell->max_instances, cell->max_tables,
                         cell->max_memories);
  wasmtime_store_epoch_deadline_callback(cell->store, on_epoch, cell, NULL);
  wasmtime_context_set_epoch_deadline(cell->context, 1);
  for (uint32_t i = 0; i < plan->host_externs_len; i++) {
    const cwasm_fetch *fetch = &plan->host_externs[i];
    if (!wasmtime_linker_get(plan->host_linker, cell->context, "", 0, fetch->name, fetch->name_len,
                             &cell->externs[fetch->slot])) {
      cell->error = wasmtime_error_new("host function vanished");
      return CWASM_FAILED;
    }
  }
  for (uint32_t i = 0; i < plan->steps_len; i++) {
    if (!run_step(cell, &plan->steps[i])) {
      cell->failed_step = i;
      return CWASM_FAILED;
    }
  }
  return CWASM_OK;
}

void cwasm_close(cwasm_cell *cell) {
  if (cell->store == NULL) return;
  wasmtime_store_delete(cell->store);
  cell->store = NULL;
  cell->context = NULL;
}

int cwasm_call(cwasm_cell *cell, uint32_t slot, wasmtime_val_raw_t *raw, uint32_t len) {
  cell->interrupted = interruption(cell);
  if (cell->interrupted) return CWASM_INTERRUPTED;
  wasm_trap_t *trap = NULL;
  wasmtime_error_t *error =
      wasmtime_func_call_unchecked(cell->context, &cell->slots[slot].of.func, raw, len, &trap);
  if (error == NULL && trap == NULL) return CWASM_OK;
  cell->error = error;
  cell->trap = trap;
  return CWASM_FAILED;
}

int cwasm_call_mem(cwasm_cell *cell, uint32_t slot, uint32_t len, uint32_t mem_slot) {
  int status = cwasm_call(cell, slot, cell->args, len);
  if (status == CWASM_OK) read_memory(cell, mem_slot);
  return status;
}

int cwasm_realloc(cwasm_cell *cell, uint32_t slot, uint32_t mem_slot, uint32_t old_ptr, uint32_t old_size,
                  uint32_t align, uint32_t new_size) {
  wasmtime_val_raw_t raw[4];
  memset(raw, 0, sizeof raw);
  raw[0].i64 = old_ptr;
  raw[1].i64 = old_size;
  raw[2].i64 = align;
  raw[3].i64 = new_size;
  int status = cwasm_call(cell, slot, raw, 4);
  if (status == CWASM_OK) {
    cell->word = (uint32_t)raw[0].i32;
    read_memory(cell, mem_slot);
  }
  return status;
}

void cwasm_memory(cwasm_cell *cell, uint32_t slot) { read_memory(cell, slot); }
