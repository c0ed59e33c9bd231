// Package wasiio is wasi:io for hosts: errors, pollables and byte streams as
// Go code makes them, and the functions guests call on them.
//
// Every other WASI host builds on it: a host that has an io.Reader, an
// io.Writer or something to wait for turns it into a resource here. What the
// bytes mean, who opened them and who may is not known here.
//
// Its one idea: the guest's goroutine does the work. A blocking read is a Read
// on the goroutine that called in, a write is a Write there, a poll of one
// pollable waits there. Only a question that cannot be answered so (is this
// stream ready? which of these comes first?) starts a goroutine, and then one
// for each stream that has to be read ahead, none for timers and pipes.
//
// Every wait ends when the context of the call does, with the context's cause
// as a Go error, which traps the guest. A resource is used by one goroutine at
// a time, the one that runs the guest.
package wasiio
