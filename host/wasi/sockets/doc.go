// Package sockets is the host of wasi:sockets: TCP, UDP and the look-up of
// names.
//
// Which addresses a guest may use is not decided here: a Policy of the embedder
// is asked before every operation that names an address, and without one
// everything is denied. The package knows nothing of manifests, names of hosts
// or what a connection carries.
//
// Its one idea: the socket of the guest is a socket of the operating system
// that never blocks. Each function of wasi:sockets is the system call of the
// same name, made at once on the guest's goroutine; what would block is told as
// would-block, and a pollable waits for the descriptor with the Go runtime's
// own poller. So no goroutine stands behind a socket but one that sends what
// the system did not take in the middle of a write.
//
// Everything is closed when its handle goes, at the latest with the instance.
// Sockets are implemented for Linux and macOS; elsewhere creating one is
// answered with not-supported. Name look-up works everywhere.
package sockets
