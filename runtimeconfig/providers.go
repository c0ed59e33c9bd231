package runtimeconfig

import (
	"fmt"

	"github.com/minispin/minispin/manifest"
	"github.com/minispin/minispin/variables"
)

// providers reads the providers of variables.
func (r reading) providers(root manifest.Table) {
	v, ok := root.Get("variables_provider")
	if old, both := root.Get("config_provider"); both && ok {
		old.Fail("says the same as variables_provider", "write all of them as [[variables_provider]]")
	} else if both {
		v, ok = old, true
	}
	if !ok {
		return
	}
	for _, e := range v.List("tables") {
		if t, ok := e.Table(); ok {
			r.provider(t)
		}
	}
}

// remote are the providers that ask a service.
var remote = map[string]string{
	"vault":           "Vault",
	"azure_key_vault": "Azure Key Vault",
}

func (r reading) provider(t manifest.Table) {
	v, ok := t.Get("type")
	if !ok {
		t.Fail("has no type", `write type = "static" or type = "env"`)
		return // what keys it should have nobody knows
	}
	kind, ok := v.Text()
	if !ok {
		return
	}
	switch kind {
	case "static":
		r.static(t, v.Line())
	case "env":
		r.environment(t)
	default:
		if service := remote[kind]; service != "" {
			v.Fail(fmt.Sprintf("values cannot be had from %s: there is no client for it in this host", service),
				"give them in the environment, or have them put into a file for --variable NAME=@FILE")
			return
		}
		v.Fail(fmt.Sprintf("there is no provider of the type %q", kind), `one of: "static", "env"`)
		return
	}
	t.Done()
}

// static reads a provider of values that stand in the file.
func (r reading) static(t manifest.Table, line int) {
	v, ok := t.Need("values", "a table with a string for each variable")
	if !ok {
		return
	}
	table, ok := v.Table()
	if !ok {
		return
	}
	values := map[string]string{}
	for name, v := range table.Entries() {
		if s, ok := v.Text(); ok {
			values[name] = s
		}
	}
	r.Providers = append(r.Providers, variables.Static(fmt.Sprintf("%s:%d", r.Path, line), values))
}

// environment reads a provider that looks at environment variables with a prefix
// of its own.
func (r reading) environment(t manifest.Table) {
	prefix := variables.EnvironmentPrefix
	if v, ok := t.Get("prefix"); ok {
		s, ok := v.Text()
		if !ok {
			return
		}
		prefix = s + "_"
	}
	var files []string
	if v, ok := t.Get("dotenv_path"); ok {
		s, ok := v.Text()
		if !ok {
			return
		}
		files = append(files, r.file(s))
	}
	r.Providers = append(r.Providers, variables.NewEnvironment(prefix, files...))
}
