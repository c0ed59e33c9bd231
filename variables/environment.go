package variables

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
)

// EnvironmentPrefix is what the names of environment variables begin with that
// the built-in environment provider looks at.
const EnvironmentPrefix = "SPIN_VARIABLE_"

// Environment is a Provider that looks at environment variables, and then at
// files of such. The variable api_key is, with the built-in prefix,
// SPIN_VARIABLE_API_KEY.
type Environment struct {
	prefix string
	lookup func(string) (string, bool)
	files  func() (map[string]string, error)
}

// NewEnvironment returns the provider for names that begin with prefix. dotenv
// are paths of files in the form of .env; those that do not exist do not
// matter, and of two values for a name the one in the earlier file holds. They
// are read when first needed and then kept.
func NewEnvironment(prefix string, dotenv ...string) *Environment {
	return newEnvironment(prefix, os.LookupEnv, dotenv)
}

func newEnvironment(prefix string, lookup func(string) (string, bool), dotenv []string) *Environment {
	return &Environment{
		prefix: prefix,
		lookup: lookup,
		files: sync.OnceValues(func() (map[string]string, error) {
			return readDotenv(dotenv, lookup)
		}),
	}
}

// readDotenv merges the files at paths.
func readDotenv(paths []string, lookup func(string) (string, bool)) (map[string]string, error) {
	all := map[string]string{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("reading environment variables: %w", err)
		}
		values, err := parseDotenv(string(text), lookup)
		if err != nil {
			return nil, fmt.Errorf("%s:%w", path, err)
		}
		for name, value := range values {
			if _, taken := all[name]; !taken {
				all[name] = value
			}
		}
	}
	return all, nil
}

// Prefix returns what the names looked at begin with.
func (e *Environment) Prefix() string { return e.prefix }

// Get implements Provider.
func (e *Environment) Get(_ context.Context, name string) (Value, bool, error) {
	key := e.prefix + strings.ToUpper(name)
	if text, ok := e.lookup(key); ok {
		return NewValue(text), true, nil
	}
	values, err := e.files()
	if err != nil {
		return Value{}, false, err
	}
	text, ok := values[key]
	return NewValue(text), ok, nil
}

func (e *Environment) String() string { return "the environment" }

var _ Provider = (*Environment)(nil)
