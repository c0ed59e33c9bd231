package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const completedManifest = `spin_manifest_version = 2
[application]
name = "completed"
[[trigger.http]]
route = "/..."
component = "first"
[component.first]
source = "first.wasm"
[component.first.profile.debug]
source = "debug.wasm"
[component.second]
source = "second.wasm"
`

// completedDir is a directory with an application and other files.
func completedDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"spin.toml": completedManifest, "with space.toml": "", "sub/below.toml": completedManifest} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// completed runs a shell's script with words, and returns the lines it prints,
// sorted.
func completed(t *testing.T, dir, shell, script string, words ...string) []string {
	t.Helper()
	cmd := exec.Command(shell, append([]string{"-c", script, shell}, words...)...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	found := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	slices.Sort(found)
	return found
}

func TestCompletionInBash(t *testing.T) {
	needs("bash")(t, "")
	t.Parallel()
	const script = `source <(minispin completion bash) || exit
COMP_WORDS=(minispin "${@:1}")
COMP_CWORD=$#
$(complete -p minispin | sed 's/.*-F \([^ ]*\) .*/\1/') minispin "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\n' "${COMPREPLY[@]}"`
	dir := completedDir(t)
	// Words are separated as bash does it, at = and : as well; the last is the one
	// being typed, and _ stands for one of which there is nothing yet.
	for _, test := range []struct{ line, want string }{
		{"in", "inspect"},
		{"bu", "build"},
		{"nothing", ""},
		{"up --find", "--find-free-port"},
		{"u --find", "--find-free-port"},
		{"up --quiet --qu", ""},
		{"up --follow first --foll", "--follow"},
		{"up --strategy po", "pooled"},
		{"up --strategy = po", "pooled"},
		{"up --strategy =", "cold,pooled,pre-instance,precompiled,reset,reuse"},
		{"up --format _", "json,plain"},
		{"up --listen x", ""},
		{"up -c _", "first,second"},
		{"up -qc s", "second"},
		{"up -c first --component-id s", "second"},
		{"up -f absent.toml -c _", ""},
		{"build sub/below.toml -c f", "first"},
		{"up --profile _", "debug"},
		{"up --listen 127.0.0.1 : 3000 --profile _", "debug"},
		{"up s", "spin.toml,sub"},
		{"up -f sub/", "sub/below.toml"},
		{"up --from = sub/", "sub/below.toml"},
		{"up w", "with space.toml"},
		{"up --state-dir _", "sub"},
		{"up -- --find", ""},
		{"templates _", "list"},
		{"templates list --format _", "json,names-only,table"},
		{"new --template http-r", "http-rust"},
		{"new --tag javas", "javascript"},
		{"new --tag rust -t _", "http-rust"},
		{"add -t http-e", ""},
		{"add -t redirect -v _", "redirect-from=,redirect-to="},
		{"new s", ""},
		{"completion f", "fish"},
		{"completion fish _", ""},
	} {
		words := strings.Fields(test.line)
		if last := &words[len(words)-1]; *last == "_" {
			*last = ""
		}
		if got := strings.Join(completed(t, dir, "bash", script, words...), ","); got != test.want {
			t.Errorf("%s: %s, want %s", test.line, got, test.want)
		}
	}
}

func TestCompletionInFish(t *testing.T) {
	needs("fish")(t, "")
	t.Parallel()
	const script = `minispin completion fish | source; complete -C $argv[2] | string replace -r "\t.*" ""; true`
	dir := completedDir(t)
	for _, test := range []struct{ line, want string }{
		{"minispin ins", "inspect"},
		{"minispin up --find", "--find-free-port"},
		{"minispin up --strategy=po", "--strategy=pooled"},
		{"minispin up -c ", "first,second"},
		{"minispin up -f sub/", "sub/below.toml"},
		{"minispin new -t http-r", "http-rust"},
	} {
		if got := strings.Join(completed(t, dir, "fish", script, test.line), ","); got != test.want {
			t.Errorf("%s: %s, want %s", test.line, got, test.want)
		}
	}
}
