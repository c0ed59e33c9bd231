// Package variables is the host of the interfaces by which a guest asks for the
// variables its component was given: fermyon:spin/variables@2.0.0, its
// predecessor fermyon:spin/config, and wasi:config/store.
//
// It knows how these interfaces tell apart what can go wrong; which values there
// are, and where from, package minispin/variables knows.
//
// Its one idea is that the three are views of one thing, the component's
// [variables.Component] that the value given to the instance holds (View), and
// differ in their errors only.
package variables

import (
	"errors"
	"fmt"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/variables"
	spin1config "github.com/minispin/minispin/wit/bindings/fermyon/spin1/config"
	spin2variables "github.com/minispin/minispin/wit/bindings/fermyon/spin2/variables"
	configstore "github.com/minispin/minispin/wit/bindings/wasi/configdraft20240927/store"
	"github.com/minispin/minispin/wit/value"
)

// View is implemented by the value that an embedder gives to each instance
// (component.InstantiateOptions.Host). An instance whose value is no View has no
// variables.
type View interface {
	// Variables returns the component's variables; nil for none.
	Variables() *variables.Component
}

// Define adds the interfaces to l.
func Define(l *component.Linker) error {
	for _, i := range []*component.Interface{
		spin2variables.Bind(func(*component.Call) spin2variables.Host { return host2{} }),
		spin1config.Bind(func(*component.Call) spin1config.Host { return host1{} }),
		configstore.Bind(func(*component.Call) configstore.Host { return config{} }),
	} {
		if err := l.Define(i); err != nil {
			return fmt.Errorf("variables: %w", err)
		}
	}
	return nil
}

// of returns the variables of the calling instance.
func of(c *component.Call) *variables.Component {
	if v, ok := c.Host().(View); ok {
		return v.Variables()
	}
	return nil
}

// get asks for a variable and returns the text. The host is the one place where
// a secret is to be revealed: the guest was given it.
func get(c *component.Call, name string) (string, error) {
	v, err := of(c).Get(c.Context(), name)
	return v.Reveal(), err
}

// host2 implements fermyon:spin/variables@2.0.0.
type host2 struct{}

func (host2) Get(c *component.Call, name string) (string, error) {
	text, err := get(c, name)
	if err == nil {
		return text, nil
	}
	e := spin2variables.Error{Case: spin2variables.ErrorOther, Other: err.Error()}
	if _, ok := errors.AsType[*variables.NameError](err); ok {
		e = spin2variables.Error{Case: spin2variables.ErrorInvalidName, InvalidName: err.Error()}
	} else if _, ok := errors.AsType[*variables.UndefinedError](err); ok {
		e = spin2variables.Error{Case: spin2variables.ErrorUndefined, Undefined: undefined(name)}
	} else if _, ok := errors.AsType[*variables.ProviderError](err); ok {
		e = spin2variables.Error{Case: spin2variables.ErrorProvider, Provider: err.Error()}
	}
	return "", e
}

func undefined(name string) string {
	return fmt.Sprintf("no variable %q is given to the component", name)
}

// host1 implements fermyon:spin/config, which knows no case for a variable that
// is not there: guests look for the one of a failed provider.
type host1 struct{}

func (host1) GetConfig(c *component.Call, key string) (string, error) {
	text, err := get(c, key)
	if err == nil {
		return text, nil
	}
	e := spin1config.Error{Case: spin1config.ErrorOther, Other: err.Error()}
	if _, ok := errors.AsType[*variables.NameError](err); ok {
		e = spin1config.Error{Case: spin1config.ErrorInvalidKey, InvalidKey: err.Error()}
	} else if _, ok := errors.AsType[*variables.UndefinedError](err); ok {
		e = spin1config.Error{Case: spin1config.ErrorProvider, Provider: undefined(key)}
	} else if _, ok := errors.AsType[*variables.ProviderError](err); ok {
		e = spin1config.Error{Case: spin1config.ErrorProvider, Provider: err.Error()}
	}
	return "", e
}

// config implements wasi:config/store, where a key that is not there, or cannot
// be, is no error.
type config struct{}

func (config) Get(c *component.Call, key string) (value.Option[string], error) {
	text, err := get(c, key)
	if err == nil {
		return value.Some(text), nil
	}
	if _, ok := errors.AsType[*variables.NameError](err); ok {
		return value.None[string](), nil
	}
	if _, ok := errors.AsType[*variables.UndefinedError](err); ok {
		return value.None[string](), nil
	}
	return value.None[string](), configError(err)
}

func (config) GetAll(c *component.Call) ([]value.Tuple2[string, string], error) {
	var all []value.Tuple2[string, string]
	for _, name := range of(c).Names() {
		text, err := get(c, name)
		if err != nil {
			return nil, configError(err)
		}
		all = append(all, value.Tuple2[string, string]{F0: name, F1: text})
	}
	return all, nil
}

func configError(err error) error {
	if _, ok := errors.AsType[*variables.ProviderError](err); ok {
		return configstore.Error{Case: configstore.ErrorUpstream, Upstream: err.Error()}
	}
	return configstore.Error{Case: configstore.ErrorIO, IO: err.Error()}
}
