package manifest

import (
	"fmt"
	"strings"
)

// app reads the whole file. The App returned is only complete if no error was
// reported.
func (r *reader) app(t *table) *App {
	app := &App{ManifestVersion: r.checkVersion(t)}
	var drafts []*triggerDraft
	switch app.ManifestVersion {
	case 1:
		drafts = r.version1(app, t)
	case 2:
		drafts = r.version2(app, t)
	default:
		return app
	}
	r.normalise(app, drafts)
	if len(drafts) == 0 && r.opts.Purpose == ToRun && !r.reportedWithin("trigger") && !r.reportedWithin("component") {
		hint := "add one:\n[[trigger.http]]\nroute = \"/...\"\ncomponent = \"<id>\""
		if t.m["component"] == nil && t.m["application"] == nil {
			hint = "add one:\n[[component]]\nid = \"<id>\"\nsource = \"<file>\"\n[component.trigger]\nroute = \"/...\""
		}
		r.errors = append(r.errors, Diagnostic{File: r.src.name, Reason: "No triggers in app", Hint: hint})
	}
	return app
}

// version2 reads a whole file of version 2 into app and returns its triggers.
func (r *reader) version2(app *App, t *table) []*triggerDraft {
	if v, ok := t.need("application", `every manifest has a table [application] with a name`); ok {
		r.application(app, v)
	}
	if sub, ok := t.sub("variables"); ok {
		app.Variables = readVariables(sub)
	}
	if v, ok := t.get("component"); ok {
		app.Components = r.components(v)
	}
	var drafts []*triggerDraft
	if v, ok := t.get("trigger"); ok {
		drafts = r.triggers(v)
	}
	t.done(map[string]string{
		"name":        "it belongs into [application]",
		"version":     "it belongs into [application]",
		"description": "it belongs into [application]",
		"authors":     "it belongs into [application]",
		"components":  "components are written [component.<id>]",
		"triggers":    "triggers are written [[trigger.<type>]]",
		"tool":        "settings for tools go into [component.<id>.tool.<name>] or [application.tool.<name>]",
	})
	return drafts
}

// reported says whether there already is an error about key itself.
func (r *reader) reported(key string) bool {
	for _, d := range r.errors {
		if d.Key == key {
			return true
		}
	}
	return false
}

// reportedWithin says whether there already is an error about key or about
// anything within it.
func (r *reader) reportedWithin(key string) bool {
	for _, d := range r.errors {
		if rest, ok := strings.CutPrefix(d.Key, key); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			return true
		}
	}
	return false
}

// versionKeys are the names the version may be given under.
var versionKeys = []string{"spin_manifest_version", "spin_version"}

// checkVersion returns the version the manifest is to be read on as; 0 if it is
// not worth it.
func (r *reader) checkVersion(t *table) int {
	var found []value
	for _, key := range versionKeys {
		if v, ok := t.get(key); ok {
			found = append(found, v)
		}
	}
	if len(found) == 0 {
		t.within(versionKeys[0]).failFile("is missing", "begin the file with: spin_manifest_version = 2")
		// Only a file that looks like version 2 is worth reading on: of another
		// every line would be reported.
		if _, like := t.m["application"]; like {
			return 2
		}
		return 0
	}
	if len(found) == 2 {
		found[1].failKey("gives the version a second time", "keep spin_manifest_version")
	}
	v := found[0]
	switch v.data {
	case int64(2):
		return 2
	case "1":
		return 1
	}
	shown := fmt.Sprint(v.data)
	if s, ok := v.data.(string); ok {
		shown = fmt.Sprintf("%q", s)
	} else if f, ok := v.data.(float64); ok {
		shown = fmt.Sprintf("%.1f", f)
	}
	hint := "write it as an integer: spin_manifest_version = 2"
	version := 2
	if _, old := t.m["application"]; !old && v.data == int64(1) {
		hint, version = "the version is written as a string: spin_manifest_version = \"1\"", 1
	}
	v.fail("invalid manifest version "+shown, hint)
	return version
}

// failFile reports an error about the file as a whole under v's key.
func (v value) failFile(reason, hint string) {
	v.r.errors = append(v.r.errors, Diagnostic{File: v.r.src.name, Key: v.path, Reason: reason, Hint: hint})
}

func (r *reader) application(app *App, v value) {
	t, ok := v.table("a table")
	if !ok {
		return
	}
	if name, ok := t.need("name", `give the application a name, as in name = "hello"`); ok {
		app.Name, _ = name.text()
	}
	app.Version = t.text("version")
	app.Description = t.text("description")
	app.Authors = t.texts("authors")
	app.Targets = readTargets(t)
	if trigger, ok := t.sub("trigger"); ok {
		for typ, settings := range trigger.entries {
			if typ == "http" {
				readHTTPSettings(settings)
			} else {
				settings.table("a table")
			}
		}
	}
	t.sub("tool")
	t.done(map[string]string{
		"base":      "a prefix goes into each trigger's route",
		"variables": "variables are written [variables], at the top level",
		"component": "components are written [component.<id>], at the top level",
	})
}

// readHTTPSettings checks the settings all HTTP triggers share. None has an
// effect: base is a leftover of version 1.
func readHTTPSettings(v value) {
	t, ok := v.table("a table")
	if !ok {
		return
	}
	readHTTPBase(t)
	t.done(nil)
}

// readHTTPBase checks the setting base of t.
func readHTTPBase(t *table) {
	if base, ok := t.get("base"); ok {
		if s, ok := base.text(); ok && s == "/" {
			base.warn("has no effect any more", "leave it out")
		} else if ok {
			base.fail("a base path other than \"/\" is not possible", fmt.Sprintf("put %q before the route of each trigger", s))
		}
	}
}

func readTargets(t *table) []Target {
	v, ok := t.get("targets")
	if !ok {
		return nil
	}
	const wanted = "a string or a table with url or path"
	var out []Target
	for _, elem := range v.list("targets") {
		if s, ok := elem.data.(string); ok {
			out = append(out, Target{Reference: s})
			continue
		}
		sub, ok := elem.table(wanted)
		if !ok {
			continue
		}
		target := Target{URL: sub.text("url"), Path: sub.text("path")}
		sub.done(nil)
		if (target.URL == "") == (target.Path == "") {
			elem.fail("wants exactly one of url and path", "")
		}
		out = append(out, target)
	}
	return out
}

func readVariables(t *table) []Variable {
	var out []Variable
	for name, v := range t.entries {
		if err := checkLowerSnake(name); err != nil {
			v.failKey(fmt.Sprintf("the name of a variable %v", err), "")
		}
		sub, ok := v.table("a table")
		if !ok {
			continue
		}
		variable := Variable{Name: name, Description: sub.text("description"), Secret: sub.boolean("secret")}
		required := sub.boolean("required")
		if value, ok := sub.get("default"); ok {
			// Counted as given even if it is of the wrong type, which has
			// been said then.
			s, _ := value.text()
			variable.Default = &s
		}
		sub.done(nil)
		switch {
		case required && variable.Default != nil:
			v.failKey("is required and has a default", "keep one of required = true and default")
		case !required && variable.Default == nil && !v.r.reported(joinKey(v.path, "required")):
			v.failKey("is neither required nor has a default", `add required = true or a default, as in default = ""`)
		}
		out = append(out, variable)
	}
	return out
}
