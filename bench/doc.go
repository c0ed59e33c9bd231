// Package bench measures what it costs to have a request answered, by every way
// of executing a handler there is: by a WebAssembly guest under each strategy,
// by a function of this program, by a forked process and by a program started
// for the request.
//
// All of them do the reference exchange: the caller makes a request and passes
// it in the process, without a socket; the handler asserts every part of it and
// answers; the caller asserts the answer. Rows lists those ways, AppRows the
// strategies for an application of the user's own, and Run measures rows into a
// Report, which writes itself as a table, as JSON, in the format of Go's
// benchmarks or as a page.
//
// The one idea is that figures are comparable within one run and nowhere else.
// So rows are measured in turn, round after round, for a disturbance of the
// machine to fall on all of them, and what is told of a row is the median of its
// rounds with a confidence interval and the ratio to the native rows.
//
// The package knows strategies only through instancepool, whose code it measures,
// and applications only through trigger/http/app: there is no way to run a guest
// here that a server does not have.
package bench
