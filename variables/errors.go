package variables

import (
	"fmt"
	"strings"
)

// A NameError says that a text cannot be the name of a variable.
type NameError struct{ Name string }

func (e *NameError) Error() string {
	return fmt.Sprintf("%q is not the name of a variable: names are lower-case words joined by \"_\"", e.Name)
}

// An UndefinedError says that there is no variable of a name: for a component
// none among those given to it, for a template none in the application.
type UndefinedError struct{ Name string }

func (e *UndefinedError) Error() string { return fmt.Sprintf("no variable %q", e.Name) }

// A ProviderError says that no value could be had for a variable.
type ProviderError struct {
	Name     string // the application variable
	Provider string // what failed; empty if all were asked and none has a value
	Err      error  // why it failed; nil if Provider is empty
}

func (e *ProviderError) Error() string {
	if e.Provider == "" {
		return fmt.Sprintf("no provider has a value for variable %q", e.Name)
	}
	return fmt.Sprintf("variable %q: %s: %v", e.Name, e.Provider, e.Err)
}

func (e *ProviderError) Unwrap() error { return e.Err }

// A MissingError lists the required variables that have no value.
type MissingError struct {
	Names []string
	// Environment is the prefix of environment variables that would be looked
	// at; empty if none would.
	Environment string
}

func (e *MissingError) Error() string {
	var b strings.Builder
	if len(e.Names) == 1 {
		fmt.Fprintf(&b, "required variable %q has no value", e.Names[0])
	} else {
		fmt.Fprintf(&b, "%d required variables have no value: %s", len(e.Names), strings.Join(e.Names, ", "))
	}
	first := e.Names[0]
	fmt.Fprintf(&b, "\n  > give it one by: --variable %s=VALUE", first)
	if e.Environment != "" {
		fmt.Fprintf(&b, "\n  > or in the environment, or a file .env, as %s%s", e.Environment, strings.ToUpper(first))
	}
	return b.String()
}
