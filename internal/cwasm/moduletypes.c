#include "moduletypes.h"

#include <stdlib.h>
#include <string.h>

// A language runtime exports thousands of items. Asking for each of their types
// from Go takes several crossings and as many objects with finalizers, more than
// mapping the module's code does.

static bool append(cwasm_bytes *b, const void *data, size_t len) {
  if (b->cap - b->len < len) {
    size_t cap = b->cap * 2 > b->len + len ? b->cap * 2 : b->len + len + 4096;
    uint8_t *grown = realloc(b->data, cap);
    if (grown == NULL) return false;
    b->data = grown;
    b->cap = cap;
  }
  if (len > 0) memcpy(b->data + b->len, data, len);
  b->len += len;
  return true;
}

static bool append_byte(cwasm_bytes *b, uint8_t v) { return append(b, &v, sizeof v); }
static bool append_u32(cwasm_bytes *b, uint32_t v) { return append(b, &v, sizeof v); }
static bool append_u64(cwasm_bytes *b, uint64_t v) { return append(b, &v, sizeof v); }

static bool append_name(cwasm_bytes *b, const wasm_name_t *name) {
  return append_u32(b, (uint32_t)name->size) && append(b, name->data, name->size);
}

static bool append_kinds(cwasm_bytes *b, const wasm_valtype_vec_t *types) {
  if (!append_u32(b, (uint32_t)types->size)) return false;
  for (size_t i = 0; i < types->size; i++) {
    if (!append_byte(b, wasm_valtype_kind(types->data[i]))) return false;
  }
  return true;
}

static bool append_limits(cwasm_bytes *b, uint64_t min, bool has_max, uint64_t max) {
  return append_u64(b, min) && append_byte(b, has_max) && append_u64(b, has_max ? max : 0);
}

static bool append_type(cwasm_bytes *b, const wasm_externtype_t *type) {
  uint8_t kind = wasm_externtype_kind(type);
  if (!append_byte(b, kind)) return false;
  switch (kind) {
    case WASMTIME_EXTERN_FUNC: {
      const wasm_functype_t *func = wasm_externtype_as_functype_const(type);
      return append_kinds(b, wasm_functype_params(func)) && append_kinds(b, wasm_functype_results(func));
    }
    case WASMTIME_EXTERN_GLOBAL: {
      const wasm_globaltype_t *global = wasm_externtype_as_globaltype_const(type);
      return append_byte(b, wasm_valtype_kind(wasm_globaltype_content(global))) &&
             append_byte(b, wasm_globaltype_mutability(global));
    }
    case WASMTIME_EXTERN_TABLE: {
      const wasm_tabletype_t *table = wasm_externtype_as_tabletype_const(type);
      const wasm_limits_t *limits = wasm_tabletype_limits(table);
      return append_byte(b, wasm_valtype_kind(wasm_tabletype_element(table))) &&
             append_limits(b, limits->min, limits->max != UINT32_MAX, limits->max);
    }
    case WASMTIME_EXTERN_MEMORY: {
      const wasm_memorytype_t *memory = wasm_externtype_as_memorytype_const(type);
      uint64_t max = 0;
      bool has_max = wasmtime_memorytype_maximum(memory, &max);
      return append_limits(b, wasmtime_memorytype_minimum(memory), has_max, max);
    }
  }
  return true;
}

bool cwasm_module_imports(const wasmtime_module_t *module, cwasm_bytes *out) {
  wasm_importtype_vec_t imports;
  wasmtime_module_imports(module, &imports);
  bool ok = true;
  for (size_t i = 0; ok && i < imports.size; i++) {
    const wasm_importtype_t *import = imports.data[i];
    ok = append_name(out, wasm_importtype_module(import)) && append_name(out, wasm_importtype_name(import)) &&
         append_type(out, wasm_importtype_type(import));
  }
  wasm_importtype_vec_delete(&imports);
  return ok;
}

bool cwasm_module_exports(const wasmtime_module_t *module, cwasm_bytes *out) {
  wasm_exporttype_vec_t exports;
  wasmtime_module_exports(module, &exports);
  bool ok = true;
  for (size_t i = 0; ok && i < exports.size; i++) {
    const wasm_exporttype_t *export = exports.data[i];
    ok = append_name(out, wasm_exporttype_name(export)) && append_type(out, wasm_exporttype_type(export));
  }
  wasm_exporttype_vec_delete(&exports);
  return ok;
}
