package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// TestEveryFlagHasAScript sees that each command and each of its flags is used in
// some script, by any of its names.
func TestEveryFlagHasAScript(t *testing.T) {
	paths, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatal("no scripts", err)
	}
	var scripts strings.Builder
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		script, _, _ := strings.Cut(string(b), "\n-- ") // without its files
		scripts.WriteString(script + "\n")
	}
	var cli commands
	parser, err := kong.New(&cli, grammarVars())
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range parser.Model.Children {
		// What a script calls serve, load and watch are up and watch.
		verbs := append([]string{command.Name}, command.Aliases...)
		switch command.Name {
		case "up":
			verbs = append(verbs, "serve", "load")
		case "watch":
			verbs = append(verbs, "load-watch", "serve", "load", "up") // it has up's flags
		}
		lines := regexp.MustCompile(`(?m)^.*\b(`+strings.Join(verbs, "|")+`)\b.*$`).FindAllString(scripts.String(), -1)
		if len(lines) == 0 {
			t.Errorf("no script has the command %s", command.Name)
		}
		all := strings.Join(lines, "\n") + "\n"
		for _, flag := range command.Flags {
			names := `--` + strings.Join(append([]string{flag.Name}, flag.Aliases...), `|--`)
			if flag.Short != 0 {
				names += `|-` + string(flag.Short)
			}
			used := regexp.MustCompile(`(^|\s)(` + names + `)([\s=]|$)`).MatchString(all)
			for _, env := range flag.Envs {
				used = used || regexp.MustCompile(`(?m)^env `+env+`=.`).MatchString(scripts.String())
			}
			if !used {
				t.Errorf("no script uses %s --%s", command.Name, flag.Name)
			}
		}
	}
}

// TestEveryFlagIsCompared sees that the page which compares minispin with Spin has
// each flag of up.
func TestEveryFlagIsCompared(t *testing.T) {
	page, err := os.ReadFile("../../docs/compatibility.md")
	if err != nil {
		t.Fatal(err)
	}
	var cli commands
	parser, err := kong.New(&cli, grammarVars())
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range parser.Model.Children {
		if command.Name != "up" {
			continue
		}
		for _, flag := range command.Flags {
			if !strings.Contains(string(page), "`--"+flag.Name) {
				t.Errorf("docs/compatibility.md does not say anything of --%s", flag.Name)
			}
		}
	}
}
