package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"

	"github.com/minispin/minispin/instancepool"
	"github.com/minispin/minispin/manifest"
	"github.com/minispin/minispin/trigger/http/app"
	"github.com/minispin/minispin/trigger/http/stage"
	"github.com/minispin/minispin/variables"
)

// doctorCommand is minispin doctor.
type doctorCommand struct {
	Manifest string `arg:"" optional:"" help:"The application: a manifest, or a directory with a spin.toml. Without it, spin.toml is looked for here and in the directories above."`
	From     string `short:"f" aliases:"from-file,file" placeholder:"PATH" help:"The application, named by a flag."`
	Profile  string `placeholder:"NAME" help:"Look at the application with this profile."`
	variableFlags
}

// Help is shown by minispin doctor --help.
func (*doctorCommand) Help() string {
	return `It looks for what keeps an application from being built or run: mistakes in the
manifest, what it asks for and is not to be had here, components that are not
built, files of components that are missing, programs and targets of Rust that
their build commands need, variables without a value. For each it says what to
do.

Nothing is changed, and no component is loaded.`
}

// AfterApply is called by kong when everything is parsed.
func (c *doctorCommand) AfterApply() error {
	return namedOnce(c.Manifest, c.From)
}

// Run prints what it finds. It fails if there is anything.
func (c *doctorCommand) Run(p *process) error {
	path, err := findManifest(c.Manifest, c.From)
	if err != nil {
		return err
	}
	// Read as if to be built, the manifest tells of mistakes other than missing
	// components, which are looked for below in all components at once.
	m, err := manifest.Load(path, manifest.Options{
		Purpose: manifest.ToBuild, Profile: c.Profile, Strategies: instancepool.Names(), Supports: app.Supports,
	})
	if err != nil {
		return err
	}
	config, err := c.runtimeConfig()
	if err != nil {
		return err
	}
	providers, err := c.providers(m.Dir, config.Providers...)
	if err != nil {
		return err
	}
	printWarnings(p.stderr.Safe(), m)
	found := diagnose(m, providers)
	if len(found) == 0 {
		fmt.Fprintf(p.stdout, "%s: nothing found that would keep it from running\n", path)
		return nil
	}
	return errors.Join(found...)
}

// diagnose returns what is wrong with m and its surroundings.
func diagnose(m *manifest.App, providers []variables.Provider) []error {
	var found []error
	if len(m.Triggers) == 0 {
		found = append(found, errors.New("no HTTP trigger: there is nothing to run\n  > add one:\n  > [[trigger.http]]\n  > route = \"/...\"\n  > component = \"<id>\""))
	}
	for _, u := range m.Unsupported {
		found = append(found, errors.New(u.String()))
	}
	missing := map[string]bool{} // programs already reported
	for _, c := range m.Used() {
		if d, ok := missingSource(m, c); ok {
			found = append(found, errors.New(d.String()))
		}
		if c.Build == nil {
			continue
		}
		for _, command := range c.Build.Commands {
			program := programOf(command)
			if program == "" || missing[program] {
				continue
			}
			if _, err := exec.LookPath(program); errors.Is(err, exec.ErrNotFound) {
				missing[program] = true
				d := c.Diagnose(fmt.Sprintf("the build command needs %s, which is not installed", program), toolchains[program], "build", "command")
				found = append(found, errors.New(d.String()))
				continue
			}
			if program == "cargo" {
				if d, ok := missingRustTarget(m, c, command); ok {
					found = append(found, errors.New(d.String()))
				}
			}
		}
	}
	if _, err := stage.Check(context.Background(), m, m.Used(), stage.Options{}); err != nil {
		found = append(found, fileProblems(err)...)
	}
	var declared []variables.Variable
	for _, v := range m.Variables {
		declared = append(declared, variables.Variable{Name: v.Name, Default: v.Default, Secret: v.Secret})
	}
	if err := variables.NewResolver(declared, providers...).Check(context.Background()); err != nil {
		found = append(found, err)
	}
	return found
}

// fileProblems takes apart what is wrong with the files of components.
func fileProblems(err error) []error {
	e, ok := errors.AsType[*manifest.Error](err)
	if !ok {
		return []error{err}
	}
	var all []error
	for _, d := range e.Diagnostics {
		all = append(all, errors.New(d.String()))
	}
	return all
}

// missingSource reports a component whose file is not there.
func missingSource(m *manifest.App, c *manifest.Component) (manifest.Diagnostic, bool) {
	if c.Source.Path == "" {
		return manifest.Diagnostic{}, false
	}
	_, err := os.Stat(m.Resolve(c.Source.Path))
	if !errors.Is(err, fs.ErrNotExist) {
		return manifest.Diagnostic{}, false
	}
	hint := "say how it is built:\n[component." + c.ID + ".build]\ncommand = \"…\""
	if c.Build != nil {
		hint = "build it by: minispin build -c " + c.ID
	}
	return c.Diagnose(fmt.Sprintf("source %q does not exist", c.Source.Path), hint, "source"), true
}

// toolchains says where programs come from that components are built with.
var toolchains = map[string]string{
	"cargo":           "install Rust by rustup, and then: rustup target add wasm32-wasip1 wasm32-wasip2",
	"rustup":          "install Rust by rustup",
	"go":              "install Go, which makes WAGI programs with GOOS=wasip1 GOARCH=wasm",
	"tinygo":          "install TinyGo",
	"npm":             "install Node.js",
	"npx":             "install Node.js",
	"componentize-py": "install it by: pip install componentize-py",
	"clang":           "install clang with the wasi-sdk",
	"zig":             "install Zig, or name another C compiler in the build command, as in: /opt/wasi-sdk/bin/clang",
}

// programOf returns the program that a shell command runs first, "" if that is
// not clear: a path, or what only the shell understands.
func programOf(command string) string {
	for word := range strings.FieldsSeq(command) {
		if strings.ContainsAny(word, "$`'\"\\/();&|<>*?~{}[]!") {
			return ""
		}
		if strings.Contains(word, "=") {
			continue // an environment variable for the command
		}
		if builtins[word] {
			return ""
		}
		return word
	}
	return ""
}

// builtins are commands of the shell itself that builds begin with.
var builtins = map[string]bool{
	"cd": true, "echo": true, "exit": true, "export": true, "set": true, "test": true, "true": true, "false": true,
	"if": true, "for": true, "while": true, ":": true, ".": true, "eval": true, "exec": true, "copy": true, "mkdir": true,
}
