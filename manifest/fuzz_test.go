package manifest

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/txtar"
)

// FuzzParse checks on arbitrary text that Parse returns one of an App and an
// Error that can be printed, that all places lie in the file, and that the
// index of places has exactly the keys the decoder found.
func FuzzParse(f *testing.F) {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range txtar.Parse(data).Files {
			if file.Name == FileName {
				f.Add(string(file.Data))
			}
		}
	}
	for _, text := range indexInputs {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		app, err := Parse([]byte(text), FileName, "", Options{Purpose: ToBuild, Profile: "p", Strategies: []string{"cold"}})
		var diagnostics []Diagnostic
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || len(e.Diagnostics) == 0 || app != nil {
				t.Fatalf("App %v with error %v", app, err)
			}
			if e.Error() == "" || strings.ContainsRune(e.Error(), '\x1b') {
				t.Fatalf("unprintable error %q", e.Error())
			}
			diagnostics = e.Diagnostics
		} else {
			diagnostics = app.Warnings
			for _, c := range app.Used() {
				if checkKebab(c.ID) != nil {
					t.Fatalf("component with id %q", c.ID)
				}
			}
		}
		lines := strings.Count(text, "\n") + 1
		for _, d := range diagnostics {
			if d.Line > lines || d.Line < 0 || d.Column > utf8.RuneCountInString(d.Source)+2 {
				t.Fatalf("%d:%d is no place in the text of %d lines", d.Line, d.Column, lines)
			}
			_ = d.String()
		}
		clean := strings.TrimPrefix(text, "\ufeff")
		if m, err := decode(clean); err == nil {
			if diff := sameKeys(m, buildIndex(clean), ""); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}
