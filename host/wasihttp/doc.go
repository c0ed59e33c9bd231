// Package wasihttp is the host's side of wasi:http 0.2: the interface types, the
// call of a guest's incoming-handler for one HTTP request, and outgoing-handler.
//
// An embedder gives each instance a [Ctx], which the host functions find through
// [View], and hands a request over with [Ctx.Serve]. The package knows net/http
// and the component runtime. It does not know where instances come from, what a
// route or a manifest is, and which requests a guest may send: the last is the
// business of an [Outgoing].
//
// The central idea: there is no copy of the exchange beside net/http's own. The
// guest runs on a goroutine of its own and reads the request's body and writes
// the response in its host calls, while Serve, on the server's goroutine, waits
// for the first thing that decides the outcome: a finished body, a failure of
// the guest, or a client that left. From then on the guest is cut off from both
// and may go on without them.
package wasihttp
