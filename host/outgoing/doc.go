// Package outgoing sends the HTTP requests of guests: over the network, to the
// application itself, and to its other components.
//
// A [Client] has the connections of one application, which all components share;
// a [Component] sends for one of them, within its policy and its limits. The
// package knows net/http, package outbound and the requests of package wasihttp.
// It does not know routes or instances: what answers inside the application is an
// [Application].
//
// The central idea: there is one way through, whatever the destination. What
// differs is an http.RoundTripper; the check, the timeouts, the error codes and
// the life of the response's body are the same. A request inside the application
// is served on a goroutine, with no socket and with no more than one piece of
// either body in between.
//
// Requests without a body over plain HTTP/1.1 are sent with no goroutine at all,
// as the guest then waits for the response where it calls; see [Sender.Start].
package outgoing
