// A linear memory that the engine uses but that is ours to look into.
#ifndef CWASM_SNAPSHOT_LINEAR_H
#define CWASM_SNAPSHOT_LINEAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cwasm_linear {
  uint8_t *map;     // the whole reservation, guards included
  size_t map_len;
  uint8_t *base;    // where the memory begins
  size_t size;      // bytes in use
  size_t open;      // bytes accessible; as size when the guard catches what is beyond
  size_t capacity;  // bytes it can grow to without moving
  bool guarded;
  size_t high;      // greatest size since memory was last given back
} cwasm_linear;

// cwasm_linear_at returns the memory that begins at base, NULL when it is none
// of ours.
cwasm_linear *cwasm_linear_at(const uint8_t *base);

#endif
