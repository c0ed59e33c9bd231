package wast

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// folders are those of the scripts that are run: the synchronous half of the
// component model.
var folders = []string{"binary", "linking", "resources", "validation", "values"}

// script is one test script, converted to JSON with the binaries beside it.
type script struct {
	name     string
	dir      string
	Commands []command
}

// command is one line of a script. Which fields are set depends on Type.
type command struct {
	Type     string
	Line     int
	Filename string // of the component, in the script's own folder
	Name     string // that the component goes by from here on
	Instance string // that an instance goes by from here on
	Module   string // the name of the component to instantiate
	Action   *action
	Expected []wastValue
	Text     string // of the trap or refusal
}

// action is a call of a function that an instance exports.
type action struct {
	Type   string // always invoke, so far
	Module string // the name of the instance, empty for the current one
	Field  string
	Args   []wastValue
}

// id names the command in the list of expected failures.
func (s *script) id(c command) string { return fmt.Sprintf("%s:%d", s.name, c.Line) }

// binary reads the component that a command names.
func (s *script) binary(c command) ([]byte, error) {
	return os.ReadFile(filepath.Join(s.dir, c.Filename))
}

// scripts reads the scripts of all folders. It skips the test where there are
// none.
func scripts(t *testing.T) []*script {
	t.Helper()
	root := os.Getenv("MINISPIN_WAST")
	if root == "" {
		root = filepath.Join(moduleRoot(t), "..", "shared", "wast")
	}
	root = filepath.Join(root, "json")
	if _, err := os.Stat(root); err != nil {
		t.Skip("the component model's test scripts are not here; MINISPIN_WAST names their folder")
	}
	var all []*script
	for _, folder := range folders {
		lists, err := filepath.Glob(filepath.Join(root, folder+"-*", "*.json"))
		if err != nil || len(lists) == 0 {
			t.Fatalf("no scripts of %s: %v", folder, err)
		}
		for _, list := range lists {
			data, err := os.ReadFile(list)
			if err != nil {
				t.Fatal(err)
			}
			s := &script{
				name: folder + "/" + strings.TrimPrefix(filepath.Base(filepath.Dir(list)), folder+"-"),
				dir:  filepath.Dir(list),
			}
			if err := json.Unmarshal(data, s); err != nil {
				t.Fatalf("%s: %v", list, err)
			}
			if len(s.Commands) == 0 {
				t.Errorf("%s: no commands", s.name)
			}
			all = append(all, s)
		}
	}
	return all
}

// moduleRoot is the folder of go.mod above the test's own.
func moduleRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("the test is not inside of a module")
		}
		dir = up
	}
}
