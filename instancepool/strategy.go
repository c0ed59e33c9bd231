package instancepool

import (
	"fmt"
	"slices"
	"strings"
)

// Strategy names a way to execute a handler.
type Strategy string

// The strategies. What each does once and for every request, and what state a
// request sees, is tabled in docs/architecture.md.
const (
	// PreInstance compiles and links once, and instantiates for every request
	// with memory mapped on demand.
	PreInstance Strategy = "pre-instance"
	// Pooled is PreInstance with the memory of instances taken from slots
	// reserved in advance.
	Pooled Strategy = "pooled"
)

// Default is the strategy of a component that names none.
const Default = Pooled

// Strategies lists the known strategies.
func Strategies() []Strategy { return []Strategy{PreInstance, Pooled} }

// Names lists the known strategies as text.
func Names() []string {
	var names []string
	for _, s := range Strategies() {
		names = append(names, string(s))
	}
	return names
}

// Parse returns the strategy of a name; the empty name is Default. The error of
// an unknown name lists the known ones.
func Parse(name string) (Strategy, error) {
	if name == "" {
		return Default, nil
	}
	if s := Strategy(name); slices.Contains(Strategies(), s) {
		return s, nil
	}
	return "", fmt.Errorf("unknown strategy %q: use one of %s", name, strings.Join(Names(), ", "))
}
