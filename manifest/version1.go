package manifest

import (
	"fmt"
	"slices"
	"strings"
)

// This file reads version 1 of the manifest and gives it the form of version 2.
// There one type of trigger serves the whole application, and each component
// holds what binds it to that trigger:
//
//	name, version, description, authors    App itself
//	trigger = { type = "http", … }         the type of every trigger
//	[[component]] id, config               Component.ID, Component.Variables
//	[component.trigger]                    a trigger with the id trigger-<component>

// version1 reads a whole file of version 1 into app and returns its triggers.
func (r *reader) version1(app *App, t *table) []*triggerDraft {
	if name, ok := t.need("name", `give the application a name, as in name = "hello"`); ok {
		app.Name, _ = name.text()
	}
	app.Version = t.text("version")
	app.Description = t.text("description")
	app.Authors = t.texts("authors")
	if sub, ok := t.sub("variables"); ok {
		app.Variables = readVariables(sub)
	}
	typ := ""
	if v, ok := t.need("trigger", `say what starts the components: trigger = { type = "http" }`); ok {
		typ = readTypeVersion1(v)
	}
	var drafts []*triggerDraft
	if v, ok := t.get("component"); ok {
		drafts = r.componentsVersion1(app, typ, v)
	}
	t.done(map[string]string{
		"application": "version 2 has this table: spin_manifest_version = 2",
		"components":  "components are written [[component]]",
		"triggers":    "the type of trigger is written trigger = { type = \"http\" }",
	})
	return drafts
}

// readTypeVersion1 reads the type of all triggers, and checks the settings that
// stand beside it.
func readTypeVersion1(v value) string {
	t, ok := v.table(`a table, as in { type = "http" }`)
	if !ok {
		return ""
	}
	for _, setting := range t.entries {
		if _, ok := setting.elements(); ok && t.m["type"] == nil {
			setting.failKey("[[trigger.<type>]] is the form of manifest version 2",
				"write trigger = { type = \"http\" } above the first table, and the route into [component.trigger]")
			return ""
		}
	}
	typ, ok := t.need("type", `as in trigger = { type = "http" }`)
	if !ok {
		t.done(t.allOthers())
		return ""
	}
	name, ok := typ.text()
	switch {
	case !ok:
	case name == "":
		typ.fail("must not be empty", "")
	case name == "http":
		readHTTPBase(t)
		t.done(nil)
	}
	return name
}

// allOthers marks all keys of t as asked for, so that done reports only what is
// missing.
func (t *table) allOthers() map[string]string {
	t.asked = append(t.asked, t.names()...)
	return nil
}

// componentsVersion1 reads all of [[component]].
func (r *reader) componentsVersion1(app *App, typ string, v value) []*triggerDraft {
	elems, ok := v.elements()
	if !ok {
		hint := ""
		if _, single := v.data.(map[string]any); single {
			hint = "write [[component]], with the component's id as the key id"
		}
		v.mistyped("an array of tables", hint)
		return nil
	}
	var drafts []*triggerDraft
	for _, elem := range elems {
		t, ok := elem.table("a table")
		if !ok {
			continue
		}
		c, d := r.componentVersion1(t, typ)
		if c.ID != "" && slices.Contains(app.ids(), c.ID) {
			t.within("id").fail(fmt.Sprintf("another component has the id %q too", c.ID), "")
		}
		app.Components = append(app.Components, c)
		if d != nil {
			drafts = append(drafts, d)
		}
	}
	return drafts
}

// componentVersion1 reads one component and the trigger it holds; nil if there
// is none.
func (r *reader) componentVersion1(t *table, typ string) (*Component, *triggerDraft) {
	c := &Component{place: t.value, variablesKey: "config"}
	if v, ok := t.need("id", `as in id = "hello"`); ok {
		if id, ok := v.text(); ok {
			c.ID = convertID(v, id)
		}
	}
	c.Description = t.text("description")
	if v, ok := t.need("source", `say where the component is, as in source = "hello.wasm"`); ok {
		c.Source = readSource(c, v)
		if c.Source.Package != "" {
			v.fail("a source by package needs version 2 of the manifest", "")
		}
	}
	c.Variables = t.strings("config")
	c.checkVariableNames()
	r.capabilities(c, t)
	if v, ok := t.get("allowed_http_hosts"); ok {
		c.AllowedOutboundHosts = append(c.AllowedOutboundHosts, readHTTPHosts(v)...)
	}
	if _, ok := t.m["allowed_outbound_hosts"]; !ok {
		// Hosts of that time did not ask where databases are.
		c.AllowedOutboundHosts = append(c.AllowedOutboundHosts, "redis://*:*", "mysql://*:*", "postgres://*:*")
	}
	var d *triggerDraft
	if v, ok := t.need("trigger", "bind it to a route:\n[component.trigger]\nroute = \"/...\""); ok {
		d = r.triggerVersion1(c, typ, v)
	}
	t.done(map[string]string{
		"variables": "it is called config in manifest version 1",
		"route":     "it belongs into [component.trigger]",
		"executor":  "it belongs into [component.trigger]",
		"tool":      "settings for tools need version 2 of the manifest",
		"profile":   "profiles need version 2 of the manifest",
		"command":   "it belongs into [component.build]",
	})
	return c, d
}

// convertID returns the kebab id that id becomes: those of version 1 may have
// capitals and underscores.
func convertID(v value, id string) string {
	if checkKebab(id) == nil {
		return id
	}
	converted := strings.ToLower(strings.ReplaceAll(id, "_", "-"))
	if err := checkKebab(converted); err != nil {
		v.fail(fmt.Sprintf("the id of a component %v, found %q", err, id), "")
		return id
	}
	return converted
}

// triggerVersion1 reads a table [component.trigger].
func (r *reader) triggerVersion1(c *Component, typ string, v value) *triggerDraft {
	t, ok := v.table("a table")
	if !ok || typ == "" {
		return nil
	}
	d := &triggerDraft{typ: typ, id: "trigger-" + c.ID, component: c.ID, place: v}
	if typ != "http" {
		return d
	}
	d.http = &HTTPTrigger{place: v}
	readRouting(d, d.http, t)
	t.done(map[string]string{"path": `the path is written route = "/hello"`, "type": `the type stands at the top of the file: trigger = { type = "http" }`})
	return d
}
