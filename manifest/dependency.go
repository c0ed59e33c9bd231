package manifest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A Dependency is a component that is to satisfy imports of another one, or to
// stand around it. Of Version (with Package and Registry), Path, URL (with
// Digest) and Component, one says where it comes from.
type Dependency struct {
	// Name says which imports are satisfied: a plain name, a package, or an
	// interface of a package, as in "ns:pkg/iface@1.0.0". It is empty for
	// middleware.
	Name string `json:"name,omitempty"`

	Version   string `json:"version,omitempty"` // a version requirement
	Package   string `json:"package,omitempty"` // namespace:name
	Registry  string `json:"registry,omitempty"`
	Path      string `json:"path,omitempty"` // relative to App.Dir
	URL       string `json:"url,omitempty"`
	Digest    string `json:"digest,omitempty"`
	Component string `json:"component,omitempty"` // id in the same application

	// Export is the export used instead of the one named like the import.
	Export string `json:"export,omitempty"`
	// Inherit names the sets of configuration the dependency may use of the
	// component's own; "*" stands for all.
	Inherit []string `json:"inherit_configuration,omitempty"`

	inheritSet bool // inherit_configuration was written at all
	place      value
}

// A dependencyKey is a parsed [Dependency.Name].
type dependencyKey struct{ pkg, iface, version string }

var dependencyName = regexp.MustCompile(
	`^([a-z][a-z0-9]*(?:-[a-z0-9]+)*:[a-z][a-z0-9]*(?:-[a-z0-9]+)*)(?:/([a-z][a-z0-9]*(?:-[a-z0-9]+)*))?(?:@(.+))?$`)

// parseDependencyKey splits name. A plain name gives a key without a package.
func parseDependencyKey(name string) (dependencyKey, error) {
	m := dependencyName.FindStringSubmatch(name)
	switch {
	case m == nil && strings.ContainsAny(name, ":/@"):
		return dependencyKey{}, fmt.Errorf("%q is neither a plain name nor of the form namespace:package/interface@version", name)
	case m == nil:
		if err := checkKebab(name); err != nil {
			return dependencyKey{}, fmt.Errorf("the name of a dependency %w", err)
		}
		return dependencyKey{}, nil
	case m[3] != "" && !exactVersion.MatchString(m[3]):
		return dependencyKey{}, fmt.Errorf("%q is not a version", m[3])
	}
	return dependencyKey{pkg: m[1], iface: m[2], version: m[3]}, nil
}

// conflicts says whether k and o can select the same import. A key without
// interface selects all of them, one without version every version.
func (k dependencyKey) conflicts(o dependencyKey) bool {
	return k.pkg != "" && k.pkg == o.pkg &&
		(k.iface == "" || o.iface == "" || k.iface == o.iface) &&
		(k.version == "" || o.version == "" || compatible(k.version) == compatible(o.version))
}

// compatible returns the part of a version that compatible versions share: the
// first number that is not zero, and all before it.
func compatible(version string) string {
	core, _, _ := strings.Cut(version, "+")
	if strings.Contains(core, "-") {
		return core // pre-releases are compatible with themselves only
	}
	numbers := strings.Split(core, ".")
	for i, n := range numbers {
		if n != "0" {
			return strings.Join(numbers[:i+1], ".")
		}
	}
	return core
}

func readDependencies(v value) []Dependency {
	t, ok := v.table("a table")
	if !ok {
		return nil
	}
	var out []Dependency
	var keys []dependencyKey
	for name, v := range t.entries {
		key, err := parseDependencyKey(name)
		if err != nil {
			v.failKey(err.Error(), "")
			continue
		}
		if i := slices.IndexFunc(keys, key.conflicts); i >= 0 {
			v.failKey(fmt.Sprintf("conflicts with %q, which selects the same imports", out[i].Name), "")
		}
		d := readDependency(v, key)
		d.Name = name
		out, keys = append(out, d), append(keys, key)
	}
	return out
}

// readDependency reads the value of one dependency of a component.
func readDependency(v value, key dependencyKey) Dependency {
	d := Dependency{place: v}
	if s, ok := v.data.(string); ok {
		d.Version = s
		if key.pkg == "" {
			v.fail("a plain name does not say which package this is a version of", fmt.Sprintf("write { version = %q, package = \"namespace:name\" }", s))
		}
		return d
	}
	t, ok := v.table("a version, or a table with version, path, url or component")
	if !ok {
		return d
	}
	readDependencyForm(&d, t)
	if export, ok := t.get("export"); ok {
		d.Export, _ = export.text()
		// As in Spin, a download and a component of the application may
		// satisfy a package by one export.
		if key.pkg != "" && key.iface == "" && d.URL == "" && d.Component == "" {
			export.failKey("is not possible for a whole package", "name an interface in the dependency's key, as in "+key.pkg+"/interface")
		}
	}
	if d.Version != "" && d.Package == "" && key.pkg == "" {
		v.fail("a plain name does not say which package this is a version of", `add package = "namespace:name"`)
	}
	t.done(nil)
	return d
}

// readMiddleware reads the dependencies of an HTTP trigger.
func readMiddleware(d *triggerDraft, v value) []Dependency {
	t, ok := v.table("a table of roles")
	if !ok {
		return nil
	}
	var out []Dependency
	if list, ok := t.get("middleware"); ok {
		for _, elem := range list.list("tables") {
			sub, ok := elem.table("a table with package, path, url or component")
			if !ok {
				continue
			}
			m := Dependency{place: elem}
			readDependencyForm(&m, sub)
			if m.Version != "" && m.Package == "" {
				elem.fail("does not say which package this is a version of", `add package = "namespace:name"`)
			}
			sub.done(nil)
			out = append(out, m)
		}
		if len(out) > 0 {
			d.uses(FeatureTriggerDependencies, list)
		}
	}
	t.done(nil)
	return out
}

// readDependencyForm reads where a dependency comes from and what it may use.
func readDependencyForm(d *Dependency, t *table) {
	var forms []string
	for _, form := range []string{"version", "path", "url", "component"} {
		if _, ok := t.get(form); ok {
			forms = append(forms, form)
		}
	}
	if len(forms) != 1 {
		t.fail("wants exactly one of version, path, url and component", "")
		t.asked = append(t.asked, "package", "registry", "digest")
	} else {
		switch forms[0] {
		case "version":
			d.Version = t.text("version")
			if _, ok := t.get("package"); ok {
				d.Package = readPackage(t)
			}
			d.Registry = t.text("registry")
		case "path":
			d.Path = t.text("path")
		case "url":
			d.URL = readURL(t)
			d.Digest = readDigest(t)
		case "component":
			d.Component = t.text("component")
		}
	}
	if v, ok := t.get("inherit_configuration"); ok {
		d.inheritSet = true
		switch all, isBool := v.data.(bool); {
		case isBool && all:
			d.Inherit = []string{"*"}
		case isBool:
		default:
			d.Inherit = readCapabilitySets(v)
		}
	}
}

// capabilitySets are the names inherit_configuration may list.
var capabilitySets = []string{
	"ai_models", "allowed_outbound_hosts", "environment", "files", "key_value_stores", "sqlite_databases", "variables",
}

func readCapabilitySets(v value) []string {
	if _, ok := v.elements(); !ok {
		v.mistyped("a boolean or an array of strings", "")
		return nil
	}
	sets := v.texts()
	for i, name := range sets {
		if !slices.Contains(capabilitySets, name) {
			v.index(i).warn(fmt.Sprintf("%q names nothing that could be inherited", name), oneOf(name, capabilitySets))
		}
	}
	return sets
}

// mergeDependencies returns base with those of over added, or put in the place
// of ones of the same name.
func mergeDependencies(base, over []Dependency) []Dependency {
	out := slices.Clone(base)
	for _, d := range over {
		i := slices.IndexFunc(out, func(b Dependency) bool { return b.Name == d.Name })
		if i >= 0 {
			out[i] = d
		} else {
			out = append(out, d)
		}
	}
	return out
}

// checkInheritance reports dependencies that say themselves what they inherit
// where the component says it for all.
func (c *Component) checkInheritance() {
	if !c.InheritConfiguration {
		return
	}
	for _, d := range c.Dependencies {
		if d.inheritSet {
			d.place.within("inherit_configuration").failKey(
				"is mutually exclusive with the component's dependencies_inherit_configuration = true", "keep one of the two")
		}
	}
}

// usesDependencies notes what of the dependencies that are in force a host may
// lack.
func (c *Component) usesDependencies() {
	for _, d := range c.Dependencies {
		c.uses(FeatureDependencies, d.place)
		switch {
		case d.URL != "":
			c.uses(FeatureSourceURL, d.place)
		case d.Version != "":
			c.uses(FeatureSourcePackage, d.place)
		}
	}
}

// Inherits reports whether the dependency may use a set of the component's
// configuration, by the set's name as in inherit_configuration.
func (c *Component) Inherits(d *Dependency, set string) bool {
	return c.InheritConfiguration || slices.Contains(d.Inherit, "*") || slices.Contains(d.Inherit, set)
}

// checkReference reports if d refers to a component of app that is missing or
// that has configuration of its own, which it would lose as a dependency.
func (d *Dependency) checkReference(app *App) {
	if d.Component == "" {
		return
	}
	v := d.place.within("component")
	c := app.Component(d.Component)
	if c == nil {
		v.fail(fmt.Sprintf("there is no component %q", d.Component), oneOf(d.Component, app.ids()))
		return
	}
	var has []string
	for _, own := range []struct {
		key string
		n   int
	}{
		{"ai_models", len(c.AIModels)},
		{"allowed_outbound_hosts", len(c.AllowedOutboundHosts)},
		{"dependencies", len(c.Dependencies)},
		{"environment", len(c.Environment)},
		{"files", len(c.Files)},
		{"key_value_stores", len(c.KeyValueStores)},
		{"sqlite_databases", len(c.SQLiteDatabases)},
		{"variables", len(c.Variables)},
	} {
		if own.n > 0 {
			has = append(has, own.key)
		}
	}
	if len(has) > 0 {
		v.fail(fmt.Sprintf("component %q cannot be a dependency: it has its own %s", c.ID, strings.Join(has, ", ")), "")
	}
}
