package binary

import "fmt"

// Error tells why bytes were refused.
type Error struct {
	Offset  int    // where in the outermost input, in bytes
	Context string // the innermost section or part being read
	Msg     string // what is wrong or was expected
}

// Error gives offset, context and message.
func (e *Error) Error() string {
	return fmt.Sprintf("at offset %#x, %s: %s", e.Offset, e.Context, e.Msg)
}
