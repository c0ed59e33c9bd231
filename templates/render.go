package templates

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"text/template"

	"github.com/minispin/minispin/manifest"
)

//go:embed files
var files embed.FS

// A Project says what is to be made of a template.
type Project struct {
	Name string // free text
	ID   string // of the component: see [ComponentID]
	// Dir is where the component's files are, relative to the manifest, with "/"
	// between names; empty if they are beside it.
	Dir string
	// Values are those of the template's parameters; what is missing gets its
	// default.
	Values map[string]string
}

// A File is one that a template makes.
type File struct {
	Path string // relative to the manifest, with "/" between names
	Data []byte
	// Sample files are for those who have none: what is there already stays.
	Sample bool
}

// GitIgnore is the name of the file that lists what a version control system
// should leave alone.
const GitIgnore = ".gitignore"

// Application returns the files of a new application, its manifest first.
func (t *Template) Application(p Project) ([]File, error) {
	v, err := t.view(p)
	if err != nil {
		return nil, err
	}
	v.Description = v.values["project-description"]
	text, err := v.render("application.toml")
	if err != nil {
		return nil, err
	}
	made := []File{{Path: manifest.FileName}}
	if !t.bare {
		fragment, err := v.render(t.ID + "/component.toml")
		if err != nil {
			return nil, err
		}
		text += "\n" + fragment
		content, err := t.beside(v)
		if err != nil {
			return nil, err
		}
		made = append(made, content...)
	}
	made[0].Data = []byte(text)
	return append(made, ignore(p.Dir, append([]string{".spin/"}, t.ignored...))), nil
}

// Component returns what to append to the manifest of an application for a new
// component, and the component's files.
func (t *Template) Component(p Project) (fragment string, made []File, err error) {
	if t.bare {
		return "", nil, fmt.Errorf("template %s makes an application, and has nothing to add to one", t.ID)
	}
	v, err := t.view(p)
	if err != nil {
		return "", nil, err
	}
	v.ComponentDescription = v.values["project-description"]
	if fragment, err = v.render(t.ID + "/component.toml"); err != nil {
		return "", nil, err
	}
	if made, err = t.beside(v); err != nil {
		return "", nil, err
	}
	if len(t.ignored) > 0 {
		made = append(made, ignore(p.Dir, t.ignored))
	}
	return fragment, made, nil
}

func ignore(dir string, lines []string) File {
	return File{Path: path.Join(dir, GitIgnore), Data: []byte(strings.Join(lines, "\n") + "\n"), Sample: true}
}

// view is what the texts of a template see of a project.
type view struct {
	Project
	Description          string // of the application
	ComponentDescription string
	Crate                string // the id as Rust names its output

	values map[string]string
}

func (t *Template) view(p Project) (*view, error) {
	if err := manifest.CheckID(p.ID); err != nil {
		return nil, fmt.Errorf("id %q: it %w", p.ID, err)
	}
	if err := t.Check(p.Values); err != nil {
		return nil, err
	}
	v := &view{Project: p, Crate: strings.ReplaceAll(p.ID, "-", "_"), values: map[string]string{}}
	for i := range t.Parameters {
		q := &t.Parameters[i]
		value, ok := p.Values[q.Name]
		if !ok {
			value = q.Default
		}
		if value == "" && !q.Optional {
			return nil, fmt.Errorf("template %s needs a value for %s", t.ID, q.Name)
		}
		v.values[q.Name] = value
	}
	return v, nil
}

// beside returns the files beside the manifest.
func (t *Template) beside(v *view) ([]File, error) {
	made, err := t.content(v)
	if err != nil || t.extra == nil {
		return made, err
	}
	extra, err := t.extra(v)
	for _, f := range extra {
		f.Path = path.Join(v.Dir, f.Path)
		made = append(made, f)
	}
	return made, err
}

// content returns those that are rendered.
func (t *Template) content(v *view) ([]File, error) {
	var made []File
	root := "files/" + t.ID + "/content"
	err := fs.WalkDir(files, root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			if name == root {
				return fs.SkipAll // it has none
			}
			return err
		}
		if d.IsDir() {
			return nil
		}
		text, err := v.render(strings.TrimPrefix(name, "files/"))
		if err != nil {
			return err
		}
		within := strings.TrimSuffix(strings.TrimPrefix(name, root+"/"), ".tmpl")
		made = append(made, File{Path: path.Join(v.Dir, within), Data: []byte(text)})
		return nil
	})
	return made, err
}

// render returns the text of one of the files.
func (v *view) render(name string) (string, error) {
	source, err := files.ReadFile("files/" + name)
	if err != nil {
		return "", fmt.Errorf("template %s: %w", name, err)
	}
	t, err := template.New(name).Funcs(template.FuncMap{
		"toml":  quoteTOML,
		"json":  quoteJSON,
		"path":  func(elem ...string) string { return path.Join(append([]string{v.Dir}, elem...)...) },
		"value": v.value,
	}).Parse(string(source))
	if err != nil {
		return "", fmt.Errorf("template %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, v); err != nil {
		return "", fmt.Errorf("template %w", err)
	}
	return b.String(), nil
}

func (v *view) value(name string) (string, error) {
	value, ok := v.values[name]
	if !ok {
		return "", fmt.Errorf("no parameter %q", name)
	}
	return value, nil
}

// quoteTOML writes s as a basic string of TOML (TOML 1.0.0, section String).
func quoteTOML(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteRune(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c < ' ' || c == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, c)
		default:
			b.WriteRune(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func quoteJSON(s string) (string, error) {
	b, err := json.Marshal(s)
	return string(b), err
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
