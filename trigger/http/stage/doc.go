// Package stage puts the files in place that an application's manifest gives to its
// components: copies in a directory that a generation of the application has to itself, or
// directories mounted as they are.
//
// It knows what files and exclude_files mean, and what on a disk can be in the
// way of it: what is missing, what leads out of the application's directory by a symbolic
// link, what is no file at all. It knows nothing of WebAssembly: what comes out
// are opened directories and the paths at which guests are to see them.
//
// The central idea: files are planned before one is copied. A plan is a list of
// files, each with the entry of the manifest it is there for, so that everything
// wrong with it is found at once and has a line. What is planned is also what has
// to be watched ([Find]), even where it is wrong.
//
// Whatever is read is reached through an os.Root, name by name, so that no link
// leads elsewhere between planning and copying.
package stage
