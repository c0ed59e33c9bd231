package cwasm

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unsafe"

	"github.com/bytecodealliance/wasmtime-go/v39"
)

// moduleDir finds the module whose headers ours stand for.
func moduleDir(t *testing.T) (dir, version string) {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}\n{{.Version}}", "github.com/bytecodealliance/wasmtime-go/v39").Output()
	if err != nil {
		t.Skipf("the go command cannot name the engine's module: %v", err)
	}
	dir, version, _ = strings.Cut(strings.TrimSpace(string(out)), "\n")
	if dir == "" {
		t.Skip("the engine's module is not in the module cache")
	}
	return dir, version
}

func compiler(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("CC"), "cc", "gcc", "clang"} {
		if name == "" {
			continue
		}
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("no C compiler")
	return ""
}

func TestHeaderAgreesWithTheEngines(t *testing.T) {
	cc := compiler(t)
	dir, _ := moduleDir(t)
	check := func(source string, args ...string) (string, error) {
		cmd := exec.Command(cc, append([]string{"-std=c11", "-fsyntax-only", "-Werror", "-Wno-strict-prototypes", "-I.", source}, args...)...)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	realArgs := []string{"-DREAL", "-I" + filepath.Join(dir, "build", "include")}
	if out, err := check("testdata/layout.c"); err != nil {
		t.Errorf("our header alone: %v\n%s", err, out)
	}
	if out, err := check("testdata/layout.c", realArgs...); err != nil {
		t.Errorf("our header and the engine's: %v\n%s", err, out)
	}

	// The check is worth something only if drift is seen.
	drifted := filepath.Join(t.TempDir(), "drifted.c")
	layout, err := filepath.Abs("testdata/layout.c")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"void wasmtime_store_limiter(wasmtime_store_t *, int64_t);",
		"_Static_assert(sizeof(wasmtime_func_t) == 24, \"\");",
	} {
		if err := os.WriteFile(drifted, []byte("#include \""+filepath.ToSlash(layout)+"\"\n"+line+"\n"), 0o666); err != nil {
			t.Fatal(err)
		}
		if out, err := check(drifted, realArgs...); err == nil {
			t.Errorf("drift is not seen: %s\n%s", line, out)
		}
	}
}

// Every engine function that the C files call must be declared by the header
// that the test above compares.
func TestOnlyDeclaredFunctionsAreCalled(t *testing.T) {
	cc := compiler(t)
	for _, source := range []string{"run.c", "setup.c", "snapshot.c", "snapshot_linear.c", "snapshot_pages.c"} {
		// Undefined, the name of the system leaves what other systems get.
		for _, system := range []string{"-D_REENTRANT", "-U__linux__"} {
			out, err := exec.Command(cc, system, "-std=gnu11", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-Wno-strict-prototypes", "-I.", source).CombinedOutput()
			if err != nil {
				t.Errorf("%s %s: %v\n%s", system, source, err, out)
			}
		}
	}
}

func TestEngineVersion(t *testing.T) {
	if _, version := moduleDir(t); EngineVersion != "wasmtime-go/"+version {
		t.Errorf("EngineVersion is %s, the module is %s", EngineVersion, version)
	}
}

// engineptr.go reads the first field of these.
func TestFirstFieldIsThePointer(t *testing.T) {
	for _, v := range []any{wasmtime.Config{}, wasmtime.Engine{}, wasmtime.Module{}} {
		typ := reflect.TypeOf(v)
		f := typ.Field(0)
		if f.Name != "_ptr" || f.Offset != 0 || f.Type.Kind() != reflect.Pointer {
			t.Errorf("%v begins with %s %v at %d", typ, f.Name, f.Type, f.Offset)
		}
	}
}

func TestRawLayout(t *testing.T) {
	if s, a := unsafe.Sizeof(Raw{}), unsafe.Alignof(Raw{}); s != 16 || a != 8 {
		t.Errorf("Raw has %d bytes aligned to %d, the engine's value has 16 aligned to 8", s, a)
	}
}
