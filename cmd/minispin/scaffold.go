package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/minispin/minispin/templates"
)

// scaffoldFlags are what new and add have in common.
type scaffoldFlags struct {
	Name string `arg:"" optional:"" help:"What it is called. The component's id is made of it: lower-case words of letters and digits, joined by -."`

	Template       string   `short:"t" placeholder:"ID" help:"The template: see minispin templates list."`
	Tag            []string `sep:"none" placeholder:"TAG" help:"Offer templates with this tag only. May be repeated."`
	Output         string   `short:"o" placeholder:"DIR" help:"Where the files go. Default: a directory of the name."`
	Value          []string `short:"v" sep:"none" placeholder:"K=V" help:"The value of one of the template's parameters. May be repeated."`
	ValuesFile     string   `placeholder:"FILE" help:"A TOML file with values of parameters; --value goes over it."`
	AcceptDefaults bool     `short:"a" help:"Take the default of every parameter that has one, and do not ask."`
	NoVCS          bool     `name:"no-vcs" help:"Write no .gitignore."`
	AllowOverwrite bool     `help:"Write over files that are there already."`
}

// given returns the values that were given for parameters by flags.
func (f *scaffoldFlags) given() (map[string]string, error) {
	values := map[string]string{}
	if f.ValuesFile != "" {
		if err := readValues(f.ValuesFile, values); err != nil {
			return nil, fmt.Errorf("--values-file: %w", err)
		}
	}
	for _, pair := range f.Value {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			return nil, &usageError{fmt.Errorf("--value %q: write NAME=VALUE", pair)}
		}
		values[name] = value
	}
	return values, nil
}

// readValues reads the values in a TOML file, all of them strings.
func readValues(path string, values map[string]string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var read map[string]any
	if err := toml.Unmarshal(data, &read); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for name, value := range read {
		text, ok := value.(string)
		if !ok {
			return fmt.Errorf("%s: the value of %s is not a string; write it between quotes", path, name)
		}
		values[name] = text
	}
	return nil
}

// template returns the template to use, from the flag or by asking among those
// that offered accepts.
func (f *scaffoldFlags) template(ask *prompter, offered func(*templates.Template) bool) (*templates.Template, error) {
	if f.Template != "" {
		t, err := templates.Find(f.Template)
		if err != nil {
			return nil, &usageError{fmt.Errorf("--template: %w", err)}
		}
		return t, nil
	}
	var choice []*templates.Template
	var ids []string
	for _, t := range templates.All() {
		if t.HasTag(f.Tag...) && offered(t) {
			choice, ids = append(choice, t), append(ids, t.ID)
		}
	}
	if len(choice) == 0 {
		return nil, &usageError{fmt.Errorf("no template has the tags %s; see minispin templates list", strings.Join(f.Tag, ", "))}
	}
	if ask == nil {
		err := fmt.Errorf("which template? Choose one by --template: %s", strings.Join(ids, ", "))
		if t, findErr := templates.Find(f.Name); findErr == nil {
			err = fmt.Errorf("%w\n  > %s is one of them: write --template %[2]s and a name", err, t.ID)
		}
		return nil, &usageError{err}
	}
	return ask.template(choice)
}

// name returns what the thing is called, and the id that is made of it.
func (f *scaffoldFlags) name(ask *prompter, fallback string) (name, id string, err error) {
	name = f.Name
	if name == "" && f.AcceptDefaults {
		name = fallback
	}
	if name == "" {
		if ask == nil {
			return "", "", &usageError{errors.New("what is it called? Give a name, as in: --template http-rust hello")}
		}
		check := func(s string) error { _, err := templates.ComponentID(s); return err }
		if name, err = ask.text("Name", fallback, false, check); err != nil {
			return "", "", err
		}
	}
	if id, err = templates.ComponentID(name); err != nil {
		return "", "", &usageError{err}
	}
	return name, id, nil
}

// values returns a value for each parameter of t: the given one, an answer, or
// the default, which defaults may replace.
func (f *scaffoldFlags) values(t *templates.Template, ask *prompter, defaults map[string]string) (map[string]string, error) {
	values, err := f.given()
	if err != nil {
		return nil, err
	}
	if err := t.Check(values); err != nil {
		return nil, &usageError{err}
	}
	var missing []string
	for i := range t.Parameters {
		q := &t.Parameters[i]
		if _, ok := values[q.Name]; ok {
			continue
		}
		fallback := cmp.Or(defaults[q.Name], q.Default)
		has := fallback != "" || q.Optional
		switch {
		case has && (f.AcceptDefaults || ask == nil):
			values[q.Name] = fallback
		case ask == nil:
			missing = append(missing, fmt.Sprintf("%s: %s?\n  > give it by: --value %[1]s=…", q.Name, q.Prompt))
		default:
			if values[q.Name], err = ask.text(q.Prompt, fallback, q.Optional, q.Check); err != nil {
				return nil, err
			}
		}
	}
	if len(missing) > 0 {
		return nil, &usageError{fmt.Errorf("template %s needs a value for %s", t.ID, strings.Join(missing, "\nand for "))}
	}
	return values, nil
}

// writable checks that the files can be made in dir, and returns those to write:
// samples of which there is something already are not among them.
func (f *scaffoldFlags) writable(dir string, files []templates.File) ([]templates.File, error) {
	var write []templates.File
	var there []string
	for _, file := range files {
		path := filepath.Join(dir, filepath.FromSlash(file.Path))
		if f.NoVCS && filepath.Base(path) == templates.GitIgnore {
			continue
		}
		if _, err := os.Lstat(path); err == nil && !f.AllowOverwrite {
			if !file.Sample {
				there = append(there, path)
			}
			continue
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		write = append(write, file)
	}
	if len(there) > 0 {
		return nil, fmt.Errorf("there is already: %s\n  > choose another directory by --output, or allow it by --allow-overwrite", strings.Join(there, ", "))
	}
	return write, nil
}

// writeFiles makes the files in dir, with the directories they need.
func writeFiles(dir string, files []templates.File) error {
	for _, file := range files {
		path := filepath.Join(dir, filepath.FromSlash(file.Path))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(path, file.Data, 0o666); err != nil {
			return err
		}
	}
	return nil
}

// nextSteps says how to go on with what t has made, in the directory of the
// manifest, which is dir from here.
func nextSteps(w io.Writer, t *templates.Template, dir string) {
	for i, line := range t.Needs {
		if i == 0 {
			line = "It needs " + line
		}
		fmt.Fprintln(w, line)
	}
	var steps []string
	if dir != "." {
		steps = append(steps, "cd "+shellWord(dir))
	}
	switch {
	case t.Bare():
		steps = append(steps, "minispin add")
	case t.Builds:
		steps = append(steps, "minispin build", "minispin up")
	default: // there is nothing to build
		steps = append(steps, "minispin up")
	}
	fmt.Fprintf(w, "Next: %s\n", strings.Join(steps, " && "))
}

// shellWord writes s as one word of a shell's command.
func shellWord(s string) string {
	if strings.ContainsFunc(s, func(c rune) bool {
		return !strings.ContainsRune("-._/\\:", c) && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')
	}) {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}
