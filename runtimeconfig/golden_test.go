package runtimeconfig

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite the expected results under testdata")

// TestGolden reads every archive under testdata: a comment, a configuration, and
// under the name want what came of it, as text.
func TestGolden(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) < 9 {
		t.Fatalf("found only %d cases", len(paths))
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			archive := txtar.Parse(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")))
			var input, want []byte
			files := archive.Files[:0:0]
			for _, f := range archive.Files {
				switch f.Name {
				case "want":
					want = f.Data
					continue
				case "runtime.toml":
					input = f.Data
				}
				files = append(files, f)
			}
			got := outcome(Parse(input, "runtime.toml"))
			if strings.Contains(got, "hunter2") {
				t.Errorf("a secret is shown:\n%s", got)
			}
			if *update {
				archive.Files = append(files, txtar.File{Name: "want", Data: []byte(got)})
				if err := os.WriteFile(path, txtar.Format(archive), 0o666); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// outcome returns what came of a configuration as text.
func outcome(c *Config, err error) string {
	if err != nil {
		return err.Error() + "\n"
	}
	var b strings.Builder
	text := func(what string, s *string) {
		if s != nil {
			fmt.Fprintf(&b, "%s %q\n", what, *s)
		}
	}
	text("state_dir", c.StateDir)
	text("log_dir", c.LogDir)
	fmt.Fprintf(&b, "memory %d, pooling %t, requests %d, blocked %t\n", c.MaxInstanceMemory, !c.NoPooling, c.MaxRequests, c.Blocked != nil)
	for _, p := range c.Providers {
		fmt.Fprintf(&b, "provider %s\n", p)
	}
	for _, e := range c.ClientTLS {
		fmt.Fprintf(&b, "TLS of %q to %q: own roots %t, certificates %d\n", e.Components, e.Hosts, e.Config.RootCAs != nil, len(e.Config.Certificates))
	}
	for _, d := range c.Warnings {
		fmt.Fprintf(&b, "\nWarning: %s\n", d)
	}
	return b.String()
}
