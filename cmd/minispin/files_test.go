package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/minispin/minispin/instancepool"
	"github.com/minispin/minispin/manifest"
)

// TestWritten: what the runtime configuration has this process write is none of an
// application's files, as little as what the flags have it write.
func TestWritten(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "runtime.toml")
	for _, test := range []struct{ text, want string }{
		{"", filepath.Join(dir, ".spin", "logs")},
		{"log_dir = '" + filepath.Join(dir, "l") + "'\n", filepath.Join(dir, "l")},
		{"state_dir = '" + filepath.Join(dir, "s") + "'\n", filepath.Join(dir, "s", "logs")},
		{"log_dir = 1\n", filepath.Join(dir, ".spin", "logs")},
	} {
		if err := os.WriteFile(config, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		g := &generations{placed: &placed{}, command: &upCommand{variableFlags: variableFlags{RuntimeConfig: config}}, engines: &instancepool.Engines{}}
		if got := g.written(&manifest.App{Dir: dir, Path: filepath.Join(dir, manifest.FileName)}); !slices.Contains(got, test.want) {
			t.Errorf("under %q: %q, want %s among them", test.text, got, test.want)
		}
	}
}
