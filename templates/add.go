package templates

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/minispin/minispin/manifest"
	"github.com/minispin/minispin/trigger/http/route"
)

// header matches the first header of a table, after which keys are no longer the
// manifest's own, and whole the values that tables in them cannot follow. The decoder
// would let some of these pass, where TOML does not (TOML 1.0.0, section Inline Table).
var (
	header = regexp.MustCompile(`(?m)^[ \t]*\[`)
	whole  = regexp.MustCompile(`(?m)^[ \t]*["']?(component|trigger)["']?[ \t]*=`)
)

// Append returns text, the manifest that app was read from, with a fragment of
// TOML at its end. What was there stays as it is, byte for byte; the fragment gets
// the manifest's line ends. name is what messages call the manifest. The error says
// why the two together are no manifest in which the fragment means what it did.
func Append(app *manifest.App, name, text, fragment string) (string, error) {
	own := text
	if at := header.FindStringIndex(own); at != nil {
		own = own[:at[0]]
	}
	if m := whole.FindStringSubmatch(own); m != nil {
		return "", fmt.Errorf("%s: %s is written as one value, which no table can be added to", name, m[1])
	}
	end := "\n"
	if strings.Contains(text, "\r\n") {
		end = "\r\n"
		fragment = strings.ReplaceAll(fragment, "\n", end)
	}
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += end
	}
	text += end + fragment
	after, err := manifest.Parse([]byte(text), name, app.Dir, manifest.Options{Purpose: manifest.ToBuild})
	if err != nil {
		return "", err
	}
	if len(after.Triggers) != len(app.Triggers)+1 {
		return "", errors.New("the trigger would not be one of its own")
	}
	return text, nil
}

// FreeRoute returns the first of these routes of which the application has none
// that takes the same requests: wanted, /id/..., /id-2/... and so on.
func FreeRoute(app *manifest.App, wanted, id string) string {
	if _, taken := Taken(app, wanted); !taken {
		return wanted
	}
	for n := 1; ; n++ {
		candidate := "/" + id + "/..."
		if n > 1 {
			candidate = fmt.Sprintf("/%s-%d/...", id, n)
		}
		if _, taken := Taken(app, candidate); !taken {
			return candidate
		}
	}
}

// Taken reports whether the application has a trigger whose route takes all
// requests that wanted would, and which.
func Taken(app *manifest.App, wanted string) (by string, taken bool) {
	for i := range app.Triggers {
		t := &app.Triggers[i]
		if t.Route.Private || t.ShadowedBy != "" {
			continue
		}
		table, err := route.New([]route.Declared{{Route: t.Route.Path, Owner: t.ID}, {Route: wanted}})
		if err == nil && len(table.Duplicates()) > 0 {
			return owner(t), true
		}
	}
	return "", false
}

// owner names what answers a trigger.
func owner(t *manifest.HTTPTrigger) string {
	if t.Component == "" {
		return "trigger " + t.ID
	}
	return "component " + t.Component
}
