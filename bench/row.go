package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.uber.org/zap"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host"
	"github.com/minispin/minispin/instancepool"
)

// Row is one way of having a request answered.
type Row struct {
	// Group is what answers: the name of a guest or an application, or native.
	Group string
	// Variant is how it is executed: the name of a strategy, or which of the
	// native rows it is.
	Variant string
	// Includes says what the figure includes, where that needs saying.
	Includes string

	// optional rows may be impossible here. They are then told of, and the
	// others measured.
	optional bool
	open     func(context.Context, *stage) (subject, error)
}

// Name returns the name of the row: group and variant.
func (r Row) Name() string { return r.Group + "/" + r.Variant }

// Skip is a row that is not measured.
type Skip struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// stage is what rows are opened with.
type stage struct {
	cacheDir string
	log      *zap.Logger
	progress func(string)
	engines  *instancepool.Engines // of the rows that use instancepool directly
	linker   *component.Linker
}

func newStage(o *Options) (*stage, error) {
	s := &stage{
		cacheDir: o.CacheDir, log: o.Log, progress: o.Progress,
		engines: &instancepool.Engines{CacheDir: o.CacheDir},
		linker:  component.NewLinker(),
	}
	return s, host.Define(s.linker)
}

func (s *stage) close() { s.engines.Close() }

// opened returns an open function for what needs no opening.
func opened(l *local) func(context.Context, *stage) (subject, error) {
	return func(context.Context, *stage) (subject, error) { return l, l.exchange() }
}

// All stands for every strategy or guest where one is asked for.
const All = "all"

// Choice says which rows are wanted.
type Choice struct {
	// Guests are names of guests, or native for those rows alone, which are
	// there in any case. Empty, or All, means the usual ones: those that are
	// always there, one for each interface, and those in Python and JavaScript
	// if they can be had.
	Guests []string
	// Strategies are names of strategies. Empty, or All, means those that are
	// of interest for each guest: for the smallest one, all.
	Strategies []string
	// Unavailable are the strategies that cannot be used here, with the reason.
	// They are left out of all, and refused when named.
	Unavailable map[instancepool.Strategy]string
}

// Parse returns the strategies that are named, each once; nil for all of them.
// The error of an unknown one lists those there are.
func (c Choice) Parse() ([]instancepool.Strategy, error) {
	if len(c.Strategies) == 0 || slices.Contains(c.Strategies, All) {
		return nil, nil
	}
	var named []instancepool.Strategy
	for _, name := range c.Strategies {
		s := instancepool.Strategy(name)
		if !slices.Contains(instancepool.Strategies(), s) {
			return nil, fmt.Errorf("unknown strategy %q: use %s, or %s", name, strings.Join(instancepool.Names(), ", "), All)
		}
		if reason, ok := c.Unavailable[s]; ok {
			return nil, fmt.Errorf("the strategy %s cannot be had: %s", s, reason)
		}
		if !slices.Contains(named, s) {
			named = append(named, s)
		}
	}
	return named, nil
}

// Rows lists the rows for the reference exchange, the native ones first.
func Rows(c Choice) ([]Row, error) {
	strategies, err := c.Parse()
	if err != nil {
		return nil, err
	}
	names, usual := c.Guests, false
	if len(names) == 0 || slices.Contains(names, All) {
		names, usual = usualGuests(), true
	}
	rows := nativeRows()
	var seen []string
	for _, name := range names {
		if slices.Contains(seen, name) || name == native {
			continue
		}
		seen = append(seen, name)
		g := findGuest(name)
		if g == nil {
			return nil, fmt.Errorf("unknown guest %q: use %s, %s, or %s", name, strings.Join(guestNames(), ", "), native, All)
		}
		wanted := strategies
		if wanted == nil {
			wanted = g.usual
		}
		for _, s := range wanted {
			if g.kind == program && s == instancepool.Reuse {
				if usual || strategies == nil {
					continue
				}
				return nil, fmt.Errorf("the guest %s cannot have the strategy %s: as a program it ends with its request; use %s or %s",
					name, s, instancepool.Reset, instancepool.Pooled)
			}
			rows = append(rows, c.row(s, Row{
				Group: g.name, Variant: string(s), Includes: includes(g.kind), optional: usual || strategies == nil,
				open: func(ctx context.Context, st *stage) (subject, error) { return g.open(ctx, st, s) },
			}))
		}
	}
	return rows, nil
}

// row returns r, or a row of its name that cannot be opened as its strategy is
// unavailable.
func (c Choice) row(s instancepool.Strategy, r Row) Row {
	if reason, ok := c.Unavailable[s]; ok {
		r.open = func(context.Context, *stage) (subject, error) { return nil, errors.New(reason) }
	}
	return r
}
