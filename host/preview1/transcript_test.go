package preview1

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/guests"
	"github.com/minispin/minispin/host/files"
	"github.com/minispin/minispin/host/wasi/cli"
	"github.com/minispin/minispin/instancepool"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// A guest in C calls every function in the ways it can go well and fail, and
// prints what came of it: the same each time, under every strategy, in a directory
// of its own.
func TestTranscript(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("systems differ in what they say of some failures")
	}
	golden := filepath.Join("testdata", "c-preview1.txt")
	for _, s := range []instancepool.Strategy{instancepool.Pooled, instancepool.Reset, instancepool.Reuse} {
		t.Run(string(s), func(t *testing.T) {
			engines := &instancepool.Engines{Instances: 2}
			defer engines.Close()
			l := component.NewLinker()
			if err := Define(l); err != nil {
				t.Fatal(err)
			}
			pool, err := instancepool.New(t.Context(), engines, instancepool.Config[*component.CoreExport]{
				ID: "c-preview1", Wasm: guests.Wasm(t, "c-preview1"), Linker: l, Strategy: s,
				Bind: func(pre *component.InstancePre) (*component.CoreExport, error) {
					start, ok := pre.CoreFunc("_start")
					if !ok {
						return start, errors.New("no _start")
					}
					return start, nil
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer pool.Close()
			before := 0 // after the first request, which may open what stays
			for i := range 3 {
				got := transcript(t, pool)
				if i == 0 {
					before = openDescriptors(t)
				}
				if *update && i == 0 {
					if err := os.WriteFile(golden, []byte(got), 0o666); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(golden)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), got); diff != "" {
					t.Errorf("request %d (-want +got):\n%s", i, diff)
				}
			}
			if after := openDescriptors(t); after > before {
				t.Errorf("%d descriptors of the process are open, %d before", after, before)
			}
		})
	}
}

// transcript runs the guest in a new directory and returns what it printed.
func transcript(t *testing.T, pool *instancepool.Pool[*component.CoreExport]) string {
	t.Helper()
	var stdout bytes.Buffer
	v := &view{}
	v.ctx.Stdout = &stdout
	for _, m := range []struct {
		path   string
		access files.Access
		tree   map[string]string
	}{
		{"/", files.ReadWrite, map[string]string{"a.txt": "0123456789", "sub/b.txt": "b"}},
		{"/ro", files.ReadOnly, map[string]string{"r.txt": "r"}},
	} {
		dir := t.TempDir()
		for name, content := range m.tree {
			name = filepath.Join(dir, name)
			if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o777), os.WriteFile(name, []byte(content), 0o666)); err != nil {
				t.Fatal(err)
			}
		}
		root, err := os.OpenRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		v.ctx.Files.Mounts = append(v.ctx.Files.Mounts, files.Mount{Root: root, Path: m.path, Access: m.access})
	}
	err := pool.Run(t.Context(), v, func(in *component.Instance, start *component.CoreExport) error {
		return in.CallCore(start, nil)
	})
	v.ctx.Files.Close()
	if exit, ok := errors.AsType[*cli.Exit](err); !ok || exit.Code != 0 {
		t.Errorf("ended with %v, want an exit with code 0", err)
	}
	return stdout.String()
}
