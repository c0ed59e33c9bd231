package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/component/inspect"
	"github.com/minispin/minispin/host"
	"github.com/minispin/minispin/host/denied"
	"github.com/minispin/minispin/manifest"
	"github.com/minispin/minispin/trigger/http/app"
)

// inspectCommand is minispin inspect.
type inspectCommand struct {
	File   string `arg:"" optional:"" help:"A .wasm or .wat file, or a manifest or its directory, of which every component is described. Without it, spin.toml is looked for here and in the directories above."`
	Format string `enum:"text,wit,json" default:"text" placeholder:"FORM" help:"What is printed: text; wit, the WIT text alone with the interfaces written out; or json. Default: text."`
}

// inspected is what there is to say of one component. Nothing of what a manifest
// says of it but its id and file is in here: variables and environment may be
// secret.
type inspected struct {
	ID      string `json:"id,omitempty"` // in the manifest
	File    string `json:"file"`
	Error   string `json:"error,omitempty"` // why there is nothing to say; the rest is empty then
	Links   bool   `json:"links"`           // every import is met
	Handler string `json:"handler,omitempty"`
	*inspect.Report
}

// Run describes the components. It fails when one of them cannot be read, after
// it described the others.
func (c *inspectCommand) Run(p *process) error {
	list, err := c.sources(p)
	if err != nil {
		return err
	}
	x := &inspector{linker: component.NewLinker(), denied: component.NewLinker()}
	if err := errors.Join(host.Define(x.linker), denied.Define(x.denied)); err != nil {
		return err
	}
	if x.engine, err = component.NewEngine(component.EngineConfig{}); err != nil {
		return err
	}
	defer x.engine.Close()
	var errs []error
	for _, s := range list {
		err := s.err
		if err == nil {
			err = x.inspect(s)
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", cmp.Or(s.title(), "component"), err)
			s.Error = err.Error()
			errs = append(errs, err)
		}
	}
	if err := c.print(p.stdout, list); err != nil {
		return err
	}
	return errors.Join(errs...)
}

// source is a component to be described.
type source struct {
	inspected
	err    error           // it cannot even be found
	grants map[string]bool // keys of its manifest that grant something; nil without one

	dependencies []manifest.Dependency
}

// title is what a component is called.
func (s *source) title() string {
	if s.ID != "" {
		return "component " + s.ID
	}
	return s.File
}

// sources finds the components: a file, or those of a manifest.
func (c *inspectCommand) sources(p *process) ([]*source, error) {
	switch strings.ToLower(filepath.Ext(c.File)) {
	case ".wasm", ".wat":
		return []*source{{inspected: inspected{File: c.File}}}, nil
	}
	log, err := newLogger(p.stderr, "warn")
	if err != nil {
		return nil, err
	}
	if b, isWasm := magic(c.File); isWasm {
		return []*source{{inspected: inspected{File: c.File}}}, nil
	} else if b != nil && !strings.EqualFold(filepath.Ext(c.File), ".toml") {
		return nil, fmt.Errorf("%s is neither WebAssembly nor a manifest: it begins with %q; give a .wasm, .wat or .toml file, or a directory with a %s",
			c.File, b, manifest.FileName)
	}
	m, err := (&upCommand{Manifest: c.File}).loadManifest(log)
	if err != nil {
		return nil, err
	}
	printWarnings(p.stderr.Safe(), m)
	var list []*source
	for _, component := range m.Components {
		s := &source{inspected: inspected{ID: component.ID}, dependencies: component.Dependencies, grants: map[string]bool{
			"allowed_outbound_hosts": len(component.AllowedOutboundHosts) > 0,
			"files":                  len(component.Files) > 0,
			"variables":              len(component.Variables) > 0,
		}}
		switch src := component.Source; {
		case src.Path != "":
			s.File = m.Resolve(src.Path)
		case src.URL != "":
			s.err = errors.New("its source is a URL; fetch the file and inspect that")
		default:
			s.err = fmt.Errorf("its source is the package %s of a registry; fetch the file and inspect that", src.Package)
		}
		list = append(list, s)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s has no components", m.Path)
	}
	return list, nil
}

// magic reads how a file begins, nil when it is none, and whether as WebAssembly
// does.
func magic(path string) (begin []byte, wasm bool) {
	f, err := os.Open(path)
	if err != nil {
		return nil, false
	}
	defer f.Close()
	b := make([]byte, 8)
	n, err := io.ReadFull(f, b)
	if n == 0 && err != nil && err != io.EOF {
		return nil, false // a directory
	}
	return b[:n], n >= 4 && string(b[:4]) == "\x00asm"
}

// inspector holds what components are held against.
type inspector struct {
	engine         *component.Engine
	linker, denied *component.Linker
}

// inspect fills in what there is to say.
func (x *inspector) inspect(s *source) error {
	wasm, err := os.ReadFile(s.File)
	if err != nil {
		return err
	}
	if strings.EqualFold(filepath.Ext(s.File), ".wat") {
		if wasm, err = component.FromText(string(wasm)); err != nil {
			return err
		}
	}
	if err := x.engine.Validate(wasm); err != nil {
		return err
	}
	r, err := inspect.Inspect(wasm, inspect.Options{
		Linker: x.linker,
		Composed: func(name string) (string, bool) {
			for _, d := range s.dependencies {
				if selects(d.Name, name) {
					return "the dependency " + d.Name + " of the manifest meets it", true
				}
			}
			return "", false
		},
		Grant: func(iface string) (string, bool) { return x.grant(iface, s.grants) },
	})
	if err != nil {
		return err
	}
	s.Report, s.Links, s.Handler = r, r.Links(), handler(r)
	return nil
}

// grant says of an interface what access to it depends on, and whether every call
// is refused. has holds the keys of the component's manifest that grant something;
// nil when there is no manifest.
func (x *inspector) grant(iface string, has map[string]bool) (note string, refused bool) {
	key := denied.Grant(iface)
	switch {
	case x.denied.Interface(iface) != nil:
		return fmt.Sprintf("calls are refused, as in Spin without the manifest key %s; this host does not grant it yet", key), true
	case key == "" || has[key]:
		return "", false
	case has != nil:
		return fmt.Sprintf("the component's manifest grants nothing: it lacks the key %s", key), true
	}
	return fmt.Sprintf("what it gives access to is for the manifest key %s to say", key), false
}

// selects reports whether the name of a dependency is that of an import, of its
// interface or of its package.
func selects(dependency, name string) bool {
	base, version, _ := strings.Cut(name, "@")
	wantBase, want, versioned := strings.Cut(dependency, "@")
	return (base == wantBase || strings.HasPrefix(base, wantBase+"/")) && (!versioned || want == version)
}

// handler says what requests would go to, "" if there is nothing.
func handler(r *inspect.Report) string {
	for _, name := range r.Exports {
		switch ex, ok := app.ExecutorOf(name); {
		case !ok:
		case ex == manifest.ExecutorWAGI:
			return name + " (a program, for the WAGI executor)"
		default:
			return name
		}
	}
	return ""
}

func (c *inspectCommand) print(w io.Writer, list []*source) error {
	if c.Format == "json" {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(struct {
			Components []*source `json:"components"`
		}{list})
	}
	var b strings.Builder
	for _, s := range list {
		if s.Report == nil {
			continue // the error is printed as all are
		}
		if b.Len() > 0 {
			b.WriteString("\n")
		}
		if c.Format == "wit" {
			if len(list) > 1 {
				fmt.Fprintf(&b, "// %s\n", s.title())
			}
			b.WriteString(s.WIT)
			continue
		}
		s.text(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

var kinds = map[inspect.Kind]string{inspect.KindComponent: "a component", inspect.KindModule: "a core module"}

// text describes a component to a person.
func (s *source) text(b *strings.Builder) {
	fmt.Fprintf(b, "%s: %s of %d bytes\n", s.title(), kinds[s.Kind], s.Size)
	if s.World != "" {
		fmt.Fprintf(b, "\n%s", s.World)
	}
	if len(s.Imports) > 0 {
		b.WriteString("\nImports:\n")
	}
	last := ""
	for i := range s.Imports {
		imp := s.Imports[i]
		if imp.Reason == last {
			imp.Reason = "" // once is enough for those that belong together
		} else {
			last = imp.Reason
		}
		importText(b, &imp)
	}
	b.WriteString("\nCore modules:\n")
	for n, m := range s.Modules {
		fmt.Fprintf(b, "  %d: %d bytes at %#x", n, m.Size, m.Offset)
		if m.Name != "" {
			fmt.Fprintf(b, ", named %q", m.Name)
		}
		if m.Start {
			b.WriteString(", runs code when it is instantiated")
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
	if len(s.Newer) > 0 {
		fmt.Fprintf(b, "Newer forms: %s\n", strings.Join(s.Newer, ", "))
	}
	switch {
	case !s.Links:
		b.WriteString("It cannot run here: not all of its imports are met.\n")
	case s.Handler == "":
		b.WriteString("It links here, but exports no handler that requests could go to.\n")
	default:
		fmt.Fprintf(b, "It links here. Requests go to %s.\n", s.Handler)
	}
	if s.NoReset != "" {
		fmt.Fprintf(b, "Strategy reset: no, %s.\n", s.NoReset)
	} else {
		b.WriteString("Strategy reset: yes, as far as the code shows.\n")
	}
}

func importText(b *strings.Builder, i *inspect.Import) {
	fmt.Fprintf(b, "  %-10s %s", i.Status, i.Name)
	if i.Host != "" {
		fmt.Fprintf(b, ", by %s", i.Host)
	}
	b.WriteString("\n")
	if i.Reason != "" {
		fmt.Fprintf(b, "             %s\n", i.Reason)
	}
	for _, it := range i.Items {
		fmt.Fprintf(b, "             %s: %s\n", it.Name, it.Reason)
		if it.Wants != "" {
			fmt.Fprintf(b, "               component: %s\n               host:      %s\n", it.Wants, it.Has)
		}
	}
}
