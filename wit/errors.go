package wit

import "fmt"

// Pos is a place in a WIT file. The zero Pos is no place at all.
type Pos struct {
	File string // the path the file was opened by
	Line int    // from 1
	Col  int    // from 1, in bytes
}

// String gives file:line:col.
func (p Pos) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col) }

// Error is a mistake in WIT text. The loader joins several of them
// (errors.Join) when more than one name of a set cannot be resolved.
type Error struct {
	Pos Pos
	Msg string
}

// Error gives the position and the message in the form editors understand.
func (e *Error) Error() string { return e.Pos.String() + ": " + e.Msg }

func errorAt(pos Pos, format string, args ...any) *Error {
	return &Error{Pos: pos, Msg: fmt.Sprintf(format, args...)}
}
