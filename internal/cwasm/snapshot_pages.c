// Finding written pages through /proc/self/pagemap.
//
// A page of a private mapping that was written is anonymous; one that was only
// read is the file's, or the zero page. Kernels from 6.7 on list the former by
// an ioctl; before, one reads a word for each page. Neither needs a privilege:
// the words hide the frame numbers, which are not wanted.

#if defined(__linux__)
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "snapshot.h"
#include "snapshot_pages.h"

// Of linux/fs.h, which on older systems does not have it.
struct scan_arg {
  uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
  uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};
#define SCAN_IOCTL _IOWR('f', 16, struct scan_arg)

enum { IS_FILE = 1 << 2, IS_PRESENT = 1 << 3, IS_SWAPPED = 1 << 4, IS_ZERO = 1 << 5 };

#define ENTRY_PRESENT ((uint64_t)1 << 63)
#define ENTRY_SWAPPED ((uint64_t)1 << 62)
#define ENTRY_FILE ((uint64_t)1 << 61)

static int pagemap = -1;
static bool by_ioctl;
static uint64_t page_size;

static int runs_by_ioctl(const uint8_t **from, const uint8_t *end, cwasm_run *runs, int max) {
  struct scan_arg arg = {
      .size = sizeof arg,
      .start = (uintptr_t)*from,
      .end = (uintptr_t)end,
      .vec = (uintptr_t)runs,
      .vec_len = (uint64_t)max,
      .category_inverted = IS_FILE | IS_ZERO,
      .category_mask = IS_FILE | IS_ZERO,
      .category_anyof_mask = IS_PRESENT | IS_SWAPPED,
      .return_mask = IS_PRESENT,
  };
  int n = ioctl(pagemap, SCAN_IOCTL, &arg);
  if (n < 0) return -1;
  if (arg.walk_end <= arg.start || arg.walk_end > arg.end) {
    errno = EPROTO;
    return -1;
  }
  *from = (const uint8_t *)(uintptr_t)arg.walk_end;
  return n;
}

static int runs_by_entry(const uint8_t **from, const uint8_t *end, cwasm_run *runs, int max) {
  uint64_t entries[512];
  int n = 0;
  while (*from < end) {
    uint64_t at = (uintptr_t)*from;
    uint64_t want = ((uintptr_t)end - at) / page_size;
    if (want > sizeof entries / sizeof *entries) want = sizeof entries / sizeof *entries;
    ssize_t got = pread(pagemap, entries, want * sizeof *entries, (off_t)(at / page_size * sizeof *entries));
    if (got < 0 && errno == EINTR) continue;
    if (got < (ssize_t)sizeof *entries) {
      if (got >= 0) errno = EPROTO;
      return -1;
    }
    uint64_t pages = (uint64_t)got / sizeof *entries;
    for (uint64_t i = 0; i < pages; i++, at += page_size) {
      uint64_t e = entries[i];
      if ((e & (ENTRY_PRESENT | ENTRY_SWAPPED)) == 0 || (e & ENTRY_FILE) != 0) continue;
      if (n > 0 && runs[n - 1].end == at) {
        runs[n - 1].end += page_size;
        continue;
      }
      if (n == max) {
        *from = (const uint8_t *)(uintptr_t)at;
        return n;
      }
      runs[n++] = (cwasm_run){.start = at, .end = at + page_size};
    }
    *from = (const uint8_t *)(uintptr_t)at;
  }
  return n;
}

int cwasm_owned_runs(int scan, const uint8_t **from, const uint8_t *end, cwasm_run *runs, int max) {
  if (scan == CWASM_SCAN_ENTRIES || (scan == CWASM_SCAN_AUTO && !by_ioctl)) return runs_by_entry(from, end, runs, max);
  return runs_by_ioctl(from, end, runs, max);
}

// works tries a way on pages whose state is known: of a file's private mapping
// one page is written, one read and one neither.
static bool works(int scan) {
  int fd = memfd_create("minispin-probe", MFD_CLOEXEC);
  if (fd < 0) return false;
  bool ok = false;
  size_t size = 4 * page_size;
  volatile uint8_t *p = MAP_FAILED;
  if (ftruncate(fd, (off_t)size) != 0) goto done;
  p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  if (p == MAP_FAILED) goto done;
  (void)p[0];
  p[2 * page_size] = 1;
  const uint8_t *from = (const uint8_t *)p;
  cwasm_run runs[4];
  int n = cwasm_owned_runs(scan, &from, from + size, runs, 4);
  ok = n == 1 && from == (const uint8_t *)p + size && runs[0].start == (uintptr_t)p + 2 * page_size &&
       runs[0].end == (uintptr_t)p + 3 * page_size;
done:
  if (p != MAP_FAILED) munmap((void *)p, size);
  close(fd);
  return ok;
}

const char *cwasm_pages_open(int scan) {
  if (pagemap < 0) {
    page_size = (uint64_t)sysconf(_SC_PAGESIZE);
    if (65536 % page_size != 0) return "pages of the system are larger than those of WebAssembly";
    pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    if (pagemap < 0) return "/proc/self/pagemap cannot be opened";
    by_ioctl = works(CWASM_SCAN_IOCTL);
  }
  if (scan == CWASM_SCAN_IOCTL && !by_ioctl) return "the kernel has no PAGEMAP_SCAN";
  if (!works(scan)) return "/proc/self/pagemap does not tell written pages from others";
  return NULL;
}

#endif
