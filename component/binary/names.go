package binary

import (
	"fmt"
	"strings"
)

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

// annotations are the prefixes of plain names that say what a function does for
// a resource.
var annotations = [...]struct {
	prefix string
	kind   NameKind
}{
	{"[constructor]", NameConstructor},
	{"[method]", NameMethod},
	{"[static]", NameStatic},
}

// dependencies are the prefixes of names that tell where a component is found.
var dependencies = [...]struct {
	prefix string
	kind   NameKind
}{
	{"unlocked-dep=<", NameUnlockedDep},
	{"locked-dep=<", NameLockedDep},
	{"url=<", NameURL},
	{"integrity=<", NameHash},
}

// ParseName parses the name of an import or export.
func ParseName(s string) (ExternName, error) {
	n, _, err := parseName(s)
	return n, err
}

// parseName also tells the newer forms that the name makes use of.
func parseName(s string) (ExternName, []Form, error) {
	for _, dep := range dependencies {
		if rest, ok := strings.CutPrefix(s, dep.prefix); ok {
			if len(rest) < 2 || !strings.HasSuffix(rest, ">") {
				return ExternName{}, nil, fmt.Errorf("name %q: text between < and > expected", s)
			}
			return ExternName{Name: s, Kind: dep.kind}, nil, nil
		}
	}
	for _, a := range annotations {
		if rest, ok := strings.CutPrefix(s, a.prefix); ok {
			return parseAnnotated(s, rest, a.kind)
		}
	}
	if strings.Contains(s, ":") {
		i, err := ParseInterfaceName(s)
		if err != nil {
			return ExternName{}, nil, err
		}
		return ExternName{Name: s, Kind: NameInterface}, i.forms(), nil
	}
	forms, err := checkLabels(s, s)
	return ExternName{Name: s, Kind: NameLabel}, forms, err
}

func parseAnnotated(s, rest string, kind NameKind) (ExternName, []Form, error) {
	labels := []string{rest}
	if kind != NameConstructor {
		resource, field, ok := strings.Cut(rest, ".")
		if !ok {
			return ExternName{}, nil, fmt.Errorf("name %q: resource and field separated by a dot expected", s)
		}
		labels = []string{resource, field}
	}
	forms, err := checkLabels(s, labels...)
	return ExternName{Name: s, Kind: kind}, forms, err
}

func checkLabels(name string, labels ...string) ([]Form, error) {
	var forms []Form
	for _, l := range labels {
		switch checkKebab(l) {
		case notKebab:
			return nil, fmt.Errorf("name %q: %q is not in kebab case", name, l)
		case kebabDigit:
			forms = []Form{FormDigitWord}
		}
	}
	return forms, nil
}

// Resource gives the resource that a constructor, method or static function
// belongs to, or "" for other names.
func (n ExternName) Resource() string {
	_, rest, _ := strings.Cut(n.Name, "]")
	switch n.Kind {
	case NameConstructor:
		return rest
	case NameMethod, NameStatic:
		resource, _, _ := strings.Cut(rest, ".")
		return resource
	}
	return ""
}

// Label gives the name itself for a plain name, the field for a method or
// static function, the resource for a constructor, and the interface's own name
// for an interface name. It is "" for other names.
func (n ExternName) Label() string {
	switch n.Kind {
	case NameLabel:
		return n.Name
	case NameConstructor:
		return n.Resource()
	case NameMethod, NameStatic:
		_, field, _ := strings.Cut(n.Name, ".")
		return field
	case NameInterface:
		i, _ := n.Interface()
		return i.Interface
	}
	return ""
}

// Interface gives the parts of an interface name, or false for other names.
func (n ExternName) Interface() (InterfaceName, bool) {
	if n.Kind != NameInterface {
		return InterfaceName{}, false
	}
	i, err := ParseInterfaceName(n.Name)
	return i, err == nil
}

// InterfaceName is namespace:package/interface@version taken apart. Version is
// empty when there is none.
type InterfaceName struct {
	Namespace, Package, Interface, Version string
}

// String puts the name together again.
func (i InterfaceName) String() string {
	s := i.Namespace + ":" + i.Package + "/" + i.Interface
	if i.Version != "" {
		s += "@" + i.Version
	}
	return s
}

// ParseInterfaceName parses an interface name. Explainer.md, section Import and
// Export Definitions, "interfacename".
func ParseInterfaceName(s string) (InterfaceName, error) {
	fail := func(format string, args ...any) (InterfaceName, error) {
		return InterfaceName{}, fmt.Errorf("name %q: %s", s, fmt.Sprintf(format, args...))
	}
	var i InterfaceName
	name, version, versioned := strings.Cut(s, "@")
	i.Namespace, name, _ = strings.Cut(name, ":")
	var ok bool
	if i.Package, i.Interface, ok = strings.Cut(name, "/"); !ok {
		return fail("a slash is expected after the package name")
	}
	for _, words := range []string{i.Namespace, i.Package} {
		if checkKebab(words) == notKebab || words != strings.ToLower(words) {
			return fail("%q is not in lower-case kebab case", words)
		}
	}
	if checkKebab(i.Interface) == notKebab {
		return fail("%q is not in kebab case", i.Interface)
	}
	if versioned {
		if _, err := parseVersion(version); err != nil {
			return fail("version %q: %s", version, err)
		}
		i.Version = version
	}
	return i, nil
}

func (i InterfaceName) forms() []Form {
	var forms []Form
	for _, words := range []string{i.Namespace, i.Package, i.Interface} {
		if checkKebab(words) == kebabDigit {
			forms = []Form{FormDigitWord}
		}
	}
	if v, err := parseVersion(i.Version); err == nil && v.parts < 3 {
		forms = append(forms, FormCanonVersion)
	}
	return forms
}

// IsKebab reports whether s is a label: words of letters of one case and
// digits, joined by hyphens, the first of which begins with a letter.
func IsKebab(s string) bool { return checkKebab(s) != notKebab }

type kebab uint8

const (
	notKebab   kebab = iota
	kebabPlain       // every word begins with a letter
	kebabDigit       // a later word begins with a digit
)

func checkKebab(s string) kebab {
	result := kebabPlain
	for first := true; ; first = false {
		word, rest, more := strings.Cut(s, "-")
		var lower, upper bool
		for i := range len(word) {
			switch c := word[i]; {
			case 'a' <= c && c <= 'z':
				lower = true
			case 'A' <= c && c <= 'Z':
				upper = true
			case '0' <= c && c <= '9':
				if i == 0 && first {
					return notKebab
				}
				if i == 0 {
					result = kebabDigit
				}
			default:
				return notKebab
			}
		}
		if word == "" || lower && upper {
			return notKebab
		}
		if !more {
			return result
		}
		s = rest
	}
}

// uniqueKey maps names to the same key when they may not stand in one scope.
// Explainer.md, section Name Uniqueness.
func uniqueKey(name string) string {
	name = strings.ToLower(name)
	if !strings.HasPrefix(name, "[") || strings.HasPrefix(name, "[constructor]") {
		return name
	}
	_, name, _ = strings.Cut(name, "]")
	if resource, field, ok := strings.Cut(name, "."); ok && resource == field {
		return resource
	}
	return name
}
