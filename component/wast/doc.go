// Package wast runs the component model's own test scripts against package
// component. It holds tests only.
//
// A script is a list of commands: components to instantiate, calls with the
// values they must return or the trap they must end in, and components that
// must be refused. The scripts are not kept in this repository; the test is
// skipped where they are not found, and MINISPIN_WAST names their folder.
//
// The package must not know how the runtime works: everything goes through the
// exported API, as an embedder's calls do. Its one central idea is that the list
// of expected failures is a test as well (see failures_test.go). A command that
// fails and is not in it, and one that is in it and passes, both fail.
package wast
