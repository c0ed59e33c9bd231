// Package runtimeconfig reads the runtime configuration of an application: the
// file that says where an operator's variables come from, what networks are
// closed, how many connections may be made and by what certificates.
//
// It knows the file and what each section means to the packages that it is for,
// and hands that to them as their own types. It does not know the manifest of the
// application, the command line or how anything in it is used.
//
// The central idea: a limit or a source that this host cannot honour is an error,
// as somebody counts on it; a section about something that the host does not have
// at all is a warning, as nothing depends on it. Either way all that there is to
// say is said at once, with places, as about a manifest.
package runtimeconfig
