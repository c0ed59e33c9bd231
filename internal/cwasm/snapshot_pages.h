// Which pages of a range belong to this process alone.
#ifndef CWASM_SNAPSHOT_PAGES_H
#define CWASM_SNAPSHOT_PAGES_H

#include <stddef.h>
#include <stdint.h>

typedef struct cwasm_run {
  uint64_t start, end;  // addresses
  uint64_t categories;
} cwasm_run;

// cwasm_owned_runs lists runs of pages in [*from, end) that were written, or
// may have been: in a private mapping of a file those no longer the file's, in
// an anonymous one those that exist. It fills at most max runs, moves *from to
// where it stopped, and returns how many, or -1 with errno.
int cwasm_owned_runs(int scan, const uint8_t **from, const uint8_t *end, cwasm_run *runs, int max);

// Returns NULL, or what is missing for the way of scanning asked for, and
// resolves CWASM_SCAN_AUTO.
const char *cwasm_pages_open(int scan);

#endif
