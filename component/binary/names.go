package binary

// ExternName is the name of an import or export, with what else is said about
// it.
//
// Binary.md, section Import and Export Definitions, "nameattributes".
type ExternName struct {
	Name  string // exactly as in the file; two names are the same when this is
	Kind  NameKind
	Attrs *NameAttrs // nil when there are none
}

// String returns the name.
func (n ExternName) String() string { return n.Name }

// NameAttrs are the attributes of an ExternName. They do not identify it.
type NameAttrs struct {
	Implements    string // interface name that the instance implements; empty when not given
	VersionSuffix string // what was cut off a canonical interface version; empty when not given
	ExternalID    string // name in the host's own terms
	HasExternalID bool   // an external id may be empty
}

// NameKind is the form of an ExternName.
type NameKind uint8

// The forms of names. Explainer.md, section Import and Export Definitions; the
// last four are of earlier revisions and still understood by engines.
const (
	NameLabel       NameKind = iota // kebab-case
	NameConstructor                 // [constructor]resource
	NameMethod                      // [method]resource.name
	NameStatic                      // [static]resource.name
	NameInterface                   // namespace:package/interface@version
	NameUnlockedDep                 // unlocked-dep=<...>
	NameLockedDep                   // locked-dep=<...>
	NameURL                         // url=<...>
	NameHash                        // integrity=<...>
)
