package variables

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host/wasi/wasitest"
	"github.com/minispin/minispin/variables"
	spin1config "github.com/minispin/minispin/wit/bindings/fermyon/spin1/config"
	spin2variables "github.com/minispin/minispin/wit/bindings/fermyon/spin2/variables"
	configstore "github.com/minispin/minispin/wit/bindings/wasi/configdraft20240927/store"
	"github.com/minispin/minispin/wit/value"
)

type view struct{ c *variables.Component }

func (v view) Variables() *variables.Component { return v.c }

// failing is a provider that fails for the variable "down".
type failing struct{}

func (failing) Get(_ context.Context, name string) (variables.Value, bool, error) {
	if name == "down" {
		return variables.Value{}, false, errors.New("no answer")
	}
	return variables.Value{}, false, nil
}
func (failing) String() string { return "the vault" }

func given(t *testing.T, templates map[string]string) *variables.Component {
	t.Helper()
	user := "ann"
	c, err := variables.NewResolver([]variables.Variable{{Name: "user", Default: &user, Secret: true}, {Name: "down"}}, failing{}).Component(templates)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestGet asks each interface for each kind of name. The errors must be exactly
// of the interface's type, or the guest would be trapped.
func TestGet(t *testing.T) {
	const down = `variable "down": the vault: no answer`
	c := given(t, map[string]string{"greeting": "hi {{ user }}", "broken": "{{ down }}"})
	type answers struct{ v2, v1, config error }
	for name, want := range map[string]answers{
		"greeting": {},
		"user": {
			v2: spin2variables.Error{Case: spin2variables.ErrorUndefined, Undefined: `no variable "user" is given to the component`},
			v1: spin1config.Error{Case: spin1config.ErrorProvider, Provider: `no variable "user" is given to the component`},
		},
		"invalid!name": {
			v2: spin2variables.Error{Case: spin2variables.ErrorInvalidName, InvalidName: `"invalid!name" is not the name of a variable: names are lower-case words joined by "_"`},
			v1: spin1config.Error{Case: spin1config.ErrorInvalidKey, InvalidKey: `"invalid!name" is not the name of a variable: names are lower-case words joined by "_"`},
		},
		"broken": {
			v2:     spin2variables.Error{Case: spin2variables.ErrorProvider, Provider: down},
			v1:     spin1config.Error{Case: spin1config.ErrorProvider, Provider: down},
			config: configstore.Error{Case: configstore.ErrorUpstream, Upstream: down},
		},
	} {
		err := wasitest.Call(t, context.Background(), view{c}, func(call *component.Call) error {
			text := ""
			if name == "greeting" {
				text = "hi ann"
			}
			if got, err := (host2{}).Get(call, name); got != text || !reflect.DeepEqual(err, want.v2) {
				t.Errorf("variables, %s: %q, %#v", name, got, err)
			}
			if got, err := (host1{}).GetConfig(call, name); got != text || !reflect.DeepEqual(err, want.v1) {
				t.Errorf("config 1, %s: %q, %#v", name, got, err)
			}
			wantOption := value.Option[string]{}
			if text != "" {
				wantOption = value.Some(text)
			}
			if got, err := (config{}).Get(call, name); got != wantOption || !reflect.DeepEqual(err, want.config) {
				t.Errorf("wasi:config, %s: %v, %#v", name, got, err)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func TestGetAll(t *testing.T) {
	for _, tt := range []struct {
		name string
		host any
		want []value.Tuple2[string, string]
		err  error
	}{
		{"none", nil, nil, nil},
		{"some", view{given(t, map[string]string{"b": "{{ user }}", "a": "1"})}, []value.Tuple2[string, string]{{F0: "a", F1: "1"}, {F0: "b", F1: "ann"}}, nil},
		{"failing", view{given(t, map[string]string{"a": "1", "b": "{{ down }}"})}, nil, configstore.Error{Case: configstore.ErrorUpstream, Upstream: `variable "down": the vault: no answer`}},
	} {
		err := wasitest.Call(t, context.Background(), tt.host, func(call *component.Call) error {
			got, err := config{}.GetAll(call)
			if diff := cmp.Diff(tt.want, got); diff != "" || !reflect.DeepEqual(err, tt.err) {
				t.Errorf("%s: %v\n%s", tt.name, err, diff)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func TestDefineTwice(t *testing.T) {
	l := component.NewLinker()
	if err := Define(l); err != nil {
		t.Fatal(err)
	}
	if err := Define(l); err == nil {
		t.Error("the interfaces were defined twice")
	}
}
