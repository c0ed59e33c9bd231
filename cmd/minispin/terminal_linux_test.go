package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/minispin/minispin/cmd/minispin/internal/console"
)

// terminal is a pseudo-terminal whose screen a test reads.
type terminal struct {
	end    *os.File // for the program
	own    *os.File // what is written here has been typed
	screen transcript
	read   chan struct{} // closed when everything has been read
}

func newTerminal(t *testing.T) *terminal {
	t.Helper()
	own, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no pseudo-terminals here: ", err)
	}
	fd := int(own.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	end, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudo-terminals here: ", err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 25, Col: 100}); err != nil {
		t.Fatal(err)
	}
	term := &terminal{end: end, own: own, read: make(chan struct{})}
	go func() {
		defer close(term.read)
		_, _ = io.Copy(&term.screen, own) // until all ends are closed
	}()
	t.Cleanup(func() {
		end.Close()
		<-term.read
		own.Close()
	})
	return term
}

// await waits until something on the screen matches and returns its first group.
func (term *terminal) await(t *testing.T, pattern string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if m := re.FindStringSubmatch(term.screen.String()); m != nil {
			return m[len(m)-1]
		}
	}
	t.Fatalf("nothing on the screen matches %q:\n%q", pattern, term.screen.String())
	return ""
}

// A program for the WAGI executor that prints a response, and to standard error
// what would clear the screen.
const clearsScreen = `(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\20\00\00\00\1d\00\00\00\40\00\00\00\0c\00\00\00")
  (data (i32.const 0x20) "content-type: text/plain\n\nok\n")
  (data (i32.const 0x40) "\1b[2J cleared")
  (func (export "_start")
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 0x80)))
    (drop (call $write (i32.const 2) (i32.const 8) (i32.const 1) (i32.const 0x80)))))
`

const clearsScreenManifest = `spin_manifest_version = 2
[application]
name = "clears-screen"
[[trigger.http]]
route = "/clear"
component = "clears-screen"
executor = { type = "wagi" }
[component.clears-screen]
source = "clear.wat"
`

func TestTerminal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"clear.wat": clearsScreen, "spin.toml": clearsScreenManifest} {
		if err := os.WriteFile(dir+"/"+name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	term := newTerminal(t)
	cmd := exec.Command("minispin", "up", "--listen", "127.0.0.1:0", "--disable-cache")
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TERM=xterm"}
	cmd.Stdout, cmd.Stderr = term.end, term.end
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	url := term.await(t, `\x1b\[1;32mServing\x1b\[0m (http://\S+)\r\n`)
	get := func(path string, want int) {
		t.Helper()
		resp, err := client.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: status %d, want %d", path, resp.StatusCode, want)
		}
	}
	get("/clear", http.StatusOK)
	term.await(t, `\r\n(\\x1b\[2J cleared)\r\n`)
	get("/cleer", http.StatusNotFound)
	term.await(t, `\d\tINFO\tno route matches .*"path": "/cleer"`)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("minispin: %v", err)
	}
	term.await(t, `\d\tINFO\tstopping`)
	if strings.Contains(term.screen.String(), "\x1b[2J") {
		t.Error("the guest cleared the screen")
	}
}

func TestProgressOnTerminal(t *testing.T) {
	term := newTerminal(t)
	out := console.New(term.end)
	synctest.Test(t, func(t *testing.T) {
		p := startProgress(out)
		p.update("quick", 1, 2)
		time.Sleep(statusAfter / 2)
		p.update("hello", 3, 14)
		time.Sleep(2*time.Second + statusAfter)
		p.stop()
	})
	if _, err := io.WriteString(out, "ready\n"); err != nil {
		t.Fatal(err)
	}
	term.await(t, `^\r\x1b\[KPreparing hello: 3 of 14 modules compiled \(0 s\)\r\x1b\[K.*\(1 s\)\r\x1b\[K.*\(2 s\)\r\x1b\[Kready\r\n$`)
}

func TestLogOnTerminal(t *testing.T) {
	term := newTerminal(t)
	log, err := newLogger(console.New(term.end), "info")
	if err != nil {
		t.Fatal(err)
	}
	logTrap(log)
	term.await(t, `^[0-9:.]{12}\tERROR\trequest failed\t\{"application": "a", "error": "out\\nof \\u001b bounds"\}\r\n    inner\r\n    ou\\x1bter\r\n    goroutine 1\r\n    main\.main\r\n$`)
}
