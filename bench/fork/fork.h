#ifndef MINISPIN_BENCH_FORK_H
#define MINISPIN_BENCH_FORK_H

#include <stddef.h>

// minispin_bench_fork forks; the child handles a request with the body given and
// checks its own answer. Returns -errno if there was no child or its end could
// not be learnt, or the status that waitpid gave: exit code 0 if request and
// answer were as they should be, 1 if not.
int minispin_bench_fork(const char *body, size_t length);

#endif
