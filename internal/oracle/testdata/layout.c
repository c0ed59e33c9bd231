// Compiled twice: with our declarations alone, and with REAL after the engine's.
#ifdef REAL
#include <wasm.h>
#include <wasmtime.h>
#include <wasmtime/component.h>
#endif
#include "../component39.h"

#define SIZE(type, size) _Static_assert(sizeof(type) == (size), #type)
#define AT(type, field, offset) _Static_assert(offsetof(type, field) == (offset), #type "." #field)

SIZE(wasm_name_t, 16);
SIZE(wasmtime_component_instance_t, 16);
SIZE(wasmtime_component_func_t, 24);
SIZE(wasmtime_component_vallist_t, 16);
AT(wasmtime_component_vallist_t, data, 8);
SIZE(wasmtime_component_valtuple_t, 16);
SIZE(wasmtime_component_valrecord_t, 16);
SIZE(wasmtime_component_valflags_t, 16);
SIZE(wasmtime_component_valvariant_t, 24);
AT(wasmtime_component_valvariant_t, val, 16);
SIZE(wasmtime_component_valresult_t, 16);
AT(wasmtime_component_valresult_t, val, 8);
SIZE(wasmtime_component_valunion_t, 24);
SIZE(wasmtime_component_val_t, 32);
AT(wasmtime_component_val_t, of, 8);
SIZE(wasmtime_component_valrecord_entry_t, 48);
AT(wasmtime_component_valrecord_entry_t, val, 16);

#ifdef REAL
_Static_assert(WASMTIME_COMPONENT_BOOL == 0 && WASMTIME_COMPONENT_S8 == 1 && WASMTIME_COMPONENT_U8 == 2 &&
  WASMTIME_COMPONENT_S16 == 3 && WASMTIME_COMPONENT_U16 == 4 && WASMTIME_COMPONENT_S32 == 5 &&
  WASMTIME_COMPONENT_U32 == 6 && WASMTIME_COMPONENT_S64 == 7 && WASMTIME_COMPONENT_U64 == 8 &&
  WASMTIME_COMPONENT_F32 == 9 && WASMTIME_COMPONENT_F64 == 10 && WASMTIME_COMPONENT_CHAR == 11 &&
  WASMTIME_COMPONENT_STRING == 12 && WASMTIME_COMPONENT_LIST == 13 && WASMTIME_COMPONENT_RECORD == 14 &&
  WASMTIME_COMPONENT_TUPLE == 15 && WASMTIME_COMPONENT_VARIANT == 16 && WASMTIME_COMPONENT_ENUM == 17 &&
  WASMTIME_COMPONENT_OPTION == 18 && WASMTIME_COMPONENT_RESULT == 19 && WASMTIME_COMPONENT_FLAGS == 20, "kinds");
#endif
