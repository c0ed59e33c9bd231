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
// here is what os.Root does not promise: only regular files and directories are
// ever opened, so that no FIFO or device can be waited for; and what a guest may
// not write it cannot change by any call.
package files
