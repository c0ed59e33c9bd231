package wasitest

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// Script has the guest rust-wasi, which is served at url, run a script with body as
// its request's body, and returns what was written to the response before the
// outcomes. Each line of steps is a command and, after an arrow, its outcome:
//
//	p = subscribe-duration 5M  -> ok
//	now                        -> >0
//
// An outcome of a * stands for any, >N and <=N for numbers, and one that ends in
// "..." for all that begin so.
func Script(t testing.TB, client *http.Client, url string, body io.Reader, steps string) string {
	t.Helper()
	var commands, want []string
	for line := range strings.Lines(steps) {
		command, outcome, ok := strings.Cut(line, "->")
		switch {
		case ok:
			commands = append(commands, strings.TrimSpace(command))
			want = append(want, strings.TrimSpace(outcome))
		case strings.TrimSpace(line) != "":
			t.Fatalf("a step without an outcome: %q", line)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Script", strings.Join(commands, ";"))
	resp, err := client.Do(req)
	if err != nil {
		t.Errorf("%v: %s", err, strings.Join(commands, "; "))
		return ""
	}
	defer resp.Body.Close()
	all, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("%s, %v: %s", resp.Status, err, strings.Join(commands, "; "))
		return string(all)
	}
	text := strings.TrimSuffix(string(all), "\n")
	end := len(text)
	for range want[1:] {
		if end = strings.LastIndexByte(text[:max(end, 0)], '\n'); end < 0 {
			t.Errorf("%d outcomes are wanted: %q", len(want), text)
			return ""
		}
	}
	// The first outcome is on one line with what came before it.
	first := strings.LastIndexByte(text[:end], '\n') + 1
	before, rest := text[:first], strings.Split(text[first:], "\n")
	if !matches(rest[0], want[0]) && strings.HasSuffix(rest[0], want[0]) {
		before, rest[0] = before+strings.TrimSuffix(rest[0], want[0]), want[0]
	}
	for i, got := range rest {
		if !matches(got, want[i]) {
			t.Errorf("%s -> %s, want %s", commands[i], got, want[i])
		}
	}
	return before
}

func matches(got, want string) bool {
	if prefix, ok := strings.CutSuffix(want, "..."); ok {
		return strings.HasPrefix(got, prefix)
	}
	number := func(s string) uint64 {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			return 0
		}
		return n
	}
	switch {
	case want == "*":
		return true
	case strings.HasPrefix(want, ">"):
		return number(got) > number(want[1:])
	case strings.HasPrefix(want, "<="):
		return got != "" && number(got) > 0 && number(got) <= number(want[2:])
	}
	return got == want
}
