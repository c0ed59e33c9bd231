package main

import (
	"bufio"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/minispin/minispin/templates"
)

// buildTemplatesEnv, set to "build", has those templates built and served as well
// whose toolchains take their time or fetch packages.
const buildTemplatesEnv = "MINISPIN_TEMPLATES"

// toolchain is what a template's build command needs, on this machine.
type toolchain struct {
	slow   bool
	values []string // for new
	// prepare makes the toolchain ready in the application's directory and returns
	// what the environment needs. It skips the test without the toolchain.
	prepare func(t *testing.T, dir string) []string
	// answer is part of the answer to GET /hello.
	status int
	answer string
}

var templateToolchains = map[string]toolchain{
	"http-c":            {values: cCompiler(), prepare: needs("clang-14"), status: 200, answer: "Hello from C: GET /hello"},
	"http-go":           {slow: true, prepare: needs("go"), status: 200, answer: "Hello from Go: GET /hello"},
	"http-js":           {slow: true, prepare: needs("npm"), status: 200, answer: "Hello from JavaScript: GET /hello"},
	"http-ts":           {slow: true, prepare: needs("npm"), status: 200, answer: "Hello from TypeScript: GET /hello"},
	"http-py":           {slow: true, prepare: virtualEnv, status: 200, answer: "Hello from Python: GET "},
	"http-rust":         {slow: true, prepare: rust, status: 200, answer: "Hello from Rust: GET /hello"},
	"redirect":          {values: []string{"redirect-from=/hello", "redirect-to=/there"}, status: 302},
	"static-fileserver": {status: 404, answer: "not found"},
}

// cCompiler is Debian's way to compile C for WASI; where it is not to be had the
// test is skipped.
func cCompiler() []string {
	return []string{"c-compiler=clang-14 --target=wasm32-wasi --sysroot=/usr -I/usr/include/wasm32-wasi"}
}

func needs(program string) func(*testing.T, string) []string {
	return func(t *testing.T, _ string) []string {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
		if program == "clang-14" {
			if _, err := os.Stat("/usr/lib/wasm32-wasi"); err != nil {
				t.Skip("wasi-libc is not installed")
			}
		}
		return nil
	}
}

// virtualEnv installs what requirements.txt asks for.
func virtualEnv(t *testing.T, dir string) []string {
	needs("python3")(t, dir)
	venv := filepath.Join(dir, ".venv")
	for _, args := range [][]string{
		{"python3", "-m", "venv", venv},
		{filepath.Join(venv, "bin", "pip"), "install", "--quiet", "--disable-pip-version-check", "-r", filepath.Join(dir, "requirements.txt")},
	} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	return []string{"VIRTUAL_ENV=" + venv, "PATH=" + filepath.Join(venv, "bin") + ":" + os.Getenv("PATH")}
}

// rust finds a Rust for wasm32-wasip1: the one in PATH, or Debian's with the
// linker of the one in PATH, which then builds the standard library first.
func rust(t *testing.T, dir string) []string {
	needs("rustc")(t, dir)
	out, err := exec.Command("rustc", "--print", "sysroot").Output()
	if err != nil {
		t.Skipf("rustc does not run: %v", err)
	}
	root := filepath.Join(strings.TrimSpace(string(out)), "lib", "rustlib")
	if _, err := os.Stat(filepath.Join(root, "wasm32-wasip1", "lib")); err == nil {
		return nil
	}
	linkers, _ := filepath.Glob(filepath.Join(root, "*", "bin", "rust-lld"))
	for _, file := range []string{"/usr/bin/cargo", "/usr/lib/rustlib/src/rust/library", "/usr/lib/wasm32-wasi/libc.a"} {
		if _, err := os.Stat(file); err != nil || len(linkers) == 0 {
			t.Skip("there is no standard library of Rust for wasm32-wasip1")
		}
	}
	return []string{
		"PATH=/usr/bin:" + os.Getenv("PATH"), "RUSTC=/usr/bin/rustc", "RUSTC_BOOTSTRAP=1",
		"CARGO_UNSTABLE_BUILD_STD=std,panic_abort",
		"CARGO_TARGET_WASM32_WASIP1_LINKER=" + linkers[0],
		"CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS=-Lnative=/usr/lib/wasm32-wasi",
	}
}

// Whatever a template makes can be built and served, as an application of its own
// and added to one.
func TestTemplatesServe(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot be told to stop here")
	}
	for _, template := range templates.All() {
		if template.Bare() {
			continue // TestScripts adds to it
		}
		t.Run(template.ID, func(t *testing.T) {
			t.Parallel()
			tools, ok := templateToolchains[template.ID]
			if !ok {
				t.Fatal("no toolchain is known for it")
			}
			if tools.slow && os.Getenv(buildTemplatesEnv) != "build" {
				t.Skipf("it is built only with %s=build", buildTemplatesEnv)
			}
			dir := filepath.Join(t.TempDir(), "my-hello")
			args := []string{"-t", template.ID, "my-hello"}
			for _, v := range tools.values {
				args = append(args, "--value", v)
			}
			minispin(t, filepath.Dir(dir), nil, append([]string{"new"}, args...)...)
			var env []string
			if tools.prepare != nil {
				env = tools.prepare(t, dir)
			}
			if template.Builds {
				minispin(t, dir, env, "build")
			}
			checkServes(t, dir, "/hello", tools.status, tools.answer)
		})
	}
}

// The same component works in a directory below the manifest's, behind another
// route.
func TestAddedTemplateServes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot be told to stop here")
	}
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "my-app")
	tools := templateToolchains["http-c"]
	env := tools.prepare(t, dir)
	minispin(t, filepath.Dir(dir), nil, "new", "-t", "http-empty", "my-app")
	for _, name := range []string{"one", "two"} {
		minispin(t, dir, nil, "add", "-t", "http-c", name, "--value", tools.values[0])
	}
	minispin(t, dir, env, "build")
	checkServes(t, dir, "/hello", 200, "Hello from C: GET /hello")
	checkServes(t, dir, "/two/hello", 200, "Hello from C: GET /two/hello")
}

// minispin runs a command of minispin in dir to its end.
func minispin(t *testing.T, dir string, env []string, args ...string) {
	t.Helper()
	cmd := exec.Command("minispin", args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("minispin %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// checkServes serves the application in dir and compares the answer to a GET.
func checkServes(t *testing.T, dir, path string, status int, want string) {
	t.Helper()
	url, told := serveDir(t, dir)
	resp, body := fetch(t, http.MethodGet, url+path, nil)
	if resp.StatusCode != status || !strings.Contains(body, want) {
		t.Errorf("GET %s: status %d, body %q; want %d, %q\n%s", path, resp.StatusCode, body, status, want, told)
	}
}

// serveDir serves the application in dir until the test ends. It returns where, and
// what the server says.
func serveDir(t *testing.T, dir string) (url string, told *transcript) {
	t.Helper()
	cmd := exec.Command("minispin", "up", "--listen", "127.0.0.1:0", "--disable-cache", "--state-dir", "")
	cmd.Dir = dir
	told = &transcript{}
	cmd.Stderr = told
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
	for s := bufio.NewScanner(stdout); s.Scan(); {
		if url, ok := strings.CutPrefix(s.Text(), "Serving "); ok {
			return url, told
		}
	}
	_ = cmd.Wait() // so that all of what it says is there
	t.Fatalf("it does not serve:\n%s", told)
	return "", nil
}

// fetch sends one request and follows no redirects.
func fetch(t *testing.T, method, url string, header http.Header) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(req.Header, header)
	resp, err := client.Transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	return resp, string(body)
}
