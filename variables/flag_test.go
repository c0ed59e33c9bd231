package variables

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseFlags(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"v.json": `{"a": "1", "b": "{{ x }}"}`, "v.toml": "c = \"3\"\n", "key.pem": "line\nline\n",
		"n.json": `{"port": 5432}`, "nested.toml": "[a]\nb = \"hunter2\"\n", "name.json": `{"A": "x"}`,
		"bad.json": `{"a": "hunter2}`, "bad.toml": "a = \"x\"\nb = hunter2\n", "list.json": `["hunter2"]`,
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := ParseFlags([]string{"@v.json", "@v.toml", "key=@key.pem", "url=http://x/?a=b", "a=2", "empty="})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"a": "2", "b": "{{ x }}", "c": "3", "key": "line\nline\n", "url": "http://x/?a=b", "empty": ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for arg, want := range map[string]string{
		"hunter2":                       "the 2nd value has no",
		"A=hunter2":                     `"A" is not the name`,
		"a=@none":                       "reading the value of a",
		"@none.json":                    "none.json",
		"@key.pem":                      "neither .json nor .toml",
		"@n.json":                       "port is not a string",
		"@nested.toml":                  "a is not a string",
		"@name.json":                    `"A" is not the name`,
		"@bad.json":                     "not valid JSON at byte",
		"@bad.toml":                     "not valid TOML at line 2",
		"@list.json":                    "not a flat table of strings",
		"@" + filepath.Join("a", "dir"): "neither .json nor .toml",
	} {
		_, err := ParseFlags([]string{"ok=1", arg})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, want %q", arg, err, want)
		}
	}
	for n, want := range map[int]string{1: "1st", 2: "2nd", 3: "3rd", 4: "4th", 11: "11th", 12: "12th", 21: "21st"} {
		if got := ordinal(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
}

func TestFlagFiles(t *testing.T) {
	got := FlagFiles([]string{"a=b", "@all.toml", "c=@text", "d=x@y", "e", "f=g=@h", "@more.json"})
	if want := []string{"all.toml", "text", "more.json"}; cmp.Diff(want, got) != "" {
		t.Errorf("got %q, want %q", got, want)
	}
}
