package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/minispin/minispin/templates"
)

// templatesCommand is minispin templates.
type templatesCommand struct {
	List listTemplatesCommand `cmd:"" default:"withargs" help:"List the templates."`
}

// Help is shown by minispin templates --help.
func (*templatesCommand) Help() string {
	return "Templates are part of minispin: there are none to install."
}

// listTemplatesCommand is minispin templates list.
type listTemplatesCommand struct {
	Tag    []string `sep:"none" placeholder:"TAG" help:"Only templates with this tag. May be repeated."`
	Format string   `enum:"table,json,names-only" default:"table" help:"Form of the list: table, json or names-only."`
}

// listed is a template in the list, for programs.
type listed struct {
	ID          string            `json:"id"`
	Description string            `json:"description"`
	Tags        []string          `json:"tags"`
	Parameters  []listedParameter `json:"parameters"`
}

type listedParameter struct {
	Name     string `json:"name"`
	Prompt   string `json:"prompt"`
	Default  string `json:"default,omitempty"`
	Required bool   `json:"required"`
}

// Run prints the list.
func (c *listTemplatesCommand) Run(p *process) error {
	var found []*templates.Template
	for _, t := range templates.All() {
		if t.HasTag(c.Tag...) {
			found = append(found, t)
		}
	}
	switch c.Format {
	case "names-only":
		for _, t := range found {
			fmt.Fprintln(p.stdout, t.ID)
		}
		return nil
	case "json":
		list := make([]listed, 0, len(found))
		for _, t := range found {
			l := listed{ID: t.ID, Description: t.Description, Tags: t.Tags}
			for _, q := range t.Parameters {
				l.Parameters = append(l.Parameters, listedParameter{q.Name, q.Prompt, q.Default, q.Default == "" && !q.Optional})
			}
			list = append(list, l)
		}
		e := json.NewEncoder(p.stdout)
		e.SetIndent("", "  ")
		return e.Encode(list)
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	for _, t := range found {
		var parameters []string
		for _, q := range t.Parameters {
			parameters = append(parameters, q.Name)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", t.ID, t.Description, strings.Join(parameters, ", "))
	}
	return w.Flush()
}
