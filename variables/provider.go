package variables

import "context"

// A Provider is a source of values. It may be asked by several goroutines at
// once.
type Provider interface {
	// Get returns the value of the application variable name. ok is false if
	// the provider has none, and the next is to be asked. An error ends the
	// search; it must not hold values.
	Get(ctx context.Context, name string) (v Value, ok bool, err error)
	// String names the provider in messages, as in "the environment". It must
	// hold no secrets.
	String() string
}

// Remote is implemented by providers that a question costs something: they are
// not asked at start, and what they might have counts as there.
type Remote interface {
	Provider
	Remote()
}

// static is a Provider of a fixed set of values.
type static struct {
	name   string
	values map[string]string
}

// Static returns a provider of values. name is what messages call it.
func Static(name string, values map[string]string) Provider { return &static{name, values} }

func (s *static) Get(_ context.Context, name string) (Value, bool, error) {
	text, ok := s.values[name]
	return NewValue(text), ok, nil
}

func (s *static) String() string { return s.name }
