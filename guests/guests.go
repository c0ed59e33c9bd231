// Package guests hands tests the WebAssembly guests of this folder.
//
// The small ones are committed, and always there. The large ones, in Python
// and JavaScript, are built by build.sh when a test run asks for it, and a test
// that wants one of them is skipped where it is not to be had. A test names the
// guest and need not know which kind it is.
//
// README.md lists the guests, with what each does and imports. The package
// knows nothing of what is inside them, nor of how they are run.
package guests

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// BuildEnv is the environment variable that lets Path and Wasm build guests
// that are not committed, when it is set to "build". Building one takes up to a
// minute and needs the network the first time. Without it they use only what an
// earlier build left in the cache.
const BuildEnv = "MINISPIN_GUESTS"

// committed are the guests whose binaries are in bin/.
var committed = []string{
	"rust-wasi-http",
	"rust-inbound-http",
	"rust-candidate",
	"rust-outgoing",
	"rust-sockets",
	"rust-files",
	"rust-filesystem",
	"rust-files-wasip1",
	"rust-fileserver",
	"rust-wasi",
	"rust-wagi",
	"rust-spin-sdk2",
	"rust-spin-sdk5",
	"rust-spin-sdk5-wasip2",
	"rust-preview1",
	"c-wagi",
	"c-preview1",
}

// onDemand are the other guests, each with the program that its build needs.
var onDemand = map[string]string{
	"js-wasi-http":    "node",
	"py-inbound-http": "python3",
	"py-spin-sdk3":    "python3",
	"py-wasi-http":    "python3",
}

// Names lists all guests: the committed ones, then the others, by name.
func Names() []string {
	names := slices.Clone(committed)
	for name := range onDemand {
		names = append(names, name)
	}
	slices.Sort(names[len(committed):])
	return names
}

// Committed lists the guests that are always there.
func Committed() []string {
	return slices.Clone(committed)
}

// TB is what is needed of a testing.TB, so that programs which have guests with
// them have no package testing.
type TB interface {
	Helper()
	Skip(args ...any)
	Skipf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// Wasm returns the bytes of a guest. It fails or skips the test as Path does.
func Wasm(t TB, name string) []byte {
	t.Helper()
	wasm, err := os.ReadFile(Path(t, name))
	if err != nil {
		t.Fatalf("guest %s: %v", name, err)
	}
	return wasm
}

// Path returns the absolute path of a guest's binary. It fails the test when
// there is no such guest or it cannot be built, and skips the test, saying what
// is missing, when the guest is not committed and may not be built here.
func Path(t TB, name string) string {
	t.Helper()
	path, err := find(name)
	var missing *missingError
	switch {
	case errors.As(err, &missing):
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
	return path
}

// A missingError says why a guest that exists is not to be had here.
type missingError struct {
	name   string
	reason string
}

func (e *missingError) Error() string {
	return fmt.Sprintf("no guest %s: %s", e.name, e.reason)
}

func find(name string) (string, error) {
	dir, err := folder()
	if err != nil {
		return "", fmt.Errorf("guest %s: %w", name, err)
	}
	if slices.Contains(committed, name) {
		return filepath.Join(dir, "bin", name+".wasm"), nil
	}
	program, ok := onDemand[name]
	if !ok {
		return "", fmt.Errorf("there is no guest %q; there are %s", name, strings.Join(Names(), ", "))
	}
	return findOnDemand(dir, name, program)
}

// findOnDemand looks for a guest in the cache, and builds it if allowed. What a
// cached guest is called depends on its sources, and build.sh alone knows how.
func findOnDemand(dir, name, program string) (string, error) {
	if runtime.GOOS == "windows" {
		return "", &missingError{name, "build.sh is for Unix"}
	}
	bash, err := exec.LookPath("bash")
	if err != nil {
		return "", &missingError{name, "bash is not installed"}
	}
	path, err := build(bash, dir, "--path", name)
	if err != nil {
		return "", fmt.Errorf("locating guest %s: %w", name, err)
	}
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if os.Getenv(BuildEnv) != "build" {
		return "", &missingError{name, fmt.Sprintf("it is not in the cache; run guests/build.sh %s, or set %s=build", name, BuildEnv)}
	}
	if _, err := exec.LookPath(program); err != nil {
		return "", &missingError{name, program + " is not installed"}
	}
	if _, err := build(bash, dir, name); err != nil {
		return "", fmt.Errorf("building guest %s: %w", name, err)
	}
	return path, nil
}

// build runs build.sh and returns what it printed.
func build(bash, dir string, args ...string) (string, error) {
	cmd := exec.Command(bash, append([]string{filepath.Join(dir, "build.sh")}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("build.sh %s: %w\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return strings.TrimSpace(string(out)), nil
}

// folder finds this folder from the one that the test runs in, which is its
// package's: the source paths in the binary do not survive -trimpath.
var folder = sync.OnceValues(func() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		guests := filepath.Join(dir, "guests")
		if _, err := os.Stat(filepath.Join(guests, "build.sh")); err == nil {
			return guests, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no folder above %s has guests/build.sh", start)
		}
	}
})
