package manifest

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// normalise completes app by the triggers drafted, and makes the checks that
// need the whole application.
func (r *reader) normalise(app *App, drafts []*triggerDraft) {
	r.checkTriggerIDs(drafts)
	app.Components = append(app.Components, fillIDs(drafts, app.ids())...)
	for _, d := range drafts {
		if d.http == nil {
			app.Other = append(app.Other, Trigger{Type: d.typ, ID: d.id, Component: d.component, place: d.place})
			continue
		}
		d.http.ID, d.http.Component = d.id, d.component
		app.Triggers = append(app.Triggers, *d.http)
	}
	r.checkReferences(app, drafts)
	r.selectComponents(app)
	r.checkDuplicateRoutes(app)
	r.checkTemplates(app)
	r.checkProfile(app)
	if r.opts.Purpose == ToRun {
		r.checkSources(app)
	}
	r.reportUnsupported(app)
}

// ids returns the ids of a's components.
func (a *App) ids() []string {
	ids := make([]string, len(a.Components))
	for i, c := range a.Components {
		ids[i] = c.ID
	}
	return ids
}

// fillIDs gives every trigger without an id one, and every inline component,
// which it returns. taken are the ids of the other components. Both follow
// Spin's rules, as ids are visible in listings and logs.
func fillIDs(drafts []*triggerDraft, taken []string) []*Component {
	triggers := map[string]bool{}
	for _, d := range drafts {
		triggers[d.id] = true
	}
	counters := map[string]int{}
	for _, d := range drafts {
		if d.id != "" {
			continue
		}
		if d.component != "" {
			d.id = d.component + "-" + d.typ + "-trigger"
		}
		for triggers[d.id] || d.id == "" {
			counters[d.typ]++
			d.id = fmt.Sprintf("%s-trigger%d", d.typ, counters[d.typ])
		}
		triggers[d.id] = true
	}

	components := map[string]bool{}
	for _, id := range taken {
		components[id] = true
	}
	counter := 0
	var inline []*Component
	for _, d := range drafts {
		if d.inline == nil {
			continue
		}
		id := d.id + "-component"
		for components[id] || checkKebab(id) != nil {
			counter++
			id = fmt.Sprintf("inline-component%d", counter)
		}
		components[id] = true
		d.inline.ID, d.component = id, id
		inline = append(inline, d.inline)
	}
	return inline
}

// checkTriggerIDs warns of ids given twice: they make logs ambiguous.
func (r *reader) checkTriggerIDs(drafts []*triggerDraft) {
	seen := map[string]bool{}
	for _, d := range drafts {
		if d.id != "" && seen[d.id] {
			d.place.within("id").warn(fmt.Sprintf("another trigger has the id %q too", d.id), "")
		}
		seen[d.id] = true
	}
}

// checkReferences reports triggers and dependencies that name components there
// are not.
func (r *reader) checkReferences(app *App, drafts []*triggerDraft) {
	if r.reported("component") {
		return // there are components, but not where they could be found
	}
	ids := app.ids()
	for _, d := range drafts {
		if d.inline != nil || d.ref.data == nil {
			continue
		}
		id, ok := d.ref.data.(string)
		if !ok || slices.Contains(ids, id) {
			continue
		}
		if err := checkKebab(id); err != nil && nearest(id, ids) == "" && !strings.Contains(id, ".") {
			d.ref.fail(fmt.Sprintf("the id of a component %v, found %q", err, id), "")
			continue
		}
		hint := oneOf(id, ids)
		if len(ids) == 0 {
			hint = fmt.Sprintf("describe it in a table [component.%s]", id)
		}
		if strings.HasSuffix(id, ".wasm") || strings.HasSuffix(id, ".wat") {
			hint = fmt.Sprintf("for a component by its file: component = { source = %q }", id)
		}
		d.ref.fail(fmt.Sprintf("there is no component %q", id), hint)
	}
	for _, c := range app.Components {
		for i := range c.Dependencies {
			c.Dependencies[i].checkReference(app)
		}
	}
	for _, t := range app.Triggers {
		for i := range t.Middleware {
			t.Middleware[i].checkReference(app)
		}
	}
}

// checkDuplicateRoutes marks triggers whose requests an earlier one takes.
func (r *reader) checkDuplicateRoutes(app *App) {
	first := map[string]*HTTPTrigger{}
	for i := range app.Triggers {
		t := &app.Triggers[i]
		if t.Route.Private || t.Route.Path == "" && r.reported(t.place.path+".route") {
			continue
		}
		route := t.Route.canonical()
		winner := first[route]
		if winner == nil {
			first[route] = t
			continue
		}
		t.ShadowedBy = winner.ID
		at := winner.place.within("route")
		t.place.within("route").warn(
			fmt.Sprintf("route %q of trigger %q is never used: trigger %q, on line %d, has taken the same requests by route %q",
				t.Route.Path, t.ID, winner.ID, r.src.diagnostic(at.at.value, "", "", "").Line, winner.Route.Path),
			"the first of the two is kept")
	}
}

// checkTemplates checks the templates of all components, and notes those used.
func (r *reader) checkTemplates(app *App) {
	var known []string
	for _, v := range app.Variables {
		known = append(known, v.Name)
	}
	for _, c := range app.Components {
		variables := c.place.within(c.variablesKey)
		for name, text := range c.Variables {
			r.checkTemplate(c, variables.within(name), text, known)
		}
		hosts := c.place.within("allowed_outbound_hosts")
		for i, text := range c.AllowedOutboundHosts {
			r.checkTemplate(c, hosts.index(i), text, known)
		}
	}
}

// checkTemplate reports what is wrong with the template text, found at v, if it
// is one.
func (r *reader) checkTemplate(c *Component, v value, text string, known []string) {
	if !strings.Contains(text, "{{") {
		return
	}
	c.uses(FeatureTemplates, v)
	for rest := text; ; {
		_, after, found := strings.Cut(rest, "{{")
		if !found {
			return
		}
		name, end, closed := strings.Cut(after, "}}")
		if !closed {
			v.fail(`"{{" without "}}"`, "a template is written {{ name }}")
			return
		}
		name = strings.TrimSpace(name)
		switch {
		case name == "":
			v.fail("a template without a name", "a template is written {{ name }}")
		case !slices.Contains(known, name):
			hint := oneOf(name, known)
			if len(known) == 0 {
				hint = "declare it in [variables]"
			}
			v.fail(fmt.Sprintf("there is no application variable %q", name), hint)
		}
		rest = end
	}
}

// checkProfile reports if no component has the profile asked for.
func (r *reader) checkProfile(app *App) {
	want := r.opts.Profile
	if want == "" {
		return
	}
	var known []string
	for _, c := range app.Components {
		for _, p := range c.Profiles {
			known = append(known, p.Name)
		}
	}
	if slices.Contains(known, want) {
		return
	}
	slices.Sort(known)
	r.errors = append(r.errors, Diagnostic{
		File:   r.src.name,
		Reason: fmt.Sprintf("no component has a profile %q", want),
		Hint:   oneOf(want, slices.Compact(known)),
	})
}

// checkSources reports sources that are not there. For a component that is not
// loaded this is no error, only worth saying.
func (r *reader) checkSources(app *App) {
	used := app.Used()
	for _, c := range app.Components {
		if c.Source.Path == "" {
			continue
		}
		reason, hint := sourceProblem(r.dir, c)
		if reason == "" {
			continue
		}
		at := c.place.within("source")
		if p := c.place.within("profile").within(r.opts.Profile).within("source"); c.profileSource(r.opts.Profile) {
			at = p
		}
		switch {
		case slices.Contains(used, c):
			at.fail(reason, hint)
		case len(r.opts.Only) == 0:
			at.warn(reason+"; no trigger uses it", hint)
		}
	}
}

// profileSource says whether c's source is that of the profile name.
func (c *Component) profileSource(name string) bool {
	return name != "" && slices.ContainsFunc(c.Profiles, func(p Profile) bool {
		return p.Name == name && p.Source != (Source{})
	})
}

// sourceProblem returns what is wrong with c's source as a file, if anything.
func sourceProblem(dir string, c *Component) (reason, hint string) {
	info, err := os.Stat(resolve(dir, c.Source.Path))
	switch {
	case err == nil && info.IsDir():
		return fmt.Sprintf("source %q is a directory", c.Source.Path), "name the .wasm file in it"
	case err == nil:
		return "", ""
	case errors.Is(err, fs.ErrNotExist) && c.Build != nil && len(c.Build.Commands) > 0:
		return fmt.Sprintf("source %q does not exist", c.Source.Path),
			"build it by: minispin build\nwhich runs: " + strings.Join(c.Build.Commands, " && ")
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Sprintf("source %q does not exist", c.Source.Path),
			"build it first; with a command in [component.<id>.build], minispin build does that"
	}
	// The path of the error is absolute and the one in the manifest tells more.
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Sprintf("source %q: %v", c.Source.Path, err), ""
}

// forget drops what was noted of c's use of features.
func (r *reader) forget(c *Component, features ...Feature) {
	r.unsupported = slices.DeleteFunc(r.unsupported, func(f finding) bool {
		return f.component == c && slices.Contains(features, f.feature)
	})
}

// reportUnsupported lists what was found unsupported, now that ids are known.
func (r *reader) reportUnsupported(app *App) {
	used := app.Used()
	for _, f := range r.unsupported {
		u := Unsupported{Feature: f.feature, Diagnostic: f.Diagnostic}
		switch {
		case f.component != nil && !slices.Contains(used, f.component):
			continue
		case f.component != nil:
			u.Component = f.component.ID
		case f.trigger != nil:
			u.Trigger = f.trigger.id
		}
		app.Unsupported = append(app.Unsupported, u)
	}
	slices.SortStableFunc(app.Unsupported, func(a, b Unsupported) int {
		return cmp.Or(a.Line-b.Line, a.Column-b.Column)
	})
}
