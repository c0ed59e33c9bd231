package compose

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/component/binary"
)

// A Dependency is a part that is to meet imports of another.
type Dependency struct {
	// Key selects the imports; see the package comment.
	Key string
	// Part meets them. The same Part may stand in several dependencies, also of
	// several other parts, and is then one instance to all of them.
	Part *component.Part
	// Export, when set, is the full name of the export that meets the imports in
	// place of the one that is named as they are.
	Export string
}

// Error says what is wrong with a dependency.
type Error struct {
	Key    string // of the dependency
	Import string // the import concerned, where it is about one
	Reason string
}

// Error names the dependency, the import and what is wrong.
func (e *Error) Error() string {
	if e.Import == "" {
		return fmt.Sprintf("dependency %q: %s", e.Key, e.Reason)
	}
	return fmt.Sprintf("dependency %q: import %s: %s", e.Key, e.Import, e.Reason)
}

// Bind sets p.Imports to what the dependencies meet. A dependency that meets no
// import, two for one import, and an import that the dependency's part has no
// export or several for are each an *Error; all there are are joined. Whether
// the types agree, and that no parts use each other in a circle, is found out
// by component.LinkParts.
func Bind(p *component.Part, dependencies ...Dependency) error {
	imports := p.Component.Imports()
	bound := map[string]component.PartExport{}
	by := map[string]string{} // key, by import
	var errs []error
	for _, d := range dependencies {
		key := parse(d.Key)
		selected := key.filter(imports)
		if len(selected) == 0 {
			errs = append(errs, &Error{Key: d.Key, Reason: fmt.Sprintf("%s imports nothing of that name; it imports %s", p.Name, list(imports))})
		}
		for _, imp := range selected {
			if other, taken := by[imp]; taken {
				errs = append(errs, &Error{d.Key, imp, fmt.Sprintf("the dependency %q meets it as well", other)})
				continue
			}
			by[imp] = d.Key
			export, err := d.export(imp)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			bound[imp] = component.PartExport{Part: d.Part, Name: export}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	p.Imports = bound
	return nil
}

// export finds the export that meets an import.
func (d *Dependency) export(imp string) (string, error) {
	exports := d.Part.Component.Exports()
	want := imp
	if d.Export != "" {
		want = d.Export
	}
	if slices.Contains(exports, want) {
		return want, nil
	}
	var found []string
	for _, e := range exports {
		if binary.SameTrack(e, want) {
			found = append(found, e)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", &Error{d.Key, imp, fmt.Sprintf("%s does not export %s; it exports %s", d.Part.Name, want, list(exports))}
	}
	return "", &Error{d.Key, imp, fmt.Sprintf("%s exports several versions that could meet it: %s", d.Part.Name, list(found))}
}

// key is a parsed Dependency.Key.
type key struct{ name, version string }

func parse(s string) key {
	name, version, _ := strings.Cut(s, "@")
	return key{name, version}
}

// filter returns the imports that k selects: those of its very version if there
// are any, else those on its track.
func (k key) filter(imports []string) []string {
	var exact, track []string
	for _, imp := range imports {
		name, version, _ := strings.Cut(imp, "@")
		pkg, _, _ := strings.Cut(name, "/")
		if name != k.name && (pkg != k.name || !strings.Contains(k.name, ":")) {
			continue
		}
		switch {
		case k.version == "" || k.version == version:
			exact = append(exact, imp)
		case binary.SameTrack(k.name+"@"+k.version, k.name+"@"+version):
			track = append(track, imp)
		}
	}
	if len(exact) > 0 {
		return exact
	}
	return track
}

// list is names for an error.
func list(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}
