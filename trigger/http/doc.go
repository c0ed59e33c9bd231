// Package httptrigger answers HTTP requests with the components of a Spin
// application.
//
// [Handler] is an http.Handler that others can mount. It finds the route, keeps
// the host's own paths to itself, establishes which authority and scheme the
// client asked for, hands the request to the [Executor] of the route and turns
// the outcome into a response. [Server] puts a handler on a socket that speaks
// HTTP/1.1 and HTTP/2 on one port.
//
// The package does not know what a component is, how one is run or what a
// manifest looks like: an [App] lists routes, and an executor is whatever
// answers a request.
//
// The central idea: the guest writes straight into the response, and the
// handler keeps count of what has left. As long as nothing has, a failure becomes
// a clean status; afterwards the only honest answer is to break the connection.
package httptrigger
