// The host memory creator: where linear memories of a resettable engine come
// from.
//
// Each memory reserves its full range of addresses with a guard on both sides,
// so that it never moves; what is in use is made accessible as it grows. The
// engine asks for size and capacity when it has a reason to, which is what makes
// it possible to shrink a memory behind its back: report a smaller size, and
// have it ask.
//
// Beyond its size a memory must trap. Either the pages there are inaccessible,
// or compiled code compares every address with the size. The former is the
// faster code, but then to shrink a memory takes rights on pages away, which
// every processor that runs a thread of this process has to be told at once.

#if defined(__linux__)
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "snapshot.h"
#include "snapshot_linear.h"

// Memories take more than 4 GiB of address space each, so that no two begin
// within the same 4 GiB: the upper half of the address finds the memory.
enum { SPACE_BITS = 48 - 32 };
static cwasm_linear *memories[1 << SPACE_BITS];

static char guarded;  // its address is the environment of guarded memories

#define LEAST_CAPACITY ((size_t)4 << 30)
#define LEAST_GUARD ((size_t)32 << 20)

cwasm_linear *cwasm_linear_at(const uint8_t *base) {
  uintptr_t i = (uintptr_t)base >> 32;
  if (i >> SPACE_BITS != 0) return NULL;
  cwasm_linear *m = __atomic_load_n(&memories[i], __ATOMIC_ACQUIRE);
  return m != NULL && m->base == base ? m : NULL;
}

static uint8_t *linear_get(void *env, size_t *size, size_t *capacity) {
  cwasm_linear *m = env;
  *size = m->size;
  *capacity = m->capacity;
  return m->base;
}

static wasmtime_error_t *linear_grow(void *env, size_t size) {
  cwasm_linear *m = env;
  if (size <= m->size) return NULL;
  if (size > m->capacity) return wasmtime_error_new("memory grows beyond its reservation");
  if (size > m->open) {
    if (mprotect(m->base + m->open, size - m->open, PROT_READ | PROT_WRITE) != 0) {
      return wasmtime_error_new("memory cannot grow: the system has none to give");
    }
    m->open = size;
  }
  m->size = size;
  if (size > m->high) m->high = size;
  return NULL;
}

static void linear_free(void *env) {
  cwasm_linear *m = env;
  uintptr_t i = (uintptr_t)m->base >> 32;
  __atomic_store_n(&memories[i], NULL, __ATOMIC_RELEASE);
  munmap(m->map, m->map_len);
  free(m);
}

static wasmtime_error_t *linear_new(void *env, const wasm_memorytype_t *type, size_t minimum, size_t maximum,
                                    size_t reserved, size_t guard, wasmtime_linear_memory_t *out) {
  (void)type, (void)maximum;
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  size_t capacity = reserved > LEAST_CAPACITY ? reserved : LEAST_CAPACITY;
  if (minimum > capacity || minimum % page != 0) return wasmtime_error_new("memory of this size cannot be reserved");
  guard = guard > LEAST_GUARD ? (guard + page - 1) / page * page : LEAST_GUARD;

  cwasm_linear *m = calloc(1, sizeof *m);
  if (m == NULL) return wasmtime_error_new("out of memory");
  m->map_len = guard + capacity + guard;
  m->map = mmap(NULL, m->map_len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (m->map == MAP_FAILED) {
    free(m);
    return wasmtime_error_new("address space for a memory cannot be reserved");
  }
  m->base = m->map + guard;
  m->capacity = capacity;
  m->guarded = env == &guarded;
  uintptr_t i = (uintptr_t)m->base >> 32;
  // A huge page would make one byte written cost two megabytes to put back. A
  // kernel without huge pages refuses the advice, which does no harm.
  madvise(m->map, m->map_len, MADV_NOHUGEPAGE);
  wasmtime_error_t *error = i >> SPACE_BITS != 0 ? wasmtime_error_new("memory lies beyond 48 bits of addresses")
                                                 : linear_grow(m, minimum);
  if (error != NULL) {
    munmap(m->map, m->map_len);
    free(m);
    return error;
  }
  __atomic_store_n(&memories[i], m, __ATOMIC_RELEASE);
  out->env = m;
  out->get_memory = linear_get;
  out->grow_memory = linear_grow;
  out->finalizer = linear_free;
  return NULL;
}

// With a host memory creator the engine's own copy-on-write images must be
// off, or it aborts.
void cwasm_config_reset(wasm_config_t *config, int bounds) {
  wasmtime_memory_creator_t creator = {.env = NULL, .new_memory = linear_new, .finalizer = NULL};
  if (bounds == CWASM_BOUNDS_GUARD) {
    creator.env = &guarded;
  } else {
    // Told of no reservation, the compiler puts checks in; told of no guard,
    // it makes them exact. There are both all the same.
    wasmtime_config_memory_reservation_set(config, 0);
    wasmtime_config_memory_guard_size_set(config, 0);
    wasmtime_config_memory_may_move_set(config, false);
  }
  wasmtime_config_memory_init_cow_set(config, false);
  wasmtime_config_host_memory_creator_set(config, &creator);
}

#else

#include "snapshot.h"

void cwasm_config_reset(wasm_config_t *config, int bounds) { (void)config, (void)bounds; }

#endif
