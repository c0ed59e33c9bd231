// Package route decides which trigger of a Spin application answers a request
// path.
//
// A [Pattern] is one parsed route; a [Table] holds the routes of an
// application in order of precedence; a [Match] is the answer for one path. The
// package knows nothing of HTTP beyond the path: no methods, no hosts, no query,
// and no percent-decoding, because two spellings of a path are two paths to a
// Spin application. It does not know what a route leads to either; a match names
// the position of its route in the list the table was built from.
//
// The central idea: precedence is settled when the table is built. Patterns are
// compared kind by kind, exact text before parameters before wildcards, and the
// first pattern of the sorted table that matches is the best one.
//
// Answers and order are Spin's, with one exception: a dot that begins a path
// segment, as in /.well-known/x or /files/.hidden, is text like any other. Spin's
// router lets a declared /... win over the first and drops the slash before the
// dot of the second, so that the route matches /files.hidden and not itself. A
// wildcard in the middle of a route, which Spin accepts and then cannot match,
// is an error here.
package route
