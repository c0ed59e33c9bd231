package variables

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// A Variable is an application variable as the manifest declares it.
type Variable struct {
	Name    string
	Default *string // nil: it is required
	Secret  bool
}

// A Resolver gives the variables of one application their values. It may be
// used by several goroutines at once.
type Resolver struct {
	variables map[string]Variable
	required  []string // in the order of the manifest
	providers []Provider
}

// NewResolver returns a Resolver for an application with the given variables.
// Providers are asked in the order given; when none has a value, the default
// holds.
func NewResolver(declared []Variable, providers ...Provider) *Resolver {
	r := &Resolver{variables: map[string]Variable{}, providers: slices.Clone(providers)}
	for _, v := range declared {
		r.variables[v.Name] = v
		if v.Default == nil {
			r.required = append(r.required, v.Name)
		}
	}
	return r
}

// Check reports, before anything runs, required variables that no provider has a
// value for, as a [*MissingError], or a provider that fails. Remote providers
// are not asked; with one of them, no variable counts as missing.
func (r *Resolver) Check(ctx context.Context) error {
	missing := &MissingError{}
	remote := false
	for _, p := range r.providers {
		_, isRemote := p.(Remote)
		remote = remote || isRemote
		if e, ok := p.(*Environment); ok && missing.Environment == "" {
			missing.Environment = e.Prefix()
		}
	}
	for _, name := range r.required {
		_, ok, err := r.provided(ctx, name, false)
		if err != nil {
			return err
		}
		if !ok && !remote {
			missing.Names = append(missing.Names, name)
		}
	}
	if len(missing.Names) > 0 {
		return missing
	}
	return nil
}

// provided asks the providers for a value, remote ones only if askRemote.
func (r *Resolver) provided(ctx context.Context, name string, askRemote bool) (Value, bool, error) {
	for _, p := range r.providers {
		if _, remote := p.(Remote); remote && !askRemote {
			continue
		}
		v, ok, err := p.Get(ctx, name)
		if err != nil {
			return Value{}, false, &ProviderError{Name: name, Provider: p.String(), Err: err}
		}
		if ok {
			return v, true, nil
		}
	}
	return Value{}, false, nil
}

// Get returns the value of the application variable name. The error is an
// [*UndefinedError] or a [*ProviderError].
func (r *Resolver) Get(ctx context.Context, name string) (Value, error) {
	declared, ok := r.variables[name]
	if !ok {
		return Value{}, &UndefinedError{name}
	}
	v, ok, err := r.provided(ctx, name, true)
	switch {
	case err != nil:
		return Value{}, err
	case !ok && declared.Default == nil:
		return Value{}, &ProviderError{Name: name}
	case !ok:
		v = NewValue(*declared.Default)
	}
	if declared.Secret {
		v = v.AsSecret()
	}
	return v, nil
}

// Resolve returns template with every {{ name }} replaced by the value of that
// variable. The text may hold secrets: whoever may come to report on it takes
// [Resolver.Expand] instead.
func (r *Resolver) Resolve(template string) (string, error) {
	t, err := ParseTemplate(template)
	if err != nil {
		return "", err
	}
	v, err := r.Expand(context.Background(), t)
	return v.Reveal(), err
}

// Expand returns t with its variables replaced by their values. The result is a
// secret if one of them is.
func (r *Resolver) Expand(ctx context.Context, t Template) (Value, error) {
	var b strings.Builder
	secret := false
	for _, p := range t.parts {
		if p.name == "" {
			b.WriteString(p.literal)
			continue
		}
		v, err := r.Get(ctx, p.name)
		if err != nil {
			return Value{}, err
		}
		b.WriteString(v.text)
		secret = secret || v.secret
	}
	return Value{b.String(), secret}, nil
}

// A Component is what one component may ask for. A nil Component has no
// variables.
type Component struct {
	resolver  *Resolver
	templates map[string]Template
	names     []string // sorted
}

// Component returns the variables of a component: for each of its names the
// template of the value. Templates that are malformed, or name variables that
// the application does not have, are errors.
func (r *Resolver) Component(templates map[string]string) (*Component, error) {
	c := &Component{resolver: r, templates: map[string]Template{}}
	for name, text := range templates {
		t, err := ParseTemplate(text)
		if err != nil {
			return nil, fmt.Errorf("variable %s: %w", name, err)
		}
		for _, used := range t.Names() {
			if _, ok := r.variables[used]; !ok {
				return nil, fmt.Errorf("variable %s: the application has %w", name, &UndefinedError{used})
			}
		}
		c.templates[name] = t
		c.names = append(c.names, name)
	}
	slices.Sort(c.names)
	return c, nil
}

// Names returns the names of c's variables, sorted.
func (c *Component) Names() []string {
	if c == nil {
		return nil
	}
	return slices.Clone(c.names)
}

// Get returns the value of c's variable name. The error is a [*NameError], an
// [*UndefinedError] or a [*ProviderError].
func (c *Component) Get(ctx context.Context, name string) (Value, error) {
	if err := checkName(name); err != nil {
		return Value{}, err
	}
	if c == nil {
		return Value{}, &UndefinedError{name}
	}
	t, ok := c.templates[name]
	if !ok {
		return Value{}, &UndefinedError{name}
	}
	return c.resolver.Expand(ctx, t)
}
