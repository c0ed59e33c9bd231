package templates

import (
	"fmt"
	"slices"
	"strings"
)

// A Template says how something is made.
type Template struct {
	ID          string
	Description string
	Tags        []string // for searching
	// Parameters are what it asks for, in the order of asking.
	Parameters []Parameter
	// Needs says what has to be there to build it, as commands or in words; empty
	// if it needs nothing.
	Needs []string
	// Builds says whether what it makes has a build command.
	Builds bool

	ignored []string // lines of .gitignore
	bare    bool     // it adds nothing to an application
	// extra returns files besides those rendered, relative to the component's
	// directory.
	extra func(*view) ([]File, error)
}

// Bare reports whether the template makes an application without anything in
// it, which cannot be added to another.
func (t *Template) Bare() bool { return t.bare }

// HasTag reports whether the template has all the tags.
func (t *Template) HasTag(tags ...string) bool {
	return !slices.ContainsFunc(tags, func(tag string) bool { return !slices.Contains(t.Tags, tag) })
}

// Parameter returns the parameter with the given name, or nil.
func (t *Template) Parameter(name string) *Parameter {
	for i := range t.Parameters {
		if t.Parameters[i].Name == name {
			return &t.Parameters[i]
		}
	}
	return nil
}

var (
	description = Parameter{Name: "project-description", Prompt: "Description", Optional: true}
	httpPath    = Parameter{Name: RouteParameter, Prompt: "HTTP path", Default: "/...", Check: checkRoute}
)

// catalogue is sorted by id.
var catalogue = []*Template{
	{
		ID:          "http-c",
		Description: "HTTP requests in C, by the WAGI executor",
		Tags:        []string{"http", "c", "wagi"},
		Parameters: []Parameter{description, httpPath, {
			Name: "c-compiler", Prompt: "C compiler for WASI", Default: "zig cc -target wasm32-wasi", Check: checkLine,
		}},
		Needs:   []string{"Zig, or another compiler: --value c-compiler=/opt/wasi-sdk/bin/clang"},
		Builds:  true,
		ignored: []string{"main.wasm"},
	},
	{
		ID:          "http-empty",
		Description: "an application without components",
		Tags:        []string{"http"},
		Parameters:  []Parameter{description},
		bare:        true,
	},
	{
		ID:          "http-go",
		Description: "HTTP requests in Go, by the WAGI executor",
		Tags:        []string{"http", "go", "wagi"},
		Parameters:  []Parameter{description, httpPath},
		Needs:       []string{"Go 1.24 or later"},
		Builds:      true,
		ignored:     []string{"main.wasm"},
	},
	{
		ID:          "http-js",
		Description: "HTTP requests in JavaScript",
		Tags:        []string{"http", "js", "javascript"},
		Parameters:  []Parameter{description, httpPath},
		Needs:       []string{"Node.js 20 or later, with npm"},
		Builds:      true,
		ignored:     []string{"node_modules/", "build/"},
	},
	{
		ID:          "http-py",
		Description: "HTTP requests in Python",
		Tags:        []string{"http", "py", "python"},
		Parameters:  []Parameter{description, httpPath},
		Needs: []string{
			"Python 3.10 or later, and an environment with what requirements.txt lists:",
			"python3 -m venv .venv && . .venv/bin/activate && pip install -r requirements.txt",
		},
		Builds:  true,
		ignored: []string{"__pycache__/", ".venv/", "app.wasm"},
	},
	{
		ID:          "http-rust",
		Description: "HTTP requests in Rust",
		Tags:        []string{"http", "rust"},
		Parameters:  []Parameter{description, httpPath},
		Needs:       []string{"Rust, with: rustup target add wasm32-wasip1"},
		Builds:      true,
		ignored:     []string{"target/"},
	},
	{
		ID:          "http-ts",
		Description: "HTTP requests in TypeScript",
		Tags:        []string{"http", "ts", "typescript"},
		Parameters:  []Parameter{description, httpPath},
		Needs:       []string{"Node.js 20 or later, with npm"},
		Builds:      true,
		ignored:     []string{"node_modules/", "build/"},
	},
	{
		ID:          "redirect",
		Description: "a redirect from one route to a URL",
		Tags:        []string{"http", "redirect"},
		Parameters: []Parameter{
			{Name: "redirect-from", Prompt: "Redirect from this path", Default: "/", Check: checkRoute},
			{Name: "redirect-to", Prompt: "Redirect to this URL or path", Check: checkLocation},
		},
	},
	{
		ID:          "static-fileserver",
		Description: "a server of files",
		Tags:        []string{"http", "static", "files"},
		Parameters: []Parameter{description, httpPath, {
			Name: "files-path", Prompt: "Directory of the files", Default: "assets", Check: checkFolder,
		}},
		extra: fileServer,
	},
}

// All returns the templates, sorted by id.
func All() []*Template { return slices.Clone(catalogue) }

// Find returns the template with the given id. The error says which there are.
func Find(id string) (*Template, error) {
	var known []string
	for _, t := range catalogue {
		if t.ID == id {
			return t, nil
		}
		known = append(known, t.ID)
	}
	return nil, fmt.Errorf("there is no template %q; there are: %s", id, strings.Join(known, ", "))
}
