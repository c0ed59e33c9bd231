package guestlog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// recorder keeps each Write by itself.
type recorder struct {
	mu      sync.Mutex
	records []string
}

func (r *recorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.records = append(r.records, string(p))
	return len(p), nil
}

func open(t *testing.T, components []string, o Options) *Logs {
	t.Helper()
	l, err := Open(components, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// printed writes pieces as one request does.
func printed(t *testing.T, l *Logs, component string, stream Stream, pieces ...string) {
	t.Helper()
	w := l.Writer(component, "req-1", stream)
	for _, p := range pieces {
		if n, err := io.WriteString(w, p); n != len(p) || err != nil {
			t.Errorf("Write(%d bytes) = %d, %v", len(p), n, err)
		}
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

func TestRecords(t *testing.T) {
	full := strings.Repeat("x", maxLine)
	for _, test := range []struct {
		name   string
		pieces []string
		want   []string
	}{
		{"nothing", []string{""}, nil},
		{"a line", []string{"one\n"}, []string{"one\n"}},
		{"two lines in one piece", []string{"one\ntwo\n"}, []string{"one\n", "two\n"}},
		{"a line in pieces", []string{"o", "n", "e\nt", "wo\n"}, []string{"one\n", "two\n"}},
		{"a last line without an end", []string{"one\ntw", "o"}, []string{"one\n", "two\n"}},
		{"empty lines", []string{"\n", "\n"}, []string{"\n", "\n"}},
		{"the longest line", []string{full + "\n"}, []string{full + "\n"}},
		{"the longest line in pieces", []string{full[1:], "x", "\nnext\n"}, []string{full + "\n", "next\n"}},
		{"too long a line", []string{full + "yz\n"}, []string{full + "\n", "yz\n"}},
		{"an endless line", []string{full[:maxLine-1], full, full}, []string{full + "\n", full + "\n", full[1:] + "\n"}},
		{"a character at the cut", []string{full[1:] + "ü end\n"}, []string{full[1:] + "\n", "ü end\n"}},
		{"bytes that are no characters at the cut", []string{full[2:] + "\xff\xff\xff\n"}, []string{full[2:] + "\xff\xff\n", "\xff\n"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var echo recorder
			l := open(t, []string{"hello"}, Options{Echo: &echo})
			printed(t, l, "hello", Stdout, test.pieces...)
			if !slices.Equal(echo.records, test.want) {
				t.Errorf("got %s, want %s", brief(echo.records), brief(test.want))
			}
		})
	}
}

func brief(records []string) string {
	var b strings.Builder
	for _, r := range records {
		fmt.Fprintf(&b, " %d:%q", len(r), r[:min(len(r), 3)])
	}
	return "[" + strings.TrimSpace(b.String()) + "]"
}

func TestRequestsMixByRecords(t *testing.T) {
	var echo recorder
	l := open(t, []string{"hello"}, Options{Echo: &echo})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			w := l.Writer("hello", "", Stdout)
			for range 100 {
				io.WriteString(w, "half ")
				io.WriteString(w, "and half\n")
			}
		})
	}
	wg.Wait()
	if len(echo.records) != 800 {
		t.Errorf("%d records, want 800", len(echo.records))
	}
	for _, r := range echo.records {
		if r != "half and half\n" {
			t.Fatalf("a mixed record: %q", r)
		}
	}
}

// A reader that does not read holds up who prints, but not the end of a request.
func TestCloseDoesNotWait(t *testing.T) {
	reader, echo := io.Pipe()
	l := open(t, []string{"hello"}, Options{Echo: echo})
	w := l.Writer("hello", "", Stdout)
	written := make(chan struct{})
	go func() {
		defer close(written)
		io.WriteString(w, "whole\npartial")
	}()
	var b [100]byte
	if n, err := reader.Read(b[:1]); n != 1 || err != nil { // the Write is under way
		t.Fatal(n, err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got := b[:1]
	for string(got) != "whole\npartial\n" {
		n, err := reader.Read(b[len(got):])
		if err != nil || !strings.HasPrefix("whole\npartial\n", string(b[:len(got)+n])) {
			t.Fatalf("read %q (%v)", b[:len(got)+n], err)
		}
		got = b[:len(got)+n]
	}
	<-written
}

func TestEcho(t *testing.T) {
	print := func(o Options) []string {
		t.Helper()
		var echo recorder
		o.Echo = &echo
		l := open(t, []string{"one", "two"}, o)
		printed(t, l, "one", Stdout, "out\n")
		printed(t, l, "two", Stderr, "err\n")
		printed(t, l, "three", Stderr, "from nobody\n")
		return echo.records
	}
	for _, test := range []struct {
		name string
		o    Options
		want []string
	}{
		{"all", Options{}, []string{"out\n", "err\n"}},
		{"prefixed", Options{Prefix: true}, []string{"[one req-1] out\n", "[two req-1] err\n"}},
		{"followed", Options{Follow: []string{"two"}}, []string{"err\n"}},
	} {
		if got := print(test.o); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "there", "yet")
	check := func(file, want string) {
		t.Helper()
		got, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil || string(got) != want {
			t.Errorf("%s has %q (%v), want %q", file, got, err, want)
		}
	}
	run := func(o Options, line string) {
		t.Helper()
		o.Dir = dir
		l := open(t, []string{"hello", "silent"}, o)
		printed(t, l, "hello", Stdout, line+" for stdout\n")
		printed(t, l, "hello", Stderr, line+"\x1b for stderr")
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		printed(t, l, "hello", Stdout, "too late\n")
	}
	run(Options{Prefix: true, Follow: []string{"silent"}}, "first")
	check("hello_stdout.txt", "first for stdout\n")
	check("hello_stderr.txt", "first\x1b for stderr\n")
	check("silent_stdout.txt", "")
	run(Options{}, "second")
	check("hello_stdout.txt", "first for stdout\nsecond for stdout\n")
	run(Options{Truncate: true}, "third")
	check("hello_stdout.txt", "third for stdout\n")
}

func TestFileName(t *testing.T) {
	if got, want := FileName("a/../b:c", Stderr), "a_.._b_c_stderr.txt"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestOpenFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	taken := filepath.Join(t.TempDir(), "logs")
	if err := os.MkdirAll(filepath.Join(taken, "hello_stderr.txt"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		o    Options
		want string
	}{
		{"a file for a directory", Options{Dir: file}, "making the directory for log files"},
		{"a directory for a file", Options{Dir: taken}, "opening a component's log file"},
		{"nobody to follow", Options{Follow: []string{"helo"}}, `no such component; it has hello`},
	} {
		if _, err := Open([]string{"hello"}, test.o); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want one with %q", test.name, err, test.want)
		}
	}
}

func TestFileFails(t *testing.T) {
	var errs []error
	var echo recorder
	l := open(t, []string{"hello"}, Options{Dir: t.TempDir(), Echo: &echo, OnError: func(id string, err error) {
		if id != "hello" {
			t.Errorf("component %q, want hello", id)
		}
		errs = append(errs, err)
	}})
	l.components["hello"].files[Stdout].Close()
	printed(t, l, "hello", Stdout, "one\ntwo\n")
	if len(errs) != 1 || !errors.Is(errs[0], os.ErrClosed) {
		t.Errorf("errors %v, want one", errs)
	}
	if want := []string{"one\n", "two\n"}; !slices.Equal(echo.records, want) {
		t.Errorf("echoed %q, want %q all the same", echo.records, want)
	}
}

func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var echo recorder
		dir := t.TempDir()
		l := open(t, []string{"loud", "quiet"}, Options{Echo: &echo, Dir: dir, Rate: 100, Burst: 1000})
		line := strings.Repeat("x", 99) + "\n"
		note := func(n int) string {
			return fmt.Sprintf("minispin: component loud prints too fast: %d bytes of its output were dropped\n", n)
		}
		expect := func(want ...string) {
			t.Helper()
			if !slices.Equal(echo.records, want) {
				t.Errorf("got %q, want %q", echo.records, want)
			}
			echo.records = nil
		}
		printed(t, l, "loud", Stdout, strings.Repeat(line, 15))
		expect(slices.Repeat([]string{line}, 10)...)
		printed(t, l, "quiet", Stdout, "unharmed\n")
		expect("unharmed\n")

		time.Sleep(time.Second)
		printed(t, l, "loud", Stderr, line, line)
		expect(note(500), line)

		// Not a note for each record.
		time.Sleep(500 * time.Millisecond)
		printed(t, l, "loud", Stderr, "short\n")
		expect("short\n")

		time.Sleep(time.Hour)
		printed(t, l, "loud", Stdout, strings.Repeat(line, 11))
		expect(append([]string{note(100)}, slices.Repeat([]string{line}, 10)...)...)
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		expect(note(100))
		got, err := os.ReadFile(filepath.Join(dir, "loud_stderr.txt"))
		if want := note(500) + line + "short\n" + note(100) + note(100); err != nil || string(got) != want {
			t.Errorf("the file has %q (%v), want %q", got, err, want)
		}
	})
}

func BenchmarkLine(b *testing.B) {
	l, err := Open([]string{"hello"}, Options{Echo: io.Discard, Rate: 1 << 40, Burst: 1 << 40})
	if err != nil {
		b.Fatal(err)
	}
	line := []byte(strings.Repeat("x", 99) + "\n")
	w := l.Writer("hello", "", Stdout)
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.Write(bytes.Clone(line)); err != nil {
			b.Fatal(err)
		}
	}
}
