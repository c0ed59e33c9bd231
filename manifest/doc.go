// Package manifest turns a Spin application manifest, the file spin.toml, into
// one validated [App] value.
//
// It is the only package of minispin that knows TOML: whoever runs, builds or
// describes an application works from the App and never from the text. In the
// other direction, manifest knows nothing of WebAssembly, of HTTP serving or of
// the strategies instances are kept by. It does not read component files; it
// only asks whether they are there.
//
// Its central idea is that a manifest is read whole before it is judged. Every
// value is paired with the place it was written at (see index.go), the
// readers report what is wrong and go on, and at the end either an App comes
// out or one [Error] that lists everything found, each item with line, column,
// source line and, where there is a likely intention, a hint. What is legal but
// beyond what the host can do is neither dropped nor refused here: it is listed
// in [App.Unsupported] for the caller to judge.
//
// Both versions of the manifest are read; version 1 comes out as the App that
// version 2 would have described (see version1.go).
package manifest
