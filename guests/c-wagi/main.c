// The smallest WAGI guest: the reference exchange and a greeting, in C.

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is(const char *got, const char *want) {
	return got != NULL && strcmp(got, want) == 0;
}

// The value of a variable, empty where it is not set.
static const char *variable(const char *name) {
	const char *value = getenv(name);
	return value != NULL ? value : "";
}

// The path relative to the route, or the first argument where the host sets
// no variables for it.
static const char *request_path(int argc, char **argv) {
	const char *route = variable("X_RAW_COMPONENT_ROUTE");
	size_t n = strlen(route);
	if (n >= 4 && strcmp(route + n - 4, "/...") == 0) {
		const char *info = variable("PATH_INFO");
		return info[0] != '\0' ? info : "/";
	}
	return argc > 0 ? argv[0] : "";
}

static int answer(const char *status, const char *body) {
	const char *parts[] = {"content-type: text/plain\n", status, "\n", body, "\n"};
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		if (fputs(parts[i], stdout) == EOF)
			return 1;
	return 0;
}

static int reference(int argc, char **argv) {
	const char *method = getenv("REQUEST_METHOD");
	const char *query = getenv("QUERY_STRING");
	const char *what = getenv("HTTP_WHAT");
	if (query == NULL && argc > 1)
		query = argv[1];
	if (what == NULL)
		what = getenv("what");

	char body[64];
	size_t n = fread(body, 1, sizeof body - 1, stdin);
	body[n] = '\0';

	const char *wrong = NULL;
	if (method != NULL && !is(method, "POST"))
		wrong = "method: want POST";
	else if (!is(query, "a=b"))
		wrong = "query: want a=b";
	else if (!is(what, "up"))
		wrong = "header what: want up";
	else if (!is(body, "hello, world!"))
		wrong = "body: want hello, world!";
	if (wrong != NULL)
		return answer("status: 400 Bad Request\n", wrong);
	return answer("", "hola, mundo!");
}

int main(int argc, char **argv) {
	const char *path = request_path(argc, argv);
	if (is(path, "/foo"))
		return reference(argc, argv);
	if (is(path, "/"))
		return answer("", "hello from C");
	return answer("status: 404 Not Found\n", "no such path");
}
