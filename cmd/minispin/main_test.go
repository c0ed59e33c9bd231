package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/minispin/minispin/cmd/minispin/internal/console"
	"github.com/minispin/minispin/guests"
	"github.com/minispin/minispin/manifest"
)

// file returns a console on a file, and a function that reads it.
func file(t *testing.T) (*console.Console, func() string) {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return console.New(f), func() string {
		b, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
}

func TestPrintError(t *testing.T) {
	one, two, three := errors.New("one"), errors.New("two\n  with details"), errors.New("three")
	for _, test := range []struct {
		err  error
		want string
	}{
		{one, "Error: one\n"},
		{errors.Join(one, errors.Join(two, three)), "Error: one\nError: two\n  with details\nError: three\n"},
		{fmt.Errorf("both: %w, %w", one, three), "Error: both: one, three\n"},
		{fmt.Errorf("wrapped: %w", errors.Join(one, three)), "Error: wrapped: one\nthree\n"},
	} {
		var b strings.Builder
		printError(&b, test.err)
		if b.String() != test.want {
			t.Errorf("printError(%q) printed %q, want %q", test.err, b.String(), test.want)
		}
	}
}

// logTrap logs a failed request as the server does.
func logTrap(log *zap.Logger) {
	log = log.With(zap.String("application", "a"))
	log.Error("request failed", zap.String("error", "out\nof \x1b bounds"),
		zap.Strings("backtrace", []string{"inner", "ou\x1bter"}),
		zap.ByteString("stack", []byte("goroutine 1\nmain.main\n")))
	log.Debug("not shown")
}

func TestLogInFile(t *testing.T) {
	out, read := file(t)
	log, err := newLogger(out, "info")
	if err != nil {
		t.Fatal(err)
	}
	logTrap(log)
	want := regexp.MustCompile(`^\{"level":"error","time":"\d{4}-\d\d-\d\dT[^"]+","msg":"request failed","application":"a","error":"out\\nof \\u001b bounds","backtrace":\["inner","ou\\u001bter"\],"stack":"goroutine 1\\nmain.main\\n"\}\n$`)
	if got := read(); !want.MatchString(got) {
		t.Errorf("got %s, want a match of %s", got, want)
	}
}

func TestProgressInFile(t *testing.T) {
	for _, test := range []struct {
		takes time.Duration
		want  string
	}{
		{noticeAfter / 2, ""},
		{10 * noticeAfter, "Preparing components takes a moment\n"},
	} {
		out, read := file(t)
		synctest.Test(t, func(t *testing.T) {
			p := startProgress(out)
			p.update("hello", 1, 2)
			time.Sleep(test.takes)
			p.stop()
		})
		if got := read(); got != test.want {
			t.Errorf("after %v there is %q, want %q", test.takes, got, test.want)
		}
	}
}

func TestFitStrategy(t *testing.T) {
	application := func(strategies ...string) *manifest.App {
		m := &manifest.App{}
		for i, s := range strategies {
			id := fmt.Sprint("c", i)
			m.Components = append(m.Components, &manifest.Component{ID: id, Settings: manifest.Settings{Strategy: s}})
			m.Triggers = append(m.Triggers, manifest.HTTPTrigger{Component: id})
		}
		return m
	}
	const small, large = 8 << 30, 1 << 47
	for _, test := range []struct {
		name   string
		m      *manifest.App
		wanted string
		space  uint64
		want   string
		warned int
	}{
		{"plenty", application(""), "", large, "", 0},
		{"plenty, by flag", application("pre-instance"), "pooled", large, "pooled", 0},
		{"little", application("pre-instance", ""), "", small, "pre-instance", 1},
		{"little, by manifest", application("pooled"), "", small, "pre-instance", 1},
		{"little, by flag", application("pre-instance"), "pooled", small, "pre-instance", 1},
		{"little, but enough", application("pre-instance"), "", small, "", 0},
		{"little, but enough by flag", application("pooled"), "pre-instance", small, "pre-instance", 0},
	} {
		core, logged := observer.New(zap.InfoLevel)
		got, err := fitStrategy(test.m, test.wanted, func(n uint64) bool { return n <= test.space }, zap.New(core))
		if got != test.want || err != nil || logged.Len() != test.warned {
			t.Errorf("%s: strategy %q, error %v, %d log lines; want %q, none, %d", test.name, got, err, logged.Len(), test.want, test.warned)
		}
	}
	if _, err := fitStrategy(application(""), "pre-instance", func(uint64) bool { return false }, zap.NewNop()); !errors.Is(err, errNoSpace) {
		t.Errorf("no space at all: error %v, want %v", err, errNoSpace)
	}
}

// A server goes on when nobody reads what it writes any more.
func TestReaderGone(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	cmd := exec.Command("minispin", "up", "--listen", "127.0.0.1:0", "--disable-cache", guests.Path(t, "rust-wasi-http"))
	cmd.Stderr = w
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	var url string
	for s := bufio.NewScanner(stdout); url == "" && s.Scan(); {
		url, _ = strings.CutPrefix(s.Text(), "Serving ")
		if !strings.HasPrefix(url, "http") {
			url = ""
		}
	}
	r.Close()
	stdout.Close()
	for _, path := range []string{"/log", "/trap", "/log"} {
		resp, err := client.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
}
