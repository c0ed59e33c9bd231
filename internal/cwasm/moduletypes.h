// What a compiled module imports and exports, in one crossing.
#ifndef CWASM_MODULETYPES_H
#define CWASM_MODULETYPES_H

#include "wasmtime39.h"

// cwasm_bytes is memory of the C heap, to be freed by whoever gets it.
typedef struct cwasm_bytes {
  uint8_t *data;
  size_t len, cap;
} cwasm_bytes;

// cwasm_module_imports and cwasm_module_exports append the module's imports and
// exports, in order, in the form that moduletypes.go reads. They report whether
// memory sufficed.
bool cwasm_module_imports(const wasmtime_module_t *module, cwasm_bytes *out);
bool cwasm_module_exports(const wasmtime_module_t *module, cwasm_bytes *out);

#endif
