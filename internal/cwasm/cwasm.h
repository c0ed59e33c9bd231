// The C side of this package: the structures Go and C share, and one function
// for each thing that always happens together.
#ifndef CWASM_H
#define CWASM_H

#include "wasmtime39.h"

// cwasm_host is the environment of one host function: everything the shim
// needs to know before it enters Go.
typedef struct cwasm_host {
  uint32_t index;    // in the plan's list of host functions
  int32_t mem_slot;  // the memory whose view is handed over, or -1
} cwasm_host;

// cwasm_fetch names something to look up; slot is where it goes.
typedef struct cwasm_fetch {
  const char *name;
  size_t name_len;
  uint32_t slot;
} cwasm_fetch;

// cwasm_import says where an import of a step comes from: from the store's
// extern list (host functions) or from a slot filled by an earlier step.
typedef struct cwasm_import {
  uint32_t from_slot;
  uint32_t index;
} cwasm_import;

// cwasm_step makes one core instance. With pre set, all imports are host
// functions and were bound when the plan was made.
typedef struct cwasm_step {
  wasmtime_instance_pre_t *pre;
  wasmtime_module_t *module;
  cwasm_import *imports;
  uint32_t imports_len;
  uint32_t fetches_len;
  cwasm_fetch *fetches;
} cwasm_step;

// cwasm_plan is immutable once made and is shared by all its stores.
typedef struct cwasm_plan {
  wasm_engine_t *engine;
  cwasm_host *hosts;
  cwasm_step *steps;
  cwasm_fetch *host_externs;       // names in host_linker of what steps without pre import
  wasmtime_linker_t *host_linker;  // half the price of making the function anew
  uint32_t steps_len;
  uint32_t host_externs_len;
  uint32_t slots_len;
  uint32_t raw_len;      // greatest arity of any slot
  uint32_t imports_max;  // greatest number of imports of a step without pre

  // Slots of all that a store can be put back from; none when it cannot.
  uint32_t *state_memories, *state_globals, *state_tables;
  uint32_t state_memories_len, state_globals_len, state_tables_len;
} cwasm_plan;

// cwasm_cell is the C half of a store. Cells are recycled but never freed, so
// that a late cancellation writes into a cell, never into freed memory; the
// generation tells it that it came too late.
typedef struct cwasm_cell {
  uint64_t cancelled;   // atomic: greatest generation cancelled
  uint64_t deadline;    // atomic: time on cwasm_now's scale, 0 for none
  uint64_t generation;  // of the present store
  uint32_t index;       // in Go's table of stores
  uint32_t interrupted; // why the epoch callback ended the guest
  wasmtime_store_t *store;
  wasmtime_context_t *context;
  const cwasm_plan *plan;
  struct cwasm_state *state;  // what to put back; NULL without a snapshot

  void *area;  // holds the arrays below
  size_t area_size;
  wasmtime_extern_t *slots;
  wasmtime_extern_t *externs;
  wasmtime_extern_t *scratch;
  wasmtime_val_raw_t *args;   // filled by Store.Args
  wasmtime_val_raw_t *spill;  // Store.Call copies through it

  // Limits of the next store; negative for none.
  int64_t max_memory, max_table, max_instances, max_tables, max_memories;

  // What the last call left behind.
  wasm_trap_t *trap;
  wasmtime_error_t *error;
  uint8_t *mem;
  size_t mem_len;
  uint64_t word;
  uint32_t failed_step;
} cwasm_cell;

enum { CWASM_EMPTY_SLOT = 0xff };

enum cwasm_status {
  CWASM_OK = 0,
  CWASM_FAILED = 1,     // cell.trap or cell.error says why
  CWASM_INTERRUPTED = 2 // before the guest was entered
};

enum cwasm_interruption { CWASM_NOT_INTERRUPTED = 0, CWASM_CANCELED = 1, CWASM_DEADLINE = 2 };

// cwasm_now is the host's monotonic clock, in nanoseconds, as of the last tick
// of any engine.
extern uint64_t cwasm_now;

// cwasm_failure is what is to be told of a failed call. The frames borrow from
// the trap or error they came from, which is therefore kept until the end.
typedef struct cwasm_failure {
  wasm_trap_t *trap;
  wasmtime_error_t *error;
  wasm_byte_vec_t message;
  wasm_frame_vec_t frames;
  int32_t code;  // -1: none
} cwasm_failure;

typedef struct cwasm_frame {
  const char *func, *module;
  size_t func_len, module_len;
  uint32_t func_index, func_offset, module_offset;
} cwasm_frame;

typedef struct cwasm_pooling {
  uint32_t instances, memories, tables;
  uint32_t memories_per_module, tables_per_module, warm_slots;
  size_t memory_bytes, table_elements, instance_size, memory_resident, table_resident;
} cwasm_pooling;

void cwasm_config_fix(wasm_config_t *config);
void cwasm_config_pooling(wasm_config_t *config, const cwasm_pooling *pooling);

void cwasm_tick(wasm_engine_t *engine, uint64_t now);
void cwasm_nop(void);

wasm_functype_t *cwasm_functype(const uint8_t *kinds, size_t params, size_t results);
wasmtime_error_t *cwasm_define(wasmtime_linker_t *linker, const char *module, size_t module_len, const char *name,
                               size_t name_len, const wasm_functype_t *type, cwasm_host *host);

int cwasm_reserve(cwasm_cell *cell, const cwasm_plan *plan);
int cwasm_instantiate(cwasm_cell *cell);
void cwasm_close(cwasm_cell *cell);

int cwasm_call(cwasm_cell *cell, uint32_t slot, wasmtime_val_raw_t *raw, uint32_t len);
int cwasm_call_mem(cwasm_cell *cell, uint32_t slot, uint32_t len, uint32_t mem_slot);
int cwasm_realloc(cwasm_cell *cell, uint32_t slot, uint32_t mem_slot, uint32_t old_ptr, uint32_t old_size,
                  uint32_t align, uint32_t new_size);
void cwasm_memory(cwasm_cell *cell, uint32_t slot);

void cwasm_take_failure(cwasm_cell *cell, cwasm_failure *out);
void cwasm_take_error(wasmtime_error_t *error, wasm_byte_vec_t *message);
void cwasm_frame_get(const cwasm_failure *failure, size_t i, cwasm_frame *out);
void cwasm_failure_free(cwasm_failure *failure);

#endif
