package templates

import (
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"

	"github.com/minispin/minispin/manifest"
)

// values gives each parameter of t a value that needs quoting where it can.
func values(t *Template) map[string]string {
	v := map[string]string{}
	for _, p := range t.Parameters {
		switch p.Name {
		case "project-description":
			v[p.Name] = "a \"quoted\" \\ text,\nof two\tlines"
		case "c-compiler":
			v[p.Name] = `"C:\tools\zig" cc`
		case "files-path":
			v[p.Name] = "public/all the files"
		case "redirect-to":
			v[p.Name] = `/a"b`
		}
	}
	return v
}

func parse(t *testing.T, text string) *manifest.App {
	t.Helper()
	app, err := manifest.Parse([]byte(text), manifest.FileName, "", manifest.Options{Purpose: manifest.ToBuild})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return app
}

func TestApplication(t *testing.T) {
	if !slices.IsSortedFunc(catalogue, func(a, b *Template) int { return strings.Compare(a.ID, b.ID) }) {
		t.Error("the catalogue is not sorted")
	}
	for _, template := range All() {
		t.Run(template.ID, func(t *testing.T) {
			v := values(template)
			files, err := template.Application(Project{Name: `My "app"`, ID: "my-app", Values: v})
			if err != nil {
				t.Fatal(err)
			}
			if files[0].Path != manifest.FileName {
				t.Errorf("the first file is %s", files[0].Path)
			}
			app := parse(t, string(files[0].Data))
			if app.Name != `My "app"` || app.Description != v["project-description"] || len(app.Warnings) > 0 && !slices.Contains(template.Tags, "wagi") {
				t.Errorf("name %q, description %q, warnings %v", app.Name, app.Description, app.Warnings)
			}
			checkFiles(t, files)
			if template.Bare() {
				return
			}
			if len(app.Triggers) != 1 {
				t.Fatalf("%d triggers", len(app.Triggers))
			}
			checkComponent(t, template, app, "")
		})
	}
}

func checkComponent(t *testing.T, template *Template, app *manifest.App, dir string) {
	t.Helper()
	c := app.Component("my-app")
	if (c != nil) == (template.ID == "redirect") {
		t.Fatalf("components %v", app.Components)
	}
	if c == nil {
		return
	}
	if !strings.HasPrefix(c.Source.Path, dir) {
		t.Errorf("the source is %s", c.Source.Path)
	}
	if (c.Build != nil) != template.Builds {
		t.Errorf("the build is %v", c.Build)
	}
	if c.Build != nil && c.Build.Workdir != strings.TrimSuffix(dir, "/") {
		t.Errorf("it is built in %q", c.Build.Workdir)
	}
	if template.ID == "http-c" && !strings.HasPrefix(c.Build.Commands[0], `"C:\tools\zig" cc -`) {
		t.Errorf("it is built by %s", c.Build.Commands[0])
	}
}

// checkFiles checks what can be checked of sources without their toolchains.
func checkFiles(t *testing.T, files []File) {
	t.Helper()
	for _, f := range files {
		text := string(f.Data)
		if strings.HasSuffix(f.Path, ".wasm") {
			continue
		}
		if strings.Contains(text, "{{") || strings.Contains(text, "<no value>") || strings.HasSuffix(f.Path, ".tmpl") {
			t.Errorf("%s is not rendered:\n%s", f.Path, text)
		}
		if !strings.HasSuffix(text, "\n") || strings.HasSuffix(text, "\n\n") {
			t.Errorf("%s does not end with one line end", f.Path)
		}
		switch {
		case strings.HasSuffix(f.Path, ".json"):
			if !json.Valid(f.Data) {
				t.Errorf("%s is no JSON:\n%s", f.Path, text)
			}
		case strings.HasSuffix(f.Path, ".go"):
			if _, err := parser.ParseFile(token.NewFileSet(), f.Path, f.Data, 0); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestComponent(t *testing.T) {
	const text = "spin_manifest_version = 2\n[application]\nname = \"app\"\n[component.first] # stays\nsource = \"first.wasm\""
	app := parse(t, text)
	for _, template := range All() {
		t.Run(template.ID, func(t *testing.T) {
			v := values(template)
			fragment, files, err := template.Component(Project{Name: "my_app", ID: "my-app", Dir: "sub/my_app", Values: v})
			if template.Bare() {
				if err == nil {
					t.Error("it can be added")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			changed, err := Append(app, manifest.FileName, text, fragment)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(changed, text+"\n\n[[trigger.http]]\n") {
				t.Errorf("the manifest is not continued:\n%s", changed)
			}
			after := parse(t, changed)
			checkComponent(t, template, after, "sub/my_app/")
			if c := after.Component("my-app"); c != nil && template.Parameter("project-description") != nil {
				found, err := json.Marshal(c)
				if err != nil || !strings.Contains(string(found), `of two\tlines`) {
					t.Errorf("the description is lost: %s", found)
				}
			}
			checkFiles(t, files)
			for _, f := range files {
				if !strings.HasPrefix(f.Path, "sub/my_app/") {
					t.Errorf("%s is outside of the component's directory", f.Path)
				}
			}
		})
	}
}

func TestAppendKeepsLineEnds(t *testing.T) {
	const text = "spin_manifest_version = 2\r\n[application]\r\nname = \"app\"\r\n"
	template, err := Find("redirect")
	if err != nil {
		t.Fatal(err)
	}
	fragment, _, err := template.Component(Project{ID: "away", Values: map[string]string{"redirect-to": "/"}})
	if err != nil {
		t.Fatal(err)
	}
	changed, err := Append(parse(t, text), manifest.FileName, text, fragment)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(changed, "\n") != strings.Count(changed, "\r\n") {
		t.Errorf("the line ends differ: %q", changed)
	}
}

func TestAppendRefuses(t *testing.T) {
	for _, test := range []struct{ name, tables string }{
		{"inline triggers", "trigger = { http = [] }"},
		{"inline list", "[trigger]\nhttp = []"},
		{"inline components", "component = {}"},
		{"quoted", "\"component\" = { a = { source = 'a.wasm' } }"},
		{"same component", "[component.my-app]\nsource = \"a.wasm\""},
	} {
		text := "spin_manifest_version = 2\napplication.name = \"app\"\n" + test.tables + "\n"
		template, err := Find("http-c")
		if err != nil {
			t.Fatal(err)
		}
		fragment, _, err := template.Component(Project{ID: "my-app"})
		if err != nil {
			t.Fatal(err)
		}
		if changed, err := Append(parse(t, text), manifest.FileName, text, fragment); err == nil {
			t.Errorf("%s: appended:\n%s", test.name, changed)
		}
	}
}

func TestComponentID(t *testing.T) {
	for _, test := range []struct{ name, want, err string }{
		{"hello", "hello", ""},
		{"My_App", "my-app", ""},
		{"a1-b2", "a1-b2", ""},
		{"", "", "must not be empty"},
		{"my app", "", "try my-app"},
		{"a-2", "", "try a2"},
		{"42", "", "starts with a digit"},
		{"--", "", "a word on either side"},
		{"été", "", "try t"},
		{"../up", "", "try up"},
		{`a"]` + "\n[x", "", "try a-x"},
	} {
		got, err := ComponentID(test.name)
		if got != test.want || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("ComponentID(%q) = %q, %v; want %q, %q", test.name, got, err, test.want, test.err)
		}
	}
}

func TestCheck(t *testing.T) {
	for _, test := range []struct{ template, name, value, want string }{
		{"http-c", "http-path", "/a/:b/...", ""},
		{"http-c", "http-path", "a", "begins with"},
		{"http-c", "http-path", "/a\n", "one line"},
		{"http-c", "http-path", "/.../a", "at the end only"},
		{"http-c", "http-path", "/*/a", "wildcard"},
		{"http-c", "http-path", "", "begins with"},
		{"http-c", "project-description", "", ""},
		{"http-c", "c-compiler", " ", "must not be empty"},
		{"http-c", "c-compiler", "cc\nrm", "one line"},
		{"http-c", "compiler", "cc", "it has: project-description, http-path, c-compiler"},
		{"static-fileserver", "files-path", "a/b c", ""},
		{"static-fileserver", "files-path", "/a", "below"},
		{"static-fileserver", "files-path", "../a", "below"},
		{"static-fileserver", "files-path", ".", "below"},
		{"static-fileserver", "files-path", "a/../..", "below"},
		{"static-fileserver", "files-path", "a*", "directory's name"},
		{"static-fileserver", "files-path", `C:\a`, "directory's name"},
		{"redirect", "redirect-to", "https://example.com/a?b=c#d", ""},
		{"redirect", "redirect-to", "/a", ""},
		{"redirect", "redirect-to", "ftp://example.com/", "must be a URL"},
		{"redirect", "redirect-to", "https://", "must be a URL"},
		{"redirect", "redirect-to", "/a b", "spaces"},
		{"redirect", "redirect-to", "/a\r\nset-cookie: b", "one line"},
	} {
		template, err := Find(test.template)
		if err != nil {
			t.Fatal(err)
		}
		err = template.Check(map[string]string{test.name: test.value})
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %s = %q: %v, want %q", test.template, test.name, test.value, err, test.want)
		}
		if _, _, err := template.Component(Project{ID: "a", Values: map[string]string{test.name: test.value}}); test.want != "" && err == nil {
			t.Errorf("%s: made with %s = %q", test.template, test.name, test.value)
		}
	}
	template, _ := Find("redirect")
	if _, err := template.Application(Project{ID: "a"}); err == nil || !strings.Contains(err.Error(), "needs a value for redirect-to") {
		t.Errorf("made without a value: %v", err)
	}
	var wrong *ValueError
	if err := template.Check(map[string]string{"redirect-to": "x"}); !errors.As(err, &wrong) || wrong.Parameter.Name != "redirect-to" {
		t.Errorf("the error is %v", err)
	}
}

func TestFreeRoute(t *testing.T) {
	app := parse(t, `spin_manifest_version = 2
application.name = "app"
trigger.http = [
  { route = "/...", component = "a" },
  { route = "/b", component = "a" },
  { route = "/id/*", component = "a" },
  { route = "/x/:y", static_response = {} },
  { route = { private = true }, component = "a" },
]
component.a.source = "a.wasm"
`)
	for _, test := range []struct{ wanted, want string }{
		{"/", "/"},
		{"/...", "/id-2/..."},
		{"/b", "/id-2/..."},
		{"/b/", "/id-2/..."},
		{"/b/...", "/b/..."},
		{"/x/:z", "/id-2/..."},
		{"/x/z", "/x/z"},
	} {
		if got := FreeRoute(app, test.wanted, "id"); got != test.want {
			t.Errorf("FreeRoute(%q) = %q, want %q", test.wanted, got, test.want)
		}
	}
	if by, _ := Taken(app, "/b"); by != "component a" {
		t.Errorf("taken by %s", by)
	}
	if by, _ := Taken(app, "/x/:y"); !strings.HasPrefix(by, "trigger ") {
		t.Errorf("taken by %s", by)
	}
}
