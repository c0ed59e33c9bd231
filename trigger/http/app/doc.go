// Package app puts an application together: it loads the components a manifest
// refers to, links each with the host interfaces, prepares it under its
// strategy, and gives each an executor for the handler it exports. What comes
// out is an http.Handler.
//
// Three kinds of handler are known: wasi:http's incoming-handler, Spin's own
// inbound-http, and programs for the WAGI executor. Each has a file here, which
// carries one request across and says how its failures are to be understood.
package app
