// Package templates makes the first files of applications and components.
//
// It knows the templates, what each asks for, and the language of manifests as
// far as something is added to one. It asks nobody and prints nothing: whoever
// calls it has the values ready, and decides where the files go.
//
// Its central idea is that a new application is an empty one to which a
// component is added: a template has one manifest fragment, which is true in
// either place, and files beside it. What stands in files/ is rendered by
// text/template; names lose their ".tmpl", which keeps toolchains from taking the
// sources there for parts of this module.
package templates
