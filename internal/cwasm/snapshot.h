// The C side of resetting: linear memories of our own making, snapshots of
// them, and the way back.
#ifndef CWASM_SNAPSHOT_H
#define CWASM_SNAPSHOT_H

#include "cwasm.h"

enum cwasm_bounds { CWASM_BOUNDS_CHECK = 0, CWASM_BOUNDS_GUARD = 1 };

enum cwasm_scan { CWASM_SCAN_AUTO = 0, CWASM_SCAN_IOCTL = 1, CWASM_SCAN_ENTRIES = 2 };

// cwasm_image is what a memory looked like at the snapshot. It belongs to the
// plan; every store maps it privately.
typedef struct cwasm_image {
  int fd;           // of the file, -1 when the memory was empty
  uint8_t *view;    // the file, mapped for reading
  uint8_t *filled;  // one bit a page: it is not all zeros
  size_t size;      // in bytes, a multiple of 64 KiB
} cwasm_image;

typedef struct cwasm_snapshot {
  cwasm_image *images;  // in the order of the plan's state_memories
  uint32_t images_len;
} cwasm_snapshot;

// cwasm_failed_at says what did not work; error is an errno value, or 0.
typedef struct cwasm_failed_at {
  const char *what;  // NULL: all is well
  int error;
} cwasm_failed_at;

// Returns NULL, or what is missing here.
const char *cwasm_reset_probe(int scan);
void cwasm_config_reset(wasm_config_t *config, int bounds);

cwasm_failed_at cwasm_snapshot_take(cwasm_cell *cell, cwasm_snapshot *out);
void cwasm_snapshot_free(cwasm_snapshot *snapshot);
cwasm_failed_at cwasm_snapshot_adopt(cwasm_cell *cell, const cwasm_snapshot *snapshot);
cwasm_failed_at cwasm_reset(cwasm_cell *cell, uint64_t keep, int scan);
void cwasm_state_free(cwasm_cell *cell);

// For comparing the state of stores.
void cwasm_state_global(cwasm_cell *cell, uint32_t i, uint8_t bits[16]);
uint64_t cwasm_state_table_size(cwasm_cell *cell, uint32_t i);
uint64_t cwasm_state_table_entry(cwasm_cell *cell, uint32_t i, uint64_t at);
uint64_t cwasm_state_owned(cwasm_cell *cell, uint32_t i, int scan);

#endif
