package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// On a terminal what is missing is asked for, until the answer will do.
func TestPrompts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	term := newTerminal(t)
	ask := func(args ...string) *exec.Cmd {
		t.Helper()
		cmd := exec.Command("minispin", args...)
		cmd.Dir = dir
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TERM=xterm"}
		cmd.Stdin, cmd.Stdout, cmd.Stderr = term.end, term.end, term.end
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill() })
		return cmd
	}
	answer := func(pattern, text string) {
		t.Helper()
		term.await(t, pattern)
		if _, err := io.WriteString(term.own, text+"\n"); err != nil {
			t.Fatal(err)
		}
	}
	read := func(name string) string {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}

	cmd := ask("new", "--tag", "redirect")
	answer(`(?s) 1  redirect .*Template: $`, "2")
	answer(`Type the name of one, or a number from 1 to 1\.\r\nTemplate: $`, "1")
	answer(`Name: $`, "My App")
	answer(`try my-app\r\nName: $`, "asked")
	answer(`Redirect from this path \[/\]: $`, "old")
	answer(`as in /hello\r\nRedirect from this path \[/\]: $`, "")
	answer(`Redirect to this URL or path: $`, "")
	answer(`type a value\.\r\nRedirect to this URL or path: $`, "/new")
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, term.screen.String())
	}
	if text := read("asked/spin.toml"); !strings.Contains(text, `route = "/"`) || !strings.Contains(text, `location = "/new"`) {
		t.Errorf("the manifest is\n%s", text)
	}

	// The default that is shown is the route that is free.
	cmd = ask("add", "-f", "asked", "-t", "redirect", "more", "--value", "redirect-to=/x")
	answer(`Redirect from this path \[/more/\.\.\.\]: $`, "")
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, term.screen.String())
	}
	if text := read("asked/spin.toml"); !strings.Contains(text, `route = "/more/..."`) {
		t.Errorf("the manifest is\n%s", text)
	}

	// Who says no more is taken at their word.
	cmd = ask("new", "-t", "http-go")
	term.await(t, `Name: $`)
	if _, err := term.own.Write([]byte{4}); err != nil { // the end of input
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != exitFailed {
		t.Errorf("without a name: %v", err)
	}
	term.await(t, `Error: no answer`)

	// And nobody is asked for what has a default if it is to be accepted.
	cmd = ask("new", "-t", "http-go", "-a", "unasked")
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, term.screen.String())
	}
	read("unasked/main.go")
}
