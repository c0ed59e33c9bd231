package templates

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/minispin/minispin/manifest"
)

// ComponentID makes the id of a component of a name: words of lower-case letters
// and digits, joined by "-". Upper-case letters and "_" are brought into that
// form; for any other name the error says what is wrong, with one that would do.
func ComponentID(name string) (string, error) {
	id := strings.ReplaceAll(strings.ToLower(name), "_", "-")
	err := manifest.CheckID(id)
	if err == nil {
		return id, nil
	}
	err = fmt.Errorf("name %q: the id of a component %w", name, err)
	if s := suggestID(id); s != "" {
		err = fmt.Errorf("%w; try %s", err, s)
	}
	return "", err
}

var notInWords = regexp.MustCompile(`[^a-z0-9]+`)

// suggestID returns the id nearest to what was given, or "".
func suggestID(given string) string {
	var words []string
	for _, word := range notInWords.Split(given, -1) {
		switch {
		case word == "":
		case word[0] >= 'a':
			words = append(words, word)
		case len(words) > 0: // a digit begins no word, but may end one
			words[len(words)-1] += word
		default:
			if word = strings.TrimLeft(word, "0123456789"); word != "" {
				words = append(words, word)
			}
		}
	}
	return strings.Join(words, "-")
}
