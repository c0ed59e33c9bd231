package manifest

import (
	"slices"
	"strings"
	"testing"
)

const several = `spin_manifest_version = 2
[application]
name = "several"
[[trigger.http]]
route = "/a"
component = "a"
[[trigger.http]]
route = "/b"
component = "b"
[[trigger.http]]
route = { private = true }
component = "c"
[[trigger.http]]
route = "/a"
component = "d"
[[trigger.http]]
route = "/static"
static_response = { body = "" }
[[trigger.redis]]
component = "b"
channel = "x"
[component.a]
source = "a.wasm"
allowed_outbound_hosts = ["https://b.example.com", "http://c.spin.internal"]
[component.b]
source = "b.wasm"
allowed_outbound_hosts = ["http://{{ id }}.spin.internal"]
[component.c]
source = "c.wasm"
allowed_outbound_hosts = ["http://D.spin.internal:80/"]
[component.d]
source = "d.wasm"
allowed_outbound_hosts = ["http://a.spin.internal", "http://self", "http://nobody.spin.internal"]
[component.all]
source = "all.wasm"
[variables]
id = { default = "c" }
`

func TestOnly(t *testing.T) {
	all := strings.Replace(several, `"http://self"`, `"http://*.spin.internal"`, 1)
	for _, test := range []struct {
		name, text string
		only       []string
		want       string // the triggers' components, with what shadows them
		other      int
		err        string
	}{
		{"none", several, nil, "a b c d<a-http-trigger ", 1, ""},
		{"one", several, []string{"b"}, "b", 1, ""},
		{"chained", several, []string{"a"}, "a c d<a-http-trigger", 0, ""},
		{"not shadowed any more", strings.Replace(several, `"http://a.spin.internal", `, "", 1), []string{"d"}, "d", 0, ""},
		{"in the order of the file", several, []string{"c", "b"}, "a b c d<a-http-trigger", 1, ""},
		{"unknown", several, []string{"a", "bb"}, "", 0, `there is no component "bb" to run alone`},
		{"without a trigger", several, []string{"all"}, "", 0, "no HTTP trigger leads to this component"},
		{"wildcard", all, []string{"d"}, "", 0, `component "d" is to be run without "b", and may call every component`},
		{"wildcard of a chained one", all, []string{"c"}, "", 0, `component.d.allowed_outbound_hosts[1]`},
		{"wildcard, all selected", all, []string{"a", "b", "c", "d"}, "a b c d<a-http-trigger", 1, ""},
		{"wildcard, not selected", all, []string{"b"}, "b", 1, ""},
	} {
		app, err := Parse([]byte(test.text), "spin.toml", "", Options{Purpose: ToBuild, Only: test.only, Supports: []Feature{FeatureTemplates}})
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%s: error %v, want one with %q", test.name, err, test.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		var got []string
		for _, tr := range app.Triggers {
			s := tr.Component
			if tr.ShadowedBy != "" {
				s += "<" + tr.ShadowedBy
			}
			got = append(got, s)
		}
		if strings.Join(got, " ") != test.want || len(app.Other) != test.other {
			t.Errorf("%s: triggers %q and %d others, want %q and %d", test.name, got, len(app.Other), test.want, test.other)
		}
	}
}

func TestOnlyOfTheSelectedIsAsked(t *testing.T) {
	dir := write(t, map[string]string{"b.wasm": ""})
	text := several + "[component.a.dependencies]\n\"x:y\" = { version = \"1.0\" }\n"
	app, err := Parse([]byte(text), "spin.toml", dir, Options{Only: []string{"b"}, Supports: []Feature{FeatureTemplates}})
	if err != nil {
		t.Fatal(err)
	}
	if len(app.Unsupported) > 0 || slices.ContainsFunc(app.Warnings, func(d Diagnostic) bool { return strings.Contains(d.Reason, "does not exist") }) {
		t.Errorf("of others: %v, %v", app.Unsupported, app.Warnings)
	}
}

func TestOnlyOfABareComponent(t *testing.T) {
	dir := write(t, map[string]string{"hello.wasm": ""})
	for id, ok := range map[string]bool{"http-trigger1-component": true, "hello": false} {
		app, err := Load(dir+"/hello.wasm", Options{Only: []string{id}})
		if (err == nil) != ok || ok && len(app.Triggers) != 1 {
			t.Errorf("%s: %v", id, err)
		}
	}
}
