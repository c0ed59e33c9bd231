package manifest

import "slices"

// A Feature is something a manifest can ask for that a host may be unable to
// give.
type Feature string

// The features a host declares in [Options.Supports]. Permissions such as
// key_value_stores are not among them: they mean nothing until a component
// imports the interface concerned, and then linking says whether the host has
// it.
const (
	FeatureSourceURL           Feature = "source by url"
	FeatureSourcePackage       Feature = "source by package"
	FeatureFiles               Feature = "files"
	FeatureTemplates           Feature = "templates" // "{{ name }}" in a component's variables or allowed hosts
	FeatureDependencies        Feature = "dependencies"
	FeatureTriggerDependencies Feature = "trigger dependencies" // http middleware
	FeatureTriggerComponents   Feature = "trigger components"   // roles beside the one component
	FeatureWAGI                Feature = "wagi executor"
)

// An Unsupported is a use of a feature the host has not declared, with the
// place of that use.
type Unsupported struct {
	Feature Feature `json:"feature"`
	// Component and Trigger are the ids of what uses it; one of them is set.
	Component string `json:"component,omitempty"`
	Trigger   string `json:"trigger,omitempty"`
	Diagnostic
}

// insteadOf says for features what does the same without them.
var insteadOf = map[Feature]string{
	FeatureSourcePackage: "there is no client for registries: get the package by a tool of its own,\n" +
		"as in: wkg get <namespace>:<name>@<version>\n" +
		"and write source = \"<file>.wasm\", or source = { url = \"https://…\", digest = \"sha256:…\" }",
	FeatureTriggerDependencies: "middleware is composed over wasi:http/handler@0.3, which needs the component model's\n" +
		"asynchronous half; without that, a component can import another by [component.<id>.dependencies]",
}

// uses notes that component c uses feature f at v.
func (c *Component) uses(f Feature, v value) {
	v.r.noteUse(finding{feature: f, component: c}, v)
}

// uses notes that trigger d uses feature f at v.
func (d *triggerDraft) uses(f Feature, v value) {
	v.r.noteUse(finding{feature: f, trigger: d}, v)
}

func (r *reader) noteUse(f finding, v value) {
	if slices.Contains(r.opts.Supports, f.feature) {
		return
	}
	f.Diagnostic = r.src.diagnostic(v.at.value, v.path, string(f.feature)+" not supported yet", insteadOf[f.feature])
	r.unsupported = append(r.unsupported, f)
}
