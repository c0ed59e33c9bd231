package oracle

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestHeader compiles our declarations with the engine's.
func TestHeader(t *testing.T) {
	cc, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("no C compiler")
	}
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/bytecodealliance/wasmtime-go/v39").Output()
	dir := strings.TrimSpace(string(out))
	if err != nil || dir == "" {
		t.Skipf("the engine's module cannot be found: %v", err)
	}
	for _, args := range [][]string{nil, {"-DREAL", "-I" + filepath.Join(dir, "build", "include")}} {
		args := append([]string{"-std=c11", "-fsyntax-only", "-Werror", "-Wno-strict-prototypes", "testdata/layout.c"}, args...)
		if out, err := exec.Command(cc, args...).CombinedOutput(); err != nil {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
	drift := exec.Command(cc, "-std=c11", "-fsyntax-only", "-Werror", "-DREAL", "-I"+filepath.Join(dir, "build", "include"),
		"-include", "testdata/layout.c", "-x", "c", "-")
	drift.Stdin = strings.NewReader("void wasmtime_component_delete(int);\n")
	if err := drift.Run(); err == nil {
		t.Error("another declaration of the same function is not seen")
	}
}
