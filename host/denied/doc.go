// Package denied answers for the interfaces that guests import and this host
// does not offer.
//
// A guest of an interpreted language imports every interface of its SDK whether
// it uses them or not, so all of them have to link. What is denied is denied by
// the interface's own error, the one that Spin gives to a component that was not
// granted the thing, and never by a trap: a guest can handle it.
//
//	wasi:keyvalue     open: access-denied
//	fermyon:spin      key-value, sqlite: access-denied; redis, mqtt: invalid-address or
//	                  connection-failed; postgres, mysql: connection-failed; llm:
//	                  invalid-input; http: destination-not-allowed
//	spin:postgres     connection-failed; connection-builder: made, and its build fails so
//	spin:sqlite       access-denied
//
// Outgoing HTTP of wasi:http is denied by package wasihttp, which knows how.
//
// An embedder learns what was asked for by being an Observer.
//
// Most of these interfaces need no more than that their one way in is shut: a
// resource that nobody can create has methods that nobody can call.
package denied
