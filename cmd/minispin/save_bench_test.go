package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/minispin/minispin/guests"
)

// BenchmarkSave measures how long it takes from the saving of a component, or of
// what it is built from, to the first response by the new one. load-ms is what the
// log says that loading it took, most of which is compiling, and before that a build
// which only copies; rest-ms is everything else: noticing the change, waiting for
// more of it, and the request.
func BenchmarkSave(b *testing.B) {
	wasm, err := os.ReadFile(guests.Path(b, "rust-wasi-http"))
	if err != nil {
		b.Fatal(err)
	}
	greeting := []byte("hellotext/plain")
	if bytes.Count(wasm, greeting) != 1 {
		b.Fatal("the guest's greeting is not where it was")
	}
	for _, bench := range []struct{ name, verb, saved string }{
		{"component", "up --watch", "app.wasm"},
		{"source", "watch", "source.wasm"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			dir := b.TempDir()
			version := 0
			// save saves another version, as linkers do, and returns its greeting.
			save := func() string {
				version++
				text := fmt.Sprintf("%05d", version) // in place of hello
				path := filepath.Join(dir, bench.saved)
				if err := os.WriteFile(path+".new", bytes.Replace(wasm, greeting, []byte(text+"text/plain"), 1), 0o644); err != nil {
					b.Fatal(err)
				}
				if err := os.Rename(path+".new", path); err != nil {
					b.Fatal(err)
				}
				return text
			}
			if err := os.WriteFile(filepath.Join(dir, "spin.toml"), []byte(savedManifest), 0o644); err != nil {
				b.Fatal(err)
			}
			want := save()
			if bench.saved != "app.wasm" {
				if err := os.WriteFile(filepath.Join(dir, "app.wasm"), wasm, 0o644); err != nil {
					b.Fatal(err)
				}
			}
			s := startServer(b, dir, append(strings.Fields(bench.verb), "--listen", "127.0.0.1:0", "--disable-cache")...)
			s.greets(b, want)
			if bench.verb == "watch" {
				s.loads(b) // what was built first
			}
			var total, load time.Duration
			for b.Loop() {
				start := time.Now()
				s.greets(b, save())
				total += time.Since(start)
				b.StopTimer()
				load += s.loads(b)
				b.StartTimer()
			}
			ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 / float64(b.N) }
			b.ReportMetric(ms(total), "ms/op")
			b.ReportMetric(ms(load), "load-ms/op")
			b.ReportMetric(ms(total-load), "rest-ms/op")
			b.ReportMetric(0, "ns/op")
		})
	}
}

const savedManifest = `spin_manifest_version = 2
[application]
name = "saved"
[[trigger.http]]
route = "/..."
component = "app"
[component.app]
source = "app.wasm"
build = { command = "cp source.wasm app.wasm", watch = ["source.wasm"] }
`

// benchServer is a server with a log that is read.
type benchServer struct {
	url    string
	stderr *transcript
	read   int
	client *http.Client
}

// startServer starts minispin in dir and waits until it serves.
func startServer(b *testing.B, dir string, args ...string) *benchServer {
	s := &benchServer{stderr: &transcript{}, client: &http.Client{Transport: &http.Transport{}}}
	cmd := exec.Command("minispin", args...)
	cmd.Dir, cmd.Stderr = dir, s.stderr
	out := &transcript{}
	cmd.Stdout = out
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		s.client.CloseIdleConnections()
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			b.Errorf("minispin: %v\n%s", err, s.stderr)
		}
	})
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if _, url, ok := strings.Cut(out.String(), "Serving "); ok && strings.Contains(url, "\n") {
			s.url, _, _ = strings.Cut(url, "\n")
			return s
		}
	}
	b.Fatalf("the server does not serve\n%s", s.stderr)
	return nil
}

// greets waits for a response that is text.
func (s *benchServer) greets(b *testing.B, text string) {
	got := ""
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		resp, err := s.client.Get(s.url + "/")
		if err != nil {
			b.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if got = string(body); err == nil && got == text {
			return
		}
	}
	b.Fatalf("the server greets with %q, not with %q\n%s", got, text, s.stderr)
}

// loads returns how long the loading took that the log tells of next.
func (s *benchServer) loads(b *testing.B) time.Duration {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		text := s.stderr.String()[s.read:]
		whole := text[:strings.LastIndexByte(text, '\n')+1]
		for line := range strings.Lines(whole) {
			s.read += len(line)
			var entry struct{ Msg, Took string }
			if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "the application was loaded" {
				took, err := time.ParseDuration(entry.Took)
				if err != nil {
					b.Fatal(err)
				}
				return took
			}
		}
	}
	b.Fatalf("the log does not say that the application was loaded:\n%s", s.stderr)
	return 0
}
