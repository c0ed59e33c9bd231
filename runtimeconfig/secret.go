package runtimeconfig

import (
	"errors"
	"slices"
	"strings"

	"github.com/minispin/minispin/manifest"
)

// secretSections are the keys whose tables have passwords and tokens in them.
var secretSections = []string{"variables_provider", "config_provider", "key_value_store", "sqlite_database", "llm_compute"}

// withoutSecrets takes the lines of the file out of what is said about sections
// that may have secrets in them: messages end up in logs.
func withoutSecrets(list []manifest.Diagnostic) {
	for i := range list {
		d := &list[i]
		for _, section := range secretSections {
			if strings.HasPrefix(d.Key, section) {
				d.Source, d.Width = "", 0
				if strings.Contains(d.Key, ".values.") {
					d.Hint = "" // it would show the value
				}
			}
		}
		withoutValue(d)
	}
}

// withoutValue takes the value out of the line of a top-level key of which something
// is said: one that is misspelt may be that of a section with secrets.
func withoutValue(d *manifest.Diagnostic) {
	if strings.ContainsAny(d.Key, ".[") && !strings.HasPrefix(d.Key, `"`) {
		return // it is in a section that is known
	}
	line := []rune(d.Source)
	if end := d.Column - 1 + d.Width; end >= 0 && end < len(line) && slices.Contains(line[end:], '=') {
		d.Source = string(line[:end])
	}
}

// syntaxError reduces the error of a file that is no TOML to its place: the text
// there, and what the decoder has to say of it, could be a secret.
func syntaxError(err error) error {
	if e, ok := errors.AsType[*manifest.Error](err); ok {
		for i := range e.Diagnostics {
			d := &e.Diagnostics[i]
			d.Key, d.Reason, d.Hint, d.Source, d.Width = "", "not valid TOML", "", "", 0
		}
	}
	return err
}
