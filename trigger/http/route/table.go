package route

import (
	"errors"
	"fmt"
	"iter"
	"slices"
)

// Declared is a route with the name of who declared it, for messages.
type Declared struct {
	Route string // as written in the manifest
	Owner string // the id of the component or trigger
}

// Duplicate reports two routes of which only one can ever be reached.
type Duplicate struct {
	Route  string // the route that is never used, as written
	Loser  string // the owner whose route is never used
	Other  string // the winning route, as written
	Winner string // the owner whose route is used
}

// String returns the report as one line.
func (d Duplicate) String() string {
	if d.Route == d.Other {
		return fmt.Sprintf("%s: %s (duplicate of %s)", d.Loser, d.Route, d.Winner)
	}
	return fmt.Sprintf("%s: %s (matches the same paths as %s of %s)", d.Loser, d.Route, d.Other, d.Winner)
}

// entry is a pattern of a table and where it came from.
type entry struct {
	pattern *Pattern
	target  int
}

// Table holds the routes of an application. It is immutable and may be used by
// several goroutines at once.
type Table struct {
	entries    []entry
	duplicates []Duplicate
}

// New builds a table. Of two routes that are spelled alike the later one wins;
// of two that are spelled differently but match the same paths, the earlier
// one; both are reported by [Table.Duplicates]. The error joins one
// [*SyntaxError], wrapped with its owner, for every route that cannot be parsed.
func New(routes []Declared) (*Table, error) {
	var (
		t        = &Table{}
		declared []entry
		errs     []error
		byText   = make(map[string]int)
	)
	for i, r := range routes {
		if at, ok := byText[r.Route]; ok {
			// The later trigger takes the earlier one's place in the order.
			t.duplicates = append(t.duplicates, Duplicate{
				Route: display(r.Route), Loser: routes[declared[at].target].Owner,
				Other: display(r.Route), Winner: r.Owner,
			})
			declared[at].target = i
			continue
		}
		p, err := Parse(r.Route)
		if err != nil {
			errs = append(errs, fmt.Errorf("component %q: %w", r.Owner, err))
			continue
		}
		byText[r.Route] = len(declared)
		declared = append(declared, entry{p, i})
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}

	byShape := make(map[string]entry)
	for _, e := range declared {
		shape := e.pattern.shape()
		if first, ok := byShape[shape]; ok {
			t.duplicates = append(t.duplicates, Duplicate{
				Route: e.pattern.String(), Loser: routes[e.target].Owner,
				Other: first.pattern.String(), Winner: routes[first.target].Owner,
			})
		} else {
			byShape[shape] = e
		}
		t.insert(e)
	}
	return t, nil
}

// display returns the route as messages show it.
func display(route string) string {
	if route == "" {
		return "/"
	}
	return route
}

// insert puts e before the first pattern it has precedence over. Precedence is
// not transitive once dots decide, so this is an insertion and not a sort: the
// order then follows from the declarations alone.
func (t *Table) insert(e entry) {
	at := slices.IndexFunc(t.entries, func(x entry) bool { return e.pattern.before(x.pattern) })
	if at < 0 {
		at = len(t.entries)
	}
	t.entries = slices.Insert(t.entries, at, e)
}

// Match finds the best route for path, the path of a request target as it was
// sent: not decoded, not cleaned and without the query. Slashes at either end
// are ignored, all others count. It allocates nothing but the captured values.
func (t *Table) Match(path string) (m Match, ok bool) {
	trimmed := trim(path)
	for i := range t.entries {
		if e := &t.entries[i]; e.pattern.match(path, trimmed, &m) {
			m.target = e.target
			return m, true
		}
	}
	return Match{}, false
}

// All yields every route in order of precedence with its position in the list
// the table was built from.
func (t *Table) All() iter.Seq2[int, *Pattern] {
	return func(yield func(int, *Pattern) bool) {
		for _, e := range t.entries {
			if !yield(e.target, e.pattern) {
				return
			}
		}
	}
}

// Duplicates returns the routes that can never be reached because another one
// matches the same paths.
func (t *Table) Duplicates() []Duplicate { return slices.Clone(t.duplicates) }
