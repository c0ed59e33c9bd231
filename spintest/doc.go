// Package spintest lets the tests of a Spin application call it, without a
// server and without a network: a manifest goes in, an http.Handler comes out.
//
//	func TestGreeting(t *testing.T) {
//		app := spintest.Load(t, "spin.toml", spintest.Options{})
//		resp := app.Do(httptest.NewRequest("GET", "/hello", nil))
//		…
//	}
//
// greeting_test.go, beside this file, is such a test in full.
//
// Components are compiled once and kept in the user's cache directory, so that
// the next run of a test begins at once. What components print and what the host
// logs appears among the messages of the test. Connections that components open
// out of the application fail unless Options say otherwise.
//
// The package knows nothing of how an application is put together, which is
// package app's; it decides what a test wants of that. Its central idea is that a
// test needs no cleaning up: what goes wrong in loading ends it, and what was
// loaded ends with it.
package spintest
