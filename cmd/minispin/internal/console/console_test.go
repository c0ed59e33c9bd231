package console

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func terminal(w io.Writer, width int) *Console {
	return &Console{w: w, terminal: true, width: func() int { return width }}
}

func TestAppendPrintable(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"", ""},
		{"plain text\twith a tab\n", "plain text\twith a tab\n"},
		{"grüße 漢字 👩‍🚀\n", "grüße 漢字 👩‍🚀\n"},
		{"\x1b[2J\x1b]0;title\x07\n", `\x1b[2J\x1b]0;title\x07` + "\n"},
		{"progress\rdone\n", `progress\x0ddone` + "\n"},
		{"line of Windows\r\n", "line of Windows\r\n"},
		{"at the end\r", `at the end\x0d`},
		{"delete\x7f nul\x00", `delete\x7f nul\x00`},
		{"C1 \u009b31m", `C1 \u009b31m`},
		{"not UTF-8 \xff\xfe\x9b", `not UTF-8 \xff\xfe\x9b`},
		{"cut short \xe6\xbc", `cut short \xe6\xbc`},
		{"a replacement \ufffd", "a replacement \ufffd"},
		{"evil\u202etxt.exe\u2066", `evil\u202etxt.exe\u2066`},
	} {
		if got := string(AppendPrintable(nil, []byte(test.in))); got != test.want {
			t.Errorf("AppendPrintable(%q) = %q, want %q", test.in, got, test.want)
		}
	}
}

func TestStatusStaysBelowLines(t *testing.T) {
	var b bytes.Buffer
	c := terminal(&b, 80)
	c.Status("1 of 2")
	c.Status("1 of 2") // unchanged: not drawn again
	io.WriteString(c, "a line\n")
	c.Status("2 of 2")
	c.Status("")
	io.WriteString(c, "the end\n")
	want := "\r\x1b[K1 of 2" + "\r\x1b[Ka line\n1 of 2" + "\r\x1b[K2 of 2" + "\r\x1b[K" + "the end\n"
	if got := b.String(); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestStatusIsCut(t *testing.T) {
	var b bytes.Buffer
	terminal(&b, 10).Status("größer als die Zeile")
	if got, want := b.String(), "\r\x1b[Kgrößer a…"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSafe(t *testing.T) {
	const line = "bell\a\n"
	var b bytes.Buffer
	n, err := terminal(&b, 80).Safe().Write([]byte(line))
	if n != len(line) || err != nil {
		t.Errorf("Write = %d, %v, want %d, nil", n, err, len(line))
	}
	if got, want := b.String(), `bell\x07`+"\n"; got != want {
		t.Errorf("on a terminal: got %q, want %q", got, want)
	}
	b.Reset()
	c := &Console{w: &b}
	c.Safe().Write([]byte(line))
	if got := b.String(); got != line {
		t.Errorf("elsewhere: got %q, want it unchanged", got)
	}
}

func TestFileIsNoTerminal(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c := New(f)
	if c.Terminal() {
		t.Fatal("a file passes for a terminal")
	}
	c.Status("never seen")
	io.WriteString(c, "seen\n")
	got, err := os.ReadFile(f.Name())
	if err != nil || string(got) != "seen\n" {
		t.Errorf("the file has %q (%v), want only the line", got, err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestWriteFails(t *testing.T) {
	c := terminal(failing{}, 80)
	if _, err := c.Write([]byte("x\n")); err == nil {
		t.Error("no error without a status line")
	}
	c.Status("status")
	if _, err := c.Write([]byte("x\n")); err == nil {
		t.Error("no error with a status line")
	}
	if _, err := c.Safe().Write([]byte(strings.Repeat("x", 10))); err == nil {
		t.Error("no error from Safe")
	}
}
