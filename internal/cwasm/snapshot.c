// Snapshots of a store's state, and putting it back.

#if defined(__linux__)
#define _GNU_SOURCE
#endif

#include "snapshot.h"

#if defined(__linux__)
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "snapshot_linear.h"
#include "snapshot_pages.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

typedef struct saved_table {
  uint64_t size;
  wasmtime_val_t *elements;
} saved_table;

// cwasm_state is what one store keeps to find its way back. References to
// functions mean something in their own store only, so that globals and tables
// are saved for each; memories are in the plan's snapshot.
struct cwasm_state {
  const cwasm_snapshot *snapshot;
  cwasm_linear **memories;
  wasmtime_val_t *globals;
  saved_table *tables;
  uint64_t resets;
};

// Every so many resets, pages that the last request did not write are given
// back.
enum { TRIM_EVERY = 64 };

static cwasm_failed_at done(void) { return (cwasm_failed_at){NULL, 0}; }
static cwasm_failed_at failed(const char *what, int error) { return (cwasm_failed_at){what, error}; }

static size_t page_size(void) {
  static size_t size;
  size_t s = __atomic_load_n(&size, __ATOMIC_RELAXED);
  if (s == 0) {
    s = (size_t)sysconf(_SC_PAGESIZE);
    __atomic_store_n(&size, s, __ATOMIC_RELAXED);
  }
  return s;
}

static bool all_zero(const uint8_t *p, size_t n) {
  const uint64_t *w = (const uint64_t *)p;
  for (size_t i = 0; i < n / 8; i += 8) {
    if (w[i] | w[i + 1] | w[i + 2] | w[i + 3] | w[i + 4] | w[i + 5] | w[i + 6] | w[i + 7]) return false;
  }
  return true;
}

static bool is_filled(const cwasm_image *image, size_t offset) {
  size_t i = offset / page_size();
  return offset < image->size && (image->filled[i / 8] >> (i % 8) & 1) != 0;
}

const char *cwasm_reset_probe(int scan) {
  const char *missing = cwasm_pages_open(scan);
  if (missing != NULL) return missing;
  int fd = memfd_create("minispin-probe", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return "files in memory cannot be made";
  close(fd);
  return NULL;
}

static int image_file(void) {
  int fd = memfd_create("minispin-snapshot", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
  if (fd < 0 && errno == EINVAL) fd = memfd_create("minispin-snapshot", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  return fd;
}

static bool write_all(int fd, const uint8_t *p, size_t n, size_t at) {
  while (n > 0) {
    ssize_t w = pwrite(fd, p, n, (off_t)at);
    if (w < 0 && errno == EINTR) continue;
    if (w <= 0) return false;
    p += w, at += (size_t)w, n -= (size_t)w;
  }
  return true;
}

// image_take writes a memory into a file of its own, leaving out what is zero,
// and seals it: nothing can change the snapshot from here on.
static cwasm_failed_at image_take(const cwasm_linear *m, cwasm_image *out) {
  size_t page = page_size();
  out->fd = -1;
  out->size = m->size;
  if (m->size == 0) return done();
  out->filled = calloc(1, (m->size / page + 7) / 8);
  if (out->filled == NULL) return failed("keep a snapshot", ENOMEM);
  out->fd = image_file();
  if (out->fd < 0) return failed("make a file for a snapshot", errno);
  if (ftruncate(out->fd, (off_t)m->size) != 0) return failed("size the file of a snapshot", errno);
  for (size_t at = 0; at < m->size; at += page) {
    if (all_zero(m->base + at, page)) continue;
    out->filled[at / page / 8] |= (uint8_t)(1 << (at / page % 8));
    if (!write_all(out->fd, m->base + at, page, at)) return failed("write a snapshot", errno);
  }
  if (fcntl(out->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0) {
    return failed("seal a snapshot", errno);
  }
  void *view = mmap(NULL, m->size, PROT_READ, MAP_PRIVATE, out->fd, 0);
  if (view == MAP_FAILED) return failed("map a snapshot", errno);
  out->view = view;
  return done();
}

static cwasm_linear *linear_of(cwasm_cell *cell, uint32_t i) {
  const wasmtime_extern_t *e = &cell->slots[cell->plan->state_memories[i]];
  if (e->kind != WASMTIME_EXTERN_MEMORY) return NULL;
  cwasm_linear *m = cwasm_linear_at(wasmtime_memory_data(cell->context, &e->of.memory));
  if (m == NULL || m->size != wasmtime_memory_data_size(cell->context, &e->of.memory)) return NULL;
  return m;
}

// cwasm_snapshot_take makes the plan's snapshot from the memories of a store
// that was just started.
cwasm_failed_at cwasm_snapshot_take(cwasm_cell *cell, cwasm_snapshot *out) {
  uint32_t n = cell->plan->state_memories_len;
  out->images = calloc(n ? n : 1, sizeof *out->images);
  if (out->images == NULL) return failed("keep a snapshot", ENOMEM);
  out->images_len = n;
  for (uint32_t i = 0; i < n; i++) out->images[i].fd = -1;
  for (uint32_t i = 0; i < n; i++) {
    const cwasm_linear *m = linear_of(cell, i);
    if (m == NULL) return failed("find a memory: it is not one of this engine's", 0);
    cwasm_failed_at f = image_take(m, &out->images[i]);
    if (f.what != NULL) return f;
  }
  return done();
}

void cwasm_snapshot_free(cwasm_snapshot *snapshot) {
  for (uint32_t i = 0; i < snapshot->images_len; i++) {
    cwasm_image *image = &snapshot->images[i];
    if (image->view != NULL) munmap(image->view, image->size);
    if (image->fd >= 0) close(image->fd);
    free(image->filled);
  }
  free(snapshot->images);
  memset(snapshot, 0, sizeof *snapshot);
}

// image_adopt compares a memory with its image and puts the image's pages in
// its place. The store owns none of them until it writes.
static cwasm_failed_at image_adopt(cwasm_linear *m, const cwasm_image *image) {
  size_t page = page_size();
  if (m->size != image->size) return failed("adopt a snapshot: the memory has another size", 0);
  for (size_t at = 0; at < m->size; at += page) {
    bool same = is_filled(image, at) ? memcmp(m->base + at, image->view + at, page) == 0 : all_zero(m->base + at, page);
    if (!same) return failed("adopt a snapshot: the memory has other contents", 0);
  }
  if (m->size == 0) return done();
  void *p = mmap(m->base, m->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, image->fd, 0);
  if (p == MAP_FAILED) return failed("map a snapshot over a memory", errno);
  return done();
}

static const wasmtime_table_t *table_of(cwasm_cell *cell, uint32_t i) {
  return &cell->slots[cell->plan->state_tables[i]].of.table;
}

static const wasmtime_global_t *global_of(cwasm_cell *cell, uint32_t i) {
  return &cell->slots[cell->plan->state_globals[i]].of.global;
}

void cwasm_state_free(cwasm_cell *cell) {
  struct cwasm_state *s = cell->state;
  if (s == NULL) return;
  for (uint32_t i = 0; s->tables != NULL && i < cell->plan->state_tables_len; i++) free(s->tables[i].elements);
  free(s->tables);
  free(s->globals);
  free(s->memories);
  free(s);
  cell->state = NULL;
}

static void *array(size_t n, size_t size) { return calloc(n ? n : 1, size); }

// cwasm_snapshot_adopt makes the present state of a store, which was just
// started, the one it is put back to. It fails when a memory is not what the
// snapshot says, that is, when what ran at the start did not do the same.
cwasm_failed_at cwasm_snapshot_adopt(cwasm_cell *cell, const cwasm_snapshot *snapshot) {
  const cwasm_plan *plan = cell->plan;
  struct cwasm_state *s = calloc(1, sizeof *s);
  if (s == NULL) return failed("keep a store's state", ENOMEM);
  cell->state = s;
  s->snapshot = snapshot;
  s->memories = array(plan->state_memories_len, sizeof *s->memories);
  s->globals = array(plan->state_globals_len, sizeof *s->globals);
  s->tables = array(plan->state_tables_len, sizeof *s->tables);
  if (s->memories == NULL || s->globals == NULL || s->tables == NULL) return failed("keep a store's state", ENOMEM);
  for (uint32_t i = 0; i < plan->state_memories_len; i++) {
    s->memories[i] = linear_of(cell, i);
    if (s->memories[i] == NULL) return failed("find a memory: it is not one of this engine's", 0);
    cwasm_failed_at f = image_adopt(s->memories[i], &snapshot->images[i]);
    if (f.what != NULL) return f;
  }
  for (uint32_t i = 0; i < plan->state_globals_len; i++) {
    wasmtime_global_get(cell->context, global_of(cell, i), &s->globals[i]);
  }
  for (uint32_t i = 0; i < plan->state_tables_len; i++) {
    saved_table *t = &s->tables[i];
    t->size = wasmtime_table_size(cell->context, table_of(cell, i));
    t->elements = array(t->size, sizeof *t->elements);
    if (t->elements == NULL) return failed("keep a table", ENOMEM);
    for (uint64_t at = 0; at < t->size; at++) {
      if (!wasmtime_table_get(cell->context, table_of(cell, i), at, &t->elements[at])) return failed("read a table", 0);
    }
  }
  return done();
}

// restore puts one page back and reports whether it had been changed. Looking
// first tells pages in use from those that are only kept.
static bool restore(uint8_t *page, const cwasm_image *image, size_t offset, size_t size) {
  if (is_filled(image, offset)) {
    if (memcmp(page, image->view + offset, size) == 0) return false;
    memcpy(page, image->view + offset, size);
    return true;
  }
  if (all_zero(page, size)) return false;
  memset(page, 0, size);
  return true;
}

// give_back makes a range the file's again, or nothing, and so frees its pages.
static cwasm_failed_at give_back(uint8_t *from, const uint8_t *to) {
  if (from < to && madvise(from, (size_t)(to - from), MADV_DONTNEED) != 0) return failed("give pages back", errno);
  return done();
}

// restore_run puts a run of pages back. When trim is set, those of them that
// the last request left alone are given back.
static cwasm_failed_at restore_run(cwasm_linear *m, const cwasm_image *image, const cwasm_run *run, bool trim) {
  size_t page = page_size();
  uint8_t *idle = NULL;
  for (uint8_t *p = (uint8_t *)(uintptr_t)run->start; p < (uint8_t *)(uintptr_t)run->end; p += page) {
    // Beyond what is in use nothing can be read, and all was zeroed before.
    bool reachable = p < m->base + m->size;
    if (reachable && restore(p, image, (size_t)(p - m->base), page)) {
      if (idle != NULL) {
        cwasm_failed_at f = give_back(idle, p);
        if (f.what != NULL) return f;
        idle = NULL;
      }
    } else if (trim && idle == NULL) {
      idle = p;
    }
  }
  return idle == NULL ? done() : give_back(idle, (uint8_t *)(uintptr_t)run->end);
}

static cwasm_failed_at reset_memory(cwasm_linear *m, const cwasm_image *image, uint64_t *keep, int scan, bool trim) {
  if (m->size < image->size) return failed("reset a memory: it has shrunk", 0);
  cwasm_run runs[128];
  const uint8_t *from = m->base, *end = m->base + (trim ? m->high : m->size);
  while (from < end) {
    int n = cwasm_owned_runs(scan, &from, end, runs, sizeof runs / sizeof *runs);
    if (n < 0) return failed("look for written pages", errno);
    for (int i = 0; i < n; i++) {
      uint64_t bytes = runs[i].end - runs[i].start;
      if (bytes > *keep) {
        cwasm_failed_at f = give_back(m->base, m->base + m->high);
        if (f.what != NULL) return f;
        trim = true;
        goto shrink;
      }
      *keep -= bytes;
      cwasm_failed_at f = restore_run(m, image, &runs[i], trim);
      if (f.what != NULL) return f;
    }
  }
shrink:
  if (trim) m->high = m->size;
  if (m->size > image->size) {
    if (m->guarded) {
      if (mprotect(m->base + image->size, m->size - image->size, PROT_NONE) != 0) {
        return failed("close what a memory grew by", errno);
      }
      m->open = image->size;
    }
    m->size = image->size;
  }
  return done();
}

// Growing by nothing makes the engine ask for the size anew.
static cwasm_failed_at tell_engine(cwasm_cell *cell, uint32_t i, const cwasm_linear *m) {
  const wasmtime_memory_t *memory = &cell->slots[cell->plan->state_memories[i]].of.memory;
  if (wasmtime_memory_data_size(cell->context, memory) == m->size) return done();
  uint64_t before;
  wasmtime_error_t *error = wasmtime_memory_grow(cell->context, memory, 0, &before);
  if (error != NULL) {
    wasmtime_error_delete(error);
    return failed("tell the engine a memory's size", 0);
  }
  if (wasmtime_memory_data_size(cell->context, memory) != m->size) return failed("tell the engine a memory's size", 0);
  return done();
}

static cwasm_failed_at reset_table(cwasm_cell *cell, uint32_t i, const saved_table *t) {
  const wasmtime_table_t *table = table_of(cell, i);
  if (wasmtime_table_size(cell->context, table) != t->size) return failed("reset a table: it has grown", 0);
  for (uint64_t at = 0; at < t->size; at++) {
    wasmtime_val_t now;
    const wasmtime_func_t *want = &t->elements[at].of.funcref;
    if (!wasmtime_table_get(cell->context, table, at, &now)) return failed("read a table", 0);
    if (now.of.funcref.store_id == want->store_id && (want->store_id == 0 || now.of.funcref.opaque == want->opaque)) {
      continue;
    }
    wasmtime_error_t *error = wasmtime_table_set(cell->context, table, at, &t->elements[at]);
    if (error != NULL) {
      wasmtime_error_delete(error);
      return failed("reset a table", 0);
    }
  }
  return done();
}

// cwasm_reset puts a store back to its snapshot. It keeps at most so many bytes
// of pages of the store's own; after a failure the store is in no known state.
cwasm_failed_at cwasm_reset(cwasm_cell *cell, uint64_t keep, int scan) {
  const cwasm_plan *plan = cell->plan;
  struct cwasm_state *s = cell->state;
  bool trim = ++s->resets % TRIM_EVERY == 0;
  for (uint32_t i = 0; i < plan->state_memories_len; i++) {
    cwasm_failed_at f = reset_memory(s->memories[i], &s->snapshot->images[i], &keep, scan, trim);
    if (f.what == NULL) f = tell_engine(cell, i, s->memories[i]);
    if (f.what != NULL) return f;
  }
  for (uint32_t i = 0; i < plan->state_globals_len; i++) {
    wasmtime_error_t *error = wasmtime_global_set(cell->context, global_of(cell, i), &s->globals[i]);
    if (error != NULL) {
      wasmtime_error_delete(error);
      return failed("reset a global", 0);
    }
  }
  for (uint32_t i = 0; i < plan->state_tables_len; i++) {
    cwasm_failed_at f = reset_table(cell, i, &s->tables[i]);
    if (f.what != NULL) return f;
  }
  return done();
}

// Reading the state, for comparing it.

void cwasm_state_global(cwasm_cell *cell, uint32_t i, uint8_t bits[16]) {
  wasmtime_val_t v;
  memset(&v, 0, sizeof v);
  wasmtime_global_get(cell->context, global_of(cell, i), &v);
  memset(bits, 0, 16);
  switch (v.kind) {
    case WASMTIME_I32:
    case WASMTIME_F32:
      memcpy(bits, &v.of.i32, 4);
      break;
    case WASMTIME_FUNCREF:
      if (v.of.funcref.store_id != 0) memcpy(bits, &v.of.funcref.opaque, sizeof v.of.funcref.opaque);
      break;
    case WASMTIME_V128:
      memcpy(bits, v.of.v128, 16);
      break;
    default:
      memcpy(bits, &v.of.i64, 8);
  }
}

uint64_t cwasm_state_table_size(cwasm_cell *cell, uint32_t i) {
  return wasmtime_table_size(cell->context, table_of(cell, i));
}

uint64_t cwasm_state_table_entry(cwasm_cell *cell, uint32_t i, uint64_t at) {
  wasmtime_val_t v;
  if (!wasmtime_table_get(cell->context, table_of(cell, i), at, &v) || v.of.funcref.store_id == 0) return 0;
  return (uintptr_t)v.of.funcref.opaque;
}

// cwasm_state_owned counts the bytes of pages that the store has of its own in
// a memory.
uint64_t cwasm_state_owned(cwasm_cell *cell, uint32_t i, int scan) {
  const cwasm_linear *m = cell->state->memories[i];
  const uint8_t *from = m->base, *end = m->base + m->high;
  uint64_t bytes = 0;
  while (from < end) {
    cwasm_run runs[128];
    int n = cwasm_owned_runs(scan, &from, end, runs, sizeof runs / sizeof *runs);
    if (n < 0) return UINT64_MAX;
    for (int k = 0; k < n; k++) bytes += runs[k].end - runs[k].start;
  }
  return bytes;
}

#else

#include <string.h>

static cwasm_failed_at unsupported(void) { return (cwasm_failed_at){"stores are reset on Linux only", 0}; }

const char *cwasm_reset_probe(int scan) {
  (void)scan;
  return unsupported().what;
}
cwasm_failed_at cwasm_snapshot_take(cwasm_cell *cell, cwasm_snapshot *out) {
  (void)cell, (void)out;
  return unsupported();
}
void cwasm_snapshot_free(cwasm_snapshot *snapshot) { (void)snapshot; }
cwasm_failed_at cwasm_snapshot_adopt(cwasm_cell *cell, const cwasm_snapshot *snapshot) {
  (void)cell, (void)snapshot;
  return unsupported();
}
cwasm_failed_at cwasm_reset(cwasm_cell *cell, uint64_t keep, int scan) {
  (void)cell, (void)keep, (void)scan;
  return unsupported();
}
void cwasm_state_free(cwasm_cell *cell) { (void)cell; }
void cwasm_state_global(cwasm_cell *cell, uint32_t i, uint8_t bits[16]) {
  (void)cell, (void)i;
  memset(bits, 0, 16);
}
uint64_t cwasm_state_table_size(cwasm_cell *cell, uint32_t i) {
  (void)cell, (void)i;
  return 0;
}
uint64_t cwasm_state_table_entry(cwasm_cell *cell, uint32_t i, uint64_t at) {
  (void)cell, (void)i, (void)at;
  return 0;
}
uint64_t cwasm_state_owned(cwasm_cell *cell, uint32_t i, int scan) {
  (void)cell, (void)i, (void)scan;
  return 0;
}

#endif
