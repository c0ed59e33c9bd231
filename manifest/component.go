package manifest

import (
	"encoding/hex"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
)

// components reads all of [component.<id>].
func (r *reader) components(v value) []*Component {
	if _, ok := v.elements(); ok {
		v.failKey("[[component]] is the form of manifest version 1", "write [component.<id>] with the component's id, without the key id")
		return nil
	}
	t, ok := v.table("tables [component.<id>]")
	if !ok {
		return nil
	}
	var out []*Component
	for id, v := range t.entries {
		if err := checkKebab(id); err != nil {
			v.failKey(fmt.Sprintf("the id of a component %v", err), "")
		}
		if c := r.component(id, v); c != nil {
			out = append(out, c)
		} else {
			// Keep the id, or triggers for it would be reported as well.
			out = append(out, &Component{ID: id, place: v})
		}
	}
	return out
}

// component reads one component, inline or not; nil if v is no table.
func (r *reader) component(id string, v value) *Component {
	t, ok := v.table("a table")
	if !ok {
		return nil
	}
	c := &Component{ID: id, place: v, variablesKey: "variables"}
	c.Description = t.text("description")
	if v, ok := t.need("source", `say where the component is, as in source = "hello.wasm"`); ok {
		c.Source = readSource(c, v)
	}
	c.Variables = t.strings("variables")
	c.checkVariableNames()
	r.capabilities(c, t)
	if v, ok := t.get("allowed_http_hosts"); ok {
		hosts := readHTTPHosts(v)
		c.AllowedOutboundHosts = append(c.AllowedOutboundHosts, hosts...)
		warnHTTPHosts(v, hosts)
	}
	c.Targets = readTargets(t)
	c.InheritConfiguration = t.boolean("dependencies_inherit_configuration")
	if v, ok := t.get("dependencies"); ok {
		c.Dependencies = readDependencies(v)
	}
	if v, ok := t.get("profile"); ok {
		c.Profiles = readProfiles(c, v)
	}
	c.checkInheritance()
	c.usesDependencies()
	if v, ok := t.sub("tool"); ok {
		c.Settings = r.toolSettings(v)
	}
	t.done(map[string]string{
		"id":       "the id is part of the header: [component.<id>]",
		"config":   "it is called variables in manifest version 2",
		"route":    "it belongs into [[trigger.http]]",
		"executor": "it belongs into [[trigger.http]]",
		"trigger":  "triggers are written [[trigger.<type>]], at the top level",
		"strategy": "it belongs into [component.<id>.tool.minispin]",
		"command":  "it belongs into [component.<id>.build]",
	})
	return c
}

// capabilities reads the keys that both versions of the manifest have: what the
// component sees and may use, and how it is built.
func (r *reader) capabilities(c *Component, t *table) {
	c.Environment = t.strings("environment")
	if v, ok := t.get("files"); ok {
		c.Files = readFiles(c, v)
	}
	c.ExcludeFiles = readExcludeFiles(t)
	c.AllowedOutboundHosts = t.texts("allowed_outbound_hosts")
	c.KeyValueStores = readLabels(t, "key_value_stores", "store")
	c.SQLiteDatabases = readLabels(t, "sqlite_databases", "database")
	c.AIModels = t.texts("ai_models")
	if v, ok := t.get("build"); ok {
		c.Build = readBuild(v)
	}
}

// checkVariableNames reports names that cannot be those of variables.
func (c *Component) checkVariableNames() {
	for name, v := range c.place.within(c.variablesKey).entriesOf(c.Variables) {
		if err := checkLowerSnake(name); err != nil {
			v.failKey(fmt.Sprintf("the name of a variable %v", err), "")
		}
	}
}

// entriesOf calls yield with the place of each key of m within v.
func (v value) entriesOf(m map[string]string) func(yield func(string, value) bool) {
	return func(yield func(string, value) bool) {
		for name := range m {
			at := v.within(name)
			at.data = m[name]
			if !yield(name, at) {
				return
			}
		}
	}
}

var (
	packageName  = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*:[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	exactVersion = regexp.MustCompile(`^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`)
)

// readSource reads a component's source and notes what of it c uses.
func readSource(c *Component, v value) Source {
	s := readSourceForm(v)
	switch {
	case s.URL != "":
		c.uses(FeatureSourceURL, v)
	case s.Package != "":
		c.uses(FeatureSourcePackage, v)
	}
	return s
}

func readSourceForm(v value) Source {
	if path, ok := v.data.(string); ok {
		if path == "" {
			v.fail("must not be empty", "")
		}
		return Source{Path: path}
	}
	t, ok := v.table("the path of a file, or a table with url or package")
	if !ok {
		return Source{}
	}
	_, byURL := t.m["url"]
	_, byPackage := t.m["package"]
	var s Source
	switch {
	case byURL && !byPackage:
		s.URL = readURL(t)
		s.Digest = readDigest(t)
	case byPackage && !byURL:
		s.Package = readPackage(t)
		if version, ok := t.need("version", `as in version = "=1.2.3"`); ok {
			if text, ok := version.text(); ok {
				s.Version = strings.TrimPrefix(text, "=")
				if !exactVersion.MatchString(s.Version) {
					version.fail(fmt.Sprintf("%q is not an exact version", text), `as in version = "=1.2.3"`)
				}
			}
		}
		s.Registry = t.text("registry")
	default:
		if _, ok := t.m["path"]; ok {
			v.fail("a source by path is written without a table", `as in source = "hello.wasm"`)
		} else {
			v.fail("wants exactly one of url and package", "")
		}
		return s
	}
	t.done(nil)
	return s
}

// readURL reads the url of t.
func readURL(t *table) string {
	v, _ := t.get("url")
	text, ok := v.text()
	if !ok {
		return ""
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		v.fail(fmt.Sprintf("%q is not an http or https URL", text), "")
	}
	return text
}

// readDigest reads the digest of t, which must be there.
func readDigest(t *table) string {
	v, ok := t.need("digest", "what is downloaded must be pinned: digest = \"sha256:<64 hexadecimal digits>\"")
	if !ok {
		return ""
	}
	text, ok := v.text()
	if !ok {
		return ""
	}
	digits, prefixed := strings.CutPrefix(text, "sha256:")
	sum, err := hex.DecodeString(digits)
	switch {
	case !prefixed:
		v.fail("a digest starts with \"sha256:\"", "")
	case err != nil || len(sum) != 32:
		v.fail(fmt.Sprintf("a digest has 64 hexadecimal digits after \"sha256:\", found %d characters", len(digits)), "")
	}
	return text
}

// readPackage reads the package of t.
func readPackage(t *table) string {
	v, _ := t.get("package")
	text, ok := v.text()
	if ok && !packageName.MatchString(text) {
		v.fail(fmt.Sprintf("%q is not the name of a package", text), `as in "namespace:name"`)
	}
	return text
}

// readLabels reads the labels of stores or databases at key.
func readLabels(t *table, key, what string) []string {
	labels := t.texts(key)
	for i, label := range labels {
		if err := checkLabel(label); err != nil {
			t.within(key).index(i).fail(fmt.Sprintf("the label of a %s %v", what, err), "")
		}
	}
	return labels
}

func readBuild(v value) *Build {
	t, ok := v.table("a table with a command")
	if !ok {
		return nil
	}
	b := &Build{}
	if command, ok := t.need("command", `the command that makes the source, as in command = "make"`); ok {
		b.Commands = readCommands(command)
	}
	if workdir, ok := t.get("workdir"); ok {
		b.Workdir, _ = workdir.text()
		if filepath.IsAbs(b.Workdir) || strings.HasPrefix(b.Workdir, "/") {
			workdir.fail(fmt.Sprintf("%q is not a relative path", b.Workdir), "it starts from the directory of the manifest")
		}
	}
	b.Watch = t.texts("watch")
	t.done(nil)
	return b
}

// readCommands reads one command or an array of them.
func readCommands(v value) []string {
	if s, ok := v.data.(string); ok {
		if strings.TrimSpace(s) == "" {
			v.fail("must not be empty", "")
		}
		return []string{s}
	}
	if _, ok := v.elements(); !ok {
		v.mistyped("a string or an array of strings", "")
		return nil
	}
	commands := v.texts()
	if len(commands) == 0 {
		v.fail("must not be empty", "")
	}
	return commands
}

func readProfiles(c *Component, v value) []Profile {
	t, ok := v.table("tables profile.<name>")
	if !ok {
		return nil
	}
	var out []Profile
	for name, v := range t.entries {
		sub, ok := v.table("a table")
		if !ok {
			continue
		}
		p := Profile{Name: name}
		if source, ok := sub.get("source"); ok {
			p.Source = readSourceForm(source)
		}
		p.Environment = sub.strings("environment")
		if dependencies, ok := sub.get("dependencies"); ok {
			p.Dependencies = readDependencies(dependencies)
		}
		if build, ok := sub.sub("build"); ok {
			if command, ok := build.need("command", ""); ok {
				p.Commands = readCommands(command)
			}
			build.done(map[string]string{
				"workdir": "a profile replaces only the command",
				"watch":   "a profile replaces only the command",
			})
		}
		sub.done(map[string]string{
			"files":         "a profile does not change what files there are",
			"exclude_files": "a profile does not change what files there are",
		})
		out = append(out, p)
		if v.r.opts.Profile != "" && name == v.r.opts.Profile {
			c.apply(p, v)
		}
	}
	return out
}

// apply replaces what profile p, read at v, replaces of c.
func (c *Component) apply(p Profile, v value) {
	if p.Source != (Source{}) {
		c.Source = p.Source
		source := v.within("source")
		v.r.forget(c, FeatureSourceURL, FeatureSourcePackage)
		switch {
		case p.Source.URL != "":
			c.uses(FeatureSourceURL, source)
		case p.Source.Package != "":
			c.uses(FeatureSourcePackage, source)
		}
	}
	if len(p.Environment) > 0 {
		merged := maps.Clone(c.Environment)
		if merged == nil {
			merged = map[string]string{}
		}
		maps.Copy(merged, p.Environment)
		c.Environment = merged
	}
	if len(p.Dependencies) > 0 {
		c.Dependencies = mergeDependencies(c.Dependencies, p.Dependencies)
	}
	if len(p.Commands) > 0 {
		b := Build{Commands: p.Commands}
		if c.Build != nil {
			b.Workdir, b.Watch = c.Build.Workdir, c.Build.Watch
		}
		c.Build = &b
	}
}
