// Package packages holds the WIT packages through which components and the
// host meet: what the host offers for import and what triggers call. It is the
// one place where the names and types of that contract are written down, and
// knows nothing of how any of it is done. README.md lists the packages, which
// part of the host each belongs to, and how their versions differ.
package packages

import "embed"

// Files holds the packages, one folder each, in the layout of this directory.
//
//go:embed fermyon spin wasi
var Files embed.FS
