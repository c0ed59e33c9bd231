package manifest

import (
	"bytes"
	"encoding/json"
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

// TestGolden reads every archive under testdata: a comment that says what the
// case shows and may set options, the files of an application, and at the end,
// under the name want, the App as JSON or the text of the error.
func TestGolden(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) < 70 {
		t.Fatalf("found only %d cases", len(paths))
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			golden(t, path)
		})
	}
}

func golden(t *testing.T, path string) {
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// A checkout on Windows may have turned the line ends.
	archive := txtar.Parse(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")))
	opts := goldenOptions(t, string(archive.Comment))
	dir := t.TempDir()
	var input []byte
	want := ""
	files := archive.Files[:0:0]
	for _, f := range archive.Files {
		switch f.Name {
		case "want":
			want = string(f.Data)
			continue
		case FileName:
			input = f.Data
		default:
			to := filepath.Join(dir, filepath.FromSlash(f.Name))
			if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(to, f.Data, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		files = append(files, f)
	}
	got := outcome(t, input, dir, opts)
	if *update {
		archive.Files = append(files, txtar.File{Name: "want", Data: []byte(got)})
		if err := os.WriteFile(path, txtar.Format(archive), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// outcome parses input and returns what came of it as text.
func outcome(t *testing.T, input []byte, dir string, opts Options) string {
	app, err := Parse(input, FileName, dir, opts)
	if err != nil {
		return err.Error() + "\n"
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(app); err != nil {
		t.Fatal(err)
	}
	var used []string
	for _, c := range app.Used() {
		used = append(used, c.ID)
	}
	fmt.Fprintf(&b, "used: %s\n", strings.Join(used, " "))
	for _, d := range app.Warnings {
		fmt.Fprintf(&b, "%s\n", d)
	}
	return b.String()
}

// goldenOptions reads the lines "option: value" of an archive's comment.
func goldenOptions(t *testing.T, comment string) Options {
	var opts Options
	for line := range strings.Lines(comment) {
		name, values, _ := strings.Cut(strings.TrimSpace(line), ":")
		values = strings.TrimSpace(values)
		switch name {
		case "profile":
			opts.Profile = values
		case "purpose":
			if values != "build" {
				t.Fatalf("unknown purpose %q", values)
			}
			opts.Purpose = ToBuild
		case "strategies":
			opts.Strategies = strings.Fields(values)
		case "supports":
			for feature := range strings.SplitSeq(values, ",") {
				opts.Supports = append(opts.Supports, Feature(strings.TrimSpace(feature)))
			}
		}
	}
	return opts
}
