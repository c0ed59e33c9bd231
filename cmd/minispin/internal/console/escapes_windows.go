package console

import (
	"os"

	"golang.org/x/sys/windows"
)

// enableEscapes makes the console of f obey escape sequences, which it does not
// do unasked, and reports whether it now does.
func enableEscapes(f *os.File) bool {
	h := windows.Handle(f.Fd())
	var mode uint32
	if err := windows.GetConsoleMode(h, &mode); err != nil {
		return false
	}
	return windows.SetConsoleMode(h, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
