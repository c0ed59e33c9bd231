package component

import (
	"errors"
	"fmt"
	"strings"

	"github.com/minispin/minispin/internal/cwasm"
)

// MissingImportsError says which imports of a component no host interface
// meets. It lists all of them.
type MissingImportsError struct {
	Component string // the name given to Compile
	Imports   []MissingImport
}

// MissingImport is one import that could not be linked.
type MissingImport struct {
	Part   string // whose import it is, where the main component is composed with others; "" for its own
	Name   string // the import, as "wasi:http/types@0.2.0" or with "#function"
	Reason string
}

// Error names every missing import with its reason, each on a line when there are
// several.
func (e *MissingImportsError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "component %s: ", e.Component)
	if len(e.Imports) == 1 {
		fmt.Fprintf(&b, "cannot link the import %s", e.Imports[0])
		return b.String()
	}
	fmt.Fprintf(&b, "cannot link %d imports:", len(e.Imports))
	for _, m := range e.Imports {
		fmt.Fprintf(&b, "\n  %s", m)
	}
	return b.String()
}

// String says which import it is and what is wrong.
func (m MissingImport) String() string {
	if m.Part != "" {
		return fmt.Sprintf("%s of %s: %s", m.Name, m.Part, m.Reason)
	}
	return m.Name + ": " + m.Reason
}

// ErrPoisoned is returned for a call into an instance that trapped before: its
// state is not to be trusted, CanonicalABI.md says it cannot be entered again.
var ErrPoisoned = errors.New("the instance has trapped and cannot be entered again")

// ErrCannotEnter is returned for a call into a component instance that is
// already running further up the stack.
var ErrCannotEnter = errors.New("the component instance is running and cannot be entered again")

// ErrInstanceClosed is returned for a call into an instance after its Close.
var ErrInstanceClosed = errors.New("the instance is closed")

// ErrPoolExhausted is matched by the error of Instantiate when the engine's pool
// has no slot left for one of the instance's core instances, memories or tables.
var ErrPoolExhausted = cwasm.ErrPoolExhausted

// guestFault carries the error of guest code run in the middle of lifting or
// lowering (realloc) up to the boundary.
type guestFault struct{ err error }
