package binary

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// wastDir finds the component model's own test scripts, converted to binaries
// with JSON lists of commands. They are not kept in this repository.
func wastDir() (string, bool) {
	dir := os.Getenv("MINISPIN_WAST")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "wast")
	}
	dir = filepath.Join(dir, "json")
	_, err := os.Stat(dir)
	return dir, err == nil
}

// wastCommand is one command of a script that names a binary.
type wastCommand struct {
	Script string
	Line   int
	Type   string
	Text   string // of the error the script expects
	Binary []byte
}

// wastCommands gives the commands of all scripts, or none when the scripts are
// not found.
func wastCommands(tb testing.TB) []wastCommand {
	tb.Helper()
	dir, ok := wastDir()
	if !ok {
		return nil
	}
	lists, err := filepath.Glob(filepath.Join(dir, "*", "*.json"))
	if err != nil || len(lists) == 0 {
		tb.Fatalf("no scripts found: %v", err)
	}
	var all []wastCommand
	for _, list := range lists {
		data, err := os.ReadFile(list)
		if err != nil {
			tb.Fatal(err)
		}
		var script struct {
			Commands []struct {
				Type, Filename, Text string
				Line                 int
			}
		}
		if err := json.Unmarshal(data, &script); err != nil {
			tb.Fatalf("%s: %v", list, err)
		}
		for _, c := range script.Commands {
			if !strings.HasSuffix(c.Filename, ".wasm") {
				continue
			}
			b, err := os.ReadFile(filepath.Join(filepath.Dir(list), c.Filename))
			if err != nil {
				tb.Fatal(err)
			}
			all = append(all, wastCommand{filepath.Base(filepath.Dir(list)), c.Line, c.Type, c.Text, b})
		}
	}
	return all
}

// invalidRefused is how many of the binaries that are well formed but invalid
// the decoder refuses on its own. Nothing rests on the exact number; a change
// in it should be looked at.
const invalidRefused = 195

func TestWast(t *testing.T) {
	commands := wastCommands(t)
	if commands == nil {
		t.Skip("component model test scripts not found; set MINISPIN_WAST to their folder")
	}
	refused, invalid := 0, 0
	for _, c := range commands {
		_, err := Decode(c.Binary, Limits{})
		if err != nil {
			checkError(t, c.Binary, err)
		}
		switch c.Type {
		case "assert_malformed":
			if err == nil {
				t.Errorf("%s:%d: malformed component accepted, %q expected", c.Script, c.Line, c.Text)
			} else if testing.Verbose() {
				t.Logf("%s:%d: %q: %v", c.Script, c.Line, c.Text, err)
			}
		case "assert_invalid":
			invalid++
			if err != nil {
				refused++
			} else if testing.Verbose() {
				t.Logf("%s:%d: left to validation: %q", c.Script, c.Line, c.Text)
			}
		default:
			if err != nil {
				t.Errorf("%s:%d: %v", c.Script, c.Line, err)
			}
		}
	}
	if refused != invalidRefused {
		t.Errorf("%d of %d invalid components refused, %d expected", refused, invalid, invalidRefused)
	}
}

// checkError checks what holds of every error of Decode.
func checkError(tb testing.TB, input []byte, err error) {
	tb.Helper()
	var e *Error
	switch {
	case !errors.As(err, &e):
		tb.Errorf("error is a %T, not an *Error: %v", err, err)
	case e.Offset < 0 || e.Offset > len(input):
		tb.Errorf("offset %d is outside the input of %d bytes: %v", e.Offset, len(input), err)
	case e.Context == "" || e.Msg == "":
		tb.Errorf("error tells too little: %#v", e)
	}
}
