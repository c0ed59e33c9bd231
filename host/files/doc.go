// Package files gives guests the directories they may use, as handles: a Handle
// is an open file or directory of one instance, a Session all that one instance
// has open.
//
// Both versions of WASI are built on it, and it speaks the vocabulary of
// wasi:filesystem: its flags, its types, and its error codes, which are the only
// errors of a Handle's methods. It knows nothing of guests' memory or of streams.
//
// Its one idea: every path is resolved by os.Root, one name after the other from
// an open directory, so that no .., absolute path, symbolic link or rename leads
// out of the tree, whatever another process does meanwhile. What is left to do
// here is what os.Root does not promise. Only regular files and directories are
// ever opened, and nothing is opened in a way that waits, so that a FIFO or device
// that is found, or comes there at the last moment, holds nobody up. A link at the
// end of a path is followed only if that was asked for. Names are changed in open
// directories, so that a file can be moved from one to another beneath one mount.
// And what a guest may not write it cannot change by any call.
//
// Whoever mounts a directory gives away what is in it: a second name (a hard link)
// of a file that is elsewhere too, a file system that is mounted there. A file
// system that does not answer, over a network, holds the guest's goroutine up: no
// system call for regular files can be interrupted.
package files
