package manifest

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// checkKebab returns what is wrong with id as a kebab id: words joined by "-",
// each of ASCII letters and digits, starting with a letter, and either all
// lower-case or all upper-case. Component ids are kebab ids.
func checkKebab(id string) error { return checkWords(id, "-", "_") }

// checkLowerSnake returns what is wrong with id as a lower-case snake id: words
// joined by "_". Variable names are such.
func checkLowerSnake(id string) error {
	lower := strings.ToLower(id)
	if err := checkWords(lower, "_", "-"); err != nil {
		return err
	}
	if lower != id {
		return fmt.Errorf("must be lower-case, as in %q", lower)
	}
	return nil
}

// checkLabel returns what is wrong with the label of a store or database, which
// may be a kebab id or a snake id.
func checkLabel(label string) error {
	kebab, snake := checkWords(label, "-", "_"), checkWords(label, "_", "-")
	switch {
	case kebab == nil || snake == nil:
		return nil
	case strings.Contains(label, "-") && strings.Contains(label, "_"):
		return errors.New(`must separate its words all by "-" or all by "_"`)
	case strings.Contains(label, "_"):
		return snake
	}
	return kebab
}

// checkWords returns what is wrong with id as words joined by sep, where other
// is the separator of the other style of ids.
func checkWords(id, sep, other string) error {
	if id == "" {
		return errors.New("must not be empty")
	}
	for word := range strings.SplitSeq(id, sep) {
		if err := checkWord(id, word, sep, other); err != nil {
			return err
		}
	}
	return nil
}

func checkWord(id, word, sep, other string) error {
	if word == "" {
		return fmt.Errorf("must have a word on either side of each %q", sep)
	}
	lower, upper := false, false
	for i, c := range word {
		switch {
		case c >= 'a' && c <= 'z':
			lower = true
		case c >= 'A' && c <= 'Z':
			upper = true
		case string(c) == other:
			return fmt.Errorf("must separate its words by %q, not %q, as in %q", sep, other, strings.ReplaceAll(id, other, sep))
		case c >= '0' && c <= '9' && i > 0:
		case c >= '0' && c <= '9':
			return fmt.Errorf("has a word, %q, that starts with a digit; words start with a letter", word)
		case c >= utf8.RuneSelf:
			return fmt.Errorf("has %q, which is not ASCII; only letters, digits and %q are allowed", c, sep)
		default:
			return fmt.Errorf("has %q; only letters, digits and %q are allowed", c, sep)
		}
	}
	if lower && upper {
		return fmt.Errorf("has a word, %q, in mixed case; write it as %q or %q", word, strings.ToLower(word), strings.ToUpper(word))
	}
	return nil
}

// CheckID returns what is wrong with id as the id of a component, as the rest of a
// sentence that begins with what it is the id of; nil if nothing is. Ids are words
// of ASCII letters and digits joined by "-", each starting with a letter, and either
// all lower-case or all upper-case.
func CheckID(id string) error { return checkKebab(id) }
