// Calls every function of WASI preview 1 in the ways it can go well and in those
// it can fail, and prints what came of each call: one line, its error number
// last. It is a WAGI guest. What it finds at / is:
//
//   a.txt      the ten bytes 0123456789
//   sub/b.txt  one byte
//   ro/        a mount of its own, with r.txt, that may not be written to
//
// and no times, numbers of files or random bytes are in what it prints, so that
// two runs in equal directories print the same.

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wasi/api.h>

typedef __wasi_errno_t result;

enum { ROOT = 3, RO = 4, CLOSED = 900 };

#define READ __WASI_RIGHTS_FD_READ
#define WRITE __WASI_RIGHTS_FD_WRITE
#define FOLLOW __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW

// An address that is in no guest's memory.
#define NOWHERE ((void *)0xfffffff0)

// Two functions that older headers do not declare.
__attribute__((import_module("wasi_snapshot_preview1"), import_name("proc_raise")))
int32_t proc_raise(int32_t signal);
__attribute__((import_module("wasi_snapshot_preview1"), import_name("sock_accept")))
int32_t sock_accept(int32_t fd, int32_t flags, void *accepted);

static const char *const names[] = {
	"ok", "2big", "acces", "addrinuse", "addrnotavail", "afnosupport", "again", "already", "badf", "badmsg",
	"busy", "canceled", "child", "connaborted", "connrefused", "connreset", "deadlk", "destaddrreq", "dom",
	"dquot", "exist", "fault", "fbig", "hostunreach", "idrm", "ilseq", "inprogress", "intr", "inval", "io",
	"isconn", "isdir", "loop", "mfile", "mlink", "msgsize", "multihop", "nametoolong", "netdown", "netreset",
	"netunreach", "nfile", "nobufs", "nodev", "noent", "noexec", "nolck", "nolink", "nomem", "nomsg",
	"noprotoopt", "nospc", "nosys", "notconn", "notdir", "notempty", "notrecoverable", "notsock", "notsup",
	"notty", "nxio", "overflow", "ownerdead", "perm", "pipe", "proto", "protonosupport", "prototype", "range",
	"rofs", "spipe", "srch", "stale", "timedout", "txtbsy", "xdev", "notcapable",
};

static const char *name(result e) {
	return e < sizeof names / sizeof names[0] ? names[e] : "unknown";
}

// What of a path can be printed.
static const char *printable(const char *path) { return *path < 0 ? "(not UTF-8)" : path; }

// Prints a line for a call that is described by format.
__attribute__((format(printf, 2, 3))) static result show(result e, const char *format, ...) {
	va_list args;
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf(": %s\n", name(e));
	return e;
}

// A call that must go well, and is not what is tried.
static void must(result e) {
	if (e != 0)
		printf("a call failed that must not: %s\n", name(e));
}

static void section(const char *title) { printf("\n# %s\n", title); }

// --- Shorter forms of what is called often ---------------------------------

static result open_at(__wasi_fd_t dir, __wasi_lookupflags_t lookup, const char *path, __wasi_oflags_t how,
                      __wasi_rights_t rights, __wasi_fdflags_t flags, __wasi_fd_t *fd) {
	return __wasi_path_open(dir, lookup, path, how, rights, rights, flags, fd);
}

// Opens a path that must open.
static __wasi_fd_t must_open(const char *path, __wasi_oflags_t how, __wasi_rights_t rights, __wasi_fdflags_t flags) {
	__wasi_fd_t fd = CLOSED;
	result e = open_at(ROOT, 0, path, how, rights, flags, &fd);
	if (e != 0)
		show(e, "opening %s, which must open", path);
	return fd;
}

static void try_open(__wasi_fd_t dir, __wasi_lookupflags_t lookup, const char *path, __wasi_oflags_t how,
                     __wasi_rights_t rights) {
	__wasi_fd_t fd;
	result e = show(open_at(dir, lookup, path, how, rights, 0, &fd), "path_open %.20s lookup=%u how=%u%s%s%s",
	                printable(path), lookup, how, rights & READ ? " read" : "", rights & WRITE ? " write" : "",
	                dir == RO ? " read-only" : "");
	if (e == 0)
		must(__wasi_fd_close(fd));
}

static result put(__wasi_fd_t fd, const char *text, __wasi_size_t *n) {
	__wasi_ciovec_t v = {(const uint8_t *)text, strlen(text)};
	*n = 0;
	return __wasi_fd_write(fd, &v, 1, n);
}

static void write_text(__wasi_fd_t fd, const char *text) {
	__wasi_size_t n;
	result e = put(fd, text, &n);
	show(e, "fd_write %s wrote %zu", text, n);
}

static void read_text(__wasi_fd_t fd, size_t want) {
	char text[64];
	__wasi_size_t n = 0;
	__wasi_iovec_t v = {(uint8_t *)text, want};
	result e = __wasi_fd_read(fd, &v, 1, &n);
	show(e, "fd_read %zu got \"%.*s\"", want, (int)n, text);
}

static void tell(__wasi_fd_t fd) {
	__wasi_filesize_t at = 0;
	result e = __wasi_fd_tell(fd, &at);
	show(e, "fd_tell %llu", (unsigned long long)at);
}

static void seek(__wasi_fd_t fd, int64_t offset, __wasi_whence_t whence) {
	__wasi_filesize_t at = 0;
	result e = __wasi_fd_seek(fd, offset, whence, &at);
	show(e, "fd_seek %lld whence=%u now at %llu", (long long)offset, whence, (unsigned long long)at);
}

static void size_of(__wasi_fd_t fd) {
	__wasi_filestat_t st = {0};
	result e = __wasi_fd_filestat_get(fd, &st);
	show(e, "fd_filestat_get type=%u size=%llu links=%llu", st.filetype, (unsigned long long)st.size,
	     (unsigned long long)st.nlink);
}

// --- What is tried ----------------------------------------------------------

static void preopens(void) {
	section("preopens");
	for (__wasi_fd_t fd = 3;; fd++) {
		__wasi_prestat_t p;
		result e = __wasi_fd_prestat_get(fd, &p);
		if (e != 0) {
			show(e, "fd_prestat_get %u", fd);
			break;
		}
		char path[32] = {0};
		e = __wasi_fd_prestat_dir_name(fd, (uint8_t *)path, p.u.dir.pr_name_len);
		show(e, "fd_prestat_dir_name %u tag=%u \"%s\"", fd, p.tag, path);
		show(__wasi_fd_prestat_dir_name(fd, (uint8_t *)path, 0), "fd_prestat_dir_name %u into nothing", fd);
	}
	show(__wasi_fd_prestat_dir_name(1, NULL, 0), "fd_prestat_dir_name of standard output");
	__wasi_fdstat_t st;
	for (__wasi_fd_t fd = 0; fd <= RO; fd++) {
		result e = __wasi_fd_fdstat_get(fd, &st);
		show(e, "fd_fdstat_get %u type=%u flags=%u rights=%llx inheriting=%llx", fd, st.fs_filetype, st.fs_flags,
		     (unsigned long long)st.fs_rights_base, (unsigned long long)st.fs_rights_inheriting);
	}
	show(__wasi_fd_fdstat_get(CLOSED, &st), "fd_fdstat_get closed");
}

static void opening(void) {
	section("opening");
	char longer[300], longest[5000];
	memset(longer, 'x', sizeof longer);
	longer[sizeof longer - 1] = 0;
	memset(longest, 'x', sizeof longest);
	longest[sizeof longest - 1] = 0;
	struct {
		const char *path;
		__wasi_lookupflags_t lookup;
		__wasi_oflags_t how;
		__wasi_rights_t rights;
	} tries[] = {
		{"a.txt", 0, 0, READ},
		{"a.txt", 0, 0, 0},
		{"sub//.././sub/b.txt", 0, 0, READ | WRITE},
		{"sub", 0, __WASI_OFLAGS_DIRECTORY, READ},
		{"sub/", 0, 0, READ},
		{".", 0, 0, READ},
		{"made", 0, __WASI_OFLAGS_CREAT | __WASI_OFLAGS_EXCL, WRITE},
		{"made", 0, __WASI_OFLAGS_CREAT | __WASI_OFLAGS_EXCL, WRITE},
		{"made", 0, __WASI_OFLAGS_CREAT | __WASI_OFLAGS_TRUNC, WRITE},
		{"absent", 0, 0, READ},
		{"absent/x", 0, __WASI_OFLAGS_CREAT, WRITE},
		{"", 0, 0, READ},
		{"a.txt/", 0, 0, READ},
		{"a.txt/x", 0, 0, READ},
		{"a.txt", 0, __WASI_OFLAGS_DIRECTORY, READ},
		{"sub", 0, 0, READ | WRITE},
		{"sub", 0, __WASI_OFLAGS_TRUNC, 0},
		{"../a.txt", 0, 0, READ},
		{"sub/../../a.txt", 0, 0, READ},
		{"/a.txt", 0, 0, READ},
		{"\xff\xfe", 0, 0, READ},
		{longer, 0, 0, READ},
		{longest, 0, 0, READ},
		{"a.txt", 8, 0, READ},
		{"a.txt", 0, 64, READ},
	};
	for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++)
		try_open(ROOT, tries[i].lookup, tries[i].path, tries[i].how, tries[i].rights);
	try_open(RO, 0, "r.txt", 0, READ);
	try_open(RO, 0, "r.txt", 0, WRITE);
	try_open(RO, 0, "r.txt", __WASI_OFLAGS_TRUNC, READ);
	try_open(RO, 0, "new", __WASI_OFLAGS_CREAT, READ);
	try_open(1, 0, "a.txt", 0, READ);
	try_open(CLOSED, 0, "a.txt", 0, READ);
	__wasi_fd_t fd = must_open("a.txt", 0, READ, 0);
	try_open(fd, 0, "a.txt", 0, READ);
	__wasi_fd_t other;
	show(open_at(ROOT, 0, "a.txt", 0, READ, 128, &other), "path_open with unknown fdflags");
	show(open_at(ROOT, 0, "a.txt", 0, READ, 0, NOWHERE), "path_open with the result nowhere");
	show(__wasi_fd_close(fd), "fd_close");
	show(__wasi_fd_close(fd), "fd_close again");
}

static void moving(void) {
	section("reading and writing");
	__wasi_fd_t fd = must_open("a.txt", 0, READ | WRITE, 0);
	read_text(fd, 4);
	read_text(fd, 60);
	read_text(fd, 60);
	seek(fd, 2, __WASI_WHENCE_SET);
	seek(fd, 3, __WASI_WHENCE_CUR);
	seek(fd, -4, __WASI_WHENCE_END);
	seek(fd, -1, __WASI_WHENCE_SET);
	seek(fd, INT64_MAX, __WASI_WHENCE_CUR);
	seek(fd, 0, 9);
	seek(0, 0, __WASI_WHENCE_CUR);
	seek(ROOT, 0, __WASI_WHENCE_SET);
	tell(fd);
	tell(1);
	tell(ROOT);
	tell(CLOSED);
	write_text(fd, "AB");
	tell(fd);

	char a[3] = "", b[8] = "";
	__wasi_iovec_t in[] = {{(uint8_t *)a, 2}, {NULL, 0}, {(uint8_t *)b, 7}};
	__wasi_size_t n = 0;
	result e = __wasi_fd_pread(fd, in, 3, 4, &n);
	show(e, "fd_pread %zu \"%s\" \"%s\"", n, a, b);
	show(__wasi_fd_pread(fd, in, 3, UINT64_MAX, &n), "fd_pread below zero");
	show(__wasi_fd_pread(0, in, 3, 0, &n), "fd_pread of a stream");
	show(__wasi_fd_pread(ROOT, in, 3, 0, &n), "fd_pread of a directory");
	__wasi_ciovec_t out[] = {{(const uint8_t *)"<", 1}, {(const uint8_t *)"end>", 4}};
	e = __wasi_fd_pwrite(fd, out, 2, 9, &n);
	show(e, "fd_pwrite %zu", n);
	show(__wasi_fd_pwrite(fd, out, 2, UINT64_MAX - 1, &n), "fd_pwrite below zero");
	show(__wasi_fd_pwrite(1, out, 2, 0, &n), "fd_pwrite to a stream");
	show(__wasi_fd_pwrite(ROOT, out, 2, 0, &n), "fd_pwrite to a directory");
	tell(fd);
	size_of(fd);
	show(__wasi_fd_filestat_set_size(fd, 5), "fd_filestat_set_size 5");
	size_of(fd);
	show(__wasi_fd_filestat_set_size(fd, INT64_MAX + 1ull), "fd_filestat_set_size 2^63");
	show(__wasi_fd_filestat_set_size(1, 5), "fd_filestat_set_size of a stream");
	show(__wasi_fd_filestat_set_size(ROOT, 5), "fd_filestat_set_size of a directory");
	show(__wasi_fd_advise(fd, 0, 5, __WASI_ADVICE_WILLNEED), "fd_advise");
	show(__wasi_fd_advise(fd, 0, 5, 9), "fd_advise with unknown advice");
	show(__wasi_fd_advise(1, 0, 5, 0), "fd_advise of a stream");
	show(__wasi_fd_advise(ROOT, 0, 5, 0), "fd_advise of a directory");
	show(__wasi_fd_allocate(fd, 0, 0), "fd_allocate nothing");
	show(__wasi_fd_allocate(1, 0, 5), "fd_allocate of a stream");
	show(__wasi_fd_allocate(ROOT, 0, 5), "fd_allocate of a directory");
	show(__wasi_fd_sync(fd), "fd_sync");
	show(__wasi_fd_sync(ROOT), "fd_sync of a directory");
	show(__wasi_fd_sync(1), "fd_sync of a stream");
	show(__wasi_fd_datasync(fd), "fd_datasync");
	show(__wasi_fd_datasync(1), "fd_datasync of a stream");

	__wasi_fd_t only_read = must_open("a.txt", 0, READ, 0);
	__wasi_fd_t only_write = must_open("a.txt", 0, WRITE, 0);
	write_text(only_read, "no");
	read_text(only_write, 5);
	show(__wasi_fd_pwrite(only_read, out, 2, 0, &n), "fd_pwrite to a file open for reading");
	show(__wasi_fd_pread(only_write, in, 3, 0, &n), "fd_pread of a file open for writing");
	show(__wasi_fd_filestat_set_size(only_read, 0), "fd_filestat_set_size of a file open for reading");
	show(__wasi_fd_allocate(only_read, 0, 1), "fd_allocate of a file open for reading");
	read_text(ROOT, 5);
	write_text(ROOT, "no");
	read_text(1, 5);
	write_text(0, "no");
	read_text(CLOSED, 5);
	write_text(CLOSED, "no");
	in[0].buf = NOWHERE;
	show(__wasi_fd_read(fd, in, 1, &n), "fd_read to nowhere");
	show(__wasi_fd_read(fd, NOWHERE, 1, &n), "fd_read with a list nowhere");
	show(__wasi_fd_write(fd, out, 2, NOWHERE), "fd_write with the result nowhere");

	section("appending");
	__wasi_fd_t tail = must_open("a.txt", 0, READ | WRITE, __WASI_FDFLAGS_APPEND);
	__wasi_fdstat_t st;
	e = __wasi_fd_fdstat_get(tail, &st);
	show(e, "fd_fdstat_get type=%u flags=%u", st.fs_filetype, st.fs_flags);
	write_text(tail, "one");
	seek(tail, 0, __WASI_WHENCE_SET);
	write_text(tail, "two");
	tell(tail);
	show(__wasi_fd_fdstat_set_flags(tail, __WASI_FDFLAGS_NONBLOCK), "fd_fdstat_set_flags nonblock");
	seek(tail, 0, __WASI_WHENCE_SET);
	write_text(tail, "!");
	seek(tail, 0, __WASI_WHENCE_SET);
	read_text(tail, 60);
	show(__wasi_fd_fdstat_set_flags(tail, __WASI_FDFLAGS_SYNC), "fd_fdstat_set_flags sync");
	show(__wasi_fd_fdstat_set_flags(tail, 64), "fd_fdstat_set_flags unknown");
	show(__wasi_fd_fdstat_set_flags(1, __WASI_FDFLAGS_APPEND), "fd_fdstat_set_flags append of a stream");
	show(__wasi_fd_fdstat_set_flags(1, 0), "fd_fdstat_set_flags none of a stream");
	show(__wasi_fd_fdstat_set_flags(CLOSED, 0), "fd_fdstat_set_flags closed");
	must(__wasi_fd_close(tail));
	must(__wasi_fd_close(only_read));
	must(__wasi_fd_close(only_write));
	must(__wasi_fd_close(fd));
}

static void stats(void) {
	section("stat and times");
	__wasi_filestat_t a, b;
	__wasi_fd_t fd = must_open("a.txt", 0, READ, 0);
	must(__wasi_fd_filestat_get(fd, &a));
	result e = __wasi_path_filestat_get(ROOT, 0, "sub/../a.txt", &b);
	show(e, "path_filestat_get type=%u, %s", b.filetype, a.ino == b.ino && a.dev == b.dev ? "the same file" : "another file");
	e = __wasi_path_filestat_get(ROOT, 0, "sub", &b);
	show(e, "path_filestat_get type=%u, %s", b.filetype, a.ino == b.ino ? "the same file" : "another file");
	show(__wasi_path_filestat_get(ROOT, 0, "absent", &b), "path_filestat_get absent");
	show(__wasi_path_filestat_get(ROOT, 0, "../x", &b), "path_filestat_get outside");
	show(__wasi_path_filestat_get(ROOT, 8, "a.txt", &b), "path_filestat_get unknown lookup");
	show(__wasi_path_filestat_get(ROOT, 0, "a.txt", NOWHERE), "path_filestat_get to nowhere");
	show(__wasi_path_filestat_get(1, 0, "a.txt", &b), "path_filestat_get beneath a stream");
	size_of(0);
	size_of(CLOSED);
	struct {
		__wasi_fstflags_t flags;
		const char *what;
	} tries[] = {
		{0, "nothing"},
		{__WASI_FSTFLAGS_ATIM | __WASI_FSTFLAGS_MTIM, "both"},
		{__WASI_FSTFLAGS_ATIM_NOW | __WASI_FSTFLAGS_MTIM_NOW, "both to now"},
		{__WASI_FSTFLAGS_MTIM, "one"},
		{__WASI_FSTFLAGS_ATIM | __WASI_FSTFLAGS_ATIM_NOW, "one twice"},
		{64, "unknown"},
	};
	for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
		show(__wasi_path_filestat_set_times(ROOT, 0, "a.txt", 5, 7, tries[i].flags), "path_filestat_set_times %s",
		     tries[i].what);
		must(__wasi_path_filestat_get(ROOT, 0, "a.txt", &b));
		printf("access %s, change %s\n", b.atim == 5 ? "5" : "other", b.mtim == 7 ? "7" : "other");
	}
	show(__wasi_path_filestat_set_times(ROOT, 0, "absent", 5, 7, 0), "path_filestat_set_times absent");
	show(__wasi_path_filestat_set_times(RO, 0, "r.txt", 5, 7, __WASI_FSTFLAGS_MTIM), "path_filestat_set_times read-only");
	show(__wasi_fd_filestat_set_times(1, 5, 7, __WASI_FSTFLAGS_MTIM), "fd_filestat_set_times of a stream");
	show(__wasi_fd_filestat_set_times(RO, 5, 7, __WASI_FSTFLAGS_MTIM), "fd_filestat_set_times read-only");
	show(__wasi_fd_filestat_set_times(CLOSED, 5, 7, __WASI_FSTFLAGS_MTIM), "fd_filestat_set_times closed");
	must(__wasi_fd_close(fd));
}

static void paths(void) {
	section("directories and links");
	const char *create[] = {"d", "d", "x/y", "a.txt/y", "../d", "/d", "", "\xff"};
	for (size_t i = 0; i < sizeof create / sizeof create[0]; i++)
		show(__wasi_path_create_directory(ROOT, create[i]), "path_create_directory %s", printable(create[i]));
	show(__wasi_path_create_directory(RO, "d"), "path_create_directory read-only");
	show(__wasi_path_create_directory(1, "d"), "path_create_directory beneath a stream");

	show(__wasi_path_symlink("../a.txt", ROOT, "d/link"), "path_symlink");
	show(__wasi_path_symlink("../a.txt", ROOT, "d/link"), "path_symlink again");
	show(__wasi_path_symlink("/a.txt", ROOT, "d/absolute"), "path_symlink absolute");
	show(__wasi_path_symlink("loop", ROOT, "loop"), "path_symlink to itself");
	show(__wasi_path_symlink("../../x", ROOT, "d/out"), "path_symlink out");
	show(__wasi_path_symlink("x", RO, "l"), "path_symlink read-only");
	try_open(ROOT, FOLLOW, "d/link", 0, READ);
	try_open(ROOT, 0, "d/link", 0, READ);
	try_open(ROOT, FOLLOW, "loop", 0, READ);
	try_open(ROOT, FOLLOW, "d/out", 0, READ);
	char text[32] = "";
	__wasi_size_t n = 0;
	result e = __wasi_path_readlink(ROOT, "d/link", (uint8_t *)text, sizeof text, &n);
	show(e, "path_readlink \"%.*s\"", (int)n, text);
	e = __wasi_path_readlink(ROOT, "d/link", (uint8_t *)text, 3, &n);
	show(e, "path_readlink into 3 bytes \"%.*s\"", (int)n, text);
	show(__wasi_path_readlink(ROOT, "a.txt", (uint8_t *)text, sizeof text, &n), "path_readlink of a file");
	show(__wasi_path_readlink(ROOT, "absent", (uint8_t *)text, sizeof text, &n), "path_readlink absent");
	show(__wasi_path_readlink(ROOT, "d/link", NOWHERE, 8, &n), "path_readlink to nowhere");

	show(__wasi_path_link(ROOT, 0, "a.txt", ROOT, "d/hard"), "path_link");
	show(__wasi_path_link(ROOT, 0, "a.txt", ROOT, "d/hard"), "path_link again");
	show(__wasi_path_link(ROOT, 0, "absent", ROOT, "d/x"), "path_link absent");
	show(__wasi_path_link(ROOT, FOLLOW, "d/link", ROOT, "d/x"), "path_link following");
	show(__wasi_path_link(ROOT, 0, "a.txt", ROOT, "../x"), "path_link out");
	show(__wasi_path_link(ROOT, 0, "a.txt", RO, "x"), "path_link into another mount");
	show(__wasi_path_link(ROOT, 0, "a.txt", CLOSED, "x"), "path_link to closed");
	__wasi_fd_t fd = must_open("d/hard", 0, READ, 0);
	size_of(fd);
	must(__wasi_fd_close(fd));

	show(__wasi_path_rename(ROOT, "d/hard", ROOT, "moved"), "path_rename");
	show(__wasi_path_rename(ROOT, "d/hard", ROOT, "moved"), "path_rename again");
	show(__wasi_path_rename(ROOT, "made", ROOT, "moved"), "path_rename over a file");
	show(__wasi_path_rename(ROOT, "moved", ROOT, "../x"), "path_rename out");
	show(__wasi_path_rename(ROOT, "moved", ROOT, "d"), "path_rename over a directory");
	show(__wasi_path_rename(ROOT, "moved", ROOT, "a.txt/x"), "path_rename beneath a file");
	show(__wasi_path_rename(RO, "r.txt", RO, "x"), "path_rename read-only");
	show(__wasi_path_rename(ROOT, "moved", 1, "x"), "path_rename beneath a stream");

	show(__wasi_path_unlink_file(ROOT, "d"), "path_unlink_file of a directory");
	show(__wasi_path_unlink_file(ROOT, "absent"), "path_unlink_file absent");
	show(__wasi_path_unlink_file(ROOT, "moved/"), "path_unlink_file with a slash");
	show(__wasi_path_unlink_file(RO, "r.txt"), "path_unlink_file read-only");
	show(__wasi_path_remove_directory(ROOT, "moved"), "path_remove_directory of a file");
	show(__wasi_path_remove_directory(ROOT, "d"), "path_remove_directory with something in it");
	show(__wasi_path_unlink_file(ROOT, "moved"), "path_unlink_file");
	show(__wasi_path_unlink_file(ROOT, "d/link"), "path_unlink_file of a link");
	show(__wasi_path_unlink_file(ROOT, "d/out"), "path_unlink_file of another");
	show(__wasi_path_remove_directory(ROOT, "d"), "path_remove_directory");
	show(__wasi_path_remove_directory(ROOT, "d"), "path_remove_directory again");
	show(__wasi_path_unlink_file(ROOT, "loop"), "path_unlink_file of a loop");
}

// Lists the directory with a buffer of size bytes, as often as it takes, and prints
// how many entries of each kind there were.
static void list(__wasi_fd_t dir, __wasi_size_t size) {
	static _Alignas(8) uint8_t buf[4096];
	__wasi_dircookie_t cookie = 0;
	unsigned files = 0, directories = 0, others = 0, sum = 0;
	result e;
	for (;;) {
		__wasi_size_t used = 0, at = 0;
		e = __wasi_fd_readdir(dir, buf, size, cookie, &used);
		if (e != 0)
			break;
		while (used - at >= sizeof(__wasi_dirent_t)) {
			__wasi_dirent_t d;
			memcpy(&d, buf + at, sizeof d);
			if (used - at - sizeof d < d.d_namlen)
				break;
			for (__wasi_dirnamlen_t i = 0; i < d.d_namlen; i++)
				sum += buf[at + sizeof d + i];
			at += sizeof d + d.d_namlen;
			cookie = d.d_next;
			files += d.d_type == __WASI_FILETYPE_REGULAR_FILE;
			directories += d.d_type == __WASI_FILETYPE_DIRECTORY;
			others += d.d_type != __WASI_FILETYPE_REGULAR_FILE && d.d_type != __WASI_FILETYPE_DIRECTORY;
		}
		if (used < size)
			break;
		if (at == 0)
			size *= 2;
	}
	show(e, "fd_readdir: %u files, %u directories, %u others, names add up to %u", files, directories, others, sum);
}

static void listing(void) {
	section("listing");
	char file[32];
	must(__wasi_path_create_directory(ROOT, "many"));
	for (int i = 0; i < 100; i++) {
		snprintf(file, sizeof file, "many/file-%03d", i);
		must(__wasi_fd_close(must_open(file, __WASI_OFLAGS_CREAT, WRITE, 0)));
	}
	must(__wasi_path_create_directory(ROOT, "many/directory"));
	must(__wasi_path_symlink("x", ROOT, "many/link"));
	__wasi_fd_t dir = must_open("many", __WASI_OFLAGS_DIRECTORY, READ | __WASI_RIGHTS_FD_READDIR, 0);
	list(dir, 4096);
	list(dir, 100);
	list(dir, 1);
	__wasi_size_t used;
	show(__wasi_fd_readdir(dir, NOWHERE, 100, 0, &used), "fd_readdir to nowhere");
	uint8_t some[64];
	result e = __wasi_fd_readdir(dir, some, sizeof some, 5000, &used);
	show(e, "fd_readdir beyond the end used %zu", used);
	show(__wasi_fd_readdir(1, some, sizeof some, 0, &used), "fd_readdir of a stream");
	show(__wasi_fd_readdir(CLOSED, some, sizeof some, 0, &used), "fd_readdir closed");
	for (int i = 0; i < 100; i++) {
		snprintf(file, sizeof file, "file-%03d", i);
		must(__wasi_path_unlink_file(dir, file));
	}
	list(dir, 4096);
	must(__wasi_path_unlink_file(dir, "link"));
	must(__wasi_path_remove_directory(dir, "directory"));
	must(__wasi_fd_close(dir));
	show(__wasi_path_remove_directory(ROOT, "many"), "path_remove_directory many");
}

static void rights(void) {
	section("rights");
	__wasi_fd_t fd = must_open("a.txt", 0, READ | WRITE, 0);
	__wasi_fdstat_t st;
	must(__wasi_fd_fdstat_get(fd, &st));
	show(__wasi_fd_fdstat_set_rights(fd, st.fs_rights_base & ~WRITE, 0), "fd_fdstat_set_rights without writing");
	write_text(fd, "no");
	read_text(fd, 1);
	show(__wasi_fd_fdstat_set_rights(fd, st.fs_rights_base, 0), "fd_fdstat_set_rights with writing again");
	show(__wasi_fd_fdstat_set_rights(fd, 0, 0), "fd_fdstat_set_rights without any");
	tell(fd);
	must(__wasi_fd_close(fd));
	__wasi_fd_t dir = must_open("sub", __WASI_OFLAGS_DIRECTORY, READ, 0);
	must(__wasi_fd_fdstat_get(dir, &st));
	show(__wasi_fd_fdstat_set_rights(dir, st.fs_rights_base, st.fs_rights_inheriting & ~WRITE),
	     "fd_fdstat_set_rights of a directory");
	try_open(dir, 0, "b.txt", 0, READ);
	try_open(dir, 0, "b.txt", 0, WRITE);
	must(__wasi_fd_close(dir));
	show(__wasi_fd_fdstat_set_rights(CLOSED, 0, 0), "fd_fdstat_set_rights closed");
}

static __wasi_subscription_t on_clock(uint64_t user, __wasi_clockid_t id, uint64_t timeout, uint16_t flags) {
	__wasi_subscription_t s = {.userdata = user};
	s.u.tag = __WASI_EVENTTYPE_CLOCK;
	s.u.u.clock.id = id;
	s.u.u.clock.timeout = timeout;
	s.u.u.clock.flags = flags;
	return s;
}

static __wasi_subscription_t on_fd(uint64_t user, uint8_t tag, __wasi_fd_t fd) {
	__wasi_subscription_t s = {.userdata = user};
	s.u.tag = tag;
	s.u.u.fd_read.file_descriptor = fd;
	return s;
}

static void poll(const __wasi_subscription_t *subs, size_t n, const char *what) {
	__wasi_event_t events[8];
	__wasi_size_t count = 0;
	show(__wasi_poll_oneoff(subs, events, n, &count), "poll_oneoff %s, %zu of %zu", what, count, n);
	for (size_t i = 0; i < count; i++) {
		printf("  event %llu type=%u", (unsigned long long)events[i].userdata, events[i].type);
		if (events[i].type == __WASI_EVENTTYPE_FD_READ)
			printf(" bytes=%llu flags=%u", (unsigned long long)events[i].fd_readwrite.nbytes, events[i].fd_readwrite.flags);
		printf(": %s\n", name(events[i].error));
	}
}

static void polling(void) {
	section("polling");
	const uint64_t ms = 1000000, far = 1ull << 62;
	__wasi_timestamp_t before, after, now;
	must(__wasi_clock_time_get(__WASI_CLOCKID_MONOTONIC, 0, &before));
	__wasi_subscription_t s[4] = {on_clock(1, __WASI_CLOCKID_MONOTONIC, far, 0), on_clock(2, __WASI_CLOCKID_MONOTONIC, 10 * ms, 0)};
	poll(s, 2, "two clocks");
	must(__wasi_clock_time_get(__WASI_CLOCKID_MONOTONIC, 0, &after));
	printf("%s\n", after - before >= 10 * ms ? "waited" : "did not wait");
	must(__wasi_clock_time_get(__WASI_CLOCKID_REALTIME, 0, &now));
	s[0] = on_clock(3, __WASI_CLOCKID_REALTIME, now + 10 * ms, __WASI_SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME);
	poll(s, 1, "a time ahead");
	s[0] = on_clock(4, __WASI_CLOCKID_REALTIME, now, __WASI_SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME);
	poll(s, 1, "a time past");
	__wasi_fd_t fd = must_open("a.txt", 0, READ | WRITE, 0);
	s[0] = on_fd(5, __WASI_EVENTTYPE_FD_READ, fd);
	s[1] = on_fd(6, __WASI_EVENTTYPE_FD_WRITE, fd);
	s[2] = on_clock(7, __WASI_CLOCKID_MONOTONIC, far, 0);
	s[3] = on_fd(8, __WASI_EVENTTYPE_FD_WRITE, 1);
	poll(s, 4, "a file and standard output");
	s[0] = on_fd(9, __WASI_EVENTTYPE_FD_READ, 0);
	poll(s, 1, "standard input");
	s[0] = on_fd(10, __WASI_EVENTTYPE_FD_READ, CLOSED);
	s[1] = on_fd(11, __WASI_EVENTTYPE_FD_READ, ROOT);
	s[2] = on_clock(12, 77, 0, 0);
	s[3] = on_clock(13, __WASI_CLOCKID_PROCESS_CPUTIME_ID, 0, 0);
	poll(s, 4, "what cannot be waited for");
	poll(s, 0, "nothing");
	s[0].u.tag = 9;
	poll(s, 1, "an unknown kind");
	must(__wasi_fd_close(fd));
}

static void others(void) {
	section("everything else");
	__wasi_size_t count, size;
	show(__wasi_args_sizes_get(&count, &size), "args_sizes_get");
	show(__wasi_args_sizes_get(NOWHERE, &size), "args_sizes_get to nowhere");
	show(__wasi_args_get(NOWHERE, NOWHERE), "args_get to nowhere");
	show(__wasi_environ_sizes_get(&count, &size), "environ_sizes_get");
	show(__wasi_environ_get(NOWHERE, NOWHERE), "environ_get to nowhere");
	__wasi_timestamp_t t = 0;
	result e = __wasi_clock_res_get(__WASI_CLOCKID_MONOTONIC, &t);
	show(e, "clock_res_get %s", t > 0 ? "more than nothing" : "nothing");
	show(__wasi_clock_res_get(77, &t), "clock_res_get of an unknown clock");
	show(__wasi_clock_time_get(__WASI_CLOCKID_THREAD_CPUTIME_ID, 0, &t), "clock_time_get of a thread");
	uint8_t bytes[64] = {0};
	e = __wasi_random_get(bytes, sizeof bytes);
	bool any = false;
	for (size_t i = 0; i < sizeof bytes; i++)
		any |= bytes[i] != 0;
	show(e, "random_get %s", any ? "something" : "nothing");
	show(__wasi_random_get(NOWHERE, 64), "random_get to nowhere");
	show(__wasi_sched_yield(), "sched_yield");
	show(proc_raise(6), "proc_raise");
	__wasi_fd_t fd = must_open("a.txt", 0, READ, 0);
	__wasi_roflags_t flags;
	__wasi_iovec_t in = {bytes, 1};
	__wasi_ciovec_t out = {bytes, 1};
	show(__wasi_sock_recv(fd, &in, 1, 0, &size, &flags), "sock_recv of a file");
	show(__wasi_sock_send(1, &out, 1, 0, &size), "sock_send to a stream");
	show(sock_accept(0, 0, &size), "sock_accept of a stream");
	show(sock_accept(CLOSED, 0, &size), "sock_accept closed");
	show(__wasi_sock_shutdown(ROOT, 0), "sock_shutdown of a directory");
	show(__wasi_sock_shutdown(CLOSED, 0), "sock_shutdown closed");

	section("numbers");
	__wasi_fd_t other = must_open("sub/b.txt", 0, READ, 0);
	show(__wasi_fd_renumber(other, fd), "fd_renumber %u to %u", other, fd);
	size_of(fd);
	size_of(other);
	show(__wasi_fd_renumber(fd, other), "fd_renumber to closed");
	show(__wasi_fd_renumber(CLOSED, fd), "fd_renumber closed");
	show(__wasi_fd_renumber(fd, fd), "fd_renumber to itself");
	must(__wasi_fd_close(fd));
	unsigned n = 0;
	while ((e = open_at(ROOT, 0, "a.txt", 0, READ, 0, &fd)) == 0)
		n++;
	show(e, "path_open after %u more", n);
	for (unsigned i = 0; i < n; i++)
		must(__wasi_fd_close(5 + i));
	show(__wasi_fd_close(RO), "fd_close of a preopened directory");
	try_open(RO, 0, "r.txt", 0, READ);
	fd = must_open("a.txt", 0, READ, 0);
	show(__wasi_fd_renumber(0, fd), "fd_renumber of standard input");
	show(__wasi_fd_close(0), "fd_close of standard input");
	show(__wasi_fd_close(2), "fd_close of standard error");
}

int main(void) {
	printf("content-type: text/plain\n\n");
	preopens();
	opening();
	moving();
	stats();
	paths();
	listing();
	rights();
	polling();
	others();
	section("the end");
	fflush(stdout);
	__wasi_proc_exit(0);
}
