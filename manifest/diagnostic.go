package manifest

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Diagnostic is one thing to say about a manifest, with the place it is
// about.
type Diagnostic struct {
	// File is the manifest's name as the caller gave it.
	File string `json:"file,omitempty"`
	// Line and Column count from 1, the column in characters. Both are 0 when
	// the finding is about the file as a whole.
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"`
	// Key is the dotted path of the key concerned, such as
	// component.hello.source; empty when there is none.
	Key string `json:"key,omitempty"`
	// Reason says what is the matter, in one sentence without a final stop.
	Reason string `json:"reason"`
	// Hint says what to do about it; it may be empty.
	Hint string `json:"hint,omitempty"`
	// Source is the text of the line, and Width how many characters of it,
	// from Column on, are meant.
	Source string `json:"-"`
	Width  int    `json:"-"`
}

// excerptWidth bounds how much of a source line is shown, so that a generated
// line of many kilobytes does not bury the message.
const excerptWidth = 100

// String formats d over several lines: place, key and reason first, then the
// source line with the part concerned underlined, then the hint.
func (d Diagnostic) String() string {
	var b strings.Builder
	if d.File != "" {
		b.WriteString(d.File)
		b.WriteByte(':')
	}
	if d.Line > 0 {
		fmt.Fprintf(&b, "%d:%d:", d.Line, d.Column)
	}
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	if d.Key != "" {
		b.WriteString(printable(d.Key))
		b.WriteString(": ")
	}
	b.WriteString(printable(d.Reason))
	gutter := "  "
	if d.Line > 0 && d.Source != "" {
		number := fmt.Sprintf("%5d", d.Line)
		gutter = strings.Repeat(" ", len(number))
		text, column := excerpt(d.Source, d.Column)
		fmt.Fprintf(&b, "\n%s | %s\n%s | %s", number, text, gutter, underline(text, column, d.Width))
		gutter += " "
	}
	if d.Hint != "" {
		for line := range strings.Lines(d.Hint) {
			fmt.Fprintf(&b, "\n%s> %s", gutter, printable(strings.TrimRight(line, "\n")))
		}
	}
	return b.String()
}

// printable returns s with every character that would disturb a terminal
// replaced, one for one.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if c == '\t' || unicode.IsPrint(c) {
			return c
		}
		return unicode.ReplacementChar
	}, s)
}

// excerpt returns the part of line around column that is to be shown, and
// column's place in it.
func excerpt(line string, column int) (string, int) {
	runes := []rune(printable(line))
	if len(runes) <= excerptWidth {
		return string(runes), column
	}
	from := max(0, column-1-excerptWidth/3)
	to := min(len(runes), from+excerptWidth)
	text, column := string(runes[from:to]), column-from
	if from > 0 {
		text, column = "…"+text, column+1
	}
	if to < len(runes) {
		text += "…"
	}
	return text, column
}

// underline returns a line of carets below width characters of text from
// column on. Tabs are kept as tabs: only so do the carets stand right whatever
// the terminal's tab stops are.
func underline(text string, column, width int) string {
	var b strings.Builder
	rest := text
	for i := 1; i < column && rest != ""; i++ {
		c, n := utf8.DecodeRuneInString(rest)
		rest = rest[n:]
		if c != '\t' {
			c = ' '
		}
		b.WriteRune(c)
	}
	width = min(width, utf8.RuneCountInString(rest))
	b.WriteString(strings.Repeat("^", max(width, 1)))
	return b.String()
}

// An Error reports everything found wrong in one manifest.
type Error struct {
	// Diagnostics holds at least one item, in the order of the file.
	Diagnostics []Diagnostic
}

// shownDiagnostics bounds how many findings [Error.Error] spells out; a file
// with more is usually not a manifest at all.
const shownDiagnostics = 30

// Error lists the findings, separated by blank lines.
func (e *Error) Error() string {
	var b strings.Builder
	for i, d := range e.Diagnostics {
		if i == shownDiagnostics {
			fmt.Fprintf(&b, "\n\n… and %d more", len(e.Diagnostics)-i)
			break
		}
		if i > 0 {
			b.WriteString("\n\n")
		}
		b.WriteString(d.String())
	}
	return b.String()
}

// SortDiagnostics puts ds in the order of the file, whatever the order the
// checks ran in.
func SortDiagnostics(ds []Diagnostic) {
	slices.SortStableFunc(ds, func(a, b Diagnostic) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
}

// A span is a range of bytes of the manifest's text.
type span struct{ start, end int }

// A source is a manifest's text, ready to translate offsets to lines.
type source struct {
	name  string
	text  string
	lines []int // offset of the first byte of each line
}

func newSource(name, text string) *source {
	s := &source{name: name, text: text, lines: []int{0}}
	for i := range len(text) {
		if text[i] == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
	return s
}

// diagnostic returns a Diagnostic about the text at in s. A span over several
// lines is cut at the end of its first.
func (s *source) diagnostic(at span, key, reason, hint string) Diagnostic {
	d := Diagnostic{File: s.name, Key: key, Reason: reason, Hint: hint}
	start := min(max(at.start, 0), len(s.text))
	n, found := slices.BinarySearch(s.lines, start)
	if !found {
		n-- // the line start before, not the insertion point after
	}
	from, to := s.lines[n], len(s.text)
	if n+1 < len(s.lines) {
		to = s.lines[n+1]
	}
	d.Source = strings.TrimRight(s.text[from:to], "\r\n")
	d.Line = n + 1
	d.Column = utf8.RuneCountInString(s.text[from:start]) + 1
	if end := min(at.end, from+len(d.Source)); end > start {
		d.Width = utf8.RuneCountInString(s.text[start:end])
	}
	return d
}
