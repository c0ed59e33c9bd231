//go:build unix

#include "fork.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

struct text {
	const char *p;
	size_t n;
};

struct header {
	struct text name, value;
};

struct request {
	struct text method, uri, body;
	struct header headers[1];
	size_t header_count;
};

struct response {
	int status;
	struct header headers[1];
	size_t header_count;
	struct text body;
};

#define TEXT(s) ((struct text){(s), sizeof(s) - 1})

static int is(struct text t, const char *want)
{
	return t.n == strlen(want) && memcmp(t.p, want, t.n) == 0;
}

static struct response handle(struct request q)
{
	struct response r = {.status = 400};
	if (!is(q.method, "POST") || !is(q.uri, "/foo?a=b") || q.header_count != 1 ||
	    !is(q.headers[0].name, "what") || !is(q.headers[0].value, "up") || !is(q.body, "hello, world!"))
		return r;
	r.status = 200;
	r.headers[0] = (struct header){TEXT("content-type"), TEXT("text/plain")};
	r.header_count = 1;
	r.body = TEXT("hola, mundo!");
	return r;
}

// Called through a volatile pointer, the handler can be neither inlined nor
// worked out by the compiler.
static struct response (*volatile handler)(struct request) = handle;

static int exchange(struct text body)
{
	struct request q = {
		.method = TEXT("POST"), .uri = TEXT("/foo?a=b"), .body = body,
		.headers = {{TEXT("what"), TEXT("up")}}, .header_count = 1,
	};
	struct response r = handler(q);
	return r.status == 200 && r.header_count == 1 && is(r.headers[0].name, "content-type") &&
		is(r.headers[0].value, "text/plain") && is(r.body, "hola, mundo!");
}

int minispin_bench_fork(const char *body, size_t length)
{
	// A signal handler of the Go runtime must not run in the child. It keeps them
	// blocked for the little while it has.
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid_t child = fork();
	if (child == 0)
		_exit(exchange((struct text){body, length}) ? 0 : 1);
	int failed = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (child < 0)
		return -failed;
	int status;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return status;
}
