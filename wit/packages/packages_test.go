package packages_test

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/minispin/minispin/wit"
	"github.com/minispin/minispin/wit/packages"
)

func load(t *testing.T) *wit.Set {
	t.Helper()
	set, err := wit.LoadFS(packages.Files)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// Each file says itself which package it is of, in its first line, and stands
// in the folder of that name.
func TestFilesBeginWithTheirPackage(t *testing.T) {
	err := fs.WalkDir(packages.Files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(packages.Files, name)
		if err != nil {
			return err
		}
		first, _, _ := strings.Cut(string(text), "\n")
		first = strings.TrimSuffix(first, "\r") // a checkout on Windows may add it
		id := strings.TrimSuffix(strings.TrimPrefix(first, "package "), ";")
		if first != "package "+id+";" {
			t.Errorf("%s: first line %q is no package line", name, first)
			return nil
		}
		full := strings.Replace(id, ":", "/", 1)
		bare, _, _ := strings.Cut(full, "@")
		if dir := path.Dir(name); dir != full && dir != bare {
			t.Errorf("%s: holds package %s", name, id)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The first table of README.md and the folders list the same packages.
func TestReadmeListsPackages(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\| `([a-z:]+)` \\| (\\S+) \\| `(\\S+)` \\|")
	var listed []string
	for _, m := range row.FindAllStringSubmatch(string(readme), -1) {
		id := m[1]
		if m[2] != "none" {
			id += "@" + m[2]
		}
		listed = append(listed, id)
		if _, err := fs.ReadDir(packages.Files, m[3]); err != nil {
			t.Errorf("README.md gives a folder for %s that is not there: %v", id, err)
		}
	}
	var there []string
	for _, p := range load(t).Packages {
		there = append(there, p.ID())
	}
	slices.Sort(listed)
	slices.Sort(there)
	if !slices.Equal(listed, there) {
		t.Errorf("README.md lists\n%q\nthe folders hold\n%q", listed, there)
	}
}

// The worlds are what tools build guests for; these are the ids that triggers
// and the host look for.
func TestWorlds(t *testing.T) {
	set := load(t)
	names := func(items []*wit.WorldItem) (names []string) {
		for _, item := range items {
			names = append(names, item.Name)
		}
		slices.Sort(names)
		return names
	}
	for _, tt := range []struct {
		world            string
		imports, exports []string
	}{
		{
			"fermyon:spin/http-trigger",
			[]string{
				"fermyon:spin/config", "fermyon:spin/http", "fermyon:spin/key-value", "fermyon:spin/llm",
				"fermyon:spin/mysql", "fermyon:spin/postgres", "fermyon:spin/redis", "fermyon:spin/sqlite",
			},
			[]string{"fermyon:spin/inbound-http"},
		},
		{
			"wasi:http/proxy@0.2.12",
			[]string{
				"wasi:cli/stderr@0.2.12", "wasi:cli/stdin@0.2.12", "wasi:cli/stdout@0.2.12",
				"wasi:clocks/monotonic-clock@0.2.12", "wasi:clocks/wall-clock@0.2.12",
				"wasi:http/outgoing-handler@0.2.12", "wasi:random/random@0.2.12",
			},
			[]string{"wasi:http/incoming-handler@0.2.12"},
		},
		{
			"wasi:keyvalue/imports@0.2.0-draft2",
			[]string{
				"wasi:keyvalue/atomics@0.2.0-draft2", "wasi:keyvalue/batch@0.2.0-draft2",
				"wasi:keyvalue/store@0.2.0-draft2",
			},
			nil,
		},
	} {
		t.Run(tt.world, func(t *testing.T) {
			world := set.World(tt.world)
			if world == nil {
				t.Fatal("no such world")
			}
			imports, exports := world.Items()
			if got := names(imports); !slices.Equal(got, tt.imports) {
				t.Errorf("imports\n%q\nwant\n%q", got, tt.imports)
			}
			if got := names(exports); !slices.Equal(got, tt.exports) {
				t.Errorf("exports\n%q\nwant\n%q", got, tt.exports)
			}
		})
	}
}

// Cases travel by number, so their places are part of the contract. These are
// the places guests of every release were built with.
func TestCaseNumbers(t *testing.T) {
	set := load(t)
	for _, tt := range []struct {
		iface, typ string
		count      int
		places     map[string]int
	}{
		{"wasi:http/types@0.2.12", "method", 10, map[string]int{
			"get": 0, "post": 2, "delete": 4, "patch": 8, "other": 9,
		}},
		{"wasi:http/types@0.2.12", "error-code", 39, map[string]int{
			"DNS-error": 1, "destination-IP-prohibited": 4, "connection-refused": 6, "connection-timeout": 8,
			"connection-read-timeout": 9, "connection-limit-reached": 11, "TLS-protocol-error": 12,
			"HTTP-request-denied": 15, "HTTP-request-URI-invalid": 19, "HTTP-protocol-error": 35,
			"internal-error": 38,
		}},
		{"wasi:http/types@0.2.12", "header-error", 3, map[string]int{
			"forbidden": 1, "immutable": 2,
		}},
		{"wasi:filesystem/types@0.2.12", "error-code", 37, map[string]int{
			"access": 0, "bad-descriptor": 3, "exist": 7, "is-directory": 14, "no-entry": 20,
			"not-directory": 24, "not-permitted": 31, "read-only": 33, "cross-device": 36,
		}},
		{"wasi:filesystem/types@0.2.12", "descriptor-type", 8, map[string]int{
			"directory": 3, "symbolic-link": 5, "regular-file": 6,
		}},
		{"wasi:filesystem/types@0.2.12", "descriptor-flags", 6, map[string]int{
			"read": 0, "write": 1, "mutate-directory": 5,
		}},
		{"wasi:filesystem/types@0.2.12", "open-flags", 4, map[string]int{
			"create": 0, "directory": 1, "exclusive": 2, "truncate": 3,
		}},
		{"wasi:sockets/network@0.2.12", "error-code", 21, map[string]int{
			"access-denied": 1, "would-block": 8, "invalid-state": 9, "remote-unreachable": 13,
			"connection-refused": 14, "name-unresolvable": 18, "permanent-resolver-failure": 20,
		}},
		{"wasi:io/streams@0.2.12", "stream-error", 2, map[string]int{
			"last-operation-failed": 0, "closed": 1,
		}},
		{"fermyon:spin/http-types", "method", 7, map[string]int{
			"get": 0, "post": 1, "put": 2, "delete": 3, "patch": 4, "head": 5, "options": 6,
		}},
		{"fermyon:spin/http-types", "http-error", 6, map[string]int{
			"success": 0, "destination-not-allowed": 1, "invalid-url": 2, "request-error": 3,
			"runtime-error": 4, "too-many-requests": 5,
		}},
		{"fermyon:spin/rdbms-types", "db-value", 15, map[string]int{
			"int64": 4, "str": 11, "binary": 12, "db-null": 13, "unsupported": 14,
		}},
		{"fermyon:spin/rdbms-types@2.0.0", "parameter-value", 14, map[string]int{
			"int64": 4, "str": 11, "binary": 12, "db-null": 13,
		}},
		{"fermyon:spin/key-value@2.0.0", "error", 4, map[string]int{
			"store-table-full": 0, "no-such-store": 1, "access-denied": 2, "other": 3,
		}},
		{"fermyon:spin/variables@2.0.0", "error", 4, map[string]int{
			"invalid-name": 0, "undefined": 1, "provider": 2, "other": 3,
		}},
		{"spin:postgres/postgres@3.0.0", "db-value", 15, map[string]int{
			"str": 7, "date": 9, "timestamp": 12, "db-null": 13, "unsupported": 14,
		}},
		{"spin:postgres/postgres@4.1.0", "db-data-type", 25, map[string]int{
			"timestamp": 12, "uuid": 13, "range-int32": 16, "array-str": 22, "interval": 23, "other": 24,
		}},
		{"spin:postgres/postgres@4.1.0", "db-value", 26, map[string]int{
			"timestamp": 12, "uuid": 13, "range-int32": 16, "array-str": 22, "interval": 23, "db-null": 24,
			"unsupported": 25,
		}},
		{"spin:sqlite/sqlite@3.0.0", "value", 5, map[string]int{
			"integer": 0, "real": 1, "text": 2, "blob": 3, "null": 4,
		}},
		{"wasi:keyvalue/store@0.2.0-draft2", "error", 3, map[string]int{
			"no-such-store": 0, "access-denied": 1, "other": 2,
		}},
	} {
		t.Run(tt.iface+"/"+tt.typ, func(t *testing.T) {
			names := caseNames(t, set, tt.iface, tt.typ)
			if len(names) != tt.count {
				t.Errorf("got %d cases, want %d", len(names), tt.count)
			}
			for name, want := range tt.places {
				if got := slices.Index(names, name); got != want {
					t.Errorf("%s has place %d, want %d", name, got, want)
				}
			}
		})
	}
}

func caseNames(t *testing.T, set *wit.Set, iface, typ string) (names []string) {
	t.Helper()
	i := set.Interface(iface)
	if i == nil {
		t.Fatal("no such interface")
	}
	for _, def := range i.Types {
		if def.Name != typ {
			continue
		}
		switch body := def.Body.(type) {
		case *wit.Variant:
			for _, c := range body.Cases {
				names = append(names, c.Name)
			}
		case *wit.Enum:
			for _, c := range body.Cases {
				names = append(names, c.Name)
			}
		case *wit.Flags:
			for _, c := range body.Flags {
				names = append(names, c.Name)
			}
		}
	}
	if len(names) == 0 {
		t.Fatal("no such type, or one without cases")
	}
	return names
}

// Whatever a guest's author meets by name is explained: all but fields and
// cases that say it all.
func TestEverythingIsDocumented(t *testing.T) {
	for _, p := range load(t).Packages {
		for _, w := range p.Worlds {
			if w.Docs == "" {
				t.Errorf("%s has no comment", w.ID())
			}
		}
		for _, i := range p.Interfaces {
			if i.Docs == "" {
				t.Errorf("%s has no comment", i.ID())
			}
			funcs := slices.Clone(i.Funcs)
			for _, def := range i.Types {
				if def.Docs == "" {
					t.Errorf("%s.%s has no comment", i.ID(), def.Name)
				}
				if r, ok := def.Body.(*wit.Resource); ok {
					funcs = append(funcs, r.Funcs...)
				}
			}
			for _, f := range funcs {
				if f.Docs == "" {
					t.Errorf("%s.%s has no comment", i.ID(), f.Name)
				}
			}
		}
	}
}
