package manifest

import (
	"path/filepath"
	"time"
)

// An App is one application as its manifest describes it, checked and
// normalised: every trigger has an id, and components written inline in a
// trigger stand in Components like all others.
type App struct {
	Name        string   `json:"name"`
	Version     string   `json:"version,omitempty"` // free text
	Description string   `json:"description,omitempty"`
	Authors     []string `json:"authors,omitempty"`
	// Targets are the host environments the application says it runs in. They
	// matter for checks at build time only.
	Targets []Target `json:"targets,omitempty"`
	// Variables are the application's variables in the order of the file.
	Variables []Variable `json:"variables,omitempty"`
	// Triggers are the HTTP triggers, Other those of any other type, each in
	// the order of the file.
	Triggers []HTTPTrigger `json:"triggers,omitempty"`
	Other    []Trigger     `json:"other,omitempty"`
	// Components are all components in the order of the file, whether or not
	// a trigger refers to them, with the inline ones last. See [App.Used].
	Components []*Component `json:"components,omitempty"`
	// Warnings are findings that stop nothing but that the user should see.
	Warnings []Diagnostic `json:"warnings,omitempty"`
	// Unsupported lists what the manifest asks for beyond
	// [Options.Supports]. Components no HTTP trigger refers to are left out,
	// as they are not loaded.
	Unsupported []Unsupported `json:"unsupported,omitempty"`

	// ManifestVersion is the version of the manifest, 1 or 2; 0 without one.
	ManifestVersion int `json:"-"`
	// Dir is the directory relative paths in the manifest start from, and
	// Path the file the App was loaded from; Path is empty if it was not.
	Dir  string `json:"-"`
	Path string `json:"-"`
}

// Component returns the component with the given id, or nil.
func (a *App) Component(id string) *Component {
	for _, c := range a.Components {
		if c.ID == id {
			return c
		}
	}
	return nil
}

// Used returns the components some HTTP trigger refers to, in the order of
// Components. Only these are to be loaded.
func (a *App) Used() []*Component {
	referred := map[string]bool{}
	for _, t := range a.Triggers {
		referred[t.Component] = true
	}
	var used []*Component
	for _, c := range a.Components {
		if referred[c.ID] {
			used = append(used, c)
		}
	}
	return used
}

// Resolve returns where path, as written in the manifest, leads: a relative
// path starts from Dir.
func (a *App) Resolve(path string) string { return resolve(a.Dir, path) }

func resolve(dir, path string) string {
	path = filepath.FromSlash(path)
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// A Target is a host environment: a reference into a catalogue, such as
// spin-up:3.3, or a URL or path of a definition. One field is set.
type Target struct {
	Reference string `json:"reference,omitempty"`
	URL       string `json:"url,omitempty"`
	Path      string `json:"path,omitempty"`
}

// A Variable is an application variable. It is required exactly if it has no
// default.
type Variable struct {
	Name        string  `json:"name"`
	Description string  `json:"description,omitempty"`
	Default     *string `json:"default,omitempty"`
	// Secret marks a value that must not be shown.
	Secret bool `json:"secret,omitempty"`
}

// A Trigger is a trigger of a type other than http, kept so that the caller
// can say that nothing serves it.
type Trigger struct {
	Type      string `json:"type"`
	ID        string `json:"id"`
	Component string `json:"component,omitempty"`

	place value
}

// Diagnose returns a Diagnostic about t, with t's place in the file.
func (t *Trigger) Diagnose(reason, hint string) Diagnostic {
	return diagnose(t.place, reason, hint, nil)
}

// A Component is one component of the application.
type Component struct {
	ID          string `json:"id"`
	Description string `json:"description,omitempty"`
	Source      Source `json:"source"`
	// Variables are the values the component can ask for, by name; they may
	// hold templates such as "{{ user }}".
	Variables map[string]string `json:"variables,omitempty"`
	// Environment holds the environment variables, without templates.
	Environment  map[string]string `json:"environment,omitempty"`
	Files        []File            `json:"files,omitempty"`
	ExcludeFiles []string          `json:"exclude_files,omitempty"` // glob patterns
	// AllowedOutboundHosts may hold templates. What the deprecated
	// allowed_http_hosts allowed follows, translated.
	AllowedOutboundHosts []string `json:"allowed_outbound_hosts,omitempty"`
	KeyValueStores       []string `json:"key_value_stores,omitempty"`
	SQLiteDatabases      []string `json:"sqlite_databases,omitempty"`
	AIModels             []string `json:"ai_models,omitempty"`
	// Targets, if not empty, stand in place of the application's.
	Targets []Target `json:"targets,omitempty"`
	Build   *Build   `json:"build,omitempty"` // nil: nothing to build
	// InheritConfiguration lets all dependencies use all of the component's
	// own configuration.
	InheritConfiguration bool         `json:"dependencies_inherit_configuration,omitempty"`
	Dependencies         []Dependency `json:"dependencies,omitempty"`
	// Profiles are the alternatives [Options.Profile] chooses from. The chosen
	// one is already applied.
	Profiles []Profile `json:"profiles,omitempty"`
	// Settings are minispin's own settings, from the table tool.minispin.
	Settings Settings `json:"settings,omitzero"`

	place        value
	variablesKey string // the key in place that Variables were read from
}

// Diagnose returns a Diagnostic about the value at path within c: strings are
// keys, ints are indices of arrays. It lets whoever checks a value later, such
// as an allowed host, point at it in the file. A path that leads nowhere points
// at what encloses it.
func (c *Component) Diagnose(reason, hint string, path ...any) Diagnostic {
	return diagnose(c.place, reason, hint, path)
}

func diagnose(v value, reason, hint string, path []any) Diagnostic {
	if v.r == nil { // the App was not read from a manifest
		return Diagnostic{Reason: reason, Hint: hint}
	}
	for _, step := range path {
		switch step := step.(type) {
		case string:
			v = v.within(step)
		case int:
			v = v.index(step)
		}
	}
	return v.r.src.diagnostic(v.at.value, v.path, reason, hint)
}

// A Source says where a component's bytes come from. Either Path is set, or
// URL and Digest, or Package and Version.
type Source struct {
	Path string `json:"path,omitempty"` // as written; see [App.Resolve]

	URL    string `json:"url,omitempty"`
	Digest string `json:"digest,omitempty"` // "sha256:" and 64 hexadecimal digits

	Package  string `json:"package,omitempty"` // namespace:name
	Version  string `json:"version,omitempty"` // exact, without the "="
	Registry string `json:"registry,omitempty"`
}

// A File is an entry of a component's files: either a path or glob pattern, or
// a source to be seen by the guest at a destination.
type File struct {
	Pattern     string `json:"pattern,omitempty"`
	Source      string `json:"source,omitempty"`
	Destination string `json:"destination,omitempty"`
}

// A Build says how to make a component's source.
type Build struct {
	Commands []string `json:"commands"`          // run in order, each by the shell
	Workdir  string   `json:"workdir,omitempty"` // relative to App.Dir
	Watch    []string `json:"watch,omitempty"`   // glob patterns relative to Workdir
}

// A Profile replaces parts of a component when it is chosen.
type Profile struct {
	Name         string            `json:"name"`
	Source       Source            `json:"source,omitzero"`
	Environment  map[string]string `json:"environment,omitempty"` // added to the component's
	Dependencies []Dependency      `json:"dependencies,omitempty"`
	Commands     []string          `json:"commands,omitempty"` // build.command
}

// Settings are what a component's table tool.minispin sets. A zero field was
// not set and is the host's to choose.
type Settings struct {
	// Strategy names how instances are made and kept.
	Strategy string `json:"strategy,omitempty"`
	// Deadline is the longest a request may take; in JSON, nanoseconds.
	Deadline time.Duration `json:"deadline,omitempty"`
	// MemoryLimit bounds each linear memory, in bytes.
	MemoryLimit int64 `json:"memory_limit,omitempty"`
	// MaxInstances bounds how many instances exist at once.
	MaxInstances int `json:"max_instances,omitempty"`
	// Queue bounds how many requests may wait for an instance. Zero, unlike
	// nil, means that none may.
	Queue *int `json:"queue,omitempty"`
	// MaxRequests bounds how many requests an instance serves, where instances
	// are kept for further ones.
	MaxRequests int `json:"max_requests,omitempty"`
	// IdleTime is how long an instance is kept that no request needs; in JSON,
	// nanoseconds.
	IdleTime time.Duration `json:"idle_time,omitempty"`
}
