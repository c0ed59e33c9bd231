package main

import (
	"bufio"
	"context"
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

	"github.com/minispin/minispin/cmd/minispin/internal/console"
	"github.com/minispin/minispin/guests"
	"github.com/minispin/minispin/instancepool"
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

func TestUnavailable(t *testing.T) {
	for _, test := range []struct {
		space  uint64
		pooled error
		err    error
	}{
		{1 << 47, nil, nil},
		{8 << 30, errNoPool, nil},
		{1 << 30, nil, errNoSpace},
	} {
		got, err := unavailable(func(n uint64) bool { return n <= test.space })
		if got[instancepool.Pooled] != test.pooled || err != test.err {
			t.Errorf("with %d bytes of address space: %v, error %v; want pooled %v, error %v", test.space, got, err, test.pooled, test.err)
		}
	}
}

// stubborn is an application whose guests take their time.
type stubborn struct{ works, ends time.Duration }

func (s stubborn) Shutdown(ctx context.Context) error {
	select {
	case <-time.After(s.works):
		return nil
	case <-ctx.Done():
		time.Sleep(s.ends)
		return context.Cause(ctx)
	}
}

func TestShutDown(t *testing.T) {
	for _, test := range []struct {
		name   string
		guests stubborn
		signal time.Duration // 0 for none
		takes  time.Duration
		err    string
	}{
		{"nothing to wait for", stubborn{}, 0, 0, ""},
		{"work after responses", stubborn{works: 3 * time.Second}, 0, 3 * time.Second, ""},
		{"too much of it", stubborn{works: time.Minute}, 0, 10 * time.Second, "took too long"},
		{"another signal", stubborn{works: time.Minute}, time.Second, time.Second, "canceled"},
		{"a guest that does not end", stubborn{works: time.Minute, ends: time.Hour}, 0, 10*time.Second + grace, "did not end"},
	} {
		synctest.Test(t, func(t *testing.T) {
			signals := make(chan os.Signal, 1)
			if test.signal > 0 {
				time.AfterFunc(test.signal, func() { signals <- os.Interrupt })
			}
			start := time.Now()
			err := shutDown(test.guests, signals, 10*time.Second)
			if took := time.Since(start); took != test.takes || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Errorf("%s: %v after %v, want %q after %v", test.name, err, took, test.err, test.takes)
			}
			time.Sleep(2 * time.Hour) // the rest of it
		})
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

func TestBuildAndUp(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"", ""},
		{"build", "build"},
		{"build -c a", "build -c a"},
		{"up -u", "up -u"},
		{"build --up", "up --build"},
		{"b -f x -u -c a --listen y", "up --build -f x -c a --listen y"},
		{"build --skip-generate-wits --up --skip-target-checks x", "up --build x"},
		{"build --up --help", "build --up --help"},
	} {
		if got := strings.Join(buildAndUp(strings.Fields(test.args)), " "); got != test.want {
			t.Errorf("%s becomes %s, want %s", test.args, got, test.want)
		}
	}
}
