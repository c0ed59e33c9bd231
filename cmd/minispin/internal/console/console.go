// Package console is the side of a command that people look at: one stream, a
// terminal or not, which log lines, error messages and what guests print share
// with a status line that is rewritten in place.
//
// It knows nothing of what is written to it. Its central idea is that on a
// terminal a Console owns the last line: whatever is written goes above the
// status line, and what comes from strangers is stripped of its power over the
// terminal first (see [Console.Safe]).
package console

import (
	"io"
	"os"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/term"
)

// Console is a stream that several goroutines write whole lines to.
type Console struct {
	mu       sync.Mutex
	w        io.Writer
	terminal bool
	width    func() int // of the terminal, in columns
	status   string     // shown at present
	safe     []byte     // space for Safe's lines
}

// New returns the console on f. Whether f is a terminal, and one that obeys
// escape sequences, is found out here.
func New(f *os.File) *Console {
	return &Console{
		w:        f,
		terminal: IsTerminal(f),
		width: func() int {
			if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
				return w
			}
			return 80
		},
	}
}

// IsTerminal reports whether f is a terminal that obeys escape sequences.
func IsTerminal(f *os.File) bool {
	return term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" && enableEscapes(f)
}

// Terminal reports whether the console is a terminal.
func (c *Console) Terminal() bool { return c.terminal }

const eraseLine = "\r\x1b[K"

// Write writes whole lines above the status line, as they are.
func (c *Console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.write(p)
}

func (c *Console) write(p []byte) (int, error) {
	if c.status == "" {
		return c.w.Write(p)
	}
	if _, err := io.WriteString(c.w, eraseLine); err != nil {
		return 0, err
	}
	n, err := c.w.Write(p)
	if err == nil {
		_, err = io.WriteString(c.w, c.status)
	}
	return n, err
}

// Clear empties a terminal; elsewhere it does nothing.
func (c *Console) Clear() {
	if !c.terminal {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status = ""
	_, _ = io.WriteString(c.w, "\x1b[2J\x1b[H") // as in Status
}

// Status shows text as the status line in place of the last one; the empty text
// takes it away. Where the console is no terminal it does nothing.
func (c *Console) Status(text string) {
	if !c.terminal {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	// A line that wraps could not be erased again.
	text = cut(strings.ToValidUTF8(text, "\ufffd"), c.width()-1)
	if text == c.status {
		return
	}
	c.status = text
	// That it cannot be shown will show when something that matters is written.
	_, _ = io.WriteString(c.w, eraseLine+text)
}

// cut shortens text to width characters.
func cut(text string, width int) string {
	if width < 1 || utf8.RuneCountInString(text) <= width {
		return text
	}
	r := []rune(text)
	return string(r[:width-1]) + "…"
}

// Sync implements zapcore.WriteSyncer. There is nothing to do: what was written
// has left the process.
func (c *Console) Sync() error { return nil }

// Safe returns a writer to the console for lines that strangers had a hand in. On
// a terminal what could command it is shown in place of taking effect; elsewhere
// the bytes are left as they are.
func (c *Console) Safe() *Safe { return &Safe{c} }

// Safe is what [Console.Safe] returns.
type Safe struct{ c *Console }

// Write writes whole lines.
func (s *Safe) Write(p []byte) (int, error) {
	c := s.c
	if !c.terminal {
		return c.Write(p)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.safe = AppendPrintable(c.safe[:0], p)
	if _, err := c.write(c.safe); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Sync implements zapcore.WriteSyncer.
func (s *Safe) Sync() error { return nil }
