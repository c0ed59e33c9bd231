package manifest

import (
	"fmt"
	"slices"
	"strings"
)

// selectComponents leaves the triggers of app that lead to the components of
// [Options.Only], and to those they call by service chaining, directly or not.
// Components that others depend on need no trigger and are not concerned.
func (r *reader) selectComponents(app *App) {
	if len(r.opts.Only) == 0 || len(r.errors) > 0 {
		return
	}
	selected := map[string]bool{}
	wildcards := map[*Component]int{} // with the place of the entry
	var visit func(c *Component)
	visit = func(c *Component) {
		if selected[c.ID] {
			return
		}
		selected[c.ID] = true
		for i, entry := range c.AllowedOutboundHosts {
			id, ok := chainedTo(entry)
			if !ok {
				continue
			}
			if id == "*" {
				wildcards[c] = i
				continue
			}
			if other := app.Component(id); other != nil {
				visit(other)
			}
		}
	}
	ids := app.ids()
	for _, id := range r.opts.Only {
		c := app.Component(id)
		if c == nil {
			r.errors = append(r.errors, Diagnostic{
				File: r.src.name, Reason: fmt.Sprintf("there is no component %q to run alone", id), Hint: oneOf(id, ids),
			})
			continue
		}
		if !slices.ContainsFunc(app.Triggers, func(t HTTPTrigger) bool { return t.Component == id }) {
			c.place.failKey("no HTTP trigger leads to this component, so that it cannot be run alone", "")
			continue
		}
		visit(c)
	}
	for c, i := range wildcards {
		r.checkWildcardChaining(app, c, i, selected)
	}
	app.Triggers = slices.DeleteFunc(app.Triggers, func(t HTTPTrigger) bool { return !selected[t.Component] })
	app.Other = slices.DeleteFunc(app.Other, func(t Trigger) bool { return !selected[t.Component] })
}

// checkWildcardChaining reports a selected component that may call every other
// one, by entry i of its allowed hosts, unless all of them are selected: which ones
// it needs cannot be told.
func (r *reader) checkWildcardChaining(app *App, c *Component, i int, selected map[string]bool) {
	for _, t := range app.Triggers {
		if t.Component != "" && !selected[t.Component] {
			c.place.within("allowed_outbound_hosts").index(i).fail(
				fmt.Sprintf("component %q is to be run without %q, and may call every component", c.ID, t.Component),
				"name those it calls, as in http://"+t.Component+".spin.internal, or select them all")
			return
		}
	}
}

// chainedTo returns the id of the component that an entry of
// allowed_outbound_hosts lets requests go to, "*" for all of them. Entries with
// templates are not known yet, and lead nowhere.
func chainedTo(entry string) (id string, ok bool) {
	_, host, ok := strings.Cut(entry, "://")
	if !ok {
		return "", false
	}
	host, _, _ = strings.Cut(host, "/")
	host, _, _ = strings.Cut(host, ":")
	id, ok = strings.CutSuffix(strings.ToLower(host), ".spin.internal")
	return id, ok && id != "" && !strings.Contains(id, "{{")
}
