package manifest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/BurntSushi/toml"
)

// A Purpose says what an App is read for, and so what must be there already.
type Purpose int

const (
	// ToRun wants the sources of all used components to exist, and at least
	// one trigger.
	ToRun Purpose = iota
	// ToBuild wants neither, as building makes the sources.
	ToBuild
)

// Options adjust how a manifest is read. The zero value reads it to be run by a
// host that supports no optional feature.
type Options struct {
	Purpose Purpose
	// Profile, if not empty, is the profile to apply. At least one component
	// must define it; components that do not stay as they are.
	Profile string
	// Only, if not empty, are the ids of the components to run: of the triggers
	// those stay that lead to one of them, or to one that they may call by service
	// chaining (http://<id>.spin.internal).
	Only []string
	// Strategies are the names a component's strategy setting may have. If
	// nil, any name is accepted.
	Strategies []string
	// Supports are the optional features the host has; uses of others are
	// listed in [App.Unsupported].
	Supports []Feature
}

// maxSize bounds the manifest read, in bytes, so that a path naming something
// else entirely is not read into memory first.
const maxSize = 1 << 20

// Load reads the application at path: a manifest, a directory with a manifest
// named spin.toml, or a single .wasm or .wat file, which becomes an application
// of one component that answers every route. The error is an [*Error] if the
// manifest was read and found wrong.
func Load(path string, opts Options) (*App, error) {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		path = filepath.Join(path, FileName)
		info, err = os.Stat(path)
	}
	if err != nil {
		return nil, fmt.Errorf("loading application: %w", err)
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("loading application %s: %w", path, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("loading application %s: not a regular file", path)
	}
	var app *App
	switch strings.ToLower(filepath.Ext(path)) {
	case ".wasm", ".wat":
		app, err = bare(absolute, opts)
	default:
		app, err = loadManifest(path, filepath.Dir(absolute), opts)
	}
	if err != nil {
		return nil, err
	}
	app.Path = absolute
	return app, nil
}

func loadManifest(path, dir string, opts Options) (*App, error) {
	data, err := readBounded(path)
	if err != nil {
		return nil, fmt.Errorf("loading manifest: %w", err)
	}
	return Parse(data, path, dir, opts)
}

// bare invents the application for the single component file at path. It has
// the ids a manifest with an inline component would get.
func bare(path string, opts Options) (*App, error) {
	if opts.Profile != "" {
		return nil, fmt.Errorf("loading application %s: profile %q: only a manifest has profiles", path, opts.Profile)
	}
	c := &Component{Source: Source{Path: filepath.Base(path)}}
	d := &triggerDraft{typ: "http", http: &HTTPTrigger{Route: Route{Path: "/..."}, Executor: Executor{Type: ExecutorHTTP}}, inline: c}
	fillIDs([]*triggerDraft{d}, nil)
	d.http.ID, d.http.Component = d.id, d.component
	for _, id := range opts.Only {
		if id != c.ID {
			return nil, fmt.Errorf("loading application %s: there is no component %q to run alone; the only one is %s", path, id, c.ID)
		}
	}
	return &App{
		Name:       strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)),
		Triggers:   []HTTPTrigger{*d.http},
		Components: []*Component{c},
		Dir:        filepath.Dir(path),
	}, nil
}

// Parse reads the manifest in data. name is what messages call it, dir the
// directory its relative paths start from. The error is always an [*Error].
// Apart from asking, for [ToRun], whether component sources exist below dir,
// Parse touches no files.
func Parse(data []byte, name, dir string, opts Options) (*App, error) {
	r, root, err := open(data, name)
	if err != nil {
		return nil, err
	}
	r.dir, r.opts = dir, opts
	app := r.app(root)
	if app.Warnings, err = r.finish(); err != nil {
		return nil, err
	}
	app.Dir = dir
	return app, nil
}

// open decodes data and finds the places in it. The error is always an [*Error].
func open(data []byte, name string) (*reader, *table, error) {
	text := strings.TrimPrefix(string(data), "\ufeff")
	r := &reader{src: newSource(name, text)}
	m, err := decode(text)
	if err != nil {
		return nil, nil, &Error{[]Diagnostic{r.syntaxError(err)}}
	}
	return r, &table{value: value{r: r, data: m, at: buildIndex(text)}, m: m}, nil
}

// decode decodes text. The decoder panics on what it holds to be impossible in
// itself; a manifest must not be able to end the process that way.
func decode(text string) (m map[string]any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("decoder failed: %v", p)
		}
	}()
	_, err = toml.Decode(text, &m)
	if m == nil {
		m = map[string]any{}
	}
	return m, err
}

func (r *reader) syntaxError(err error) Diagnostic {
	var syntax toml.ParseError
	if !errors.As(err, &syntax) {
		return Diagnostic{File: r.src.name, Reason: strings.TrimPrefix(err.Error(), "toml: ")}
	}
	// The decoder's column is off by a line for an error right after a line
	// end, so the place is worked out from the offset.
	at := span{syntax.Position.Start, syntax.Position.Start + syntax.Position.Len}
	return r.src.diagnostic(at, syntax.LastKey, "not valid TOML: "+strings.TrimSuffix(syntax.Message, "."), "")
}
