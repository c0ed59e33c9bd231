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
	// Auto is no strategy but the choice of one: Reset where the system and the
	// component allow it, else Pooled, else PreInstance.
	Auto Strategy = ""
	// Cold decodes, compiles, links and instantiates for every request.
	Cold Strategy = "cold"
	// Precompiled has compiled once and kept the code on disk; every request
	// loads it, links and instantiates.
	Precompiled Strategy = "precompiled"
	// PreInstance compiles and links once, and instantiates for every request
	// with memory mapped on demand.
	PreInstance Strategy = "pre-instance"
	// Pooled is PreInstance with the memory of instances taken from slots
	// reserved in advance.
	Pooled Strategy = "pooled"
	// Reset instantiates once and puts the instance back to that moment after
	// every request.
	Reset Strategy = "reset"
	// Reuse instantiates once and keeps the instance as requests leave it: a
	// request sees what earlier ones left.
	Reuse Strategy = "reuse"
)

// Strategies lists the known strategies, the most expensive first.
func Strategies() []Strategy {
	return []Strategy{Cold, Precompiled, PreInstance, Pooled, Reset, Reuse}
}

// Names lists the known strategies as text.
func Names() []string {
	var names []string
	for _, s := range Strategies() {
		names = append(names, string(s))
	}
	return names
}

// Parse returns the strategy of a name; the empty name is Auto. The error of an
// unknown name lists the known ones.
func Parse(name string) (Strategy, error) {
	if s := Strategy(name); s == Auto || slices.Contains(Strategies(), s) {
		return s, nil
	}
	return "", fmt.Errorf("unknown strategy %q: use one of %s", name, strings.Join(Names(), ", "))
}
