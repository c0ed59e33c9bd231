package preview1

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/guests"
	"github.com/minispin/minispin/host/files"
	"github.com/minispin/minispin/host/wasi/cli"
	"github.com/minispin/minispin/host/wasi/wasitest"
)

// Go's tests of its packages os and path/filepath, built for WASI preview 1, pass
// here. They take a minute or two, and so run only where guests may be built:
//
//	MINISPIN_GUESTS=build go test ./host/preview1 -run TestGoStandardLibrary
func TestGoStandardLibrary(t *testing.T) {
	if os.Getenv(guests.BuildEnv) != "build" || testing.Short() {
		t.Skipf("set %s=build to build and run them", guests.BuildEnv)
	}
	goroot, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Skip(err)
	}
	from := os.DirFS(strings.TrimSpace(string(goroot)))
	l := component.NewLinker()
	if err := Define(l); err != nil {
		t.Fatal(err)
	}
	for pkg, skip := range map[string]string{
		"os":            "DevNull",            // there are no devices
		"path/filepath": "^TestCVE202230632$", // recurses further than guests may
	} {
		t.Run(pkg, func(t *testing.T) {
			root := t.TempDir()
			for _, name := range []string{"go.env", "LICENSE", "CONTRIBUTING.md", "src/unicode", "src/" + pkg} {
				if err := place(root, from, name); err != nil {
					t.Skip(err) // a distribution that leaves something out
				}
			}
			if err := os.Mkdir(filepath.Join(root, "tmp"), 0o777); err != nil {
				t.Fatal(err)
			}
			wasm := filepath.Join(t.TempDir(), "test.wasm")
			build := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", wasm, pkg)
			build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0", "GOFLAGS=")
			if out, err := build.CombinedOutput(); err != nil {
				t.Fatalf("build: %v\n%s", err, out)
			}
			code, err := os.ReadFile(wasm)
			if err != nil {
				t.Fatal(err)
			}

			var out bytes.Buffer
			v := &view{}
			v.ctx.Args = []string{"test", "-test.short", "-test.skip=" + skip}
			v.ctx.Env = [][2]string{{"PWD", "/src/" + pkg}, {"TMPDIR", "/tmp"}, {"GOROOT", "/"}, {"HOME", "/tmp"}}
			v.ctx.Stdout, v.ctx.Stderr = &out, &out
			v.ctx.Files.Mounts = []files.Mount{mount(t, root, "/", files.ReadWrite)}
			err = wasitest.Start(t, t.Context(), v, l, code)
			v.ctx.Close()
			if exit, ok := errors.AsType[*cli.Exit](err); err != nil && (!ok || exit.Code != 0) {
				t.Errorf("%v\n%s", err, out.Bytes())
			}
		})
	}
}

// place copies a file or directory to where it has the same name beneath root.
func place(root string, from fs.FS, name string) error {
	to := filepath.Join(root, filepath.FromSlash(name))
	i, err := fs.Stat(from, name)
	if err != nil {
		return err
	}
	if i.IsDir() {
		sub, err := fs.Sub(from, name)
		if err != nil {
			return err
		}
		return os.CopyFS(to, sub)
	}
	b, err := fs.ReadFile(from, name)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o666)
}
