package main

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/minispin/minispin/manifest"
	"github.com/minispin/minispin/templates"
)

// addCommand is minispin add.
type addCommand struct {
	scaffoldFlags
	From string `short:"f" aliases:"from-file,file" placeholder:"PATH" help:"The application: a manifest, or a directory with a spin.toml. Without it, spin.toml is looked for here and in the directories above."`
}

// Help is shown by minispin add --help.
func (*addCommand) Help() string {
	return `The component gets a directory of its own beside the manifest, or the one
that --output names from there. Its trigger and itself are written at the end of
the manifest, of which nothing else changes:

  minispin add -t http-go greetings --value http-path=/greetings/...

Without a route, it gets the template's or, where that is taken, one that is free.`
}

// Run adds the component.
func (c *addCommand) Run(p *process) error {
	file, err := findManifest("", c.From)
	if err != nil {
		return err
	}
	if info, err := os.Stat(file); err == nil && info.IsDir() {
		file = filepath.Join(file, manifest.FileName)
	}
	text, m, err := readForAdding(file)
	if err != nil {
		return err
	}
	ask := newPrompter(p)
	t, err := c.template(ask, func(t *templates.Template) bool { return !t.Bare() })
	if err != nil {
		return err
	}
	if t.Bare() {
		return &usageError{fmt.Errorf("template %s makes an application, and has nothing to add to one", t.ID)}
	}
	name, id, err := c.name(ask, "")
	if err != nil {
		return err
	}
	if err := unused(m, id); err != nil {
		return err
	}
	dir, err := c.dir(name)
	if err != nil {
		return err
	}
	values, err := c.values(t, ask, freeRoutes(t, m, id))
	if err != nil {
		return err
	}
	if err := checkRoutes(t, m, id, values); err != nil {
		return err
	}
	fragment, files, err := t.Component(templates.Project{Name: name, ID: id, Dir: dir, Values: values})
	if err != nil {
		return err
	}
	changed, err := templates.Append(m, file, text, fragment)
	if err != nil {
		return fmt.Errorf("nothing can be appended to this manifest, where its tables are written in another form:\n%w\n  > write this into it by hand:\n%s", err, indent(fragment))
	}
	at := filepath.Dir(file)
	if files, err = c.writable(at, files); err != nil {
		return err
	}
	if err := writeFiles(at, files); err != nil {
		return err
	}
	if err := replaceFile(file, []byte(changed)); err != nil {
		return fmt.Errorf("writing %s: %w", file, err)
	}
	what := "component " + id
	if !strings.Contains(fragment, "[component.") {
		what = "trigger " + id
	}
	fmt.Fprintf(p.stderr, "Added the %s to %s\n", what, file)
	nextSteps(p.stderr, t, at)
	return nil
}

// readForAdding reads a manifest that something can be added to, as text and as
// what it means.
func readForAdding(file string) (string, *manifest.App, error) {
	m, err := manifest.Load(file, manifest.Options{Purpose: manifest.ToBuild})
	if err != nil {
		return "", nil, err
	}
	switch filepath.Ext(file) {
	case ".wasm", ".wat":
		return "", nil, fmt.Errorf("%s is a component; make an application for it first, by: minispin new", file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", nil, err
	}
	if m.ManifestVersion == 1 {
		return "", nil, fmt.Errorf("%s is of version 1 of the manifest; components can be added to version 2 only", file)
	}
	return string(text), m, nil
}

// unused returns an error if the manifest has something of this id.
func unused(m *manifest.App, id string) error {
	if m.Component(id) != nil {
		return fmt.Errorf("there is a component %s already; give another name", id)
	}
	for i := range m.Triggers {
		if m.Triggers[i].ID == id {
			return fmt.Errorf("there is a trigger %s already; give another name", id)
		}
	}
	return nil
}

// dir returns where the component's files go from the manifest; "" for beside it.
func (c *addCommand) dir(name string) (string, error) {
	if c.Output == "" {
		return name, nil
	}
	dir := path.Clean(filepath.ToSlash(c.Output))
	switch {
	case filepath.IsAbs(c.Output) || !filepath.IsLocal(c.Output):
		return "", &usageError{errors.New("--output: a directory below the manifest's, written from there")}
	case dir == ".":
		return "", nil
	}
	return dir, nil
}

// isRoute says which parameters of templates are routes.
var isRoute = map[string]bool{templates.RouteParameter: true, "redirect-from": true}

// freeRoutes returns the defaults of the parameters that are routes, so that the
// application has none like them.
func freeRoutes(t *templates.Template, m *manifest.App, id string) map[string]string {
	free := map[string]string{}
	for i := range t.Parameters {
		if q := &t.Parameters[i]; isRoute[q.Name] {
			free[q.Name] = templates.FreeRoute(m, q.Default, id)
		}
	}
	return free
}

// checkRoutes returns an error for a route that the application has already.
func checkRoutes(t *templates.Template, m *manifest.App, id string, values map[string]string) error {
	for i := range t.Parameters {
		q := &t.Parameters[i]
		if !isRoute[q.Name] {
			continue
		}
		if by, taken := templates.Taken(m, values[q.Name]); taken {
			return fmt.Errorf("the route %s is taken by %s\n  > this one is free: --value %s=%s", values[q.Name], by, q.Name, templates.FreeRoute(m, q.Default, id))
		}
	}
	return nil
}

// replaceFile puts data into a file all at once: it never has half of it.
func replaceFile(path string, data []byte) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(info.Mode().Perm()), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n    ")
}
