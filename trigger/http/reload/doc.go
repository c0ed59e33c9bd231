// Package reload puts a new version of an application in the place of an old one
// while the socket stays open.
//
// [Handler] is an http.Handler in front of generations of an application:
// requests go to the current one, and one that was replaced is shut down when the
// last request that it had begun is answered. [Watcher] tells when files may have
// changed and takes snapshots of what is in them. [Run] puts the two together: it
// builds when what is built from has changed, loads when what is loaded has
// changed, and leaves the old generation in place when either fails.
//
// The package does not know what a manifest or a component is; whoever calls Run
// says what files matter, and how to build and load.
//
// The central idea: events only say when to look. What counts is whether the
// bytes differ from those that were used last, so that editors which replace files,
// builds that write what was there before, and swapped symbolic links need no
// rules of their own.
package reload
