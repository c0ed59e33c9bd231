// Package compose joins components: exports of some meet imports of others, and
// the whole is linked as one.
//
// No new file is written and no other tool runs. A component stays what was
// compiled; what is composed is the linking, which enters one component after
// the other with the imports of each in hand (component.LinkParts). All that
// holds for a component holds for the composed whole.
//
// A Dependency has a key that selects imports, as a manifest writes it:
//
//	name                  the import of that name
//	ns:pkg                every imported interface of the package
//	ns:pkg/iface          that interface
//	ns:pkg/iface@1.2.0    that version of it (with ns:pkg@1.2.0 likewise)
//
// Each import so selected is met by the dependency's export of the same name, by
// its only one on the same semver track, or by the one that Dependency.Export
// names. What no dependency meets is for the Linker of the part: a part whose
// linker has interfaces that deny everything can do nothing but compute.
//
// The package knows nothing of manifests, files or hosts.
package compose
