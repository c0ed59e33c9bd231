package abi

import (
	"errors"
	"fmt"
)

// Equal reports whether the types want and have are structurally the same:
// nil when they are, else an error that names the place where they part and
// what was found there. Field, case and label names and their order count.
//
// sameResource decides whether two resource types, which are nominal, stand for
// one another; nil means that they must be identical. It may keep state, such as
// the pairs met so far, and sees the arguments in the order (want, have).
func Equal(want, have *Type, sameResource func(want, have *Resource) bool) error {
	c := comparer{same: sameResource}
	return c.types(want, have)
}

// EqualFunc is [Equal] for function types. Parameter names count.
func EqualFunc(want, have *Func, sameResource func(want, have *Resource) bool) error {
	c := comparer{same: sameResource}
	if len(want.Params) != len(have.Params) {
		return fmt.Errorf("expected %d parameters, found %d", len(want.Params), len(have.Params))
	}
	for i, p := range want.Params {
		q := have.Params[i]
		if p.Name != q.Name {
			return fmt.Errorf("parameter %d: expected name %q, found %q", i+1, p.Name, q.Name)
		}
		if err := c.types(p.Type, q.Type); err != nil {
			return fmt.Errorf("parameter %q: %w", p.Name, err)
		}
	}
	if err := c.optional(want.Result, have.Result); err != nil {
		return fmt.Errorf("result: %w", err)
	}
	return nil
}

type comparer struct {
	same func(want, have *Resource) bool
	// done holds the pairs of compound types found equal: types share parts,
	// and comparing a shared part each time it is met would take exponential
	// time on a hostile component.
	done map[[2]*Type]struct{}
}

func (c *comparer) types(want, have *Type) error {
	if want.Kind != have.Kind {
		return fmt.Errorf("expected %s, found %s", brief(want), brief(have))
	}
	if want.depth == 0 {
		return c.leaves(want, have)
	}
	pair := [2]*Type{want, have}
	if _, ok := c.done[pair]; ok {
		return nil
	}
	if err := c.compound(want, have); err != nil {
		return err
	}
	if c.done == nil {
		c.done = make(map[[2]*Type]struct{})
	}
	c.done[pair] = struct{}{}
	return nil
}

// leaves compares types that contain no other types.
func (c *comparer) leaves(want, have *Type) error {
	switch want.Kind {
	case KindEnum, KindFlags:
		if len(want.Names) != len(have.Names) {
			return fmt.Errorf("expected %s of %d labels, found %d", want.Kind, len(want.Names), len(have.Names))
		}
		for i, n := range want.Names {
			if m := have.Names[i]; n != m {
				return fmt.Errorf("expected %s label %q, found %q", want.Kind, n, m)
			}
		}
	case KindOwn, KindBorrow:
		w, h := want.Resource, have.Resource
		if c.same == nil && w != h || c.same != nil && !c.same(w, h) {
			return fmt.Errorf("expected %s, found %s of a different resource type", want, have)
		}
	default:
		return c.compound(want, have)
	}
	return nil
}

func (c *comparer) compound(want, have *Type) error {
	switch want.Kind {
	case KindList:
		if err := c.types(want.Elem, have.Elem); err != nil {
			return fmt.Errorf("list element: %w", err)
		}
	case KindFixedList:
		if want.Len != have.Len {
			return fmt.Errorf("expected a list of length %d, found %d", want.Len, have.Len)
		}
		if err := c.types(want.Elem, have.Elem); err != nil {
			return fmt.Errorf("list element: %w", err)
		}
	case KindRecord, KindTuple:
		return c.fields(want, have)
	case KindVariant, KindOption, KindResult:
		return c.cases(want, have)
	case KindStream, KindFuture:
		if err := c.optional(want.Elem, have.Elem); err != nil {
			return fmt.Errorf("%s payload: %w", want.Kind, err)
		}
	}
	return nil
}

func (c *comparer) fields(want, have *Type) error {
	if len(want.Fields) != len(have.Fields) {
		return fmt.Errorf("expected %s of %d fields, found %d", want.Kind, len(want.Fields), len(have.Fields))
	}
	for i, f := range want.Fields {
		g := have.Fields[i]
		if f.Name != g.Name {
			return fmt.Errorf("expected %s field %q, found %q", want.Kind, f.Name, g.Name)
		}
		if err := c.types(f.Type, g.Type); err != nil {
			if f.Name == "" {
				return fmt.Errorf("tuple field %d: %w", i, err)
			}
			return fmt.Errorf("field %q: %w", f.Name, err)
		}
	}
	return nil
}

func (c *comparer) cases(want, have *Type) error {
	if len(want.Cases) != len(have.Cases) {
		return fmt.Errorf("expected %s of %d cases, found %d", want.Kind, len(want.Cases), len(have.Cases))
	}
	for i, w := range want.Cases {
		h := have.Cases[i]
		if w.Name != h.Name {
			return fmt.Errorf("expected %s case %q, found %q", want.Kind, w.Name, h.Name)
		}
		if err := c.optional(w.Type, h.Type); err != nil {
			return fmt.Errorf("case %q: %w", w.Name, err)
		}
	}
	return nil
}

func (c *comparer) optional(want, have *Type) error {
	switch {
	case want == nil && have == nil:
		return nil
	case want == nil:
		return fmt.Errorf("expected no type, found %s", brief(have))
	case have == nil:
		return errors.New("expected " + brief(want) + ", found none")
	}
	return c.types(want, have)
}

// brief names a type in a message: its text when that is short, else its kind.
func brief(t *Type) string {
	if s := t.String(); len(s) <= 60 {
		return s
	}
	return t.Kind.String()
}
