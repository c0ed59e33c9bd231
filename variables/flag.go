package variables

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/BurntSushi/toml"
)

// ParseFlags reads the arguments of --variable, of which later ones hold over
// earlier: name=value; name=@file, whose text is the value; and @file.json or
// @file.toml, a flat table of strings. Errors show no values.
func ParseFlags(args []string) (map[string]string, error) {
	all := map[string]string{}
	for i, arg := range args {
		if path, ok := strings.CutPrefix(arg, "@"); ok {
			if err := readFlagFile(all, path); err != nil {
				return nil, err
			}
			continue
		}
		name, value, ok := strings.Cut(arg, "=")
		if !ok {
			return nil, fmt.Errorf("the %s value has no \"=\": write NAME=VALUE, NAME=@FILE, @FILE.json or @FILE.toml", ordinal(i+1))
		}
		if err := checkName(name); err != nil {
			return nil, err
		}
		if path, ok := strings.CutPrefix(value, "@"); ok {
			text, err := os.ReadFile(path)
			if err != nil {
				return nil, fmt.Errorf("reading the value of %s: %w", name, err)
			}
			value = string(text)
		}
		all[name] = value
	}
	return all, nil
}

// FlagFiles returns the paths of the files that ParseFlags reads for args.
func FlagFiles(args []string) []string {
	var paths []string
	for _, arg := range args {
		path, ok := strings.CutPrefix(arg, "@")
		if !ok {
			_, value, _ := strings.Cut(arg, "=")
			path, ok = strings.CutPrefix(value, "@")
		}
		if ok {
			paths = append(paths, path)
		}
	}
	return paths
}

// readFlagFile adds the variables of a file to all.
func readFlagFile(all map[string]string, path string) error {
	var decode func([]byte, any) error
	switch strings.ToLower(filepath.Ext(path)) {
	case ".json":
		decode = json.Unmarshal
	case ".toml":
		decode = toml.Unmarshal
	default:
		return fmt.Errorf("reading variables: %s is neither .json nor .toml", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading variables: %w", err)
	}
	// What the decoders say of a file that is broken may cite it.
	var values map[string]any
	if err := decode(text, &values); err != nil {
		return fmt.Errorf("reading variables: %s: %w", path, withoutText(err))
	}
	for name, value := range values {
		if err := checkName(name); err != nil {
			return fmt.Errorf("reading variables: %s: %w", path, err)
		}
		s, ok := value.(string)
		if !ok {
			return fmt.Errorf("reading variables: %s: %s is not a string; put it in quotes", path, name)
		}
		all[name] = s
	}
	return nil
}

// withoutText reduces a decoder's error to its place.
func withoutText(err error) error {
	if syntax, ok := errors.AsType[toml.ParseError](err); ok {
		return fmt.Errorf("not valid TOML at line %d", syntax.Position.Line)
	}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("not valid JSON at byte %d", syntax.Offset)
	}
	return errors.New("not a flat table of strings")
}

func ordinal(n int) string {
	suffix := "th"
	switch {
	case n%100 >= 11 && n%100 <= 13:
	case n%10 == 1:
		suffix = "st"
	case n%10 == 2:
		suffix = "nd"
	case n%10 == 3:
		suffix = "rd"
	}
	return fmt.Sprintf("%d%s", n, suffix)
}
